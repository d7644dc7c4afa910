"""Do a live stream's own times keep pace with when its pictures arrive, and may they be believed?"""

from collections import deque

_WINDOW_S = 2.0
_LEAST_PICTURES = 5
_WRONG, _WRONG_SHARE = 3, 0.2
_MOVES = 3
_PACE = 0.05
_GOOD_WINDOWS = 5


class Arrivals:
    """Compares stamps with arrivals over windows of two seconds or five pictures. The promptest picture of a window
    tells how stamps and clock lie to each other, for the line only ever delays.

    Stamps are not believed where more than a fifth of a window's are unusable, or times had to be moved in three of
    five windows; they are again once they kept pace within 5 % for five windows.

    believed: whether they are. moved: to be set where times had to be moved by much.
    """

    def __init__(self) -> None:
        self.believed = True
        self.moved = False
        self._moves: deque[bool] = deque(maxlen=5)
        self._before: float | None = None
        self._now: float | None = None
        self._ends_s: float | None = None
        self._pictures = 0
        self._wrong = 0
        self._good = 0

    @property
    def offset_s(self) -> float | None:
        """What to add to a stamp for the time at which it would have arrived promptly; None before that is known."""
        if self._before is None:
            return None
        return self._before if self._now is None else min(self._before, self._now)

    def joined(self, by_s: float) -> None:
        """The stream goes on from another origin: what is to be added to its stamps grew by `by_s`."""
        self._before = None if self._before is None else self._before + by_s
        self._now = None if self._now is None else self._now + by_s

    def observe(self, stamp_s: float | None, arrival_s: float, *, usable: bool) -> None:
        """Take the next packet: its stamp, when it arrived, and whether the stamp made sense."""
        if self._ends_s is None:
            self._ends_s = arrival_s + _WINDOW_S
        elif arrival_s >= self._ends_s and self._pictures >= _LEAST_PICTURES:
            self._judge()
            self._ends_s = arrival_s + _WINDOW_S
        self._pictures += 1
        self._wrong += not usable
        if stamp_s is not None:
            skew_s = arrival_s - stamp_s
            self._now = skew_s if self._now is None else min(self._now, skew_s)

    def _judge(self) -> None:
        wrong = self._wrong >= _WRONG and self._wrong > _WRONG_SHARE * self._pictures
        self._moves.append(self.moved)
        if wrong or sum(self._moves) >= _MOVES:
            self.believed = False
            self._moves.clear()
        in_pace = (
            not wrong
            and self._before is not None
            and self._now is not None
            and abs(self._now - self._before) < _PACE * _WINDOW_S
        )
        self._good = self._good + 1 if in_pace and not self.believed else 0
        self.believed = self.believed or self._good >= _GOOD_WINDOWS
        self._before, self._now = self._now, None
        self._pictures = self._wrong = 0
        self.moved = False
