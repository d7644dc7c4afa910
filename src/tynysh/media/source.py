"""What is a video source, how is it opened, and what is wrong when it cannot be?"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import av
from av.container import InputContainer
from av.video.stream import VideoStream
from natsort import natsorted, ns

from tynysh.errors import MediaError
from tynysh.media.packet import PacketSource, SourcePacket, StreamInfo

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".flv", ".wmv"}
    | {".3gp", ".asf", ".ogv", ".h264", ".264", ".h265", ".265", ".hevc", ".mjpg", ".mjpeg", ".dav", ".vob"}
)
_SECRET_KEYS = re.compile(r"pass|pwd|token|key|secret|auth|user|login|sig", re.IGNORECASE)
_MASK = "***"
# AVFMT_NOTIMESTAMPS of FFmpeg's avformat.h
_NO_TIMESTAMPS = 0x0080
# Readers of text, subtitles and single pictures that FFmpeg would gladly take for video.
_NOT_VIDEO_FORMATS = re.compile(r"^(tty|lrc|srt|ass|webvtt|ico|gif|apng|image2.*|.*_pipe|.*bin|idf|xbin)$")
_VIDEO_SIGNATURES = (
    b"RIFF",
    b"\x1aE\xdf\xa3",
    b"\x47\x40",
    b"FLV",
    b"\x00\x00\x01\xba",
    b"\x30\x26\xb2\x75",
    b"OggS",
)


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


class SourceFault(StrEnum):
    """Why a source gives no pictures; also the tail of its text's key, `media.fault.<value>`."""

    MISSING = "missing"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    NOT_VIDEO = "not_video"
    NO_DECODER = "no_decoder"
    NOT_PERMITTED = "not_permitted"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a name, not a secret
    WRONG_PATH = "wrong_path"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    ENDED = "ended"
    BROKEN = "broken"


