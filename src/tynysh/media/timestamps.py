"""When is a picture shown, if the stream's own timestamps jump, repeat, run backwards or are missing?"""

from collections import deque
from math import inf
from statistics import median
from typing import NamedTuple

from tynysh.media.arrivals import Arrivals

_REORDER_PICTURES, _REORDER_S = 17, 0.5
_STREAK = 3
_LEAD_PICTURES = 4
_REMEMBERED = 32
_JUMP_S = 10.0
"""A longer pause is taken for a jump unless arrival times, or a file's length, confirm it."""
_LONGEST_PAUSE_S = 86400.0
"""No file's length confirms a longer one: a clock was set."""

_EARLY_S = 1.0
_LATE_S = 1.5
"""How far times may be from when pictures arrive: ahead of it at all, and behind it for long."""

_DRIFT_RATE, _MOST_DRIFT_RATE = 0.02, 0.5
_DRIFT_S = 0.3
_CATCH_UP_S = 4.0
_APART_S = 0.001
_PACE_PICTURES, _UNEVEN_S = 50, 0.5


class Stamp(NamedTuple):
    """Mended times of one packet, seconds: when it is shown, and when it is decoded (strictly increasing)."""

    time_s: float
    decode_time_s: float


class TimestampMender:
    """Turns a stream's timestamps, in order of decoding, into times that a clock could show.

    A single stamp that repeats or falls back is moved between its neighbours; a stream that goes on from
    another origin (a jump, a restarted camera, a wrapped counter) is joined where it left off, one interval
    later. Where arrival times are given (live), a pause that the wall clock confirms stays a pause, and the
    drift of a camera's clock against ours is followed, by 2 % fast or slow and by more where they are more than 0.3 s
    apart. Times stay near arrival whatever the stamps are: what would be shown a second before it came, or even the
    promptest more than 1.5 s after it, is moved there, and where stamps are not to be believed (`Arrivals`),
    pictures are shown as they come.

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
        self._last_raw: float | None = None
        self._pace_s = interval_s
        self._last_arrival: float | None = None
        self._streak = 0
        self._without_dts = 0
        self._shown: deque[float] = deque(maxlen=_REMEMBERED)
        self._arrivals = Arrivals()

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
        self._last_raw = None
        self._streak = 0
        self._without_dts = 0
        self._arrivals = Arrivals()

    def mend(self, pts_s: float | None, dts_s: float | None, arrival_s: float | None = None) -> Stamp:
        """The times of the next packet in order of decoding.

        pts_s, dts_s: what the stream says, seconds, or None. arrival_s: when it arrived, on the clock that
        `start_s` was read from; None for files.
        """
        # Without a decoding time, a picture is taken to be decoded a little before it is shown.
        raw = dts_s if dts_s is not None or pts_s is None else pts_s - _LEAD_PICTURES * self.interval_s
        self._without_dts = _REORDER_PICTURES if dts_s is None else max(0, self._without_dts - 1)
        mended_before = self.mended
        if self._last is None:
            stamp = self._begin(pts_s, raw)
        elif arrival_s is not None and not self._arrivals.believed:
            stamp = self._as_it_came(raw, pts_s, dts_s, self._last, arrival_s)
        elif raw is None:
            self.mended += 1
            decode = self._last.decode_time_s + self.interval_s
            stamp = Stamp(self._unused(decode, counted=True), decode)
        else:
            if self._offset is None:
                self._offset = self._last.decode_time_s + self.interval_s - raw
            stamp = self._continue(raw, pts_s, self._offset, self._last, arrival_s)
        if arrival_s is not None:
            self._arrivals.observe(raw, arrival_s, usable=self.mended == mended_before)
            self._follow(stamp)
        self._last = stamp
        self._last_raw = raw
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
        return max(_REORDER_PICTURES * self.interval_s, _REORDER_S)

    def _continue(
        self, raw: float, pts_s: float | None, offset: float, last: Stamp, arrival_s: float | None
    ) -> Stamp:
        interval = self.interval_s
        decode = raw + offset
        step = decode - last.decode_time_s
        counted = False
        if self._is_jump(step, decode, arrival_s):
            self._arrivals.joined(last.decode_time_s + interval - decode)
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
                self._arrivals.joined(last.decode_time_s + interval - decode)
                offset += last.decode_time_s + interval - decode
                decode = last.decode_time_s + interval
                self._streak = 0
            else:
                decode = last.decode_time_s + interval / 4
        else:
            self._streak = 0
            # A stamp that counts whole seconds tells nothing of the time between pictures.
            if step < _JUMP_S and step <= 2 * self._waited_s(arrival_s) + 0.2:
                self._steps.append(step)
        if arrival_s is not None and decode > arrival_s + _EARLY_S:
            counted = counted or not self._arrivals.moved
            self._arrivals.moved = True
            decode = max(arrival_s, last.decode_time_s + _APART_S)
            offset = decode - raw
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
        waited = self._waited_s(arrival_s)
        if waited < inf:
            limit = waited + min(limit, 2.0) + self._reorder_s
        elif self._span_s is not None and decode - self._start_s <= self._span_s:
            limit = max(limit, _LONGEST_PAUSE_S)
        return step > limit or step < -1.0

    def _waited_s(self, arrival_s: float | None) -> float:
        """For how long this picture was waited for; for ever where that is not known."""
        return inf if arrival_s is None or self._last_arrival is None else arrival_s - self._last_arrival

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

    def _as_it_came(
        self, raw: float | None, pts_s: float | None, dts_s: float | None, last: Stamp, arrival_s: float
    ) -> Stamp:
        """The times of a picture whose stamps are not believed: of its arrival, in the order in which it is shown."""
        usable = raw is not None and self._last_raw is not None and raw > self._last_raw
        if usable and raw is not None:
            usable = not self._is_jump(raw - (self._last_raw or 0.0), raw, arrival_s)
        self.mended += not usable
        waited = self._waited_s(arrival_s)
        self._pace_s += (min(waited, _JUMP_S) - self._pace_s) / _PACE_PICTURES
        # Evenly, for pictures come in bunches, or while something else has the machine; never far from their arrival.
        even = last.decode_time_s + self._pace_s
        decode = even + (arrival_s - even) / 8 if abs(arrival_s - even) < _UNEVEN_S else arrival_s
        decode = max(decode, last.decode_time_s + _APART_S)
        ahead = pts_s - dts_s if pts_s is not None and dts_s is not None else 0.0
        shown = decode + ahead if 0 <= ahead <= _REORDER_S else decode
        while shown in self._shown:
            shown += _APART_S
        return Stamp(shown, decode)

    def _follow(self, stamp: Stamp) -> None:
        """Keep the offset such that the promptest pictures are shown when they arrive."""
        prompt = self._arrivals.offset_s
        if prompt is None or self._last is None:
            return
        if self._offset is None or not self._arrivals.believed:
            self._offset = prompt
            return
        late = prompt - self._offset
        if late > _LATE_S:
            self._arrivals.moved = True
            self.mended += 1
            self._offset = prompt
            return
        rate = min(_DRIFT_RATE + max(0.0, abs(late) - _DRIFT_S) / _CATCH_UP_S, _MOST_DRIFT_RATE)
        room = rate * max(0.0, stamp.decode_time_s - self._last.decode_time_s)
        self._offset += min(max(late, -room), room)
