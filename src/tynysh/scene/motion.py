"""What moves in the picture at one instant."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """What moves, from low-resolution brightness.

    level: the part of the picture that moves, in [0, 1], noise taken out.
    moving: whether the gate is open (holds for a moment after the movement ends).
    mask: (rows, columns) booleans, where it moves; None when nothing was compared yet.
    light: whether the light or the exposure changed over most of the picture, which is no motion.
    overlay: (rows, columns) booleans, where a clock is burnt into the picture, which is no motion either; None where
        there is none.
    """

    level: float
    moving: bool
    mask: NDArray[np.bool_] | None = None
    light: bool = False
    overlay: NDArray[np.bool_] | None = None


STILL = Motion(level=0.0, moving=False)
