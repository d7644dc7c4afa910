"""Events follow from signals by hysteresis, minimum duration and cool-down."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import CURVE_LIMIT, Curve, EventMaker, Rule
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.geometry import Box

RULE = Rule(on=0.6, off=0.4, min_duration_s=1.0, cooldown_s=10.0, release_s=0.5)


def maker(rule: Rule = RULE) -> EventMaker:
    return EventMaker({Behaviour.FIGHT: rule}, ids=Random(7))


def signal(time_s: float, score: float, **changes: object) -> Signal:
    return Signal(Behaviour.FIGHT, time_s, score, **changes)  # type: ignore[arg-type]


def run(events: EventMaker, scores: dict[float, float], **changes: object) -> list[Event]:
    return [
        event
        for time_s, score in scores.items()
        for event in events.observe([signal(time_s, score, **changes)], time_s)
    ]


def steps(start_s: float, end_s: float, score: float, step_s: float = 0.1) -> dict[float, float]:
    count = round((end_s - start_s) / step_s)
    return {round(start_s + step_s * number, 3): score for number in range(count)}


def phases(events: list[Event]) -> list[Phase]:
    return [event.phase for event in events]


def test_an_event_begins_when_the_signal_has_held_long_enough_and_ends_when_it_falls() -> None:
    events = run(maker(), steps(0, 2, 0.1) | steps(2, 5, 0.8) | steps(5, 8, 0.1))
    begun, ended = events
    assert (begun.phase, ended.phase) == (Phase.BEGUN, Phase.ENDED)
    assert begun.start_s == pytest.approx(2.0)
    assert begun.decided_s == pytest.approx(3.0)
    assert begun.end_s is None
    assert ended.end_s == pytest.approx(4.9)
    assert ended.id == begun.id


def test_the_onset_is_where_the_signal_rose_not_where_it_counted() -> None:
    begun = run(maker(), steps(0, 1, 0.0) | steps(1, 2, 0.5) | steps(2, 4, 0.9))[0]
    assert begun.start_s == pytest.approx(1.0)
    assert begun.decided_s == pytest.approx(3.0)


def test_an_analyser_that_knows_the_onset_is_believed() -> None:
    begun = run(maker(), steps(50, 52, 0.9), since_s=40.0)[0]
    assert begun.start_s == 40.0


def test_a_signal_between_the_thresholds_begins_nothing_but_keeps_what_holds() -> None:
    assert run(maker(), steps(0, 20, 0.5)) == []
    events = run(maker(), steps(0, 2, 0.9) | steps(2, 20, 0.5))
    assert all(event.phase is not Phase.ENDED for event in events)


def test_a_signal_shorter_than_the_minimum_is_no_event() -> None:
    assert run(maker(), steps(0, 0.9, 0.9) | steps(0.9, 5, 0.0)) == []


def test_a_dip_shorter_than_the_release_does_not_end_an_event() -> None:
    events = run(maker(), steps(0, 3, 0.9) | steps(3, 3.4, 0.0) | steps(3.4, 6, 0.9))
    assert Phase.ENDED not in phases(events)
    assert phases(events).count(Phase.BEGUN) == 1


def test_nothing_begins_during_the_cool_down_and_what_outlasts_it_does() -> None:
    first = steps(0, 2, 0.9) | steps(2, 4, 0.0)
    short_again = run(maker(), first | steps(4, 6, 0.9) | steps(6, 20, 0.0))
    assert phases(short_again).count(Phase.BEGUN) == 1
    long_again = run(maker(), first | steps(4, 20, 0.9))
    begun = [event for event in long_again if event.phase is Phase.BEGUN]
    assert len(begun) == 2
    assert begun[1].start_s == pytest.approx(4.0)
    assert begun[1].decided_s >= 1.9 + 10.0


def test_subjects_are_told_apart() -> None:
    events = maker()
    begun = [
        event
        for time_s in steps(0, 2, 0.0)
        for event in events.observe(
            [
                signal(time_s, 0.9, subject="1"),
                signal(time_s, 0.9, subject="2"),
                signal(time_s, 0.0, subject="3"),
            ],
            time_s,
        )
        if event.phase is Phase.BEGUN
    ]
    assert sorted(event.subject for event in begun) == ["1", "2"]
    assert len({event.id for event in begun}) == 2


def test_an_event_carries_what_its_highest_score_said() -> None:
    best = signal(
        1.5, 0.95, box=Box(0.1, 0.1, 0.2, 0.2), people=4, reason=Reason("fight.network", {"score": 95})
    )
    events = maker()
    made = []
    for time_s in steps(0, 3, 0.0):
        made += events.observe([best if time_s == 1.5 else signal(time_s, 0.7, people=2)], time_s)
    made += events.close(3.0)
    assert (made[-1].score, made[-1].people, made[-1].box) == (0.95, 4, best.box)
    assert made[-1].reason == Reason("fight.network", {"score": 95, "lasted_s": 3.0})


def test_the_reason_says_how_long_it_has_lasted_so_far() -> None:
    why = Reason("aggression.blow", {"people": 2})
    made = run(maker(), steps(0, 2, 0.7) | steps(2, 4, 0.9) | steps(4, 6, 0.0), reason=why)
    lasted = [event.reason.values["lasted_s"] for event in made if event.reason is not None]
    assert lasted == sorted(lasted)
    assert lasted[0] == pytest.approx(1.0)
    assert lasted[-1] == pytest.approx(3.9)
    assert why.values == {"people": 2}


def test_updates_come_at_most_once_a_second_with_something_new_and_every_ten_without() -> None:
    rising = {time_s: min(0.99, 0.6 + 0.04 * time_s) for time_s in steps(0, 8, 0.0)}
    made = run(maker(), rising)
    updates = [event for event in made if event.phase is Phase.UPDATED]
    assert 3 <= len(updates) <= 7
    assert updates[-1].score > updates[0].score
    steady = [event for event in run(maker(), steps(0, 35, 0.8)) if event.phase is Phase.UPDATED]
    assert [event.curve[-1][0] for event in steady] == pytest.approx([11.0, 21.0, 31.0], abs=0.3)


def test_an_event_ends_with_the_stream() -> None:
    events = maker()
    run(events, steps(0, 3, 0.9))
    (ended,) = events.close(3.0)
    assert (ended.phase, ended.end_s) == (Phase.ENDED, 3.0)
    assert events.close(4.0) == []


def test_what_was_only_rising_is_forgotten_at_the_end() -> None:
    events = maker()
    run(events, steps(0, 0.5, 0.9))
    assert events.close(0.5) == []


def test_an_event_ends_when_its_analyser_falls_silent() -> None:
    events = maker()
    run(events, steps(0, 3, 0.9))
    assert events.observe([], 4.0) == []
    (ended,) = events.observe([], 6.0)
    assert (ended.phase, ended.end_s) == (Phase.ENDED, 2.9)


def test_key_frames_seconds_apart_do_not_end_an_event() -> None:
    events = run(maker(), steps(0, 40, 0.9, step_s=4.0))
    assert set(phases(events)) == {Phase.BEGUN, Phase.UPDATED}


def test_one_low_score_between_distant_key_frames_does_not_end_an_event() -> None:
    events = run(maker(), {0.0: 0.9, 4.0: 0.9, 8.0: 0.1, 12.0: 0.9})
    assert phases(events) == [Phase.BEGUN]


def test_a_hole_in_time_ends_what_held_before_it() -> None:
    events = maker()
    run(events, steps(0, 3, 0.9))
    ended, *rest = events.observe([signal(100.0, 0.9)], 100.0)
    assert (ended.phase, ended.end_s, rest) == (Phase.ENDED, 2.9, [])


def test_a_clock_that_goes_back_ends_what_held_and_starts_anew() -> None:
    events = maker()
    run(events, steps(50, 53, 0.9))
    (ended,) = events.observe([signal(1.0, 0.9)], 1.0)
    assert (ended.phase, ended.end_s) == (Phase.ENDED, 52.9)
    assert phases(run(events, steps(1.1, 3, 0.9))) == [Phase.BEGUN], "the cool-down of another clock is void"


def test_the_same_signals_give_the_same_events() -> None:
    scores = steps(0, 3, 0.9) | steps(3, 5, 0.0)
    assert run(maker(), scores) == run(maker(), scores)


def test_the_curve_shows_the_rise_and_keeps_peaks() -> None:
    scores = steps(0, 10, 0.0) | steps(10, 12, 0.7, step_s=0.02)
    scores[11.3] = 0.97
    events = maker()
    run(events, scores)
    (ended,) = events.close(12.0)
    times = [time_s for time_s, _ in ended.curve]
    assert times == sorted(times)
    assert times[0] == pytest.approx(7.0, abs=0.25)
    assert max(score for _, score in ended.curve) == 0.97
    assert all(later - earlier >= 0.2 - 1e-9 for earlier, later in pairwise(times))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=2000), st.sampled_from([0.05, 0.1, 1.0]))
def test_a_curve_is_bounded_and_never_loses_its_highest_score(scores: list[float], step_s: float) -> None:
    curve = Curve()
    for number, score in enumerate(scores):
        curve.add(number * step_s, score)
    assert len(curve.samples) <= CURVE_LIMIT
    assert max(score for _, score in curve.samples) == max(scores)


@given(st.lists(st.tuples(st.floats(0.01, 20.0), st.floats(0, 1)), max_size=80))
def test_every_event_that_begins_ends_once_and_in_order(moves: list[tuple[float, float]]) -> None:
    events = maker()
    made, time_s = [], 0.0
    for step_s, score in moves:
        time_s += step_s
        made += events.observe([signal(time_s, score)], time_s)
    made += events.close(time_s)
    open_id = None
    for event in made:
        if event.phase is Phase.BEGUN:
            assert open_id is None
            open_id = event.id
        assert event.id == open_id
        if event.phase is Phase.ENDED:
            assert event.end_s is not None
            assert event.start_s <= event.decided_s <= event.end_s <= time_s
            open_id = None
    assert open_id is None


def test_a_rule_comes_from_settings() -> None:
    rule = Rule.of(AnalyserSettings(threshold=0.5, min_duration_s=3, cooldown_s=5))
    assert (rule.on, rule.off, rule.min_duration_s, rule.cooldown_s) == (0.5, 0.35, 3, 5)
