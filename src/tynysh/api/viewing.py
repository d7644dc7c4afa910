"""Who looked at which pictures of people: on the audit record before the first byte leaves."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from tynysh.api.principal import Principal
from tynysh.store import record
from tynysh.store.database import Database

ONE_VIEWING_S = 300.0
"""A player fetches a clip in many pieces, a wall of cameras a picture a second: within this time, one viewing."""

_REMEMBERED = 10_000


class Viewings:
    """Writes viewings down, each once."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._written: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def note(self, principal: Principal, action: str, seen: str, *, address: str) -> None:
        """Puts on record that the user looks: `note(principal, "clip.view", "incident:17", address=...)`.

        Returns when the entry is durable. Raises StoreError if it cannot be written: then nothing may be shown.
        """
        key = (principal.token_hash, action, seen)
        now = self._clock()
        with self._lock:
            if now - self._written.get(key, -ONE_VIEWING_S) < ONE_VIEWING_S:
                return
        with self._database.writing() as session:
            record.append(
                session, now=now, user=principal.name, action=action, object=seen, address=address or None
            )
        with self._lock:
            self._written[key] = now
            self._written.move_to_end(key)
            while len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)
