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
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    ENDED = "ended"
    UNDECODABLE = "undecodable"
    REDIRECTED = "redirected"
    CERTIFICATE = "certificate"
    BASIC_IN_CLEAR = "basic_in_clear"
    UNKNOWN_LOGIN = "unknown_login"
    TOO_LARGE = "too_large"
    TOO_MUCH = "too_much"
    SINGLE_PICTURE = "single_picture"
    NO_KEY_FRAME = "no_key_frame"
    BROKEN = "broken"


class SourceError(MediaError):
    """A source cannot be opened or read; `fault` says why, in one word, and `values` what its text names."""

    def __init__(self, fault: SourceFault, message: str, *, hint: str | None = None, **values: str) -> None:
        super().__init__(message, hint=hint)
        self.fault = fault
        self.values = values

    @property
    def detail(self) -> str:
        """What people are told: a key of the translations, and after it what its text names.

        >>> SourceError(SourceFault.CERTIFICATE, "no", fingerprint="ab").detail
        'media.fault.certificate fingerprint=ab'
        """
        return " ".join((f"media.fault.{self.fault}", *(f"{name}={it}" for name, it in self.values.items())))
