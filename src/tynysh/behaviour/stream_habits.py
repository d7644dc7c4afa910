"""Does a stream keep time, and does as much arrive as usual?"""

from collections import deque

from tynysh.media.stream_health import StreamHealth

SETTLE_S = 5.0
"""A stream that was just opened may have to find its clock first."""

STAMPS_S = 5.0
MOST_MENDED = 3
"""So many wrong timestamps in five seconds are no accident."""

RATE_ERROR = 0.2
"""A clock that goes by a fifth too fast or too slow is wrong; jitter of the line makes less over four seconds."""

CLOCK_ERROR_S = 120.0
ZONE_S, MOST_ZONE_S = 900.0, 14 * 3600.0
"""Many cameras tell the local time for UTC: what differs by a time zone is right."""

LEAST_KEYS, MOST_KEYS = 6, 32
LEAST_RATES, MOST_RATES = 8, 100
RATE_EVERY_S = 3.0
KEY_SHARE = 0.25
BETWEEN_SHARE = 0.1
NEW_HABIT_S = 120.0
"""What has been so for two minutes is usual from then on: somebody has set the camera so."""


class StreamHabits:
    """Learns how much one camera's stream usually carries; depends on the figures and their times alone.

    Bit rates of cameras vary by a factor of ten with what moves, so they are not compared as such. Collapsed is a
    stream whose latest key frame has less than a quarter of the least size known of late although something moves, or
    one in which less than a tenth of the least ever known comes between key frames although it does. A still scene may
    get as cheap as its encoder likes: that is a habit, too.
    """

    def __init__(self) -> None:
        self._mended: deque[tuple[float, int]] = deque()
        self._keys: deque[int] = deque(maxlen=MOST_KEYS)
        self._known_keys = 0
        self._rates: deque[float] = deque(maxlen=MOST_RATES)
        self._rated_s = float("-inf")
        self._fallen_s: float | None = None

    def timestamps_wrong(self, stream: StreamHealth, time_s: float) -> bool:
        """Whether the stream's own times jump, repeat, run backwards, or go too fast or too slow."""
        if self._mended and (time_s < self._mended[-1][0] or stream.mended < self._mended[-1][1]):
            self._mended.clear()
        self._mended.append((time_s, stream.mended))
        while time_s - self._mended[0][0] > STAMPS_S:
            self._mended.popleft()
        if stream.connected_s < SETTLE_S:
            self._mended.clear()
            return False
        jumps = stream.mended - self._mended[0][1] >= MOST_MENDED
        return jumps or (stream.clock_rate is not None and abs(stream.clock_rate - 1.0) > RATE_ERROR)

    @staticmethod
    def clock_wrong(stream: StreamHealth) -> bool:
        """Whether the camera's own clock says another time than ours."""
        ahead_s = stream.clock_ahead_s
        if ahead_s is None:
            return False
        if abs(ahead_s) < MOST_ZONE_S + CLOCK_ERROR_S:
            ahead_s -= round(ahead_s / ZONE_S) * ZONE_S
        return abs(ahead_s) > CLOCK_ERROR_S

    def collapsed(self, stream: StreamHealth, time_s: float, *, moving: bool, dimmed: bool) -> bool:
        """Whether far less arrives than usual. moving: whether something moves in the picture. dimmed: whether its
        contrast fell, so that less is rightly said of it.
        """
        if dimmed:
            self._keys.clear()
            self._rates.clear()
        fallen = self._key_fell(stream, moving=moving) or self._rest_fell(stream, time_s, moving=moving)
        if not fallen:
            self._fallen_s = None
        elif self._fallen_s is None:
            self._fallen_s = time_s
        elif time_s - self._fallen_s > NEW_HABIT_S:
            self._keys.clear()
            self._rates.clear()
        return fallen

    def _key_fell(self, stream: StreamHealth, *, moving: bool) -> bool:
        known = len(self._keys) >= LEAST_KEYS
        fell = known and moving and stream.key_bytes < KEY_SHARE * min(self._keys)
        if stream.keys != self._known_keys and not fell:
            self._keys.append(stream.key_bytes)
        self._known_keys = stream.keys
        return fell

    def _rest_fell(self, stream: StreamHealth, time_s: float, *, moving: bool) -> bool:
        rate = stream.between_bytes_s
        if rate is None:
            return False
        known = len(self._rates) >= LEAST_RATES
        fell = known and moving and rate < BETWEEN_SHARE * min(self._rates)
        if not fell and not 0.0 <= time_s - self._rated_s < RATE_EVERY_S:
            self._rates.append(rate)
            self._rated_s = time_s
        return fell
