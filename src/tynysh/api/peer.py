"""Who is at the other end of a connection, and by which address the console was reached."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from tynysh.api.settings import ApiSettings

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_SCOPE_KEY = "tynysh.peer"
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end.

    address: of the browser, or of the last machine before a trusted proxy; empty if unknown.
    scheme: `http` or `https`, as the browser sees it.
    host: the `Host` header, lower case, with its port.
    direct: whether no proxy stands between.
    forwarded: whether a trusted proxy does.
    """

    address: str
    scheme: str
    host: str
    direct: bool
    forwarded: bool

    @property
    def hostname(self) -> str:
        """`host` without its port, and without the brackets of an IPv6 address; empty if it is no host."""
        found = _HOST.fullmatch(self.host)
        return "" if found is None else found["name"].strip("[]")

    @property
    def loopback(self) -> bool:
        """Whether the other end is this very machine, with no proxy between."""
        return self.direct and _is_address(self.address) and ip_address(self.address).is_loopback


def find_peer(scope: Scope, settings: ApiSettings) -> Peer:
    """The peer of an ASGI connection. Forwarding headers count only from trusted proxies."""
    headers = Headers(scope=scope)
    client = scope.get("client")
    address = client[0] if client else ""
    scheme = "https" if scope["scheme"] in {"https", "wss"} else "http"
    forwarded = settings.trusts(address)
    if forwarded:
        # Each proxy adds the address it saw on the right: the first from the right that is not one of ours counts.
        chain = ",".join(headers.getlist("x-forwarded-for"))
        hops = [hop.strip() for hop in chain.split(",")[-16:] if hop.strip()]
        stranger = next((hop for hop in reversed(hops) if not settings.trusts(hop)), "")
        address = stranger if _is_address(stranger) else address
        if headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() in {"https", "wss"}:
            scheme = "https"
    return Peer(
        address=address,
        scheme=scheme,
        host=headers.get("host", "").lower(),
        direct=not any(name in headers for name in _FORWARDED),
        forwarded=forwarded,
    )


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def remember_peer(scope: Scope, peer: Peer) -> None:
    """Keeps the peer with its connection."""
    scope[_SCOPE_KEY] = peer


def peer_of(connection: HTTPConnection) -> Peer:
    """The peer of a connection that came through the guard."""
    return cast("Peer", connection.scope[_SCOPE_KEY])
