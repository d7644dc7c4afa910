"""The clips and stills of incidents: made as soon as what they show has been recorded."""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from tynysh.errors import MediaError, StoreError
from tynysh.evidence.anonymised import write_anonymised
from tynysh.evidence.look import LAG_S
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.geometry import Box
from tynysh.incidents.fusion import GAP_S, LONGEST_S
from tynysh.incidents.incident import Incident
from tynysh.media.clip import cut
from tynysh.media.segment import segments
from tynysh.perception.detector import Detector
from tynysh.periodic import PeriodicThread
from tynysh.store.database import Database, RefusedError
from tynysh.store.queries import clips, incidents

log = structlog.get_logger(__name__)

LOOK_S = 1.0
SETTLE_S = 2.0
"""Seconds until what was filmed is surely on the disk."""

REST_S = 0.05
"""Between two looks at a clip this thread rests, so that live analysis comes first."""

STOP_S = 3.0

ABANDONED_S = 3600.0
"""A clip of a camera that nobody runs is given up so long after its onset; the camera may come back until then."""

GIVE_UP_S = 120.0
"""What has no recording for so long after its time never will have."""

AGAIN_S = 15.0
"""A clip that the database did not take, or that met a fault of ours, is tried again after so long."""


TAIL_S = 10.0
"""Seconds that a clip shows after all is over, where that is later than its first end."""

LEAST_S = 5.0
"""A clip that lacks less than this is long enough."""

NEWEST = 200
"""So many of the newest clips may still grow."""


class _FirstThings(Exception):  # noqa: N818  not a fault: a reason to stop
    """A clip that nobody has seen yet is due: the one that is only made longer waits."""


class RecordedCamera(Protocol):
    """A camera as its clips need it."""

    @property
    def recordings(self) -> Path:
        """The folder of the camera's segments."""
        ...

    @property
    def around_s(self) -> tuple[float, float]:
        """Seconds that a clip shows before and after the onset."""
        ...

    @property
    def analyses_what_it_records(self) -> bool:
        """Whether people are looked for in the stream that is recorded, and not in another one."""
        ...

    def people_between(self, start_s: float, end_s: float) -> PeopleTimeline:
        """Where people were, by Unix time, boxes normalised."""
        ...


@dataclass(frozen=True, slots=True)
class ClipJob:
    """A clip to be made: of which incident, from which camera, from when to when (Unix time).

    longer: whether there is one that is shown, and it is to become longer.
    """

    incident_id: int
    camera: RecordedCamera
    start_s: float
    end_s: float
    longer: bool = False


