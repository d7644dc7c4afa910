"""Somebody who falls and stays down is noticed, through the detector's misses; nobody else is."""

from collections.abc import Callable
from random import Random

import pytest
from tests.behaviour.scenes import H, boxed, followed, posed, scene, scores, standing, times, watch

from tynysh.behaviour.event import Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.person_down import PersonDownAnalyser, PersonDownSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.demo.figure import BodyAction
from tynysh.geometry import Box
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone


def analyser(**settings: object) -> PersonDownAnalyser:
    return PersonDownAnalyser(PersonDownSettings.model_validate(settings))


def falls(t: float, *, at_s: float = 3.0, track_id: int = 1) -> Track:
    if t < at_s:
        return posed(track_id, BodyAction.STAND, 300, t)
    if t < at_s + 0.6:
        return posed(track_id, BodyAction.FALL, 300, t, begun_s=at_s)
    return posed(track_id, BodyAction.LIE, 300, t, begun_s=at_s)


def play(people: Callable[[float], list[Track]], end_s: float, **changes: object) -> list[Signal]:
    return watch(analyser(), [scene(t, people(t), **changes) for t in times(0, end_s)])


def held(signals: list[Signal], from_s: float, until_s: float) -> bool:
    """Whether a score of 0.6 was there throughout."""
    by_time: dict[float, float] = {}
    for signal in signals:
        by_time[signal.time_s] = max(by_time.get(signal.time_s, 0.0), signal.score)
    return all(by_time.get(t, 0.0) >= 0.6 for t in times(from_s, until_s))


def test_a_fall_is_held_and_dated_to_its_moment() -> None:
    signals = play(lambda t: [falls(t)], 15)
    assert held(signals, 5, 15)
    assert signals[-1].since_s == pytest.approx(3.5, abs=0.3)
    assert signals[-1].reason is not None
    assert signals[-1].reason.key == "person_down.fell"


def test_one_who_lay_there_from_the_start_is_lying_not_fallen() -> None:
    signals = play(lambda t: [posed(1, BodyAction.LIE, 300, t)], 5)
    assert held(signals, 2, 5)
    assert signals[-1].reason is not None
    assert signals[-1].reason.key == "person_down.lying"


def test_one_who_gets_up_is_no_longer_down() -> None:
    signals = play(lambda t: [falls(t) if t < 8 else posed(1, BodyAction.STAND, 300, t)], 14)
    assert not [signal for signal in signals if signal.time_s > 11 and signal.score > 0.1]


