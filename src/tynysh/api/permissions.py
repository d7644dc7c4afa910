"""Who may do what: roles and their permissions."""

from enum import StrEnum


class Permission(StrEnum):
    """One thing that a signed-in user may be allowed to do."""

    INCIDENTS_READ = "incidents.read"
    INCIDENTS_HANDLE = "incidents.handle"
    EVIDENCE_VIEW = "evidence.view"
    CAMERAS_READ = "cameras.read"
    CAMERAS_VIEW = "cameras.view"
    METRICS_READ = "metrics.read"


class Role(StrEnum):
    """What a user is. A role is a set of permissions and nothing more."""

    ADMIN = "admin"
    LEAD = "lead"
    OPERATOR = "operator"
    VENUE = "venue"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    INSTALLER = "installer"


_OPERATES = frozenset(
    {
        Permission.INCIDENTS_READ,
        Permission.INCIDENTS_HANDLE,
        Permission.EVIDENCE_VIEW,
        Permission.CAMERAS_READ,
        Permission.CAMERAS_VIEW,
    }
)
_READS = frozenset({Permission.INCIDENTS_READ, Permission.EVIDENCE_VIEW, Permission.CAMERAS_READ})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.LEAD: _OPERATES,
    Role.OPERATOR: _OPERATES,
    Role.VENUE: _OPERATES,
    Role.ANALYST: _READS,
    Role.AUDITOR: _READS,
    Role.INSTALLER: frozenset({Permission.CAMERAS_READ, Permission.CAMERAS_VIEW, Permission.METRICS_READ}),
}


def permissions_of(role: str) -> frozenset[Permission]:
    """The permissions of a role as the database names it; none for a role that this version does not know."""
    return PERMISSIONS.get(Role(role), frozenset()) if role in set(Role) else frozenset()
