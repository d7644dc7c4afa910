"""Climbing is feet up on an object, not a body before it or behind it."""

from collections.abc import Iterable

import numpy as np
import pytest
from tests.behaviour.scenes import HEIGHT, WIDTH, H, boxed, scene, scores, standing, times, watch

from tynysh.behaviour.intrusion import IntrusionAnalyser, IntrusionSettings
from tynysh.behaviour.signal import Signal
from tynysh.geometry import Box
from tynysh.scene.person import Joint
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone

MONUMENT = Zone(
    "monument",
    tuple((x / WIDTH, y / HEIGHT) for x, y in ((450, 200), (550, 200), (550, 405), (450, 405))),
    kind="object",
)


def at(x: float, feet_y: float, time_s: float, *, tall: float = H) -> Track:
    return boxed(1, Box(x - 18, feet_y - tall, x + 18, feet_y), time_s)


def with_feet(track: Track, *, sure: float = 0.8) -> Track:
    keypoints = np.zeros((26, 3), dtype=np.float32)
    x, y = track.box.foot
    for joint, side in ((Joint.LEFT_ANKLE, -6), (Joint.RIGHT_ANKLE, 6)):
        keypoints[joint] = (x + side, y, sure)
    return boxed(track.id, track.box, track.seen_s, keypoints=keypoints)


def climbing(scenes: Iterable[Scene]) -> list[Signal]:
    signals = watch(IntrusionAnalyser(IntrusionSettings()), scenes)
    return [signal for signal in signals if signal.subject == "climbing"]


def test_somebody_who_walks_up_and_climbs_is_noticed_within_a_second_or_so() -> None:
    def where(t: float) -> tuple[float, float]:
        return (400 + 25 * t, 400) if t < 4 else (500, 400 - min(60, 60 * (t - 4)))

    signals = climbing(scene(t, [at(*where(t), t)], [MONUMENT]) for t in times(0, 8))
    assert max(signal.score for signal in signals if signal.time_s < 4) == 0.0
    reached = next(signal for signal in signals if signal.score >= 0.6)
    assert 4.5 <= reached.time_s <= 6.0
    assert reached.reason is not None
    assert reached.reason.key == "intrusion.climbing"
    assert (reached.zone, reached.people) == ("monument", 1)


def test_somebody_already_up_there_is_known_by_the_height_of_those_who_walk_below() -> None:
    scenes = [scene(t, [standing(2, 100 + 20 * t, t), at(500, 300, t)], [MONUMENT]) for t in times(0, 6)]
    assert climbing(scenes)[-1].score >= 0.6


def test_with_feet_found_by_pose_nothing_else_need_be_known() -> None:
    scenes = [scene(t, [with_feet(at(500, 300, t))], [MONUMENT]) for t in times(0, 3)]
    assert climbing(scenes)[-1].score >= 0.6
    guessed = [scene(t, [with_feet(at(500, 300, t), sure=0.2)], [MONUMENT]) for t in times(0, 3)]
    assert climbing(guessed)[-1].score == 0.0


def test_somebody_behind_the_object_shows_half_a_body_and_is_not_on_it() -> None:
    """The object hides what is below the hips: the box ends inside the outline."""
    low = Zone("low", tuple((x, y + 0.2) for x, y in MONUMENT.polygon), kind="object")
    scenes = []
    for t in times(0, 10):
        x = 300 + 40 * t
        hidden = 450 <= x <= 550
        walker = at(x, 330, t, tall=H / 2) if hidden else at(x, 330 + H / 2, t)
        scenes.append(scene(t, [walker, standing(2, 100 + 20 * t, t)], [low]))
    assert max(scores(climbing(scenes))) < 0.3


@pytest.mark.parametrize("feet_y", [400, 420, 450])
def test_somebody_before_the_object_or_at_its_foot_is_not_on_it(feet_y: float) -> None:
    scenes = [scene(t, [at(300 + 40 * t, feet_y, t)], [MONUMENT]) for t in times(0, 10)]
    assert max(scores(climbing(scenes))) == 0.0


def test_a_pose_that_leaves_the_box_is_not_believed() -> None:
    def confused(t: float) -> Track:
        track = at(500, 450, t)
        keypoints = np.zeros((26, 3), dtype=np.float32)
        keypoints[[Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE]] = (500, 250, 0.9)
        return boxed(1, track.box, t, keypoints=keypoints)

    assert max(scores(climbing(scene(t, [confused(t)], [MONUMENT]) for t in times(0, 3)))) == 0.0
