"""Deleting what sites no longer keep: recordings, clips and figures by minute."""

import dataclasses
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from tynysh.crowd.minutes import MINUTE_S
from tynysh.evidence.due import DAY_S, Bounds, Footage, due
from tynysh.incidents.lifecycle import State, Verdict
from tynysh.media.segment import Segment, segments
from tynysh.site.retention import Retention
from tynysh.store import record
from tynysh.store.database import Database
from tynysh.store.queries import clips, crowd_history
from tynysh.store.schema import CameraRow, ClipRow, IncidentRow, SiteRow

log = structlog.get_logger(__name__)

USER = "retention"
"""Who deletes, in the audit record."""

_AROUND_CLIP_S = 120.0
"""Recordings that end so near to the onset of an incident whose clip is not cut yet are kept for it."""

BEING_WRITTEN_S = 600.0
"""The last segment of a camera is taken to be still written to for so long after its last change."""


Dated = Callable[[float], float]
"""The date (Unix seconds) by the clock as it is now of what was dated so when it was made (`Reckoned.dated`)."""


def _as_dated(date_s: float) -> float:
    return date_s


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much was deleted: segments of recordings, incidents' clips, and bytes of both."""

    segments: int = 0
    clips: int = 0
    bytes: int = 0

    def __add__(self, other: "Deleted") -> "Deleted":
        return Deleted(self.segments + other.segments, self.clips + other.clips, self.bytes + other.bytes)


def delete_due(
    database: Database,
    *,
    recordings: Path,
    evidence: Path,
    now: float,
    counted_to: float,
    dated: Dated = _as_dated,
) -> Deleted:
    """Delete what its site no longer keeps, of cameras and sites out of force too.

    recordings, evidence: the folders of all cameras and of all incidents. now: Unix time, for the record; ages are
    those at `counted_to`. dated: the true date of what was dated so. What cannot be deleted is logged, and tried again
    next time. Raises StoreError.
    """
    deleted = Deleted()
    for site_id, retention in _retentions(database):
        deleted += _delete_recordings(database, site_id, retention, recordings, counted_to, dated)
        deleted += _delete_clips(database, site_id, retention, evidence, now, counted_to, dated)
    _log(deleted)
    return deleted


def delete_beyond_room(
    database: Database, *, recordings: Path, counted_to: float, dated: Dated = _as_dated
) -> Deleted:
    """Delete the recordings alone, and of those sites alone whose room is bounded: quick enough to be done often, for
    a bound is only kept as well as it is looked at. Otherwise as `delete_due`.
    """
    deleted = Deleted()
    for site_id, retention in _retentions(database):
        if retention.recordings.gigabytes is not None:
            deleted += _delete_recordings(database, site_id, retention, recordings, counted_to, dated)
    _log(deleted)
    return deleted


def recycle(
    recordings: Path,
    *,
    bytes_wanted: int,
    counted_to: float,
    needed: Mapping[str, Collection[float]],
    dated: Dated = _as_dated,
) -> Deleted:
    """Delete the oldest recordings of all cameras, whatever their days, until so many bytes are free again.

    What is being written stays, and what is `needed`: for the clips of incidents, when they began, by camera id.
    Evidence is elsewhere, and is not touched. What cannot be deleted is logged.
    """
    found = [
        (footage.ended_at, footage.ref)
        for folder in recordings.iterdir()
        for footage in _recorded(folder, counted_to, dated)
        if not footage.needed
        and not any(abs(at - footage.ended_at) < _AROUND_CLIP_S for at in needed.get(folder.name, ()))
    ]
    deleted = Deleted()
    for _, segment in sorted(found):
        if deleted.bytes >= bytes_wanted:
            break
        deleted += _delete(segment)
    return deleted


def _delete(segment: Segment) -> Deleted:
    size = segment.bytes
    try:
        segment.path.unlink(missing_ok=True)
    except OSError as error:
        log.error("retention.not_deleted", path=str(segment.path), error=error.strerror)
        return Deleted()
    return Deleted(segments=1, bytes=size)


