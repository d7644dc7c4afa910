"""What the API answers, field by field."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from tynysh.api.links import CameraState, CameraStatus, Counters
from tynysh.behaviour import signal
from tynysh.behaviour.signal import Behaviour
from tynysh.geometry import Box
from tynysh.incidents import lifecycle
from tynysh.incidents.lifecycle import Action, State, Verdict
from tynysh.store.queries import cameras as stored_cameras
from tynysh.store.queries import incidents as stored

Normalised = Annotated[
    tuple[float, float, float, float],
    Field(description="Left, top, right, bottom as parts of the picture (0..1), origin top left."),
]


def moment(seconds: float) -> datetime:
    """Unix seconds as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    """Unix seconds as a moment in UTC, if there are any."""
    return None if seconds is None else moment(seconds)


class GeoPosition(BaseModel):
    """A place on the map, degrees (WGS 84)."""

    latitude: float
    longitude: float


class SiteName(BaseModel):
    """A site by id and name."""

    id: str
    name: str


class SiteOfCamera(SiteName):
    """A camera's site."""

    kind: str


class CameraName(BaseModel):
    """A camera by id and name."""

    id: str
    name: str
    simulated: bool = Field(description="Whether its pictures are drawn, not filmed.")


class Reason(BaseModel):
    """Why: a key of the translation catalogue with the values of its places."""

    key: str
    values: dict[str, float | int | str]


class Incident(BaseModel):
    """What people handle: one happening. Its id is a number, sent as text as all ids are."""

    id: str
    site: SiteName
    camera: CameraName
    behaviour: Behaviour = Field(description="The gravest of `behaviours`.")
    behaviours: list[Behaviour]
    severity: int = Field(ge=1, le=4, description="1 low, 2 medium, 3 high, 4 critical.")
    state: State
    verdict: Verdict | None
    owner: str | None = Field(description="Name of the user who has it.")
    opened_at: AwareDatetime = Field(description="When it was first recorded.")
    started_at: AwareDatetime = Field(description="Onset.")
    ended_at: AwareDatetime | None = Field(description="Null while it goes on.")
    people: int
    score: float
    box: Normalised | None
    zone: str | None
    reason: Reason | None
    clip: Literal["pending", "ready", "failed", "none"]
    still: bool
    position: GeoPosition | None
    actions: list[Action] = Field(description="What may be done to it now.")


class IncidentEvent(BaseModel):
    """A stretch of time in which a signal held."""

    id: str
    behaviour: Behaviour
    started_at: AwareDatetime
    decided_at: AwareDatetime
    ended_at: AwareDatetime | None
    score: float
    box: Normalised | None
    people: int
    zone: str | None
    reason: Reason | None
    curve: list[tuple[float, float]] = Field(description="Pairs of Unix seconds and score.")


class IncidentStep(BaseModel):
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


class IncidentPage(BaseModel):
    """Incidents, newest first."""

    items: list[Incident]
    next: str | None = Field(description="`before` of the next page; null on the last.")


class Zone(BaseModel):
    """A named area of a camera's picture."""

    name: str
    kind: str
    polygon: list[tuple[float, float]] = Field(description="Corners (x, y) as parts of the picture (0..1).")
    capacity: int | None = Field(description="People that it is meant for.")


class Line(BaseModel):
    """A counting line across a camera's picture; who crosses it from its left to its right goes in its direction."""

    name: str
    begin: tuple[float, float] = Field(description="Point (x, y) as parts of the picture (0..1).")
    end: tuple[float, float]


class Camera(BaseModel):
    """A camera and how it is doing."""

    id: str
    name: str
    site: SiteOfCamera
    simulated: bool
    state: CameraState
    since: AwareDatetime | None = Field(description="When it came to that state; null if it never reported.")
    detail: str | None
    position: GeoPosition | None
    zones: list[Zone]
    lines: list[Line]
    people: int
    people_rough: bool = Field(description="At least so many: they cannot be told apart.")
    counters: Counters
    fps: float
    recording: bool


class Site(BaseModel):
    """A place with cameras."""

    id: str
    name: str
    kind: str
    address: str | None
    position: GeoPosition | None
    time_zone: str
    cameras: int


def _position(position: stored.GeoPosition | None) -> GeoPosition | None:
    return None if position is None else GeoPosition(latitude=position.latitude, longitude=position.longitude)


def _box(box: Box | None) -> tuple[float, float, float, float] | None:
    return None if box is None else (box.left, box.top, box.right, box.bottom)


