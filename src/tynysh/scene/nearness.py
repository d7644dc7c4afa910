"""Who is near whom?

Lengths are in body heights (the body's length in the picture, H), so that they mean the same near the camera and far
from it.
"""

from collections.abc import Mapping
from math import hypot

import numpy as np

from tynysh.scene.trajectory import Observation, Trajectory


def gap(a: Observation, b: Observation, height: float) -> float:
    """How far apart two people are, in `height` (H, pixels).

    The horizontal gap between the boxes, and the difference in where they touch the ground: upwards in the
    picture is away from the camera, so what exceeds 0.15 H there counts twice (a camera that looks down by 30
    degrees shows one metre in depth as half a metre). This tells people who meet from people who only cover
    each other.
    """
    across = max(0.0, max(a.box.left, b.box.left) - min(a.box.right, b.box.right))
    along = max(0.0, abs(a.box.bottom - b.box.bottom) - 0.15 * height)
    return hypot(across, 2.0 * along) / height


def pairs_within(trajectories: Mapping[int, Trajectory], reach: float) -> list[tuple[int, int]]:
    """Track ids of the pairs whose `gap` now is at most `reach`, in their mean body_height H: each pair once, in order.

    At once for all of `trajectories`, by track id, for of hundreds of people tens of thousands of pairs are far apart.
    """
    ids = sorted(trajectories)
    boxes = np.array([trajectories[one].last.box for one in ids], dtype=np.float64).reshape(-1, 4)
    body_heights = np.array([trajectories[one].body_height for one in ids])
    height = (body_heights[:, None] + body_heights) / 2
    left, _, right, bottom = boxes.T
    across = np.maximum(0.0, np.maximum(left[:, None], left) - np.minimum(right[:, None], right))
    along = np.maximum(0.0, np.abs(bottom[:, None] - bottom) - 0.15 * height)
    first, second = np.nonzero(np.triu(np.hypot(across, 2.0 * along) <= reach * height, 1))
    return [(ids[one], ids[other]) for one, other in zip(first.tolist(), second.tolist(), strict=True)]
