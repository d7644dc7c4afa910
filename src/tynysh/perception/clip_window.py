"""What the fight network is shown: the last seconds, of the part of the picture that moves."""

from collections import deque
from itertools import pairwise
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.media.frame import Image

LONG_SIDE = 256
"""Pixels of the longer side of the pictures that are kept."""

SPAN_S = 2.0
SHORTEST_SPAN_S = 1.0
"""Seconds that a window covers, and at least must cover, where a stream has only begun."""

LEAST_RATE_HZ = 6.0
"""Of fewer pictures a second nothing is judged: the network takes walkers for fighters, and misses fights."""

STEPS = 32
SIDE = 112
"""A window is STEPS pictures of SIDE x SIDE pixels. Cameras deliver fewer pictures in SPAN_S: some repeat, as the
network was pretrained at 25 pictures a second and sees slow motion better than fast."""

MARGIN = {"all": 1.0, "most": 1.2}
LEAST = 0.3
"""The region is MARGIN times as large as where it moves, and at least LEAST of the picture's height."""

Where = Literal["all", "most"]
"""The network is shown all that moves, or the connected part that moves most, by turns: people who surround a fight
belong to it, and people elsewhere do not."""

_LONGEST_GAP_S = 1.0
_MOST_PICTURES = 64
_NOISE = 12.0
_REACH = 6.0
_WEAK = 0.15
_TAIL = {"all": 0.06, "most": 0.04}


class Region(NamedTuple):
    """A part of a kept picture, in its pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class Window(NamedTuple):
    """What the network is shown.

    pictures: (STEPS, SIDE, SIDE) brightness, 0 to 255.
    region: the part of the picture that they show, and `moving` the smaller part in which it moves, both
    normalised (left, top, right, bottom).
    """

    pictures: NDArray[np.uint8]
    region: tuple[float, float, float, float]
    moving: tuple[float, float, float, float]


def kept_size(width: int, height: int) -> tuple[int, int]:
    """Width and height at which pictures of `width` x `height` are kept: the same shape, longer side LONG_SIDE."""
    scale = LONG_SIDE / max(width, height)
    return max(16, round(width * scale)), max(16, round(height * scale))


def kept_picture(luma: Image) -> Image:
    """Brightness (height, width) at the size at which it is kept, averaged over areas.

    Large pictures are halved first, which costs a third of one step and is the same to within a grey level.
    """
    size = kept_size(luma.shape[1], luma.shape[0])
    while max(luma.shape) >= 4 * LONG_SIDE:
        rows, columns = luma.shape[0] // 2, luma.shape[1] // 2
        luma = np.asarray(
            cv2.resize(luma[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA),
            np.uint8,
        )
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


class RecentPictures:
    """The last SPAN_S seconds of low-resolution brightness; bounded."""

    def __init__(self) -> None:
        self._pictures: deque[tuple[float, Image]] = deque(maxlen=_MOST_PICTURES)

    def add(self, time_s: float, picture: Image) -> None:
        """Append a picture. A hole in time, a clock that went back or another size begins anew."""
        if self._pictures:
            before_s, before = self._pictures[-1]
            if not 0.0 < time_s - before_s <= _LONGEST_GAP_S or before.shape != picture.shape:
                self._pictures.clear()
        self._pictures.append((time_s, picture))
        while time_s - self._pictures[0][0] > SPAN_S:
            self._pictures.popleft()

    def clear(self) -> None:
        """Forget all."""
        self._pictures.clear()

    def window(self, where: Where = "all") -> Window | None:
        """The window that ends now; None while there are fewer than SHORTEST_SPAN_S seconds, or fewer pictures in them
        than LEAST_RATE_HZ a second.
        """
        if len(self._pictures) < 4:
            return None
        times = np.array([time_s for time_s, _ in self._pictures])
        step_s = float(np.median(np.diff(times)))
        if too_few(1.0 / step_s):
            return None
        span_s = min(SPAN_S, float(times[-1] - times[0]) + step_s)
        if span_s < SHORTEST_SPAN_S - 1e-6:
            return None
        return cut_window(np.stack([picture for _, picture in self._pictures]), times, span_s, where)


def too_few(rate_hz: float) -> bool:
    """Whether so many pictures a second are too few to judge fights, measured to a twentieth."""
    return rate_hz < 0.95 * LEAST_RATE_HZ


def steps(times: NDArray[np.float64], span_s: float) -> NDArray[np.intp]:
    """Which picture each of STEPS instants shows: the latest one by then.

    times: (N,) seconds, rising. The instants divide the `span_s` seconds up to the end of the last picture.
    """
    end_s = times[-1] + np.median(np.diff(times))
    wanted = end_s - span_s + span_s / STEPS * (np.arange(STEPS) + 0.5)
    return np.asarray(np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 1), np.intp)


def motion_map(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much it moves where: mean absolute difference of successive `pictures` (N, height, width) above the
    noise, smoothed; (height, width)."""
    total = np.zeros(pictures.shape[1:], dtype=np.float32)
    for before, now in pairwise(pictures):
        total += np.maximum(cv2.absdiff(before, now).astype(np.float32) - _NOISE, 0.0)
    smooth = cv2.GaussianBlur(total / max(1, len(pictures) - 1), (0, 0), 3.0)
    return np.asarray(smooth, dtype=np.float32)


