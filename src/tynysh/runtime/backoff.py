"""How long to wait before trying again."""

from dataclasses import dataclass
from random import Random


@dataclass(slots=True)
class Backoff:
    """Exponential backoff with full jitter (Brooker, AWS Architecture Blog, 2015).

    first_s and most_s bound the wait in seconds; `random` is the source of the jitter.
    """

    random: Random
    first_s: float = 0.5
    most_s: float = 30.0
    failures: int = 0

    def next_s(self) -> float:
        """Count a failure; the seconds to wait before the next try, never less than half of `first_s`."""
        ceiling = min(self.most_s, self.first_s * 2.0**self.failures)
        self.failures += 1
        return max(self.first_s / 2, self.random.uniform(0, ceiling))

    def reset(self) -> None:
        """It worked: start from the beginning next time."""
        self.failures = 0
