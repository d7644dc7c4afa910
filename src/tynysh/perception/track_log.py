"""Who was where on every frame of a file, in MOTChallenge's format."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tynysh.geometry import Box
from tynysh.scene.track import Track

_LEAST_SPREAD = 0.01
"""Heights by which boxes of a person in full view jitter: smaller residuals are no outliers."""


class TrackLogSettings(BaseModel):
    """What is written of the tracks of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_looks: int = Field(
        default=3, ge=1, description="Tracks found by fewer looks of the detector are left out."
    )
    minimum_score: float = Field(
        default=0.4, ge=0, le=1, description="Tracks of a lower score on average are left out."
    )
    longest_gap_s: float = Field(
        default=5.0,
        gt=0,
        description="Seconds between two looks that found someone, over which they are filled in.",
    )
    smoothing_s: float = Field(
        default=0.6,
        ge=0,
        description="Seconds before and after over which boxes are smoothed, so that one cut short by a post or by "
        "someone in front is mended from those around it. 0 switches it off.",
    )
    smallest_height: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="People whose height, in the middle of their track, is a smaller part of the picture's are left "
        "out: MOTChallenge does not label those in the far background.",
    )
    smallest_part: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="Boxes of which less than this part is in the picture are left out.",
    )


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log: frame from 1, box in pixels."""

    frame: int
    id: int
    box: Box
    score: float

    def __str__(self) -> str:
        left, top = self.box.left, self.box.top
        return (
            f"{self.frame},{self.id},{left:.2f},{top:.2f},{self.box.width:.2f},{self.box.height:.2f},"
            f"{self.score:.3f},-1,-1,-1"
        )


@dataclass(slots=True)
class _LoggedTrack:
    """The looks that found one person: times in seconds, boxes as (left, top, right, bottom), scores."""

    times: list[float] = field(default_factory=list)
    boxes: list[Sequence[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


class TrackLog:
    """Collects the tracks of one file and writes one line per person and frame.

    Only boxes that the detector confirmed are kept; between two of them the box is interpolated, over the frames
    on which the detector rested and over short occlusions. A person is taken to have come half-way between the
    look before the first that found them and that one, and to have gone likewise. Since the log is written at the
    end it may leave out tracks that came to nothing.

    >>> log = TrackLog(100, 100)
    >>> for n in range(3):
    ...     track = Track(1, Box(10 + 2 * n, 10, 20 + 2 * n, 40), 0.9, (0, 0), 0.0, n * 0.2)
    ...     log.observe(2 * n, n * 0.2, [track], looked=True)
    >>> print(next(log.lines(frame_count=5)))
    1,1,10.00,10.00,10.00,30.00,0.900,-1,-1,-1
    """

    def __init__(self, width: int, height: int, settings: TrackLogSettings | None = None) -> None:
        self._width, self._height = width, height
        self._settings = settings or TrackLogSettings()
        self._frames: list[int] = []
        self._frame_times: list[float] = []
        self._looks: list[float] = []
        self._paths: dict[int, _LoggedTrack] = {}

    def observe(self, index: int, time_s: float, tracks: Iterable[Track], *, looked: bool) -> None:
        """Take in the tracks of frame `index` (from 0) at `time_s`; `looked`: whether the detector did.

        Frames come in order; those that were not analysed may be left out.
        """
        self._frames.append(index)
        self._frame_times.append(time_s)
        if not looked:
            return
        self._looks.append(time_s)
        for track in tracks:
            if not track.seen(time_s):
                continue
            path = self._paths.get(track.id)
            if path is None:
                path = self._paths[track.id] = _LoggedTrack()
                if track.born_s < time_s:
                    self._begin(path, track, time_s)
            path.times.append(time_s)
            path.boxes.append(track.box)
            path.scores.append(track.score)

    def entries(self, frame_count: int) -> list[LogEntry]:
        """The log of a file of `frame_count` frames, by frame, then by id."""
        if not self._looks:
            return []
        times = np.interp(np.arange(frame_count), self._frames, self._frame_times)
        entries = [
            entry
            for number, path in sorted(self._paths.items())
            if self._counts(path)
            for entry in self._filled(number, path, times)
        ]
        return sorted(entries, key=lambda entry: (entry.frame, entry.id))

    def lines(self, frame_count: int) -> Iterator[str]:
        """`entries` as lines of MOTChallenge text (Leal-Taixé et al., MOTChallenge 2015), without line ends."""
        return map(str, self.entries(frame_count))

    @staticmethod
    def _begin(path: _LoggedTrack, track: Track, time_s: float) -> None:
        """The look that found the person first, before the track counted: its box from the velocity since."""
        moved_x, moved_y = (speed * (time_s - track.born_s) for speed in track.velocity)
        box = track.box
        path.times.append(track.born_s)
        path.boxes.append((box.left - moved_x, box.top - moved_y, box.right - moved_x, box.bottom - moved_y))
        path.scores.append(track.score)

    def _counts(self, path: _LoggedTrack) -> bool:
        settings = self._settings
        boxes = np.array(path.boxes)
        return bool(
            len(path.times) >= settings.minimum_looks
            and np.mean(path.scores) >= settings.minimum_score
            and np.median(boxes[:, 3] - boxes[:, 1]) >= settings.smallest_height * self._height
        )

    def _filled(self, number: int, path: _LoggedTrack, times: NDArray[np.float64]) -> Iterator[LogEntry]:
        looks = np.array(self._looks)
        knots = np.array(path.times)
        boxes = _smooth(knots, np.array(path.boxes), np.array(path.scores), self._settings.smoothing_s)
        first, last = np.searchsorted(looks, knots[0]), np.searchsorted(looks, knots[-1])
        begin = times[0] if first == 0 else (looks[first - 1] + knots[0]) / 2
        end = times[-1] if last + 1 >= len(looks) else (looks[last + 1] + knots[-1]) / 2
        for frame in np.flatnonzero((times >= begin) & (times <= end)).tolist():
            time_s = times[frame]
            after = int(np.searchsorted(knots, time_s))
            between = 0 < after < len(knots) and knots[after] > time_s
            if between and knots[after] - knots[after - 1] > self._settings.longest_gap_s:
                continue
            left, top, right, bottom = (float(np.interp(time_s, knots, boxes[:, side])) for side in range(4))
            whole = Box(left, top, right, bottom)
            shown = whole.clipped(self._width, self._height)
            if whole.area > 0 and shown.area >= self._settings.smallest_part * whole.area:
                score = float(np.interp(time_s, knots, path.scores))
                yield LogEntry(frame=frame + 1, id=number, box=shown, score=score)


def _smooth(
    times: NDArray[np.float64], boxes: NDArray[np.float64], scores: NDArray[np.float64], reach_s: float
) -> NDArray[np.float64]:
    """Boxes (N, 4) at `times` (N,) smoothed edge by edge, each by a line fitted to its neighbours within `reach_s`.

    Robust locally weighted regression (LOWESS: Cleveland, JASA 1979): tricube weights in time, two rounds of
    bisquare weights for the residuals, which are measured in heights; detections of low score weigh less. It
    begins with medians instead of least squares, since with few neighbours one bad box would spoil the fit.
    """
    if reach_s <= 0:
        return boxes
    smooth = boxes.copy()
    for index, time_s in enumerate(times):
        start, stop = np.searchsorted(times, [time_s - 1.01 * reach_s, time_s + 1.01 * reach_s])
        if stop - start < 3:
            continue
        offset, edges = times[start:stop] - time_s, boxes[start:stop]
        near = (1 - np.minimum(np.abs(offset) / reach_s, 1) ** 3) ** 3 * scores[start:stop]
        height = max(float(np.median(edges[:, 3] - edges[:, 1])), 1.0)
        level, slope = _robust_line(offset, edges)
        for _ in range(2):
            residual = np.abs(edges - level - slope * offset[:, None]) / height
            scale = 6 * np.maximum(np.median(residual, axis=0), _LEAST_SPREAD)
            weights = near[:, None] * ((1 - (residual / scale) ** 2).clip(0) ** 2 + 1e-6)
            level, slope = _line(offset, edges, weights)
        smooth[index] = level
    return smooth


def _robust_line(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each column of `y` (N, K) on `x` (N,): value at 0 and slope, each (K,), by the medians of Theil and Sen."""
    one, other = np.triu_indices(len(x), 1)
    slope = np.median((y[other] - y[one]) / (x[other] - x[one])[:, None], axis=0)
    return np.median(y - slope * x[:, None], axis=0), slope


def _line(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted least squares of each column of `y` (N, K) on `x` (N,): value at 0 and slope, each (K,)."""
    total = weights.sum(axis=0)
    mean_x = (weights * x[:, None]).sum(axis=0) / total
    mean_y = (weights * y).sum(axis=0) / total
    spread = (weights * (x[:, None] - mean_x) ** 2).sum(axis=0)
    shared = (weights * (x[:, None] - mean_x) * (y - mean_y)).sum(axis=0)
    slope = np.where(spread > 1e-9, shared / np.maximum(spread, 1e-9), 0.0)
    return mean_y - slope * mean_x, slope
