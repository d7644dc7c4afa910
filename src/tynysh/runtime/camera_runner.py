"""One camera at work: its streams, its recording and its analysis."""

import dataclasses
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from tynysh.behaviour import registry
from tynysh.behaviour.event import Event
from tynysh.behaviour.events import Rule
from tynysh.behaviour.signal import Behaviour
from tynysh.crowd.learning import Learnt
from tynysh.crowd.minutes import Minutes, Series
from tynysh.errors import SiteError
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.media.camera import CameraFeed, FeedStatus
from tynysh.media.camera_status import CameraState, CameraStatus, Counters
from tynysh.media.recorder import Recorder, RecorderState
from tynysh.media.source_spec import SourceSpec, Transport, Trust
from tynysh.perception.clip_window import too_few
from tynysh.perception.detector import own_detector
from tynysh.runtime.analysis_loop import AnalysisLoop
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.crowd_record import CrowdRecord, CurrentCrowd
from tynysh.runtime.decoder_activity import DecoderActivity
from tynysh.runtime.live_view import LiveView, jpeg
from tynysh.runtime.networks import Networks
from tynysh.runtime.people_record import PeopleRecord
from tynysh.runtime.pipeline import Pipeline
from tynysh.runtime.recording_events import RecordingEvents
from tynysh.runtime.shown_pictures import ShownPictures
from tynysh.runtime.watch_record import Watched, WatchRecord
from tynysh.scene.crowd import PICTURE
from tynysh.site.camera import Camera
from tynysh.site.credentials import resolved
from tynysh.site.site import Site

STOP_S = 5.0
"""A camera's threads are given this long to end, together, once its streams have."""

HANG_S = 20.0
"""Analysis that does not come for the next picture for so long hangs: one takes it a fraction of a second."""

FEED_HANG_S = 60.0
"""The same of reading a stream, which gives up by itself sooner than that."""

SETTLED_S = 10.0
"""Seconds that a stream must have been live until its pictures a second say anything."""

FEW_PICTURES = "few_pictures"
"""What is to be said of a camera that sends too few pictures a second to judge fights."""

STUCK = "media.fault.stuck"
"""What is the matter with a camera whose analysis hangs."""


