"""Who is near whom?

Lengths are in body heights (the body's length in the picture, H), so that they mean the same near the camera and far
from it.
"""

from collections.abc import Mapping
from math import hypot

import numpy as np

from tynysh.geometry import Box
from tynysh.scene.trajectory import Observation, Trajectory


def gap(a: Observation, b: Observation, height: float) -> float:
    """How far apart two people are, in `height` (H, pixels).

    The horizontal gap between the boxes, and the difference in where they touch the ground: upwards in the
    picture is away from the camera, so what exceeds 0.15 H there counts twice (a camera that looks down by 30
    degrees shows one metre in depth as half a metre). This tells people who meet from people who only cover
    each other.
    """
    return gap_of_boxes(a.box, b.box, height)


def gap_of_boxes(a: Box, b: Box, height: float) -> float:
    """`gap` of two whose boxes are known, in `height` (pixels)."""
    across = max(0.0, max(a.left, b.left) - min(a.right, b.right))
    along = max(0.0, abs(a.bottom - b.bottom) - 0.15 * height)
    return hypot(across, 2.0 * along) / height


def gap_between(a: Trajectory, b: Trajectory) -> float:
    """`gap` of two people where each was seen last, in their mean body height."""
    return gap(a.last, b.last, (a.body_height + b.body_height) / 2)


def pairs_within(trajectories: Mapping[int, Trajectory], reach: float) -> list[tuple[int, int]]:
    """Track ids of the pairs whose `gap` now is at most `reach`, in their mean body_height H: each pair once, in order.

    At once for all of `trajectories`, by track id, for of hundreds of people tens of thousands of pairs are far apart;
    those who are too far to the right to be near are left out beforehand.
    """
    ids = sorted(trajectories)
    boxes = np.array([trajectories[one].last.box for one in ids], dtype=np.float64).reshape(-1, 4)
    body_heights = np.array([trajectories[one].body_height for one in ids])
    order = np.argsort(boxes[:, 0])
    lefts = boxes[order, 0]
    ends = np.searchsorted(lefts, boxes[order, 2] + reach * body_heights.max(initial=0.0) + 1.0)
    counts = np.maximum(ends - np.arange(len(ids)) - 1, 0)
    first = np.repeat(np.arange(len(ids)), counts)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    first, second = order[first], order[second]
    height = (body_heights[first] + body_heights[second]) / 2
    one, other = boxes[first], boxes[second]
    across = np.maximum(0.0, np.maximum(one[:, 0], other[:, 0]) - np.minimum(one[:, 2], other[:, 2]))
    along = np.maximum(0.0, np.abs(one[:, 3] - other[:, 3]) - 0.15 * height)
    near = np.hypot(across, 2.0 * along) <= reach * height
    found = zip(first[near].tolist(), second[near].tolist(), strict=True)
    return sorted((ids[min(pair)], ids[max(pair)]) for pair in found)
