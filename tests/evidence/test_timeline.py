"""What is blurred is where people were, and in doubt more."""

import json

import numpy as np
import pytest

from tynysh.evidence.timeline import PeopleTimeline, newcomers
from tynysh.geometry import Box


def at(track_id: int, left: float) -> dict[int, Box]:
    return {track_id: Box(left, 0, left + 10, 20)}


def test_a_walking_person_is_interpolated_between_samples() -> None:
    timeline = PeopleTimeline()
    timeline.add(1.0, at(1, 0))
    timeline.add(1.4, at(1, 40))
    (box,) = timeline.at(1.1) or []
    assert tuple(box) == pytest.approx((10, 0, 20, 20))


def test_one_who_appears_or_vanishes_is_given_in_between_too() -> None:
    timeline = PeopleTimeline()
    timeline.add(1.0, at(1, 0))
    timeline.add(1.4, at(2, 100))
    assert [box.left for box in timeline.at(1.2) or []] == [0, 100]


def test_nothing_is_said_of_times_that_nobody_looked_at() -> None:
    timeline = PeopleTimeline(max_gap_s=0.75)
    assert timeline.at(1.0) is None
    timeline.add(1.0, at(1, 0))
    timeline.add(9.0, at(1, 0))
    assert timeline.at(5.0) is None
    assert timeline.at(0.2) is None
    assert timeline.at(9.2) is not None
    assert timeline.at(1.0) is not None


def test_old_samples_are_forgotten() -> None:
    timeline = PeopleTimeline(keep_s=10)
    for second in range(100):
        timeline.add(float(second), at(1, second))
    assert timeline.at(50.0) is None
    assert timeline.at(99.0) is not None


def test_a_part_can_be_kept_aside() -> None:
    timeline = PeopleTimeline(keep_s=10)
    for tenth in range(100):
        timeline.add(tenth / 10, at(1, tenth))
    part = timeline.between(5.0, 6.0)
    for tenth in range(100, 400):
        timeline.add(tenth / 10, {})
    (box,) = part.at(5.55) or []
    assert box.left == pytest.approx(55.5)
    assert part.at(7.0) is None


def test_after_a_still_moment_people_stay_where_they_were_until_the_next_look() -> None:
    timeline = PeopleTimeline()
    timeline.add(1.0, at(1, 7), still=True)
    timeline.add(5.0, at(1, 7), still=True)
    timeline.add(30.0, at(1, 7), still=True)
    (box,) = timeline.at(3.0) or []
    assert box.left == 7
    assert timeline.at(15.0) is None


def test_nothing_is_said_of_how_one_came_who_was_not_there_and_then_was() -> None:
    """Pictures were lost in between: whoever is in them stands elsewhere than at either end."""
    timeline = PeopleTimeline()
    timeline.add(1.0, {}, still=True)
    timeline.add(4.0, at(1, 100))
    assert timeline.at(2.0) is None


def test_whom_a_look_finds_anew_was_there_since_the_look_before() -> None:
    timeline = PeopleTimeline()
    timeline.add(1.0, {})
    timeline.add(1.1, {}, looked=False)
    timeline.add(1.2, {}, looked=False)
    timeline.add(1.3, at(1, 50))
    (box,) = timeline.at(1.1) or []
    assert box.left < 50
    assert box.right > 60
    assert len(timeline.at(1.2) or []) == 1
    assert timeline.at(1.0) == []


def test_one_who_is_known_already_is_not_added_twice() -> None:
    timeline = PeopleTimeline()
    timeline.add(1.0, at(1, 40))
    timeline.add(1.1, at(1, 45), looked=False)
    timeline.add(1.2, at(1, 50))
    (box,) = timeline.at(1.1) or []
    assert box.left == 45


def test_one_known_under_another_id_is_no_newcomer() -> None:
    assert newcomers(at(7, 42), at(1, 40)) == {}
    assert set(newcomers(at(7, 80), at(1, 40))) == {7}


def test_what_it_knows_can_be_sent_as_json() -> None:
    timeline = PeopleTimeline()
    timeline.add(1.0, at(1, 0), still=True)
    timeline.add(1.4, {np.int64(1): Box(*np.array([40, 0, 50, 20], np.float32))}, still=True)
    sent = PeopleTimeline.of(json.loads(json.dumps(timeline.samples)))
    for time_s in (0.9, 1.1, 1.4):
        assert sent.at(time_s) == timeline.at(time_s)
    assert sent.ways(1.0, 1.4) == timeline.ways(1.0, 1.4)
