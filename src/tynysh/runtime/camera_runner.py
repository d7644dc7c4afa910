"""One camera at work: its stream, its recording, its analysis and its live view."""

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

import structlog

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import LONGEST_GAP_S, Rule
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.behaviour.threshold_sweep import Counts
from tynysh.crowd.learning import Learnt
from tynysh.crowd.minutes import MinuteMeter, Minutes, Series
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.media.camera import CameraFeed, FeedTick
from tynysh.media.camera_status import CameraState, CameraStatus, Counters
from tynysh.media.frame import Frame
from tynysh.media.recorder import Recorder, RecorderState, RecorderStatus, Retention
from tynysh.media.source import SourceFault, SourceSpec, Transport
from tynysh.perception.detector import Detector
from tynysh.runtime.blur_gate import BlurGate, Released, Shown
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.live_view import LiveView, jpeg
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Pipeline, Step
from tynysh.scene.crowd import PICTURE, CrowdState
from tynysh.scene.ground import Ground
from tynysh.site.camera import Camera
from tynysh.site.credentials import resolved
from tynysh.site.site import Site

log = structlog.get_logger(__name__)

STALLED = f"media.fault.{SourceFault.STALLED}"
"""What is the matter with a camera that is connected and sends nothing."""

UNASKED_S = 1.0
"""Pictures that nobody asked for of late are made ready to be shown this far apart, seconds of the stream."""

ASKED_S = 10.0
"""Who asked for a picture is expected to ask again within so many seconds."""

STOP_S = 5.0
"""A camera's threads are given this long to end, together, once its streams have."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is known of the crowd on a camera now, and where its floor is, if that is known."""

    state: CrowdState
    ground: Ground | None


@dataclass(slots=True)
class Watched:
    """For how long a camera was watched, seconds, and what other thresholds would have raised meanwhile.

    until_s: stream time of the last picture.
    """

    until_s: float | None = None
    seconds: float = 0.0
    near_alarms: dict[Behaviour, Counts] = field(default_factory=dict)

    def add(self, time_s: float, near_alarms: Mapping[Behaviour, Counts]) -> None:
        """Take in a picture that was analysed, and what was counted at it."""
        if self.until_s is not None and 0.0 <= time_s - self.until_s <= LONGEST_GAP_S:
            self.seconds += time_s - self.until_s
        self.until_s = time_s
        for behaviour, counts in near_alarms.items():
            self.near_alarms[behaviour] = self.near_alarms.get(behaviour, 0) + counts


