"""The way of a frame on one camera: motion, detector, tracker, pose, scene, picture stages, analysers, events."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tynysh.behaviour.analyser import Analyser
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.behaviour.signals import SignalMaker, always
from tynysh.behaviour.threshold_sweep import ThresholdSweep
from tynysh.crowd.grounding import GroundSource, NoGround
from tynysh.crowd.learning import Learnt
from tynysh.crowd.meter import CrowdMeter
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.media.stream_health import StreamHealth
from tynysh.perception.motion import MotionGate
from tynysh.perception.pose import UsualHeights, people_who_matter
from tynysh.perception.schedule import DetectionSchedule
from tynysh.perception.stage import PictureStage
from tynysh.perception.tiling import TiledDetector
from tynysh.perception.tracker import Tracker
from tynysh.perception.unmatched import unmatched_detections
from tynysh.runtime.meter import Meter, NoMeter
from tynysh.scene.fault import CameraFault
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.person import Keypoints, Person
from tynysh.scene.places import OBJECT, PROTECTED, surroundings
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.track import Track
from tynysh.scene.trajectories import Trajectories
from tynysh.scene.zone import Line, Zone

MOST_POSES = 4
"""People whose pose is estimated in one frame, at most; those who may be down and those nearest each other first."""

ANALYSIS_RATE_HZ = 10.0
"""Frames that come faster than this are decoded but not analysed: behaviour does not need them."""


class Pose(Protocol):
    """Estimates the keypoints of the people in given boxes."""

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> Sequence[Keypoints]:
        """One (26, 3) array per box, in pixels of the frame."""
        ...


def all_zones_always(zones: Sequence[Zone]) -> Callable[[float], tuple[Zone, ...]]:
    """Zones that are in force at any time."""
    fixed = tuple(zones)
    return lambda _time_s: fixed


@dataclass(frozen=True, slots=True)
class Step:
    """What one analysed frame came to.

    scene: what the analysers saw. frame: its picture, which they did not see; None while the camera is lost. signals:
    what they said. events: begun, updated or ended now.
    to_blur: where people are or may be, normalised: the tracks by their id, and by ids below zero what the detector
    saw and the tracker is not (yet) sure of. Whoever is shown is blurred in doubt.
    """

    scene: Scene
    frame: Frame | None
    to_blur: Mapping[int, Box]
    signals: tuple[Signal, ...]
    events: tuple[Event, ...]


class Pipeline:
    """Takes one camera's frames in order of time; the same code live, offline and in evaluation.

    It reads no clock and draws no random number of its own: the same frames give the same events.
    `stages` find in pictures what the `analysers` need. `zones_at` tells which zones are in force at a stream time,
    `on_duty` whether a behaviour is watched for then.
    """

    def __init__(
        self,
        *,
        detector: TiledDetector,
        pose: Pose | None,
        gate: MotionGate,
        schedule: DetectionSchedule,
        tracker: Tracker,
        stages: Sequence[PictureStage],
        analysers: Sequence[Analyser],
        events: EventMaker,
        threshold_sweep: ThresholdSweep | None = None,
        zones_at: Callable[[float], tuple[Zone, ...]],
        lines: Sequence[Line] = (),
        ground: GroundSource | None = None,
        on_duty: Callable[[Behaviour, float], bool] = always,
        meter: Meter | None = None,
        rate_hz: float = ANALYSIS_RATE_HZ,
    ) -> None:
        self._detector = detector
        self._pose = pose
        self._gate = gate
        self._schedule = schedule
        self._tracker = tracker
        self._stages = tuple(stages)
        self._signals = SignalMaker(analysers, on_duty)
        self._events = events
        self._threshold_sweep = threshold_sweep or ThresholdSweep({})
        self._zones_at = zones_at
        self._lines = tuple(lines)
        self._ground = ground or NoGround()
        self._crowd = CrowdMeter()
        self._meter = meter or NoMeter()
        self._interval_s = 1.0 / rate_hz
        self._due_s = float("-inf")
        self._size = (1, 1)
        self._heights = UsualHeights()
        self._trajectories = Trajectories()
        self._unmatched: dict[int, Box] = {}
        self._next_unmatched = -1

    @property
    def threshold_sweep(self) -> ThresholdSweep:
        """What other thresholds would have raised."""
        return self._threshold_sweep

    def retune(self, rules: Mapping[Behaviour, Rule]) -> None:
        """From now on, make events of these behaviours by other rules."""
        self._events.retune(rules)

    def process(self, frame: Frame, stream: StreamHealth | None = None) -> Step | None:
        """Analyse `frame`; None if it comes sooner after the last one than behaviour needs.

        stream: how the stream arrives, where that is measured.
        """
        if frame.time_s < self._due_s:
            return None
        # A tenth of tolerance, so that a 10 fps camera with jitter is analysed on each frame.
        self._due_s = frame.time_s + 0.9 * self._interval_s
        self._size = (frame.width, frame.height)
        zones = self._zones_at(frame.time_s)
        with self._meter.stage("motion"):
            motion = self._gate.observe(frame)
        tracks, persons = self._people(frame, motion)
        detected = persons is not None
        if self._pose is not None:
            tracks = self._with_pose(self._pose, frame, tracks, zones, detected=detected)
        scene = Scene(
            time_s=frame.time_s,
            width=frame.width,
            height=frame.height,
            detected=detected,
            tracks=tracks,
            motion=motion,
            zones=zones,
            lines=self._lines,
            stream=stream,
        )
        ground = self._ground.observe(scene)
        if ground is not None and ground.trusted:
            scene = dataclasses.replace(scene, ground=ground)
        with self._meter.stage("crowd"):
            crowd = self._crowd.observe(scene, persons)
        self._trajectories.observe(scene)
        scene = dataclasses.replace(scene, crowd=crowd, trajectories=self._trajectories.now(scene))
        return self._judge(scene, frame)

    @property
    def learnt(self) -> Learnt | None:
        """What was learnt of the camera's ground so far; safe to ask from another thread."""
        return self._ground.learnt

    def lost(self, time_s: float, stream: StreamHealth | None = None) -> Step:
        """The camera gives no pictures at `time_s`: analysers are told, events may begin and end."""
        width, height = self._size
        self._crowd.lost()
        return self._judge(
            Scene(
                time_s=time_s,
                width=width,
                height=height,
                detected=False,
                motion=STILL,
                feed=Feed.LOST,
                stream=stream,
            ),
            None,
        )

    def close(self, time_s: float) -> tuple[Event, ...]:
        """The stream ends at `time_s`: the events that end with it."""
        return tuple(self._events.close(time_s))

    def _people(self, frame: Frame, motion: Motion) -> tuple[tuple[Track, ...], Sequence[Person] | None]:
        """The tracks now, and what the detector found, if it looked."""
        tracks = self._tracker.predict(frame.time_s)
        if not self._schedule.due(frame.time_s, motion, tracks, self._detector.inferences):
            return tracks, None
        with self._meter.stage("detector"):
            persons = self._detector.look(frame)
        with self._meter.stage("tracker"):
            tracks = self._tracker.update(persons, frame.time_s)
            self._keep_unmatched(persons, tracks, frame)
        return tracks, persons

    def _keep_unmatched(self, persons: Sequence[Person], tracks: Sequence[Track], frame: Frame) -> None:
        """Keep where the detector saw somebody that is none of the tracks, until it looks again."""
        self._unmatched = {}
        for box in unmatched_detections(persons, tracks):
            self._unmatched[self._next_unmatched] = box.scaled(1 / frame.width, 1 / frame.height)
            self._next_unmatched -= 1

    def _with_pose(
        self, pose: Pose, frame: Frame, tracks: tuple[Track, ...], zones: Sequence[Zone], *, detected: bool
    ) -> tuple[Track, ...]:
        if not detected or not tracks:
            return tracks
        with self._meter.stage("pose"):
            polygons = [surroundings(zone.polygon) for zone in zones if zone.kind in {PROTECTED, OBJECT}]
            usual_heights = self._heights.observe(tracks, frame.time_s)
            chosen = people_who_matter(
                tracks,
                polygons,
                width=frame.width,
                height=frame.height,
                usual_heights=usual_heights,
                most=MOST_POSES,
            )
            wanting = [track for track in chosen if track.keypoints is None]
            if not wanting:
                return tracks
            found = pose.estimate(frame, [track.box for track in wanting])
        keypoints = {track.id: points for track, points in zip(wanting, found, strict=True)}
        return tuple(
            dataclasses.replace(track, keypoints=keypoints[track.id]) if track.id in keypoints else track
            for track in tracks
        )

    def _judge(self, scene: Scene, frame: Frame | None) -> Step:
        with self._meter.stage("pictures"):
            for stage in self._stages:
                scene = stage.observe(scene, frame)
        with self._meter.stage("behaviour"):
            signals = self._signals.observe(scene)
            events = tuple(self._events.observe(signals, scene.time_s))
        for event in events:
            if event.subject == CameraFault.MOVED and event.phase is not Phase.UPDATED:
                self._ground.moved(away=event.phase is Phase.BEGUN)
        self._threshold_sweep.observe(signals, scene.time_s)
        return Step(
            scene=scene,
            frame=frame,
            to_blur={**self._unmatched, **scene.people()},
            signals=signals,
            events=events,
        )
