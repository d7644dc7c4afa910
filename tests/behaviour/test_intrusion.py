"""Intrusion is about feet in a forbidden zone."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.behaviour.scenes import LEFT_HALF, boxed, scene, scores, standing, times, watch

from tynysh.behaviour.intrusion import IntrusionAnalyser, IntrusionSettings
from tynysh.behaviour.signal import Signal
from tynysh.crowd.meter import CrowdMeter
from tynysh.geometry import Box
from tynysh.scene.scene import Feed
from tynysh.scene.zone import Line

OTHER = replace(LEFT_HALF, name="other", polygon=tuple((x + 0.5, y) for x, y in LEFT_HALF.polygon))


def analyser(**settings: object) -> IntrusionAnalyser:
    return IntrusionAnalyser(IntrusionSettings.model_validate(settings))


def test_somebody_inside_is_noticed_with_place_and_number() -> None:
    signals = watch(
        analyser(), [scene(t, [standing(1, 200, t), standing(2, 300, t)], [LEFT_HALF]) for t in times(0, 2)]
    )
    assert signals[-1].score == 1.0
    assert (signals[-1].zone, signals[-1].people) == ("left", 2)
    assert signals[-1].box is not None
    assert signals[-1].box.right < 0.5


def test_a_body_before_the_zone_is_not_in_it() -> None:
    upper = replace(LEFT_HALF, polygon=((0.0, 0.3), (1.0, 0.3), (1.0, 0.6), (0.0, 0.6)))
    signals = watch(analyser(), [scene(t, [standing(1, 200, t)], [upper]) for t in times(0, 2)])
    assert max(scores(signals)) == 0.0


def test_somebody_who_cuts_a_corner_counts_less_than_one_who_stays() -> None:
    passing = watch(
        analyser(), [scene(t, [standing(1, 510 - 15 * min(t, 2 - t), t)], [LEFT_HALF]) for t in times(0, 2)]
    )
    assert max(scores(passing)) < 0.6


def test_a_box_that_flashes_up_is_not_believed() -> None:
    signals = watch(analyser(), [scene(t, [standing(1, 200, t, born_s=t)], [LEFT_HALF]) for t in times(0, 2)])
    assert max(scores(signals)) == 0.0


def test_zones_that_are_not_in_force_say_nothing() -> None:
    watching = analyser()
    watch(watching, [scene(t, [standing(1, 200, t)], [LEFT_HALF]) for t in times(0, 2)])
    assert watch(watching, [scene(2.1, [standing(1, 200, 2.1)], [])]) == []


def test_named_zones_are_held_to_whatever_their_kind() -> None:
    area = replace(OTHER, kind="area")
    signals = watch(
        analyser(zones=["other"]), [scene(t, [standing(1, 700, t)], [LEFT_HALF, area]) for t in times(0, 2)]
    )
    assert {signal.zone for signal in signals} == {"other"}
    assert signals[-1].score == 1.0


def test_feet_below_the_picture_are_at_its_edge() -> None:
    low = Box(180, 500, 220, 640)
    signals = watch(analyser(), [scene(t, [boxed(1, low, t)], [LEFT_HALF]) for t in times(0, 2)])
    assert signals[-1].score == 1.0


FENCE = Line("fence", (0.5, 0.0), (0.5, 1.0))


def crossings(direction: str, walk: Callable[[float], float], *, until_s: float = 6.0) -> list[Signal]:
    """What is told of the fence while somebody walks, counted as the camera's crowd is."""
    meter, watching = CrowdMeter(), analyser(lines=["fence"], direction=direction)
    signals: list[Signal] = []
    for t in times(0, until_s):
        seen = scene(t, [standing(1, walk(t), t)], lines=(FENCE,))
        seen = replace(seen, crowd=meter.observe(seen, []))
        signals += watching.observe(seen)
    return [signal for signal in signals if signal.subject == "line"]


def test_who_crosses_a_line_in_the_watched_direction_is_told_with_the_moment_and_the_place() -> None:
    crossed = [signal for signal in crossings("both", lambda t: 300 + 100 * t) if signal.score >= 0.6]
    assert crossed[0].time_s == pytest.approx(2.1, abs=0.25)
    assert crossed[-1].time_s - crossed[0].time_s == pytest.approx(2.0, abs=0.15)
    assert (crossed[0].zone, crossed[0].people) == ("fence", 1)
    assert crossed[0].box is not None
    assert crossed[0].box.left < 0.55 < crossed[0].box.right + 0.1


