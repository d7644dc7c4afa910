"""A fight is seen in the pictures or in what people do to each other; calm stays calm, and costs nothing."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.behaviour.scenes import HEIGHT, LEFT_HALF, WIDTH, posed, scene, scores, standing, times, watch

from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.fight import (
    UNKNOWN_PEOPLE,
    WEIGHTS,
    FightAnalyser,
    FightSettings,
    ShippedNetwork,
    largest_group,
)
from tynysh.behaviour.fight_window import SIDE, STEPS
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.demo.figure import Action
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.perception.motion import MotionGate
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.trajectories import Trajectories

MOVING = Motion(level=0.1, moving=True)


class Told:
    """A network that says what it is told to, and remembers what it was shown."""

    def __init__(self, *answers: float) -> None:
        self._answers = answers
        self.shown: list[np.ndarray] = []
        self.people: list[int] = []

    def probability(self, pictures: np.ndarray, people: int = UNKNOWN_PEOPLE) -> float:
        self.shown.append(pictures.copy())
        self.people.append(people)
        return self._answers[min(len(self.shown), len(self._answers)) - 1]


def filmed(time_s: float, motion: Motion = MOVING, **changes: object) -> Scene:
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    x = 100 + (0, 40, 10, 50, 20)[round(time_s * 10) % 5]
    picture[300:400, x : x + 80] = 220
    return scene(time_s, motion=motion, frame=Frame(picture, time_s=time_s, index=0), **changes)


def play(
    network: Told,
    until_s: float = 4.0,
    motion: Motion = MOVING,
    *,
    detected: bool = True,
    **settings: object,
) -> list[Signal]:
    analyser = FightAnalyser(FightSettings.model_validate(settings), network=network)
    return watch(analyser, [filmed(t, motion, detected=detected) for t in times(0, until_s)])


def test_mutual_blows_are_a_fight_without_any_picture() -> None:
    analyser = FightAnalyser(FightSettings(), network=Told(0.0))
    fighters = [
        scene(t, [posed(1, Action.STRIKE, 300, t), posed(2, Action.STRIKE, 335, t + 0.3, facing=-1)])
        for t in times(0, 4)
    ]
    worst = max(watch(analyser, fighters), key=lambda signal: signal.score)
    assert worst.score >= FightSettings().threshold
    assert worst.people == 2
    assert worst.reason is not None
    assert worst.reason.key == "fight.interaction"


def test_people_who_stand_together_are_no_fight() -> None:
    analyser = FightAnalyser(FightSettings(), network=Told(0.0))
    calm = [scene(t, [standing(1, 300, t), standing(2, 335, t)]) for t in times(0, 4)]
    assert max(scores(watch(analyser, calm))) == 0.0


def test_the_score_is_what_the_network_says_and_the_box_is_where_it_moves() -> None:
    last = play(Told(0.9))[-1]
    assert last.score == pytest.approx(0.9, abs=0.01)
    assert last.box is not None
    assert 0.05 < last.box.left < last.box.right < 0.3
    assert last.reason is not None
    assert last.reason.key == "fight.network"


def test_one_wrong_look_does_not_carry_the_score() -> None:
    assert max(scores(play(Told(0.05, 0.05, 0.9, 0.05)))) < FightSettings().threshold


def test_a_first_look_alone_must_be_very_sure() -> None:
    assert max(scores(play(Told(0.8), until_s=1.1))) < FightSettings().threshold
    assert max(scores(play(Told(0.8), until_s=2.0))) > FightSettings().threshold


def test_looks_are_half_a_second_apart_and_every_other_one_is_mirrored() -> None:
    network = Told(0.1)
    play(network, 4.0)
    assert 6 <= len(network.shown) <= 8  # none in the first second
    assert network.shown[0].shape == (STEPS, SIDE, SIDE)
    assert np.array_equal(network.shown[-1], network.shown[-2][:, :, ::-1])


def test_after_a_suspicious_look_the_next_one_comes_sooner() -> None:
    calm, suspicious = Told(0.01), Told(0.4)
    play(calm, 5.0)
    play(suspicious, 5.0)
    assert len(suspicious.shown) >= 1.25 * len(calm.shown)


def test_the_network_is_told_how_many_people_are_near_each_other() -> None:
    network = Told(0.1)
    analyser = FightAnalyser(FightSettings(), network=network)
    xs = (300, 335, 370, 900)
    watch(
        analyser,
        [filmed(t, tracks=tuple(standing(number, x, t) for number, x in enumerate(xs))) for t in times(0, 3)],
    )
    assert set(network.people) == {3}


def test_where_nobody_looks_for_people_there_may_be_two() -> None:
    network = Told(0.1)
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


def test_the_shipped_network_trusts_a_group_more_than_somebody_alone() -> None:
    pictures = np.random.default_rng(1).integers(0, 255, (STEPS, SIDE, SIDE)).astype(np.uint8)
    network = ShippedNetwork()
    assert (
        network.probability(pictures, 1) < network.probability(pictures, 2) < network.probability(pictures, 5)
    )


def test_the_network_does_not_look_while_nothing_moves() -> None:
    network = Told(0.9)
    assert max(scores(play(network, motion=STILL))) == 0.0
    assert not network.shown


def test_the_network_does_not_look_at_people_who_are_alone() -> None:
    faint = Motion(level=0.01, moving=True)
    alone, together = Told(0.9), Told(0.9)
    for network, x in ((alone, 900), (together, 340)):
        analyser = FightAnalyser(FightSettings(), network=network)
        watch(
            analyser, [filmed(t, faint, tracks=(standing(1, 300, t), standing(2, x, t))) for t in times(0, 4)]
        )
    assert not alone.shown
    assert together.shown


def test_it_looks_at_strong_motion_even_if_nobody_is_detected() -> None:
    network = Told(0.9)
    assert max(scores(play(network))) > 0.8


def test_the_network_does_not_look_where_the_site_says_so() -> None:
    network = Told(0.9)
    assert max(scores(play(network, pictures=False))) == 0.0
    assert not network.shown


def test_a_fight_outside_the_named_zones_is_not_told() -> None:
    analyser = FightAnalyser(FightSettings(zones=("left",)), network=Told(0.9))
    inside = watch(analyser, [filmed(t, zones=(LEFT_HALF,)) for t in times(0, 3)])
    right = LEFT_HALF.__class__("left", tuple((x + 0.5, y) for x, y in LEFT_HALF.polygon))
    analyser = FightAnalyser(FightSettings(zones=("left",)), network=Told(0.9))
    outside = watch(analyser, [filmed(t, zones=(right,)) for t in times(0, 3)])
    assert max(scores(inside)) > 0.8
    assert max(scores(outside)) == 0.0


def test_a_lost_camera_says_nothing_and_begins_anew() -> None:
    network = Told(0.9)
    analyser = FightAnalyser(FightSettings(), network=network)
    watch(analyser, [filmed(t) for t in times(0, 2)])
    assert watch(analyser, [scene(2.0, feed=Feed.LOST)]) == []
    looked = len(network.shown)
    assert scores(watch(analyser, [filmed(t) for t in times(2.1, 2.6)])) == [0.0] * 5
    assert len(network.shown) == looked


def test_the_shipped_network_answers_alike_for_the_same_pictures_and_is_small() -> None:
    pictures = np.random.default_rng(1).integers(0, 255, (STEPS, SIDE, SIDE)).astype(np.uint8)
    network = ShippedNetwork()
    first = network.probability(pictures)
    assert 0.0 <= first <= 1.0
    assert network.probability(pictures) == first
    assert WEIGHTS.stat().st_size <= 15_000_000


def highest(video: Path, *, until_s: float = 60.0) -> tuple[float, int]:
    """The highest score, and how many events began."""
    analyser, gate = FightAnalyser(FightSettings()), MotionGate()
    maker = EventMaker({Behaviour.FIGHT: Rule.of(FightSettings())}, ids=Random(0))
    best, events, due_s = 0.0, 0, 0.0
    for frame in VideoFile(video).frames():
        if frame.time_s > until_s:
            break
        if frame.time_s < due_s:
            continue
        due_s = frame.time_s + 0.09
        signals = analyser.observe(
            scene(
                frame.time_s,
                width=frame.width,
                height=frame.height,
                motion=gate.observe(frame),
                frame=frame,
                detected=False,
            )
        )
        best = max(best, *scores(signals))
        events += len(maker.observe(signals, frame.time_s))
    return best, events


@pytest.mark.footage
@pytest.mark.slow
def test_people_who_walk_across_a_square_raise_no_fight(vtest: Path) -> None:
    assert highest(vtest, until_s=30.0)[1] == 0


@pytest.mark.footage
def test_a_fight_scores_higher_than_a_calm_clip(footage: Path) -> None:
    fight, _ = highest(footage / "fights" / "fight" / "fi005.mp4")
    calm, _ = highest(footage / "fights" / "noFight" / "nofi005.mp4")
    assert fight > FightSettings().threshold > calm


def test_a_camera_on_which_the_network_never_looks_keeps_no_more_for_it_over_time() -> None:
    analyser = FightAnalyser(FightSettings(pictures=False), network=Told(0.1))
    watch(analyser, (scene(t, [standing(1, 300, t), standing(2, 335, t)]) for t in times(0, 60)))
    assert len(analyser._groups) <= 25
