"""Signing in and staying signed in."""

import hashlib
import hmac
import ipaddress
import math
import secrets
import threading
from dataclasses import dataclass
from functools import cache

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from tynysh.errors import TynyshError
from tynysh.store import users
from tynysh.store.database import Database, must_be_writing
from tynysh.store.schema import LoginFailureRow, SessionRow, UserRow

LIFETIME_S = 14 * 3600.0
"""A session ends at the latest so long after signing in: a shift of 12 hours with its hand-overs."""

_AHEAD_S = 60.0
"""How much a clock may be set back without ending the sessions that had just begun."""

IDLE_S = 3600.0
"""A session that is not used for so long ends. An open feed of live updates is use."""

MOST_OF_ONE_ACCOUNT = 32
MOST_IN_ALL = 5000
"""So many sessions stand at once; a further one ends that which has been without use for longest."""

_FREE = 5
_ADDRESS_FREE = 30
_SIEGE = 50
_SIEGE_FREE = 1
_FIRST_WAIT_S = 5.0
_LONGEST_WAIT_S = 900.0
_FORGOTTEN_S = 3600.0


class WrongCredentialsError(TynyshError):
    """Name or password is wrong, or the account is disabled; which of them is not told."""


class TooManyAttemptsError(TynyshError):
    """Too many failed sign-ins for this name or from this address. retry_after_s: how long to wait."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"Too many failed sign-ins; try again in {retry_after_s:.0f} seconds.")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in. token: for the cookie, known to the browser only. csrf: sent with each change."""

    user: users.User
    token: str
    csrf: str


def sign_in(
    database: Database,
    name: str,
    password: str,
    *,
    address: str | None,
    now: float,
    language: str | None = None,
) -> SignedIn:
    """Check name and password and begin a session.

    An attempt counts before the password is checked, so that many at once gain nothing. From the 6th failure
    for a name from one address, or the 31st from an address, each must wait twice as long as the one before: 5 s to
    15 min. An hour without failures forgets them. While a name has more than 50 failures from wherever, each address
    waits from its second failure on: that slows down who guesses from many, and keeps nobody out who did not guess.

    Raises WrongCredentialsError, TooManyAttemptsError, UserError for an unknown language.
    """
    if language is not None:
        users.checked_language(language)
    try:
        name = users.normalised(name)
    except users.UserError:
        raise _wrong() from None
    network = network_of(address or "")
    with database.writing() as session:
        siege = _failures(session, _name(name), now) >= _SIEGE
        counted = [
            (_name(name, network), _SIEGE_FREE if siege else _FREE),
            (_name(name), math.inf),
            (_address(network), _ADDRESS_FREE if network else math.inf),
        ]
        wait = max(_wait_s(session, key, now) for key, _ in counted)
        if wait <= 0:
            for key, free in counted:
                _count_failure(session, key, free, now)
        password_hash = users.password_hash_of(session, name)
    if wait > 0:
        raise TooManyAttemptsError(wait)
    # An unknown name takes as long as a known one.
    if not users.matches(password_hash or _nobody(), password) or password_hash is None:
        raise _wrong()
    rehashed = users.hashed(password) if users.needs_rehash(password_hash) else None
    token = secrets.token_urlsafe()
    with database.writing() as session:
        # The account may have been disabled, or its password changed, while the hash was computed.
        if users.password_hash_of(session, name) != password_hash:
            raise _wrong()
        for key, _ in counted:
            _forgive(session, key)
        user = users.set_language(session, name, language) if language else users.find(session, name)
        if rehashed is not None:
            session.get_one(UserRow, user.id).password_hash = rehashed
        _make_room(session, user.id)
        session.add(
            SessionRow(
                token_hash=token_hash(token),
                user_id=user.id,
                created_at=now,
                seen_at=now,
                expires_at=now + LIFETIME_S,
                address=address,
            )
        )
    return SignedIn(user, token, csrf(token))


class SessionUse:
    """When sessions were last used, by the hash of their token. It is noted here, so that who reads writes nothing,
    and written down now and then.
    """

    def __init__(self) -> None:
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, row: SessionRow, now: float) -> bool:
        """Whether a session that is asked for `now` stands; if so, it is in use."""
        used_at = max(row.seen_at, self._noted.get(row.token_hash, 0.0))
        # More than a whole life left: it was begun while the clock was ahead.
        alive = 0 < row.expires_at - now <= LIFETIME_S + _AHEAD_S
        if row.user.disabled_at is not None or not alive or now >= used_at + IDLE_S:
            return False
        with self._lock:
            self._noted[row.token_hash] = max(used_at, now)
        return True

    def write(self, database: Database) -> None:
        """Write down what was noted since. Raises StoreError; nothing is forgotten then."""
        with self._lock:
            noted = dict(self._noted)
        if not noted:
            return
        with database.writing() as session:
            for token_hash, used_at in noted.items():
                row = session.get(SessionRow, token_hash)
                if row is not None:
                    row.seen_at = max(row.seen_at, used_at)
        with self._lock:
            self._noted = {known: at for known, at in self._noted.items() if noted.get(known) != at}


