"""What did the pipeline see in one recording? As much as judging it needs, and small enough to be kept."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.commands.analyze import SEED
from tynysh.evaluation.analysis import analyse_video
from tynysh.evaluation.labels import Label
from tynysh.evidence.anonymised import blurred, scaled_size
from tynysh.geometry import Box
from tynysh.media.reader import VideoFile
from tynysh.runtime.blur_gate import BlurGate
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.live_view import jpeg
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Step

LEVELS = tuple(round(0.1 * step, 1) for step in range(1, 10))
"""Thresholds at which events are made besides the camera's own, to show what another threshold would bring."""

STILL_WIDTH = 640
MOST_STILLS = 60
"""Pictures of events that are kept of one recording at most, those of the highest scores; of labels as many."""

NEAR_S = 1.0
"""A picture may be taken so long after it was asked for: until the detector has looked."""


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event: what, from when to when, when decided, seconds; its highest score; where, normalised (0..1)."""

    behaviour: Behaviour
    start_s: float
    end_s: float
    decided_s: float
    score: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Still:
    """An anonymised picture of `time_s`: JPEG of `width` x `height` pixels."""

    time_s: float
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Sightings:
    """What the pipeline saw in one recording.

    thresholds: what was watched for, with the score from which each behaviour counts. events: in order of onset.
    levels: by threshold (`LEVELS`), the events that there would have been. scores: by behaviour the highest score of
    each second; seconds at which nothing was said have 0.
    """

    duration_s: float
    thresholds: Mapping[Behaviour, float]
    events: tuple[SeenEvent, ...]
    levels: Mapping[float, tuple[SeenEvent, ...]]
    scores: Mapping[Behaviour, Sequence[float]]
    stills: tuple[Still, ...]

    def still(self, start_s: float, end_s: float, near_s: float) -> Still | None:
        """Of the pictures between `start_s` and `end_s` (and `NEAR_S` more), that nearest `near_s`; None if none."""
        inside = [still for still in self.stills if start_s <= still.time_s <= end_s + NEAR_S]
        return min(inside, key=lambda still: abs(still.time_s - near_s), default=None)

    def as_json(self) -> dict[str, Any]:
        """As `from_json` reads it."""
        return {
            "duration_s": self.duration_s,
            "thresholds": dict(self.thresholds),
            "events": [_carried(event) for event in self.events],
            "levels": {str(at): [_carried(event) for event in events] for at, events in self.levels.items()},
            "scores": {behaviour: list(scores) for behaviour, scores in self.scores.items()},
            "stills": [
                [still.time_s, still.width, still.height, base64.b64encode(still.jpeg).decode()]
                for still in self.stills
            ],
        }

    @classmethod
    def from_json(cls, carried: Mapping[str, Any]) -> "Sightings":
        """What `as_json` wrote. Raises KeyError, TypeError or ValueError where it is something else."""
        return cls(
            duration_s=float(carried["duration_s"]),
            thresholds={Behaviour(name): float(at) for name, at in carried["thresholds"].items()},
            events=tuple(_loaded(event) for event in carried["events"]),
            levels={
                float(at): tuple(_loaded(event) for event in events)
                for at, events in carried["levels"].items()
            },
            scores={Behaviour(name): scores for name, scores in carried["scores"].items()},
            stills=tuple(
                Still(float(time_s), int(width), int(height), base64.b64decode(picture, validate=True))
                for time_s, width, height, picture in carried["stills"]
            ),
        )


def look(
    video: VideoFile,
    labels: Sequence[Label],
    watch: CameraPlan,
    networks: Networks,
    *,
    on_second: Callable[[float], None] = lambda _: None,
) -> Sightings:
    """Run the whole of `video` through the production pipeline, once.

    labels: pictures are taken of their times, too. on_second: told the stream time, about once a second of it.
    Raises MediaError. What is held grows by a number a second and a picture an event up to `MOST_STILLS`, not with the
    pictures of the video.
    """
    enabled = {behaviour: settings for behaviour, settings in watch.analysers.items() if settings.enabled}
    levels = {level: _events_at(level, enabled) for level in LEVELS}
    at_level: dict[float, dict[str, SeenEvent]] = {level: {} for level in LEVELS}
    scores: dict[Behaviour, list[float]] = {}
    camera = _Camera(labels)
    told_s = -1.0

    def listen(step: Step) -> None:
        nonlocal told_s
        scene = step.scene
        camera.set_active(step)
        for signal in step.signals:
            seconds = scores.setdefault(signal.behaviour, [])
            place = int(scene.time_s)
            seconds.extend([0.0] * (place + 1 - len(seconds)))
            seconds[place] = max(seconds[place], float(signal.score))
        for level, maker in levels.items():
            ended = [event for event in maker.observe(step.signals, scene.time_s) if event.end_s is not None]
            at_level[level].update((event.id, _seen(event, scene.time_s)) for event in ended)
        if scene.time_s - told_s >= 1.0:
            told_s = scene.time_s
            on_second(told_s)

    analysis = analyse_video(
        video, build_pipeline(watch, networks, ids=Random(SEED)), on_step=listen, trails=False
    )
    for level, maker in levels.items():
        at_level[level].update(
            (event.id, _seen(event, analysis.duration_s)) for event in maker.close(analysis.duration_s)
        )
    return Sightings(
        duration_s=analysis.duration_s,
        thresholds={behaviour: settings.threshold for behaviour, settings in enabled.items()},
        events=tuple(_seen(event, analysis.duration_s) for event in analysis.events),
        levels={level: tuple(sorted(events.values(), key=_onset)) for level, events in at_level.items()},
        scores=scores,
        stills=camera.stills(),
    )


class _Camera:
    """Takes anonymised pictures: of labels at half of their time, of events at their highest score.

    A picture waits until it is known who is in it, as live pictures do (`runtime.blur_gate`); if that takes longer than
    `NEAR_S`, it is not taken: what cannot be anonymised is not shown.
    """

    def __init__(self, labels: Sequence[Label]) -> None:
        self._blur_gate = BlurGate()
        halves = [(label.start_s + label.end_s) / 2 for label in labels]
        # Evenly over all of them, where they are too many.
        thin = max(1, -(-len(halves) // MOST_STILLS))
        self._due = sorted(halves)[::thin]
        self._of_labels: list[Still] = []
        self._wanted: dict[str, tuple[float, float]] = {}
        self._best: dict[str, float] = {}
        self._of_events: dict[str, tuple[float, Still]] = {}

    def set_active(self, step: Step) -> None:
        """See one step, and take the pictures that are due."""
        scene = step.scene
        for event in step.events:
            if event.phase is not Phase.ENDED and event.score > self._best.get(event.id, 0.0):
                self._best[event.id] = event.score
                self._wanted[event.id] = (scene.time_s, event.score)
            elif event.phase is Phase.ENDED:
                self._best.pop(event.id, None)
        if step.frame is None:
            return
        sure = scene.detected or not scene.motion.moving
        for frame, people in self._blur_gate.add(step.frame, step.to_blur, sure=sure, all_frames=False):
            while self._due and self._due[0] < scene.time_s - NEAR_S:
                self._due.pop(0)
            of_label = bool(self._due) and self._due[0] <= scene.time_s
            wanted = {
                event: score
                for event, (since_s, score) in self._wanted.items()
                if scene.time_s - since_s <= NEAR_S
            }
            self._wanted.clear()
            if not of_label and not wanted:
                return
            size = scaled_size(frame, STILL_WIDTH)
            still = Still(frame.time_s, *size, jpeg(blurred(frame, people, size)))
            if of_label:
                self._due = [due for due in self._due if due > scene.time_s]
                self._of_labels.append(still)
            self._of_events.update((event, (score, still)) for event, score in wanted.items())
            if len(self._of_events) > MOST_STILLS:
                del self._of_events[min(self._of_events, key=lambda event: self._of_events[event][0])]

    def stills(self) -> tuple[Still, ...]:
        """All that were taken and are kept, in order of time."""
        by_time = {still.time_s: still for still in self._of_labels}
        by_time.update((still.time_s, still) for _, still in self._of_events.values())
        return tuple(by_time[time_s] for time_s in sorted(by_time))


def _events_at(level: float, enabled: Mapping[Behaviour, AnalyserSettings]) -> EventMaker:
    """What makes events of signals as production does, but from scores of `level`."""
    rules = {
        behaviour: Rule.of(settings.model_copy(update={"threshold": level}))
        for behaviour, settings in enabled.items()
    }
    return EventMaker(rules, ids=Random(SEED))


def _seen(event: Event, until_s: float) -> SeenEvent:
    return SeenEvent(
        event.behaviour,
        event.start_s,
        until_s if event.end_s is None else event.end_s,
        event.decided_s,
        event.score,
        event.box,
    )


def _onset(event: SeenEvent) -> tuple[float, str]:
    return event.start_s, event.behaviour


def _carried(event: SeenEvent) -> list[Any]:
    box = None if event.box is None else [float(side) for side in event.box]
    times = (event.start_s, event.end_s, event.decided_s)
    return [event.behaviour, *(float(time_s) for time_s in times), float(event.score), box]


def _loaded(carried: Sequence[Any]) -> SeenEvent:
    behaviour, start_s, end_s, decided_s, score, box = carried
    return SeenEvent(
        Behaviour(behaviour),
        float(start_s),
        float(end_s),
        float(decided_s),
        float(score),
        None if box is None else Box(*(float(side) for side in box)),
    )
