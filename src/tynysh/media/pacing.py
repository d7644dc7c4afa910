"""When is a picture due, if many seconds of them come at once?"""

_EARLY_S = 5.0
_LATE_S = 1.0


class Pacer:
    """Spreads the pictures of segments (HLS) over the time that they show.

    The first is due when it came. A picture that is late for its time is due at once; where the stream falls behind,
    or goes on from elsewhere, it is begun anew.
    """

    def __init__(self) -> None:
        self._origin_s: float | None = None

    def due_s(self, stamp_s: float | None, now_s: float) -> float:
        """When the picture is due that came `now_s` and has `stamp_s` on the stream's clock, seconds.

        >>> pacer = Pacer()
        >>> [pacer.due_s(stamp_s, now_s) for stamp_s, now_s in [(90.0, 5.0), (90.5, 5.1), (91.0, 7.5), (20.0, 8.0)]]
        [5.0, 5.5, 7.5, 8.0]
        """
        if stamp_s is None:
            return now_s
        if self._origin_s is None or not -_LATE_S <= self._origin_s + stamp_s - now_s <= _EARLY_S:
            self._origin_s = now_s - stamp_s
        return self._origin_s + stamp_s
