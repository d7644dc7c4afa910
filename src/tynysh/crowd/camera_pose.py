"""How does a camera hang over a level floor, and what floor does it then see?"""

from dataclasses import dataclass
from math import cos, exp, log, sin

import numpy as np

from tynysh.geometry import Floats
from tynysh.scene.ground import Ground


@dataclass(frozen=True, slots=True)
class CameraPose:
    """A pinhole camera over a level floor: square pixels, the axis through the middle of the picture, no distortion.

    focal: focal length in heights of the picture. tilt: how far it looks down, radians from the horizontal.
    roll: how far it leans to its right about its own axis, radians. height: above the floor, metres.
    """

    focal: float
    tilt: float
    roll: float
    height: float

    @classmethod
    def of(cls, parameters: Floats) -> "CameraPose":
        """From (4,): log focal, tilt, roll, log height; see `parameters`."""
        return cls(exp(parameters[0]), float(parameters[1]), float(parameters[2]), exp(parameters[3]))

    @property
    def parameters(self) -> Floats:
        """(4,) without bounds, for fitting."""
        return np.array([log(self.focal), self.tilt, self.roll, log(self.height)])

    def homography(self, aspect: float) -> Floats:
        """(3, 3): from the picture (0..1) to the floor, metres; x to the right, y ahead, from below the camera.

        aspect: width of the picture over its height.
        """
        centred = np.array([[aspect, 0, -aspect / 2], [0, 1, -0.5], [0, 0, 1]])
        lean, run, fall = self.roll, cos(self.tilt), sin(self.tilt)
        upright = np.array([[cos(lean), sin(lean), 0], [-sin(lean), cos(lean), 0], [0, 0, 1]])
        onto_floor = np.array(
            [
                [self.height, 0, 0],
                [0, -self.height * fall, self.height * self.focal * run],
                [0, run, self.focal * fall],
            ]
        )
        return np.asarray(onto_floor @ upright @ centred, dtype=np.float64)

    def ground(self, aspect: float, error: float) -> Ground:
        """The floor that is seen; `error` as in `Ground`."""
        return Ground(self.homography(aspect), error)

    def heights(self, feet: Floats, heads: Floats, aspect: float) -> Floats:
        """How tall, metres (N,), upright people are whose feet and heads are at (N, 2) of the picture, normalised.

        NaN where the feet would be above the horizon.
        """
        low, high = self._below_middle(feet, aspect), self._below_middle(heads, aspect)
        run, fall = cos(self.tilt), sin(self.tilt)
        shared = self.focal * run - high * fall
        return np.asarray(self.height * (1 - self._ahead(low) * (self.focal * fall + high * run) / shared))

    def body_heights(self, feet: Floats, tall: float, aspect: float) -> Floats:
        """How high, in heights of the picture (N,), people `tall` metres tall look whose feet are at (N, 2).

        NaN where the feet would be above the horizon, or the head behind the camera.
        """
        low = self._below_middle(feet, aspect)
        run, fall, ahead = cos(self.tilt), sin(self.tilt), self._ahead(low)
        over = 1 - tall / self.height
        depth = ahead * run + over * fall
        with np.errstate(invalid="ignore"):
            depth[depth <= 0] = np.nan
        return np.asarray(low + self.focal * (ahead * fall - over * run) / depth)

    def _below_middle(self, points: Floats, aspect: float) -> Floats:
        """How far below the middle of the picture, in its heights, points are; roll taken out."""
        return np.asarray((points - 0.5) @ [-sin(self.roll) * aspect, cos(self.roll)])

    def _ahead(self, low: Floats) -> Floats:
        """How far ahead on the floor, in heights of the camera, what is `low` below the middle lies."""
        run, fall = cos(self.tilt), sin(self.tilt)
        below = self.focal * fall + low * run
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(below > 0, (self.focal * run - low * fall) / below, np.nan))
