"""When is a picture shown, if the stream's own timestamps jump, repeat, run backwards or are missing?"""

from collections import deque
from statistics import median
from typing import NamedTuple

_REORDER_PICTURES = 17
_STREAK = 3
_LEAD_PICTURES = 4
_REMEMBERED = 32
_JUMP_S = 10.0
"""A longer pause is taken for a jump unless arrival times, or a file's length, confirm it."""
_LONGEST_PAUSE_S = 86400.0
"""No file's length confirms a longer one: a clock was set."""

_DRIFT_WINDOW_S = 10.0
_DRIFT_RATE = 0.02


class Stamp(NamedTuple):
    """Mended times of one packet, seconds: when it is shown, and when it is decoded (strictly increasing)."""

    time_s: float
    decode_time_s: float


class TimestampMender:
    """Turns a stream's timestamps, in order of decoding, into times that a clock could show.

    A single stamp that repeats or falls back is moved between its neighbours; a stream that goes on from
    another origin (a jump, a restarted camera, a wrapped counter) is joined where it left off, one interval
    later. Where arrival times are given (live), a pause that the wall clock confirms stays a pause, and the
    slow drift of a camera's clock against ours is followed, at most 2 % fast or slow.

    interval_s: nominal time between pictures, until the stream shows its own.
    start_s: the time of the first picture. span_s: how long the whole is, as a file's container tells, or None: a pause
    within it is a pause, too.

    mended: how many stamps were not as the stream gave them.
    """

    def __init__(
        self, *, interval_s: float = 0.04, start_s: float = 0.0, span_s: float | None = None
    ) -> None:
        self.mended = 0
        self._span_s = span_s
        self._start_s = start_s
        self._steps: deque[float] = deque([interval_s], maxlen=31)
        self._offset: float | None = None
        self._last: Stamp | None = None
        self._last_arrival: float | None = None
        self._streak = 0
        self._without_dts = 0
        self._shown: deque[float] = deque(maxlen=_REMEMBERED)
        self._lateness: float | None = None
        self._window_ends: float | None = None
        self._correction = 0.0

    @property
    def interval_s(self) -> float:
        """Time between pictures: the median of the latest steps."""
        return median(self._steps)

    def reconnect(self, start_s: float, interval_s: float) -> None:
        """Begin anew with a first picture shown at `start_s`, or after the last one if that is later."""
        self._start_s = start_s
        if self._last is not None:
            self._start_s = max(start_s, max(self._shown) + interval_s, self._last.decode_time_s + interval_s)
        self._steps = deque([interval_s], maxlen=31)
        self._offset = None
        self._last = None
        self._last_arrival = None
        self._streak = 0
        self._without_dts = 0
        self._lateness = None
        self._window_ends = None
        self._correction = 0.0

    def mend(self, pts_s: float | None, dts_s: float | None, arrival_s: float | None = None) -> Stamp:
        """The times of the next packet in order of decoding.

        pts_s, dts_s: what the stream says, seconds, or None. arrival_s: when it arrived, on the clock that
        `start_s` was read from; None for files.
        """
        # Without a decoding time, a picture is taken to be decoded a little before it is shown.
        raw = dts_s if dts_s is not None or pts_s is None else pts_s - _LEAD_PICTURES * self.interval_s
        self._without_dts = _REORDER_PICTURES if dts_s is None else max(0, self._without_dts - 1)
        if self._last is None:
            stamp = self._begin(pts_s, raw)
        elif raw is None:
            self.mended += 1
            decode = self._last.decode_time_s + self.interval_s
            stamp = Stamp(self._unused(decode, counted=True), decode)
        else:
            if self._offset is None:
                self._offset = self._last.decode_time_s + self.interval_s - raw
            stamp = self._continue(raw, pts_s, self._offset, self._last, arrival_s)
        if arrival_s is not None:
            self._follow(arrival_s, stamp)
        self._last = stamp
        self._last_arrival = arrival_s
        self._shown.append(stamp.time_s)
        return stamp

    def _begin(self, pts_s: float | None, raw: float | None) -> Stamp:
        if raw is None:
            self.mended += 1
            return Stamp(self._start_s, self._start_s)
        shown = pts_s if pts_s is not None and abs(pts_s - raw) <= self._reorder_s else raw
        self._offset = self._start_s - shown
        return Stamp(self._start_s, min(self._start_s, raw + self._offset))

    @property
    def _reorder_s(self) -> float:
        return max(_REORDER_PICTURES * self.interval_s, 0.5)

    def _continue(
        self, raw: float, pts_s: float | None, offset: float, last: Stamp, arrival_s: float | None
    ) -> Stamp:
        interval = self.interval_s
        decode = raw + offset
        step = decode - last.decode_time_s
        counted = False
        if self._is_jump(step, decode, arrival_s):
            offset += last.decode_time_s + interval - decode
            decode = last.decode_time_s + interval
            counted = True
        elif step <= 0 and self._without_dts and pts_s is not None and not self._is_shown(pts_s + offset):
            # Reordered pictures whose decoding times the container does not tell (yet).
            decode = last.decode_time_s + interval / 4
        elif step <= 0:
            self._streak += 1
            counted = True
            if self._streak >= _STREAK:
                offset += last.decode_time_s + interval - decode
                decode = last.decode_time_s + interval
                self._streak = 0
            else:
                decode = last.decode_time_s + interval / 4
        else:
            self._streak = 0
            if step < _JUMP_S:
                self._steps.append(step)
        self._offset = offset
        shown = decode if pts_s is None else pts_s + offset
        early = self._reorder_s if self._without_dts else interval / 2
        if not -early <= shown - decode <= self._reorder_s:
            counted = counted or pts_s is not None
            shown = decode
        if counted:
            self.mended += 1
        return Stamp(self._unused(shown, counted=counted), decode)

    def _is_jump(self, step: float, decode: float, arrival_s: float | None) -> bool:
        limit = max(_JUMP_S, 20 * self.interval_s)
        if arrival_s is not None and self._last_arrival is not None:
            waited = arrival_s - self._last_arrival
            return step > waited + min(limit, 2.0) + self._reorder_s or step < -1.0
        if self._span_s is not None and decode - self._start_s <= self._span_s:
            limit = max(limit, _LONGEST_PAUSE_S)
        return step > limit or step < -1.0

    def _unused(self, shown: float, *, counted: bool) -> float:
        """`shown`, moved on where a picture already has that time."""
        moved = shown
        while self._is_shown(moved):
            moved += self.interval_s / 4
        if moved != shown and not counted:
            self.mended += 1
        return moved

    def _is_shown(self, time_s: float) -> bool:
        nearest = self.interval_s / 16
        return any(abs(time_s - other) < nearest for other in self._shown)

    def _follow(self, arrival_s: float, stamp: Stamp) -> None:
        """Keep the offset such that the promptest picture of each window is shown when it arrives."""
        lateness = arrival_s - stamp.decode_time_s
        self._lateness = lateness if self._lateness is None else min(self._lateness, lateness)
        if self._window_ends is None:
            self._window_ends = arrival_s + _DRIFT_WINDOW_S
        elif arrival_s >= self._window_ends:
            self._correction = self._lateness
            self._lateness = None
            self._window_ends = arrival_s + _DRIFT_WINDOW_S
        if self._correction and self._last is not None and self._offset is not None:
            room = _DRIFT_RATE * max(0.0, stamp.decode_time_s - self._last.decode_time_s)
            change = min(max(self._correction, -room), room)
            self._offset += change
            self._correction -= change
