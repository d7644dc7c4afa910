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


def with_clock(pictures: list[tuple[float, np.ndarray, int]]) -> list[tuple[float, np.ndarray, int]]:
    """The same with digits in a corner that change each second, all of them now and then."""
    shown = []
    for time_s, picture, keys in pictures:
        marked = picture.copy()
        seconds = int(time_s)
        for place, number in ((0, seconds // 10), (1, seconds)):
            digit = np.random.default_rng(number).integers(0, 255, (5, 3)).astype(np.uint8)
            marked[4:14, 20 + 8 * place : 26 + 8 * place] = np.kron(digit, np.ones((2, 2), np.uint8))
        shown.append((time_s, marked, keys))
    return shown


CLOCK = np.zeros((45, 80), dtype=np.bool_)
CLOCK[0:5, 6:9] = True
"""What of it was seen to tick: the last digit."""


def test_a_picture_that_stands_still_behind_a_clock_that_goes_on_is_frozen() -> None:
    stillness = Stillness()
    for time_s, picture, keys in with_clock(coded(12.0, 0.0, frozen=False)):
        stillness.observe(picture, time_s, keys=keys, overlay=CLOCK)
        assert stillness.since_s is None or time_s - stillness.since_s < 2.0
    for time_s, picture, keys in with_clock(coded(14.0, 12.0, frozen=True)):
        stillness.observe(picture, time_s, keys=keys, overlay=CLOCK)
        assert time_s < 14.5 or stillness.since_s is not None
    assert stillness.noisy


def test_a_clean_picture_behind_a_clock_that_goes_on_says_nothing() -> None:
    stillness = Stillness()
    still = [(time_s, GROUND, keys) for time_s, _, keys in coded(60.0, 0.0, frozen=True)]
    for time_s, picture, keys in with_clock(still):
        stillness.observe(picture, time_s, keys=keys, overlay=CLOCK)
        assert stillness.since_s is None


def test_key_frames_that_differ_show_that_a_scene_is_live_before_that_is_usual() -> None:
    """All pictures are decoded because somebody watches, and the encoder drops the noise between key frames."""
    stillness = Stillness()
    for time_s, picture, keys in coded(30.0, 0.0, frozen=False):
        stillness.observe(picture, time_s, keys=keys)
        assert stillness.since_s is None or time_s - stillness.since_s < 2.0
