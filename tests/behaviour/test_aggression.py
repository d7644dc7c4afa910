"""Aggression is an act against somebody: seen where it happens, and nowhere else."""

from collections.abc import Callable
from dataclasses import replace

from tests.behaviour.scenes import LEFT_HALF, SUSPICIOUS_LOOK, posed, scene, scores, times, watch

from tynysh.behaviour import registry
from tynysh.behaviour.aggression import AggressionAnalyser, AggressionSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.demo.figure import BodyAction
from tynysh.scene.need import Need
from tynysh.scene.track import Track

Cast = Callable[[float], list[Track]]


def play(cast: Cast, end_s: float = 4.0, step_s: float = 0.1, **settings: object) -> list[Signal]:
    analyser = AggressionAnalyser(AggressionSettings.model_validate(settings))
    return watch(
        analyser,
        [scene(t, cast(t), [LEFT_HALF], clip=SUSPICIOUS_LOOK) for t in times(0, end_s, step_s)],
    )


def attack(t: float) -> list[Track]:
    act = BodyAction.STRIKE if t > 1 else BodyAction.STAND
    return [posed(1, act, 300, t, begun_s=1.0), posed(2, BodyAction.STAND, 340, t, facing=-1)]


def test_a_blow_is_noticed_where_it_is_struck_and_says_why() -> None:
    worst = max(play(attack), key=lambda signal: signal.score)
    assert worst.score >= 0.6
    assert worst.people == 2
    assert worst.reason is not None
    assert worst.reason.key == "aggression.blow"
    assert worst.box is not None
    assert 0.2 < worst.box.left < worst.box.right < 0.45


def test_it_is_calm_before_and_the_score_falls_soon_after() -> None:
    signals = play(lambda t: attack(t) if t < 3 else attack(0.5 + 0 * t), 6.0)
    assert max(scores(s for s in signals if s.time_s < 1)) == 0.0


def test_people_who_pass_each_other_are_calm() -> None:
    def cast(t: float) -> list[Track]:
        return [
            posed(1, BodyAction.WALK, 200 + 80 * t, t, travelled=0.8 * t),
            posed(2, BodyAction.WALK, 520 - 80 * t, t, travelled=0.8 * t + 0.2, facing=-1),
        ]

    assert max(scores(play(cast))) < 0.4


def test_somebody_who_strikes_the_air_alone_is_calm() -> None:
    assert max(scores(play(lambda t: [posed(1, BodyAction.STRIKE, 300, t)]))) == 0.0


def test_zones_hold_it_to_a_place() -> None:
    def elsewhere(t: float) -> list[Track]:
        return [posed(1, BodyAction.STRIKE, 700, t), posed(2, BodyAction.STAND, 740, t, facing=-1)]

    assert max(scores(play(elsewhere))) >= 0.6
    assert max(scores(play(elsewhere, zones=["left"]))) == 0.0


def test_nothing_changes_while_the_detector_rests() -> None:
    analyser = AggressionAnalyser(AggressionSettings())
    before = watch(analyser, [scene(t, attack(t), clip=SUSPICIOUS_LOOK) for t in times(0, 2)])[-1]
    resting = watch(
        analyser, [scene(t, attack(t), detected=False, clip=SUSPICIOUS_LOOK) for t in times(2, 3)]
    )
    assert scores(resting) == [before.score] * 10


def test_a_rule_alone_raises_nothing() -> None:
    """What looks like a blow by joints alone counts if the network that looks at the pictures has any doubt."""

    def worst(probability: float | None) -> float:
        looked = None if probability is None else replace(SUSPICIOUS_LOOK, probability=probability)
        shown = [scene(t, attack(t), clip=looked) for t in times(0, 4)]
        return max(scores(watch(AggressionAnalyser(AggressionSettings()), shown)))

    assert worst(0.45) >= 0.6
    assert worst(0.3) == 0.0
    assert worst(None) == 0.0
    assert max(scores(play(attack, pictures=False))) >= 0.6


def test_the_network_is_asked_for_aggression_alone_too() -> None:
    assert Need.CLIP_SCORES in registry.needs({Behaviour.AGGRESSION: AggressionSettings()})