def test_short_misses_and_new_track_ids_do_not_matter() -> None:
    def people(t: float) -> list[Track]:
        if t > 4 and t % 4 < 2.5:
            return []
        return [falls(t, track_id=1 + int(t // 4))]

    signals = play(people, 24)
    assert held(signals, 6, 24)
    assert {signal.subject for signal in signals} == {"1"}


def test_one_who_is_not_found_again_is_given_up() -> None:
    signals = play(lambda t: [falls(t)] if t < 8 else [], 24)
    assert held(signals, 5, 12)
    assert not [signal for signal in signals if signal.time_s > 15]


def test_when_somebody_upright_appears_instead_the_fallen_is_given_up_sooner() -> None:
    signals = play(lambda t: [falls(t)] if t < 8 else [standing(2, 290, t, born_s=8.0)], 24)
    assert not [signal for signal in signals if signal.time_s > 11.5]


def test_helpers_who_come_do_not_end_it_while_the_fallen_is_seen() -> None:
    signals = play(lambda t: [falls(t)] + ([standing(2, 330, t, born_s=8.0)] if t > 8 else []), 20)
    assert held(signals, 5, 20)


def test_a_resting_detector_changes_nothing() -> None:
    watching = analyser()
    watch(watching, [scene(t, [falls(t)]) for t in times(0, 8)])
    resting = watch(watching, [scene(t, [falls(t)], detected=False) for t in times(8, 40, 2.0)])
    assert min(scores(resting)) >= 0.6


def test_somebody_on_a_bench_may_lie() -> None:
    bench = Zone("bench", ((0.2, 0.5), (0.45, 0.5), (0.45, 0.8), (0.2, 0.8)), kind="bench")
    assert play(lambda t: [falls(t)], 15, zones=[bench]) == []


def test_zones_hold_the_analyser_to_a_place() -> None:
    elsewhere = Zone("elsewhere", ((0.6, 0.0), (1.0, 0.0), (1.0, 1.0), (0.6, 1.0)))
    scenes: list[Scene] = [scene(t, [falls(t)], [elsewhere]) for t in times(0, 10)]
    assert watch(analyser(zones=["elsewhere"]), scenes) == []


@pytest.mark.parametrize(
    "box",
    [
        Box(280, 330, 335, 400),  # sits on a chair
        Box(278, 345, 330, 400),  # crouches
        Box(250, 300, 380, 400),  # two people side by side in one box
    ],
)
def test_other_postures_are_not_lying_without_pose(box: Box) -> None:
    def people(t: float) -> list[Track]:
        walker = standing(9, 100 + 60 * t, t, velocity=(60.0, 0.0))
        return [walker, standing(1, 300, t) if t < 3 else boxed(1, box, t)]

    assert max(scores(play(people, 14)), default=0.0) < 0.4


def test_a_person_without_pose_is_judged_by_the_height_learnt_from_others() -> None:
    def people(t: float) -> list[Track]:
        walker = standing(9, 100 + 60 * t, t, velocity=(60.0, 0.0))
        return [walker, boxed(1, Box(280, 400 - 0.35 * H, 380, 400), t)] if t > 4 else [walker]

    assert held(play(people, 12), 7, 12)


def told_after(people: Callable[[float], list[Track]], end_s: float = 20.0) -> list[float]:
    """When events were told, seconds after their beginning."""
    settings = PersonDownSettings()
    maker = EventMaker({Behaviour.PERSON_DOWN: Rule.of(settings)}, ids=Random(1))
    analyser = PersonDownAnalyser(settings)
    return [
        event.decided_s - event.start_s
        for one in followed(scene(t, people(t)) for t in times(0, end_s, 0.2))
        for event in maker.observe(analyser.observe(one), one.time_s)
        if event.phase is Phase.BEGUN
    ]


def test_a_fall_that_was_seen_is_told_in_three_seconds_and_lying_in_ten() -> None:
    (fall,) = told_after(lambda t: [falls(t)])
    assert fall <= 3.0
    (lies,) = told_after(lambda t: [posed(1, BodyAction.LIE, 300, t)])
    assert 10.0 <= lies <= 11.5


def test_a_fall_in_which_the_track_breaks_is_seen_all_the_same() -> None:
    def loses(t: float) -> list[Track]:
        if t < 3:
            return [posed(1, BodyAction.STAND, 300, t)]
        return [] if t < 4 else [boxed(2, Box(260, 370, 350, 400), t, born_s=4.0)]

    (fall,) = told_after(loses)
    assert fall <= 3.0


def test_who_lies_where_somebody_else_walks_by_has_not_fallen() -> None:
    def cast(t: float) -> list[Track]:
        return [posed(1, BodyAction.LIE, 300, t), standing(2, 200 + 40 * t, t)]

    (lies,) = told_after(cast, 14.0)
    assert lies >= 10.0


def test_who_gets_up_at_once_is_not_told() -> None:
    assert told_after(lambda t: [falls(t) if t < 4.6 else posed(1, BodyAction.STAND, 300, t)]) == []


def test_who_was_found_in_the_turned_picture_lies_though_the_edge_cuts_the_box_off() -> None:
    def people(t: float) -> list[Track]:
        if t < 3:
            return [standing(1, 300, t)]
        return [boxed(1, Box(240, 560, 360, 600), t, turned=True)]

    (fall,) = told_after(people)
    assert fall <= 3.0
