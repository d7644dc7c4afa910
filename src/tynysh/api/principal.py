"""Who is signed in, and what they may do and see."""

from dataclasses import dataclass

from tynysh.api.permissions import PERMISSIONS, Permission
from tynysh.store.users import User


@dataclass(frozen=True, slots=True)
class Principal:
    """A user with the session that the request belongs to, known by the hash of its token."""

    user: User
    token_hash: str

    @property
    def name(self) -> str:
        """The user's name."""
        return self.user.name

    @property
    def sites(self) -> frozenset[str] | None:
        """The sites that the user is confined to; None for all sites."""
        return self.user.sites

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the user may do: nothing before a one-time password is changed."""
        return frozenset() if self.user.must_change_password else PERMISSIONS[self.user.role]

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
