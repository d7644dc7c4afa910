"""A picture of a video in which people stand, with metres laid on its floor and the people blurred."""

import cv2
import numpy as np

from tynysh.crowd.grid import floor_grid
from tynysh.evidence.anonymised import blurred, scaled_size
from tynysh.media.frame import Image
from tynysh.runtime.pipeline import Step
from tynysh.scene.ground import Ground

MOST_WIDTH = 1280
FINE_M, COARSE_M = 1.0, 5.0
"""Between the thin lines of the grid, and between the thick ones."""

# Bits of OpenCV's coordinates that are parts of pixels.
_SHIFT = 4
_FINE, _COARSE = (255, 220, 120), (60, 200, 255)


def drawn(step: Step, ground: Ground) -> Image:
    """The picture of `step` with people blurred and the grid of metres on its floor."""
    frame = step.frame
    if frame is None:
        raise ValueError("the step has no picture")
    size = scaled_size(frame, MOST_WIDTH)
    picture = blurred(frame, list(step.to_blur.values()), size)
    for step_m, colour, thickness in ((FINE_M, _FINE, 1), (COARSE_M, _COARSE, 2)):
        lines = [
            np.round(np.array(line) * size * 2**_SHIFT).astype(np.int32)
            for line in floor_grid(ground, step_m)
        ]
        cv2.polylines(picture, lines, False, colour, thickness, cv2.LINE_AA, _SHIFT)
    return picture


class MostPeople:
    """Keeps the step at which the detector saw most people."""

    def __init__(self) -> None:
        self.best: Step | None = None

    def take(self, step: Step) -> None:
        """Look at the next step. Only where the detector looked is it known who has to be blurred."""
        if not step.scene.detected:
            return
        if self.best is None or len(step.scene.tracks) > len(self.best.scene.tracks):
            self.best = step
