"""How long to wait before trying again."""

from dataclasses import dataclass, field
from random import Random

_MOST_DOUBLINGS = 16


@dataclass(slots=True)
class Backoff:
    """Exponential backoff with jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015): each
    wait is drawn between half and all of a ceiling, which doubles with each failure from `first_s` to `most_s`.

    first_s, most_s: seconds. random: the source of the jitter. failures: since the last success.

    >>> tries = Backoff(first_s=1.0, most_s=60.0, random=Random(1))
    >>> [round(tries.next_s(), 1) for _ in range(4)]
    [0.6, 1.8, 3.5, 5.0]
    """

    first_s: float = 0.5
    most_s: float = 30.0
    random: Random = field(default_factory=Random)
    failures: int = 0

    def next_s(self, *, ceiling_s: float = 0.0) -> float:
        """Count a failure; the seconds to wait before the next try.

        ceiling_s: of this wait, if greater than what the failures so far would make it.
        """
        ceiling = max(ceiling_s, min(self.most_s, self.first_s * 2.0 ** min(self.failures, _MOST_DOUBLINGS)))
        self.failures += 1
        return ceiling * self.random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It worked: start from the beginning next time."""
        self.failures = 0
