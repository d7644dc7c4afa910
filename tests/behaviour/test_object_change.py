"""What changes on an object while people are there is told; what light and weather change is not."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import cv2
import numpy as np
from tests.behaviour.scenes import HEIGHT, WIDTH, Looking, Shown, scene, standing, times
from tests.behaviour.test_climbing import MONUMENT

from tynysh.behaviour.intrusion import IntrusionSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.media.frame import Frame
from tynysh.scene.motion import Motion

Paint = Callable[[np.ndarray, float], np.ndarray]


def stone(seed: int = 3) -> np.ndarray:
    """A textured place, (HEIGHT, WIDTH) float32 grey."""
    random = np.random.default_rng(seed)
    coarse = cv2.resize(random.uniform(80, 150, (30, 50)).astype(np.float32), (WIDTH, HEIGHT))
    return coarse + cv2.resize(random.normal(0, 8, (150, 250)).astype(np.float32), (WIDTH, HEIGHT))


def filmed(
    seconds: float, paint: Paint, visit: tuple[float, float] | None, *, lamp_s: float | None = None
) -> Iterable[Shown]:
    """Two pictures a second; somebody stands at the monument during `visit`."""
    place, noise = stone(), np.random.default_rng(5)
    for t in times(0, seconds, 0.5):
        grey = paint(place.copy(), t) + noise.normal(0, 2, place.shape)
        picture = np.clip(grey, 0, 255).astype(np.uint8)
        here = visit is not None and visit[0] <= t < visit[1]
        people = [standing(1, 440, t)] if here else []
        motion = Motion(0.0, moving=here, light=t == lamp_s)
        frame = Frame(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), time_s=t, index=0)
        yield scene(t, people, [MONUMENT], motion=motion), frame


def changed(scenes: Iterable[Shown]) -> list[Signal]:
    analyser = Looking(Behaviour.INTRUSION, IntrusionSettings(changed_s=10.0))
    return [signal for signal in analyser.watch(scenes) if signal.subject == "changed"]


def sprayed(since_s: float, until_s: float = np.inf) -> Paint:
    def paint(grey: np.ndarray, t: float) -> np.ndarray:
        if since_s <= t < until_s:
            cv2.line(grey, (470, 260), (530, 300), 20, 6)
        return grey

    return paint


def test_paint_left_by_a_visitor_is_told_with_its_place() -> None:
    signals = changed(filmed(60, sprayed(25), visit=(20, 30)))
    reached = next(signal for signal in signals if signal.score >= 0.6)
    assert 40 <= reached.time_s <= 46
    assert reached.since_s is not None
    assert 30 <= reached.since_s <= 35
    assert reached.box is not None
    assert reached.box.left * WIDTH < 500 < reached.box.right * WIDTH
    assert reached.box.top * HEIGHT < 280 < reached.box.bottom * HEIGHT
    assert reached.reason is not None
    assert reached.reason.key == "intrusion.changed"


def test_it_is_over_when_it_is_cleaned_away() -> None:
    signals = changed(filmed(80, sprayed(25, until_s=60), visit=(20, 30)))
    assert signals[-1].score == 0.0


def test_a_visit_that_leaves_nothing_is_nothing() -> None:
    assert max(s.score for s in changed(filmed(60, lambda grey, _: grey, visit=(20, 30)))) == 0.0


def test_what_changes_while_nobody_is_there_is_not_blamed_on_the_next_visitor() -> None:
    assert max(s.score for s in changed(filmed(80, sprayed(15), visit=(40, 50)))) == 0.0


def test_dusk_and_a_changed_exposure_are_no_change() -> None:
    def dusk(grey: np.ndarray, t: float) -> np.ndarray:
        return grey * (1.0 - 0.4 * t / 60) + 10

    assert max(s.score for s in changed(filmed(60, dusk, visit=(20, 30)))) == 0.0


def test_a_lamp_switched_on_during_a_visit_is_no_deed() -> None:
    def lamp(grey: np.ndarray, t: float) -> np.ndarray:
        if t >= 25:
            grey[:, :500] *= 1.6
        return grey

    assert max(s.score for s in changed(filmed(60, lamp, visit=(20, 30), lamp_s=25))) == 0.0


def test_nothing_is_judged_while_somebody_stands_before_it() -> None:
    signals = changed(filmed(60, sprayed(25), visit=(20, 60)))
    assert max(signal.score for signal in signals) == 0.0


def test_what_changes_around_the_object_too_is_no_deed() -> None:
    """During a visit the camera is pushed by eight pixels, and in another one snow falls."""

    def pushed(grey: np.ndarray, t: float) -> np.ndarray:
        return np.roll(grey, 8, axis=1) if t >= 25 else grey

    fallen = np.random.default_rng(1).random((HEIGHT, WIDTH))

    def snow(grey: np.ndarray, t: float) -> np.ndarray:
        return np.where(fallen < min(0.5, t / 60), np.float32(230), grey)

    assert max(s.score for s in changed(filmed(48, pushed, visit=(20, 30)))) < 0.6
    assert max(s.score for s in changed(filmed(48, snow, visit=(20, 30)))) < 0.6


def test_a_floodlight_on_the_object_is_no_deed_and_a_wreath_at_its_foot_is_a_change() -> None:
    """The lamp lights the monument alone, from below, while somebody is near it."""
    height = 405 - np.arange(200, 405, dtype=np.float32)[:, None]

    def lit(grey: np.ndarray, t: float) -> np.ndarray:
        grey *= 0.35
        if t >= 25:
            grey[200:405, 450:550] *= 1 + 3 * np.exp(-height / 100)
        return grey

    def wreath(grey: np.ndarray, t: float) -> np.ndarray:
        return cv2.circle(grey, (500, 390), 14, 30, -1) if t >= 25 else grey

    assert max(s.score for s in changed(filmed(48, lit, visit=(20, 30)))) == 0.0
    assert max(s.score for s in changed(filmed(48, wreath, visit=(20, 30)))) >= 0.6


def test_movement_on_the_object_puts_off_the_comparison_and_elsewhere_it_does_not() -> None:
    def score_of(row: int, column: int) -> float:
        mask = np.zeros((81, 144), dtype=np.bool_)
        mask[row, column] = True
        moving = (
            (replace(one, motion=replace(one.motion, mask=mask)), frame)
            for one, frame in filmed(48, sprayed(25), visit=(20, 30))
        )
        return max(s.score for s in changed(moving))

    assert score_of(40, 72) == 0.0
    assert score_of(40, 20) >= 0.6
