"""Why does a video source give no pictures?"""

from enum import StrEnum

from tynysh.errors import MediaError


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
    UNDECODABLE = "undecodable"
    BROKEN = "broken"


class SourceError(MediaError):
    """A source cannot be opened or read; `fault` says why, in one word."""

    def __init__(self, fault: SourceFault, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fault = fault
