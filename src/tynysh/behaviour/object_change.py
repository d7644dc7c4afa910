"""Has something been left on a protected object, thrown or sprayed at it, or taken from it?"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.behaviour.scene import Scene, Zone
from tynysh.geometry import Box

SIDE = 64
"""Cells along the longer side of what is compared."""

EVERY_S = 0.5
CLEAR_S = 3.0
"""Seconds for which nobody and nothing has been before the object, before it is looked at again."""

REMEMBER_S = 60.0
"""Time constant with which the reference follows what nobody's visit explains: sun, dust, snow."""

LONGEST_VISIT_S = 600.0
"""After a longer visit, light and shadows may have changed too much to blame anybody: the reference begins anew."""

FORGET_S = 900.0
"""A change that has been told for so long is how the object looks now."""

CHANGED = 0.35
"""Difference of local contrast (see `_contrast`) from which a cell has changed."""

FAINT = 10.0
"""Grey levels added to the spread, so that noise on a smooth surface is no contrast."""

LEAST_PART = 0.01
LEAST_CELLS = 6
"""A change is at least so much of the object, and so many cells."""

Cells = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Change:
    """since_s: when it was first seen. box: where, normalised."""

    since_s: float
    box: Box


@dataclass(slots=True, eq=False)
class _Memory:
    """What is known of one object.

    reference: how it looks. visit_s: when somebody came near it who has not been cleared yet.
    looked_s, busy_s: when it was last looked at, and when somebody or something was last before it.
    """

    reference: Cells | None = None
    visit_s: float | None = None
    change: Change | None = None
    looked_s: float = -math.inf
    busy_s: float = -math.inf


class ObjectChange:
    """Compares how each object looks before and after somebody was near it.

    The object's part of the picture is averaged down to at most 64 cells a side and taken as local contrast: each
    cell's brightness less the mean around it, over the spread around it, so that light that grows or fades does not
    count. Once people have been near and nobody and nothing has moved before the object for three seconds, a connected
    patch of cells that differ from the reference is a change. What changes without a visit is none: the reference then
    follows what it sees. A lamp that is switched during a visit cannot be told from a deed, so the reference begins
    anew: rather a miss than a false alarm.
    """

    def __init__(self) -> None:
        self._objects: dict[str, _Memory] = {}

    def observe(self, scene: Scene, zone: Zone, *, visited: bool) -> Change | None:
        """The change that holds at `scene`, if there is one; scenes without a picture tell nothing new.

        visited: whether somebody is near enough now to do something to the object.
        """
        memory = self._objects.setdefault(zone.name, _Memory())
        now_s = scene.time_s
        if now_s < memory.looked_s or scene.motion.light:
            self._objects[zone.name] = memory = _Memory(looked_s=now_s)
        if visited and memory.visit_s is None:
            memory.visit_s = now_s
        outline = _outline(zone)
        if _busy(scene, zone, outline):
            memory.busy_s = now_s
        if scene.frame is None or now_s - memory.looked_s < EVERY_S or now_s - memory.busy_s < CLEAR_S:
            return memory.change
        elapsed_s, memory.looked_s = now_s - memory.looked_s, now_s
        self._compare(memory, *_contrast(scene.frame.luma, zone, outline), now_s, elapsed_s, outline)
        return memory.change

    def _compare(
        self,
        memory: _Memory,
        cells: Cells,
        inside: NDArray[np.bool_],
        now_s: float,
        elapsed_s: float,
        outline: Box,
    ) -> None:
        if memory.reference is None or memory.reference.shape != cells.shape:
            memory.reference, memory.change, memory.visit_s = cells, None, None
            return
        patch = _changed(memory.reference, cells, inside)
        if patch is None:
            memory.reference += (cells - memory.reference) * np.float32(
                1.0 - math.exp(-elapsed_s / REMEMBER_S)
            )
            memory.change, memory.visit_s = None, None
            return
        since_s = now_s if memory.change is None else memory.change.since_s
        unexplained = memory.visit_s is None or now_s - memory.visit_s > LONGEST_VISIT_S
        if (memory.change is None and unexplained) or now_s - since_s > FORGET_S:
            memory.reference, memory.change, memory.visit_s = cells, None, None
            return
        rows, columns = cells.shape
        memory.change = Change(
            since_s,
            Box(
                outline.left + outline.width * patch.left / columns,
                outline.top + outline.height * patch.top / rows,
                outline.left + outline.width * patch.right / columns,
                outline.top + outline.height * patch.bottom / rows,
            ),
        )


def _outline(zone: Zone) -> Box:
    """The smallest box around a zone, normalised."""
    xs, ys = zip(*zone.polygon, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def _busy(scene: Scene, zone: Zone, outline: Box) -> bool:
    """Whether somebody stands before the object, or something moves there."""
    if any(scene.normalised_box(track.box).intersection(outline) > 0.0 for track in scene.tracks):
        return True
    mask = scene.motion.mask
    if mask is None:
        return False
    rows, columns = mask.shape
    moving = np.argwhere(mask)
    return any(zone.contains(((x + 0.5) / columns, (y + 0.5) / rows)) for y, x in moving)


def _contrast(luma: NDArray[np.uint8], zone: Zone, outline: Box) -> tuple[Cells, NDArray[np.bool_]]:
    """Local contrast of the object's part of the picture, and which cells belong to the object, (rows, columns)."""
    height, width = luma.shape
    left, right = (
        int(outline.left * width),
        max(int(outline.left * width) + 1, math.ceil(outline.right * width)),
    )
    top, bottom = (
        int(outline.top * height),
        max(int(outline.top * height) + 1, math.ceil(outline.bottom * height)),
    )
    part = luma[top:bottom, left:right]
    scale = min(1.0, SIDE / max(part.shape))
    columns, rows = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    cells = np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)
    size = (max(3, columns // 2) | 1, max(3, rows // 2) | 1)
    mean = cv2.blur(cells, size)
    spread = np.sqrt(np.maximum(cv2.blur(cells * cells, size) - mean * mean, 0.0))
    corners = [(x * width - left, y * height - top) for x, y in zone.polygon]
    filled = np.zeros((rows, columns), dtype=np.uint8)
    cv2.fillPoly(
        filled,
        [np.round(np.array(corners) * [columns / (right - left), rows / (bottom - top)]).astype(np.int32)],
        1,
    )
    return ((cells - mean) / (spread + FAINT)).astype(np.float32), filled.astype(np.bool_)


def _changed(before: Cells, after: Cells, inside: NDArray[np.bool_]) -> Box | None:
    """Around the largest connected patch of changed cells, in cells; None where there is none of any size."""
    changed = (np.abs(after - before) > CHANGED) & inside
    _, _, patches, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    largest = max(patches[1:], key=lambda patch: int(patch[cv2.CC_STAT_AREA]), default=None)
    if largest is None or largest[cv2.CC_STAT_AREA] < max(LEAST_CELLS, LEAST_PART * inside.sum()):
        return None
    left, top, width, height = (float(value) for value in largest[:4])
    return Box(left, top, left + width, top + height)