def reason(given: signal.Reason | None) -> Reason | None:
    """A reason as it is sent, if there is one."""
    return None if given is None else Reason(key=given.key, values=dict(given.values))


def incident_fields(incident: stored.Incident) -> dict[str, object]:
    """The fields of `Incident`."""
    return {
        "id": str(incident.id),
        "site": SiteName(id=incident.site.id, name=incident.site.name),
        "camera": CameraName(
            id=incident.camera.id, name=incident.camera.name, simulated=incident.camera.simulated
        ),
        "behaviour": incident.behaviour,
        "behaviours": list(incident.behaviours),
        "severity": incident.severity,
        "state": incident.state,
        "verdict": incident.verdict,
        "owner": incident.owner,
        "opened_at": moment(incident.opened_at),
        "started_at": moment(incident.started_at),
        "ended_at": moment_or_none(incident.ended_at),
        "people": incident.people,
        "score": incident.score,
        "box": _box(incident.box),
        "zone": incident.zone,
        "reason": reason(incident.reason),
        "clip": incident.clip,
        "still": incident.still,
        "position": _position(incident.position),
        "actions": list(incident.actions),
    }


def incident(found: stored.Incident) -> Incident:
    """An incident as it is sent."""
    return Incident.model_validate(incident_fields(found))


def incident_detail(found: stored.IncidentDetail) -> IncidentDetail:
    """An incident with all that is known of it, as it is sent."""
    return IncidentDetail.model_validate(
        {
            **incident_fields(found.incident),
            "events": [_event(event) for event in found.events],
            "steps": [_step(step) for step in found.steps],
            "clip_started_at": moment_or_none(found.clip_started_at),
        }
    )


def _event(event: stored.StoredEvent) -> IncidentEvent:
    return IncidentEvent(
        id=event.id,
        behaviour=event.behaviour,
        started_at=moment(event.started_at),
        decided_at=moment(event.decided_at),
        ended_at=moment_or_none(event.ended_at),
        score=event.score,
        box=_box(event.box),
        people=event.people,
        zone=event.zone,
        reason=reason(event.reason),
        curve=list(event.curve),
    )


def _step(step: lifecycle.Step) -> IncidentStep:
    return IncidentStep(
        at=moment(step.at),
        user=step.user,
        action=step.action,
        from_state=step.from_state,
        to_state=step.to_state,
        verdict=step.verdict,
        note=step.note,
    )


def camera(found: stored_cameras.CameraView, status: CameraStatus | None) -> Camera:
    """A camera as it is sent; `status` None where nothing is known of how it status, which is `connecting`."""
    return Camera(
        id=found.id,
        name=found.name,
        site=SiteOfCamera(id=found.site.id, name=found.site.name, kind=found.site_kind),
        simulated=found.simulated,
        state=status.state if status else "connecting",
        since=moment(status.since) if status else None,
        detail=(status.detail or None) if status else None,
        position=_position(found.position),
        zones=[
            Zone(
                name=zone["name"],
                kind=zone.get("kind", "area"),
                polygon=zone["polygon"],
                capacity=zone.get("capacity"),
            )
            for zone in found.zones
        ],
        lines=[Line(name=line["name"], begin=line["from"], end=line["to"]) for line in found.lines],
        people=status.people if status else 0,
        people_rough=status.people_rough if status else False,
        counters=status.counters if status else Counters(),
        fps=status.fps if status else 0.0,
        recording=status.recording if status else False,
    )


def recorded(found: stored_cameras.CameraView) -> CameraStatus | None:
    """How the camera fared when its worker last recorded it."""
    status = found.status
    if status is None:
        return None
    return CameraStatus.model_validate(
        {
            "state": status.state,
            "since": status.since,
            "detail": status.detail,
            "people": status.people,
            "fps": status.fps,
            "recording": status.recording,
            "counters": dict(status.counters),
        }
    )


def current(found: stored_cameras.CameraView, said: CameraStatus | None) -> CameraStatus | None:
    """How the camera status now.

    said: what its worker answers. Where it does not answer, what is on record cannot be trusted to be so still: a
    camera that has reported before is then `lost`, with the detail `worker_silent`.
    """
    last = recorded(found)
    if said is not None or last is None:
        return said
    silent = {"state": "lost", "detail": "worker_silent", "people": 0, "fps": 0.0, "recording": False}
    return last.model_copy(update=silent)


def site(found: stored_cameras.SiteView) -> Site:
    """A site as it is sent."""
    return Site(
        id=found.id,
        name=found.name,
        kind=found.kind,
        address=found.address,
        position=_position(found.position),
        time_zone=found.time_zone,
        cameras=found.cameras,
    )
