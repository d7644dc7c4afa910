"""Crowding counts feet in a place against its limit."""

import pytest
from tests.behaviour.scenes import LEFT_HALF, scene, scores, standing, times, watch

from tynysh.behaviour.crowding import CrowdingAnalyser, CrowdingSettings
from tynysh.behaviour.scene import Scene


def crowd(time_s: float, people: int, *, from_x: float = 20.0, **changes: object) -> Scene:
    return scene(
        time_s,
        [standing(number, from_x + 45 * number, time_s) for number in range(people)],
        [LEFT_HALF],
        **changes,
    )


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


def test_people_missed_or_doubled_at_some_looks_do_not_matter() -> None:
    steady = last(CrowdingSettings(limit=5), [crowd(t, 6) for t in times(0, 6)])
    flickering = [crowd(t, (6, 3, 6, 9, 6)[step % 5]) for step, t in enumerate(times(0, 6))]
    assert last(CrowdingSettings(limit=5), flickering) == steady


def test_few_looks_are_less_certain() -> None:
    once = last(CrowdingSettings(limit=5), [crowd(0.0, 6)])
    assert once < 0.6 < last(CrowdingSettings(limit=5), [crowd(t, 6) for t in times(0, 3)]) + 1e-9


def test_while_the_detector_rests_the_count_stays() -> None:
    analyser = CrowdingAnalyser(CrowdingSettings(limit=5))
    seen = watch(analyser, [crowd(t, 8) for t in times(0, 6)])[-1].score
    assert scores(watch(analyser, [crowd(t, 0, detected=False) for t in times(6, 9)])) == [seen] * 30
