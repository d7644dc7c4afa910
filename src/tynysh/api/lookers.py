"""Who has which incident open now: told to the others who do, and kept nowhere."""

import threading
from collections import OrderedDict
from collections.abc import Callable

LOOKS_S = 25.0
"""Who has not said so again for this long has gone: consoles say so every ten seconds."""

_REMEMBERED = 2000


class Lookers:
    """Remembers for some seconds who looks at what; may be asked from any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[int, str], float] = OrderedDict()

    def look(self, incident_id: int, user: str) -> list[str]:
        """Notes that `user` looks at the incident; the names of the others who do."""
        now = self._clock()
        with self._lock:
            self._seen[incident_id, user] = now
            self._seen.move_to_end((incident_id, user))
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return sorted(
                name
                for (number, name), at in self._seen.items()
                if number == incident_id and name != user and 0 <= now - at < LOOKS_S
            )
