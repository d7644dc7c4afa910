"""What is done again and again, in a thread or in a task, whatever becomes of one round of it."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from tynysh.backoff import Backoff
from tynysh.errors import TynyshError

log = structlog.get_logger(__name__)

MOST_S = 5.0
"""The longest wait after failures, of what is done more often than that."""


class Pulse:
    """How long has a thread been at one thing? It says when it begins one, and when it waits, for however long.

    >>> pulse = Pulse(iter([10.0, 12.5]).__next__)
    >>> pulse.beat()
    >>> pulse.busy_s
    2.5
    >>> pulse.rest()
    >>> pulse.busy_s
    0.0
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began_s: float | None = None

    @property
    def busy_s(self) -> float:
        """Seconds since the last thing was begun; none while it waits for something to do."""
        began_s = self._began_s
        return 0.0 if began_s is None else self._monotonic() - began_s

    def beat(self) -> None:
        """It goes on, with the next thing."""
        self._began_s = self._monotonic()

    def rest(self) -> None:
        """It waits."""
        self._began_s = None


@contextmanager
def attempt(what: str) -> Iterator[None]:
    """Something that may fail: what is raised in it is logged, with a traceback where the fault is ours, and goes no
    further.
    """
    try:
        yield
    except (TynyshError, OSError) as error:
        log.warning("periodic.put_off", what=what, error=str(error))
    except Exception:
        log.exception("periodic.broke", what=what)


class Rounds:
    """How the rounds went, and so how long to wait before the next: `every_s` seconds, after failures in a row ever
    longer up to `MOST_S`.
    """

    def __init__(self, name: str, every_s: float, at_once: bool) -> None:
        self._name = name
        self._every_s = every_s
        self._backoff = Backoff(first_s=every_s, most_s=MOST_S)
        self.wait_s = 0.0 if at_once else every_s

    @contextmanager
    def one(self) -> Iterator[None]:
        """A round, as an `attempt`."""
        done = False
        with attempt(self._name):
            yield
            done = True
        if done:
            self._backoff.reset()
        self.wait_s = self._every_s if done else max(self._every_s, self._backoff.next_s())


class PeriodicThread(threading.Thread):
    """Does something every `every_s` seconds, in a thread, until it is stopped.

    at_once: whether the first round does not wait.
    """

    def __init__(self, name: str, do: Callable[[], object], *, every_s: float, at_once: bool = False) -> None:
        super().__init__(name=name, daemon=True)
        self._do = do
        self._rounds = Rounds(name, every_s, at_once)
        self.stopping = threading.Event()
        self.pulse = Pulse()

    def run(self) -> None:
        """What the thread does."""
        while not self.stopping.wait(self._rounds.wait_s):
            self.pulse.beat()
            with self._rounds.one():
                self._do()
            self.pulse.rest()

    def stop(self, timeout_s: float = 0.0) -> None:
        """End; a round at hand is waited for, for at most `timeout_s`."""
        self.stopping.set()
        if self.is_alive():
            self.join(timeout_s)


async def repeat(
    name: str, do: Callable[[], Awaitable[object]], *, every_s: float, at_once: bool = False
) -> None:
    """The same in a task: does something every `every_s` seconds until cancelled."""
    rounds = Rounds(name, every_s, at_once)
    while True:
        await asyncio.sleep(rounds.wait_s)
        with rounds.one():
            await do()
