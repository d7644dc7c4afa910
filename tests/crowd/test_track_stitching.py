"""People keep their number over breaks of their track, and nobody gets another's."""

from collections.abc import Sequence

from tynysh.crowd.track_stitching import TrackStitcher
from tynysh.geometry import Box
from tynysh.scene.track import Track


def track(track_id: int, x: float, seen_s: float, *, speed: float = 60.0, height: float = 100.0) -> Track:
    return Track(track_id, Box(x - 15, 400 - height, x + 15, 400), 0.9, (speed, 0.0), 0.0, seen_s)


def numbers(stitcher: TrackStitcher, time_s: float, tracks: Sequence[Track]) -> list[int]:
    return [int(number) for number in stitcher.observe(time_s, tracks)]


def test_a_track_keeps_its_number() -> None:
    stitcher = TrackStitcher()
    assert numbers(stitcher, 0.0, [track(7, 100, 0.0), track(9, 300, 0.0)]) == [1, 2]
    assert numbers(stitcher, 0.2, [track(9, 312, 0.2), track(7, 112, 0.2)]) == [2, 1]


def test_a_new_track_where_a_broken_one_was_going_takes_its_number() -> None:
    stitcher = TrackStitcher()
    numbers(stitcher, 0.0, [track(7, 100, 0.0)])
    assert numbers(stitcher, 1.0, [track(8, 165, 1.0)]) == [1]


def test_a_track_that_is_carried_loses_its_number_to_who_is_seen_there_and_is_not_counted_twice() -> None:
    stitcher = TrackStitcher()
    numbers(stitcher, 0.0, [track(7, 100, 0.0)])
    assert numbers(stitcher, 0.6, [track(7, 136, 0.0), track(8, 130, 0.6)]) == [-7, 1]
    assert numbers(stitcher, 0.8, [track(7, 500, 0.8), track(8, 142, 0.8)]) == [2, 1]


def test_somebody_elsewhere_of_another_height_or_much_later_is_somebody_else() -> None:
    for newcomer, time_s in (
        (track(8, 300, 1.0), 1.0),
        (track(8, 160, 1.0, height=60.0), 1.0),
        (track(8, 340, 4.0), 4.0),
    ):
        stitcher = TrackStitcher()
        numbers(stitcher, 0.0, [track(7, 100, 0.0)])
        assert numbers(stitcher, time_s, [newcomer]) == [2]


def test_of_two_broken_tracks_each_new_one_takes_the_nearer() -> None:
    stitcher = TrackStitcher()
    numbers(stitcher, 0.0, [track(1, 100, 0.0), track(2, 150, 0.0)])
    assert numbers(stitcher, 1.0, [track(3, 205, 1.0), track(4, 162, 1.0)]) == [2, 1]
