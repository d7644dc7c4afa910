"""Incidents as people see them: the list, one with all its details, and the next step."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box
from tynysh.incidents import lifecycle
from tynysh.incidents.lifecycle import Action, Standing, State, Step, Verdict
from tynysh.store.database import must_be_writing
from tynysh.store.queries import changes
from tynysh.store.schema import CameraRow, EventRow, IncidentRow, IncidentStepRow


@dataclass(frozen=True, slots=True)
class GeoPosition:
    """A place on the map, degrees (WGS 84)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Place:
    """A site by id and name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """A camera by id and name."""

    id: str
    name: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident for a list. Times are Unix seconds; box is normalised.

    clip: `pending`, `ready`, `failed`, or `none`. still: whether there is a picture.
    """

    id: int
    site: Place
    camera: Source
    behaviour: Behaviour
    behaviours: tuple[Behaviour, ...]
    severity: int
    state: State
    verdict: Verdict | None
    owner: str | None
    opened_at: float
    started_at: float
    ended_at: float | None
    people: int
    score: float
    box: Box | None
    zone: str | None
    reason: Reason | None
    clip: str
    still: bool
    position: GeoPosition | None
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of an incident. curve: (Unix seconds, score)."""

    id: str
    behaviour: Behaviour
    started_at: float
    decided_at: float
    ended_at: float | None
    score: float
    box: Box | None
    people: int
    zone: str | None
    reason: Reason | None
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """An incident with all that is known. clip_started_at: Unix seconds of the clip's first picture."""

    incident: Incident
    events: tuple[StoredEvent, ...]
    steps: tuple[Step, ...]
    clip_started_at: float | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which incidents. None: any; open: not resolved. sites: all that may be seen, for a venue's user."""

    state: State | None = None
    site: str | None = None
    behaviour: Behaviour | None = None
    open: bool = False
    sites: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Incidents, newest first. next: `before` of the next page; None on the last."""

    items: Sequence[Incident] = field(default_factory=tuple)
    next: int | None = None


def page(session: Session, only: Filter, *, before: int | None = None, limit: int = 50) -> Page:
    """Incidents below number `before`, newest first, at most `limit`."""
    query = select(IncidentRow).options(*_SHOWN).order_by(IncidentRow.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(IncidentRow.id < before)
    if only.state is not None:
        query = query.where(IncidentRow.state == only.state)
    if only.open:
        query = query.where(IncidentRow.state != State.RESOLVED)
    if only.site is not None:
        query = query.where(IncidentRow.site_id == only.site)
    if only.behaviour is not None:
        # An incident is found by each of its behaviours, not by the one that names it alone.
        has = IncidentRow.events.any(EventRow.behaviour == only.behaviour)
        query = query.where(or_(IncidentRow.behaviour == only.behaviour, has))
    if only.sites is not None:
        query = query.where(IncidentRow.site_id.in_(only.sites))
    rows = session.scalars(query).all()
    return Page([_incident(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def get(session: Session, incident_id: int) -> Incident | None:
    """One incident, as in a list; None if there is none of that number."""
    row = session.get(IncidentRow, incident_id, options=_SHOWN)
    return None if row is None else _incident(row)


def many(session: Session, incident_ids: Collection[int]) -> dict[int, Incident]:
    """Incidents by number; those that do not exist are left out."""
    rows = session.scalars(select(IncidentRow).options(*_SHOWN).where(IncidentRow.id.in_(incident_ids)))
    return {row.id: _incident(row) for row in rows}


def detail(session: Session, incident_id: int) -> IncidentDetail | None:
    """One incident with its events and history; None if there is none of that number."""
    row = session.get(
        IncidentRow,
        incident_id,
        options=[*_SHOWN, selectinload(IncidentRow.events), selectinload(IncidentRow.steps)],
    )
    if row is None:
        return None
    return IncidentDetail(
        incident=_incident(row),
        events=tuple(_event(event) for event in row.events),
        steps=tuple(_step(step) for step in row.steps),
        clip_started_at=None if row.clip is None else row.clip.started_at,
    )


def take_step(
    session: Session,
    incident_id: int,
    action: Action,
    *,
    user: str,
    now: float,
    verdict: Verdict | None = None,
    note: str | None = None,
) -> IncidentDetail | None:
    """Do `action` to an incident, record it and tell the feed; None if there is no such incident.

    Needs a session of `Database.writing`. Raises `lifecycle.StepError` where the step cannot be taken.
    """
    must_be_writing(session)
    row = session.get(IncidentRow, incident_id)
    if row is None:
        return None
    after, step = lifecycle.step(standing(row), action, user=user, at=now, verdict=verdict, note=note)
    row.state, row.verdict, row.owner = after.state, after.verdict, after.owner
    row.resolved_at = (row.resolved_at or now) if after.state is State.RESOLVED else None
    session.add(
        IncidentStepRow(
            incident_id=incident_id,
            at=step.at,
            user=step.user,
            action=step.action,
            from_state=step.from_state,
            to_state=step.to_state,
            verdict=step.verdict,
            note=step.note,
        )
    )
    changes.publish(session, changes.ChangeKind.INCIDENT, incident_id, now=now)
    session.expire(row, ["steps"])
    return detail(session, incident_id)


def standing(row: IncidentRow) -> Standing:
    """Where an incident stands, for the life cycle."""
    return Standing(State(row.state), Verdict(row.verdict) if row.verdict else None, row.owner)


def stored_reason(reason: Reason | None) -> dict[str, Any] | None:
    """A reason as a JSON column carries it."""
    if reason is None:
        return None
    return {"key": reason.key, "values": {name: _carried(value) for name, value in reason.values.items()}}


def _carried(value: Any) -> float | int | str:
    """A number of any library, or a text, as both engines' JSON can carry it."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isfinite(value) else str(value)