def signed_in(database: Database, token: str, *, now: float, use: SessionUse) -> SignedIn | None:
    """Who holds `token`, and note in `use` that it is in use; None where the session ended or never was."""
    with database.reading() as session:
        row = session.get(SessionRow, token_hash(token), options=[joinedload(SessionRow.user)])
        if row is None or not use.note(row, now):
            return None
        return SignedIn(users.shown(row.user), token, csrf(token))


def unlock(session: Session, name: str, *, now: float) -> users.User:
    """Let the owner of an account try again at once, from wherever it was failed at. Raises UserError."""
    must_be_writing(session)
    user = users.find(session, name)
    failed = LoginFailureRow.key.startswith(_name(user.name, ""), autoescape=True)
    for row in session.scalars(
        select(LoginFailureRow).where(failed | (LoginFailureRow.key == _name(user.name)))
    ):
        session.delete(row)
        address = session.get(LoginFailureRow, _address(row.key.removeprefix(_name(user.name, ""))))
        if address is not None and address.blocked_until > now:
            session.delete(address)
    return user


def sign_out(session: Session, token: str) -> None:
    """End the session of `token`, if there is one."""
    must_be_writing(session)
    session.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash(token)))


def forget_ended(session: Session, *, now: float) -> None:
    """Drop sessions that are over and failures that no longer count."""
    must_be_writing(session)
    session.execute(
        delete(SessionRow).where((SessionRow.expires_at <= now) | (SessionRow.seen_at <= now - IDLE_S))
    )
    session.execute(delete(LoginFailureRow).where(LoginFailureRow.last_at <= now - _FORGOTTEN_S))


def token_hash(token: str) -> str:
    """What is kept of a token. A token is 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf(token: str) -> str:
    """The value that proves a change was asked for by a page that knows the session, not only its cookie."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


@cache
def _nobody() -> str:
    return users.hashed(secrets.token_urlsafe())


def _wrong() -> WrongCredentialsError:
    return WrongCredentialsError("The name or the password is wrong.")


def network_of(address: str) -> str:
    """The address to count by: of IPv6 the /64, since one household has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:40]
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _name(name: str, network: str | None = None) -> str:
    """What failures for a name are counted under: all of them, or those from an address."""
    return f"name:{name}" if network is None else f"name:{name} from:{network}"


def _address(network: str) -> str:
    return f"address:{network}"


def _make_room(session: Session, user_id: int) -> None:
    """End the sessions that were used least of late, where a further one would be one too many."""
    newest = select(SessionRow).order_by(SessionRow.seen_at.desc())
    for one_too_many in (
        newest.where(SessionRow.user_id == user_id).offset(MOST_OF_ONE_ACCOUNT - 1),
        newest.offset(MOST_IN_ALL - 1),
    ):
        for row in session.scalars(one_too_many):
            session.delete(row)
        session.flush()


def _failures(session: Session, key: str, now: float) -> int:
    row = session.get(LoginFailureRow, key)
    return 0 if row is None or now - row.last_at > _FORGOTTEN_S else row.failures


def _wait_s(session: Session, key: str, now: float) -> float:
    row = session.get(LoginFailureRow, key)
    wait_s = 0.0 if row is None else row.blocked_until - now
    # Longer than anybody must wait: the clock was ahead when it was counted, and has been set right since.
    return wait_s if wait_s <= _LONGEST_WAIT_S else 0.0


def _count_failure(session: Session, key: str, free: float, now: float) -> None:
    row = session.get(LoginFailureRow, key)
    if row is None:
        row = LoginFailureRow(key=key, failures=0, last_at=now, blocked_until=0.0)
        session.add(row)
    if now - row.last_at > _FORGOTTEN_S:
        row.failures = 0
    row.failures += 1
    row.last_at = now
    over = min(row.failures - free, 20)
    row.blocked_until = 0.0 if over < 0 else now + min(_FIRST_WAIT_S * 2**over, _LONGEST_WAIT_S)


def _forgive(session: Session, key: str) -> None:
    row = session.get(LoginFailureRow, key)
    if row is None:
        return
    if " from:" in key:
        session.delete(row)
    else:
        # Others may still be guessing: only this attempt is taken back.
        row.failures = max(0, row.failures - 1)
        row.blocked_until = 0.0
