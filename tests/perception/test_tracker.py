"""The tracker keeps people apart, through gaps, at any rate, and agrees with the `trackers` package's ByteTrack."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tynysh.geometry import Box
from tynysh.perception.tracker import BoxFilter, MotionModel, Tracker, TrackerSettings
from tynysh.scene.person import Person
from tynysh.scene.track import Track

RECORDED = json.loads((Path(__file__).parent / "data" / "byte_track.json").read_text(encoding="utf-8"))
SEQUENCES = {sequence["name"]: sequence for sequence in RECORDED["sequences"]}
DRAWN = [name for name in SEQUENCES if not name.startswith("square")]
SQUARE = [name for name in SEQUENCES if name.startswith("square")]


def at(x: float, y: float = 300, height: float = 100, score: float = 0.9) -> Person:
    """Someone whose feet are at (x, y)."""
    return Person(Box(x - 0.2 * height, y - height, x + 0.2 * height, y), score)


def follow(tracker: Tracker, looks: list[tuple[float, list[Person]]]) -> list[tuple[Track, ...]]:
    return [tracker.update(persons, time_s) for time_s, persons in looks]


class FramewiseFilter(BoxFilter):
    """The motion model of the `trackers` package: the four edges alone, in frames, with fixed noise in pixels."""

    def __init__(self, box: Box) -> None:
        self._edges, self._speed = np.array(box, dtype=float), np.zeros(4)
        self._p, self._c, self._v = 1.0, 0.0, 1.0

    @property
    def velocity(self) -> tuple[float, float]:
        return (0.0, 0.0)

    def ahead(self, seconds: float) -> Box:
        return Box(*self._edges.tolist())

    def advance(self, seconds: float) -> None:
        if seconds > 0:
            self._edges = self._edges + self._speed
            self._p, self._c, self._v = (
                self._p + 2 * self._c + self._v + 0.01,
                self._c + self._v,
                self._v + 0.01,
            )

    def fade(self, seconds: float) -> None:
        """It does not."""

    def correct(self, box: Box, score: float) -> None:
        surprise, total = np.array(box) - self._edges, self._p + 0.1
        self._edges = self._edges + self._p / total * surprise
        self._speed = self._speed + self._c / total * surprise
        self._p, self._c, self._v = (
            self._p - self._p**2 / total,
            self._c - self._p * self._c / total,
            self._v - self._c**2 / total,
        )


class Framewise(MotionModel):
    def begin(self, box: Box, score: float) -> BoxFilter:
        return FramewiseFilter(box)


def answers(
    sequence: dict[str, Any], model: MotionModel
) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
    """The ids given by us and by the package to each detection, named by its score; unnumbered ones left out."""
    package = RECORDED["settings"]
    settings = TrackerSettings(
        high_score=package["high_conf_det_threshold"],
        low_score=0.0,
        new_score=package["track_activation_threshold"],
        minimum_iou=package["minimum_iou_threshold"],
        low_minimum_iou=package["minimum_iou_threshold"],
        lost_s=package["lost_track_buffer"] / 30,
        confirm_looks=package["minimum_consecutive_frames"],
        # What the package does not have.
        reach=0.0,
        unsure_s=1e6,
        duplicate_iou=1.0,
    )
    tracker = Tracker(settings, model)
    ours, theirs = [], []
    for look in sequence["looks"]:
        tracks = tracker.update([Person(Box(*p[:4]), p[4]) for p in look["persons"]], look["time_s"])
        ours += [(track.score, track.id) for track in tracks if track.seen_s == look["time_s"]]
        theirs += [(p[4], p[5]) for p in look["persons"] if p[5] >= 0]
    return ours, theirs


def parts(answer: list[tuple[float, int]]) -> set[frozenset[float]]:
    """Which detections belong together, whatever the ids are."""
    groups: dict[int, set[float]] = {}
    for name, number in answer:
        groups.setdefault(number, set()).add(name)
    return {frozenset(group) for group in groups.values()}


def steps(answer: list[tuple[float, int]]) -> set[tuple[float, float]]:
    """Which detection follows which."""
    groups: dict[int, list[float]] = {}
    for name, number in answer:
        groups.setdefault(number, []).append(name)
    return {step for group in groups.values() for step in pairwise(group)}


@pytest.mark.parametrize("name", SEQUENCES)
def test_with_the_package_s_motion_model_the_same_detections_belong_together(name: str) -> None:
    ours, theirs = answers(SEQUENCES[name], Framewise())
    assert parts(ours) == parts(theirs)


@pytest.mark.parametrize("name", DRAWN)
def test_with_our_motion_model_too_where_the_case_is_clear(name: str) -> None:
    ours, theirs = answers(SEQUENCES[name], MotionModel())
    assert parts(ours) == parts(theirs)


@pytest.mark.parametrize("name", SQUARE)
def test_with_our_motion_model_nearly_all_steps_are_the_same_on_real_detections(name: str) -> None:
    ours, theirs = (steps(answer) for answer in answers(SEQUENCES[name], MotionModel()))
    assert len(ours & theirs) / len(ours | theirs) > 0.9


def test_a_person_counts_from_the_second_look_on() -> None:
    first, second = follow(Tracker(), [(0.0, [at(100)]), (0.2, [at(104)])])
    assert first == ()
    assert [(track.id, track.born_s, track.seen_s) for track in second] == [(1, 0.0, 0.2)]


def test_what_is_seen_once_never_counts() -> None:
    looks = follow(Tracker(), [(0.0, [at(100)]), (0.2, []), (0.4, [at(500)]), (0.6, [])])
    assert looks == [(), (), (), ()]


def test_irregular_looks_give_the_velocity_in_seconds() -> None:
    times = [0.0, 0.1, 0.4, 0.5, 0.9, 1.1, 1.6, 1.7]
    tracks = follow(Tracker(), [(time_s, [at(100 + 50 * time_s)]) for time_s in times])
    (track,) = tracks[-1]
    assert track.id == 1
    assert track.velocity[0] == pytest.approx(50, abs=5)
    assert track.velocity[1] == pytest.approx(0, abs=2)


def test_between_looks_people_are_carried_forward_and_nothing_changes() -> None:
    tracker = Tracker()
    follow(tracker, [(0.2 * n, [at(100 + 10 * n)]) for n in range(6)])
    (later,) = tracker.predict(1.2)
    assert later.box.centre[0] == pytest.approx(160, abs=2)
    assert later.seen_s == 1.0
    assert tracker.predict(1.2)[0].box == later.box
    assert tracker.predict(1.1)[0].box.centre[0] == pytest.approx(155, abs=2)


def test_people_who_cross_keep_their_numbers() -> None:
    tracks = follow(Tracker(), [(0.2 * n, [at(100 + 12 * n, 300), at(400 - 12 * n, 340)]) for n in range(26)])
    first, last = ({track.id: track.box.centre[0] for track in look} for look in (tracks[1], tracks[-1]))
    assert first[1] < first[2]
    assert last[1] > last[2]


def test_someone_hidden_is_taken_up_again_where_they_come_out() -> None:
    looks = [(0.2 * n, [] if 10 <= n < 20 else [at(100 + 4 * n)]) for n in range(30)]
    tracks = follow(Tracker(), looks)
    assert [track.id for track in tracks[-1]] == [1]
    assert all(tracks[10:14])
    assert not any(tracks[16:20])


def test_someone_gone_for_longer_is_somebody_new() -> None:
    looks = [(0.2 * n, [] if 10 <= n < 30 else [at(100)]) for n in range(40)]
    assert [track.id for track in follow(Tracker(), looks)[-1]] == [2]


def test_at_few_looks_one_miss_is_forgiven_however_long_ago_the_last_look_was() -> None:
    tracks = follow(Tracker(), [(0.0, [at(100)]), (4.0, [at(100)]), (8.0, []), (12.0, [at(101)])])
    assert [track.id for track in tracks[-1]] == [1]


def test_low_scores_keep_someone_half_hidden_but_begin_nobody() -> None:
    seen = [(0.2 * n, [at(100 + 3 * n, score=0.9 if n < 5 else 0.3), at(400, score=0.3)]) for n in range(15)]
    tracks = follow(Tracker(), seen)
    assert [(track.id, track.seen_s) for track in tracks[-1]] == [(1, pytest.approx(2.8))]


def test_low_scores_alone_do_not_keep_a_track_for_ever() -> None:
    seen = [(0.5 * n, [at(100, score=0.9 if n < 3 else 0.3)]) for n in range(40)]
    assert follow(Tracker(), seen)[-1] == ()


def test_a_runner_is_followed_though_the_boxes_do_not_overlap() -> None:
    runner = [(0.25 * n, [at(100 + 45 * n)]) for n in range(8)]
    assert [track.id for track in follow(Tracker(), runner)[-1]] == [1]
    assert [track.id for track in follow(Tracker(TrackerSettings(reach=0.0)), runner)[-1]] == []


def test_two_boxes_of_one_person_make_one_track() -> None:
    twice = [(0.2 * n, [at(100), at(101, score=0.8)]) for n in range(5)]
    assert [track.id for track in follow(Tracker(), twice)[-1]] == [1]


def test_keypoints_are_those_of_this_instant() -> None:
    keypoints = np.ones((26, 3), dtype=np.float32)
    person = Person(at(100).box, 0.9, keypoints)
    tracker = Tracker()
    assert follow(tracker, [(0.0, [person]), (0.2, [person])])[-1][0].keypoints is keypoints
    assert tracker.predict(0.3)[0].keypoints is None


def test_a_clock_that_jumps_back_is_taken_to_stand_still() -> None:
    tracks = follow(Tracker(), [(10.0, [at(100)]), (10.2, [at(100)]), (3.0, [at(100)]), (10.4, [at(100)])])
    assert [[track.id for track in look] for look in tracks] == [[], [1], [1], [1]]


def test_the_same_detections_give_the_same_tracks() -> None:
    looks = [(0.2 * n, [at(100 + 12 * n, 300), at(400 - 12 * n, 320)]) for n in range(20)]
    once, again = (
        [[(track.id, track.box, track.velocity) for track in look] for look in follow(Tracker(), looks)]
        for _ in range(2)
    )
    assert once == again
