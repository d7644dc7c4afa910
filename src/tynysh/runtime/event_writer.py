"""Events on their way into the database: durable before anyone hears of them, kept while it cannot be reached."""

import threading
import time
from collections import deque
from collections.abc import Callable
from random import Random

import structlog

from tynysh.backoff import Backoff
from tynysh.behaviour.event import Event, Phase
from tynysh.errors import StoreError
from tynysh.periodic import Pulse
from tynysh.store.database import Database, RefusedError
from tynysh.store.queries import events
from tynysh.store.queries.events import RecordedEvent

log = structlog.get_logger(__name__)

MOST_WAITING = 10_000
"""Events that may wait for a database that is away. Past that, updates give way, then the oldest."""


class EventWriter:
    """Writes events in order, in a thread of its own, and tells what became of each.

    `on_written` is called in that thread, after the event of a camera is durable.
    """

    def __init__(
        self,
        database: Database,
        on_written: Callable[[str, Event, RecordedEvent], None],
        *,
        random: Random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._on_written = on_written
        self._backoff = Backoff(first_s=0.2, most_s=10.0, random=random)
        self._clock = clock
        self._waiting: deque[tuple[str, Event, bool]] = deque()
        self._change = threading.Condition()
        self._stopping = False
        self.lost = 0
        self.pulse = Pulse()
        self.thread = threading.Thread(target=self._run, name="event-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self.thread.start()

    def put(self, camera_id: str, event: Event, *, clip: bool) -> None:
        """Have an event of a camera written soon; never blocks. clip: whether one is to be made of its incident."""
        with self._change:
            if len(self._waiting) >= MOST_WAITING:
                self._give_way()
            self._waiting.append((camera_id, event, clip))
            self._change.notify()

    def stop(self, timeout_s: float = 5.0) -> int:
        """Write what waits, for at most `timeout_s`; how many could not be written."""
        with self._change:
            self._stopping = True
            self._change.notify()
        self.thread.join(timeout_s)
        with self._change:
            return len(self._waiting)

    def _give_way(self) -> None:
        for index, (_, event, _) in enumerate(self._waiting):
            if event.phase is Phase.UPDATED:
                del self._waiting[index]
                return
        self._waiting.popleft()
        self.lost += 1

    def _run(self) -> None:
        while True:
            self.pulse.rest()
            with self._change:
                while not self._waiting and not self._stopping:
                    self._change.wait()
                if not self._waiting:
                    return
                first = self._waiting[0]
            self.pulse.beat()
            if not self._write(*first):
                if self._stopping:
                    return
                continue
            with self._change:
                # Only this thread takes from the front, but a full queue may have dropped it meanwhile.
                if self._waiting and self._waiting[0] is first:
                    self._waiting.popleft()

    def _write(self, camera_id: str, event: Event, clip: bool) -> bool:
        try:
            recorded = events.record(self._database, event, camera_id, now=self._clock(), clip=clip)
        except RefusedError as error:
            # Trying again is of no use, and the others must not wait behind it for ever.
            log.error("event.refused", event_id=event.id, camera=camera_id, error=error.message)
            self._lose()
            return True
        except StoreError as error:
            wait_s = self._backoff.next_s()
            waiting = len(self._waiting)
            log.error("events.not_written", error=str(error), waiting=waiting, again_in_s=round(wait_s, 1))
            with self._change:
                if not self._stopping:
                    self._change.wait(wait_s)
            return False
        except Exception:
            # A fault of ours: it must not cost the events behind it.
            log.exception("event.broke", event_id=event.id, camera=camera_id)
            self._lose()
            return True
        self._backoff.reset()
        try:
            self._on_written(camera_id, event, recorded)
        except Exception:
            # The event is durable all the same.
            log.exception("event.not_told", event_id=event.id, camera=camera_id)
        return True

    def _lose(self) -> None:
        with self._change:
            self.lost += 1
