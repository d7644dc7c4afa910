"""Crowd figures by minute on their way into the database."""

import threading
from collections import deque
from collections.abc import Collection, Mapping
from typing import Protocol

import structlog

from tynysh.crowd.minutes import MINUTE_S, Minutes, Series
from tynysh.store.database import Database, RefusedError
from tynysh.store.queries import crowd_history

log = structlog.get_logger(__name__)

GRACE_S = 5.0
"""A minute is written so long after its end, as pictures arrive late."""

MOST_WAITING = 100_000
"""Minutes of series that may wait for a database that is away; past that the oldest are let go."""

FOREVER = 2**31 - 1


class CrowdSource(Protocol):
    """A camera whose minutes are kept."""

    def minutes(self, before: int) -> Mapping[Series, Minutes]:
        """What the crowd was like in the minutes before `before`; each is given once."""
        ...


class CrowdHistory:
    """Writes the minutes of a worker's cameras, all in one transaction, once a minute.

    A crash costs the running minute; a stop costs nothing, as what was seen of it is written, and the rest joins it
    after the restart. What cannot be written is written the next time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: deque[Mapping[Series, Minutes]] = deque()
        self._kept_to = 0

    def keep(self, cameras: Collection[CrowdSource], *, now: float) -> None:
        """Write the minutes that are over at `now` (Unix seconds). Raises StoreError; nothing is lost then."""
        before = int((now - GRACE_S) // MINUTE_S)
        if before != self._kept_to:
            for camera in cameras:
                self.gather(camera, before)
            self._kept_to = before
        self.write()

    def gather(self, camera: CrowdSource, before: int = FOREVER) -> None:
        """Take a camera's minutes, to be written; by default with what it saw of the running one."""
        minutes = camera.minutes(before)
        if minutes:
            with self._lock:
                self._waiting.append(minutes)
                while len(self._waiting) > 1 and _number(self._waiting) > MOST_WAITING:
                    self._waiting.popleft()

    def write(self) -> None:
        """Write what was gathered. Raises StoreError; it waits then for the next time."""
        with self._lock:
            waiting = list(self._waiting)
        if not waiting:
            return
        parts: dict[Series, list[Minutes]] = {}
        for found in waiting:
            for series, minutes in found.items():
                parts.setdefault(series, []).append(minutes)
        try:
            with self._database.writing() as session:
                crowd_history.write(
                    session, {series: Minutes.joined(given) for series, given in parts.items()}
                )
        except RefusedError as error:
            # Trying again is of no use, and the minutes to come must not wait behind these for ever.
            log.error("crowd_history.refused", minutes=_number(waiting), error=error.message)
        with self._lock:
            written = {id(found) for found in waiting}
            self._waiting = deque(found for found in self._waiting if id(found) not in written)


def _number(waiting: Collection[Mapping[Series, Minutes]]) -> int:
    return sum(len(minutes.at) for found in waiting for minutes in found.values())
