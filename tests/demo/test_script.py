"""The script is a plausible scene, the same each time."""

import numpy as np
import pytest

from tynysh.demo.drawing import draw
from tynysh.demo.script import DARK_FROM_S, HEIGHT, LOOP_S, SQUARE, WIDTH, ZONES, body_height_at

TIMES = np.arange(0.0, LOOP_S, 0.1)


def test_parts_follow_each_other_without_gap_or_leap() -> None:
    for number, actor in enumerate(SQUARE.actors):
        for before, after in zip(actor.actions, actor.actions[1:], strict=False):
            assert before.end_s == pytest.approx(after.start_s), number
            leap = np.hypot(before.end[0] - after.begin[0], before.end[1] - after.begin[1])
            assert leap <= 0.12 * body_height_at(before.end[1]), (number, after)
        assert actor.actions[-1].end_s <= LOOP_S


def test_everybody_walks_at_a_human_pace() -> None:
    for actor in SQUARE.actors:
        for action in actor.actions:
            way = np.hypot(action.end[0] - action.begin[0], action.end[1] - action.begin[1])
            pace = (
                way / body_height_at((action.begin[1] + action.end[1]) / 2) / (action.end_s - action.start_s)
            )
            assert pace < 2.5, action


def test_people_are_the_same_each_time_and_in_any_order() -> None:
    forwards = [SQUARE.people_at(float(t)) for t in TIMES[:100]]
    backwards = [SQUARE.people_at(float(t)) for t in TIMES[99::-1]][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        assert [person.box for person in one] == [person.box for person in other]
    assert [person.box for person in SQUARE.people_at(5.0)] == [p.box for p in SQUARE.people_at(5.0 + LOOP_S)]


def test_detections_lie_in_the_picture_and_on_the_figures() -> None:
    missed = shown = 0
    for t in TIMES:
        people = SQUARE.people_at(float(t))
        for person in people:
            assert 0 <= person.box.left < person.box.right <= WIDTH
            assert 0 <= person.box.top < person.box.bottom <= HEIGHT
            assert person.keypoints is not None
            assert person.keypoints.shape == (26, 3)
        shown += len(people)
        if not DARK_FROM_S <= t < DARK_FROM_S + 8:
            inside = [f for f in SQUARE.figures_at(float(t)) if 20 < f.skeleton[:, 0].mean() < WIDTH - 20]
            missed += max(0, len(inside) - len(people))
    assert 0.01 < missed / shown < 0.15, "a detector misses some, not many"


def test_pictures_show_who_is_reported() -> None:
    empty, full = draw(SQUARE, 44.0), draw(SQUARE, 66.0)
    for person in SQUARE.people_at(66.0):
        left, top, right, bottom = (int(edge) for edge in person.box)
        changed = (
            np.abs(full[top:bottom, left:right].astype(int) - empty[top:bottom, left:right]).max(axis=2) > 15
        )
        assert changed.mean() > 0.15


def test_pictures_never_stand_still() -> None:
    for t in (88.5, 43.9, 81.0):
        assert np.any(draw(SQUARE, t) != draw(SQUARE, t + 0.1))


def test_zones_lie_in_the_picture() -> None:
    for zone in ZONES:
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in zone.polygon)


def test_the_first_episode_comes_early_and_every_behaviour_has_one() -> None:
    assert min(episode.start_s for episode in SQUARE.episodes) < 15
    assert {episode.behaviour for episode in SQUARE.episodes} == {
        "fight",
        "aggression",
        "person_down",
        "crowding",
        "intrusion",
        "loitering",
        "camera_fault",
    }
