"""A camera of a site, and what holds for all cameras that do not say otherwise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from tynysh.behaviour.registry import default_settings
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.media.redaction import secret_written
from tynysh.media.source_spec import plugins
from tynysh.perception.tiling import Detection
from tynysh.site.analysers import Analysers
from tynysh.site.calibration import Calibrated
from tynysh.site.credentials import CredentialSource
from tynysh.site.fields import Identifier, Name, Strict, one_line
from tynysh.site.incidents import AlarmBudget
from tynysh.site.positions import CameraPosition
from tynysh.site.trust import Trust
from tynysh.site.zones import Line, Zone

URL_SCHEMES = ("rtsp", "rtsps", "http", "https", "file")
"""What the address of a stream may begin with, beside the schemes of installed kinds of source; without any it is a
file, a folder, or `/dev/videoN`.
"""
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")

_WHERE_SECRETS_GO = (
    "write `{password}` in its place (and `{user}` in the name's), or leave both out where the camera asks for them, "
    "and beside the address `credentials: {username: NAME, password: {env: VARIABLE}}`"
)
STORED = "stored"
"""Says, as context of a validation, that the site was in force before: an address that was allowed then goes on."""


def _address(text: str, info: ValidationInfo) -> str:
    scheme = _SCHEME.match(text)
    if scheme is None or scheme[1].lower() == "file":
        return text
    schemes = (*URL_SCHEMES, *plugins())
    if scheme[1].lower() not in schemes:
        raise PydanticCustomError(
            "url_scheme",
            "begins with an unknown scheme",
            {"given": scheme[1], "allowed": [*(f"{known}:" for known in schemes), "a path"]},
        )
    try:
        parts = urlsplit(text)
        has_host, has_account = bool(parts.hostname), "@" in parts.netloc
        _ = parts.port
    except ValueError:
        raise PydanticCustomError("url_broken", "is not an address: host or port is malformed") from None
    if info.context != STORED and (has_account or secret_written(text)):
        raise PydanticCustomError(
            "url_password", f"holds a user name, a password or a token; {_WHERE_SECRETS_GO}"
        )
    if scheme[1].lower() in plugins():
        if not parts.path and not has_host:
            raise PydanticCustomError("url_broken", f"names no scene; write {scheme[1]}:NAME")
    elif not has_host:
        raise PydanticCustomError("url_broken", f"names no host; write {scheme[1]}://HOST:PORT/PATH")
    return text


StreamAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(one_line),
    AfterValidator(_address),
]
Transport = Literal["tcp", "udp"]


class Defaults(Strict):
    """What holds for all cameras of the site that do not say otherwise."""

    transport: Transport = Field(
        default="tcp", title="Transport", description="How RTSP cameras send: `tcp` or `udp`."
    )
    credentials: CredentialSource | None = Field(
        default=None, title="Credentials", description="Name and password of the cameras."
    )
    trust: Trust | None = Field(default=None, title="Trust", description="What the cameras are trusted with.")
    recording: bool = Field(
        default=True, title="Recording", description="Whether cameras are recorded all the time."
    )
    analysers: Analysers | None = Field(
        default=None,
        title="Analysers",
        description="What cameras are watched for; if left out: "
        f"{', '.join(f'`{behaviour}`' for behaviour in default_settings())}.",
    )
    alarm_budget: AlarmBudget = Field(
        default=AlarmBudget(),
        title="Alarm budget",
        description="How many false alarms each camera may raise.",
    )


class Camera(Strict):
    """A video source at a site."""

    id: Identifier = Field(
        title="Id",
        description="Never changes, unique over all sites: a-z, 0-9 and `-`. Made from the site's id and the name "
        "if left out.",
    )
    name: Name = Field(title="Name", description="What people call it; unique at its site.")
    enabled: bool = Field(default=True, title="Enabled", description="Whether the camera is opened at all.")
    main: StreamAddress = Field(
        title="Main stream",
        description="Address of the full stream, for recording and evidence: `rtsp://`, `rtsps://`, `http://`, "
        "`https://`, a file, a folder of files, `/dev/videoN`, or `simulated:NAME`; `{user}` and `{password}` in it "
        "are filled from the credentials.",
    )
    sub: StreamAddress | None = Field(
        default=None,
        title="Sub stream",
        description="Address of a smaller stream for analysis, if the camera has one.",
    )
    transport: Transport | None = Field(
        default=None, title="Transport", description="How an RTSP camera sends: `tcp` or `udp`."
    )
    credentials: CredentialSource | None = Field(
        default=None, title="Credentials", description="Name and password that the camera asks for."
    )
    trust: Trust | None = Field(
        default=None, title="Trust", description="What the camera is trusted with; the site's if left out."
    )
    position: CameraPosition | None = Field(
        default=None, title="GeoPosition", description="Where it stands; the site's place if left out."
    )
    recording: bool | None = Field(
        default=None, title="Recording", description="Whether the camera is recorded all the time."
    )
    zones: Annotated[tuple[Zone, ...], Field(max_length=32)] = Field(
        default=(), title="Zones", description="Named parts of the picture, of which analysers speak."
    )
    lines: Annotated[tuple[Line, ...], Field(max_length=16)] = Field(
        default=(), title="Lines", description="Lines on which people are counted."
    )
    calibration: Calibrated = Field(
        default="automatic",
        title="Calibration",
        description="How the floor lies in the picture, for measures in metres: `automatic` learns it from people who "
        "walk through, `off` does without; or what was measured: `{points: [...]}`, `{distances: [...]}`.",
    )
    detection: Detection = Field(
        default=Detection.AUTO,
        title="Detection",
        description="How people are looked for: `whole`, the picture at once; `tiled`, in overlapping tiles that show "
        "small people, at up to ten times the cost of a look; `auto`, in tiles where those find many more.",
    )
    looks_per_second: float | None = Field(
        default=None,
        gt=0,
        le=10,
        title="Looks a second",
        description="How often people are looked for while anybody is there, for cameras that only count: 1, 2 or 5; "
        "as often as behaviour needs if left out.",
    )
    analysers: Analysers | None = Field(
        default=None,
        title="Analysers",
        description="What the camera is watched for, beside what the site's defaults say; `{enabled: false}` takes "
        "one away.",
    )
    alarm_budget: AlarmBudget | None = Field(
        default=None, title="Alarm budget", description="How many false alarms the camera may raise."
    )

    @property
    def simulated(self) -> bool:
        """Whether its pictures are drawn, not filmed."""
        return self.main.lower().startswith("simulated:")


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for a camera after the site's defaults were taken in. analysers: only those enabled."""

    camera: Camera
    transport: Transport
    credentials: CredentialSource | None
    trust: Trust
    recording: bool
    analysers: Mapping[Behaviour, AnalyserSettings]
    alarm_budget: AlarmBudget
