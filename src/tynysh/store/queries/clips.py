"""The clips of incidents: expected, ready, failed, gone."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from tynysh.incidents.incident import ClipState
from tynysh.store.database import must_be_writing
from tynysh.store.queries import changes
from tynysh.store.schema import ClipRow, IncidentRow


@dataclass(frozen=True, slots=True)
class StoredClip:
    """The clip of an incident. Paths are relative to the evidence folder; times are Unix seconds."""

    incident_id: int
    camera_id: str
    state: str
    original_path: str | None
    anonymised_path: str | None
    still_path: str | None
    started_at: float | None
    ended_at: float | None
    bytes: int
    detail: str | None


def get(session: Session, incident_id: int) -> StoredClip | None:
    """The clip of an incident; None where none is expected."""
    row = session.get(ClipRow, incident_id, options=[joinedload(ClipRow.incident)])
    return None if row is None else _clip(row)


def pending(session: Session) -> Sequence[StoredClip]:
    """The clips still to be cut, oldest first: what a restarted worker goes on with."""
    return [_clip(row) for row in session.scalars(_in_state("pending").order_by(ClipRow.incident_id))]


def newest(session: Session, *, limit: int) -> Sequence[StoredClip]:
    """The clips that are ready of the newest incidents: those that may still grow."""
    query = _in_state("ready").order_by(ClipRow.incident_id.desc()).limit(limit)
    return [_clip(row) for row in session.scalars(query)]


def _in_state(state: ClipState) -> Select[ClipRow]:
    joined = select(ClipRow).join(IncidentRow).options(joinedload(ClipRow.incident))
    return joined.where(ClipRow.state == state)


def needed_recordings(session: Session) -> dict[str, list[float]]:
    """When the incidents began (Unix seconds) whose clips are still to be cut, by camera id."""
    needed: dict[str, list[float]] = {}
    query = select(IncidentRow.camera_id, IncidentRow.started_at).join(ClipRow)
    for camera_id, started_at in session.execute(query.where(ClipRow.state == "pending")):
        needed.setdefault(camera_id, []).append(started_at)
    return needed


def expect(session: Session, incident_id: int, *, now: float) -> None:
    """A clip will be cut for this incident; changes nothing where one is known of already."""
    must_be_writing(session)
    if session.get(ClipRow, incident_id) is None:
        session.add(ClipRow(incident_id=incident_id, state="pending", updated_at=now))
        session.flush()


def set_still(session: Session, incident_id: int, still_path: str, *, now: float) -> None:
    """The incident's picture is there, before its clip as a rule. Where no clip is expected, none becomes so."""
    must_be_writing(session)
    row = session.get(ClipRow, incident_id)
    if row is None:
        row = ClipRow(incident_id=incident_id, state="none", updated_at=now)
        session.add(row)
    row.still_path = still_path
    _publish(session, row, now)


def set_ready(
    session: Session,
    incident_id: int,
    *,
    original_path: str | None,
    anonymised_path: str,
    started_at: float,
    ended_at: float,
    bytes: int,  # noqa: A002  the unit is the name
    now: float,
    still_path: str | None = None,
) -> None:
    """The clip can be played. bytes: of all its files together."""
    row = _row(session, incident_id, now)
    row.state, row.detail = "ready", None
    row.original_path, row.anonymised_path = original_path, anonymised_path
    row.still_path = still_path or row.still_path
    row.started_at, row.ended_at, row.bytes = started_at, ended_at, bytes
    _publish(session, row, now)


def set_failed(session: Session, incident_id: int, detail: str, *, now: float) -> None:
    """There will be no clip; `detail` says why."""
    row = _row(session, incident_id, now)
    row.state, row.detail = "failed", detail
    _publish(session, row, now)


def forget(session: Session, incident_id: int, *, now: float) -> None:
    """The clip's files are gone, as retention demands: there is none any more."""
    must_be_writing(session)
    row = session.get(ClipRow, incident_id)
    if row is not None:
        session.delete(row)
        session.flush()
        changes.publish(session, changes.ChangeKind.INCIDENT, incident_id, now=now)


def _row(session: Session, incident_id: int, now: float) -> ClipRow:
    must_be_writing(session)
    expect(session, incident_id, now=now)
    return session.get_one(ClipRow, incident_id)


def _publish(session: Session, row: ClipRow, now: float) -> None:
    row.updated_at = now
    session.flush()
    changes.publish(session, changes.ChangeKind.INCIDENT, row.incident_id, now=now)


def _clip(row: ClipRow) -> StoredClip:
    return StoredClip(
        incident_id=row.incident_id,
        camera_id=row.incident.camera_id,
        state=row.state,
        original_path=row.original_path,
        anonymised_path=row.anonymised_path,
        still_path=row.still_path,
        started_at=row.started_at,
        ended_at=row.ended_at,
        bytes=row.bytes,
        detail=row.detail,
    )
