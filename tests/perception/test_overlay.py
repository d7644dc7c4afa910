"""A clock that is burnt into the picture is no motion; people, also where it stands, are."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.perception.test_motion import Camera, times, with_person

from tynysh.perception.motion import MotionGate
from tynysh.scene.motion import Motion

Field = NDArray[np.float64]


def hall(height: int = 360) -> Field:
    width = height * 16 // 9
    rough = cv2.resize(
        np.random.default_rng(1).uniform(40, 180, (12, 20)), (width, height), interpolation=cv2.INTER_NEAREST
    )
    return np.asarray(rough)


def clock(picture: Field, time_s: float, *, place: str = "top left", text: str = "%02d:%02d:%02d") -> Field:
    """A picture with date and time burnt in, as cameras do."""
    height, width = picture.shape
    scale = height / 500
    seconds = int(time_s + 0.3)
    words = text % (12, 7 + seconds // 60, seconds % 60)
    words = f"2026-11-28 {words}" if "left" in place else words
    across = cv2.getTextSize(words, 0, scale, 2)[0][0]
    x = 12 if "left" in place else width - across - 12
    y = round(45 * scale) if "top" in place else height - 12
    marked = picture.copy()
    cv2.putText(marked, words, (x, y), 0, scale, 255.0, 2)
    return marked


def motions(camera: Camera, picture: Callable[[float], Field], at: Iterator[float]) -> list[Motion]:
    gate = MotionGate()
    return [gate.observe(camera.frame(picture(t), t)) for t in at]


@pytest.mark.parametrize(
    ("place", "height", "rate_hz", "noise"),
    [
        ("top left", 360, 10, 2.0),
        ("bottom right", 360, 10, 0.0),
        ("top right", 720, 8, 3.0),
        ("bottom left", 360, 5, 1.0),
        ("top left", 360, 0.5, 2.0),
    ],
)
def test_a_clock_is_learnt_and_opens_the_gate_no_more(
    place: str, height: int, rate_hz: float, noise: float
) -> None:
    scene = hall(height)
    watched = motions(Camera(noise), lambda t: clock(scene, t, place=place), times(75, rate_hz))
    late = [motion for motion, t in zip(watched, times(75, rate_hz), strict=True) if t > 45]
    assert not any(motion.moving for motion in late)


def test_hundredths_of_a_second_are_learnt_as_well() -> None:
    scene = hall()

    def picture(time_s: float) -> Field:
        marked = clock(scene, time_s)
        cv2.putText(marked, f".{int(100 * time_s) * 37 % 100:02d}", (270, 32), 0, 0.7, 255.0, 2)
        return marked

    watched = motions(Camera(2.0), picture, times(40))
    assert not any(motion.moving for motion in watched[-150:])


def test_people_are_seen_beside_a_clock_and_before_it() -> None:
    scene = hall()
    gate, camera = MotionGate(), Camera(2.0)
    for t in times(25):
        gate.observe(camera.frame(clock(scene, t), t))
    for far in (100, 30):
        walk = [
            gate.observe(camera.frame(clock(with_person(scene, 100 + 40 * (t - 25), height=far), t), t))
            for t in times(4, start_s=25)
        ]
        assert walk[-1].moving
    low = scene.copy()

    def head(time_s: float) -> Field:
        """Somebody tall right before the camera, who hides the clock."""
        picture = clock(low, time_s)
        left = round(60 * (time_s - 40))
        picture[0:200, left : left + 120] = 20
        return picture

    for t in times(9, start_s=31):
        gate.observe(camera.frame(clock(scene, t), t))
    assert all(gate.observe(camera.frame(head(t), t)).moving for t in times(3, start_s=40.2))


def test_somebody_small_who_stays_at_the_edge_and_fidgets_is_no_clock() -> None:
    """As a person far away at the upper edge: moves often, and at no beat."""
    scene = hall()
    source = np.random.default_rng(3)
    sway = np.cumsum(source.choice([-4, 0, 4], 600, p=[0.15, 0.7, 0.15])).clip(-12, 12)

    def picture(time_s: float) -> Field:
        marked = scene.copy()
        left = 300 + int(sway[round(time_s * 10)])
        marked[10:40, left : left + 14] = 20
        return marked

    watched = motions(Camera(2.0), picture, times(60))
    assert all(motion.overlay is None for motion in watched)


def test_a_lamp_that_blinks_in_the_middle_is_no_clock() -> None:
    scene = hall()

    def picture(time_s: float) -> Field:
        marked = scene.copy()
        if int(time_s) % 2:
            marked[160:190, 300:330] = 250
        return marked

    assert all(motion.overlay is None for motion in motions(Camera(2.0), picture, times(30)))


def test_a_clock_that_is_gone_is_forgotten() -> None:
    scene = hall()
    watched = motions(Camera(2.0), lambda t: clock(scene, t) if t < 30 else scene, times(60))
    assert watched[280].overlay is not None
    assert watched[-1].overlay is None
