"""How much the database holds, counted now and then."""

import asyncio
import math
import time

from tynysh.store import console_queries
from tynysh.store.console_queries import EventTotals
from tynysh.store.database import Database


class CachedCounts:
    """Counts of the database, taken at most every ten seconds however many want to know."""

    def __init__(self, database: Database, *, fresh_s: float = 10.0) -> None:
        self._database = database
        self._fresh_s = fresh_s
        self._counting = asyncio.Lock()
        self._counted_at = -math.inf
        self._latest: EventTotals | None = None

    async def latest(self) -> EventTotals:
        """The counts, at most ten seconds old."""
        async with self._counting:
            if self._latest is None or time.monotonic() - self._counted_at > self._fresh_s:
                self._latest = await asyncio.to_thread(console_queries.counts, self._database)
                self._counted_at = time.monotonic()
            return self._latest
