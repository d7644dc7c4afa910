"""/session: signing in, who I am, my language and password, signing out."""

from typing import Annotated

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from tynysh.api.authentication import drop_cookie, everyone, find_session, set_cookie, signed_in
from tynysh.api.context import Context, Services
from tynysh.api.errors import ApiError
from tynysh.api.models import Answer
from tynysh.api.peer import peer_of
from tynysh.behaviour import wording
from tynysh.store import record, sessions, users
from tynysh.store.sessions import SignedIn, TooManyAttemptsError, WrongCredentialsError
from tynysh.store.users import LONGEST_PASSWORD, SHORTEST_PASSWORD, Role, UserError
from tynysh.translations import Language

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/session", tags=["session"])

# A hash takes 64 MiB and a tenth of a second: with many at once nothing else would be served.
_HASHING = CapacityLimiter(2)

Password = Annotated[str, Field(min_length=1, max_length=LONGEST_PASSWORD)]
Current = Annotated[SignedIn, Depends(signed_in)]


class SignIn(BaseModel):
    """Name and password; `language` becomes the user's."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    password: Password
    language: Language | None = None


class SessionChange(BaseModel):
    """Another language, or another password given the one so far."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = None
    password: Password | None = None
    new_password: str | None = Field(None, max_length=LONGEST_PASSWORD)

    @model_validator(mode="after")
    def both(self) -> "SessionChange":
        """A new password needs the one so far."""
        if (self.password is None) != (self.new_password is None):
            raise ValueError("password and new_password go together")
        return self


class SessionUser(Answer):
    """Who is signed in."""

    name: str
    role: Role
    language: Language
    must_change_password: bool = Field(description="Until it is changed nothing but /session answers.")


class SessionAnswer(Answer):
    """A session. csrf: to be sent as `X-CSRF-Token` with each change."""

    user: SessionUser
    csrf: str
    words: dict[Language, dict[str, str]] = Field(
        default_factory=wording.added,
        description="Texts that installed analysers add to those that the console has itself, by language and key.",
    )


@router.post("", dependencies=[Depends(everyone)])
async def sign_in(wanted: SignIn, request: Request, response: Response, services: Services) -> SessionAnswer:
    """Sign in. 401 for a wrong name or password, which are not told apart; 429 after too many failures."""

    def begin() -> SignedIn:
        address = peer_of(request).address
        found = _check(services, wanted.name, wanted.password, address, wanted.language)
        before = find_session(request, services)
        with services.database.writing() as session:
            if before is not None:
                # A session of another user in the same browser ends: nobody finds it again behind this one.
                sessions.sign_out(session, before.token)
            _record(session, services, found.user.name, "session.begin", address)
        if before is not None:
            services.streams.end_session(sessions.token_hash(before.token))
        return found

    found = await to_thread.run_sync(begin, limiter=_HASHING)
    set_cookie(response, request, found.token)
    return SessionAnswer.model_validate(found)


@router.get("")
def current(found: Current) -> SessionAnswer:
    """Who is signed in. 401 if nobody is."""
    return SessionAnswer.model_validate(found)


@router.patch("")
async def change(
    wanted: SessionChange, found: Current, request: Request, response: Response, services: Services
) -> SessionAnswer:
    """Change language or password. A changed password ends all other sessions of the user, and renews this one."""
    if wanted.language is not None:
        found = await to_thread.run_sync(_set_language, services, found, wanted.language)
    if wanted.password is not None and wanted.new_password is not None:
        _check_new(wanted.new_password, wanted.password, found.user.name)
        address = peer_of(request).address
        found = await to_thread.run_sync(
            _set_password, services, found, wanted.password, wanted.new_password, address, limiter=_HASHING
        )
        set_cookie(response, request, found.token)
    return SessionAnswer.model_validate(found)


@router.delete("", status_code=204)
def sign_out(found: Current, request: Request, response: Response, services: Services) -> None:
    """Sign out. Open streams of the session end."""
    with services.database.writing() as session:
        sessions.sign_out(session, found.token)
        _record(session, services, found.user.name, "session.end", peer_of(request).address)
    services.streams.end_session(sessions.token_hash(found.token))
    drop_cookie(response, request)


def _check(services: Context, name: str, password: str, address: str, language: Language | None) -> SignedIn:
    """A new session for who knows the password; a failure is put on the audit record."""
    try:
        return sessions.sign_in(
            services.database,
            name,
            password,
            address=address or None,
            now=services.clock(),
            language=language,
        )
    except TooManyAttemptsError as error:
        log.warning("sign-in refused: too many failures", address=address)
        seconds = max(1, round(error.retry_after_s + 0.5))
        raise ApiError(
            429, "too_many_attempts", headers={"Retry-After": str(seconds)}, seconds=seconds
        ) from None
    except WrongCredentialsError:
        _record_refusal(services, name, address)
        raise ApiError(401, "wrong_credentials") from None


def _record_refusal(services: Context, name: str, address: str) -> None:
    try:
        name = users.normalised(name)
    except UserError:
        # It cannot be an account's, so it was not counted either: who sends such must not fill the record.
        return
    with services.database.writing() as session:
        # What was typed as a name may be a password: only names of accounts are written down. The entry is made
        # for others too, since its absence would take less time and so tell that there is no such account.
        try:
            known = users.find(session, name).name
        except UserError:
            known = "unknown"
        _record(session, services, known, "session.refused", address)


def _check_new(new: str, old: str, name: str) -> None:
    """Length is what counts (NIST SP 800-63B, 5.1.1.2): there are no rules about kinds of characters."""
    if len(new) < SHORTEST_PASSWORD:
        raise ApiError(422, "password_too_short", field="new_password", shortest=SHORTEST_PASSWORD)
    if new == old:
        raise ApiError(422, "password_unchanged", field="new_password")
    if len(set(new)) < 5 or (len(name) > 2 and name in new.casefold()):
        raise ApiError(422, "password_too_simple", field="new_password")


def _set_password(services: Context, found: SignedIn, old: str, new: str, address: str) -> SignedIn:
    name = found.user.name
    # Through the same gate as signing in, so that a session left open is no way to guess the password.
    try:
        fresh = _check(services, name, old, address, None)
    except ApiError as error:
        if error.status != 401:
            raise
        raise ApiError(422, "wrong_password", field="password") from None
    password_hash = users.hashed(new)
    with services.database.writing() as session:
        user = users.set_password(
            session, name, password_hash, one_time=False, keep_session=sessions.token_hash(fresh.token)
        )
        _record(session, services, name, "password.change", address)
    return SignedIn(user, fresh.token, fresh.csrf)


def _set_language(services: Context, found: SignedIn, language: Language) -> SignedIn:
    with services.database.writing() as session:
        user = users.set_language(session, found.user.name, language)
    return SignedIn(user, found.token, found.csrf)


def _record(session: Session, services: Context, user: str, action: str, address: str) -> None:
    record.append(
        session,
        now=services.clock(),
        user=user,
        action=action,
        object=f"user:{user}",
        address=address or None,
    )
