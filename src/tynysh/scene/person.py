"""A person: one detection in one frame. No appearance is kept."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box


class Joint(IntEnum):
    """Keypoints in the order of Halpe-26 (Fang et al., AlphaPose, TPAMI 2022)."""

    NOSE = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_EAR = 3
    RIGHT_EAR = 4
    LEFT_SHOULDER = 5
    RIGHT_SHOULDER = 6
    LEFT_ELBOW = 7
    RIGHT_ELBOW = 8
    LEFT_WRIST = 9
    RIGHT_WRIST = 10
    LEFT_HIP = 11
    RIGHT_HIP = 12
    LEFT_KNEE = 13
    RIGHT_KNEE = 14
    LEFT_ANKLE = 15
    RIGHT_ANKLE = 16
    HEAD = 17
    NECK = 18
    HIP = 19
    LEFT_BIG_TOE = 20
    RIGHT_BIG_TOE = 21
    LEFT_SMALL_TOE = 22
    RIGHT_SMALL_TOE = 23
    LEFT_HEEL = 24
    RIGHT_HEEL = 25


Keypoints = NDArray[np.float32]
"""(26, 3): x and y in pixels of the frame, and confidence in [0, 1], in the order of `Joint`."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One detection: box in pixels, score in [0, 1], keypoints where pose was estimated.

    input_scale: pixels of the network's input for a pixel of the picture: how sharply the network saw them; None
    where no network looked, as in drawn scenes.
    """

    box: Box
    score: float
    keypoints: Keypoints | None = None
    input_scale: float | None = None
