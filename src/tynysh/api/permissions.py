"""Who may do what: roles and their permissions."""

from enum import StrEnum

from tynysh.store.users import Role


class Permission(StrEnum):
    """One thing that a signed-in user may be allowed to do."""

    INCIDENTS_READ = "incidents.read"
    INCIDENTS_HANDLE = "incidents.handle"
    INCIDENTS_LEAD = "incidents.lead"
    EVIDENCE_VIEW = "evidence.view"
    CAMERAS_READ = "cameras.read"
    CAMERAS_VIEW = "cameras.view"
    METRICS_READ = "metrics.read"


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
    Role.LEAD: _OPERATES | {Permission.INCIDENTS_LEAD},
    Role.OPERATOR: _OPERATES,
    Role.VENUE: _OPERATES,
    Role.ANALYST: _READS,
    Role.AUDITOR: _READS,
    Role.INSTALLER: frozenset({Permission.CAMERAS_READ, Permission.CAMERAS_VIEW, Permission.METRICS_READ}),
}