def forget_history(session: Session, *, counted_to: float) -> int:
    """Delete the crowd figures of all sites whose time is over, by their sites' retention; how many blocks went.

    Sites and cameras that are no longer in force count too. Needs a session of `Database.writing`.
    """
    gone = 0
    for site in session.scalars(select(SiteRow).order_by(SiteRow.id)):
        kept = Retention.model_validate(site.settings.get("retention", {}))
        owners = {site.id, *cameras_of(session, site.id)}
        gone += crowd_history.forget(
            session, owners, before=int((counted_to - kept.history.days * DAY_S) // MINUTE_S)
        )
    return gone


def clips_of(session: Session, site_id: str) -> Sequence[Footage[int]]:
    """The clips of a site's incidents, by incident number.

    Needed are those of incidents that nobody has resolved yet; what was verified false led to nothing.
    """
    rows = session.scalars(
        select(ClipRow)
        .join(IncidentRow)
        .options(joinedload(ClipRow.incident))
        .where(IncidentRow.site_id == site_id, ClipRow.state != "pending")
        .order_by(ClipRow.incident_id)
    )
    return [
        Footage(
            ref=row.incident_id,
            ended_at=row.ended_at or row.incident.ended_at or row.incident.started_at,
            bytes=row.bytes,
            needed=row.incident.state != State.RESOLVED and row.incident.verdict != Verdict.FALSE,
            spent=row.incident.verdict == Verdict.FALSE,
        )
        for row in rows
    ]


def cameras_of(session: Session, site_id: str) -> Collection[str]:
    """The ids of all cameras that a site ever had: their recordings count, also of those since removed."""
    return session.scalars(
        select(CameraRow.id).where(CameraRow.site_id == site_id).order_by(CameraRow.id)
    ).all()


def _retentions(database: Database) -> Iterator[tuple[str, Retention]]:
    """What each site keeps, also those that are out of force."""
    with database.reading() as session:
        kept = {site.id: site.settings.get("retention", {}) for site in session.scalars(select(SiteRow))}
    for site_id, settings in kept.items():
        try:
            yield site_id, Retention.model_validate(settings)
        except ValidationError:
            log.warning("retention.not_understood", site=site_id)


def _log(deleted: Deleted) -> None:
    if deleted.segments or deleted.clips:
        log.info(
            "retention.deleted",
            segments=deleted.segments,
            clips=deleted.clips,
            megabytes=deleted.bytes // 10**6,
        )


def _delete_recordings(
    database: Database, site_id: str, retention: Retention, recordings: Path, counted_to: float, dated: Dated
) -> Deleted:
    with database.reading() as session:
        cameras = list(cameras_of(session, site_id))
    found = [
        footage for camera_id in cameras for footage in _recorded(recordings / camera_id, counted_to, dated)
    ]
    bounds = Bounds(days=retention.recordings.days, gigabytes=retention.recordings.gigabytes)
    deleted = Deleted()
    for segment in due(found, bounds, now=counted_to):
        deleted += _delete(segment)
    return deleted


def _recorded(folder: Path, now: float, dated: Dated) -> Iterator[Footage[Segment]]:
    """The segments of one camera. Each ends where the next begins, the last when it was last written to."""
    recorded = sorted((dated(segment.start_s), segment) for segment in segments(folder))
    for place, (_, segment) in enumerate(recorded):
        if place + 1 < len(recorded):
            yield Footage(segment, recorded[place + 1][0], segment.bytes)
            continue
        try:
            written_at = dated(segment.path.stat().st_mtime)
        except FileNotFoundError:
            return
        being_written = now - written_at < BEING_WRITTEN_S
        yield Footage(segment, written_at, segment.bytes, needed=being_written)


def _delete_clips(
    database: Database,
    site_id: str,
    retention: Retention,
    evidence: Path,
    now: float,
    counted_to: float,
    dated: Dated,
) -> Deleted:
    with database.reading() as session:
        found = {
            footage.ref: dataclasses.replace(footage, ended_at=dated(footage.ended_at))
            for footage in clips_of(session, site_id)
        }
    bounds = Bounds(
        days=retention.evidence.days,
        gigabytes=retention.evidence.gigabytes,
        spent_days=retention.recordings.days,
    )
    deleted = Deleted()
    for incident_id in due(list(found.values()), bounds, now=counted_to):
        # The files first: were we to die in between, the row would still say that there is something to delete.
        try:
            shutil.rmtree(evidence / str(incident_id))
        except FileNotFoundError:
            pass
        except OSError as error:
            log.error("retention.not_deleted", incident=incident_id, error=error.strerror)
            continue
        with database.writing() as session:
            clips.forget(session, incident_id, now=now)
            record.append(session, now=now, user=USER, action="clip.delete", object=f"incident:{incident_id}")
        deleted += Deleted(clips=1, bytes=found[incident_id].bytes)
    return deleted
