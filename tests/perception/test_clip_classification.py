"""The network looks at pictures when it is worth it, at what moves, and is told how many people are near each other."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from tests.behaviour.scenes import HEIGHT, WIDTH, Shown, boxed, scene, standing, times, with_trajectories

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.clip_classification import (
    UNKNOWN_PEOPLE,
    WEIGHTS,
    ClipClassification,
    FightClassifier,
    largest_group,
)
from tynysh.perception.clip_window import SIDE, STEPS
from tynysh.scene.clip import ClipScore, Company
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.scene import Feed
from tynysh.scene.track import Track
from tynysh.scene.trajectories import Trajectories

MOVING = Motion(level=0.1, moving=True)
FAINT = Motion(level=0.01, moving=True)


class FixedScore:
    """A network that says what it is told to, and remembers what it was shown."""

    def __init__(self, *answers: float) -> None:
        self._answers = answers
        self.shown: list[np.ndarray] = []
        self.people: list[int] = []

    def probability(self, pictures: np.ndarray, people: int = UNKNOWN_PEOPLE) -> float:
        self.shown.append(pictures.copy())
        self.people.append(people)
        return self._answers[min(len(self.shown), len(self._answers)) - 1]


def filmed(time_s: float, motion: Motion = MOVING, **changes: object) -> Shown:
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    x = 100 + (0, 40, 10, 50, 20)[round(time_s * 10) % 5]
    picture[300:400, x : x + 80] = 220
    return scene(time_s, motion=motion, **changes), Frame(picture, time_s=time_s, index=0)


def play(
    network: FixedScore, until_s: float = 4.0, motion: Motion = MOVING, *, detected: bool = True
) -> list[ClipScore | None]:
    stage = ClipClassification(network)
    return [stage.observe(*filmed(t, motion, detected=detected)).clip for t in times(0, until_s)]


def test_a_score_says_what_the_network_said_when_and_where_it_moves() -> None:
    last = play(FixedScore(0.9))[-1]
    assert last is not None
    assert last.probability == 0.9
    assert 3.4 <= last.time_s < 4.0
    assert 0.05 < last.box.left < last.box.right < 0.3


def test_looks_are_half_a_second_apart_and_every_other_one_is_mirrored() -> None:
    network = FixedScore(0.1)
    play(network, 4.0)
    assert 6 <= len(network.shown) <= 8  # none in the first second
    assert network.shown[0].shape == (STEPS, SIDE, SIDE)
    assert np.array_equal(network.shown[-1], network.shown[-2][:, :, ::-1])


def test_after_a_suspicious_look_the_next_one_comes_sooner() -> None:
    calm, suspicious = FixedScore(0.01), FixedScore(0.4)
    play(calm, 5.0)
    play(suspicious, 5.0)
    assert len(suspicious.shown) >= 1.25 * len(calm.shown)


def test_the_network_is_told_how_many_people_are_near_each_other() -> None:
    network = FixedScore(0.1)
    stage, trajectories = ClipClassification(network), Trajectories()
    for t in times(0, 3):
        people = tuple(standing(number, x, t) for number, x in enumerate((300, 335, 370, 900)))
        shown, frame = filmed(t, tracks=people)
        stage.observe(with_trajectories(shown, trajectories), frame)
    assert set(network.people) == {3}


def test_where_nobody_looks_for_people_there_may_be_two() -> None:
    network = FixedScore(0.1)
    play(network, 3.0, detected=False)
    assert set(network.people) == {UNKNOWN_PEOPLE}


def test_a_group_is_a_chain_of_people_near_each_other() -> None:
    trajectories = Trajectories()
    xs = (300, 335, 370, 800, 835, 1200)
    seen = scene(0.0, [standing(number, x, 0.0) for number, x in enumerate(xs, 1)])
    trajectories.observe(seen)
    assert largest_group(trajectories.now(seen)) == 3
    assert largest_group({6: trajectories.now(seen)[6]}) == 1
    assert largest_group({}) == 0


def test_the_network_does_not_look_while_nothing_moves() -> None:
    network = FixedScore(0.9)
    assert set(play(network, motion=STILL)) == {None}
    assert not network.shown


def test_the_network_does_not_look_at_people_who_are_alone() -> None:
    alone, together = FixedScore(0.9), FixedScore(0.9)
    for network, x in ((alone, 900), (together, 340)):
        stage, trajectories = ClipClassification(network), Trajectories()
        for t in times(0, 4):
            shown, frame = filmed(t, FAINT, tracks=(standing(1, 300, t), standing(2, x, t)))
            stage.observe(with_trajectories(shown, trajectories), frame)
    assert not alone.shown
    assert together.shown


def test_it_looks_at_strong_motion_even_if_nobody_is_detected() -> None:
    network = FixedScore(0.9)
    play(network)
    assert network.shown


def test_a_lost_camera_has_no_score_and_begins_anew() -> None:
    network = FixedScore(0.9)
    stage = ClipClassification(network)
    for t in times(0, 2):
        stage.observe(*filmed(t))
    assert stage.observe(scene(2.0, feed=Feed.LOST), None).clip is None
    looked = len(network.shown)
    assert {stage.observe(*filmed(t)).clip for t in times(2.1, 2.6)} == {None}
    assert len(network.shown) == looked


def test_the_shipped_network_trusts_a_group_more_than_somebody_alone() -> None:
    pictures = np.random.default_rng(1).integers(0, 255, (STEPS, SIDE, SIDE)).astype(np.uint8)
    network = FightClassifier()
    assert (
        network.probability(pictures, 1) < network.probability(pictures, 2) < network.probability(pictures, 5)
    )


def test_the_shipped_network_answers_alike_for_the_same_pictures_and_is_small() -> None:
    pictures = np.random.default_rng(1).integers(0, 255, (STEPS, SIDE, SIDE)).astype(np.uint8)
    network = FightClassifier()
    first = network.probability(pictures)
    assert 0.0 <= first <= 1.0
    assert network.probability(pictures) == first
    assert WEIGHTS.stat().st_size <= 15_000_000


@pytest.mark.parametrize("x", [335, 900])
def test_what_is_kept_of_people_does_not_grow_over_time(x: float) -> None:
    stage = ClipClassification(FixedScore(0.1))
    for t in times(0, 60):
        stage.observe(*filmed(t, FAINT, tracks=(standing(1, 300, t), standing(2, x, t))))
    assert len(stage._groups) <= 25


def company(
    people: Callable[[float], list[Track]],
    *,
    until_s: float = 6.0,
    light: int = 90,
    faint: Sequence[Box] = (),
) -> Company:
    """Who was there at the last look; `faint` are boxes that the detector found besides."""
    stage, trajectories = ClipClassification(FixedScore(0.9)), Trajectories()
    last: Company | None = None
    for t in times(0, until_s):
        tracks = people(t)
        seen, frame = filmed(t, tracks=tuple(tracks), found=(*(track.box for track in tracks), *faint))
        dimmed = Frame((frame.bgr * (light / 90)).clip(0, 255).astype(np.uint8), time_s=t, index=0)
        found = stage.observe(with_trajectories(seen, trajectories), dimmed).clip
        last = last if found is None else found.company
    assert last is not None
    return last


def one(t: float) -> list[Track]:
    return [standing(1, 100, t)]


def none(_t: float) -> list[Track]:
    return []


def test_who_is_clearly_seen_with_nobody_near_is_alone() -> None:
    assert company(one) is Company.ALONE
    assert company(lambda t: [standing(1, 100, t), standing(2, 600, t)]) is Company.ALONE


def test_two_who_were_near_each_other_seconds_ago_are_together_though_they_are_lost() -> None:
    def clinch(t: float) -> list[Track]:
        return [standing(1, 100, t), standing(2, 150, t)] if t < 3 else one(t)

    assert company(clinch) is Company.TOGETHER
    assert company(clinch, until_s=12) is Company.ALONE


def test_what_hardly_seems_a_second_person_leaves_it_open() -> None:
    assert company(one, faint=[Box(110, 320, 160, 400)]) is Company.UNSEEN
    assert company(none) is Company.UNSEEN


def test_in_the_dark_people_may_be_there_whom_nobody_finds() -> None:
    assert company(none, light=8) is Company.DARK


def test_who_fell_and_was_found_turned_is_no_second_person() -> None:
    def falls(t: float) -> list[Track]:
        if t < 3:
            return one(t)
        # Not at each look, and by the old track now and then.
        found = int(t * 10) % 3
        return [boxed(1 if found == 2 else 2, Box(60, 370, 180, 400), t, born_s=3.0, turned=found == 0)]

    assert company(falls) is Company.ALONE
