"""What the API answers, field by field: made of the domain's objects by `model_validate`."""

from typing import Annotated, Literal

from pydantic import AliasPath, AwareDatetime, BaseModel, ConfigDict, Field

from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import GeoPosition
from tynysh.incidents.incident import ClipState
from tynysh.incidents.lifecycle import Action, State, Verdict
from tynysh.media.camera_status import CameraState, Counters

Id = Annotated[str, Field(coerce_numbers_to_str=True)]
"""A number of the database; sent as text, as all ids are."""

Normalised = Annotated[
    tuple[float, float, float, float],
    Field(description="Left, top, right, bottom as parts of the picture (0..1), origin top left."),
]

Corner = Annotated[tuple[float, float], Field(description="Point (x, y) as parts of the picture (0..1).")]


class Answer(BaseModel):
    """What is read from an object of the domain, with every field always there; Unix seconds become moments in UTC."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True, val_temporal_unit="seconds"
    )


class SiteName(Answer):
    """A site by id and name."""

    id: str
    name: str


class SiteOfCamera(SiteName):
    """A camera's site."""

    kind: str


class CameraName(Answer):
    """A camera by id and name."""

    id: str
    name: str
    simulated: bool = Field(description="Whether its pictures are drawn, not filmed.")


class Incident(Answer):
    """What people handle: one happening."""

    id: Id
    site: SiteName
    camera: CameraName
    behaviour: Behaviour = Field(description="The gravest of `behaviours`.")
    behaviours: list[Behaviour]
    severity: Literal[1, 2, 3, 4] = Field(description="1 low, 2 medium, 3 high, 4 critical.")
    state: State
    verdict: Verdict | None
    owner: str | None = Field(description="Name of the user who has it.")
    opened_at: AwareDatetime = Field(description="When it was first recorded.")
    started_at: AwareDatetime = Field(description="Onset.")
    ended_at: AwareDatetime | None = Field(description="Null while it goes on.")
    renewed_at: AwareDatetime | None = Field(description="When it last began anew after a pause.")
    people: int
    score: float
    box: Normalised | None
    zone: str | None
    reason: Reason | None
    clip: ClipState
    still: bool
    position: GeoPosition | None
    actions: list[Action] = Field(description="What may be done to it now, by its owner.")
    version: int = Field(description="Of the handling; a step says on which it was taken.")


class IncidentEvent(Answer):
    """A stretch of time in which a signal held."""

    id: str
    behaviour: Behaviour
    started_at: AwareDatetime = Field(validation_alias="start_s")
    decided_at: AwareDatetime = Field(validation_alias="decided_s")
    ended_at: AwareDatetime | None = Field(validation_alias="end_s")
    score: float
    box: Normalised | None
    people: int
    zone: str | None
    reason: Reason | None
    curve: list[tuple[float, float]] = Field(description="Pairs of Unix seconds and score.")


class IncidentStep(Answer):
    """Who did what to an incident, and when."""

    at: AwareDatetime
    user: str
    action: Action
    from_state: State
    to_state: State
    verdict: Verdict | None
    note: str | None


class IncidentDetail(Incident):
    """An incident with all that is known of it."""

    events: list[IncidentEvent]
    steps: list[IncidentStep]
    clip_started_at: AwareDatetime | None = Field(description="When the clip's first picture was taken.")
    clip_ended_at: AwareDatetime | None = Field(
        description="When its last was; it grows while the incident does."
    )


class Lookers(Answer):
    """Who else has an incident open now."""

    others: list[str] = Field(description="Names of users.")


class IncidentPage(Answer):
    """Incidents, newest first."""

    items: list[Incident]
    next: Id | None = Field(description="`before` of the next page; null on the last.")


class Zone(Answer):
    """A named area of a camera's picture."""

    name: str
    kind: str = "area"
    polygon: list[tuple[float, float]] = Field(description="Corners (x, y) as parts of the picture (0..1).")
    capacity: int | None = Field(None, description="People that it is meant for.")


class Line(Answer):
    """A counting line across a camera's picture; who crosses it from its left to its right goes in its direction."""

    name: str
    begin: Corner = Field(validation_alias="from")
    end: Corner = Field(validation_alias="to")


class Camera(Answer):
    """A camera and how it is doing: `connecting` where its worker has never reported."""

    id: str
    name: str
    site: SiteOfCamera
    simulated: bool
    state: CameraState = Field(CameraState.CONNECTING, validation_alias=AliasPath("status", "state"))
    since: AwareDatetime | None = Field(
        None,
        validation_alias=AliasPath("status", "since"),
        description="When it came to that state; null if it never reported.",
    )
    detail: str | None = Field(None, validation_alias=AliasPath("status", "detail"))
    position: GeoPosition | None
    zones: list[Zone]
    lines: list[Line]
    people: int = Field(0, validation_alias=AliasPath("status", "people"))
    people_rough: bool = Field(
        False,
        validation_alias=AliasPath("status", "people_rough"),
        description="At least so many: they cannot be told apart.",
    )
    counters: Counters = Field(Counters(), validation_alias=AliasPath("status", "counters"))
    fps: float = Field(0.0, validation_alias=AliasPath("status", "fps"))
    recording: bool = Field(False, validation_alias=AliasPath("status", "recording"))


class Site(SiteOfCamera):
    """A place with cameras."""

    address: str | None
    position: GeoPosition | None
    time_zone: str
    cameras: int
