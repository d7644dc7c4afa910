"""What a site is: its cameras, zones, analysers, hours and retention, as they are written in YAML."""

import re
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from math import hypot
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import holidays
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tynysh.behaviour.registry import default_settings
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.crowd import calibration
from tynysh.perception.tiling import Detection
from tynysh.scene.crowd import PICTURE
from tynysh.site import references, schedule
from tynysh.site.analysers import Analysers
from tynysh.site.identifiers import LONGEST, with_identifiers
from tynysh.site.schedule import WEEKDAYS, Day, SunEvent, SunMoment

URL_SCHEMES = ("rtsp", "rtsps", "http", "https", "file", "simulated")
"""What the address of a stream may begin with; without any it is a file, a folder, or `/dev/videoN`."""

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_PASSWORD_IN_QUERY = re.compile(r"(?i)(?:pass(?:word|wd)?|pwd)=[^&/\s]")
_WHERE_PASSWORDS_GO = (
    "take name and password out of the address and write, beside it, "
    "`credentials: {username: NAME, password: {env: VARIABLE}}`"
)


class SiteKind(StrEnum):
    """What sort of place a site is."""

    NIGHTLIFE = "nightlife"
    PARK = "park"
    MARKET = "market"
    MALL = "mall"
    CULTURE = "culture"
    SPORT = "sport"
    STREET = "street"
    MONUMENT = "monument"


class ZoneKind(StrEnum):
    """What a zone is for."""

    AREA = "area"
    PROTECTED = "protected"
    BENCH = "bench"
    OBJECT = "object"


