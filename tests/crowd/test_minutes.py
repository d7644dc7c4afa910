"""Minutes say what the states said, and tell what nobody saw from what was empty."""

import numpy as np
import pytest

from tynysh.crowd.minutes import LONGEST_HOLD_S, Measure, MinuteMeter, Minutes, Series, SeriesKind, by_step
from tynysh.scene.crowd import PICTURE, CrowdState, Estimate, LineCount, PlaceCrowd

SQUARE = Series(SeriesKind.ZONE, "gate", PICTURE)
DOOR = Series(SeriesKind.LINE, "gate", "Door")
BEGIN_S = 60.0 * 1000


def state(time_s: float, count: float, *, ins: int = 0, outs: int = 0, **place) -> CrowdState:
    people = Estimate(count, count * 0.9, count * 1.2)
    return CrowdState(time_s, (PlaceCrowd(PICTURE, people, **place),), (LineCount("Door", ins, outs),))


def watched(*states: CrowdState) -> MinuteMeter:
    meter = MinuteMeter("gate")
    for each in states:
        meter.observe(each, each.time_s)
    return meter


def figures(meter: MinuteMeter, series: Series = SQUARE) -> Minutes:
    return meter.take(10**9)[series]


def test_a_minute_of_one_state_has_the_very_figures_of_the_state() -> None:
    steady = [
        state(BEGIN_S + second, 12.0, density=Estimate(0.5, 0.4, 0.6), speed=1.2, pressure=0.01)
        for second in range(61)
    ]
    minutes = figures(watched(*steady))
    assert minutes.at.tolist() == [1000]
    row = minutes.figures[0]
    expected = {
        Measure.SEEN: 60,
        Measure.COUNT: 12,
        Measure.LOW: 10.8,
        Measure.HIGH: 14.4,
        Measure.MOST: 12,
        Measure.ROUGH: 0,
        Measure.DENSITY: 0.5,
        Measure.DENSEST: 0.5,
        Measure.SPEED: 1.2,
        Measure.PRESSURE: 0.01,
    }
    assert {figure: row[figure] for figure in expected} == pytest.approx(expected)


def test_means_are_over_time_and_not_over_states() -> None:
    # Ten people for 15 s, none for 45 s, though the empty part was looked at but thrice.
    states = [state(BEGIN_S + second, 10.0) for second in range(15)]
    states += [state(BEGIN_S + second, 0.0) for second in (15, 30, 45, 60)]
    row = figures(watched(*states)).figures[0]
    assert row[Measure.COUNT] == pytest.approx(2.5)
    assert row[Measure.MOST] == 10


def test_downtime_is_no_minute_and_an_empty_minute_is_zero() -> None:
    meter = watched(*(state(BEGIN_S + second, 0.0) for second in range(0, 61, 10)))
    meter.pause(BEGIN_S + 60)
    meter.observe(state(BEGIN_S + 240, 3.0), BEGIN_S + 240)
    meter.pause(BEGIN_S + 250)
    minutes = figures(meter)
    assert minutes.at.tolist() == [1000, 1004]
    assert minutes.column(Measure.COUNT).tolist() == [0, 3]
    assert minutes.column(Measure.SEEN).tolist() == [60, 10]


def test_a_state_does_not_hold_for_ever() -> None:
    meter = watched(state(BEGIN_S, 3.0), state(BEGIN_S + 3600, 3.0))
    assert figures(meter).column(Measure.SEEN).tolist() == [LONGEST_HOLD_S]


def test_crossings_are_counted_in_the_minute_in_which_they_are_seen() -> None:
    meter = watched(
        state(BEGIN_S, 1.0, ins=2),
        state(BEGIN_S + 50, 1.0, ins=3, outs=1),
        state(BEGIN_S + 60, 1.0, ins=3, outs=5),
        state(BEGIN_S + 70, 1.0, ins=4, outs=5),
    )
    minutes = figures(meter, DOOR)
    assert minutes.column(Measure.INS).tolist() == [3, 1]
    assert minutes.column(Measure.OUTS).tolist() == [1, 4]


def test_what_was_taken_is_not_given_twice_and_the_running_minute_waits() -> None:
    meter = watched(*(state(BEGIN_S + second, 1.0) for second in range(0, 91, 10)))
    assert meter.take(1001)[SQUARE].at.tolist() == [1000]
    assert meter.take(1001) == {}
    assert meter.take(1002)[SQUARE].column(Measure.SEEN).tolist() == [30]


def row(
    seen: float, count: float, most: float, *, density: float = np.nan, ins: float = np.nan
) -> list[float]:
    made = np.full(len(Measure), np.nan)
    made[[Measure.SEEN, Measure.COUNT, Measure.MOST, Measure.DENSITY, Measure.INS]] = (
        seen,
        count,
        most,
        density,
        ins,
    )
    return made.tolist()


def test_steps_weight_by_the_time_seen_and_keep_the_highest() -> None:
    minutes = Minutes(
        np.array([10, 11, 14, 15]),
        np.array([row(60, 4, 6, density=1.0, ins=2), row(30, 10, 12), row(60, 1, 1, ins=1), row(60, 7, 9)]),
    )
    found = by_step(minutes, 5)
    assert found.at.tolist() == [10, 15]
    first = found.figures[0]
    assert first[Measure.SEEN] == 150
    assert first[Measure.COUNT] == pytest.approx((4 * 60 + 10 * 30 + 60) / 150)
    assert first[Measure.MOST] == 12
    assert first[Measure.DENSITY] == 1.0
    assert first[Measure.INS] == 3
    assert np.isnan(found.figures[1][[Measure.DENSITY, Measure.INS]]).all()


def test_two_parts_of_one_minute_become_one() -> None:
    begun = Minutes(np.array([10]), np.array([row(20, 3, 4)]))
    ended = Minutes(np.array([10, 11]), np.array([row(30, 8, 9), row(60, 1, 1)]))
    joined = Minutes.joined([ended, begun])
    assert joined.at.tolist() == [10, 11]
    assert joined.figures[0][[Measure.SEEN, Measure.COUNT, Measure.MOST]].tolist() == [50, 6, 9]