def test_everybody_who_crosses_when_the_last_has_been_told_is_told_anew() -> None:
    """One each five seconds: a cool-down must hide none of them."""
    meter, watching = CrowdMeter(), analyser(lines=["fence"])
    told: list[str] = []
    for t in times(0, 20):
        number = int(t // 5)
        walker = standing(number, 300 + 100 * (t % 5), t, born_s=5.0 * number)
        seen = scene(t, [walker], lines=(FENCE,))
        seen = replace(seen, crowd=meter.observe(seen, []))
        told += [s.subject for s in watching.observe(seen) if s.subject.startswith("line") and s.score >= 0.6]
    assert list(dict.fromkeys(told)) == ["line", "line 2", "line 3", "line 4"]


def people_in_zone(*arrivals_s: float, stay_s: float, until_s: float = 60.0) -> list[str]:
    """Who counts, by subject, in order of appearance: each a person who comes in and goes out of sight."""
    shown = [
        scene(
            t,
            [
                standing(number, 60 + 120 * number, t, born_s=at_s)
                for number, at_s in enumerate(arrivals_s)
                if at_s <= t < at_s + stay_s
            ],
            [LEFT_HALF],
        )
        for t in times(0, until_s)
    ]
    return list(dict.fromkeys(s.subject for s in watch(analyser(), shown) if s.score >= 0.6))


def test_who_comes_together_is_one_event_and_who_comes_later_another() -> None:
    assert people_in_zone(0.0, 3.0, 6.0, stay_s=50.0) == ["zone"]
    assert people_in_zone(0.0, 20.0, 40.0, stay_s=50.0) == ["zone", "zone 2", "zone 3"]


def test_who_comes_when_the_others_have_left_is_another_event() -> None:
    assert people_in_zone(0.0, 6.0, stay_s=3.0) == ["zone", "zone 2"]


def test_who_hovers_about_the_border_stays_one_intruder() -> None:
    shown = [scene(t, [standing(1, 400 if t % 10 < 4 else 600, t)], [LEFT_HALF]) for t in times(0, 60)]
    assert {s.subject for s in watch(analyser(), shown) if s.score >= 0.6} == {"zone"}


def test_the_other_direction_and_who_walks_along_are_let_be() -> None:
    """Looking down the fence, the picture's right is on the left hand."""
    assert max(scores(crossings("out", lambda t: 300 + 100 * t))) == 1.0
    assert max(scores(crossings("in", lambda t: 300 + 100 * t))) == 0.0
    assert max(scores(crossings("in", lambda t: 700 - 100 * t))) == 1.0
    assert max(scores(crossings("both", lambda t: 440 + 10 * (t % 2)))) == 0.0


def test_who_crossed_before_the_camera_was_lost_is_not_told_again_when_it_is_back() -> None:
    """The counts go on; between the first picture and the first look of the detector nothing is known of them."""
    meter, watching = CrowdMeter(), analyser(lines=["fence"])

    def walk(start_s: float, end_s: float, *, looks: bool) -> list[Signal]:
        signals: list[Signal] = []
        for t in times(start_s, end_s):
            people = [standing(1, min(900, 300 + 100 * t), t)] if looks else []
            seen = scene(t, people, lines=(FENCE,), detected=looks)
            seen = replace(seen, crowd=meter.observe(seen, [] if looks else None))
            signals += watching.observe(seen)
        return signals

    assert max(scores(walk(0, 8, looks=True))) == 1.0
    meter.lost()
    watching.observe(scene(8, feed=Feed.LOST))
    assert max(scores(walk(9, 10, looks=False) + walk(10, 11, looks=True))) == 0.0


def test_the_last_second_is_that_of_the_clock_even_where_it_is_set_back() -> None:
    watching = analyser()
    watch(watching, [scene(t, [standing(1, 200, t)], [LEFT_HALF]) for t in times(3600, 3603)])
    outside = [scene(t, [standing(1, 800, t)], [LEFT_HALF]) for t in times(0, 2)]
    assert watch(watching, outside)[-1].score == 0.0
