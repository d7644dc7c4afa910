"""What never moves is told from people, who do; and a person who moves again is a person."""

from collections.abc import Iterable

import numpy as np

from tynysh.geometry import Box
from tynysh.perception.standstill import CAME_S, FIXED_S, MOST_PLACES, VANISHED_S, Standstill
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.track import Track

SIZE = (640, 360)
STATUE = Box(300, 100, 340, 200)


def track(box: Box, time_s: float, *, track_id: int = 1, velocity: tuple[float, float] = (0.0, 0.0)) -> Track:
    return Track(track_id, box, 0.9, velocity, born_s=0.0, seen_s=time_s)


def moving(*boxes: Box) -> Motion:
    """Motion in all of these."""
    mask = np.zeros((90, 160), dtype=np.bool_)
    for box in boxes:
        left, top, right, bottom = (round(edge / 4) for edge in box)
        mask[top:bottom, left:right] = True
    return Motion(float(mask.mean()), bool(mask.any()), mask)


def each(start_s: float, end_s: float, step_s: float = 0.5) -> Iterable[float]:
    return [start_s + step_s * number for number in range(round((end_s - start_s) / step_s) + 1)]


def watched(
    still: Standstill, end_s: float, *, start_s: float = 0.0, box: Box = STATUE, **more: int
) -> Track:
    for time_s in each(start_s, end_s):
        (seen,) = still.observe([track(box, time_s, **more)], STILL, time_s, size=SIZE)
    return seen


def test_what_never_moved_is_fixed_after_a_minute_and_not_before() -> None:
    still = Standstill()
    assert watched(still, FIXED_S - 1).fixed_since_s is None
    assert watched(still, FIXED_S + 1, start_s=FIXED_S).fixed_since_s == 0.0


def test_a_new_track_in_its_place_is_the_same_thing() -> None:
    still = Standstill()
    watched(still, 70)
    jittered = STATUE._replace(left=296, bottom=205)
    assert watched(still, 72, start_s=71, box=jittered, track_id=9).fixed_since_s == 0.0


def test_who_moves_is_a_person_again_at_once() -> None:
    still = Standstill()
    watched(still, 70)
    head = STATUE._replace(bottom=120)
    (seen,) = still.observe([track(STATUE, 70.5)], moving(head), 70.5, size=SIZE)
    assert seen.fixed_since_s is None
    assert watched(still, 100, start_s=71).fixed_since_s is None


def test_who_walked_there_is_a_person_for_long_however_still() -> None:
    still = Standstill()
    for time_s in each(0, 5):
        box = Box(300 - 40 * (5 - time_s), 100, 340 - 40 * (5 - time_s), 200)
        still.observe([track(box, time_s, velocity=(40, 0))], moving(box), time_s, size=SIZE)
    assert watched(still, 5 + 2 * FIXED_S, start_s=5.5).fixed_since_s is None
    assert watched(still, 6 + CAME_S, start_s=6 + 2 * FIXED_S).fixed_since_s is not None


def test_who_passes_before_a_statue_does_not_bring_it_to_life() -> None:
    still = Standstill()
    watched(still, 70)
    for time_s in each(70, 75):
        walker = Box(200 + 40 * (time_s - 70), 110, 240 + 40 * (time_s - 70), 210)
        people = [track(STATUE, time_s), track(walker, time_s, track_id=2, velocity=(40, 0))]
        statue, passer = still.observe(people, moving(walker), time_s, size=SIZE)
        assert (statue.fixed_since_s, passer.fixed_since_s) == (0.0, None)


def test_somebody_unseen_who_moves_before_a_statue_is_not_hidden_by_it() -> None:
    still = Standstill()
    watched(still, 70)
    (statue,) = still.observe([track(STATUE, 70.5)], moving(STATUE), 70.5, size=SIZE)
    assert statue.fixed_since_s is None


def test_what_vanished_is_forgotten() -> None:
    still = Standstill()
    watched(still, 70)
    later = 71 + VANISHED_S
    for time_s in each(70, later):
        still.observe([], STILL, time_s, size=SIZE)
    assert watched(still, later + 5, start_s=later, track_id=2).fixed_since_s is None


def test_a_clock_that_is_set_back_begins_anew() -> None:
    still = Standstill()
    watched(still, 4070, start_s=4000)
    assert watched(still, 20).fixed_since_s is None


def test_memory_is_bounded() -> None:
    still = Standstill()
    for number in range(5 * MOST_PLACES):
        box = Box(10 * number, 0, 10 * number + 8, 20)
        still.observe([track(box, number / 10, track_id=number)], moving(box), number / 10, size=SIZE)
    assert len(still._places) == MOST_PLACES
