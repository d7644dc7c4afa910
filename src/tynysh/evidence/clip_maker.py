"""The clips and stills of incidents: made as soon as what they show has been recorded."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from tynysh.errors import MediaError, StoreError
from tynysh.evidence.anonymised import write_anonymised
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.geometry import Box
from tynysh.media.clip import cut
from tynysh.media.segment import segments
from tynysh.perception.detector import Detector
from tynysh.store.database import Database
from tynysh.store.queries import clips, incidents

log = structlog.get_logger(__name__)

LOOK_S = 1.0
SETTLE_S = 2.0
"""Seconds until what was filmed is surely on the disk."""

GIVE_UP_S = 120.0
"""What has no recording for so long after its time never will have."""


class Recorded(Protocol):
    """A camera as its clips need it."""

    @property
    def recordings(self) -> Path:
        """The folder of the camera's segments."""
        ...

    @property
    def around_s(self) -> tuple[float, float]:
        """Seconds that a clip shows before and after the onset."""
        ...

    def people_between(self, start_s: float, end_s: float) -> PeopleTimeline:
        """Where people were, by Unix time, boxes normalised."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A clip to be made: of which incident, from which camera, from when to when (Unix time)."""

    incident_id: int
    camera: Recorded
    start_s: float
    end_s: float


class ClipMaker:
    """Makes the clips of some cameras in a thread of its own.

    What is to be made stands in the database as pending, so that a restart goes on where it was. The original is
    kept beside the anonymised clip and never shown.

    evidence: the folder that paths in the database are relative to. cameras: by id; those of others are left alone.
    """

    def __init__(
        self,
        database: Database,
        evidence: Path,
        detector: Detector,
        cameras: Mapping[str, Recorded],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._detector = detector
        self._cameras = cameras
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the clip at hand."""
        self._stopping.set()
        self._thread.join(10.0)

    def keep_still(self, incident_id: int, still: bytes) -> None:
        """Keep an anonymised JPEG as the incident's still. Raises StoreError, MediaError."""
        path = self._folder(incident_id) / "still.jpg"
        part = path.with_suffix(".part")
        try:
            part.write_bytes(still)
            part.replace(path)
        except OSError as error:
            raise MediaError(f"The still {path} cannot be written: {error.strerror}.") from None
        with self._database.writing() as session:
            clips.set_still(session, incident_id, self._relative(path), now=self._clock())

    def make_due(self) -> None:
        """Make the clips whose time has come."""
        now = self._clock()
        for job in self._jobs():
            if self._stopping.is_set():
                return
            if job.end_s + SETTLE_S <= now:
                self._make(job)

    def _jobs(self) -> Sequence[Job]:
        with self._database.reading() as session:
            jobs = []
            for clip in clips.pending(session):
                camera = self._cameras.get(clip.camera_id)
                incident = incidents.get(session, clip.incident_id)
                if camera is None or incident is None:
                    continue
                before_s, after_s = camera.around_s
                onset_s = incident.started_at
                jobs.append(Job(clip.incident_id, camera, onset_s - before_s, onset_s + after_s))
            return jobs

    def _make(self, job: Job) -> None:
        folder = self._folder(job.incident_id)
        original, anonymised = folder / "original.mp4", folder / "clip.mp4"
        try:
            clip = cut(segments(job.camera.recordings), job.start_s, job.end_s, original)
            original.chmod(0o600)
            people = job.camera.people_between(clip.start_s, clip.end_s)

            def people_at(time_s: float) -> Sequence[Box] | None:
                return people.at(clip.start_s + time_s)

            write_anonymised(original, anonymised, people_at=people_at, detector=self._detector)
        except MediaError as error:
            if self._clock() < job.end_s + GIVE_UP_S:
                return
            log.error("clip.failed", incident=job.incident_id, error=error.message)
            with self._database.writing() as session:
                clips.set_failed(session, job.incident_id, error.message, now=self._clock())
            return
        with self._database.writing() as session:
            clips.set_ready(
                session,
                job.incident_id,
                original_path=self._relative(original),
                anonymised_path=self._relative(anonymised),
                started_at=clip.start_s,
                ended_at=clip.end_s,
                bytes=original.stat().st_size + anonymised.stat().st_size,
                now=self._clock(),
            )
        log.info("clip.ready", incident=job.incident_id, seconds=round(clip.end_s - clip.start_s, 1))

    def _folder(self, incident_id: int) -> Path:
        folder = self._evidence / str(incident_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def _relative(self, path: Path) -> str:
        return os.fspath(path.relative_to(self._evidence))

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self.make_due()
            except StoreError as error:
                log.warning("clips.database_away", error=error.message)