class Strict(BaseModel):
    """A part of a site: unknown keys are errors, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=False)


def _one_line(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise PydanticCustomError("one_line", "holds a line break or a control character")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120),
    AfterValidator(_one_line),
]
ZoneName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_one_line)
]


def _not_the_picture(name: str) -> str:
    if name.casefold() == PICTURE:
        raise PydanticCustomError(
            "reserved", f"{name!r} stands for the whole picture already; take another name"
        )
    return name


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=LONGEST)]


def _address(text: str) -> str:
    scheme = _SCHEME.match(text)
    if scheme is None or scheme[1].lower() == "file":
        return text
    if scheme[1].lower() not in URL_SCHEMES:
        raise PydanticCustomError(
            "url_scheme",
            "begins with an unknown scheme",
            {"given": scheme[1], "allowed": [*(f"{known}:" for known in URL_SCHEMES), "a path"]},
        )
    try:
        parts = urlsplit(text)
        has_host, has_account = bool(parts.hostname), "@" in parts.netloc
        _ = parts.port
    except ValueError:
        raise PydanticCustomError("url_broken", "is not an address: host or port is malformed") from None
    if has_account or _PASSWORD_IN_QUERY.search(text):
        raise PydanticCustomError("url_password", f"holds a user name or password; {_WHERE_PASSWORDS_GO}")
    if scheme[1].lower() == "simulated":
        if not parts.path:
            raise PydanticCustomError("url_broken", "names no scene; write simulated:NAME")
    elif not has_host:
        raise PydanticCustomError("url_broken", f"names no host; write {scheme[1]}://HOST:PORT/PATH")
    return text


StreamAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(_one_line),
    AfterValidator(_address),
]


def _time_zone(name: str) -> str:
    known = available_timezones()
    if name not in known:
        raise PydanticCustomError(
            "time_zone",
            "is not a time zone",
            {"given": name, "names": sorted(known), "example": "Asia/Almaty"},
        )
    return name


_BY_THE_SUN = re.compile(rf"({'|'.join(SunEvent)})(?:([+-])(0?\d|1[0-2]):([0-5]\d))?")


def _clock(value: Any) -> Any:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise PydanticCustomError("clock", "is not a time of day; write HH:MM, from 00:00 to 23:59")
    return time.fromisoformat(value)


def _moment(value: Any) -> Any:
    if isinstance(value, SunMoment):
        return value
    by_the_sun = _BY_THE_SUN.fullmatch(value) if isinstance(value, str) else None
    if by_the_sun is not None:
        event, sign, hours, minutes = by_the_sun.groups()
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return SunMoment(SunEvent(event), -offset if sign == "-" else offset)
    try:
        return _clock(value)
    except PydanticCustomError:
        raise PydanticCustomError(
            "moment",
            "is not a time of day; write HH:MM, from 00:00 to 23:59, or `dawn`, `sunrise`, `sunset`, `dusk`, "
            "and how long before or after: `sunset-00:30`",
        ) from None


def _written(moment: time | SunMoment) -> str:
    return moment.strftime("%H:%M") if isinstance(moment, time) else str(moment)


Clock = Annotated[time, BeforeValidator(_clock), PlainSerializer(_written, return_type=str)]
Moment = Annotated[time | SunMoment, BeforeValidator(_moment), PlainSerializer(_written, return_type=str)]


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise PydanticCustomError("day", "is not a day; write YYYY-MM-DD, as 2026-12-16") from None


CalendarDay = Annotated[date, BeforeValidator(_day), PlainSerializer(date.isoformat, return_type=str)]


def _country(code: str) -> str:
    country, _, part = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        names = sorted(known)
        raise PydanticCustomError(
            "country", "is not a country whose holidays are known", {"given": code, "names": names}
        )
    if part and part not in known[country]:
        raise PydanticCustomError(
            "country",
            "is no part of that country",
            {"given": code, "names": [f"{country}-{n}" for n in known[country]]},
        )
    return code


class GeoPosition(Strict):
    """A place on the map, degrees (WGS 84)."""

    latitude: float = Field(ge=-90, le=90, title="Latitude", description="Degrees north.")
    longitude: float = Field(ge=-180, le=180, title="Longitude", description="Degrees east.")


class CameraPosition(GeoPosition):
    """Where a camera stands and where it looks."""

    direction: float | None = Field(
        default=None,
        ge=0,
        lt=360,
        title="Direction",
        description="Where it looks: degrees clockwise from north.",
    )
    field_of_view: float | None = Field(
        default=None, gt=0, le=360, title="Field of view", description="Horizontal angle of view, degrees."
    )
    height: float | None = Field(
        default=None, gt=0, le=500, title="Height", description="Height above the ground, metres."
    )


class Reference(Strict):
    """Where a secret is found: `env` or `file`, one of them. The secret itself never stands in a site."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = Field(
        default=None,
        title="Environment variable",
        description="Name of the environment variable that holds it.",
    )
    file: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = Field(
        default=None,
        title="File",
        description="Path of a file that holds nothing else; relative to the site file.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise PydanticCustomError("reference", "needs either `env` or `file`")
        return self

    def __str__(self) -> str:
        return f"from environment variable {self.env}" if self.env else f"from file {self.file}"


def _referenced(value: Any) -> Any:
    if isinstance(value, Mapping | Reference):
        return value
    # Without the value: it may well be a password.
    raise PydanticCustomError(
        "secret_written",
        "must not be written here; name where to find it: `{env: VARIABLE}` or `{file: PATH}`",
    )


Secret = Annotated[Reference, BeforeValidator(_referenced)]


PlainName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
AccountName = Annotated[
    Annotated[PlainName, Tag("plain")] | Annotated[Reference, Tag("reference")],
    Discriminator(lambda value: "plain" if isinstance(value, str) else "reference"),
]


class Credentials(Strict):
    """The name and password that a camera asks for."""

    username: AccountName = Field(
        title="User name",
        description="The name itself, or where to find it: `{env: VARIABLE}`, `{file: PATH}`.",
    )
    password: Secret = Field(
        title="Password", description="Where to find the password: `{env: VARIABLE}` or `{file: PATH}`."
    )


Share = Annotated[float, Field(ge=0, le=1)]
People = Annotated[int, Field(ge=1, le=1_000_000)]
Corner = tuple[Share, Share]


def _simple(polygon: tuple[Corner, ...]) -> tuple[Corner, ...]:
    sides = list(zip(polygon, polygon[1:] + polygon[:1], strict=True))
    for first in range(len(sides)):
        for second in range(first + 1, len(sides)):
            neighbours = second == first + 1 or (first == 0 and second == len(sides) - 1)
            if not neighbours and _cross(*sides[first], *sides[second]):
                raise PydanticCustomError(
                    "polygon",
                    "crosses itself: the side from corner {first} and the side from corner {second} meet",
                    {"first": first + 1, "second": second + 1},
                )
    if abs(_area(polygon)) < 1e-6:
        raise PydanticCustomError("polygon", "encloses no area")
    return polygon


def _area(polygon: tuple[Corner, ...]) -> float:
    """Twice the enclosed area, signed (the shoelace formula)."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True))


def _cross(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    """Whether the segments a-b and c-d have a point in common."""

    def side(p: Corner, q: Corner, r: Corner) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    def within(p: Corner, q: Corner, r: Corner) -> bool:
        return min(p[0], q[0]) <= r[0] <= max(p[0], q[0]) and min(p[1], q[1]) <= r[1] <= max(p[1], q[1])

    of_cd, of_ab = (side(a, b, c), side(a, b, d)), (side(c, d, a), side(c, d, b))
    if of_cd[0] * of_cd[1] < 0 and of_ab[0] * of_ab[1] < 0:
        return True
    touching = ((of_cd[0], a, b, c), (of_cd[1], a, b, d), (of_ab[0], c, d, a), (of_ab[1], c, d, b))
    return any(turn == 0 and within(p, q, r) for turn, p, q, r in touching)


class Zone(Strict):
    """A named part of the picture."""

    name: Annotated[ZoneName, AfterValidator(_not_the_picture)] = Field(
        title="Name", description="What people call it; unique on its camera."
    )
    kind: ZoneKind = Field(
        default=ZoneKind.AREA,
        title="Kind",
        description="`area`: where people may be; `protected`: where they may not; `bench`: where lying is usual; "
        "`object`: a thing to be protected, as a monument.",
    )
    polygon: Annotated[tuple[Corner, ...], Field(min_length=3, max_length=64), AfterValidator(_simple)] = (
        Field(
            title="Polygon",
            description="Corners `[x, y]` in order, from 0 to 1, counted from the top left of the picture.",
        )
    )
    area_m2: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        title="Area",
        description="Of its floor, square metres, where somebody measured it; else the camera's calibration tells.",
    )
    capacity: People | None = Field(
        default=None, title="Capacity", description="How many people it is meant for, at most."
    )


class Line(Strict):
    """A line across the picture, on the floor, on which people are counted in both directions. Who crosses it from
    its left to its right, looking from `from` to `to`, goes in its direction."""

    name: ZoneName = Field(title="Name", description="What people call it; unique on its camera.")
    begin: Corner = Field(alias="from", title="From", description="Where it begins, `[x, y]` from 0 to 1.")
    end: Corner = Field(alias="to", title="To", description="Where it ends, `[x, y]` from 0 to 1.")

    @model_validator(mode="after")
    def _long(self) -> Self:
        if hypot(self.end[0] - self.begin[0], self.end[1] - self.begin[1]) < 0.01:
            raise PydanticCustomError("line", "begins and ends at the same point")
        return self


Metres = Annotated[float, Field(ge=-10_000, le=10_000)]


class KnownPoint(Strict):
    """A point of the floor whose place is known."""

    at: Corner = Field(title="At", description="Where it is in the picture, `[x, y]` from 0 to 1.")
    metres: tuple[Metres, Metres] = Field(
        title="Metres", description="Where it is on the floor, `[x, y]` from any corner, along any two sides."
    )


class KnownDistance(Strict):
    """A length on the floor that was measured."""

    begin: Corner = Field(
        alias="from", title="From", description="One end in the picture, `[x, y]` from 0 to 1."
    )
    end: Corner = Field(
        alias="to", title="To", description="The other end in the picture, `[x, y]` from 0 to 1."
    )
    metres: float = Field(gt=0, le=10_000, title="Metres", description="How far apart they are on the floor.")


class Calibration(Strict):
    """What was measured on the floor that the camera sees: `points` or `distances`, one of them."""

    points: Annotated[tuple[KnownPoint, ...], Field(min_length=4, max_length=16)] | None = Field(
        default=None,
        title="Points",
        description="Four or more points of the floor with their place in metres.",
    )
    distances: Annotated[tuple[KnownDistance, ...], Field(min_length=4, max_length=64)] | None = Field(
        default=None,
        title="Distances",
        description="Four or more measured lengths on the floor, near and far, along and across.",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.points is None) == (self.distances is None):
            raise PydanticCustomError("calibration", "needs either `points` or `distances`")
        try:
            if self.points is not None:
                calibration.check_points(self.known_points)
            else:
                calibration.check_distances(self.known_distances)
        except calibration.CalibrationError as error:
            raise PydanticCustomError(
                "calibration", "{what}", {"what": f"{error.message} {error.hint}"}
            ) from None
        return self

    @property
    def known_points(self) -> tuple[calibration.KnownPoint, ...]:
        """The points, for finding the floor."""
        return tuple(calibration.KnownPoint(point.at, point.metres) for point in self.points or ())

    @property
    def known_distances(self) -> tuple[calibration.KnownDistance, ...]:
        """The distances, for finding the floor."""
        return tuple(
            calibration.KnownDistance(one.begin, one.end, one.metres) for one in self.distances or ()
        )


Calibrated = Annotated[
    Annotated[Literal["automatic", "off"], Tag("word")] | Annotated[Calibration, Tag("measured")],
    Discriminator(lambda value: "measured" if isinstance(value, Mapping | Calibration) else "word"),
]


class Schedule(Strict):
    """Hours on days, in the site's time zone; past midnight where `to` is not after `from`."""

    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=8)] = Field(
        default=WEEKDAYS,
        title="Days",
        description="Days on which the hours begin: `mon` to `sun`, and `holiday` for the site's holidays whatever "
        "day they fall on; all if left out.",
    )
    except_holidays: bool = Field(
        default=False, title="Except holidays", description="Whether no hours begin on the site's holidays."
    )
    begin: Moment = Field(
        alias="from",
        title="From",
        description="Local time at which the hours begin: HH:MM, or by the sun: `dawn`, `sunrise`, `sunset`, `dusk`, "
        "with an offset as in `sunset-00:30`.",
    )
    end: Moment = Field(
        alias="to", title="To", description="Local time at which the hours end: HH:MM, or by the sun."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.except_holidays and Day.HOLIDAY in self.days:
            raise PydanticCustomError(
                "holidays", "names `holiday` among its days and says `except_holidays` as well"
            )
        return self

    def hours(self) -> schedule.Schedule:
        """The same, for asking whether it is in force."""
        return schedule.Schedule(frozenset(self.days), self.begin, self.end, self.except_holidays)


class RetentionDays(Strict):
    """How long something is kept."""

    days: int = Field(ge=1, le=3650, title="Days", description="Older than so many days is deleted.")


class RetentionLimit(RetentionDays):
    """How long something is kept, and how much of it; what comes first counts."""

    gigabytes: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        title="Gigabytes",
        description="Beyond so much for the whole site (10⁹ bytes), the oldest is deleted; no bound if left out.",
    )


