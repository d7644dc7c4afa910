"""One camera at work: its stream, its recording, its analysis and its live view."""

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import structlog

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.evidence.anonymised import blurred, scaled_size
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.geometry import Box
from tynysh.media.camera import CameraFeed, FeedState, FeedStatus, FeedTick
from tynysh.media.frame import Frame
from tynysh.media.source import SourceSpec, Transport
from tynysh.runtime.live_view import WIDTH, LiveView, jpeg
from tynysh.runtime.pipeline import Pipeline, Step
from tynysh.site.credentials import resolved
from tynysh.site.schema import Camera, Site

log = structlog.get_logger(__name__)

FRESH_PICTURE_S = 10.0
"""A camera that is live and older than this has a stale picture, which is still shown; a lost one has none."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The last analysed frame, and where its people are."""

    frame: Frame
    people: list[Box]


class CameraRunner:
    """Runs one camera until stopped.

    heard: is told of every event, with the frame at which it was decided (None while the camera is lost).
    changed: is told when the camera's state changes. Both are called from this camera's threads and must not block.
    """

    def __init__(
        self,
        site: Site,
        camera: Camera,
        pipeline: Pipeline,
        *,
        feed: CameraFeed,
        heard: Callable[["CameraRunner", Event], None],
    ) -> None:
        self.site = site
        self.camera = camera
        self.feed = feed
        self.live = LiveView(camera.id)
        self.people = PeopleTimeline()
        self.people_lock = threading.Lock()
        self.latest: Latest | None = None
        self.analysed = 0
        self._pipeline = pipeline
        self._heard = heard
        self._open_events: set[str] = set()
        self._rate = _Rate()
        self._thread = threading.Thread(target=self._run, name=f"analysis-{camera.id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.feed.start()
        self._thread.start()

    def stop(self) -> None:
        """End the stream, and with it the events that hold."""
        self.feed.stop()
        self.live.close()
        self._thread.join(5.0)

    def picture(self) -> bytes | None:
        """The latest picture, anonymised, as JPEG; None before the first and while the camera is lost."""
        latest = self.latest
        if latest is None or self.feed.status.state is FeedState.LOST:
            return None
        return anonymised_jpeg(latest)

    def status(self) -> dict[str, Any]:
        """What the console is told of the camera."""
        status = self.feed.status
        counters = dataclasses.asdict(self.feed.counters) | {"frames_analysed": self.analysed}
        latest = self.latest
        lost = status.state is FeedState.LOST
        return {
            "state": status.state.value,
            "since": status.since,
            "detail": status.detail,
            "people": 0 if lost or latest is None else len(latest.people),
            "fps": self._rate.of(counters["frames_read"], time.monotonic()),
            "counters": counters,
        }

    def people_between(self, start_s: float, end_s: float) -> PeopleTimeline:
        """Where people were in a stretch of time, for a clip of it."""
        with self.people_lock:
            return self.people.between(start_s, end_s)

    def _run(self) -> None:
        time_s = 0.0
        try:
            for arrived in self.feed.frames():
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
        if tick.status.state is FeedState.LOST:
            self._take(self._pipeline.lost(tick.time_s))

    def _frame(self, frame: Frame) -> None:
        step = self._pipeline.process(frame)
        if step is None:
            return
        self.analysed += 1
        self._take(step)
        scene = step.scene
        people = [track.box for track in scene.tracks]
        with self.people_lock:
            self.people.add(scene.time_s, scene.tracks, still=not scene.motion.moving)
        self.latest = Latest(frame, people)
        self.live.show(frame, people)
        self.feed.attend(scene.motion.moving or bool(self._open_events) or self.live.watched)

    def _take(self, step: Step) -> None:
        for event in step.events:
            self._hear(event)

    def _hear(self, event: Event) -> None:
        if event.phase is Phase.ENDED:
            self._open_events.discard(event.id)
        else:
            self._open_events.add(event.id)
        self._heard(self, event)


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


def anonymised_jpeg(latest: Latest) -> bytes:
    """A frame with its people blurred, as JPEG."""
    return jpeg(blurred(latest.frame, latest.people, scaled_size(latest.frame, WIDTH)))


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
