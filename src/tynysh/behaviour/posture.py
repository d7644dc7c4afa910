"""Does a person lie on the ground? From the box, the keypoints and the height they would have standing there."""

from collections import deque
from itertools import pairwise
from math import atan2, degrees, hypot

import numpy as np

from tynysh.behaviour.scores import ramp
from tynysh.geometry import Box, Point
from tynysh.scene.person import Joint, Keypoints

CONFIDENT = 0.3
"""Keypoints below this confidence are hidden or guessed."""

# Pairs are what does not count at all and what counts fully, chosen on the clips of docs/models/person-down.md and on
# the drawn look-alikes of tests/behaviour/test_lookalikes.py.

TILT, FLAT = (45.0, 70.0), (0.5, 0.35)
"""Degrees of the torso from upright; extent from top to bottom over the body's length."""

WIDE, WIDE_TILTED, WIDE_UNKNOWN = (1.1, 1.5), (0.7, 1.1), (1.5, 1.9)
"""Width over height of a box: without keypoints, with a tilted torso, and where standing height is unknown."""

LOW, SHORT = (0.75, 0.55), (0.5, 0.35)
"""Height over standing height: of a box that is wide, and of somebody along the line of sight."""

SURE_IF_SHORT, SURE_IF_WIDE, CUT_OFF = 0.8, 0.8, 0.3
"""Greatest scores: of who only looks short, of a tilted torso without legs, of a box cut off by the picture's edge."""

UNKNOWN, UNKNOWN_MORE = 0.5, 0.4
"""Score of a wide box where standing height is unknown, and how much more the widest have."""

SLIM, UPRIGHT = 0.6, 30.0
"""Width over height of somebody who stands, at most, and degrees of their torso."""

NEAR_ROWS = 2
ROWS = 12
"""Bands of the picture, from top to bottom, in each of which standing height is learnt; and how far a band is from
another for which it speaks."""

SAMPLES = 60
ENOUGH = 8
"""Heights that are kept of a band, and how many tell its standing height."""


def lying(
    box: Box,
    keypoints: Keypoints | None,
    standing: float | None,
    *,
    cut_off: bool = False,
    seen_upright: bool = True,
) -> float:
    """How surely a person lies, in [0, 1].

    box: pixels. standing: the height, pixels, of somebody upright at that place, if known. cut_off: whether the box
        ends at the picture's edge, so that its shape says little. seen_upright: whether `standing` is this person's
        own height; somebody else's says nothing of one of whom a seat or a counter may hide all but the head.

    With keypoints, lying is a torso tilted by more than 45 degrees from upright (fully from 70) and a body that is
    flat: its extent from top to bottom is less than 0.5 of the way from head over hips and knees to the ankles (fully
    from 0.35). Bending over leaves the legs upright (0.5 and more), sitting and crouching leave the torso upright.
    Without keypoints, it is a box at least 1.1 times as wide as high (fully from 1.5) and at most 0.75 of standing
    height (fully from 0.55); while that height is unknown, half of this, for two people in one box look alike, but
    more from 1.5 and 0.9 from 1.9, as no two who stand are that wide. Somebody who lies along the line of sight,
    having been seen upright, looks upright but short: at most 0.5 of standing height (fully from 0.35) counts 0.8 at
    the most; sitting on a chair leaves 0.6 to 0.75 of it, crouching 0.5 to 0.6.
    """
    low = 0.0
    if standing is not None and seen_upright and not cut_off:
        low = SURE_IF_SHORT * ramp(box.height / standing, *SHORT)
    torso = _torso(keypoints)
    if keypoints is not None and torso is not None:
        tilted = ramp(_tilt(*torso), *TILT)
        flat = _flatness(keypoints, torso)
        if flat is None:
            flat = SURE_IF_WIDE * ramp(box.width / max(1.0, box.height), *WIDE_TILTED)
        return max(low, tilted * flat)
    wide = ramp(box.width / max(1.0, box.height), *WIDE)
    if standing is not None:
        wide *= ramp(box.height / standing, *LOW)
    else:
        wide *= UNKNOWN + UNKNOWN_MORE * ramp(box.width / max(1.0, box.height), *WIDE_UNKNOWN)
    return max(low, CUT_OFF * wide if cut_off else wide)


def upright(box: Box, keypoints: Keypoints | None) -> bool:
    """Whether a person certainly stands or walks: a slim box and no tilted torso."""
    torso = _torso(keypoints)
    return box.width <= SLIM * box.height and (torso is None or _tilt(*torso) < UPRIGHT)


class StandingHeights:
    """How tall people are in the picture, by where they stand, learnt from those who walk through it."""

    def __init__(self) -> None:
        self._rows: dict[int, deque[float]] = {}

    def learn(self, foot_y: float, height: float) -> None:
        """Take in somebody who walks upright: `foot_y` normalised, `height` in pixels."""
        self._rows.setdefault(_row(foot_y), deque(maxlen=SAMPLES)).append(height)

    def at(self, foot_y: float) -> float | None:
        """Standing height, pixels, of somebody whose feet are at `foot_y` (normalised); None while unknown.

        From the nearest band, at most two away, in which enough people were seen.
        """
        row = _row(foot_y)
        for near in sorted(range(row - NEAR_ROWS, row + NEAR_ROWS + 1), key=lambda other: abs(other - row)):
            heights = self._rows.get(near, ())
            if len(heights) >= ENOUGH:
                return float(np.median(heights))
        return None


def _row(foot_y: float) -> int:
    return min(ROWS - 1, max(0, int(foot_y * ROWS)))


def _point(keypoints: Keypoints, *joints: Joint) -> Point | None:
    """The mean of those of `joints` that are known."""
    known = [keypoints[joint] for joint in joints if keypoints[joint, 2] >= CONFIDENT]
    if not known:
        return None
    return sum(float(k[0]) for k in known) / len(known), sum(float(k[1]) for k in known) / len(known)


def _torso(keypoints: Keypoints | None) -> tuple[Point, Point] | None:
    """(shoulders, hips), if both are known."""
    if keypoints is None:
        return None
    shoulders = _point(keypoints, Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER)
    hips = _point(keypoints, Joint.LEFT_HIP, Joint.RIGHT_HIP)
    return None if shoulders is None or hips is None else (shoulders, hips)


def _tilt(shoulders: Point, hips: Point) -> float:
    """Degrees between the torso and upright: 0 standing, 90 lying across, 180 upside down."""
    return degrees(abs(atan2(hips[0] - shoulders[0], hips[1] - shoulders[1])))


def _flatness(keypoints: Keypoints, torso: tuple[Point, Point]) -> float | None:
    """How flat the body is, in [0, 1], from its vertical extent over its length; None where no ankle is known."""
    head = _point(keypoints, Joint.HEAD, Joint.NOSE) or torso[0]
    feet = _point(keypoints, Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE)
    if feet is None:
        return None
    hips = torso[1]
    knees = _point(keypoints, Joint.LEFT_KNEE, Joint.RIGHT_KNEE) or hips
    way = [head, hips, knees, feet]
    length = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(way))
    extent = max(y for _, y in way) - min(y for _, y in way)
    return ramp(extent / max(1.0, length), *FLAT)
