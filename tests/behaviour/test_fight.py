"""A fight is seen in the pictures or in what people do to each other; calm stays calm, and costs nothing."""

from pathlib import Path
from random import Random

import pytest
from tests.behaviour.scenes import LEFT_HALF, Looking, posed, scene, scores, standing, times, watch

from tynysh.behaviour import registry
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.fight import FightAnalyser, FightSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.demo.figure import BodyAction
from tynysh.geometry import Box
from tynysh.media.reader import VideoFile
from tynysh.perception.motion import MotionGate
from tynysh.scene.clip import ClipScore, Company
from tynysh.scene.need import Need
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.zone import Zone

BOX = Box(0.1, 0.5, 0.2, 0.7)


def classified(
    *answers: float,
    until_s: float = 4.0,
    zone: Zone = LEFT_HALF,
    company: Company = Company.TOGETHER,
) -> list[Scene]:
    """Scenes in which the network looks each half second, from the first second on; the last answer stays."""
    shown: list[Scene] = []
    for t in times(0, until_s):
        look = max(0, int(t / 0.5) - 2)
        answer = answers[min(look, len(answers) - 1)]
        clip = ClipScore(1.0 + 0.5 * look, answer, BOX, company) if t >= 1.0 else None
        shown.append(scene(t, zones=[zone], clip=clip))
    return shown


def signals_for(
    *answers: float, until_s: float = 4.0, zone: Zone = LEFT_HALF, **settings: object
) -> list[Signal]:
    analyser = FightAnalyser(FightSettings.model_validate(settings))
    return watch(analyser, classified(*answers, until_s=until_s, zone=zone))


def test_mutual_blows_are_a_fight_without_any_picture() -> None:
    analyser = FightAnalyser(FightSettings())
    fighters = [
        scene(t, [posed(1, BodyAction.STRIKE, 300, t), posed(2, BodyAction.STRIKE, 335, t + 0.3, facing=-1)])
        for t in times(0, 4)
    ]
    worst = max(watch(analyser, fighters), key=lambda signal: signal.score)
    assert worst.score >= FightSettings().threshold
    assert worst.people == 2
    assert worst.reason is not None
    assert worst.reason.key == "fight.interaction"


def test_people_who_stand_together_are_no_fight() -> None:
    analyser = FightAnalyser(FightSettings())
    calm = [scene(t, [standing(1, 300, t), standing(2, 335, t)]) for t in times(0, 4)]
    assert max(scores(watch(analyser, calm))) == 0.0


def test_the_score_is_what_the_network_says_and_the_box_is_where_it_moves() -> None:
    last = signals_for(0.9)[-1]
    assert last.score == pytest.approx(0.9, abs=0.01)
    assert last.box == BOX
    assert last.reason is not None
    assert last.reason.key == "fight.network"


def test_one_wrong_look_does_not_carry_the_score() -> None:
    assert max(scores(signals_for(0.05, 0.05, 0.9, 0.05))) < FightSettings().threshold


def test_a_first_look_alone_must_be_very_sure() -> None:
    assert max(scores(signals_for(0.8, until_s=1.1))) < FightSettings().threshold
    assert max(scores(signals_for(0.8, until_s=2.0))) > FightSettings().threshold


def told(company: Company, *answers: float) -> tuple[float, str]:
    """The last score and its reason."""
    last = watch(FightAnalyser(FightSettings()), classified(*answers, company=company))[-1]
    assert last.reason is not None
    return last.score, last.reason.key


def test_nobody_fights_alone() -> None:
    assert told(Company.ALONE, 0.99)[0] < 0.05


def test_where_nobody_can_be_made_out_the_network_must_be_surer_and_that_is_said() -> None:
    assert told(Company.UNSEEN, 0.6)[0] < FightSettings().threshold
    assert told(Company.UNSEEN, 0.98) == (pytest.approx(0.967, abs=0.01), "fight.unseen")


def test_where_it_is_too_dark_to_see_people_that_is_said() -> None:
    assert told(Company.DARK, 0.8) == (pytest.approx(0.8, abs=0.01), "fight.dark")


def test_the_network_is_neither_asked_nor_heard_where_the_site_says_so() -> None:
    assert Need.CLIP_SCORES in registry.needs({Behaviour.FIGHT: FightSettings()})
    assert Need.CLIP_SCORES not in registry.needs({Behaviour.FIGHT: FightSettings(pictures=False)})
    assert max(scores(signals_for(0.9, pictures=False))) == 0.0


def test_a_fight_outside_the_named_zones_is_not_told() -> None:
    right = Zone("left", tuple((x + 0.5, y) for x, y in LEFT_HALF.polygon))
    assert max(scores(signals_for(0.9, zones=("left",)))) > 0.8
    assert max(scores(signals_for(0.9, zones=("left",), zone=right))) == 0.0


def test_a_lost_camera_says_nothing_and_begins_anew() -> None:
    analyser = FightAnalyser(FightSettings())
    assert max(scores(watch(analyser, classified(0.9, until_s=2.0)))) > 0.8
    assert watch(analyser, [scene(2.0, feed=Feed.LOST)]) == []
    assert scores(watch(analyser, [scene(t) for t in times(2.1, 2.6)])) == [0.0] * 5


def highest(video: Path, *, until_s: float = 60.0) -> tuple[float, int]:
    """The highest score, and how many events began."""
    analyser, gate = Looking(Behaviour.FIGHT, FightSettings()), MotionGate()
    maker = EventMaker({Behaviour.FIGHT: Rule.of(FightSettings())}, ids=Random(0))
    best, events, due_s = 0.0, 0, 0.0
    for frame in VideoFile(video).frames():
        if frame.time_s > until_s:
            break
        if frame.time_s < due_s:
            continue
        due_s = frame.time_s + 0.09
        seen = scene(
            frame.time_s,
            width=frame.width,
            height=frame.height,
            motion=gate.observe(frame),
            detected=False,
        )
        signals = analyser.observe(seen, frame)
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
