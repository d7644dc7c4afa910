"""The gate opens for what moves, and not for noise, light or flicker."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tynysh.media.frame import Frame
from tynysh.perception.motion import MotionGate
from tynysh.scene.motion import Motion

WIDTH, HEIGHT = 640, 360
Field = NDArray[np.float64]


@pytest.fixture
def scene() -> Field:
    """Brightness of a place with texture, edges, a bright and a dark side."""
    source = np.random.default_rng(1)
    rough = cv2.resize(source.uniform(40, 180, (12, 20)), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.asarray(rough) + np.linspace(-30, 30, WIDTH)


class Camera:
    """Makes frames of a scene, with sensor noise of `noise` grey levels."""

    def __init__(self, noise: float = 3.0) -> None:
        self._source = np.random.default_rng(2)
        # Noise takes long to draw: a few fields, shifted at random, do as well.
        self._fields = self._source.normal(0, noise, (8, HEIGHT, WIDTH)).astype(np.float32)
        self._count = 0

    def frame(self, brightness: Field, time_s: float) -> Frame:
        shape = brightness.shape
        field = np.resize(self._fields[self._count % len(self._fields)], shape)
        noisy = brightness + np.roll(field, int(self._source.integers(1, shape[0])), axis=0)
        picture = cv2.cvtColor(np.clip(noisy, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        self._count += 1
        return Frame(np.asarray(picture, dtype=np.uint8), time_s=time_s, index=self._count - 1)


def with_person(scene: Field, x: float, brightness: float = 20, height: int = 90) -> Field:
    picture = scene.copy()
    left = round(x)
    picture[200 - height : 200, left : left + height * 2 // 5] = brightness
    return picture


def times(seconds: float, rate_hz: float = 10, start_s: float = 0) -> Iterator[float]:
    for n in range(round(seconds * rate_hz)):
        yield start_s + n / rate_hz


def last(motions: list[Motion], count: int) -> list[bool]:
    return [motion.moving for motion in motions[-count:]]


@pytest.mark.parametrize("noise", [0.0, 3.0, 8.0, 20.0])
def test_a_still_scene_is_still_however_noisy(scene: Field, noise: float) -> None:
    gate, camera = MotionGate(), Camera(noise)
    motions = [gate.observe(camera.frame(scene, time_s)) for time_s in times(6)]
    assert not any(motion.moving or motion.light for motion in motions)


def test_the_first_frame_says_nothing(scene: Field) -> None:
    motion = MotionGate().observe(Camera().frame(scene, 5.0))
    assert (motion.level, motion.moving, motion.mask) == (0.0, False, None)


@pytest.mark.parametrize("noise", [3.0, 8.0])
def test_someone_walking_opens_the_gate_at_once(scene: Field, noise: float) -> None:
    gate, camera = MotionGate(), Camera(noise)
    for time_s in times(3):
        gate.observe(camera.frame(scene, time_s))
    motions = [
        gate.observe(camera.frame(with_person(scene, 100 + 60 * (time_s - 3)), time_s))
        for time_s in times(2, start_s=3)
    ]
    assert all(motion.moving for motion in motions)
    mask = motions[-1].mask
    assert mask is not None
    rows, columns = np.nonzero(mask)
    cell = WIDTH / mask.shape[1]
    assert columns.min() * cell > 100
    assert columns.max() * cell < 280
    assert rows.min() * cell > 90
    assert rows.max() * cell < 220
    # Silhouettes of now and of 0.4 s before: at most both bodies.
    assert motions[-1].level < 2.5 * 90 * 36 / (WIDTH * HEIGHT)


def test_someone_far_away_or_slow_shows_too(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    far = [gate.observe(camera.frame(with_person(scene, 300 + 15 * t, height=30), t)) for t in times(3)]
    assert all(last(far, 20))
    gate = MotionGate()
    slow = [gate.observe(camera.frame(with_person(scene, 300 + 8 * t), t)) for t in times(3)]
    assert all(last(slow, 20))


def test_the_gate_stays_open_for_a_moment(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    moving = {}
    for time_s in times(8):
        moving[round(time_s, 1)] = gate.observe(
            camera.frame(with_person(scene, 100 + 60 * min(time_s, 3.0)), time_s)
        ).moving
    assert moving[3.0]
    assert moving[4.9]
    assert not moving[6.0]


def test_a_step_of_exposure_is_light_and_no_motion(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    motions = [gate.observe(camera.frame(scene * (1.0 if t < 3 else 1.3) + 5, t)) for t in times(6)]
    assert any(motion.light for motion in motions[30:35])
    assert not any(motion.light for motion in motions[40:])
    assert not any(motion.moving for motion in motions)


def test_someone_walking_shows_while_the_exposure_changes(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    for time_s in times(3):
        gate.observe(camera.frame(scene, time_s))
    motion = gate.observe(camera.frame(with_person(scene * 1.3, 200), 3.0))
    assert motion.light
    assert motion.moving


def test_dusk_is_no_motion(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    motions = [gate.observe(camera.frame(scene * (1 - 0.04 * t), t)) for t in times(15)]
    assert not any(motion.moving for motion in motions)


def test_a_lamp_that_flickers_is_soon_ignored_and_people_elsewhere_are_not(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    lit = scene.copy()
    lit[20:80, 40:110] += 25

    def picture(time_s: float) -> Field:
        return lit if round(time_s * 10) % 3 == 0 else scene

    motions = [gate.observe(camera.frame(picture(t), t)) for t in times(60)]
    assert not any(last(motions, 100))
    walking = [
        gate.observe(camera.frame(with_person(picture(t), 300 + 60 * (t - 60)), t))
        for t in times(1, start_s=60)
    ]
    assert walking[-1].moving


def test_a_busy_place_does_not_dull_the_gate(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    motions = [gate.observe(camera.frame(with_person(scene, 60 * t % 600), t)) for t in times(60)]
    assert all(last(motions, 500))
    assert np.median([motion.level for motion in motions[-100:]]) > 0.8 * np.median(
        [motion.level for motion in motions[10:110]]
    )


def test_with_key_frames_only_it_compares_with_the_one_before(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    still = [gate.observe(camera.frame(scene, 2.0 * n)) for n in range(10)]
    assert not any(motion.moving for motion in still)
    assert gate.observe(camera.frame(with_person(scene, 200), 20.0)).moving


def test_a_camera_that_is_moved_is_motion_and_no_light(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    for time_s in times(3):
        gate.observe(camera.frame(scene, time_s))
    motion = gate.observe(camera.frame(np.roll(scene, 25, axis=1), 3.0))
    assert motion.moving
    assert motion.level > 0.1
    assert not motion.light


def test_another_size_of_picture_begins_anew(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    for time_s in times(1):
        gate.observe(camera.frame(scene, time_s))
    larger = np.asarray(cv2.resize(scene, (1920, 1080)))
    assert gate.observe(camera.frame(larger, 1.0)).mask is None
    motion = gate.observe(camera.frame(larger, 1.1))
    assert motion.mask is not None
    assert motion.mask.shape == (135, 240)
    assert not motion.moving


def test_a_picture_smaller_than_the_grid_is_compared_as_it_is() -> None:
    gate, camera = MotionGate(), Camera()
    small = np.full((60, 80), 100.0)
    for time_s in times(1):
        gate.observe(camera.frame(small, time_s))
    small[20:50, 30:40] = 200
    motion = gate.observe(camera.frame(small, 1.0))
    assert motion.mask is not None
    assert motion.mask.shape == (60, 80)
    assert motion.moving


def test_a_clock_that_stands_still_or_runs_back_does_no_harm(scene: Field) -> None:
    gate, camera = MotionGate(), Camera()
    motions = [gate.observe(camera.frame(scene, time_s)) for time_s in (1.0, 1.0, 0.5, 0.6, 9.0, 0.1)]
    assert not any(motion.moving for motion in motions)
