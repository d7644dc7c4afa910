"""What does the view usually look like, and how does a picture fit it?"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.perception.view.features import SOFT, Features, Field, blocks, gradients, lengths, squares

LEARN_S = 10.0
LEARN_LOOKS = 8
FORGET_S = 60.0
"""The view's background is a running mean over about a minute: people average out, dusk is followed. It is known after
LEARN_LOOKS pictures over LEARN_S seconds."""

LEAST_TEXTURE = 0.012
LEAST_BLOCKS = 5
"""Blocks with a mean squared edge (of lengths below 1) from LEAST_TEXTURE on can be compared; fewer tell nothing."""

LOST_PROJECTION = 0.4
LOST_LIKENESS = 0.35
"""A block is lost where the projection of its edges on the view's falls below this part of the usual, and their
correlation below that."""

VEILED_GAIN, VEILED_WEBER = 0.35, 0.4
"""Behind a veil (paint, fog on the lens) gradients fall below this part of the usual, and so far below brightness;
less light takes both alike.
"""

SHARP = 0.35
ERASED = 0.4
"""An edge of a length (below 1) from SHARP on is erased where less than ERASED of it is left."""


class ReferenceView:
    """The background of one view, learnt: running means over pictures."""

    def __init__(self, first: Features, time_s: float) -> None:
        self.began_s = time_s
        self.looks = 0
        self.edges: Field = np.zeros_like(first.edges)
        self.grid: Field = first.grid.copy()
        self.thumb: Field = first.thumb.copy()
        self.fine = first.fine
        self.coarse = first.coarse
        self.contrast = first.contrast
        self.saturated = first.saturated
        self.flat = first.flat

    def learn(self, now: Features, elapsed_s: float) -> None:
        """Follow a picture that came `elapsed_s` after the one before."""
        self.looks += 1
        share = max(1.0 / self.looks, min(1.0, elapsed_s / FORGET_S))
        for mine, new in ((self.edges, now.edges), (self.grid, now.grid), (self.thumb, now.thumb)):
            np.add(mine, np.float32(share) * (new - mine), out=mine)
        self.fine += share * (now.fine - self.fine)
        self.coarse += share * (now.coarse - self.coarse)
        self.contrast += share * (now.contrast - self.contrast)
        self.saturated += share * (now.saturated - self.saturated)
        self.flat += share * (now.flat - self.flat)

    @property
    def length(self) -> Field:
        """How strong the edges are, below 1."""
        return lengths(self.edges)

    def known(self, time_s: float) -> bool:
        """Whether it was seen for long enough to compare with."""
        return self.looks >= LEARN_LOOKS and time_s - self.began_s >= LEARN_S


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """How a picture fits a view. judged: blocks that had edges. lost: of these, where they are gone or veiled. erased:
    part of the view's edges where there are hardly any now. gain: how much is left of the view's gradients, grey
    levels for grey levels, the median of the judged blocks.
    """

    judged: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    erased: float
    gain: float

    @property
    def enough(self) -> bool:
        """Whether there is enough to compare."""
        return int(self.judged.sum()) >= LEAST_BLOCKS

    @property
    def gone(self) -> float:
        """Which part of the judged blocks is lost."""
        return float(self.lost.sum() / max(1, self.judged.sum()))


def match(now: Features, view: ReferenceView) -> Match:
    """How the picture fits."""
    usual_length, now_length = view.length, lengths(now.edges)
    usual, power = blocks(usual_length * usual_length), blocks(now_length * now_length)
    along = blocks(now.edges[0] * view.edges[0] + now.edges[1] * view.edges[1])
    judged = usual >= LEAST_TEXTURE
    projection = along / np.maximum(usual, 1e-6)
    likeness = along / np.sqrt(np.maximum(usual * power, 1e-9))
    lost = judged & (projection < LOST_PROJECTION) & (likeness < LOST_LIKENESS)
    gain, strength = _left(now, view)
    brighter = blocks(now.grid) / np.maximum(blocks(view.grid), 1.0)
    veiled = judged & (strength < VEILED_GAIN) & (strength < VEILED_WEBER * brighter)
    sharp = usual_length >= SHARP
    behind: Any = cv2.resize(veiled.view(np.uint8), sharp.shape[::-1], interpolation=cv2.INTER_NEAREST)
    bare = sharp & ((now_length < ERASED * usual_length) | (np.asarray(behind) > 0))
    erased = float(bare.sum() / max(1, sharp.sum()))
    return Match(judged, lost | veiled, erased, float(np.median(gain[judged])) if judged.any() else 1.0)


def _left(now: Features, view: ReferenceView) -> tuple[Field, Field]:
    """How many grey levels are left of one of the view's gradients, over blocks: by their projection on the view's, and
    by their strength whichever way they point.
    """
    usual = gradients(view.grid)
    unsaturated = now.edges * (now.length + np.float32(SOFT))
    power = np.maximum(blocks(squares(usual)), np.float32(1e-3))
    along = blocks(usual[0] * unsaturated[0] + usual[1] * unsaturated[1])
    strength: Any = cv2.sqrt(blocks(squares(unsaturated)) / power)
    return np.asarray(along / power, np.float32), np.asarray(strength, np.float32)
