"""What footage has to go now, and deleting it: recordings and clips, by what their sites allow."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError
from sqlalchemy import select

from tynysh.evidence.due import Bounds, Footage, cameras_of, clips_of, due
from tynysh.media.segment import Segment, segments
from tynysh.site.retention import Retention
from tynysh.store import record
from tynysh.store.database import Database
from tynysh.store.queries import clips
from tynysh.store.schema import SiteRow

log = structlog.get_logger(__name__)

USER = "retention"
"""Who deletes, in the audit record."""

BEING_WRITTEN_S = 600.0
"""The last segment of a camera is taken to be still written to for so long after its last change."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much was deleted: segments of recordings, incidents' clips, and bytes of both."""

    segments: int = 0
    clips: int = 0
    bytes: int = 0

    def __add__(self, other: "Deleted") -> "Deleted":
        return Deleted(self.segments + other.segments, self.clips + other.clips, self.bytes + other.bytes)


def delete_due(database: Database, *, recordings: Path, evidence: Path, now: float) -> Deleted:
    """Delete what its site no longer keeps at Unix time `now`, of cameras and sites out of force too.

    recordings, evidence: the folders of all cameras and of all incidents. What cannot be deleted is logged, and
    tried again next time. Raises StoreError.
    """
    deleted = Deleted()
    with database.reading() as session:
        kept = {site.id: site.settings.get("retention", {}) for site in session.scalars(select(SiteRow))}
    for site_id, said in kept.items():
        try:
            retention = Retention.model_validate(said)
        except ValidationError:
            log.warning("retention.not_understood", site=site_id)
            continue
        deleted += _delete_recordings(database, site_id, retention, recordings, now)
        deleted += _delete_clips(database, site_id, retention, evidence, now)
    if deleted.segments or deleted.clips:
        log.info(
            "retention.deleted",
            segments=deleted.segments,
            clips=deleted.clips,
            megabytes=deleted.bytes // 10**6,
        )
    return deleted


def _delete_recordings(
    database: Database, site_id: str, retention: Retention, recordings: Path, now: float
) -> Deleted:
    with database.reading() as session:
        cameras = list(cameras_of(session, site_id))
    found = [footage for camera_id in cameras for footage in _recorded(recordings / camera_id, now)]
    bounds = Bounds(days=retention.recordings.days, gigabytes=retention.recordings.gigabytes)
    deleted = Deleted()
    for segment in due(found, bounds, now=now):
        size = segment.bytes
        try:
            segment.path.unlink(missing_ok=True)
        except OSError as error:
            log.error("retention.not_deleted", path=str(segment.path), error=error.strerror)
            continue
        deleted += Deleted(segments=1, bytes=size)
    return deleted


def _recorded(folder: Path, now: float) -> Iterator[Footage[Segment]]:
    """The segments of one camera. Each ends where the next begins, the last when it was last written to."""
    recorded = segments(folder)
    for place, segment in enumerate(recorded):
        if place + 1 < len(recorded):
            yield Footage(segment, recorded[place + 1].start_s, segment.bytes)
            continue
        try:
            written_at = segment.path.stat().st_mtime
        except FileNotFoundError:
            return
        being_written = now - written_at < BEING_WRITTEN_S
        yield Footage(segment, written_at, segment.bytes, needed=being_written)


def _delete_clips(
    database: Database, site_id: str, retention: Retention, evidence: Path, now: float
) -> Deleted:
    with database.reading() as session:
        found = {footage.ref: footage for footage in clips_of(session, site_id)}
    bounds = Bounds(
        days=retention.evidence.days,
        gigabytes=retention.evidence.gigabytes,
        spent_days=retention.recordings.days,
    )
    deleted = Deleted()
    for incident_id in due(list(found.values()), bounds, now=now):
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
