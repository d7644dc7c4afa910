"""The log has one line for each person on each frame, whether the detector looked or rested."""

from collections.abc import Sequence

import pytest

from tynysh.geometry import Box
from tynysh.perception.track_log import LogEntry, TrackLog, TrackLogSettings
from tynysh.scene.track import Track

WIDTH, HEIGHT = 640, 480
EXACT = TrackLogSettings(smoothing_s=0.0)


def track(
    number: int,
    box: Box,
    seen_s: float,
    *,
    born_s: float | None = None,
    score: float = 0.9,
    velocity: tuple[float, float] = (0.0, 0.0),
) -> Track:
    return Track(number, box, score, velocity, seen_s if born_s is None else born_s, seen_s)


def at(x: float) -> Box:
    return Box(x - 20, 200, x + 20, 300)


def observed(
    tracks: dict[int, Sequence[Track]],
    frames: int,
    *,
    step: int = 1,
    fps: float = 10.0,
    settings: TrackLogSettings = EXACT,
) -> TrackLog:
    """A log of `frames` frames; the detector looks at those that `tracks` names, every `step`-th is analysed."""
    log = TrackLog(WIDTH, HEIGHT, settings)
    for index in range(0, frames, step):
        log.observe(index, index / fps, tracks.get(index, ()), looked=index in tracks)
    return log


def walk(indices: Sequence[int], number: int = 1, fps: float = 10.0) -> dict[int, Sequence[Track]]:
    """Someone who walks 5 pixels a frame, seen on the frames `indices`."""
    return {index: [track(number, at(100 + 5 * index), index / fps)] for index in indices}


def of(entries: list[LogEntry], number: int = 1) -> dict[int, Box]:
    """Boxes by frame."""
    return {entry.frame: entry.box for entry in entries if entry.id == number}


def test_a_line_is_as_motchallenge_has_it() -> None:
    entry = LogEntry(frame=3, id=7, box=Box(10.004, 20, 40.5, 100), score=0.87654)
    assert str(entry) == "3,7,10.00,20.00,30.50,80.00,0.877,-1,-1,-1"


def test_people_are_on_every_frame_though_the_detector_rests() -> None:
    boxes = of(observed(walk([0, 5, 10, 15]), 16).entries(16))
    assert list(boxes) == list(range(1, 17))
    assert [boxes[frame].left for frame in (1, 3, 6, 9)] == pytest.approx([80, 90, 105, 120])


def test_frames_that_were_not_analysed_have_people_too() -> None:
    log = observed(walk([0, 6, 12, 18], fps=25.0), 20, step=3, fps=25.0)
    boxes = of(log.entries(20))
    assert list(boxes) == list(range(1, 21))
    assert boxes[12].left == pytest.approx(80 + 5 * 11)


def test_short_occlusions_are_filled_and_long_ones_are_not() -> None:
    looks = [*range(0, 20, 2), *range(60, 70, 2)]
    rests = dict.fromkeys(range(0, 70, 2), ())
    log = observed({**rests, **walk(looks)}, 70)
    assert list(of(log.entries(70))) == list(range(1, 71))
    log = observed({**rests, **walk(looks)}, 70, settings=TrackLogSettings(longest_gap_s=3.0))
    frames = list(of(log.entries(70)))
    assert set(frames) == {*range(1, 20), *range(61, 71)}


def test_someone_comes_and_goes_half_way_between_looks() -> None:
    looks: dict[int, Sequence[Track]] = dict.fromkeys(range(0, 60, 4), ())
    boxes = of(observed({**looks, **walk([20, 24, 28, 32])}, 60).entries(60))
    assert (min(boxes) - 1, max(boxes) - 1) == (18, 34)


def test_the_look_before_a_track_counted_is_known_from_when_it_was_born() -> None:
    looks: dict[int, Sequence[Track]] = {0: ()}
    for index in range(6, 20, 2):
        looks[index] = [track(1, at(100 + 5 * index), index / 10, born_s=0.4, velocity=(50.0, 0.0))]
    looks[4] = ()
    boxes = of(observed(looks, 20).entries(20))
    assert min(boxes) - 1 == 2
    assert boxes[5].left == pytest.approx(100)


def test_what_was_carried_forward_does_not_count_as_seen() -> None:
    looks = walk([0, 2, 4, 6])
    looks[8] = looks[10] = [track(1, at(500), 0.6)]
    boxes = of(observed(looks, 12).entries(12))
    assert max(boxes) - 1 == 7
    assert max(box.left for box in boxes.values()) < 130


@pytest.mark.parametrize(
    "fleeting",
    [
        {4: [track(2, at(400), 0.4)], 6: [track(2, at(400), 0.6)]},
        {n: [track(2, at(400), n / 10, score=0.3)] for n in range(0, 20, 2)},
        {n: [track(2, Box(400, 200, 410, 230), n / 10)] for n in range(0, 20, 2)},
    ],
    ids=["seen twice", "of low score", "far away"],
)
def test_tracks_that_came_to_nothing_are_left_out(fleeting: dict[int, Sequence[Track]]) -> None:
    looks = walk(range(0, 20, 2))
    both = {index: [*seen, *fleeting.get(index, ())] for index, seen in looks.items()}
    assert {entry.id for entry in observed(both, 20).entries(20)} == {1}


def test_boxes_end_at_the_picture_s_edge() -> None:
    looks = {n: [track(1, Box(-10, 430, 40, 530), n / 10)] for n in range(0, 10, 2)}
    assert set(of(observed(looks, 10).entries(10)).values()) == {Box(0, 430, 40, 480)}


def test_someone_outside_is_left_out() -> None:
    looks = {n: [track(1, Box(-45, 200, 5, 300), n / 10)] for n in range(0, 10, 2)}
    assert observed(looks, 10).entries(10) == []


def test_a_box_cut_short_by_a_post_is_mended_from_those_around_it() -> None:
    looks = walk(range(0, 40, 2))
    looks[20] = [track(1, Box(180, 200, 220, 250), 2.0)]
    assert of(observed(looks, 40).entries(40))[21].bottom == 250
    mended = of(observed(looks, 40, settings=TrackLogSettings()).entries(40))
    assert mended[21].bottom == pytest.approx(300, abs=5)
    assert mended[21].left == pytest.approx(180, abs=3)


def test_lines_are_sorted_by_frame_and_id_and_always_the_same() -> None:
    first, second = walk(range(0, 10, 2), 5), walk(range(0, 10, 2), 2)
    log = observed({index: [*first[index], *second[index]] for index in first}, 10)
    lines = list(log.lines(10))
    assert lines == list(log.lines(10))
    assert [tuple(map(int, line.split(",")[:2])) for line in lines] == [
        (frame, number) for frame in range(1, 11) for number in (2, 5)
    ]


def test_a_file_without_people_has_no_lines() -> None:
    assert TrackLog(WIDTH, HEIGHT).entries(10) == []
    assert observed({0: (), 5: ()}, 10).entries(10) == []
