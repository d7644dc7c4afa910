"""Events written down: each durable, and part of an incident, before anyone hears of it."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tynysh.behaviour.event import Event
from tynysh.incidents import fusion
from tynysh.incidents.fusion import GAP_S, LONGEST_S, RENEWED_AFTER_S
from tynysh.incidents.incident import Incident, Summary
from tynysh.store.database import Database, RefusedError, must_be_writing
from tynysh.store.queries import changes, clips
from tynysh.store.queries.incidents import SHOWN, loaded_event, loaded_incident, stored_reason
from tynysh.store.schema import CameraRow, EventRow, IncidentRow, SiteRow

MOST_SAMPLES = 512
"""A kept curve has at most so many samples."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """What became of an event: its incident, whether it opened it, whether people will see a change."""

    incident_id: int
    opened: bool
    changed: bool


def record(
    database: Database,
    event: Event,
    camera_id: str,
    *,
    now: float,
    gap_s: float | None = None,
    clip: bool = False,
) -> RecordedEvent:
    """Keep what `event` says in a transaction of its own: durable when this returns. See `write`."""
    with database.writing() as session:
        return write(session, event, camera_id, now=now, gap_s=gap_s, clip=clip)


def write(
    session: Session,
    event: Event,
    camera_id: str,
    *,
    now: float,
    gap_s: float | None = None,
    clip: bool = False,
) -> RecordedEvent:
    """Keep an event, new or told of before, join it to its incident, and tell the feed if people will see a
    change.

    Saying the same again changes nothing, and what comes late (an update after the end, or after one of later) is left
    aside, so a worker may repeat what it is not sure was kept. `clip`: whether a clip is to be expected, if an incident
    is opened. `gap_s`: how far apart related events may be to be joined; None for what the camera's site says.
    Times of the event must be Unix seconds. Needs a session of `Database.writing`; raises RefusedError where
    the camera is not in the database.
    """
    must_be_writing(session)
    row = session.get(EventRow, event.id)
    if row is None:
        return _add(session, event, camera_id, now, gap_s, clip)
    ended = row.ended_at is not None and not row.orphaned
    overtaken = event.end_s is None and (ended or event.known_until_s < row.known_until_at)
    if overtaken or not _take_over(row, event, now):
        return RecordedEvent(row.incident_id, opened=False, changed=False)
    return RecordedEvent(row.incident_id, opened=False, changed=_refresh(session, row.incident, now))


def close_orphans(
    session: Session, camera_ids: Collection[str], *, now: float, but: Collection[str] = ()
) -> Sequence[str]:
    """End the events that a worker which is gone left open on its cameras, all `but` these, and return their ids. See
    `close`.
    """
    query = select(EventRow.id).where(EventRow.camera_id.in_(camera_ids), EventRow.ended_at.is_(None))
    return close(session, set(session.scalars(query)) - set(but), now=now)


def close(session: Session, event_ids: Collection[str], *, now: float) -> Sequence[str]:
    """End those of these events that are open, and return their ids.

    They end when they were last known to hold, and are marked. Should their worker be alive after all, what
    it says next stands. Needs a session of `Database.writing`.
    """
    must_be_writing(session)
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.id.in_(event_ids), EventRow.ended_at.is_(None))
        .order_by(EventRow.started_at, EventRow.id)
    ).all()
    for row in rows:
        row.ended_at = row.known_until_at
        row.orphaned = True
        row.updated_at = now
    session.flush()
    for incident in {row.incident_id: row.incident for row in rows}.values():
        _refresh(session, incident, now)
    return [row.id for row in rows]


def thinned(curve: Sequence[tuple[float, float]], limit: int = MOST_SAMPLES) -> list[list[float]]:
    """At most `limit` samples of `curve`: of each stretch of time the highest, and always the last."""
    samples = [[float(at), float(score)] for at, score in curve]
    if len(samples) <= limit:
        return samples
    body, last = samples[:-1], samples[-1]
    stretch = math.ceil(len(body) / (limit - 1))
    highest = [max(body[i : i + stretch], key=lambda sample: sample[1]) for i in range(0, len(body), stretch)]
    return [*highest, last]


def _add(
    session: Session, event: Event, camera_id: str, now: float, gap_s: float | None, clip: bool
) -> RecordedEvent:
    camera = session.get(CameraRow, camera_id)
    if camera is None:
        raise RefusedError(f"Camera {camera_id!r} is not in the database.", hint="tynysh apply adds cameras.")
    joining = _joining(camera.site)
    if gap_s is None:
        gap_s = float(joining.get("gap_s", GAP_S))
    longest_s = float(joining.get("longest_s", LONGEST_S))
    row = EventRow(id=event.id, camera_id=camera_id, recorded_at=now)
    _take_over(row, event, now)
    home = fusion.home(
        event, _candidates(session, camera_id, row.started_at, gap_s), gap_s=gap_s, longest_s=longest_s
    )
    opened = home is None
    if home is None:
        incident = IncidentRow(site_id=camera.site_id, camera_id=camera_id, opened_at=now, state="new")
        _apply(incident, fusion.summary([loaded_event(row, row.curve)]))
        session.add(incident)
        session.flush()
        if clip:
            clips.expect(session, incident.id, now=now)
    else:
        incident = session.get_one(IncidentRow, home)
    row.incident_id = incident.id
    session.add(row)
    session.flush()
    _refresh(session, incident, now, surely=True)
    return RecordedEvent(incident.id, opened=opened, changed=True)


def _candidates(session: Session, camera_id: str, start_s: float, gap_s: float) -> list[Incident]:
    query = (
        select(IncidentRow)
        .options(*SHOWN)
        .where(
            IncidentRow.camera_id == camera_id,
            or_(IncidentRow.ended_at.is_(None), IncidentRow.ended_at >= start_s - gap_s),
        )
    )
    return [loaded_incident(row) for row in session.scalars(query)]


def _joining(site: SiteRow) -> Mapping[str, float]:
    """What a site says of joining events, in the words of `site.incidents.Joining`."""
    said: Mapping[str, float] = site.settings.get("joining", {})
    return said


def _take_over(row: EventRow, event: Event, now: float) -> bool:
    """Put what `event` says into `row`; whether anything is different."""
    values = {
        "behaviour": event.behaviour,
        "subject": event.subject.replace("\0", ""),
        "started_at": float(event.start_s),
        "decided_at": float(event.decided_s),
        "ended_at": None if event.end_s is None else float(event.end_s),
        "known_until_at": float(event.known_until_s),
        "score": min(max(float(event.score), 0.0), 1.0),
        "people": int(event.people),
        "box": None if event.box is None else [float(edge) for edge in event.box],
        "zone": event.zone,
        "reason": stored_reason(event.reason),
        "curve": thinned(event.curve),
        "orphaned": False,
    }
    changed = _update(row, values)
    if changed:
        row.updated_at = now
    return changed


def _refresh(session: Session, incident: IncidentRow, now: float, *, surely: bool = False) -> bool:
    """Sum the incident up anew and tell the feed if people will see a change."""
    session.flush()
    # Of the curves only the last moment: an incident may have many events, and each of their updates comes by here.
    rows = session.execute(select(*_SUMMED).where(EventRow.incident_id == incident.id))
    known = [loaded_event(row, [(row.known_until_at, row.score)]) for row in rows]
    renewed_after_s = float(_joining(incident.site).get("renewed_after_s", RENEWED_AFTER_S))
    changed = _apply(incident, fusion.summary(known, renewed_after_s=renewed_after_s))
    if changed or surely:
        changes.publish(session, changes.ChangeKind.INCIDENT, incident.id, now=now)
    return changed or surely


_SUMMED = [column for column in EventRow.__table__.columns if column.name != "curve"]


def _apply(incident: IncidentRow, summary: Summary) -> bool:
    """Put what the events amount to into the incident; whether anything is different."""
    values = {
        **vars(summary),
        "behaviour": summary.behaviour,
        "behaviours": list(summary.behaviours),
        "box": None if summary.box is None else list(summary.box),
        "reason": stored_reason(summary.reason),
    }
    return _update(incident, values)


def _update(row: EventRow | IncidentRow, values: dict[str, Any]) -> bool:
    """Set what differs; whether anything does."""
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)
