"""What does an error of FFmpeg mean to the person who configured the source?"""

from pathlib import Path

import av

from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts

_VIDEO_SIGNATURES = (
    b"RIFF",
    b"\x1aE\xdf\xa3",
    b"\x47\x40",
    b"FLV",
    b"\x00\x00\x01\xba",
    b"\x30\x26\xb2\x75",
    b"OggS",
)


def explained(
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
        case (
            av.error.HTTPOtherClientError() | av.error.HTTPTooManyRequestsError() | av.error.HTTPServerError()
        ):
            return SourceError(
                SourceFault.BUSY,
                f"{name}: the camera turns us away",
                hint="Has it too many viewers at once, a fault of its own, or another transport (tcp or udp)?",
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
