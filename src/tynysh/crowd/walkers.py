"""How fast, and where to, does each person walk?"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Floats
from tynysh.scene.ground import Ground
from tynysh.scene.walkers import Walkers

WINDOW_S = 1.6
"""Seconds over which a velocity is read: about three steps, so that the sway of a step does not count."""

SHORTEST_S = 0.45
LONGEST_GAP_S = 6.0
"""Looks further apart than this say nothing about how somebody went from one to the other."""

FORESHORTENING = 1.5
"""How much farther people walk than it looks, up and down the picture, where the ground is not known: as before a
camera that looks down by about 40 degrees."""

KEPT_S = 2.5
"""Somebody not seen for so long is forgotten."""


class VelocityEstimator:
    """The velocity of each person: the slope of the least-squares line through their feet of the last `WINDOW_S`.

    Feet are carried to the floor before the line is laid, so that a velocity is in metres wherever the ground is
    known. The last two looks count however far apart they are, up to `LONGEST_GAP_S`: where nothing moves the detector
    looks seldom.
    """

    def __init__(self) -> None:
        self._numbers = np.zeros(0, dtype=np.int64)
        self._times: deque[float] = deque()
        self._rows: deque[Floats] = deque()
        self._seen_s = np.zeros(0)

    def observe(
        self,
        time_s: float,
        numbers: NDArray[np.int64],
        feet: Floats,
        heights: Floats,
        seen: NDArray[np.bool_],
        *,
        ground: Ground | None,
        aspect: float,
    ) -> Walkers:
        """The people of a look at `time_s`: numbers (N,), feet (N, 2) normalised, heights (N,) of boxes, normalised.

        seen: (N,) whether each was found now; whoever is only carried forward adds nothing. aspect: width of the
        picture by its height.
        """
        self._align(time_s, numbers)
        column = _columns(self._numbers, numbers)
        row = np.full((len(self._numbers), 3), np.nan)
        row[column[seen], :2] = feet[seen]
        row[column[seen], 2] = heights[seen]
        self._seen_s[column[seen]] = time_s
        self._times.append(time_s)
        self._rows.append(row)
        while len(self._times) > 2 and self._times[0] < time_s - WINDOW_S:
            self._times.popleft()
            self._rows.popleft()
        times = np.array(self._times) - time_s
        past = np.stack(self._rows)[:, column]
        return self._walkers(times, past, numbers, feet, heights, ground, aspect)

    def _align(self, time_s: float, numbers: NDArray[np.int64]) -> None:
        """Columns for everybody of now and of the last seconds, in ascending order of their numbers."""
        if self._times and not 0.0 < time_s - self._times[-1] <= LONGEST_GAP_S:
            self._numbers, self._seen_s = self._numbers[:0], self._seen_s[:0]
            self._times.clear()
            self._rows.clear()
        recent = self._numbers[time_s - self._seen_s <= max(KEPT_S, self._gap_s(time_s))]
        union = np.union1d(recent, numbers)
        if len(union) == len(self._numbers) and (union == self._numbers).all():
            return
        old = np.isin(union, self._numbers)
        column = _columns(self._numbers, union[old])
        seen_s = np.full(len(union), time_s)
        seen_s[old] = self._seen_s[column]
        rows: deque[Floats] = deque()
        for row in self._rows:
            aligned = np.full((len(union), 3), np.nan)
            aligned[old] = row[column]
            rows.append(aligned)
        self._numbers, self._seen_s, self._rows = union, seen_s, rows

    def _gap_s(self, time_s: float) -> float:
        return time_s - self._times[-1] if self._times else 0.0

    @staticmethod
    def _walkers(
        times: Floats,
        past: Floats,
        numbers: NDArray[np.int64],
        feet: Floats,
        heights: Floats,
        ground: Ground | None,
        aspect: float,
    ) -> Walkers:
        in_picture = past[:, :, :2] * (aspect, 1.0)
        if ground is None:
            known = np.isfinite(past[:, :, 2])
            typical = np.where(known, past[:, :, 2], 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            walked = in_picture * (1.0, FORESHORTENING) / np.maximum(typical, 1e-6)[:, None]
            floor = np.full((len(feet), 2), np.nan)
        else:
            walked = ground.metres(past[:, :, :2].reshape(-1, 2)).reshape(*past.shape[:2], 2)
            floor = walked[-1].copy()
            carried = np.isnan(past[-1, :, 0])
            if carried.any():
                floor[carried] = ground.metres(feet[carried])
        slopes, scatter, noise = _slopes(times, in_picture, walked)
        heading = np.degrees(np.arctan2(slopes[:, 0], -slopes[:, 1])) % 360.0
        return Walkers(
            numbers, feet, heights, floor, slopes[:, 2:], heading, scatter, noise, ground is not None
        )


def _columns(sorted_numbers: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.searchsorted(sorted_numbers, wanted)


def _slopes(times: Floats, in_picture: Floats, walked: Floats) -> tuple[Floats, Floats, float]:
    """The slopes (N, 4) of lines through places (W, N, 2) at times (W,), in the picture and as they were walked, NaN
    where too little is known; the root mean square scatter (N,) of what was walked about them; and the variance of a
    component of a slope that the scatter makes, the median person's.
    """
    places = np.concatenate([in_picture, walked], axis=2)
    known = np.isfinite(places[:, :, 2])
    number = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (known * times[:, None]).sum(axis=0) / number
        offset = np.where(known, times[:, None] - middle, 0.0)
        filled = np.where(known[:, :, None], places, 0.0)
        spread = (offset**2).sum(axis=0)
        slope = (offset[:, :, None] * filled).sum(axis=0) / spread[:, None]
        centre = filled[:, :, 2:].sum(axis=0) / number[:, None]
        away = np.where(known[:, :, None], filled[:, :, 2:] - centre - offset[:, :, None] * slope[:, 2:], 0.0)
        variance = (away**2).sum(axis=(0, 2)) / (2 * (number - 2))
        doubt = variance / spread
    begun = np.where(known, times[:, None], np.inf).min(axis=0, initial=np.inf)
    ended = np.where(known, times[:, None], -np.inf).max(axis=0, initial=-np.inf)
    span = ended - begun
    # Of two places only those far enough apart that jitter does not matter; and nobody who was not seen lately.
    enough = (span >= SHORTEST_S) & ((number >= 3) | (span >= 1.0)) & (ended >= -SHORTEST_S)
    slope[~enough] = np.nan
    fitted = enough & (number >= 4)
    scatter = np.where(fitted, np.sqrt(np.where(fitted, variance, 0.0)), np.nan)
    return slope, scatter, float(np.median(doubt[fitted])) if fitted.any() else 0.0
