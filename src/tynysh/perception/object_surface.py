"""Has something been left on a protected object, thrown or sprayed at it, or taken from it?"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box, Polygon, contains_each
from tynysh.media.frame import Frame, Image
from tynysh.scene.places import OBJECT, distance
from tynysh.scene.scene import Scene
from tynysh.scene.surface import SurfaceChange
from tynysh.scene.zone import Zone

SIDE = 64
"""Cells along the longer side of what is compared."""

THROW = 2.0
"""Heights from an object within which somebody may leave something on it, throw something at it or spray it."""

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

AROUND = 0.5
"""How far around the object is looked at too, in its own width and height."""

EVERYWHERE_PART = 0.05
EVERYWHERE_SHARE = 0.4
"""Where at least so much of what is around the object changed too, and so large a part of it as of the object itself
times the second, it was no deed: the camera moved, a lamp went on, a shadow passed on, snow fell."""

SAME_TEXTURE = 0.6
"""Correlation of what is fine in a patch, before and after, from which it is the same surface in another light."""

FINE = 5
"""Cells over which the mean is taken that what is fine stands out from."""

Cells = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class _Measurement:
    """How an object looks: local contrast of its part of the picture, what is fine there (grey levels), and which cells
    are the object's; local contrast of what is around it, and which cells of that are neither the object's nor behind
    somebody.
    """

    cells: Cells
    fine: Cells
    inside: Mask
    around: Cells
    outside: Mask

    def follow(self, now: "_Measurement", weight: float) -> None:
        """Become more like `now`."""
        self.cells += (now.cells - self.cells) * np.float32(weight)
        self.fine += (now.fine - self.fine) * np.float32(weight)
        self.around += (now.around - self.around) * np.float32(weight)


@dataclass(slots=True, eq=False)
class _Memory:
    """What is known of one object.

    reference: how it looked. visit_s: when somebody came near it who has not been cleared yet.
    looked_s, busy_s: when it was last looked at, and when somebody or something was last before it.
    """

    reference: _Measurement | None = None
    visit_s: float | None = None
    change: SurfaceChange | None = None
    looked_s: float = -math.inf
    busy_s: float = -math.inf


class ObjectSurfaces:
    """Compares how each object (a zone of kind `object`) looks before and after somebody was near it (`THROW`).

    The object's part of the picture is averaged down to at most 64 cells a side and taken as local contrast: each
    cell's brightness less the mean around it, over the spread around it, so that light that grows or fades does not
    count. Once people have been near and nobody and nothing has moved before the object for three seconds, a connected
    patch of cells that differ from the reference is a change. What changes without a visit is none: the reference then
    follows what it sees. Nor is what changes around the object as well, as by a camera that moved, a lamp, a shadow or
    snow; nor a patch in which what is fine stays, as the joints of a wall do in a lamp's light. The reference then
    begins anew, rather a miss than a false alarm. On a smooth surface a shadow that moves on by several cells during a
    visit looks like a deed.
    """

    def __init__(self) -> None:
        self._objects: dict[str, _Memory] = {}

    def observe(self, scene: Scene, frame: Frame | None) -> Scene:
        """`scene` with the changes that hold."""
        if frame is None:
            return scene
        changes = {
            zone.name: change
            for zone in scene.zones
            if zone.kind == OBJECT and (change := self._change(scene, frame.luma, zone)) is not None
        }
        return replace(scene, surfaces=changes)

    def _change(self, scene: Scene, luma: Image, zone: Zone) -> SurfaceChange | None:
        memory = self._objects.setdefault(zone.name, _Memory())
        now_s = scene.time_s
        if now_s < memory.looked_s or scene.motion.light:
            self._objects[zone.name] = memory = _Memory(looked_s=now_s)
        if memory.visit_s is None and any(distance(scene, zone, track) <= THROW for track in scene.tracks):
            memory.visit_s = now_s
        outline = _outline(zone)
        if _busy(scene, zone, outline):
            memory.busy_s = now_s
        if now_s - memory.looked_s >= EVERY_S and now_s - memory.busy_s >= CLEAR_S:
            elapsed_s, memory.looked_s = now_s - memory.looked_s, now_s
            self._compare(memory, _measured(scene, luma, zone, outline), now_s, elapsed_s, outline)
        return memory.change

    def _compare(
        self, memory: _Memory, now: _Measurement, now_s: float, elapsed_s: float, outline: Box
    ) -> None:
        before = memory.reference
        if before is None or before.cells.shape != now.cells.shape:
            memory.reference, memory.change, memory.visit_s = now, None, None
            return
        patches = _changed(before, now)
        if not patches:
            before.follow(now, 1.0 - math.exp(-elapsed_s / REMEMBER_S))
            memory.change, memory.visit_s = None, None
            return
        deeds = [box for box, cells in patches if not _only_light(before, now, cells)]
        since_s = now_s if memory.change is None else memory.change.since_s
        unexplained = memory.change is None and (
            memory.visit_s is None or now_s - memory.visit_s > LONGEST_VISIT_S
        )
        if unexplained or not deeds or _everywhere(before, now) or now_s - since_s > FORGET_S:
            memory.reference, memory.change, memory.visit_s = now, None, None
            return
        patch, (rows, columns) = deeds[0], now.cells.shape
        memory.change = SurfaceChange(
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
    moving = (np.argwhere(mask)[:, ::-1] + 0.5) / (columns, rows)
    return bool(contains_each(zone.polygon, moving).any())


def _measured(scene: Scene, luma: Image, zone: Zone, outline: Box) -> _Measurement:
    """How the object looks now; `outline` is the smallest box around it."""
    wide, high = AROUND * outline.width, AROUND * outline.height
    around = Box(
        outline.left - wide, outline.top - high, outline.right + wide, outline.bottom + high
    ).clipped(1.0, 1.0)
    cells, beside = _averaged(luma, outline), _averaged(luma, around)
    covered = _filled(zone.polygon, around, beside.shape)
    for track in scene.tracks:
        left, top, right, bottom = scene.normalised_box(track.box)
        covered |= _filled(((left, top), (right, top), (right, bottom), (left, bottom)), around, beside.shape)
    everything = np.ones(cells.shape, dtype=np.bool_)
    inside = _filled(zone.polygon, outline, cells.shape)
    fine = cells - np.asarray(cv2.blur(cells, (FINE, FINE)), dtype=np.float32)
    return _Measurement(_contrast(cells, everything), fine, inside, _contrast(beside, ~covered), ~covered)


def _averaged(luma: Image, part: Box) -> Cells:
    """A part of the picture (normalised), averaged down to at most `SIDE` cells a side: (rows, columns)."""
    height, width = luma.shape
    left, top = min(int(part.left * width), width - 1), min(int(part.top * height), height - 1)
    right, bottom = math.ceil(part.right * width), math.ceil(part.bottom * height)
    pixels = luma[top : max(top + 1, bottom), left : max(left + 1, right)]
    scale = min(1.0, SIDE / max(pixels.shape))
    columns, rows = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _contrast(cells: Cells, counted: Mask) -> Cells:
    """Local contrast of `cells`, (rows, columns), by the brightness of those that are `counted` alone."""
    rows, columns = cells.shape
    size = (max(3, columns // 2) | 1, max(3, rows // 2) | 1)
    weights = counted.astype(np.float32)
    share = np.maximum(cv2.blur(weights, size), np.float32(1e-3))
    mean = cv2.blur(weights * cells, size) / share
    square = cv2.blur(weights * cells * cells, size) / share
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return np.asarray((cells - mean) / (spread + FAINT), dtype=np.float32)


def _filled(polygon: Polygon, part: Box, shape: tuple[int, ...]) -> Mask:
    """Which cells (rows, columns) of a part of the picture a polygon covers; both normalised."""
    rows, columns = shape
    scale = (columns / max(part.width, 1e-9), rows / max(part.height, 1e-9))
    corners = np.round((np.array(polygon) - (part.left, part.top)) * scale).astype(np.int32)
    return np.asarray(cv2.fillPoly(np.zeros((rows, columns), np.uint8), [corners], 1), dtype=np.bool_)


def _everywhere(before: _Measurement, now: _Measurement) -> bool:
    """Whether the picture changed around the object as it did on it."""
    if not now.outside.any() or before.around.shape != now.around.shape:
        return False
    on = float(np.mean(np.abs(now.cells - before.cells)[now.inside] > CHANGED))
    beside = float(np.mean(np.abs(now.around - before.around)[now.outside] > CHANGED))
    return beside >= max(EVERYWHERE_PART, EVERYWHERE_SHARE * on)


def _changed(before: _Measurement, now: _Measurement) -> list[tuple[Box, Mask]]:
    """The connected patches of changed cells that are large enough, the largest first: around each, in cells, and which
    they are.
    """
    changed = (np.abs(now.cells - before.cells) > CHANGED) & now.inside
    _, labels, patches, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    least = max(LEAST_CELLS, LEAST_PART * now.inside.sum())
    found: list[tuple[Box, Mask]] = []
    for label in 1 + np.argsort(-patches[1:, cv2.CC_STAT_AREA], kind="stable"):
        left, top, width, height, size = (float(value) for value in patches[label])
        if size >= least:
            found.append((Box(left, top, left + width, top + height), np.asarray(labels == label)))
    return found


def _only_light(before: _Measurement, now: _Measurement, patch: Mask) -> bool:
    """Whether a patch shows the same surface as before in another light. A smooth surface cannot tell."""
    one, other = before.fine[patch], now.fine[patch]
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) >= SAME_TEXTURE * max(size, 1e-6)