def moving_part(motion: NDArray[np.float32], where: Where) -> Region:
    """Where it moves: the box around all motion, or around the connected part that moves most; the whole picture
    where nothing moves.

    Motion within some `_REACH` pixels is connected, and what is weaker than `_WEAK` of the strongest connects
    nothing. The box leaves `_TAIL` of the motion outside on each side.
    """
    if where == "most":
        motion = _strongest(motion)
    height, width = motion.shape
    total = float(motion.sum())
    if total < 1e-3:
        return Region(0, 0, width, height)
    across = np.cumsum(motion.sum(axis=0)) / total
    down = np.cumsum(motion.sum(axis=1)) / total
    tail = _TAIL[where]
    return Region(
        int(np.searchsorted(across, tail)),
        int(np.searchsorted(down, tail)),
        min(width, int(np.searchsorted(across, 1.0 - tail)) + 1),
        min(height, int(np.searchsorted(down, 1.0 - tail)) + 1),
    )


def _strongest(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """`motion` without all that is not connected to where most of it is."""
    spread = np.asarray(cv2.GaussianBlur(motion, (0, 0), _REACH), dtype=np.float32)
    count, labels = cv2.connectedComponents((spread > _WEAK * float(spread.max())).astype(np.uint8))
    amounts = np.bincount(labels.ravel(), motion.ravel(), count)
    amounts[0] = 0.0
    return np.where(labels == int(amounts.argmax()), motion, np.float32(0.0))


def square_around(part: Region, width: int, height: int, *, margin: float, least: float = LEAST) -> Region:
    """A square around `part`, with a margin, inside a picture of `width` x `height` (cut where it is larger)."""
    side = max((part.right - part.left) * margin, (part.bottom - part.top) * margin, least * height)
    side = min(side, float(max(width, height)))
    across, down = min(side, float(width)), min(side, float(height))
    left = min(max((part.left + part.right) / 2 - across / 2, 0.0), width - across)
    top = min(max((part.top + part.bottom) / 2 - down / 2, 0.0), height - down)
    return Region(int(left), int(top), round(left + across), round(top + down))


def cut_out(pictures: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """`region` of each of `pictures` (N, height, width), as (N, SIDE, SIDE)."""
    parts = pictures[:, region.top : region.bottom, region.left : region.right]
    way = cv2.INTER_AREA if parts.shape[2] > SIDE else cv2.INTER_LINEAR
    return np.stack(
        [np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=way), np.uint8) for part in parts]
    )


def cut_window(
    pictures: NDArray[np.uint8], times: NDArray[np.float64], span_s: float, where: Where
) -> Window:
    """The window over the last `span_s` seconds of `pictures` (N, height, width), shown at `times` (N,)."""
    chosen = steps(times, span_s)
    shown, back = np.unique(chosen, return_inverse=True)
    pictures = pictures[shown]
    height, width = pictures.shape[1:]
    moving = moving_part(motion_map(pictures), where)
    region = square_around(moving, width, height, margin=MARGIN[where])
    return Window(
        pictures=cut_out(pictures, region)[back],
        region=_normalised(region, width, height),
        moving=_normalised(moving, width, height),
    )


def _normalised(region: Region, width: int, height: int) -> tuple[float, float, float, float]:
    return region.left / width, region.top / height, region.right / width, region.bottom / height
