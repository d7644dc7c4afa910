"""What is no fight is not told as one: disturbances laid over real footage of people who walk across a square.

Nobody looks for people here, so the pictures alone decide, which is the harder way. docs/models/fight.md tells of
what no footage is there for.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from tests.behaviour.scenes import Looking, scene

from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.fight import FightSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.media.frame import Frame, Image
from tynysh.media.reader import VideoFile
from tynysh.perception.motion import MotionGate

FRAMES = 70

Disturb = Callable[[Image, int, np.random.Generator], Image]


def shake(picture: Image, _index: int, random: np.random.Generator) -> Image:
    """A mast in the wind: the picture jumps by up to six pixels."""
    x, y = random.uniform(-6, 6, 2)
    moved = cv2.warpAffine(
        picture, np.array([[1, 0, x], [0, 1, y]]), picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(moved, np.uint8)


def headlights(picture: Image, index: int, _random: np.random.Generator) -> Image:
    """A car turns: at night, a bright cone sweeps across."""
    dark = (0.35 * picture).astype(np.float32)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    centre = (index * 25) % (picture.shape[1] + 400) - 200
    glow = 200 * np.exp(-(((columns - centre) / 120) ** 2) - (((rows - 300) / 200) ** 2))
    return np.clip(dark + glow[:, :, None], 0, 255).astype(np.uint8)


def flashes(picture: Image, index: int, _random: np.random.Generator) -> Image:
    """Lightning, or a faulty lamp."""
    return np.clip(picture.astype(np.int16) + (90 if index % 7 in (0, 1) else 0), 0, 255).astype(np.uint8)


def rain(picture: Image, _index: int, random: np.random.Generator) -> Image:
    """Streaks all over the picture, others in each."""
    streaked = picture.copy()
    for x, y in random.integers(0, picture.shape[1::-1], (250, 2)):
        cv2.line(streaked, (int(x), int(y)), (int(x) + 3, int(y) + 22), (200, 200, 200), 1)
    return streaked


def insects(picture: Image, index: int, _random: np.random.Generator) -> Image:
    """Three moths near the lens of a camera with infrared light."""
    night = cv2.cvtColor(
        cv2.cvtColor((0.5 * picture).astype(np.uint8), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR
    )
    for moth in range(3):
        x = int(384 + 300 * np.sin(0.9 * index + 2 * moth))
        y = int(288 + 220 * np.cos(0.7 * index + 5 * moth))
        cv2.circle(night, (x, y), 22, (235, 235, 235), -1)
    return np.asarray(cv2.GaussianBlur(night, (0, 0), 3), np.uint8)


def noise(picture: Image, _index: int, random: np.random.Generator) -> Image:
    """A sensor in the dark."""
    noisy = 0.4 * picture + random.normal(0, 14, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def walking(picture: Image, _index: int, _random: np.random.Generator) -> Image:
    """People who walk past one another, as they were filmed."""
    return picture


def disturbed(video: Path, disturb: Disturb) -> Iterator[Frame]:
    random = np.random.default_rng(0)
    for index, frame in enumerate(islice(VideoFile(video).frames(), FRAMES)):
        picture = disturb(frame.bgr, index, random)
        yield Frame(picture, time_s=frame.time_s, index=index)


def watched(frames: Iterator[Frame]) -> tuple[int, float]:
    """How many events began, and the highest score."""
    analyser, gate = Looking(Behaviour.FIGHT, FightSettings()), MotionGate()
    maker = EventMaker({Behaviour.FIGHT: Rule.of(FightSettings())}, ids=Random(0))
    events, highest = 0, 0.0
    for frame in frames:
        seen = scene(
            frame.time_s,
            width=frame.width,
            height=frame.height,
            motion=gate.observe(frame),
            detected=False,
        )
        signals = analyser.observe(seen, frame)
        highest = max(highest, *(signal.score for signal in signals))
        events += len(maker.observe(signals, frame.time_s))
    return events, highest


@pytest.mark.footage
@pytest.mark.parametrize("disturb", [walking, shake, headlights, flashes, rain, insects, noise])
def test_a_look_alike_is_no_fight(vtest: Path, disturb: Disturb) -> None:
    events, highest = watched(disturbed(vtest, disturb))
    assert events == 0, f"{disturb.__name__} scored {highest:.2f}"