def loaded_reason(carried: Mapping[str, Any] | None) -> Reason | None:
    """The reason that a JSON column carries."""
    return None if carried is None else Reason(carried["key"], carried["values"])


def loaded_box(carried: Sequence[float] | None) -> Box | None:
    """The box that a JSON column carries."""
    return None if carried is None else Box(*carried)


_SHOWN = (
    joinedload(IncidentRow.site),
    joinedload(IncidentRow.camera).joinedload(CameraRow.site),
    joinedload(IncidentRow.clip),
)


def position(camera: CameraRow) -> GeoPosition | None:
    """Where a camera is: its own position, else its site's."""
    place = camera.settings.get("position") or camera.site.settings.get("position")
    return None if place is None else GeoPosition(place["latitude"], place["longitude"])


def _incident(row: IncidentRow) -> Incident:
    clip = row.clip
    return Incident(
        id=row.id,
        site=Place(row.site_id, row.site.name),
        camera=Source(row.camera_id, row.camera.name, row.camera.simulated),
        behaviour=Behaviour(row.behaviour),
        behaviours=tuple(Behaviour(behaviour) for behaviour in row.behaviours),
        severity=row.severity,
        state=State(row.state),
        verdict=Verdict(row.verdict) if row.verdict else None,
        owner=row.owner,
        opened_at=row.opened_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        people=row.people,
        score=row.score,
        box=loaded_box(row.box),
        zone=row.zone,
        reason=loaded_reason(row.reason),
        clip="none" if clip is None else clip.state,
        still=clip is not None and clip.still_path is not None,
        position=position(row.camera),
        actions=lifecycle.actions(standing(row)),
    )


def _event(row: EventRow) -> StoredEvent:
    return StoredEvent(
        id=row.id,
        behaviour=Behaviour(row.behaviour),
        started_at=row.started_at,
        decided_at=row.decided_at,
        ended_at=row.ended_at,
        score=row.score,
        box=loaded_box(row.box),
        people=row.people,
        zone=row.zone,
        reason=loaded_reason(row.reason),
        curve=tuple((at, score) for at, score in row.curve),
    )


def _step(row: IncidentStepRow) -> Step:
    return Step(
        at=row.at,
        user=row.user,
        action=Action(row.action),
        from_state=State(row.from_state),
        to_state=State(row.to_state),
        verdict=Verdict(row.verdict) if row.verdict else None,
        note=row.note,
    )
