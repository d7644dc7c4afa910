"""Quiet hours are those in which nothing happened; what was learnt of them is kept."""

import numpy as np
import pytest

from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.incidents.alarm_budget import AlarmRate, Choice, Standing
from tynysh.incidents.lifecycle import Action, Verdict
from tynysh.store.database import Database
from tynysh.store.queries import alarm_budgets, incidents
from tynysh.store.queries.alarm_budgets import DAY_S, HOUR_S, LearntThreshold
from tynysh.store.queries.events import record

FIGHT = Behaviour.FIGHT
NOW = 1000 * DAY_S


def watch(
    database: Database, at: float, counts: dict[Behaviour, int] | None = None, seconds: float = 60.0
) -> None:
    found = {behaviour: np.full(len(LEVELS), number) for behaviour, number in (counts or {}).items()}
    with database.writing() as session:
        alarm_budgets.add_watched(session, "door", at, seconds, found)


def quiet(database: Database, *, days: float = 14.0) -> tuple[float, dict[Behaviour, int]]:
    """Hours, and alarms at the lowest level."""
    with database.reading() as session:
        time = alarm_budgets.quiet_time(session, "door", [FIGHT], since=NOW - days * DAY_S, now=NOW)
    return time.days * 24, {behaviour: int(counts[0]) for behaviour, counts in time.counts.items()}


def test_minutes_add_up_to_hours_and_hours_to_days(city: Database) -> None:
    for minute in range(60):
        watch(city, NOW - 5 * HOUR_S + 60 * minute, {FIGHT: 1} if minute == 7 else None)
    watch(city, NOW - 3 * HOUR_S, {FIGHT: 2, Behaviour.AGGRESSION: 1}, seconds=1800)
    watch(city, NOW - 20 * DAY_S, {FIGHT: 100}, seconds=3600)
    assert quiet(city) == (pytest.approx(1.5), {FIGHT: 3, Behaviour.AGGRESSION: 1})


@pytest.mark.parametrize(
    ("verdict", "days_ago", "left_out"),
    [
        (Verdict.TRUE, 3, True),
        (Verdict.UNCLEAR, 3, True),
        (Verdict.FALSE, 3, False),
        (Verdict.FALSE, 0.5, False),
        (None, 3, False),
        (None, 0.5, True),
    ],
)
def test_hours_in_which_something_happened_or_may_have_are_left_out(
    city: Database, make_event, verdict: Verdict | None, days_ago: float, left_out: bool
) -> None:
    began = NOW - days_ago * DAY_S
    number = record(city, make_event(start_s=began, end_s=began + 60), "door", now=began + 1).incident_id
    if verdict is not None:
        with city.writing() as session:
            incidents.take_step(session, number, Action.VERIFY, user="aigerim", now=NOW, verdict=verdict)
    watch(city, began, {FIGHT: 1}, seconds=3600)
    watch(city, began - 15 * HOUR_S, seconds=3600)
    assert quiet(city) == ((1.0, {}) if left_out else (2.0, {FIGHT: 1}))


def test_hours_of_the_last_day_tell_nothing_while_one_of_its_alarms_waits_for_a_verdict(
    city: Database, make_event
) -> None:
    """Else a camera that alarms in every other hour would look calm: its hours without alarms are left."""
    began = NOW - 5 * HOUR_S
    record(city, make_event(start_s=began, end_s=began + 60), "door", now=began + 1)
    for hours_ago in (2, 9, 23, 26):
        watch(city, NOW - hours_ago * HOUR_S, seconds=3600)
    assert quiet(city) == (1.0, {})


def test_what_happens_besides_is_no_reason_to_leave_an_hour_out(city: Database, make_event) -> None:
    """A hall that is crowded each night has its false alarms of fights then."""
    began = NOW - 50 * HOUR_S
    crowding = make_event(behaviour=Behaviour.CROWDING, start_s=began, end_s=began + 6 * HOUR_S)
    number = record(city, crowding, "door", now=began + 1).incident_id
    with city.writing() as session:
        incidents.take_step(session, number, Action.VERIFY, user="aigerim", now=NOW, verdict=Verdict.TRUE)
    watch(city, began + 2 * HOUR_S, {FIGHT: 3}, seconds=3600)
    assert quiet(city) == (1.0, {FIGHT: 3})


def test_a_true_alarm_at_the_end_of_an_hour_does_not_count_in_the_next(city: Database, make_event) -> None:
    began = NOW - 50 * HOUR_S - 20
    number = record(city, make_event(start_s=began, end_s=began + 10), "door", now=began + 1).incident_id
    with city.writing() as session:
        incidents.take_step(session, number, Action.VERIFY, user="aigerim", now=NOW, verdict=Verdict.TRUE)
    watch(city, began + 60, {FIGHT: 1}, seconds=60)
    assert quiet(city) == (0.0, {})


def test_scores_of_what_was_verified_true_are_known(city: Database, make_event) -> None:
    for verdict, score in ((Verdict.TRUE, 0.7), (Verdict.FALSE, 0.9), (Verdict.TRUE, 0.8)):
        began = NOW - 1000 * score * 10
        number = record(
            city, make_event(start_s=began, end_s=began + 5, score=score), "door", now=began
        ).incident_id
        with city.writing() as session:
            incidents.take_step(session, number, Action.VERIFY, user="aigerim", now=NOW, verdict=verdict)
    with city.reading() as session:
        scores = alarm_budgets.verified_scores(session, "door", FIGHT, since=0.0)
        assert sorted(scores) == [0.7, 0.8]
        assert alarm_budgets.verified_scores(session, "floor", FIGHT, since=0.0) == []


def learnt(behaviour: Behaviour, threshold: float, high: float = 0.9) -> LearntThreshold:
    choice = Choice(threshold, Standing.KEPT, AlarmRate(0.2, 0.1, high), recall=None, recall_floor=0.6)
    return LearntThreshold("door", behaviour, choice, 0.5, 0.33, 4.5, 3, 2, NOW)


def test_what_was_learnt_is_kept_replaced_and_forgotten(city: Database) -> None:
    with city.writing() as session:
        alarm_budgets.keep(session, learnt(FIGHT, 0.6))
        alarm_budgets.keep(session, learnt(Behaviour.AGGRESSION, 0.7, high=float("inf")))
        alarm_budgets.keep(session, learnt(FIGHT, 0.64))
    with city.reading() as session:
        found = alarm_budgets.learnt(session, ["door"])
    assert found == [learnt(Behaviour.AGGRESSION, 0.7, high=float("inf")), learnt(FIGHT, 0.64)]
    with city.writing() as session:
        alarm_budgets.forget(session, "door", but=[FIGHT])
    with city.reading() as session:
        assert [one.behaviour for one in alarm_budgets.learnt(session, ["door", "floor"])] == [FIGHT]


def test_old_hours_are_forgotten(city: Database) -> None:
    watch(city, NOW - 10 * DAY_S, seconds=3600)
    watch(city, NOW - DAY_S, seconds=3600)
    with city.writing() as session:
        alarm_budgets.forget_hours(session, before=NOW - 5 * DAY_S)
    assert quiet(city)[0] == 1.0
