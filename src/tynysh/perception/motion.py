"""Does anything move, and where? From low-resolution brightness, for next to nothing."""

import math
from collections import deque
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tynysh.media.frame import Frame, Image
from tynysh.perception.overlay import Overlay
from tynysh.scene.motion import STILL, Motion

_Field = NDArray[np.float32]
"""(rows, columns): one value for each cell of the grid."""

_MOST_PAST = 16
_LEAST_NOISE = 0.2
_MOST_SUDDEN_NOISE = 4.0
_LEAST_CONTRAST = 8.0
_UNEXPLAINED = 0.3
"""Part of a change of light that gain and offset may fail to explain: saturation, gamma, shadows."""

_DEVIATION_OF_MEDIAN = 1.4826
"""Standard deviation of normal noise, in medians of its absolute value."""


class MotionSettings(BaseModel):
    """What counts as motion. Brightness is in grey levels of 0..255."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grid_width: int = Field(
        default=144, ge=16, description="The picture is halved as long as it stays so many cells wide."
    )
    compare_s: float = Field(
        default=0.4, gt=0, description="Seconds between the pictures that are compared: slow movers show too."
    )
    least_change: float = Field(
        default=5.0,
        gt=0,
        description="Grey levels by which a cell must change, however little noise there is.",
    )
    deviations: float = Field(
        default=5.0, gt=0, description="Standard deviations of its own noise by which a cell must change."
    )
    least_part: float = Field(
        default=0.0006, ge=0, le=1, description="Part of the picture that must move to open the gate."
    )
    light_part: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="Part of the picture that changes at once when the light or the exposure does.",
    )
    hold_s: float = Field(
        default=2.0, ge=0, description="Seconds for which the gate stays open after the last movement."
    )
    learn_s: float = Field(
        default=10.0, gt=0, description="Seconds in which a cell's noise is taken to be e times what it was."
    )
    most_noise: float = Field(
        default=10.0, gt=0, description="Grey levels of noise at which a cell is desensitised no further."
    )


class MotionGate:
    """Watches one camera for movement; what it says depends on the frames and their times alone.

    Each picture is averaged down to a grid and compared with the one of `compare_s` ago (with the one before, if
    frames are rarer). A cell moves if it and at least two of its neighbours change by more than a floor and by
    more than a multiple of their noise. The noise of a cell is learnt as the running median of its change, so
    that sensor noise, the pulse of key frames, a flickering lamp or a waving branch sink below the threshold,
    while people who pass through a cell for less than half of the time do not raise it.

    A clock that is burnt into the picture (`perception.overlay`) is taken out.

    Light changes over wide areas: the gain and offset that map one picture onto the other are taken out, and
    then the mean change around each cell; `Motion.light` says so where that explains the most of it. A camera
    that is moved is motion.
    """

    def __init__(self, settings: MotionSettings | None = None) -> None:
        self._settings = settings or MotionSettings()
        self._past: deque[tuple[float, _Field]] = deque()
        self._noise: _Field | None = None
        self._overlay = Overlay()
        self._open_until_s = -math.inf

    def observe(self, frame: Frame) -> Motion:
        """What moves in `frame`; frames come in order of time, at any rate."""
        settings = self._settings
        time_s = frame.time_s
        grid = averaged(frame.luma, settings.grid_width)
        if self._past and self._past[-1][1].shape != grid.shape:
            self._past.clear()
            self._noise = None
            self._overlay = Overlay()
        if not self._past:
            self._past.append((time_s, grid))
            return STILL
        seconds = max(0.0, time_s - self._past[-1][0])
        difference = grid - self._reference(time_s)
        self._past.append((time_s, grid))

        change, light = self._without_light(difference, grid)
        threshold = np.maximum(settings.least_change, settings.deviations * self._learn(change, seconds))
        if light:
            threshold += _UNEXPLAINED * np.abs(difference)
        mask, overlay = self._overlay.taken_out(_clustered(change > threshold), time_s)
        level = float(np.mean(mask))
        if level >= settings.least_part:
            self._open_until_s = time_s + settings.hold_s
        # Also if the camera's clock was set back, the gate is not held open for longer.
        self._open_until_s = min(self._open_until_s, time_s + settings.hold_s)
        return Motion(
            level=level, moving=time_s <= self._open_until_s, mask=mask, light=light, overlay=overlay
        )

    def _reference(self, time_s: float) -> _Field:
        """The grid to compare with: the latest that is `compare_s` old, or else the oldest."""
        while len(self._past) > 1 and (
            self._past[1][0] <= time_s - self._settings.compare_s or len(self._past) > _MOST_PAST
        ):
            self._past.popleft()
        return self._past[0][1]

    def _without_light(self, difference: _Field, grid: _Field) -> tuple[_Field, bool]:
        """How much each cell changed, without what a change of light explains; and whether there was one."""
        light = False
        if float(np.mean(np.abs(difference) > self._settings.least_change)) > self._settings.light_part:
            gain, offset = _line(grid - difference, grid)
            rest = grid - (gain * (grid - difference) + offset)
            light = _median(np.abs(rest)) < _UNEXPLAINED * _median(np.abs(difference))
            if light:
                difference = rest
        size = max(3, grid.shape[1] // 4) | 1
        around = cv2.blur(difference, (size, size))
        # Only ever less: a strong change here must not look like one in the opposite direction around it.
        same_way = (around * difference) > 0
        change: _Field = np.abs(difference) - np.abs(around) * same_way
        return np.maximum(change, np.float32(0)), light

    def _learn(self, change: _Field, seconds: float) -> _Field:
        """Move each cell's median of `change` a step; the standard deviation of its noise, (rows, columns)."""
        settings = self._settings
        # Most cells changing alike tell of more noise at once, but only so much: the camera may have moved.
        typical = min(_median(change), _MOST_SUDDEN_NOISE)
        if self._noise is None:
            self._noise = np.full_like(change, max(typical, _LEAST_NOISE))
        step = min(seconds / settings.learn_s, 1.0)
        factors = np.array([math.exp(-step), math.exp(step)], dtype=np.float32)
        self._noise *= factors[(change > self._noise).view(np.uint8)]
        np.clip(self._noise, _LEAST_NOISE, settings.most_noise / _DEVIATION_OF_MEDIAN, out=self._noise)
        return np.maximum(self._noise, np.float32(typical)) * np.float32(_DEVIATION_OF_MEDIAN)


