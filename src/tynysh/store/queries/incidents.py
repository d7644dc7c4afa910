"""Incidents as people see them: the list, one with all its details, and the next step."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from numbers import Integral
from typing import Any, TypeVar

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box, GeoPosition
from tynysh.incidents import lifecycle
from tynysh.incidents.incident import CameraName, Incident, IncidentDetail, SiteName
from tynysh.incidents.lifecycle import Action, Handling, HandlingStep, State, StepError, Verdict
from tynysh.store.database import must_be_writing
from tynysh.store.queries import changes
from tynysh.store.schema import CameraRow, EventRow, IncidentRow, IncidentStepRow, SiteRow


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
    query = select(IncidentRow).options(*SHOWN).order_by(IncidentRow.id.desc()).limit(limit + 1)
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
    return Page(
        [loaded_incident(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
    )


def get(session: Session, incident_id: int) -> Incident | None:
    """One incident, as in a list; None if there is none of that number."""
    row = session.get(IncidentRow, incident_id, options=SHOWN)
    return None if row is None else loaded_incident(row)


def many(session: Session, incident_ids: Collection[int]) -> dict[int, Incident]:
    """Incidents by number; those that do not exist are left out."""
    rows = session.scalars(select(IncidentRow).options(*SHOWN).where(IncidentRow.id.in_(incident_ids)))
    return {row.id: loaded_incident(row) for row in rows}


def detail(session: Session, incident_id: int) -> IncidentDetail | None:
    """One incident with its events and history; None if there is none of that number."""
    row = session.get(
        IncidentRow,
        incident_id,
        options=[*SHOWN, selectinload(IncidentRow.events), selectinload(IncidentRow.steps)],
    )
    if row is None:
        return None
    return _loaded(
        IncidentDetail,
        row,
        events=tuple(loaded_event(event, event.curve) for event in row.events),
        steps=tuple(_step(step) for step in row.steps),
        clip_started_at=None if row.clip is None else row.clip.started_at,
        clip_ended_at=None if row.clip is None else row.clip.ended_at,
    )


class StaleError(StepError):
    """Others have changed the incident since it was seen."""

    def __init__(self) -> None:
        super().__init__("incident.error.changed", "The incident has changed since it was seen.")


def take_step(
    session: Session,
    incident_id: int,
    action: Action,
    *,
    user: str,
    now: float,
    verdict: Verdict | None = None,
    note: str | None = None,
    lead: bool = False,
    version: int | None = None,
    key: str | None = None,
) -> IncidentDetail | None:
    """Do `action` to an incident, record it and tell the feed; None if there is no such incident.

    version: of the incident as `user` saw it, None for whatever it is now. key: of this step, see `is_taken`.

    Needs a session of `Database.writing`. Raises `lifecycle.StepError` where the step cannot be taken, `StaleError`
    where others were quicker.
    """
    must_be_writing(session)
    row = session.get(IncidentRow, incident_id)
    if row is None:
        return None
    if version is not None and action is not Action.NOTE and version != row.version:
        raise StaleError
    if action is Action.UNDO:
        after, step = lifecycle.undone([_step(each) for each in row.steps], user=user, at=now)
    else:
        handling = Handling(State(row.state), _verdict(row), row.owner)
        after, step = lifecycle.step(
            handling, action, user=user, at=now, verdict=verdict, note=note, lead=lead
        )
    row.state, row.verdict, row.owner = after.state, after.verdict, after.owner
    row.resolved_at = (row.resolved_at or now) if after.state is State.RESOLVED else None
    row.version += action is not Action.NOTE
    session.add(IncidentStepRow(incident_id=incident_id, key=key, **asdict(step)))
    changes.publish(session, changes.ChangeKind.INCIDENT, incident_id, now=now)
    session.expire(row, ["steps"])
    return detail(session, incident_id)


def is_taken(session: Session, key: str, incident_id: int, user: str) -> bool:
    """Whether `user` has taken the step of that key already: it was sent twice.

    Raises StepError where the key is another step's.
    """
    known = session.scalars(select(IncidentStepRow).where(IncidentStepRow.key == key)).one_or_none()
    if known is not None and (known.incident_id, known.user) != (incident_id, user):
        raise StepError("incident.error.key", "The key is another step's.", field="key")
    return known is not None


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


SHOWN = (
    joinedload(IncidentRow.site),
    joinedload(IncidentRow.camera).joinedload(CameraRow.site),
    joinedload(IncidentRow.clip),
)
"""What `loaded_incident` reads beside the incident's own row."""


def site_name(row: SiteRow) -> SiteName:
    """A site by id, name and kind."""
    return SiteName(row.id, row.name, row.kind)


def camera_name(row: CameraRow) -> CameraName:
    """A camera by id and name."""
    return CameraName(row.id, row.name, row.simulated)


def position(row: CameraRow | SiteRow) -> GeoPosition | None:
    """Where a site or a camera is: a camera that does not say is where its site is."""
    place = row.settings.get("position")
    if place is None:
        return position(row.site) if isinstance(row, CameraRow) else None
    return GeoPosition(place["latitude"], place["longitude"])


def loaded_event(row: EventRow | Row[Any], curve: Sequence[Sequence[float]]) -> Event:
    """The event that a row carries; times are Unix seconds."""
    return Event(
        id=row.id,
        behaviour=Behaviour(row.behaviour),
        phase=Phase.UPDATED if row.ended_at is None else Phase.ENDED,
        start_s=row.started_at,
        decided_s=row.decided_at,
        end_s=row.ended_at,
        score=row.score,
        box=loaded_box(row.box),
        people=row.people,
        zone=row.zone,
        subject=row.subject,
        reason=loaded_reason(row.reason),
        curve=tuple((at, score) for at, score in curve),
    )


def loaded_incident(row: IncidentRow) -> Incident:
    """The incident that a row carries."""
    return _loaded(Incident, row)


_Kind = TypeVar("_Kind", bound=Incident)


def _loaded(kind: type[_Kind], row: IncidentRow, **more: object) -> _Kind:
    return kind(
        id=row.id,
        site=site_name(row.site),
        camera=camera_name(row.camera),
        behaviour=Behaviour(row.behaviour),
        behaviours=tuple(Behaviour(behaviour) for behaviour in row.behaviours),
        severity=row.severity,
        state=State(row.state),
        verdict=_verdict(row),
        owner=row.owner,
        opened_at=row.opened_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        people=row.people,
        score=row.score,
        box=loaded_box(row.box),
        zone=row.zone,
        reason=loaded_reason(row.reason),
        clip="none" if row.clip is None else row.clip.state,
        still=row.clip is not None and row.clip.still_path is not None,
        position=position(row.camera),
        version=row.version,
        renewed_at=row.renewed_at,
        **more,
    )


def _verdict(row: IncidentRow | IncidentStepRow) -> Verdict | None:
    return Verdict(row.verdict) if row.verdict else None


def _step(row: IncidentStepRow) -> HandlingStep:
    return HandlingStep(
        at=row.at,
        user=row.user,
        action=Action(row.action),
        from_state=State(row.from_state),
        to_state=State(row.to_state),
        verdict=_verdict(row),
        note=row.note,
    )
