"""The way of a frame on one camera: what is seen, what is measured, what that means, and what is an event."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.behaviour.signals import SignalMaker
from tynysh.behaviour.threshold_sweep import Counts, ThresholdSweep
from tynysh.crowd.grounding import GroundSource, NoGround
from tynysh.crowd.learning import Learnt
from tynysh.crowd.meter import CrowdMeter
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.media.stream_health import StreamHealth
from tynysh.perception.unmatched import SAME_PERSON_IOU
from tynysh.runtime.meter import Meter, NoMeter
from tynysh.runtime.perception import Perception, Seen
from tynysh.scene.fault import CameraFault
from tynysh.scene.person import Person
from tynysh.scene.scene import Scene

UNCOUNTED_S = 300.0
"""What has not moved for so long is counted no more. Longer than until events of it end: an audience sits still."""

ANALYSIS_RATE_HZ = 10.0
"""Frames that come faster than this are decoded but not analysed: behaviour does not need them."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one analysed frame came to.

    scene: what the analysers saw. frame: its picture, which they did not see; None while the camera is lost. signals:
    what they reported. events: begun, updated or ended now. swept_alarms: what other thresholds raise.
    to_blur: where people are or may be, normalised: the tracks by their id, and by ids below zero what the detector
    saw and the tracker is not (yet) sure of. Whoever is shown is blurred in doubt.
    """

    scene: Scene
    frame: Frame | None
    to_blur: Mapping[int, Box]
    signals: tuple[Signal, ...]
    events: tuple[Event, ...]
    swept_alarms: Mapping[Behaviour, Counts]


class Pipeline:
    """Takes one camera's frames in order of time; the same code live, offline and in evaluation.

    It reads no clock and draws no random number of its own: the same frames give the same events.
    """

    def __init__(
        self,
        perception: Perception,
        signals: SignalMaker,
        events: EventMaker,
        *,
        threshold_sweep: ThresholdSweep | None = None,
        ground: GroundSource | None = None,
        meter: Meter | None = None,
        rate_hz: float = ANALYSIS_RATE_HZ,
    ) -> None:
        self._perception = perception
        self._ground = ground or NoGround()
        self._crowd = CrowdMeter()
        self._signals = signals
        self._events = events
        self._threshold_sweep = threshold_sweep or ThresholdSweep({})
        self._meter = meter or NoMeter()
        self._interval_s = 1.0 / rate_hz
        self._due_s = float("-inf")

    @property
    def learnt(self) -> Learnt | None:
        """What was learnt of the camera's ground so far; safe to ask from another thread."""
        return self._ground.learnt

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
        seen = self._perception.observe(frame, stream)
        scene = self._measured(seen)
        return self._step(scene, frame, {**seen.unmatched, **scene.people()})

    def lost(self, time_s: float, stream: StreamHealth | None = None) -> Step:
        """The camera gives no pictures at `time_s`: analysers are told, events may begin and end."""
        self._crowd.lost()
        return self._step(self._perception.lost(time_s, stream), None, {})

    def close(self, time_s: float) -> tuple[Event, ...]:
        """The stream ends at `time_s`: the events that end with it."""
        return tuple(self._events.close(time_s))

    def _measured(self, seen: Seen) -> Scene:
        """The scene with its ground, where that is known well enough, and its crowd."""
        scene = seen.scene
        ground = self._ground.observe(scene)
        if ground is not None and ground.trusted:
            scene = dataclasses.replace(scene, ground=ground)
        with self._meter.stage("crowd"):
            return dataclasses.replace(scene, crowd=self._crowd.observe(*_people_only(scene, seen.persons)))

    def _step(self, scene: Scene, frame: Frame | None, to_blur: Mapping[int, Box]) -> Step:
        with self._meter.stage("behaviour"):
            signals = self._signals.observe(scene)
            events = tuple(self._events.observe(signals, scene.time_s))
        for event in events:
            if event.subject == CameraFault.MOVED and event.phase is not Phase.UPDATED:
                self._ground.moved(away=event.phase is Phase.BEGUN)
        self._threshold_sweep.observe(signals, scene.time_s)
        return Step(scene, frame, to_blur, signals, events, self._threshold_sweep.take())


def _people_only(scene: Scene, persons: Sequence[Person] | None) -> tuple[Scene, Sequence[Person] | None]:
    """The scene, and what the detector found in it, without what has not moved for `UNCOUNTED_S`."""
    things = [
        track.box
        for track in scene.tracks
        if track.fixed_since_s is not None and scene.time_s - track.fixed_since_s >= UNCOUNTED_S
    ]
    if not things:
        return scene, persons
    people = tuple(track for track in scene.tracks if track.box not in things)
    if persons is not None:
        persons = [person for person in persons if max(map(person.box.iou, things)) < SAME_PERSON_IOU]
    return dataclasses.replace(scene, tracks=people), persons
