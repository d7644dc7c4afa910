"""What did the pipeline see in one recording? As much as judging it needs, and small enough to be kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tynysh.behaviour.event import Event
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.evaluation.analysis import SEED, analyse_video
from tynysh.evaluation.labels import Label
from tynysh.evaluation.stills import NEAR_S, Still, StillCamera
from tynysh.geometry import Box
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Step


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


def record_sightings(
    video: VideoFile,
    labels: Sequence[Label],
    plan: CameraPlan,
    networks: Networks,
    *,
    on_second: Callable[[float], None] = lambda _: None,
) -> Sightings:
    """Run the whole of `video` through the production pipeline, once.

    labels: pictures are taken of their times, too. on_second: given the stream time, about once a second of it.
    Raises MediaError. What is held grows by a number a second and a picture an event up to `MOST_STILLS`, not with the
    pictures of the video.
    """
    enabled = {behaviour: settings for behaviour, settings in plan.analysers.items() if settings.enabled}
    levels = {level: _events_at(level, enabled) for level in LEVELS.tolist()}
    at_level: dict[float, dict[str, SeenEvent]] = {level: {} for level in LEVELS.tolist()}
    scores: dict[Behaviour, list[float]] = {}
    camera = StillCamera(labels)
    reported_s = -1.0

    def listen(step: Step) -> None:
        nonlocal reported_s
        scene = step.scene
        camera.take(step)
        for signal in step.signals:
            seconds = scores.setdefault(signal.behaviour, [])
            place = int(scene.time_s)
            seconds.extend([0.0] * (place + 1 - len(seconds)))
            seconds[place] = max(seconds[place], float(signal.score))
        for level, maker in levels.items():
            ended = [event for event in maker.observe(step.signals, scene.time_s) if event.end_s is not None]
            at_level[level].update((event.id, _seen(event, scene.time_s)) for event in ended)
        if scene.time_s - reported_s >= 1.0:
            reported_s = scene.time_s
            on_second(reported_s)

    analysis = analyse_video(
        video, build_pipeline(plan, networks, ids=Random(SEED)), on_step=listen, keep_people=False
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


def _events_at(level: float, enabled: Mapping[Behaviour, AnalyserSettings]) -> EventMaker:
    """What makes events of signals as production does, but from scores of `level`."""
    rules = {behaviour: Rule.of(settings, level) for behaviour, settings in enabled.items()}
    return EventMaker(rules, ids=Random(SEED))


def _seen(event: Event, until_s: float) -> SeenEvent:
    return SeenEvent(
        event.behaviour,
        event.start_s,
        until_s if event.end_s is None else event.end_s,
        event.decided_s,
        float(event.score),
        event.box,
    )


def _onset(event: SeenEvent) -> tuple[float, str]:
    return event.start_s, event.behaviour
