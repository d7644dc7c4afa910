"""Accounts: who may sign in, as what, and with which password."""

import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import select
from sqlalchemy.orm import Session

from tynysh.errors import UsageError
from tynysh.store.database import must_be_writing
from tynysh.store.schema import SessionRow, SiteRow, UserRow
from tynysh.translations import LANGUAGES, Language

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1000
"""Characters. A limit from above, because hashing takes memory and time in proportion."""

_NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")
# RFC 9106's second recommended option (64 MiB, 3 passes, 4 lanes): about 130 ms on a small server core, so a
# person does not notice, and no more memory than a box that also analyses video can spare for several at
# once.
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Without the letters and digits that are mistaken for each other when read aloud or copied from paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"
    LEAD = "lead"
    OPERATOR = "operator"
    VENUE = "venue"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    INSTALLER = "installer"


@dataclass(frozen=True, slots=True)
class User:
    """An account. sites: the ids that a venue's user is confined to; None where nothing is confined."""

    id: int
    name: str
    role: Role
    sites: frozenset[str] | None
    language: Language
    must_change_password: bool
    created_at: float
    disabled: bool


class UserError(UsageError):
    """An account that cannot be made, found or changed so. field: which part is wrong."""

    def __init__(self, message: str, *, field: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


def normalised(name: str) -> str:
    """The one spelling of a user name: compatibility forms and case folded, no space around.

    Raises UserError where it is not 1 to 64 letters, digits, or `.`, `_`, `-`, `+`, `@`.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).strip().casefold())
    if not _NAME.fullmatch(folded):
        raise UserError(
            f"{name.strip()[:80]!r} cannot be a user name.",
            field="name",
            hint="Use 1 to 64 letters, digits, '.', '_', '-', '+' or '@', beginning with a letter or digit.",
        )
    return folded


def hashed(password: str) -> str:
    """The hash to keep of a new password; slow by intent, so call it outside of a transaction.

    Raises UserError where the password is shorter than 10 characters.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise UserError(
            f"The password is too short: it has {len(password)} of at least {SHORTEST_PASSWORD} characters.",
            field="password",
            hint="Several words in a row are easy to remember and hard to guess.",
        )
    if len(password) > LONGEST_PASSWORD:
        raise UserError(f"A password has at most {LONGEST_PASSWORD} characters.", field="password")
    return _HASHER.hash(_prepared(password))


def _prepared(password: str) -> str:
    # The same keys give different code points on different systems; NIST SP 800-63B asks for one form.
    return unicodedata.normalize("NFKC", password)


def matches(password_hash: str, password: str) -> bool:
    """Whether `password` is the one that was hashed."""
    try:
        return _HASHER.verify(password_hash, _prepared(password[: LONGEST_PASSWORD + 1]))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def one_time_password() -> str:
    """A password to hand over: four groups of four, 79 bits, no letters that look alike."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def add(
    session: Session,
    name: str,
    role: Role,
    *,
    password_hash: str,
    now: float,
    sites: Collection[str] = (),
    language: Language = "en",
    one_time: bool = True,
) -> User:
    """Make an account; with `one_time` its password must be changed at the first sign-in.

    Needs a session of `Database.writing`. Raises UserError where the name is taken or not a name, a venue's
    user has no site, another has some, or a site does not exist.
    """
    must_be_writing(session)
    name = normalised(name)
    if _row(session, name) is not None:
        raise UserError(
            f"There is a user {name} already.",
            field="name",
            hint=f"tynysh users password {name} sets a new password.",
        )
    row = UserRow(
        name=name,
        role=role,
        sites=_checked_sites(session, role, sites),
        language=checked_language(language),
        password_hash=password_hash,
        must_change_password=one_time,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return shown(row)


def everyone(session: Session) -> Sequence[User]:
    """All accounts by name, disabled ones too."""
    return [shown(row) for row in session.scalars(select(UserRow).order_by(UserRow.name))]


def find(session: Session, name: str) -> User:
    """The account of that name. Raises UserError where there is none."""
    return shown(_found(session, name))


def disable(session: Session, name: str, *, now: float) -> User:
    """Shut an account and end its sessions; disabling twice changes nothing. Raises UserError."""
    must_be_writing(session)
    row = _found(session, name)
    row.disabled_at = row.disabled_at or now
    end_sessions(session, row.id)
    return shown(row)


def enable(session: Session, name: str) -> User:
    """Open a disabled account again. Raises UserError where there is none."""
    must_be_writing(session)
    row = _found(session, name)
    row.disabled_at = None
    return shown(row)


def set_password(
    session: Session, name: str, password_hash: str, *, one_time: bool, keep_session: str | None = None
) -> User:
    """Give an account another password and end its sessions, except the one whose token hashes to
    `keep_session`.

    Needs a session of `Database.writing`. Raises UserError where there is no such account.
    """
    must_be_writing(session)
    row = _found(session, name)
    row.password_hash = password_hash
    row.must_change_password = one_time
    end_sessions(session, row.id, keep=keep_session)
    return shown(row)


def set_language(session: Session, name: str, language: str) -> User:
    """The language that the account reads. Raises UserError."""
    must_be_writing(session)
    row = _found(session, name)
    row.language = checked_language(language)
    return shown(row)


def end_sessions(session: Session, user_id: int, *, keep: str | None = None) -> None:
    """Sign an account out everywhere, except in the session whose token hashes to `keep`."""
    for row in session.scalars(select(SessionRow).where(SessionRow.user_id == user_id)):
        if row.token_hash != keep:
            session.delete(row)


def password_hash_of(session: Session, name: str) -> str | None:
    """The hash to compare with at sign-in; None where the account does not exist or is disabled."""
    row = _row(session, name)
    return None if row is None or row.disabled_at is not None else row.password_hash


def shown(row: UserRow) -> User:
    """An account without its password's hash."""
    role = Role(row.role)
    return User(
        id=row.id,
        name=row.name,
        role=role,
        sites=frozenset(row.sites) if role is Role.VENUE else None,
        language=row.language,  # type: ignore[arg-type]
        must_change_password=row.must_change_password,
        created_at=row.created_at,
        disabled=row.disabled_at is not None,
    )


def checked_language(language: str) -> Language:
    """`language` if Tynysh speaks it; raises UserError if not."""
    for known in LANGUAGES:
        if language == known:
            return known
    raise UserError(
        f"Tynysh does not speak {language!r}.", field="language", hint=f"Choose of {', '.join(LANGUAGES)}."
    )


def _row(session: Session, name: str) -> UserRow | None:
    return session.scalars(select(UserRow).where(UserRow.name == name)).one_or_none()


def _found(session: Session, name: str) -> UserRow:
    row = _row(session, normalised(name))
    if row is None:
        raise UserError(
            f"There is no user {normalised(name)}.", field="name", hint="tynysh users list shows all."
        )
    return row


def _checked_sites(session: Session, role: Role, sites: Collection[str]) -> list[str]:
    if role is Role.VENUE and not sites:
        raise UserError(
            "A venue's user needs at least one site.", field="sites", hint="Name it with --site ID."
        )
    if role is not Role.VENUE and sites:
        raise UserError(f"Sites are named for role venue only, not for {role}.", field="sites")
    known = set(session.scalars(select(SiteRow.id).where(SiteRow.removed_at.is_(None))))
    for site in sites:
        if site not in known:
            raise UserError(
                f"There is no site {site!r}.",
                field="sites",
                hint=f"Known sites: {', '.join(sorted(known)) or 'none; tynysh apply adds some'}.",
            )
    return sorted(set(sites))