class Retention(Strict):
    """How long footage and figures are kept."""

    recordings: RetentionLimit = Field(
        default=RetentionLimit(days=7),
        title="Recordings",
        description="The continuous recordings of all cameras.",
    )
    evidence: RetentionLimit = Field(
        default=RetentionLimit(days=180),
        title="Evidence",
        description="Clips of incidents. What was verified false goes with the recordings already.",
    )
    history: RetentionDays = Field(
        default=RetentionDays(days=400),
        title="History",
        description="How many people there were, minute by minute; no pictures. Deleted by whole weeks.",
    )


class Clip(Strict):
    """How much of the time around an incident its clip shows."""

    before_s: float = Field(
        default=10.0,
        ge=0,
        le=120,
        title="Before",
        description="Seconds before the onset that the clip shows.",
    )
    after_s: float = Field(
        default=20.0, ge=1, le=600, title="After", description="Seconds after the onset that the clip shows."
    )


class Joining(Strict):
    """When events are one incident."""

    gap_s: float = Field(
        default=30.0,
        ge=0,
        le=3600,
        title="Gap",
        description="Related events on one camera no further apart than so many seconds are one incident.",
    )


class AlarmBudget(Strict):
    """How many false alarms a camera may raise. Thresholds are learnt from it (`incidents.alarm_budget`)."""

    alarms_per_day: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        title="Alarms a day",
        description="False alarms a day that are borne, of fights, aggression and people down together.",
    )
    recall_floor: float = Field(
        default=0.6,
        ge=0,
        le=1,
        title="Floor of recall",
        description="Part of what really happens that must still be found; no threshold is learnt that finds less, "
        "even if the budget is not kept.",
    )
    learn: bool = Field(
        default=True,
        title="Learn",
        description="Whether thresholds are learnt from verdicts and quiet hours; else those of the analysers hold.",
    )


