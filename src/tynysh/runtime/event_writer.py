"""Events on their way into the database: durable before anyone hears of them, kept while it cannot be reached."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import structlog

from tynysh.backoff import Backoff
from tynysh.behaviour.event import Event, Phase
from tynysh.errors import StoreError
from tynysh.periodic import Pulse
from tynysh.runtime.event_journal import EventJournal, WaitingEvent
from tynysh.store.database import Database, RefusedError
from tynysh.store.queries import events
from tynysh.store.queries.events import RecordedEvent

log = structlog.get_logger(__name__)

MOST_WAITING = 10_000
"""Events that may wait for a database that is away. Past that, updates give way, then the oldest."""

JOURNAL_S = 0.25
"""What the database has not taken for so long goes into the journal: when it is well, it is quicker."""

UPDATE_JOURNAL_S = 5.0
"""The same of an update, of which there is one a second: a kill costs what it says of the last seconds, and no event.
"""


@dataclass(eq=False, slots=True)
class _Item:
    """What waits. journal_at_s: from when on (monotonic) it is to be in the journal; None where it is."""

    waiting: WaitingEvent
    journal_at_s: float | None


class EventWriter:
    """Writes events in order, in a thread of its own, and tells what became of each. A second thread puts what has to
    wait into the journal, from where it is taken up after a stop or a kill.

    `on_written` is called after the event of a camera is durable in the database, in the first thread.
    of: the number of workers.
    """

    def __init__(
        self,
        database: Database,
        journal: EventJournal,
        on_written: Callable[[str, Event, RecordedEvent], None],
        *,
        random: Random,
        of: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._journal = journal
        self._on_written = on_written
        self._backoff = Backoff(first_s=0.2, most_s=10.0, random=random)
        self._of = of
        self._clock = clock
        self._waiting: deque[_Item] = deque()
        self._left: set[str] = set()
        self._change = threading.Condition()
        self._until_s: float | None = None
        self._waits_since_s: float | None = None
        self.lost = 0
        self.pulse = Pulse()
        self.journal_fault: str | None = None
        self.thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self.journal_thread = threading.Thread(target=self._keep_journal, name="event-journal", daemon=True)

    def start(self) -> None:
        """Begin to write, with what was left by those before."""
        left = self._journal.load(self._of)
        if left:
            log.warning("events.taken_up", count=len(left))
        ended = {waiting.event.id for waiting in left if waiting.event.phase is Phase.ENDED}
        self._left = {waiting.event.id for waiting in left} - ended
        with self._change:
            self._waiting.extendleft(_Item(waiting, None) for waiting in reversed(left))
        self.thread.start()
        self.journal_thread.start()

    def put(self, camera_id: str, event: Event, *, clip: bool) -> None:
        """Have an event of a camera written soon; never blocks. clip: whether one is to be made of its incident."""
        journal_at_s = time.monotonic() + (UPDATE_JOURNAL_S if event.phase is Phase.UPDATED else JOURNAL_S)
        with self._change:
            before = self._update_of(event.id)
            if before is not None:
                # Each says all that is known of an event: what waits of it is out of date.
                self._waiting.remove(before)
                journal_at_s = min(journal_at_s, before.journal_at_s or journal_at_s)
            if len(self._waiting) >= MOST_WAITING:
                self._give_way()
            self._waiting.append(_Item(WaitingEvent(camera_id, event, clip), journal_at_s))
            self._change.notify_all()

    def stop(self, timeout_s: float = 5.0) -> int:
        """Write what waits into the database or the journal, for at most `timeout_s`; how many are in neither."""
        until_s = time.monotonic() + timeout_s
        with self._change:
            self._until_s = until_s
            self._change.notify_all()
        for thread in (self.thread, self.journal_thread):
            thread.join(max(0.0, until_s - time.monotonic()))
        if not self.journal_thread.is_alive():
            self._journal.close()
        with self._change:
            return sum(item.journal_at_s is not None for item in self._waiting)

    @property
    def waits_s(self) -> float:
        """For how long the database has taken none of the events that wait; 0 where none does."""
        since_s = self._waits_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def _update_of(self, event_id: str) -> _Item | None:
        for item in self._waiting:
            if item.waiting.event.id == event_id and item.waiting.event.phase is Phase.UPDATED:
                return item
        return None

    def _give_way(self) -> None:
        for index, item in enumerate(self._waiting):
            if item.waiting.event.phase is Phase.UPDATED:
                del self._waiting[index]
                return
        self._waiting.popleft()
        self.lost += 1

    def _run(self) -> None:
        while True:
            self.pulse.rest()
            with self._change:
                while self._all_written and self._until_s is None:
                    self._change.wait()
                if self._all_written:
                    return
                first = self._waiting[0] if self._waiting else None
                if self._waits_since_s is None:
                    self._waits_since_s = time.monotonic()
            self.pulse.beat()
            done = self._close_left() if first is None else self._write(first.waiting)
            if not done:
                if self._may_end():
                    return
                continue
            with self._change:
                # Only this thread takes from the front, but it may have given way meanwhile.
                if self._waiting and self._waiting[0] is first:
                    self._waiting.popleft()
                self._waits_since_s = None
                self._change.notify_all()

    def _may_end(self) -> bool:
        """Whether nothing is gained by trying again: it is to end, and the rest is in the journal or out of time."""
        with self._change:
            if self._until_s is None:
                return False
            kept = all(item.journal_at_s is None for item in self._waiting)
            return kept or time.monotonic() >= self._until_s

    def _write(self, waiting: WaitingEvent) -> bool:
        camera_id, event = waiting.camera, waiting.event
        try:
            recorded = events.record(self._database, event, camera_id, now=self._clock(), clip=waiting.clip)
        except RefusedError as error:
            # Trying again is of no use, and the others must not wait behind it for ever.
            log.error("event.refused", event_id=event.id, camera=camera_id, error=error.message)
            self._set_aside(waiting)
            return True
        except StoreError as error:
            self._put_off(error)
            return False
        except Exception:
            # A fault of ours: it must not cost the events behind it.
            log.exception("event.broke", event_id=event.id, camera=camera_id)
            self._set_aside(waiting)
            return True
        self._backoff.reset()
        try:
            self._on_written(camera_id, event, recorded)
        except Exception:
            # The event is durable all the same.
            log.exception("event.not_told", event_id=event.id, camera=camera_id)
        return True

    def _close_left(self) -> bool:
        """End the events that those before left open: nobody else knows of them."""
        try:
            with self._database.writing() as session:
                events.close(session, self._left, now=self._clock())
        except StoreError as error:
            self._put_off(error)
            return False
        self._left = set()
        return True

    def _put_off(self, error: StoreError) -> None:
        wait_s = self._backoff.next_s()
        waiting = len(self._waiting)
        log.error("events.not_written", error=error.message, waiting=waiting, again_in_s=round(wait_s, 1))
        self._rest(wait_s)

    def _set_aside(self, waiting: WaitingEvent) -> None:
        with self._change:
            self.lost += 1
        try:
            self._journal.set_aside(waiting)
        except OSError as error:
            log.error("event.lost", event_id=waiting.event.id, error=error.strerror)

    def _keep_journal(self) -> None:
        backoff = Backoff(first_s=0.2, most_s=10.0)
        while (work := self._journal_work()) is not None:
            items, anew = work
            try:
                (self._journal.replace if anew else self._journal.append)([item.waiting for item in items])
            except OSError as error:
                # They wait in memory all the same.
                self.journal_fault = error.strerror or str(error)
                wait_s = backoff.next_s()
                log.error("journal.not_written", error=self.journal_fault, waiting=len(items))
                self._rest(wait_s)
            else:
                self.journal_fault = None
                backoff.reset()
                with self._change:
                    for item in items:
                        item.journal_at_s = None
                    self._change.notify_all()

    def _journal_work(self) -> tuple[Sequence[_Item], bool] | None:
        """What is to be put into the journal next, and whether in place of all that is in it; None when it is to end.
        Waits until there is something.
        """
        with self._change:
            while True:
                now_s = time.monotonic()
                waiting = [item for item in self._waiting if item.journal_at_s is not None]
                due_s = min((item.journal_at_s or 0.0 for item in waiting), default=math.inf)
                if waiting and (due_s <= now_s or self._until_s is not None):
                    stale = self._journal.stale
                    return (list(self._waiting) if stale else waiting), stale
                if self._all_written and self._journal.size:
                    return (), True
                ending = self._until_s is not None
                if ending and (not self.thread.is_alive() or now_s >= (self._until_s or 0.0)):
                    return None
                self._change.wait(0.1 if ending else None if due_s == math.inf else due_s - now_s)

    @property
    def _all_written(self) -> bool:
        return not self._waiting and not self._left

    def _rest(self, wait_s: float) -> None:
        """Wait before trying again: not for long when it is to end."""
        with self._change:
            self._change.wait_for(lambda: self._until_s is not None, wait_s)
            if self._until_s is not None:
                self._change.wait(0.1)
