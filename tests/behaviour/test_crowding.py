"""Crowding holds the count of a place against its limit, and foresees when that will be passed."""

from dataclasses import replace

import numpy as np
import pytest
from tests.behaviour.scenes import LEFT_HALF, scene, scores, standing, times, watch

from tynysh.behaviour.crowding import CrowdingAnalyser, CrowdingSettings
from tynysh.crowd.meter import CrowdMeter
from tynysh.scene.crowd import PICTURE, CrowdState, Estimate, PlaceCrowd
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.zone import Zone
from tynysh.translations import LANGUAGES, text


def crowd(
    time_s: float, people: int, *, from_x: float = 20.0, zone: Zone = LEFT_HALF, **changes: object
) -> Scene:
    """So many people side by side, measured at a look."""
    tracks = [standing(number, from_x + 45 * number, time_s) for number in range(people)]
    seen = scene(time_s, tracks, [zone], **changes)
    return replace(seen, crowd=CrowdMeter().observe(seen, []))


def counted(time_s: float, people: float, **changes: object) -> Scene:
    """A picture in which so many people were counted."""
    state = CrowdState(time_s, (PlaceCrowd(PICTURE, Estimate(people, max(0, people - 2), people + 3)),))
    return scene(time_s, crowd=state, **changes)


def last(settings: CrowdingSettings, scenes: list[Scene]) -> float:
    return watch(CrowdingAnalyser(settings), scenes)[-1].score


@pytest.mark.parametrize(("people", "over"), [(5, False), (6, True), (12, True)])
def test_one_more_than_the_limit_is_crowding(people: int, over: bool) -> None:
    settings = CrowdingSettings(limit=5)
    score = last(settings, [crowd(t, people) for t in times(0, 6)])
    assert (score >= settings.threshold - 1e-9) is over


def test_only_feet_in_the_zone_count() -> None:
    settings = CrowdingSettings(limit=5, zones=("left",))
    inside = watch(CrowdingAnalyser(settings), [crowd(t, 10) for t in times(0, 6)])[-1]
    outside = watch(CrowdingAnalyser(settings), [crowd(t, 10, from_x=520) for t in times(0, 6)])[-1]
    assert (inside.people, inside.zone) == (10, "left")
    assert (outside.people, outside.score) == (0, 0.0)


def test_a_zone_that_has_a_capacity_is_held_to_it_without_being_told() -> None:
    zone = replace(LEFT_HALF, capacity=4)
    (signal,) = watch(CrowdingAnalyser(CrowdingSettings()), [crowd(t, 5, zone=zone) for t in times(0, 6)])[
        -1:
    ]
    assert (signal.zone, signal.people) == ("left", 5)
    assert signal.score >= 0.6
    assert signal.reason is not None and signal.reason.values["limit"] == 4


def test_the_sites_own_limit_comes_before_the_capacity() -> None:
    settings = CrowdingSettings(limit=20, zones=("left",))
    zone = replace(LEFT_HALF, capacity=4)
    assert last(settings, [crowd(t, 10, zone=zone) for t in times(0, 6)]) < 0.6


def test_people_missed_or_doubled_at_some_looks_do_not_matter() -> None:
    steady = last(CrowdingSettings(limit=5), [crowd(t, 6) for t in times(0, 6)])
    flickering = [crowd(t, (6, 3, 6, 9, 6)[step % 5]) for step, t in enumerate(times(0, 6))]
    assert last(CrowdingSettings(limit=5), flickering) == steady


def test_few_looks_are_less_certain() -> None:
    once = last(CrowdingSettings(limit=5), [crowd(0.0, 6)])
    assert once < 0.6 < last(CrowdingSettings(limit=5), [crowd(t, 6) for t in times(0, 3)]) + 1e-9


def test_while_the_detector_rests_the_count_stays() -> None:
    analyser = CrowdingAnalyser(CrowdingSettings(limit=5))
    seen = [crowd(t, 8) for t in times(0, 6)]
    score = watch(analyser, seen)[-1].score
    resting = [scene(t, detected=False, crowd=seen[-1].crowd) for t in times(6, 9)]
    assert scores(watch(analyser, resting)) == [score] * 30


def test_a_lost_camera_says_nothing_and_is_counted_anew() -> None:
    analyser = CrowdingAnalyser(CrowdingSettings(limit=5))
    watch(analyser, [crowd(t, 8) for t in times(0, 6)])
    assert watch(analyser, [scene(6.0, feed=Feed.LOST, detected=False)]) == []
    assert watch(analyser, [crowd(7.0, 2)])[0].people == 2


def growing(per_minute: float, seconds: float, *, start: float = 8.0, seed: int = 1) -> list[Scene]:
    random = np.random.default_rng(seed)
    steps = times(0, seconds, 1.0)
    return [counted(t, max(0, round(start + per_minute * t / 60 + random.normal(0, 1)))) for t in steps]


def test_a_place_that_will_be_over_its_limit_within_minutes_is_crowding_already() -> None:
    settings = CrowdingSettings(limit=40)
    signals = watch(CrowdingAnalyser(settings), growing(6.0, 300))
    first = next(signal for signal in signals if signal.score >= settings.threshold)
    assert first.people < 34
    assert first.reason is not None and first.reason.key == "crowding.forecast"
    values = first.reason.values
    truth = (40 - 8 - 6.0 * first.time_s / 60) / 6.0
    assert values["earliest"] <= truth <= values["latest"]
    assert values["minutes"] == pytest.approx(truth, rel=0.35)
    for language in LANGUAGES:
        assert str(values["minutes"]) in text(language, f"reason.{first.reason.key}", **values)


def test_once_it_is_over_the_limit_the_count_is_the_reason() -> None:
    signals = watch(CrowdingAnalyser(CrowdingSettings(limit=20)), growing(8.0, 160))
    assert signals[-1].people > 22
    assert signals[-1].reason is not None and signals[-1].reason.key == "crowding.count"


def test_without_a_forecast_only_what_is_there_counts() -> None:
    assert last(CrowdingSettings(limit=40, forecast_min=0), growing(6.0, 200)) < 0.6


@pytest.mark.parametrize("seed", range(5))
def test_people_who_come_and_go_are_not_expected_to_crowd(seed: int) -> None:
    random = np.random.default_rng(seed)
    people, scenes = 24, []
    for t in times(0, 1800, 1.0):
        people += int(random.poisson(24 / 90)) - int(random.binomial(people, 1 / 90))
        scenes.append(counted(t, people))
    limit = 1.7 * max(one.crowd.places[0].count.value for one in scenes if one.crowd is not None)
    assert max(scores(watch(CrowdingAnalyser(CrowdingSettings(limit=round(limit))), scenes))) < 0.6


def test_a_bus_that_lets_people_out_is_not_growth_that_goes_on() -> None:
    levels = [8.0 if t < 120 else min(25.0, 8.0 + 17 * (t - 120) / 15) for t in times(0, 600, 1.0)]
    scenes = [counted(t, round(level)) for t, level in zip(times(0, 600, 1.0), levels, strict=True)]
    assert max(scores(watch(CrowdingAnalyser(CrowdingSettings(limit=45)), scenes))) < 0.6
