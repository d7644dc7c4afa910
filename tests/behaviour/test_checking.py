"""Every installed analyser keeps what Tynysh relies on, and what does not is found out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from tynysh.behaviour.checking import AnalyserFaultError, check_analyser
from tynysh.behaviour.intrusion import IntrusionSettings
from tynysh.behaviour.registry import BEHAVIOURS
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, Words
from tynysh.scene.scene import Scene


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_every_installed_analyser_passes(behaviour: Behaviour) -> None:
    check_analyser(BEHAVIOURS[behaviour])


def test_settings_other_than_the_usual_can_be_tried() -> None:
    check_analyser(BEHAVIOURS[Behaviour.INTRUSION], IntrusionSettings(lines=("line",), zones=("area",)))


class Queue:
    """Scores how many people there are; each test spoils one thing of it."""

    behaviour = Behaviour("queue")

    def __init__(self, _settings: AnalyserSettings) -> None:
        self.kept: list[Any] = []

    def observe(self, scene: Scene) -> Sequence[Signal]:
        people = len(scene.tracks)
        reason = Reason("queue.long", {"people": people})
        return [Signal(self.behaviour, scene.time_s, min(1.0, people / 10), people=people, reason=reason)]


def spec(factory: Callable[..., Any] = Queue, **changes: Any) -> AnalyserSpec:
    words = Words("Queue", "Open a till.", {"long": "People: {people}"})
    values: dict[str, Any] = {
        "id": Queue.behaviour,
        "settings": AnalyserSettings,
        "factory": factory,
        "family": "queue",
        "rank": 55,
        "severity": Severity(1),
        "words": {"en": words, "ru": words, "kk": words},
    }
    return AnalyserSpec(**(values | changes))


def spoilt(**changes: Any) -> type[Queue]:
    """The analyser, with something else in each of its signals."""

    class Spoilt(Queue):
        def observe(self, scene: Scene) -> Sequence[Signal]:
            return [replace(signal, **changes) for signal in super().observe(scene)]

    return Spoilt


class Shared(Queue):
    seen: ClassVar[list[float]] = []

    def observe(self, scene: Scene) -> Sequence[Signal]:
        self.seen.append(scene.time_s)
        return [replace(signal, people=len(self.seen)) for signal in super().observe(scene)]


class Greedy(Queue):
    def observe(self, scene: Scene) -> Sequence[Signal]:
        return [replace(signal, people=len(scene.surfaces)) for signal in super().observe(scene)]


class Writing(Queue):
    def observe(self, scene: Scene) -> Sequence[Signal]:
        for track in scene.tracks:
            if track.keypoints is not None:
                track.keypoints[:] = 0.0
        return super().observe(scene)


class Hoarding(Queue):
    def observe(self, scene: Scene) -> Sequence[Signal]:
        self.kept.append([track.id for track in scene.tracks])
        return super().observe(scene)


class Fragile(Queue):
    def observe(self, scene: Scene) -> Sequence[Signal]:
        return super().observe(scene) if scene.tracks[0] else ()


class Sticky(Queue):
    def observe(self, scene: Scene) -> Sequence[Signal]:
        self.kept = [max([len(scene.tracks), *self.kept])]
        return [replace(signal, score=float(self.kept[0] > 0)) for signal in super().observe(scene)]


def test_a_sound_analyser_passes() -> None:
    check_analyser(spec())


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (spec(words={}), "there are no words in kk, ru, en"),
        (spec(spoilt(score=1.2)), "people who walk about: a score is 1.2"),
        (spec(spoilt(score=float("nan"))), "a score is nan"),
        (spec(spoilt(behaviour=Behaviour.FIGHT)), "a signal is of 'fight'"),
        (spec(spoilt(time_s=-1.0)), "a signal is of -1.0 s"),
        (spec(spoilt(since_s=1e9)), "began later"),
        (spec(spoilt(people=-1)), "of -1 people"),
        (spec(spoilt(reason=Reason("queue.short"))), "no words for the reason 'queue.short'"),
        (spec(spoilt(reason=Reason("queue.long"))), "the reason 'queue.long' has no people"),
        (spec(Shared), "the same scenes gave other signals"),
        (spec(Greedy), "it uses more of a scene than it says that it needs (nothing)"),
        (spec(Sticky), "a camera that is lost: it raises something of people whom nobody sees"),
        (spec(Hoarding), "its memory has no bound"),
    ],
)
def test_what_an_analyser_does_not_keep_is_told(wrong: AnalyserSpec, why: str) -> None:
    with pytest.raises(AnalyserFaultError, match="queue") as caught:
        check_analyser(wrong)
    assert why in str(caught.value)


@pytest.mark.parametrize(("wrong", "error"), [(Writing, ValueError), (Fragile, IndexError)])
def test_what_it_does_not_survive_is_seen_as_it_is(wrong: type[Queue], error: type[Exception]) -> None:
    with pytest.raises(error):
        check_analyser(spec(wrong))
