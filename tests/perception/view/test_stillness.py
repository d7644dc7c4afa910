"""A picture that stands still is told from a scene in which nothing happens."""

import numpy as np
from tests.behaviour.corruption import noisy, scenery

from tynysh.perception.view.stillness import Stillness

GROUND = scenery(180, 320, 3)[..., 0]


def coded(seconds: float, start_s: float, *, frozen: bool) -> list[tuple[float, np.ndarray, int]]:
    """Time, picture, key frames so far: ten pictures a second without noise between key frames, one a second."""
    pictures = []
    for number in range(int(seconds * 10)):
        key = int(start_s) + number // 10
        seed = int(start_s) if frozen else key
        pictures.append((start_s + number / 10, noisy(GROUND, 2.0, np.random.default_rng(seed)), key))
    return pictures


def test_a_quiet_scene_whose_noise_is_coded_away_is_not_still_for_long() -> None:
    stillness = Stillness()
    for time_s, picture, keys in coded(70.0, 0.0, frozen=False):
        stillness.observe(picture, time_s, keys=keys)
        assert not stillness.noisy or stillness.since_s is None


def test_key_frames_that_stop_differing_tell_of_a_frozen_picture() -> None:
    stillness = Stillness()
    for time_s, picture, keys in coded(12.0, 0.0, frozen=False):
        stillness.observe(picture, time_s, keys=keys)
    for time_s, picture, keys in coded(4.0, 12.0, frozen=True):
        stillness.observe(picture, time_s, keys=keys)
    assert stillness.noisy
    assert stillness.since_s is not None
    assert stillness.since_s <= 12.5
    for time_s, picture, keys in coded(2.0, 16.0, frozen=False):
        stillness.observe(picture, time_s, keys=keys)
    assert not stillness.noisy
