"""Who asks: the session behind a request, and whether it permits what is asked."""

import hmac
from typing import Annotated

from fastapi import Depends, Response
from starlette.requests import HTTPConnection

from tynysh.api.context import Context, Services
from tynysh.api.errors import ApiError
from tynysh.api.guard import SAFE_METHODS
from tynysh.api.peer import peer_of
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.store import sessions
from tynysh.store.sessions import SignedIn

COOKIE = "tynysh_session"
CSRF_HEADER = "X-CSRF-Token"

_LONGEST_TOKEN = 128


async def everyone() -> None:
    """The permission of what anybody may ask for: none is needed. Not in a thread, as all of them may be waiting."""


def find_session(connection: HTTPConnection, services: Context) -> SignedIn | None:
    """The session of a connection, by its cookie; None where there is none that stands."""
    token = connection.cookies.get(COOKIE)
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
        return None
    return sessions.signed_in(services.database, token, now=services.clock(), use=services.session_use)


def signed_in(connection: HTTPConnection, services: Services) -> SignedIn:
    """The session of a connection; a change must carry its CSRF token. Raises 401 and 403."""
    found = find_session(connection, services)
    if found is None:
        raise ApiError(401, "signed_out")
    if connection.scope["type"] == "http" and connection.scope["method"] not in SAFE_METHODS:
        given = connection.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), found.csrf.encode()):
            raise ApiError(403, "csrf")
    return found


class Requires:
    """A dependency: somebody is signed in and has `permission`."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, found: Annotated[SignedIn, Depends(signed_in)]) -> Principal:
        """Who asks. Raises 403 where they may not."""
        principal = Principal(found.user, sessions.token_hash(found.token))
        if found.user.must_change_password:
            raise ApiError(403, "password_change_required")
        if not principal.may(self.permission):
            raise ApiError(403, "forbidden")
        return principal


def requires(permission: Permission) -> Requires:
    """The dependency by which an endpoint declares its permission."""
    return Requires(permission)


CamerasReader = Annotated[Principal, Depends(requires(Permission.CAMERAS_READ))]


def set_cookie(response: Response, connection: HTTPConnection, token: str) -> None:
    """Hands the session to the browser. The cookie is for this browser window's life; the server ends it sooner."""
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=peer_of(connection).scheme == "https",
    )


def drop_cookie(response: Response, connection: HTTPConnection) -> None:
    """Takes the session from the browser."""
    response.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="strict", secure=peer_of(connection).scheme == "https"
    )