def longer(incident: Incident, start_s: float, end_s: float, *, now: float) -> float | None:
    """Until when (Unix time) the clip of `incident`, which shows `start_s` to `end_s`, is to be made longer.

    None where it shows all, or enough for now: while the incident goes on a clip is made anew only when it becomes
    twice as long, so that all of them together cost no more than twice the last. Never longer than `LONGEST_S` after
    the onset: what begins later is another incident.
    """
    over = incident.ended_at is not None and now >= incident.ended_at + GAP_S
    until = now - SETTLE_S if incident.ended_at is None else min(now - SETTLE_S, incident.ended_at + TAIL_S)
    most = incident.started_at + LONGEST_S
    until = min(until, most)
    if until - end_s < LEAST_S:
        return None
    return until if over or until == most or until - start_s >= 2 * (end_s - start_s) else None


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
        cameras: Mapping[str, RecordedCamera],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._detector = detector
        self._cameras = cameras
        self._clock = clock
        self._again_at: dict[int, float] = {}
        self._grown_to: dict[int, float] = {}
        self.thread = PeriodicThread("clips", self.make_due, every_s=LOOK_S)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """End; a clip at hand that takes longer than `STOP_S` is left, and made anew by whoever comes next."""
        self.thread.stop(STOP_S)

    def keep_still(self, incident_id: int, still: bytes) -> None:
        """Keep an anonymised JPEG as the incident's still. Raises StoreError, MediaError."""
        path = self._folder(incident_id) / "still.jpg"
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_bytes(still)
            part.chmod(0o600)
            part.replace(path)
            _make_durable(path)
        except OSError as error:
            raise MediaError(f"The still {path} cannot be written: {error.strerror}.") from None
        with self._database.writing() as session:
            clips.set_still(session, incident_id, self._relative(path), now=self._clock())

    def make_due(self) -> None:
        """Make the clips whose time has come; one that cannot be made holds up no other."""
        now = self._clock()
        self._again_at = {known: at for known, at in self._again_at.items() if self._waits(known, now)}
        for job in [job for job in self._jobs() if self._is_due(job, now)]:
            if self.thread.stopping.is_set():
                return
            self.thread.pulse.beat()
            self._try(job)
        if not self._any_due():
            self._grow(now)

    def _waits(self, incident_id: int, now: float) -> bool:
        # Bounded below and above: the wall clock may be set back.
        return 0 < self._again_at.get(incident_id, now) - now <= AGAIN_S

    def _is_due(self, job: ClipJob, now: float) -> bool:
        return job.end_s + SETTLE_S <= now and not self._waits(job.incident_id, now)

    def _any_due(self) -> bool:
        now = self._clock()
        return any(self._is_due(job, now) for job in self._jobs())

    def _grow(self, now: float) -> None:
        """Make one clip longer whose incident went on: what happened later has to be seen as well."""
        for job in self._growing(now):
            if self.thread.stopping.is_set() or job.incident_id in self._again_at:
                continue
            # Whatever comes of it: without more recordings, the same would come of it again.
            self._grown_to[job.incident_id] = job.end_s
            with suppress(_FirstThings):
                self._try(job)
                return
            self._grown_to.pop(job.incident_id)
            return

    def _growing(self, now: float) -> Sequence[ClipJob]:
        with self._database.reading() as session:
            known = [
                clip
                for clip in clips.newest(session, limit=NEWEST)
                if clip.ended_at is not None and now - clip.ended_at <= LONGEST_S + ABANDONED_S
            ]
            found = incidents.many(session, [clip.incident_id for clip in known])
        tried = self._grown_to
        self._grown_to = {number: tried[number] for number in found if number in tried}
        jobs: list[ClipJob] = []
        for clip in known:
            camera, incident = self._cameras.get(clip.camera_id), found.get(clip.incident_id)
            if camera is None or incident is None or clip.started_at is None or clip.ended_at is None:
                continue
            shown = max(clip.ended_at, self._grown_to.get(clip.incident_id, 0.0))
            end_s = longer(incident, clip.started_at, shown, now=now)
            if end_s is not None:
                start_s = incident.started_at - camera.around_s[0]
                jobs.append(ClipJob(clip.incident_id, camera, start_s, end_s, longer=True))
        return jobs

    def give_up_all_but(self, cameras: Collection[str]) -> None:
        """Give up the clips that are overdue and of none of `cameras` (ids), all those that are run by anybody."""
        now = self._clock()
        with self._database.reading() as session:
            overdue = [
                clip.incident_id
                for clip in clips.pending(session)
                if clip.camera_id not in cameras
                and (incident := incidents.get(session, clip.incident_id)) is not None
                and incident.started_at + ABANDONED_S < now
            ]
        for incident_id in overdue:
            self._give_up(incident_id, "The camera was taken out before the clip was made.")

    def _jobs(self) -> Sequence[ClipJob]:
        with self._database.reading() as session:
            jobs = []
            for clip in clips.pending(session):
                camera = self._cameras.get(clip.camera_id)
                incident = incidents.get(session, clip.incident_id)
                if camera is None or incident is None:
                    continue
                before_s, after_s = camera.around_s
                onset_s = incident.started_at
                jobs.append(ClipJob(clip.incident_id, camera, onset_s - before_s, onset_s + after_s))
            return jobs

    def _rest(self) -> None:
        """Between two looks: a sign of life, and a moment for others."""
        self.thread.pulse.beat()
        self.thread.stopping.wait(REST_S)

    def _try(self, job: ClipJob) -> None:
        try:
            why = self._failure(job)
            if why is not None and not job.longer and self._clock() >= job.end_s + GIVE_UP_S:
                self._give_up(job.incident_id, why)
        except StoreError as error:
            log.warning("clip.not_written_down", incident=job.incident_id, error=error.message)
            self._put_off(job)

    def _failure(self, job: ClipJob) -> str | None:
        """Make a clip; why it could not be made, None if it was. Raises StoreError where the database is away."""
        try:
            self._make(job)
        except MediaError as error:
            return error.message
        except OSError as error:
            return str(error)
        except RefusedError as error:
            log.error("clip.refused", incident=job.incident_id, error=error.message)
            self._put_off(job)
            return error.message
        except (StoreError, _FirstThings):
            raise
        except Exception as error:
            # A fault of ours: it must cost no more than this one clip.
            log.exception("clip.broke", incident=job.incident_id)
            self._put_off(job)
            return repr(error)
        return None

    def _put_off(self, job: ClipJob) -> None:
        self._again_at[job.incident_id] = self._clock() + AGAIN_S

    def _make(self, job: ClipJob) -> None:
        folder = self._folder(job.incident_id)
        original, anonymised = folder / "original.mp4", folder / "clip.mp4"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        clip = cut(segments(job.camera.recordings), job.start_s, job.end_s, original)
        original.chmod(0o600)
        people = job.camera.people_between(clip.start_s - LAG_S, clip.end_s + LAG_S)

        def people_at(time_s: float) -> Sequence[Box] | None:
            return people.at(clip.start_s + time_s)

        def ways(start_s: float, end_s: float) -> Sequence[Box]:
            return people.ways(clip.start_s + start_s, clip.start_s + end_s)

        # Another stream has a clock and a picture of its own, and times in the file may not tell of its gaps.
        def rest() -> None:
            self._rest()
            if job.longer and self._any_due():
                raise _FirstThings

        same_pictures = job.camera.analyses_what_it_records and not clip.gaps
        write_anonymised(
            original,
            anonymised,
            detector=self._detector,
            people_at=people_at if same_pictures else None,
            ways=ways,
            rest=rest,
        )
        anonymised.chmod(0o600)
        _make_durable(original, anonymised)
        size = original.stat().st_size + anonymised.stat().st_size
        with self._database.writing() as session:
            clips.set_ready(
                session,
                job.incident_id,
                original_path=self._relative(original),
                anonymised_path=self._relative(anonymised),
                started_at=clip.start_s,
                ended_at=clip.end_s,
                bytes=size,
                now=self._clock(),
            )
        log.info("clip.ready", incident=job.incident_id, seconds=round(clip.end_s - clip.start_s, 1))

    def _give_up(self, incident_id: int, why: str) -> None:
        log.error("clip.failed", incident=incident_id, error=why)
        self._delete_footage(incident_id)
        with self._database.writing() as session:
            clips.set_failed(session, incident_id, why, now=self._clock())

    def _delete_footage(self, incident_id: int) -> None:
        """Delete what was made of a clip, for nobody would ever see or delete it; its still stays."""
        folder = self._folder(incident_id)
        for path in (folder / "original.mp4", folder / "clip.mp4", *folder.glob("*.part")):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("clip.not_deleted", path=os.fspath(path), error=str(error))

    def _folder(self, incident_id: int) -> Path:
        return self._evidence / str(incident_id)

    def _relative(self, path: Path) -> str:
        return os.fspath(path.relative_to(self._evidence))


def _make_durable(*paths: Path) -> None:
    """Have files of one folder on the disk before the database says that they are there: a power cut may come."""
    for path in (*paths, paths[0].parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