class SourceError(MediaError):
    """A source cannot be opened or read; `fault` says why, in one word."""

    def __init__(self, fault: SourceFault, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password that are shown nowhere."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where video comes from.

    address: a URL without credentials, a path, or `/dev/videoN`.
    credentials: kept apart, and never in any text.
    options: for USB cameras, `input_format`, `video_size` and `framerate` of video4linux2.
    """

    address: str = field(repr=False)
    kind: SourceKind
    transport: Transport = Transport.TCP
    credentials: Credentials | None = None
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(
        cls,
        text: str | Path,
        *,
        transport: Transport = Transport.TCP,
        user: str | None = None,
        password: str | None = None,
    ) -> "SourceSpec":
        """Understand a URL (`rtsp`, `rtsps`, `http`, `https`, `file`, or a registered scheme) or a path.

        Credentials in the URL are taken out of it; `user` and `password` take precedence. Raises SourceError for
        a scheme that nothing opens and a URL without a host.
        """
        if isinstance(text, Path):
            return cls._of_path(text)
        scheme = text.partition(":")[0].lower() if re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]+:", text) else ""
        if not scheme:
            return cls._of_path(
                Path(text.partition("?")[0]) if text.startswith("/dev/video") else Path(text), text
            )
        if scheme == "file":
            return cls._of_path(Path(unquote(urlsplit(text).path)))
        if scheme in _OPENERS:
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
        return cls(address, kinds[scheme], transport, credentials)

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
        if self.kind not in {SourceKind.RTSP, SourceKind.HTTP}:
            return self.address
        parts = urlsplit(self.address)
        query = urlencode(
            [
                (key, _MASK if _SECRET_KEYS.search(key) else value)
                for key, value in parse_qsl(parts.query, keep_blank_values=True)
            ],
            safe="*/:,",
        )
        netloc = f"{_MASK}@{parts.netloc}" if self.credentials else parts.netloc
        return urlunsplit((parts.scheme, netloc, parts.path, query, ""))

    def __str__(self) -> str:
        return self.redacted

    def __repr__(self) -> str:
        return f"SourceSpec({self.redacted!r})"

    def connection_url(self) -> str:
        """The address with credentials, for the library that connects. Never show or log it."""
        if self.credentials is None:
            return self.address
        parts = urlsplit(self.address)
        account = f"{quote(self.credentials.user, safe='')}:{quote(self.credentials.password, safe='')}"
        return urlunsplit(parts._replace(netloc=f"{account}@{parts.netloc}"))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds after which a source that says nothing is given up: while opening, and between packets."""

    open_s: float = 10.0
    read_s: float = 8.0


Opener = Callable[[SourceSpec, Timeouts], PacketSource]

_OPENERS: dict[str, Opener] = {}


def register_scheme(scheme: str, opener: Opener) -> None:
    """Let `opener` open the sources whose address begins with `scheme:`, e.g. `simulated:square`."""
    _OPENERS[scheme.lower()] = opener


def open_source(spec: SourceSpec, timeouts: Timeouts = Timeouts()) -> PacketSource:
    """Connect to `spec`. Blocks for at most `timeouts.open_s`; raises SourceError with a hint."""
    if spec.kind is SourceKind.PLUGGED:
        return _OPENERS[spec.address.partition(":")[0].lower()](spec, timeouts)
    if spec.kind is SourceKind.FOLDER:
        raise SourceError(
            SourceFault.NOT_VIDEO,
            f"{spec.address} is a folder",
            hint="Open its files one by one, or use VideoFile.",
        )
    return ContainerSource(spec, timeouts)


class ContainerSource:
    """A source that FFmpeg reads: network cameras, USB cameras, files.

    declared_pictures, declared_duration_s: how many and how long, as the container tells; 0 and None where it does not.
    stamped: whether packets carry times of their own; without, FFmpeg counts them at a rate that it made up.
    """

    def __init__(self, spec: SourceSpec, timeouts: Timeouts) -> None:
        self._spec = spec
        if spec.kind is SourceKind.FILE:
            _check_file(Path(spec.address))
        elif spec.kind is SourceKind.USB and not Path(spec.address).exists():
            raise SourceError(
                SourceFault.MISSING,
                f"{spec.address}: there is no such camera",
                hint="Is it plugged in? See `ls /dev/video*`.",
            )
        began_at = time.monotonic()
        wait = (timeouts.open_s, timeouts.read_s) if spec.live else None
        try:
            self._container: InputContainer = av.open(
                spec.connection_url(),
                "r",
                format="v4l2" if spec.kind is SourceKind.USB else None,
                options=_open_options(spec),
                timeout=wait,
                metadata_errors="ignore",
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            # FFmpeg's texts quote the address with its password: none of them may go on.
            # A time-out within RTSP's conversation is reported as invalid data.
            timed_out = spec.live and time.monotonic() - began_at >= timeouts.open_s
            raise _explained(spec, TimeoutError() if timed_out else error, timeouts) from None
        try:
            self._stream = _video_stream(self._container, spec)
            self.info = _info_of(self._stream, spec)
        except BaseException:
            self._container.close()
            raise
        self.stamped = not self._container.format.flags & _NO_TIMESTAMPS
        self.declared_pictures = self._stream.frames
        self.declared_duration_s = (
            self._container.duration / av.time_base if self._container.duration else None
        )
        self._timeouts = timeouts

    def packets(self) -> Iterator[SourcePacket]:
        """Packets in order of decoding; see `PacketSource`."""
        wanted = self._stream.index
        seen_at = time.monotonic()
        try:
            # All streams, not only the picture: a camera that goes on sending sound alone has stalled, too.
            for packet in self._container.demux():
                if packet.stream_index != wanted or packet.size == 0:
                    if self._spec.live and time.monotonic() - seen_at > self._timeouts.read_s:
                        raise TimeoutError
                    continue
                seen_at = time.monotonic()
                yield SourcePacket(
                    data=bytes(packet),
                    pts=packet.pts,
                    dts=packet.dts,
                    is_key=packet.is_keyframe,
                    is_corrupt=packet.is_corrupt,
                    is_discard=packet.is_discard,
                )
        except (av.FFmpegError, OSError) as error:
            raise _explained(self._spec, error, self._timeouts, reading=True) from None

    def close(self) -> None:
        """Close the connection."""
        self._container.close()


def _open_options(spec: SourceSpec) -> dict[str, str]:
    match spec.kind:
        case SourceKind.RTSP:
            options = {
                "rtsp_transport": spec.transport.value,
                "allowed_media_types": "video",
                "analyzeduration": "1500000",
            }
            if spec.transport is Transport.UDP:
                options |= {"buffer_size": "4194304", "max_delay": "500000"}
            return options
        case SourceKind.HTTP:
            return {
                "protocol_whitelist": "http,https,tcp,tls,crypto",
                "user_agent": "tynysh",
            }
        case SourceKind.USB:
            return dict(spec.options)
        case _:
            # A playlist in the clothes of a video must not make us fetch other addresses.
            return {"protocol_whitelist": "file"}


def _video_stream(container: InputContainer, spec: SourceSpec) -> VideoStream:
    if spec.kind is SourceKind.FILE and any(map(_NOT_VIDEO_FORMATS.match, container.format.name.split(","))):
        raise SourceError(
            SourceFault.NOT_VIDEO,
            f"{spec.redacted} is not a video",
            hint="Give a video file such as .mp4, .mkv or .avi.",
        )
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        raise SourceError(
            SourceFault.NOT_VIDEO,
            f"{spec.redacted} holds no moving pictures",
            hint="Does the camera send sound only?",
        )
    stream = streams[0]
    context: Any = stream.codec_context
    if context is None or not context.is_decoder:
        raise SourceError(
            SourceFault.NO_DECODER,
            f"{spec.redacted}: there is no decoder for its codec",
            hint="Set the camera to H.264, or convert the file to H.264.",
        )
    if context.width <= 0 or context.height <= 0:
        raise SourceError(
            SourceFault.TRUNCATED if spec.kind is SourceKind.FILE else SourceFault.BROKEN,
            f"{spec.redacted}: the stream holds no complete picture",
            hint="The file may be cut off."
            if spec.kind is SourceKind.FILE
            else "Check the camera's encoder settings.",
        )
    return stream


def _info_of(stream: VideoStream, spec: SourceSpec) -> StreamInfo:
    try:
        return StreamInfo.of(stream)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, ValueError) and not isinstance(error, av.error.InvalidDataError):
            raise SourceError(
                SourceFault.NO_DECODER,
                f"{spec.redacted}: its codec is none that can be passed on",
                hint="Set the camera to H.264, or convert the file to H.264.",
            ) from None
        raise SourceError(
            SourceFault.BROKEN,
            f"{spec.redacted}: the stream's parameters cannot be understood",
            hint="Check the camera's encoder settings, or convert the file to H.264.",
        ) from None


def is_folder(path: Path) -> bool:
    """Whether `path` is a folder, as far as we may know: not where a folder above it is closed to us."""
    try:
        return path.is_dir()
    except PermissionError:
        return False


@contextmanager
def _permitted(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise SourceError(
            SourceFault.NOT_PERMITTED,
            f"{path}: may not be read",
            hint="Check the permissions of the file and of its folders.",
        ) from None


def _check_file(path: Path) -> None:
    with _permitted(path):
        if not path.exists():
            raise SourceError(SourceFault.MISSING, f"{path}: there is no such file", hint="Check the path.")
        if not path.is_file():
            raise SourceError(SourceFault.NOT_VIDEO, f"{path} is not a file")
        size = path.stat().st_size
    if size == 0:
        raise SourceError(
            SourceFault.EMPTY, f"{path} is empty (0 bytes)", hint="Copy it again from where it was recorded."
        )


def _explained(
    spec: SourceSpec, error: Exception, timeouts: Timeouts, *, reading: bool = False
) -> SourceError:
    """What `error` means to the person who configured `spec`. Uses none of the error's own text."""
    name = spec.redacted
    match error:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            given = (
                "does not accept the user name or password"
                if spec.credentials
                else "asks for a user name and password"
            )
            return SourceError(
                SourceFault.WRONG_PASSWORD,
                f"{name}: the camera {given}",
                hint="Check the camera's credentials in the site.",
            )
        case av.error.HTTPNotFoundError():
            return SourceError(
                SourceFault.WRONG_PATH,
                f"{name}: the camera has no stream of that path",
                hint="Look up the stream's path in the camera's manual or by ONVIF.",
            )
        case ConnectionRefusedError():
            return SourceError(
                SourceFault.REFUSED,
                f"{name}: nothing answers at that port",
                hint="Is the camera on, and is the port right (RTSP: usually 554)?",
            )
        case av.error.ExitError() | TimeoutError():
            if reading:
                return SourceError(
                    SourceFault.STALLED,
                    f"{name}: no picture for {timeouts.read_s:g} seconds",
                    hint="Check the camera and its network line.",
                )
            return SourceError(
                SourceFault.TIMED_OUT,
                f"{name}: no answer within {timeouts.open_s:g} seconds",
                hint="Check the address and the network; a firewall may swallow the connection.",
            )
        case PermissionError():
            return SourceError(
                SourceFault.NOT_PERMITTED,
                f"{name}: may not be read",
                hint="Check the permissions of the file or device.",
            )
        case av.error.DecoderNotFoundError():
            return SourceError(
                SourceFault.NO_DECODER,
                f"{name}: there is no decoder for its codec",
                hint="Convert it to H.264.",
            )
        case FileNotFoundError():
            return SourceError(
                SourceFault.MISSING, f"{name}: there is no such source", hint="Check the address."
            )
    if spec.kind is SourceKind.FILE:
        if reading or _looks_like_video(Path(spec.address)):
            return SourceError(
                SourceFault.TRUNCATED,
                f"{name} is cut off or damaged",
                hint="Copy it again; an MP4 whose recording was interrupted has no index.",
            )
        return SourceError(
            SourceFault.NOT_VIDEO,
            f"{name} is not a video",
            hint="Give a video file such as .mp4, .mkv or .avi.",
        )
    if isinstance(error, OSError) and not isinstance(error, av.error.InvalidDataError) and not reading:
        return SourceError(
            SourceFault.UNREACHABLE,
            f"{name}: cannot be reached",
            hint="Check the host name, the address and the network.",
        )
    return SourceError(
        SourceFault.BROKEN,
        f"{name}: sends something that cannot be understood as video",
        hint="Check the stream's path, transport (tcp or udp) and the camera's encoder settings.",
    )


def _looks_like_video(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return head[4:8] in {b"ftyp", b"moov", b"mdat", b"styp"} or head.startswith(_VIDEO_SIGNATURES)


def files_of(folder: Path) -> list[Path]:
    """The video files of a folder in natural order (`clip2` before `clip10`); raises SourceError if none."""
    with _permitted(folder):
        files = [
            entry for entry in folder.iterdir() if entry.is_file() and entry.suffix.lower() in VIDEO_SUFFIXES
        ]
    if not files:
        raise SourceError(
            SourceFault.EMPTY,
            f"{folder} holds no video files",
            hint="Give a folder with .mp4, .avi or .mkv files.",
        )
    return natsorted(files, key=lambda entry: entry.name, alg=ns.IGNORECASE)
