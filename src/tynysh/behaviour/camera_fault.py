"""Is the camera blind: lost, frozen or dark?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tynysh.behaviour.interaction import ramp
from tynysh.behaviour.scene import Feed, Scene
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal

SPARSE = 4
"""Only each fourth pixel of each fourth row is looked at."""

UNCHANGED = 0.02
"""Mean difference of brightness, in levels of 256, below which two pictures are the same."""

ALIVE = 0.1
"""Mean difference that noise and movement usually make at least; else a still picture may be none."""

HISTORY = 60
UNKNOWN_FACTOR = 6.0
"""A camera that never showed noise must stand still for so many times as long."""


class Fault(StrEnum):
    """What is wrong with a camera."""

    LOST = "lost"
    FROZEN = "frozen"
    DARK = "dark"


class CameraFaultSettings(AnalyserSettings):
    """Settings of `camera_fault`."""

    release_s = 1.0

    min_duration_s: MinDuration = 0.0
    cooldown_s: Cooldown = 30.0
    lost_s: Annotated[
        float,
        Field(
            ge=1.0, le=3600.0, title="Lost after", description="Seconds without pictures that are a fault."
        ),
    ] = 10.0
    frozen_s: Annotated[
        float,
        Field(
            ge=2.0,
            le=3600.0,
            title="Frozen after",
            description="Seconds of the same picture that are a fault.",
        ),
    ] = 20.0
    dark_s: Annotated[
        float,
        Field(ge=1.0, le=3600.0, title="Dark after", description="Seconds of darkness that are a fault."),
    ] = 10.0


@dataclass(slots=True)
class _Since:
    """Since when a fault has been seen, if it has."""

    began_s: float | None = None

    def score(self, present: float, time_s: float, limit_s: float) -> float:
        """0.6 when what is `present` (in [0, 1]) now has been so for `limit_s`."""
        if present <= 0.0:
            self.began_s = None
            return 0.0
        if self.began_s is None:
            self.began_s = time_s
        return min(1.0, 0.6 * (time_s - self.began_s) / limit_s) * present


class CameraFaultAnalyser:
    """Scores three faults, each a subject of its own: score = min(1, 0.6 t / limit) · p,
    with t the seconds that it has lasted.

    - lost: no pictures arrive (p = 1).
    - frozen: consecutive pictures differ by less than 0.02 levels of 256 on average (p = 1). A sensor always
    adds noise,
      and compression renews the picture at each key frame; where a camera showed neither before, because a
      clean scene was coded with nothing to change, it takes six times as long.
    - dark: the 98th percentile of brightness is below 50 of 256 (p = 0 there, 1 from 30 down), so that not
    even
      a lamp is seen: covered, or without any light.
    """

    behaviour = Behaviour.CAMERA_FAULT
    wants_pose = False

    def __init__(self, settings: CameraFaultSettings) -> None:
        self._settings = settings
        self._since = {fault: _Since() for fault in Fault}
        self._picture: NDArray[np.uint8] | None = None
        self._changes: deque[float] = deque(maxlen=HISTORY)

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per fault; none on the picture for scenes without one."""
        if scene.feed is Feed.LOST:
            self._picture = None
            return [
                self._signal(scene, Fault.LOST, 1.0, self._settings.lost_s),
                self._signal(scene, Fault.FROZEN, 0.0, self._settings.frozen_s),
                self._signal(scene, Fault.DARK, 0.0, self._settings.dark_s),
            ]
        signals = [self._signal(scene, Fault.LOST, 0.0, self._settings.lost_s)]
        if scene.frame is not None:
            # A copy: the frame's memory is the decoder's, and only as long as the frame lives.
            picture = scene.frame.luma[::SPARSE, ::SPARSE].copy()
            frozen = 1.0 if self._unchanged(picture) else 0.0
            frozen_s = self._settings.frozen_s * (1.0 if self._noisy else UNKNOWN_FACTOR)
            dark = ramp(float(np.percentile(picture, 98)), 50.0, 30.0)
            signals.append(self._signal(scene, Fault.FROZEN, frozen, frozen_s))
            signals.append(self._signal(scene, Fault.DARK, dark, self._settings.dark_s))
        return signals

    def _unchanged(self, picture: NDArray[np.uint8]) -> bool:
        """Whether the picture is the one before it."""
        before, self._picture = self._picture, picture
        if before is None or before.shape != picture.shape:
            return False
        change = float(np.mean(np.abs(picture.astype(np.int16) - before)))
        if change >= UNCHANGED:
            self._changes.append(change)
        return change < UNCHANGED

    @property
    def _noisy(self) -> bool:
        """Whether this camera's pictures usually change."""
        return len(self._changes) >= HISTORY // 2 and float(np.median(self._changes)) >= ALIVE

    def _signal(self, scene: Scene, fault: Fault, present: float, limit_s: float) -> Signal:
        since = self._since[fault]
        score = since.score(present, scene.time_s, limit_s)
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=score,
            subject=fault,
            reason=Reason(f"camera_fault.{fault}"),
            since_s=since.began_s,
        )
