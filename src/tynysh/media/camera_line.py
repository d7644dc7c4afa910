"""How is a network camera connected to, and nobody whom it merely names?"""

import hashlib
import ipaddress
import socket
import ssl
from urllib.parse import urlsplit

from tynysh.media.redaction import redacted
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import Credentials, SourceSpec

LARGEST_UNCLAIMED = 64 * 2**20
"""Bytes that a camera may send without a picture coming of them; no encoder makes pictures that large."""

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_ENCRYPTED = {"rtsps", "https"}


def port_of(address: str) -> int:
    """The port of a URL, named or usual."""
    parts = urlsplit(address)
    return parts.port or _PORTS[parts.scheme]


def own_credentials(spec: SourceSpec, address: str) -> Credentials | None:
    """What may be said at `address`: the camera's name and password to the camera's own host alone."""
    own = urlsplit(address).hostname == urlsplit(spec.address).hostname
    return spec.credentials if own and spec.credentials and spec.credentials.user else None


def connected(spec: SourceSpec, address: str, timeout_s: float) -> socket.socket:
    """A connection to the host of `address`, where the camera of `spec` may lead us there; encrypted for `rtsps` and
    `https`, to one who proved who it is.

    Raises SourceError where it may not be connected to, and OSError where it cannot.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", port_of(address)
    except (KeyError, ValueError):
        raise _astray(spec, address) from None
    own = host == urlsplit(spec.address).hostname
    if own or host in spec.trust.hosts:
        line = socket.create_connection((host, port), timeout_s)
    else:
        line = _connected_within(spec, address, host, port, timeout_s)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme not in _ENCRYPTED:
        return line
    try:
        return _encrypted(spec, line, host, spec.trust.fingerprint if own else None, timeout_s)
    except BaseException:
        line.close()
        raise


def _connected_within(
    spec: SourceSpec, address: str, host: str, port: int, timeout_s: float
) -> socket.socket:
    """A connection to one of the addresses of `host` that lie in the networks that are allowed.

    What is looked up is connected to: a name that is looked up again could mean somebody else by then.
    """
    networks = [network for text in spec.trust.hosts if (network := _network(text)) is not None]
    if networks:
        for *_, there in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            ip = ipaddress.ip_address(str(there[0]).partition("%")[0])
            if any(ip in network for network in networks):
                return socket.create_connection((str(ip), port), timeout_s)
    raise _astray(spec, address)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _astray(spec: SourceSpec, address: str) -> SourceError:
    parts = redacted(address).partition("://")[2].partition("/")[0].rpartition("@")[2]
    return SourceError(
        SourceFault.REDIRECTED,
        f"{spec.redacted}: the camera wants to be asked for its pictures at {parts[:100]!r}, which is not its address",
        hint="Write that address as the camera's, or add the host to `trust: {hosts: [...]}`.",
    )


def _encrypted(
    spec: SourceSpec, line: socket.socket, host: str, pinned: str | None, timeout_s: float
) -> ssl.SSLSocket:
    if pinned is not None:
        secured = _unverified().wrap_socket(line, server_hostname=host)
        seen = _fingerprint(secured)
        if seen != pinned:
            secured.close()
            raise _untrusted(spec, seen, "is not the one that is pinned")
        return secured
    peer = line.getpeername()[:2]
    try:
        context = ssl.create_default_context(cafile=spec.trust.authority)
    except (OSError, ssl.SSLError):
        raise SourceError(
            SourceFault.CERTIFICATE,
            f"{spec.redacted}: the file of authorities' certificates cannot be read",
            hint="`trust: {authority: PATH}` names a file in PEM format.",
            fingerprint="-",
        ) from None
    try:
        return context.wrap_socket(line, server_hostname=host)
    except ssl.SSLCertVerificationError:
        with (
            socket.create_connection(peer, timeout_s) as again,
            _unverified().wrap_socket(again, server_hostname=host) as secured,
        ):
            seen = _fingerprint(secured)
        raise _untrusted(spec, seen, "was issued by nobody whom this machine trusts") from None
    except ssl.SSLError:
        raise SourceError(
            SourceFault.REFUSED,
            f"{spec.redacted}: the port does not speak TLS as it is spoken today",
            hint="Is it the port for rtsps or https, and is the camera's firmware recent?",
        ) from None


def _unverified() -> ssl.SSLContext:
    """For cameras that are known by their certificate itself; they may be old."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=1")
    return context


def _fingerprint(secured: ssl.SSLSocket) -> str:
    return hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()


def _untrusted(spec: SourceSpec, seen: str, why: str) -> SourceError:
    return SourceError(
        SourceFault.CERTIFICATE,
        f"{spec.redacted}: the camera's certificate {why}; its SHA-256 fingerprint is {seen}",
        hint="Compare it with what the camera's own page shows; if it is the same, pin it: "
        f"`trust: {{fingerprint: {seen}}}`.",
        fingerprint=seen,
    )


def too_much(spec: SourceSpec) -> SourceError:
    """What is told of a camera that sends without measure."""
    return SourceError(
        SourceFault.TOO_MUCH,
        f"{spec.redacted}: sends far more than a camera's answer or picture can be",
        hint="Is it a camera? Its address leads to something else, or it is broken or hostile.",
    )
