"""Who is signed in, and what they may do and see."""

from dataclasses import dataclass

from tynysh.api.permissions import Permission, Role, permissions_of


@dataclass(frozen=True, slots=True)
class Signed:
    """A user with the session that the request belongs to.

    sites: the sites that the user is confined to; None for all sites.
    """

    token_hash: str
    user_id: int
    name: str
    role: str
    language: str
    must_change_password: bool
    sites: frozenset[str] | None

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the user may do: nothing of this before a first password is changed."""
        return frozenset() if self.must_change_password else permissions_of(self.role)

    @property
    def rights(self) -> tuple[frozenset[Permission], frozenset[str] | None]:
        """All that decides what an open stream may carry."""
        return (self.permissions, self.sites)

    def may(self, permission: Permission) -> bool:
        """Whether the user has that permission."""
        return permission in self.permissions

    def sees(self, site_id: str) -> bool:
        """Whether the site is among those that the user may know of."""
        return self.sites is None or site_id in self.sites


def confined_to(role: str, sites: list[str]) -> frozenset[str] | None:
    """The sites that a user is confined to; None where there is no such bound.

    A `venue` user without sites sees none. Sites named for a user of another role bind that user too.
    """
    return frozenset(sites) if role == Role.VENUE or sites else None