Transport = Literal["tcp", "udp"]


class Defaults(Strict):
    """What holds for all cameras of the site that do not say otherwise."""

    transport: Transport = Field(
        default="tcp", title="Transport", description="How RTSP cameras send: `tcp` or `udp`."
    )
    credentials: Credentials | None = Field(
        default=None, title="Credentials", description="Name and password of the cameras."
    )
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
        "`https://`, a file, a folder of files, `/dev/videoN`, or `simulated:NAME`.",
    )
    sub: StreamAddress | None = Field(
        default=None,
        title="Sub stream",
        description="Address of a smaller stream for analysis, if the camera has one.",
    )
    transport: Transport | None = Field(
        default=None, title="Transport", description="How an RTSP camera sends: `tcp` or `udp`."
    )
    credentials: Credentials | None = Field(
        default=None, title="Credentials", description="Name and password that the camera asks for."
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
    credentials: Credentials | None
    recording: bool
    analysers: Mapping[Behaviour, AnalyserSettings]
    alarm_budget: AlarmBudget


class PlaceGate(Strict):
    """A counting line through which people come into a place and leave it."""

    camera: Name = Field(title="Camera", description="Id or name of a camera of this site.")
    line: ZoneName = Field(
        title="Line", description="Name of a line of that camera; its direction leads into the place."
    )
    reversed: bool = Field(
        default=False,
        title="Reversed",
        description="Whether the direction of the line leads out of the place.",
    )


class PlaceView(Strict):
    """A part of a place that a camera sees; what is seen twice is counted twice."""

    camera: Name = Field(title="Camera", description="Id or name of a camera of this site.")
    zone: ZoneName | None = Field(
        default=None,
        title="Zone",
        description="Name of a zone of that camera; its whole picture if left out.",
    )


class Place(Strict):
    """A part of the site in which people are added up: over its gates, over the views of its cameras, or both."""

    name: ZoneName = Field(title="Name", description="What people call it; unique at its site.")
    capacity: People | None = Field(
        default=None, title="Capacity", description="How many people it is meant for, at most."
    )
    area_m2: float | None = Field(
        default=None, gt=0, le=10_000_000, title="Area", description="Of its floor, square metres."
    )
    gates: Annotated[tuple[PlaceGate, ...], Field(max_length=64)] = Field(
        default=(),
        title="Gates",
        description="All lines over which people come in and go out: those inside are who came and did not leave.",
    )
    views: Annotated[tuple[PlaceView, ...], Field(max_length=64)] = Field(
        default=(), title="Views", description="Cameras, or zones of them, whose people are added up."
    )
    empty_at: Clock | None = Field(
        default=None,
        title="Empty at",
        description="Local time, HH:MM, at which nobody is inside: what was miscounted at gates is taken out then.",
    )

    @model_validator(mode="after")
    def _seen(self) -> Self:
        if not self.gates and not self.views:
            raise PydanticCustomError("place", "needs `gates` or `views`")
        return self


class Site(Strict):
    """A place with cameras."""

    id: Identifier = Field(
        title="Id", description="Never changes, unique: a-z, 0-9 and `-`. Made from the name if left out."
    )
    name: Name = Field(title="Name", description="What people call it; unique.")
    kind: SiteKind = Field(title="Kind", description="What sort of place it is.")
    address: Name | None = Field(
        default=None, title="Address", description="Street address, for those who are sent."
    )
    position: GeoPosition | None = Field(
        default=None, title="GeoPosition", description="Where it is on the map."
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        title="Time zone", description="IANA name, as `Asia/Almaty`; schedules are in its local time."
    )
    schedules: dict[ZoneName, Schedule] = Field(
        default={},
        title="Schedules",
        description='Named hours, of which analysers speak: `night: {from: "22:00", to: "06:00"}`.',
    )
    holidays: Annotated[tuple[CalendarDay, ...], Field(max_length=1000)] = Field(
        default=(), title="Holidays", description="Days that schedules take as holidays: `[2026-12-16]`."
    )
    country_holidays: Annotated[str, AfterValidator(_country)] | None = Field(
        default=None,
        title="Country holidays",
        description="Country whose public holidays are holidays here too: ISO 3166 code as `KZ`, with its part where "
        "parts differ, as `DE-BY`.",
    )
    places: Annotated[tuple[Place, ...], Field(max_length=100)] = Field(
        default=(),
        title="Places",
        description="Parts of the site in which people are added up over its cameras.",
    )
    retention: Retention = Field(
        default=Retention(), title="Retention", description="How long footage and figures are kept."
    )
    clip: Clip = Field(default=Clip(), title="Clip", description="What the clip of an incident shows.")
    joining: Joining = Field(default=Joining(), title="Joining", description="When events are one incident.")
    defaults: Defaults = Field(
        default=Defaults(),
        title="Defaults",
        description="What holds for all cameras that do not say otherwise.",
    )
    cameras: Annotated[tuple[Camera, ...], Field(max_length=2000)] = Field(
        default=(), title="Cameras", description="The site's cameras."
    )

    def effective(self, camera: Camera) -> Effective:
        """What holds for `camera`, one of this site's."""
        chosen = default_settings() if self.defaults.analysers is None else self.defaults.analysers.chosen()
        if camera.analysers is not None:
            chosen |= camera.analysers.chosen()
        return Effective(
            camera=camera,
            transport=camera.transport or self.defaults.transport,
            credentials=camera.credentials or self.defaults.credentials,
            recording=self.defaults.recording if camera.recording is None else camera.recording,
            analysers={behaviour: settings for behaviour, settings in chosen.items() if settings.enabled},
            alarm_budget=camera.alarm_budget or self.defaults.alarm_budget,
        )

    def camera(self, said: str) -> Camera:
        """The camera of that id or name, as gates and views speak of it; raises KeyError if there is none."""
        for camera in self.cameras:
            if said in (camera.id, camera.name):
                return camera
        raise KeyError(said)

    def locality(self) -> schedule.Locality:
        """Where its schedules are read."""
        days: Container[date] = frozenset(self.holidays)
        if self.country_holidays is not None:
            country, _, part = self.country_holidays.partition("-")
            public = holidays.country_holidays(country, subdiv=part or None)
            public.update(dict.fromkeys(self.holidays, ""))
            days = public
        position = None if self.position is None else (self.position.latitude, self.position.longitude)
        return schedule.Locality(ZoneInfo(self.time_zone), position, days)


class SiteFile(Strict):
    """All sites of an installation."""

    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=1000)] = Field(
        title="Sites", description="The places that are watched."
    )

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, data: Any) -> Any:
        return with_identifiers(data)

    @model_validator(mode="after")
    def _referenced(self) -> Self:
        for fault in references.faults(plain(self)):
            raise PydanticCustomError("references", "{what}", {"what": fault.what})
        return self

    def camera(self, camera_id: str) -> tuple[Site, Camera]:
        """The camera of that id, with its site; raises KeyError if there is none."""
        for site in self.sites:
            for camera in site.cameras:
                if camera.id == camera_id:
                    return site, camera
        raise KeyError(camera_id)


def plain(part: BaseModel, *, without: Collection[str] = ()) -> dict[str, Any]:
    """A part of a site as plain data, as it stands in YAML: what is not said is left out, and so is `without`."""
    return part.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(without))
