"""The network is shown the part of the picture that moves, for two seconds, whatever the camera's rate."""

import cv2
import numpy as np
import pytest

from tynysh.perception.clip_window import (
    LEAST_RATE_HZ,
    SHORTEST_SPAN_S,
    SIDE,
    SPAN_S,
    STEPS,
    RecentPictures,
    Region,
    kept_picture,
    kept_size,
    motion_map,
    moving_part,
    square_around,
    steps,
)


def moving_square(times: np.ndarray, *places: tuple[int, int], size: int = 20) -> np.ndarray:
    """Bright squares that shake around (x, y), on noise that does not count."""
    pictures = np.random.default_rng(0).integers(90, 100, (len(times), 144, 256)).astype(np.uint8)
    for index in range(len(times)):
        for x, y in places:
            shift = 8 * (index % 2)
            pictures[index, y : y + size, x + shift : x + shift + size] = 220
    return pictures


def filled(rate_hz: float, seconds: float) -> RecentPictures:
    recent = RecentPictures()
    times = np.arange(0.0, seconds, 1 / rate_hz)
    for time_s, picture in zip(times, moving_square(times, (40, 60)), strict=True):
        recent.add(float(time_s), picture)
    return recent


@pytest.mark.parametrize("rate_hz", [8.0, 10.0, 25.0])
def test_a_window_has_the_same_shape_at_any_rate(rate_hz: float) -> None:
    window = filled(rate_hz, 3.0).window()
    assert window is not None
    assert window.pictures.shape == (STEPS, SIDE, SIDE)


def test_of_too_few_pictures_a_second_there_is_no_window() -> None:
    assert filled(LEAST_RATE_HZ, 4.0).window() is not None
    assert filled(5.0, 4.0).window() is None
    assert filled(3.0, 4.0).window() is None


def test_there_is_no_window_before_the_shortest_span() -> None:
    assert filled(10.0, SHORTEST_SPAN_S - 0.2).window() is None
    assert filled(10.0, SHORTEST_SPAN_S).window() is not None


def test_a_hole_in_time_begins_anew() -> None:
    recent = filled(10.0, 2.0)
    recent.add(9.0, np.zeros((144, 256), np.uint8))
    assert recent.window() is None


def test_a_picture_of_another_size_begins_anew() -> None:
    recent = filled(10.0, 2.0)
    recent.add(2.0, np.zeros((192, 256), np.uint8))
    assert recent.window() is None


def test_steps_cover_the_span_evenly_and_in_order() -> None:
    times = np.arange(0.0, 4.0, 0.1)
    chosen = steps(times, SPAN_S)
    assert list(chosen) == sorted(chosen)
    assert set(chosen) == set(range(20, 40))


def test_the_region_is_around_what_moves_and_noise_is_not_motion() -> None:
    moving = moving_part(motion_map(moving_square(np.arange(10.0), (180, 30))), "most")
    assert 165 <= moving.left < moving.right <= 225
    assert 20 <= moving.top < moving.bottom <= 62


def test_of_two_places_that_move_the_stronger_is_shown() -> None:
    times = np.arange(10.0)
    pictures = np.maximum(moving_square(times, (30, 30), size=10), moving_square(times, (180, 80), size=40))
    moving = moving_part(motion_map(pictures), "most")
    assert moving.left > 150


def test_where_nothing_moves_it_is_the_whole_picture() -> None:
    assert moving_part(np.zeros((144, 256), np.float32), "all") == Region(0, 0, 256, 144)


def test_a_square_stays_inside_the_picture() -> None:
    for part in (Region(0, 0, 10, 10), Region(240, 130, 256, 144), Region(0, 0, 256, 144)):
        square = square_around(part, 256, 144, margin=1.2)
        assert square.left >= 0
        assert square.top >= 0
        assert square.right <= 256
        assert square.bottom <= 144


def test_large_pictures_are_averaged_in_steps_to_the_same() -> None:
    smooth = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 255, (1080, 1920)).astype(np.uint8), (0, 0), 3
    )
    at_once = cv2.resize(smooth, (256, 144), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(kept_picture(smooth).astype(int) - at_once).max() <= 1


def test_pictures_keep_their_shape() -> None:
    assert kept_size(1920, 1080) == (256, 144)
    assert kept_size(576, 768) == (192, 256)
