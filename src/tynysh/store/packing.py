"""How are minutes of crowd figures kept in few bytes?

A pack is one byte of version and a stream, compressed by LZMA where it is of more than a few minutes. In the stream
stand the columns one after the other, so that like stands by like: whole numbers in steps of `_STEPS`; what one column
tells of another (the mean of the band, of the highest and, where the area is known, of the density) taken off by the
straight line that fits best; differences over time where a figure wanders; and of each column first all low bytes, then
all high ones. Columns without any figure cost a bit. Quiet nights come to a few bytes.
"""

import lzma
import struct

import numpy as np
from numpy.typing import NDArray

from tynysh.crowd.minutes import Measure, Minutes
from tynysh.errors import StoreError

_PLAIN, _COMPRESSED = 1, 2
_WORTH_MIN = 30
_HEAD = struct.Struct("<qHH")
_FILTERS = [{"id": lzma.FILTER_LZMA1, "preset": 6, "dict_size": 1 << 16, "lc": 0, "lp": 0, "pb": 0}]

_STEPS = {
    Measure.SEEN: 1.0,
    Measure.COUNT: 0.1,
    Measure.LOW: 0.1,
    Measure.HIGH: 0.1,
    Measure.MOST: 0.1,
    Measure.ROUGH: 0.05,
    Measure.DENSITY: 0.01,
    Measure.DENSEST: 0.01,
    Measure.SPEED: 0.05,
    Measure.PRESSURE: 0.001,
    Measure.INS: 1.0,
    Measure.OUTS: 1.0,
}
"""To what each figure is rounded."""

_PREDICTED_BY = {
    Measure.LOW: Measure.COUNT,
    Measure.HIGH: Measure.COUNT,
    Measure.MOST: Measure.COUNT,
    Measure.DENSITY: Measure.COUNT,
    Measure.DENSEST: Measure.MOST,
}
_WANDERS = (Measure.COUNT, Measure.SPEED)
_LINE = struct.Struct("<ii")
_FRACTION = 1 << 16
_STEEPEST = (1 << 31) - 1


def pack(minutes: Minutes) -> bytes:
    """At least one minute and at most 65,535 of them, in few bytes."""
    steps = _whole(minutes.figures)
    kept = [figure for figure in Measure if steps[:, figure].any()]
    columns = [_bytes(np.diff(minutes.at, prepend=minutes.at[0]))]
    for figure in kept:
        column = steps[:, figure]
        if figure in _PREDICTED_BY:
            predictor = steps[:, _PREDICTED_BY[figure]]
            line = _fitting(predictor, column)
            columns += [_LINE.pack(*line), _bytes(column - _predicted(line, predictor))]
        else:
            columns.append(_bytes(np.diff(column, prepend=0) if figure in _WANDERS else column))
    head = _HEAD.pack(int(minutes.at[0]), len(minutes.at), sum(1 << figure for figure in kept))
    stream = head + b"".join(columns)
    if len(minutes.at) < _WORTH_MIN:
        return bytes([_PLAIN]) + stream
    return bytes([_COMPRESSED]) + lzma.compress(stream, lzma.FORMAT_RAW, filters=_FILTERS)


def unpack(packed: bytes) -> Minutes:
    """What `pack` was given, rounded to its steps. Raises StoreError where these are not such bytes."""
    try:
        if packed[0] not in {_PLAIN, _COMPRESSED}:
            raise StoreError(
                f"A block of crowd history is of version {packed[0]}, which this version of Tynysh cannot read.",
                hint="Install the version that wrote it, or a later one.",
            )
        raw = packed[1:]
        if packed[0] == _COMPRESSED:
            raw = lzma.decompress(raw, lzma.FORMAT_RAW, filters=_FILTERS)
        begin, number, mask = _HEAD.unpack_from(raw)
        reading = _Reading(raw, _HEAD.size, number)
        at = begin + np.cumsum(reading.column())
        steps = np.zeros((number, len(Measure)), np.int64)
        for figure in (figure for figure in Measure if mask >> figure & 1):
            if figure in _PREDICTED_BY:
                line = reading.line()
                steps[:, figure] = reading.column() + _predicted(line, steps[:, _PREDICTED_BY[figure]])
            else:
                column = reading.column()
                steps[:, figure] = np.cumsum(column) if figure in _WANDERS else column
    except (lzma.LZMAError, struct.error, IndexError, ValueError, EOFError) as error:
        raise StoreError(
            "A block of crowd history is damaged.", hint="Restore the database from a backup."
        ) from error
    scale = np.array([_STEPS[figure] for figure in Measure])
    return Minutes(at, np.where(steps > 0, (steps - 1) * scale, np.nan))


def _whole(figures: NDArray[np.float64]) -> NDArray[np.int64]:
    """Figures in steps, plus one: 0 stands for a figure that is not known."""
    scale = np.array([_STEPS[figure] for figure in Measure])
    steps: NDArray[np.int64] = np.where(np.isnan(figures), 0, np.rint(figures / scale) + 1).astype(np.int64)
    return steps


def _bytes(column: NDArray[np.int64]) -> bytes:
    """Small numbers of either sign near zero (zigzag), all low bytes first; how many bytes each takes, before them."""
    folded = ((column << 1) ^ (column >> 63)).astype("<u4")
    width = max(1, (int(folded.max()).bit_length() + 7) // 8)
    return bytes([width]) + folded.view(np.uint8).reshape(-1, 4)[:, :width].T.tobytes()


class _Reading:
    """A stream that is read column by column, each of `number` numbers."""

    def __init__(self, raw: bytes, at: int, number: int) -> None:
        self._raw = raw
        self._at = at
        self._number = number

    def line(self) -> tuple[int, int]:
        """A straight line."""
        slope, offset = _LINE.unpack_from(self._raw, self._at)
        self._at += _LINE.size
        return slope, offset

    def column(self) -> NDArray[np.int64]:
        """The inverse of `_bytes`."""
        width, number = self._raw[self._at], self._number
        planes = np.frombuffer(self._raw, np.uint8, width * number, self._at + 1).reshape(width, number)
        folded: NDArray[np.int64] = (planes.astype(np.int64) << (8 * np.arange(width))[:, None]).sum(axis=0)
        self._at += 1 + width * number
        return (folded >> 1) ^ -(folded & 1)


def _fitting(predictor: NDArray[np.int64], column: NDArray[np.int64]) -> tuple[int, int]:
    """Slope and offset, in parts of `_FRACTION`, of the straight line that tells most of `column` (least squares)."""
    both = (predictor > 0) & (column > 0)
    if not both.any():
        return (0, 0)
    x, y = predictor[both].astype(float), column[both].astype(float)
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread else 0.0
    found = (slope, y.mean() - slope * x.mean())
    first, second = (int(np.clip(round(each * _FRACTION), -_STEEPEST, _STEEPEST)) for each in found)
    return (first, second)


def _predicted(line: tuple[int, int], predictor: NDArray[np.int64]) -> NDArray[np.int64]:
    """What `line` makes of a column; nothing where that is not known. In whole numbers, the same on any machine."""
    slope, offset = line
    predicted: NDArray[np.int64] = (slope * predictor + offset + _FRACTION // 2) // _FRACTION
    return np.where(predictor > 0, predicted, 0)
