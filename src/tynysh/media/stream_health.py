"""How does a stream arrive: does it keep time, and how much comes?"""

import dataclasses
from collections import deque
from dataclasses import dataclass

_WINDOW_S = 4.0
_SHORT_S = 3.0
_LEAST_S = 3.0


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """What is measured of a stream, for whoever knows what is usual.

    connected_s: seconds of the stream since it was opened. silent_s: seconds since the last packet came.
    mended: how many timestamps were not as a clock could show them, since the beginning.
    clock_rate: seconds that the stream's own clock went forward in one of ours, of late; None while that is not
        known, and for files, which come as fast as they are read.
    clock_ahead_s: how far the source's own clock is ahead of ours, where it tells; below zero where it is behind.
    keys: key frames so far. key_bytes: size of the latest. between_bytes_s: bytes a second between key frames over
        the last three seconds; None for streams of key frames alone and while that is not known.
    """

    connected_s: float
    silent_s: float
    mended: int
    clock_rate: float | None
    keys: int
    key_bytes: int
    between_bytes_s: float | None
    clock_ahead_s: float | None = None


class StreamMeter:
    """Measures one stream packet by packet; times are passed in. Bounded in memory by a few seconds of packets.

    Written to by one thread; `health` may be asked for by another.
    """

    def __init__(self) -> None:
        self._keys = 0
        self._key_bytes = 0
        self._latest: deque[tuple[float, float | None, int]] = deque()
        self._between = 0
        self._began_s: float | None = None
        self._measured: StreamHealth | None = None
        self._came_s = 0.0
        self._clock_ahead_s: float | None = None

    def reconnect(self) -> None:
        """The stream is opened anew; its clock may begin anywhere."""
        self._latest.clear()
        self._between = 0
        self._began_s = None
        self._measured = None
        self._clock_ahead_s = None

    def observe(
        self,
        came_s: float,
        stamp_s: float | None,
        size: int,
        *,
        is_key: bool,
        mended: int = 0,
        clock_ahead_s: float | None = None,
    ) -> None:
        """Take the next packet: when it came, what the stream's clock says (None where it is not to be compared), its
        size in bytes, how many stamps were mended up to now, and how far the source's clock is ahead, if it tells.
        """
        if self._latest and came_s < self._latest[-1][0]:
            self.reconnect()
        if self._began_s is None:
            self._began_s = came_s
        if is_key:
            self._keys += 1
            self._key_bytes = size
        between = 0 if is_key else size
        self._latest.append((came_s, stamp_s, between))
        self._between += between
        while came_s - self._latest[0][0] > _WINDOW_S:
            self._between -= self._latest.popleft()[2]
        first_s, first_stamp_s, _ = self._latest[0]
        span_s = came_s - first_s
        rate = None
        if span_s >= _LEAST_S and stamp_s is not None and first_stamp_s is not None:
            rate = (stamp_s - first_stamp_s) / span_s
        known = span_s >= _SHORT_S and self._between > 0
        self._came_s = came_s
        self._clock_ahead_s = self._clock_ahead_s if clock_ahead_s is None else clock_ahead_s
        self._measured = StreamHealth(
            connected_s=came_s - self._began_s,
            silent_s=0.0,
            mended=mended,
            clock_rate=rate,
            keys=self._keys,
            key_bytes=self._key_bytes,
            between_bytes_s=self._between / span_s if known else None,
            clock_ahead_s=self._clock_ahead_s,
        )

    def health(self, now_s: float) -> StreamHealth | None:
        """What is measured up to `now_s`, on the clock of arrivals; None before the first packet of a connection."""
        measured = self._measured
        if measured is None:
            return None
        return dataclasses.replace(measured, silent_s=max(0.0, now_s - self._came_s))