def averaged(luma: Image, width: int) -> _Field:
    """`luma` averaged over squares of 2, 4, 8... pixels, at least `width` cells wide if the picture is.

    Halving again and again costs a tenth of scaling in one step, and likewise takes every pixel in.
    """
    grid: Any = luma
    while grid.shape[1] // 2 >= width:
        rows, columns = grid.shape[0] // 2, grid.shape[1] // 2
        grid = cv2.resize(grid[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(grid, dtype=np.float32)


def _line(before: _Field, after: _Field) -> tuple[float, float]:
    """Gain and offset of brightness from one picture to another, from their quartiles."""
    low, middle, high = np.percentile(before[::2, ::2], (25, 50, 75))
    new_low, new_middle, new_high = np.percentile(after[::2, ::2], (25, 50, 75))
    gain = (new_high - new_low) / (high - low) if high - low > _LEAST_CONTRAST else 1.0
    return float(gain), float(new_middle - gain * middle)


def _median(field: _Field) -> float:
    """The median of a sample of the values, which is near enough and a tenth of the work."""
    values = field.ravel()[::31]
    return float(np.partition(values, len(values) // 2)[len(values) // 2])


def _clustered(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` (rows, columns) without cells that have fewer than two neighbours in it."""
    count = cv2.boxFilter(mask.view(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return mask & (np.asarray(count) >= 3)