class CameraRunner:
    """Runs one camera until stopped.

    feed: the stream for analysis and live view. main: the stream to record; None if the camera is not recorded, and
    the same as `feed` where it has one stream only. recordings: the folder of its segments. on_event: is told of every
    event, from this camera's threads, and must not block. ids: makes the ids of events. hang_s: how long analysis may
    be about one picture.
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
        on_event: Callable[["CameraRunner", Event], None],
        ids: Random,
        hang_s: float = HANG_S,
    ) -> None:
        self.site = site
        self.camera = camera
        self.feed = feed
        self.recordings = recordings
        self.live = LiveView(camera.id)
        self.opened_at = time.time()
        self._pipeline = pipeline
        self._people = PeopleRecord()
        self._crowd = CrowdRecord(camera.id)
        self._watch = WatchRecord()
        self._pictures = ShownPictures(self.live)
        activity = DecoderActivity(feed.set_active, lambda: self.live.watched)
        # Pictures before events: who is told of one asks for the picture.
        listeners = (self._people, self._crowd, self._watch, self._pictures, activity)
        self._analysis = AnalysisLoop(
            camera.id, pipeline, listeners, on_event=lambda event: on_event(self, event)
        )
        self._main = main
        self._recording_events = RecordingEvents(lambda event: on_event(self, event), ids)
        self._recorder = Recorder(recordings, on_state=self._recording_events.changed) if main else None
        self._rate = _FrameRate()
        self._hang_s = hang_s
        self._stopping = False
        self._recording: threading.Thread | None = None
        self._thread = threading.Thread(
            target=self._analysis.run,
            args=(feed.frames(), lambda: feed.health),
            name=f"analysis-{camera.id}",
            daemon=True,
        )

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
        """Whether the analysis, the recording or a stream ended although nobody stopped it, or the analysis hangs: a
        fault of ours, mended by another runner.
        """
        threads = (self._thread, self._recording)
        ended = any(thread and thread.ident is not None and not thread.is_alive() for thread in threads)
        return not self._stopping and (
            ended or self.stuck or self.feed_hangs or any(feed.ended for feed in self._feeds)
        )

    @property
    def clock_was_set(self) -> bool:
        """Whether the machine's clock was set since: whatever knows a time is to begin anew, by another runner."""
        return any(feed.clock_was_set for feed in self._feeds)

    @property
    def stuck(self) -> bool:
        """Whether the analysis hangs: nobody watches the camera, whatever it sends."""
        return self.feed.unasked_s > self._hang_s and self._thread.is_alive() and not self._stopping

    @property
    def feed_hangs(self) -> bool:
        """Whether the reading of a stream hangs: until another begins, the camera gives no pictures."""
        return not self._stopping and any(feed.busy_s > FEED_HANG_S for feed in self._feeds)

    @property
    def _feeds(self) -> Sequence[CameraFeed]:
        return [self.feed] if self._main is None else [self.feed, self._main]

    @property
    def watched_until_s(self) -> float:
        """When (Unix time) the analysis last came for more."""
        return time.time() - self.feed.unasked_s

    def stop(self) -> None:
        """End the streams, and with them the recording and the events that hold."""
        stuck, watched_until_s = self.stuck, self.watched_until_s
        self._stopping = True
        self.feed.stop()
        if self._main is not None and self._main is not self.feed:
            self._main.stop()
        self.live.close()
        deadline_s = time.monotonic() + STOP_S
        self._thread.join(0.0 if stuck else STOP_S)
        if self._thread.is_alive():
            # No thread can be ended from outside. This one is left behind, and whatever it still does reaches nobody.
            self._analysis.abandon(watched_until_s)
        if self._recording is not None:
            self._recording.join(max(0.0, deadline_s - time.monotonic()))
            if not self._recording.is_alive():
                # It may have broken while it could not record, and reports no more.
                self._recording_events.close(time.time())

    @property
    def analysed(self) -> int:
        """How many frames were analysed."""
        return self._analysis.analysed

    @property
    def analysed_s_ago(self) -> float | None:
        """Seconds since a frame was last analysed; None before the first."""
        at_s = self._analysis.analysed_at_s
        return None if at_s is None else time.monotonic() - at_s

    @property
    def recorded(self) -> bool:
        """Whether the camera is recorded, so that there can be clips."""
        return self._recorder is not None

    def picture(self) -> bytes | None:
        """The latest picture, anonymised, as JPEG; None before the first and while the camera is lost."""
        shown = self._pictures.latest()
        if shown is None or self._doing.state is CameraState.LOST:
            return None
        return jpeg(shown.anonymised())

    def status(self) -> CameraStatus:
        """How the camera is doing now."""
        status = self._doing
        counted = dataclasses.asdict(self.feed.counters) | {"frames_analysed": self.analysed}
        lost = status.state is CameraState.LOST
        crowd = self.crowd()
        whole = None if crowd is None else crowd.state.place(PICTURE)
        fps = self._rate.of(counted["frames_read"], time.monotonic())
        return CameraStatus(
            state=status.state,
            since=status.since,
            detail=status.detail or self._unjudged(status, fps),
            people=0 if lost else self._pictures.people,
            people_rough=whole is not None and whole.rough,
            fps=fps,
            counters=Counters.model_validate(counted),
            recording=self._recorder is not None
            and self._main is not None
            and self._recorder.status.state is RecorderState.RECORDING
            and self._main.status.state is not CameraState.LOST,
        )

    def _unjudged(self, status: FeedStatus, fps: float) -> str | None:
        """What is to be said where so few pictures come that fights are not judged."""
        settled = status.state is CameraState.LIVE and time.time() - status.since >= SETTLED_S
        violent = any(
            registry.spec_of(behaviour).violent for behaviour in self.site.effective(self.camera).analysers
        )
        # Counted over a second or two, one picture more or less is no other rate.
        return FEW_PICTURES if settled and violent and fps > 0.0 and too_few(fps + 0.5) else None

    @property
    def _doing(self) -> FeedStatus:
        """How the stream does; lost, too, where nobody looks at what it brings."""
        return FeedStatus(CameraState.LOST, self.watched_until_s, STUCK) if self.stuck else self.feed.status

    def people_between(self, start_s: float, end_s: float) -> PeopleTimeline:
        """Where people were in a stretch of time, for a clip of it."""
        return self._people.between(start_s, end_s)

    def crowd(self) -> CurrentCrowd | None:
        """The crowd now; None before the first look and while the camera is lost."""
        return None if self._doing.state is CameraState.LOST else self._crowd.now

    def minutes(self, before: int) -> Mapping[Series, Minutes]:
        """What the crowd was like in the minutes before `before` (Unix time in minutes); each is given once."""
        return self._crowd.take_minutes(before)

    @property
    def learnt(self) -> Learnt | None:
        """What was learnt of the camera's ground so far."""
        return self._pipeline.learnt

    def take_watched(self) -> Watched:
        """For how long the camera was watched, and what other thresholds would have raised, since the last call."""
        return self._watch.take_watched()

    def retune(self, rules: Mapping[Behaviour, Rule]) -> None:
        """Make events of these behaviours by other rules, from the next picture on."""
        self._analysis.retune(rules)


def start_camera(
    site: Site,
    camera: Camera,
    networks: Networks,
    recordings: Path,
    *,
    on_event: Callable[[CameraRunner, Event], None],
    random: Random,
    learnt: Learnt | None = None,
    hang_s: float = HANG_S,
) -> CameraRunner:
    """Open `camera` and begin to watch it. Raises TynyshError.

    recordings: the folder of all cameras' recordings. learnt: what was learnt of its ground before.
    """
    effective = site.effective(camera)
    feed = CameraFeed(source_of(site, camera, camera.sub or camera.main))
    main = feed
    if camera.sub is not None and effective.recording:
        main = CameraFeed(source_of(site, camera, camera.main))
    plan = CameraPlan.of(site, camera, scheduled=True)
    ground = plan.ground_source(learnt)
    runner = CameraRunner(
        site,
        camera,
        build_pipeline(plan, networks, ids=random, detector=own_detector(feed.spec), ground=ground),
        feed=feed,
        main=main if effective.recording else None,
        recordings=recordings / camera.id,
        on_event=on_event,
        ids=random,
        hang_s=hang_s,
    )
    runner.start()
    return runner


def source_of(site: Site, camera: Camera, address: str) -> SourceSpec:
    """The stream at `address` of `camera`, with its credentials. Raises SiteError or SourceError."""
    effective = site.effective(camera)
    account = resolved(effective.credentials) if effective.credentials is not None else None
    if account is None and re.search(r"\{(?:user|password)\}", address):
        raise SiteError(
            f"The address of camera {camera.id} has places for a name and a password, and there are none.",
            hint="Name them under `credentials` in the site file.",
        )
    return SourceSpec.parse(
        address,
        transport=Transport(effective.transport),
        user=account.user if account else None,
        password=account.password if account else None,
        trust=Trust(**effective.trust.model_dump()),
    )


class _FrameRate:
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
