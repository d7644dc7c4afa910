"""Where does video come from, as it was written down, and as it may be shown?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from tynysh.media.redaction import redacted
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.video_files import is_folder

PLUGINS = "tynysh.sources"
"""The group of entry points of further kinds of source, each named as the scheme of its addresses
(`media.source.SourcePlugin`).
"""


class SourceKind(StrEnum):
    """How a source is reached."""

    RTSP = "rtsp"
    HTTP = "http"
    FILE = "file"
    FOLDER = "folder"
    USB = "usb"
    PLUGGED = "plugged"


class Transport(StrEnum):
    """How an RTSP camera sends its pictures."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password that are shown nowhere."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a network camera is trusted with, beyond being asked for pictures at its own address.

    basic_in_clear: with the password in clear, where it offers neither Digest nor TLS.
    fingerprint: SHA-256 of the one certificate that is its own, hexadecimal; None: one that an authority vouches for.
    authority: a file of authorities' certificates, PEM; None: the system's.
    hosts: where it may lead us to beside its own host: names, addresses and networks.
    """

    basic_in_clear: bool = False
    fingerprint: str | None = None
    authority: str | None = None
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where video comes from.

    address: a URL without credentials, a path, or `/dev/videoN`. In path and query of a URL, `{user}` and
    `{password}` are the places of the credentials.
    credentials: kept apart, and never in any text.
    options: for USB cameras, `input_format`, `video_size` and `framerate` of video4linux2.
    stream: which of a file's video streams, from 1; None is the first. fps: pictures a second of one without a clock.
    """

    address: str = field(repr=False)
    kind: SourceKind
    transport: Transport = Transport.TCP
    credentials: Credentials | None = None
    options: tuple[tuple[str, str], ...] = ()
    trust: Trust = Trust()
    stream: int | None = None
    fps: float | None = None

    @classmethod
    def parse(
        cls,
        text: str | Path,
        *,
        transport: Transport = Transport.TCP,
        user: str | None = None,
        password: str | None = None,
        trust: Trust = Trust(),
    ) -> "SourceSpec":
        """Understand a URL (`rtsp`, `rtsps`, `http`, `https`, `file`, or an installed plug-in's scheme) or a path.

        `file:///PATH?stream=2` chooses one of several video streams. Credentials in the URL are taken out of it;
        `user` and `password` take precedence. Raises SourceError for a scheme that nothing opens and a URL without a
        host.
        """
        if isinstance(text, Path):
            return cls._of_path(text)
        scheme = text.partition(":")[0].lower() if re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]+:", text) else ""
        if not scheme:
            return cls._of_path(
                Path(text.partition("?")[0]) if text.startswith("/dev/video") else Path(text), text
            )
        if scheme == "file":
            of_file = urlsplit(text)
            chosen = dict(parse_qsl(of_file.query)).get("stream", "")
            stream = int(chosen) if re.fullmatch("[1-9][0-9]?", chosen) else None
            return replace(cls._of_path(Path(unquote(of_file.path))), stream=stream)
        if scheme in plugins():
            return cls(text, SourceKind.PLUGGED)
        kinds = {
            "rtsp": SourceKind.RTSP,
            "rtsps": SourceKind.RTSP,
            "http": SourceKind.HTTP,
            "https": SourceKind.HTTP,
        }
        if scheme not in kinds:
            raise SourceError(
                SourceFault.MISSING,
                f"{scheme}: is not a kind of video source",
                hint="Use rtsp://, rtsps://, http://, https://, a file, a folder or /dev/videoN.",
            )
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host:
            raise SourceError(
                SourceFault.UNREACHABLE,
                f"the {scheme} address names no host",
                hint=f"Write {scheme}://host[:port]/path.",
            )
        user = user if user is not None else unquote(parts.username) if parts.username else None
        password = password if password is not None else unquote(parts.password) if parts.password else None
        bare_host = f"[{host}]" if ":" in host else host
        netloc = f"{bare_host}:{port}" if port else bare_host
        address = urlunsplit((scheme, netloc, parts.path, parts.query, ""))
        credentials = Credentials(user or "", password or "") if user or password else None
        return cls(address, kinds[scheme], transport, credentials, trust=trust)

    @classmethod
    def _of_path(cls, path: Path, text: str = "") -> "SourceSpec":
        if str(path).startswith("/dev/video"):
            options = tuple(parse_qsl(text.partition("?")[2]))
            return cls(str(path), SourceKind.USB, options=options)
        return cls(str(path), SourceKind.FOLDER if is_folder(path) else SourceKind.FILE)

    @property
    def live(self) -> bool:
        """Whether pictures come as they happen; the end of such a stream is a loss."""
        return self.kind not in {SourceKind.FILE, SourceKind.FOLDER}

    @property
    def redacted(self) -> str:
        """The address as it may be shown and logged: no name, no password, no tokens."""
        text = redacted(self.address)
        return text.replace("://", "://***@", 1) if self.credentials else text

    def __str__(self) -> str:
        return self.redacted

    def __repr__(self) -> str:
        return f"SourceSpec({self.redacted!r})"

    def filled(self, address: str) -> str:
        """`address` with the credentials in their places. Never show or log it."""
        given = self.credentials or Credentials("", "")
        return address.replace("{user}", quote(given.user, safe="")).replace(
            "{password}", quote(given.password, safe="")
        )


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds after which a source that says nothing is given up: while opening, and between packets."""

    open_s: float = 10.0
    read_s: float = 8.0


@cache
def plugins() -> Mapping[str, EntryPoint]:
    """The further kinds of source that are installed, by the scheme of their addresses; none is loaded yet."""
    return {point.name.lower(): point for point in entry_points(group=PLUGINS)}