class CameraRunner:
    """Runs one camera until stopped.

    feed: the stream for analysis and live view. main: the stream to record; None if the camera is not recorded, and
    the same as `feed` where it has one stream only. recordings: the folder of its segments. heard: is told of every
    event, from this camera's threads, and must not block. ids: makes the ids of events.
    """

    def __init__(
        self,
        site: Site,
        camera: Camera,
        pipeline: Pipeline,
        *,
        feed: CameraFeed,
        main: CameraFeed | None,
        recordings: Path,
        heard: Callable[["CameraRunner", Event], None],
        ids: Random,
    ) -> None:
        self.site = site
        self.camera = camera
        self.feed = feed
        self.recordings = recordings
        self.live = LiveView(camera.id)
        self._people = PeopleTimeline()
        self._people_lock = threading.Lock()
        self.opened_at = time.time()
        self._crowd: Crowd | None = None
        self._minutes = MinuteMeter(camera.id)
        self._minutes_lock = threading.Lock()
        self._watched = Watched()
        self._watched_lock = threading.Lock()
        self._rules: Mapping[Behaviour, Rule] | None = None
        self._rules_in_force: Mapping[Behaviour, Rule] | None = None
        self._count = 0
        self._blur_gate = BlurGate()
        self._shown: Shown | None = None
        self._not_yet_shown: Released | None = None
        self._asked_at = -float("inf")
        self.analysed = 0
        self._pipeline = pipeline
        self._heard = heard
        self._ids = ids
        self._open_events: set[str] = set()
        self._main = main
        self._recorder = (
            Recorder(recordings, retention=_retention(site), on_state=self._recorder_changed)
            if main is not None
            else None
        )
        self._recording_fault: Event | None = None
        self._rate = _Rate()
        self._stopping = False
        self._recording: threading.Thread | None = None
        self._arriving = feed.frames()
        self._thread = threading.Thread(target=self._run, name=f"analysis-{camera.id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._recorder is not None and self._main is not None:
            self._recording = self._recorder.start(self._main.subscribe())
            if self._main is not self.feed:
                self._main.start()
        self.feed.start()
        self._thread.start()

    @property
    def broken(self) -> bool:
        """Whether the analysis, the recording or a stream ended although nobody stopped it: a fault of ours, mended by
        another runner.
        """
        feeds = [self.feed] if self._main is None else [self.feed, self._main]
        threads = (self._thread, self._recording)
        ended = any(thread and thread.ident is not None and not thread.is_alive() for thread in threads)
        return not self._stopping and (ended or any(feed.ended for feed in feeds))

    def stop(self) -> None:
        """End the streams, and with them the recording and the events that hold."""
        self._stopping = True
        self.feed.stop()
        if self._main is not None and self._main is not self.feed:
            self._main.stop()
        self.live.close()
        deadline_s = time.monotonic() + STOP_S
        self._thread.join(STOP_S)
        if self._recording is not None:
            self._recording.join(max(0.0, deadline_s - time.monotonic()))
            held = self._recording_fault
            if held is not None and not self._recording.is_alive():
                # It broke while it could not record, and tells no more.
                self._recording_fault = None
                self._heard(self, dataclasses.replace(held, phase=Phase.ENDED, end_s=time.time()))

    @property
    def recorded(self) -> bool:
        """Whether the camera is recorded, so that there can be clips."""
        return self._recorder is not None

    def picture(self) -> bytes | None:
        """The latest picture, anonymised, as JPEG; None before the first and while the camera is lost.

        The first that is asked for in a while may be `UNASKED_S` behind.
        """
        self._asked_at = time.monotonic()
        shown = self._shown
        if shown is None or self.feed.status.state is CameraState.LOST:
            return None
        return jpeg(shown.anonymised())

    def status(self) -> CameraStatus:
        """How the camera is doing now."""
        status = self.feed.status
        counted = dataclasses.asdict(self.feed.counters) | {"frames_analysed": self.analysed}
        lost = status.state is CameraState.LOST
        crowd = self.crowd()
        whole = None if crowd is None else crowd.state.place(PICTURE)
        return CameraStatus(
            state=status.state,
            since=status.since,
            detail=status.detail,
            people=0 if lost else self._count,
            people_rough=whole is not None and whole.rough,
            fps=self._rate.of(counted["frames_read"], time.monotonic()),
            counters=Counters.model_validate(counted),
            recording=self._recorder is not None
            and self._main is not None
            and self._recorder.status.state is RecorderState.RECORDING
            and self._main.status.state is not CameraState.LOST,
        )

    def people_between(self, start_s: float, end_s: float) -> PeopleTimeline:
        """Where people were in a stretch of time, for a clip of it."""
        with self._people_lock:
            return self._people.between(start_s, end_s)

    def crowd(self) -> Crowd | None:
        """The crowd now; None before the first look and while the camera is lost."""
        return None if self.feed.status.state is CameraState.LOST else self._crowd

    def minutes(self, before: int) -> Mapping[Series, Minutes]:
        """What the crowd was like in the minutes before `before` (Unix time in minutes); each is given once."""
        with self._minutes_lock:
            return self._minutes.take(before)

    @property
    def learnt(self) -> Learnt | None:
        """What was learnt of the camera's ground so far."""
        return self._pipeline.learnt

    def take_watched(self) -> "Watched":
        """For how long the camera was watched, and what other thresholds would have raised, since the last call."""
        with self._watched_lock:
            watched, self._watched = self._watched, Watched(self._watched.until_s)
        return watched

    def retune(self, rules: Mapping[Behaviour, Rule]) -> None:
        """Make events of these behaviours by other rules, from the next picture on."""
        self._rules = rules

    def _run(self) -> None:
        time_s = 0.0
        try:
            for arrived in self._arriving:
                if isinstance(arrived, FeedTick):
                    time_s = arrived.time_s
                    self._tick(arrived)
                else:
                    time_s = arrived.time_s
                    self._frame(arrived)
        finally:
            for event in self._pipeline.close(time_s):
                self._hear(event)

    def _tick(self, tick: FeedTick) -> None:
        stalled = tick.status.detail == STALLED
        if tick.status.state is CameraState.LOST or stalled:
            self._take(self._pipeline.lost(tick.time_s, self.feed.health))
            self._crowd = None
            with self._minutes_lock:
                self._minutes.pause(tick.time_s)

    def _frame(self, frame: Frame) -> None:
        rules = self._rules
        if rules is not None and rules is not self._rules_in_force:
            self._pipeline.retune(rules)
            self._rules_in_force = rules
        step = self._pipeline.process(frame, self.feed.health)
        if step is None:
            return
        self.analysed += 1
        self._take(step)
        scene = step.scene
        with self._watched_lock:
            self._watched.add(scene.time_s, self._pipeline.threshold_sweep.take())
        if scene.crowd is not None:
            self._crowd = Crowd(scene.crowd, scene.ground)
            with self._minutes_lock:
                self._minutes.observe(scene.crowd, scene.time_s)
        moving = scene.motion.moving
        with self._people_lock:
            self._people.add(scene.time_s, step.to_blur, still=not moving, looked=scene.detected)
        sure = scene.detected or not moving
        looked_at = self.live.watched or time.monotonic() - self._asked_at < ASKED_S
        for released in self._blur_gate.add(frame, step.to_blur, sure=sure, all_frames=self.live.watched):
            self._count = len(scene.tracks)
            self._not_yet_shown = released
            if looked_at or self._shown is None or abs(released[0].time_s - self._shown.time_s) >= UNASKED_S:
                self._show()
        self.feed.set_active(scene.motion.moving or bool(self._open_events) or self.live.watched)

    def _show(self) -> None:
        """Convert the latest picture that may be shown, in the analysis thread alone, for all who want to see it."""
        if self._not_yet_shown is not None:
            self._shown, self._not_yet_shown = Shown.of(*self._not_yet_shown), None
            self.live.show(self._shown)

    def _take(self, step: Step) -> None:
        for event in step.events:
            self._hear(event)

    def _hear(self, event: Event) -> None:
        if event.phase is Phase.ENDED:
            self._open_events.discard(event.id)
        else:
            self._open_events.add(event.id)
        if event.phase is Phase.BEGUN:
            self._show()
        self._heard(self, event)

    def _recorder_changed(self, status: RecorderStatus) -> None:
        """Recording stopped, loses pictures or goes on: an event of its own; in the recorder's thread."""
        held = self._recording_fault
        if held is not None and status.detail != held.subject:
            # It goes on, or there is nothing to record any more, or something else is the matter.
            self._recording_fault = None
            self._heard(self, dataclasses.replace(held, phase=Phase.ENDED, end_s=status.since))
            held = None
        if status.detail is not None and held is None:
            held = Event(
                id=str(UUID(int=self._ids.getrandbits(128), version=4)),
                behaviour=Behaviour.RECORDING_FAULT,
                phase=Phase.BEGUN,
                start_s=status.since,
                decided_s=status.since,
                end_s=None,
                score=1.0,
                box=None,
                people=0,
                zone=None,
                subject=status.detail,
                reason=Reason(f"recording_fault.{status.detail.rpartition('.')[2]}"),
            )
            self._recording_fault = held
            self._heard(self, held)


def start_camera(
    site: Site,
    camera: Camera,
    networks: Networks,
    recordings: Path,
    *,
    heard: Callable[[CameraRunner, Event], None],
    random: Random,
    scripted: Callable[[], Detector],
    learnt: Learnt | None = None,
) -> CameraRunner:
    """Open `camera` and begin to watch it. Raises TynyshError.

    recordings: the folder of all cameras' recordings. scripted: makes the detector of a simulated camera.
    learnt: what was learnt of its ground before.
    """
    effective = site.effective(camera)
    feed = CameraFeed(source_of(site, camera, camera.sub or camera.main))
    main = feed
    if camera.sub is not None and effective.recording:
        main = CameraFeed(source_of(site, camera, camera.main))
    detector = scripted() if camera.simulated else None
    watch = CameraPlan.of(site, camera, scheduled=True)
    ground = watch.ground_source(learnt)
    runner = CameraRunner(
        site,
        camera,
        build_pipeline(watch, networks, ids=random, detector=detector, ground=ground),
        feed=feed,
        main=main if effective.recording else None,
        recordings=recordings / camera.id,
        heard=heard,
        ids=random,
    )
    runner.start()
    return runner


def _retention(site: Site) -> Retention:
    """What a camera's recordings may take: the site's share in bytes is divided among its cameras."""
    kept = site.retention.recordings
    keep_bytes = None
    if kept.gigabytes is not None:
        keep_bytes = round(kept.gigabytes * 1e9 / max(1, len(site.cameras)))
    return Retention(keep_s=kept.days * 86400.0, keep_bytes=keep_bytes)


def source_of(site: Site, camera: Camera, address: str) -> SourceSpec:
    """The stream at `address` of `camera`, with its credentials. Raises SiteError or SourceError."""
    effective = site.effective(camera)
    account = resolved(effective.credentials) if effective.credentials is not None else None
    return SourceSpec.parse(
        address,
        transport=Transport(effective.transport),
        user=account.user if account else None,
        password=account.password if account else None,
    )


class _Rate:
    """Pictures a second, from counts at irregular times."""

    def __init__(self) -> None:
        self._before: tuple[int, float] | None = None
        self._rate = 0.0

    def of(self, count: int, at_s: float) -> float:
        """The rate of late; asked at least a second apart to be renewed."""
        if self._before is None:
            self._before = (count, at_s)
        elif at_s - self._before[1] >= 1.0:
            self._rate = (count - self._before[0]) / (at_s - self._before[1])
            self._before = (count, at_s)
        return round(self._rate, 1)
