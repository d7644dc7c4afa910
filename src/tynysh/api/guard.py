"""What every connection goes through first and last: host, origin, size, headers, log."""

import time
from collections import Counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tynysh.api.errors import ApiError, answer
from tynysh.api.peer import Peer, find_peer, remember_peer
from tynysh.api.settings import ApiSettings
from tynysh.store.sessions import network_of

log = structlog.get_logger(__name__)

LONGEST_QUERY = 8 * 1024
LONGEST_HEAD = 32 * 1024
MOST_HEADERS = 100

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
}


def same_origin(headers: Headers, peer: Peer, *, required: bool) -> bool:
    """Whether a connection comes from the console's own pages, by what the browser says of it.

    `Origin` and `Sec-Fetch-Site` (Fetch Metadata, W3C) cannot be set by a page's script. A program that is no
    browser sends neither; it passes unless `required`.
    """
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    if origin is None:
        return not required
    return origin.lower() == f"{peer.scheme}://{peer.host}"


class Guard:
    """The outermost ASGI layer: refuses what no part of the application should see, and adds the headers.

    However many connections a proxy makes of them, one browser's address has so many requests open at most.
    A fault of the application is logged here, and answered without a word of it.
    """

    def __init__(self, app: ASGIApp, *, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings
        self._open: Counter[str] = Counter()
        self._proxy_told = False
        self._hosts = LOCAL_HOSTS | {host.lower().strip("[]") for host in settings.allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        peer = find_peer(scope, self._settings)
        remember_peer(scope, peer)
        if not (peer.direct or self._proxy_told or peer.forwarded):
            self._proxy_told = True
            # Failed sign-ins and floods of one browser would be held against all that come by that proxy.
            log.warning("proxy.not_trusted", address=peer.address, hint="name it in TYNYSH_TRUSTED_PROXIES")
        whose = network_of(peer.address)
        self._open[whose] += 1
        began = time.monotonic()
        status: int | None = None

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                status = message["status"]
                _add_headers(message, scope["path"])
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            refusal = self._refusal(scope, headers, peer)
            if refusal is None and self._open[whose] > self._settings.requests_per_address:
                refusal = ApiError(429, "too_many_requests", headers={"Retry-After": "5"})
            if refusal is not None:
                await answer(refusal, headers.get("accept-language"))(scope, receive, send_guarded)
            else:
                await self._app(scope, _limited(receive, self._settings.body_limit), send_guarded)
        except Exception:
            log.exception("request failed", method=scope.get("method"), path=_shown_path(scope))
            if status is not None:
                raise
            fault = ApiError(500, "internal")
            await answer(fault, headers.get("accept-language"))(scope, receive, send_guarded)
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]
            # The supervisor asks so every two seconds whether there is an answer at all.
            asked_for_life = peer.loopback and scope.get("method") == "OPTIONS"
            (log.debug if asked_for_life else log.info)(
                "request",
                method=scope.get("method", "WS"),
                path=_shown_path(scope),
                status=status,
                address=peer.address,
                ms=round((time.monotonic() - began) * 1000),
            )

    def _refusal(self, scope: Scope, headers: Headers, peer: Peer) -> ApiError | None:
        if len(headers.getlist("host")) != 1 or peer.hostname not in self._hosts:
            return ApiError(400, "bad_host")
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if changes and not same_origin(headers, peer, required=scope["type"] == "websocket"):
            return ApiError(403, "foreign_origin")
        if scope["type"] == "http" and _announced(headers) > self._settings.body_limit:
            return ApiError(413, "too_large")
        length = sum(len(name) + len(value) for name, value in headers.raw)
        if len(scope["query_string"]) > LONGEST_QUERY or len(headers) > MOST_HEADERS or length > LONGEST_HEAD:
            return ApiError(431, "too_large")
        return None


def _shown_path(scope: Scope) -> str:
    """The path as it was sent, so that nothing in it can forge a line of the log or command a terminal."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw[:500].decode("ascii", errors="backslashreplace")


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else 0


def _limited(receive: Receive, limit: int) -> Receive:
    """`receive` that refuses a body longer than `limit` bytes, for senders that announce none."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)
        return message

    return counted


def _add_headers(message: Message, path: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if "cache-control" not in headers:
        headers["Cache-Control"] = "no-store" if path.startswith("/api/") else "no-cache"
