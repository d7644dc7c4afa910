"""How do the people of a place move together?"""

from dataclasses import dataclass

import numpy as np

from tynysh.geometry import Floats
from tynysh.scene.walkers import Walkers

STANDING_M_S = 0.35
"""Slower than this somebody stands, metres a second: slower than any walk, faster than boxes jitter."""

STANDING_HEIGHTS_S = 0.2
"""The same in body heights a second."""

AGREEMENT = 0.5
"""Length of the mean of the walkers' unit vectors from which they have one heading (1: all the same)."""

FEWEST = 3
"""Fewer walkers than this do not make a common heading, nor a counter-flow."""


@dataclass(frozen=True, slots=True)
class Flow:
    """speed: median of those who walk, m/s, None without a known ground. heading: degrees in the picture, clockwise
    from up. stopped: part that stands, in [0, 1]. counterflow: from 0 (all one way) to 1 (half against half).
    """

    speed: float | None = None
    heading: float | None = None
    stopped: float | None = None
    counterflow: float | None = None


def standing_below(*, metric: bool) -> float:
    """The speed below which somebody stands, in the unit that velocities have."""
    return STANDING_M_S if metric else STANDING_HEIGHTS_S


def flow(walkers: Walkers, inside: np.ndarray) -> Flow:
    """The flow of those `inside`, (N,) booleans.

    Heading: the circular mean, where it has a length of `AGREEMENT` or more (Mardia & Jupp: Directional Statistics,
    2000). Counter-flow: with φ the axis of the doubled angles and a, b the numbers of walkers who go one way and the
    other along it, 2 min(a, b) / (a + b).
    """
    speed = walkers.speed
    followed = inside & np.isfinite(speed)
    number = int(followed.sum())
    if not number:
        return Flow()
    walking = followed & (speed >= standing_below(metric=walkers.metric))
    walks = int(walking.sum())
    typical = float(np.median(speed[walking])) if walks and walkers.metric else None
    heading, counterflow = None, None
    if walks >= FEWEST:
        heading = _common(walkers.heading[walking])
        counterflow = _counterflow(walkers.velocity[walking])
    return Flow(typical, heading, 1.0 - walks / number, counterflow)


def _common(headings: Floats) -> float | None:
    angles = np.radians(headings)
    east, north = float(np.sin(angles).mean()), float(np.cos(angles).mean())
    if np.hypot(east, north) < AGREEMENT:
        return None
    return float(np.degrees(np.arctan2(east, north)) % 360.0)


def _counterflow(velocity: Floats) -> float:
    angles = np.arctan2(velocity[:, 1], velocity[:, 0])
    axis = 0.5 * np.arctan2(np.sin(2 * angles).sum(), np.cos(2 * angles).sum())
    forwards = int((np.cos(angles - axis) > 0).sum())
    return 2.0 * min(forwards, len(angles) - forwards) / len(angles)
