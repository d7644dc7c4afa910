"""On real video, birds, cars, shadows, rain, insects, headlights and a branch in the wind are no intruders."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from tests.behaviour.corruption import headlights, insects, rain

from tynysh.behaviour.intrusion import IntrusionSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.scene.zone import Zone

pytestmark = pytest.mark.footage

LAWN = Zone("lawn", ((0.58, 0.76), (0.84, 0.76), (0.84, 0.90), (0.58, 0.90)), kind="protected")
"""A part of the square in which nobody sets foot in the first half minute."""

PATH = Zone("path", ((0.3, 0.33), (0.95, 0.33), (0.95, 0.6), (0.3, 0.6)), kind="protected")
"""Where people walk all the time: what must be found, whatever disturbs."""

EACH_S = 3.5

Disturb = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def birds(image: np.ndarray, t: float, _rng: np.random.Generator) -> np.ndarray:
    """Three birds that fly over the lawn, a wing-beat each fifth of a second."""
    for number in range(3):
        x, y = int(400 + 90 * t + 40 * number), int(470 - 12 * number)
        wing = int(7 * np.sin(31 * t + number))
        cv2.polylines(
            image, [np.array([[x - 11, y + wing], [x, y], [x + 11, y + wing]])], False, (30, 30, 30), 3
        )
    return image


def car(image: np.ndarray, t: float, _rng: np.random.Generator) -> np.ndarray:
    """A car drives over the lawn and away."""
    left = int(300 + 120 * t)
    cv2.rectangle(image, (left, 455), (left + 130, 500), (70, 60, 160), -1)
    cv2.rectangle(image, (left + 25, 430), (left + 100, 457), (60, 55, 120), -1)
    for wheel in (30, 100):
        cv2.circle(image, (left + wheel, 502), 13, (20, 20, 20), -1)
    return image


def shadow(image: np.ndarray, t: float, _rng: np.random.Generator) -> np.ndarray:
    """A shadow the shape of somebody tall moves over the lawn."""
    x = int(430 + 60 * t)
    shape = np.array([[x, 440], [x + 22, 445], [x + 70, 515], [x + 45, 518]])
    shade = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(shade, [shape], 255)
    image[shade > 0] = (image[shade > 0] * 0.45).astype(np.uint8)
    return image


def branch(image: np.ndarray, t: float, _rng: np.random.Generator) -> np.ndarray:
    """A branch with leaves sways before the lens, over the lawn."""
    sway = 14 * np.sin(4 * t)
    leaves = np.random.default_rng(1)
    for _ in range(60):
        x, y = leaves.uniform(450, 640), leaves.uniform(400, 540)
        centre = (int(x + sway * (y - 300) / 200), int(y))
        cv2.ellipse(image, centre, (9, 4), float(leaves.uniform(0, 180)), 0, 360, (40, 70, 45), -1)
    return image


DISTURBANCES: tuple[Disturb, ...] = (birds, car, shadow, branch, rain, insects, headlights)


def test_only_people_intrude_whatever_disturbs(vtest: Path) -> None:
    """The disturbances follow each other while people walk by; then the same is asked of the path."""
    random = np.random.default_rng(4)
    settings = IntrusionSettings(zones=("lawn", "path"), cooldown_s=0.0)
    watch = CameraPlan({Behaviour.INTRUSION: settings}, zones=(LAWN, PATH))
    pipeline = build_pipeline(watch, Networks.load(), ids=Random(0))
    score: dict[tuple[str, str | None], float] = {}
    for frame in VideoFile(vtest).frames():
        turn = int(frame.time_s / EACH_S)
        if turn >= len(DISTURBANCES):
            break
        disturb = DISTURBANCES[turn]
        spoilt = disturb(frame.bgr.copy(), frame.time_s - turn * EACH_S, random)
        step = pipeline.process(Frame(spoilt, time_s=frame.time_s, index=frame.index))
        for signal in step.signals if step is not None else ():
            key = (disturb.__name__, signal.zone)
            score[key] = max(score.get(key, 0.0), signal.score)
    assert {
        name: score[name.__name__, "lawn"] for name in DISTURBANCES if score[name.__name__, "lawn"] >= 0.3
    } == {}
    assert {name for name in DISTURBANCES if score[name.__name__, "path"] < 0.6} == set()
