"""Thresholds are learnt from verdicts and quiet hours, and used at once."""

from collections.abc import Mapping
from random import Random

import numpy as np
import pytest
from tests.events import an_event

from tynysh.behaviour.event import Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.registry import BUDGETED, default_settings, rules
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.incidents.alarm_budget import AlarmRate, Choice, Standing
from tynysh.runtime import thresholds
from tynysh.runtime.watch_record import Watched
from tynysh.site.apply import apply
from tynysh.site.site import Site, SiteFile
from tynysh.store.database import Database
from tynysh.store.queries import alarm_budgets, changes
from tynysh.store.queries.events import record

NOW = 1000 * 86_400.0
FIGHT = Behaviour.FIGHT


def site(**budget: object) -> SiteFile:
    camera = {"id": "door", "name": "Door", "main": "rtsp://10.0.0.1/main", "alarm_budget": budget}
    return SiteFile.model_validate(
        {
            "sites": [
                {
                    "id": "pulse",
                    "name": "Pulse",
                    "kind": "nightlife",
                    "time_zone": "Asia/Almaty",
                    "cameras": [camera],
                }
            ]
        }
    )


def watched(database: Database, days: float, fights_at: dict[float, int] | None = None) -> None:
    """So many days of quiet hours, with fights' near alarms: level → how many reached it."""
    apply(site(), database, now=NOW, user="aigerim")
    counts = np.array([sum(n for level, n in (fights_at or {}).items() if level >= each) for each in LEVELS])
    with database.writing() as session:
        for hour in range(round(days * 24)):
            at = NOW - (hour + 30) * 3600
            alarm_budgets.add_watched(
                session, "door", at, 3600, {FIGHT: counts} if hour == 0 and fights_at else {}
            )


def learn(database: Database, **budget: object) -> dict[Behaviour, alarm_budgets.LearntThreshold]:
    given = site(**budget)
    apply(given, database, now=NOW, user="aigerim")
    thresholds.learn_all(database, given, now=NOW)
    with database.reading() as session:
        return {one.behaviour: one for one in alarm_budgets.learnt(session, ["door"])}


def test_the_budget_is_shared_between_what_is_watched_for(database: Database) -> None:
    found = learn(database)
    assert set(found) == set(BUDGETED)
    assert sum(one.budget for one in found.values()) == pytest.approx(1.0)
    assert {one.choice.standing for one in found.values()} == {Standing.LEARNING}
    assert found[FIGHT].choice.threshold == default_settings()[FIGHT].threshold


def test_a_camera_that_cries_wolf_gets_a_higher_threshold_within_its_floor_of_recall(
    database: Database,
) -> None:
    watched(database, 10, {0.7: 20})
    found = learn(database, recall_floor=0.3)[FIGHT]
    assert found.choice.standing is Standing.KEPT
    assert 0.7 < found.choice.threshold <= 0.72
    held = learn(database, recall_floor=0.99)[FIGHT]
    assert held.choice.standing is Standing.FLOOR
    assert held.choice.rate.low > held.budget
    assert held.choice.recall is not None


def test_a_quiet_camera_notices_more(database: Database) -> None:
    watched(database, 13)
    usual = default_settings()[FIGHT].threshold
    assert 0.8 * usual - 1e-9 <= learn(database)[FIGHT].choice.threshold < usual


def test_a_camera_that_is_not_to_learn_forgets(database: Database) -> None:
    assert learn(database) != {}
    assert learn(database, learn=False) == {}


def test_those_who_use_thresholds_are_told_when_others_were_learnt(database: Database) -> None:
    def published() -> list[str]:
        with database.reading() as session:
            kind = changes.ChangeKind.THRESHOLDS
            return [change.ref for change in changes.since(session, 0) if change.kind is kind]

    learn(database)
    assert published() == ["door"]
    learn(database)
    assert published() == ["door"], "nothing else was learnt"
    watched(database, 10, {0.7: 20})
    learn(database, recall_floor=0.3)
    assert published() == ["door", "door"]


def test_learnt_thresholds_make_the_events() -> None:
    settings = default_settings()
    events = EventMaker(rules(settings), ids=Random(0))
    score = settings[FIGHT].threshold + 0.1

    def begun(start_s: float) -> int:
        times = (start_s + step / 10 for step in range(30))
        made = [event for t in times for event in events.observe([Signal(FIGHT, t, score)], t)]
        return sum(event.phase is Phase.BEGUN for event in made)

    assert begun(0.0) == 1
    choice = Choice(score + 0.1, Standing.RAISED, AlarmRate(2, 1, 4), None, 0.6)
    learnt = alarm_budgets.LearntThreshold(
        "door", FIGHT, choice, settings[FIGHT].threshold, 1.0, 1.0, 0, 0, NOW
    )
    events.retune(thresholds.tuned(settings, [learnt]))
    assert begun(1000.0) == 0
    events.retune(thresholds.tuned(settings, []))
    assert begun(2000.0) == 1


class Watching:
    """A camera at work, of which it is known by which rules it makes events."""

    def __init__(self, site: Site) -> None:
        self.site, self.camera = site, site.cameras[0]
        self.rules: Mapping[Behaviour, Rule] = {}

    def retune(self, rules: Mapping[Behaviour, Rule]) -> None:
        self.rules = rules

    def take_watched(self) -> Watched:
        return Watched()


@pytest.mark.parametrize(
    ("analysers", "budget", "threshold"),
    [({}, {}, 0.7), ({"fight": {"threshold": 0.62}}, {}, 0.62), ({}, {"learn": False}, 0.5)],
    ids=["learnt", "the site says another threshold now", "the site says not to learn"],
)
def test_what_was_learnt_holds_as_long_as_the_site_says_what_it_said_then(
    database: Database, analysers: dict[str, object], budget: dict[str, object], threshold: float
) -> None:
    apply(site(), database, now=NOW, user="aigerim")
    choice = Choice(0.7, Standing.KEPT, AlarmRate(0.1, 0.1, 0.3), None, 0.6)
    with database.writing() as session:
        alarm_budgets.keep(
            session, alarm_budgets.LearntThreshold("door", FIGHT, choice, 0.5, 1.0, 9.0, 0, 0, NOW)
        )
    values = site(**budget).sites[0].model_dump(mode="json", by_alias=True, exclude_defaults=True)
    values["cameras"][0]["analysers"] = analysers
    runner = Watching(Site.model_validate(values))
    thresholds.Thresholds(database).keep([runner], now=NOW)  # type: ignore[list-item]
    assert runner.rules[FIGHT].on == threshold


def test_a_camera_that_alarms_in_every_other_hour_is_not_calm_in_the_hours_between(
    database: Database,
) -> None:
    """Nobody verified its alarms of today yet; a budget of 10 a day for fights could be shown in a quarter of one."""
    apply(site(), database, now=NOW, user="aigerim")
    for hour in range(23):
        at = NOW - (23 - hour) * 3600
        with database.writing() as session:
            counts = {FIGHT: np.ones(len(LEVELS), dtype=np.int64)} if hour % 2 else {}
            alarm_budgets.add_watched(session, "door", at, 3600, counts)
        if hour % 2:
            alarm = an_event(FIGHT, at, at + 5)
            record(database, alarm, "door", now=at + 5)
    found = learn(database, alarms_per_day=30)[FIGHT]
    assert found.choice.standing is Standing.LEARNING
    assert found.choice.threshold == default_settings()[FIGHT].threshold
