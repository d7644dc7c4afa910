"""Crowds that start to run are found; runners, joggers and people in a hurry are no crowd that runs."""

from dataclasses import replace

import pytest
from tests.behaviour.crowds import filmed, judged
from tests.crowd import scenarios

from tynysh.behaviour.crowd_run import CrowdRunAnalyser, CrowdRunSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.zone import Zone
from tynysh.translations import LANGUAGES, catalogue, text


@pytest.mark.parametrize("metric", [True, False])
@pytest.mark.parametrize("scenario", scenarios.RUNS, ids=lambda scenario: scenario.__name__)
def test_every_crowd_that_starts_to_run_is_found_within_three_seconds(scenario, metric: bool) -> None:
    film = filmed(scenario, metric=metric)
    events = judged(film, Behaviour.CROWD_RUN).events
    assert film.ran_s is not None
    assert [film.ran_s <= event.decided_s <= film.ran_s + 3.0 for event in events] == [True]
    assert events[0].start_s == pytest.approx(film.ran_s, abs=1.5)


@pytest.mark.parametrize("metric", [True, False])
@pytest.mark.parametrize("scenario", scenarios.CALM, ids=lambda scenario: scenario.__name__)
def test_calm_crowds_raise_no_alarm(scenario, metric: bool) -> None:
    outcome = judged(filmed(scenario, metric=metric), Behaviour.CROWD_RUN)
    assert outcome.events == ()
    assert max(signal.score for signal in outcome.signals) < 0.5


@pytest.mark.parametrize(
    ("scenario", "way"),
    [
        (scenarios.flight_apart, "apart"),
        (scenarios.flight_one_way, "right"),
        (scenarios.flight_towards, "near"),
        (scenarios.flight_staggered, "left"),
    ],
)
def test_the_reason_says_where_from_and_where_to(scenario, way: str) -> None:
    reason = judged(filmed(scenario), Behaviour.CROWD_RUN).events[0].reason
    assert reason is not None
    assert (reason.values["from"], reason.values["to"]) == ("middle", way)
    for language in LANGUAGES:
        words = catalogue(language)
        values = {**reason.values, "to": words[f"to.{way}"], "from": words["from.middle"]}
        assert words[f"to.{way}"] in text(language, f"reason.{reason.key}", **values)


@pytest.mark.parametrize(
    ("metric", "key", "speed"), [(True, "crowd_run.metres", 3.4), (False, "crowd_run.heights", 2.0)]
)
def test_speeds_are_in_body_heights_where_the_ground_is_not_known(
    metric: bool, key: str, speed: float
) -> None:
    film = filmed(scenarios.flight_one_way, metric=metric)
    reason = judged(film, Behaviour.CROWD_RUN).events[0].reason
    assert reason is not None and reason.key == key
    assert reason.values["speed"] == pytest.approx(speed, rel=0.15)


def test_a_larger_number_can_be_asked_for() -> None:
    film = filmed(scenarios.flight_one_way)
    assert judged(film, Behaviour.CROWD_RUN, CrowdRunSettings(people=50)).events == ()


def test_only_those_in_the_named_zones_count() -> None:
    film = filmed(scenarios.flight_one_way)
    corner = Zone("corner", ((0.0, 0.0), (0.05, 0.0), (0.05, 0.05), (0.0, 0.05)))
    held = replace(film, scenes=tuple(replace(scene, zones=(corner,)) for scene in film.scenes))
    assert judged(held, Behaviour.CROWD_RUN, CrowdRunSettings(zones=("corner",))).events == ()


def test_between_looks_it_says_what_it_said_and_when_the_camera_is_lost_nothing() -> None:
    scenes = filmed(scenarios.flight_one_way).scenes[:40]
    analyser = CrowdRunAnalyser(CrowdRunSettings())
    for scene in scenes:
        (first,) = analyser.observe(scene)
    between = Scene(8.1, 1280, 720, detected=False, crowd=scenes[-1].crowd)
    assert [replace(signal, time_s=first.time_s) for signal in analyser.observe(between)] == [first]
    assert list(analyser.observe(Scene(8.2, 1280, 720, feed=Feed.LOST))) == []
    assert list(analyser.observe(Scene(8.3, 1280, 720))) == []
