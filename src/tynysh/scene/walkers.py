"""How fast, and where to, does each person walk?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Walkers:
    """The people of one look, N of them.

    numbers: (N,) whose are whose from look to look, over breaks of their tracks. Numbers below zero are guesses of the
    tracker of whom nothing is measured.
    feet: (N, 2) in the picture, normalised. heights: (N,) of their boxes, normalised by the picture's height.
    floor: (N, 2) where they stand, metres; NaN where the ground is not known, or they stand above its horizon.
    velocity: (N, 2) m/s on the floor where `metric`; else body heights per second in the picture, x to the right and y
    down, the latter times `FORESHORTENING`. NaN of people not followed for long enough.
    noise: variance of a component of it that comes of how boxes jitter, in the square of its unit.
    scatter: (N,) how far from the line that gave the velocity the places lie, root mean square, metres or heights;
    large where a track went over from one person to another.
    heading: (N,) where they walk, degrees in the picture, clockwise from up; NaN as `velocity`.
    """

    numbers: NDArray[np.int64]
    feet: Floats
    heights: Floats
    floor: Floats
    velocity: Floats
    heading: Floats
    scatter: Floats
    noise: float
    metric: bool

    @property
    def speed(self) -> Floats:
        """(N,), in the unit of `velocity`."""
        speed: Floats = np.hypot(self.velocity[:, 0], self.velocity[:, 1])
        return speed
