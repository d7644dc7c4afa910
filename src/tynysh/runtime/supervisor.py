"""The supervisor: starts the console and the workers, and restarts what crashes or hangs without losing the others."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import httpx
import structlog

from tynysh.backoff import Backoff
from tynysh.bus.workers import Workers
from tynysh.periodic import repeat

log = structlog.get_logger(__name__)

STEADY_S = 10.0
"""A child that has run this long is no longer counted as crashing again and again: places are not watched meanwhile."""

FATAL_WITHIN_S = 60.0
"""What a restart would not mend shows within this time of the first start."""

STOP_S = 20.0
"""A child is given this long to end by itself before it is killed; a worker may need 19 seconds."""

ASK_S = 1.0
"""All children together are given this long to hear, over the bus, that they are to end."""

FATAL_EXIT_CODES = frozenset({2, 3, 7})
"""Exit codes that a restart would not mend: usage, site, port in use. The database has answered once before any child
is started; one that is away comes back.
"""


NOTIFY_S = 1.0
"""How often systemd is told that all goes on; a unit's WatchdogSec is longer."""

_PR_SET_PDEATHSIG = 1

Answers = Callable[[], Awaitable[bool]]
"""Asks a child for a sign of life; whether it gave one."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: between two times that children are asked for a sign of life, for one answer, for how long a child may
    be silent before it is killed, and the same before its first answer: it may have networks to fetch and to compile.
    deaf_s: a supervisor that could not listen to its children for so long says no more to systemd, which ends it.
    """

    ask_s: float = 2.0
    answer_s: float = 5.0
    silent_s: float = 15.0
    start_s: float = 900.0
    deaf_s: float = 20.0


@dataclass
class Child:
    """A process to be kept alive. `arguments` are those of the `tynysh` command. heard: whether it gave a sign of life
    since it was started; silent_since_s: when it was first asked in vain (monotonic), None if it answered last time.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    backoff: Backoff
    answers: Answers | None = None
    heard: bool = False
    silent_since_s: float | None = None
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    start_after_s: float = 0.0
    restarts: int = field(default=0)


class Supervisor:
    """Keeps children alive until told to stop.

    A child's standard input is a pipe that the supervisor never writes to: its end tells the child that the
    supervisor is gone, however it died. A child that exits with a fatal code before it ever ran steadily ends
    everything with that code.

    workers: the way to those children that are on the bus under their names. manager: the socket of systemd that is
    told
    how it is doing (`NOTIFY_SOCKET`), empty where there is none.
    """

    def __init__(
        self,
        random: Random,
        workers: Workers,
        patience: Patience = Patience(),
        *,
        manager: str = "",
    ) -> None:
        self._workers = workers
        self._patience = patience
        self._manager = manager
        self._listened_s = self._told_s = -float("inf")
        self._random = random
        self._children: list[Child] = []
        self._stop = threading.Event()

    def add(
        self, name: str, *arguments: str, environment: Mapping[str, str], answers: Answers | None = None
    ) -> None:
        """A child to keep alive: `python -m tynysh ARGUMENTS`, which is told no more than `environment`. answers: how
        it is asked for signs of life; without, no hang is noticed.
        """
        self._children.append(Child(name, arguments, environment, Backoff(random=self._random), answers))

    def stop(self) -> None:
        """Ask `run` to end; may be called from a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """Keep the children alive until `stop`, SIGINT or SIGTERM; the exit code of the whole."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())
        code = 0
        listening = repeat("listening", self._listen, every_s=self._patience.ask_s, at_once=True)
        threading.Thread(target=lambda: asyncio.run(listening), name="listening", daemon=True).start()
        self._listened_s = time.monotonic()
        self._tell_manager("READY=1")
        try:
            while not self._stop.wait(0.1) and code == 0:
                for child in self._children:
                    code = code or self._tend(child)
                self._give_sign_of_life(time.monotonic())
        finally:
            self._tell_manager("STOPPING=1")
            self._end_all()
        return code

    def _give_sign_of_life(self, now: float) -> None:
        """To systemd, so that a supervisor is missed, too, which hangs or listens to nobody any more."""
        if now - self._told_s >= NOTIFY_S and now - self._listened_s < self._patience.deaf_s:
            self._told_s = now
            self._tell_manager("WATCHDOG=1")

    def _tell_manager(self, state: str) -> None:
        """Tell systemd, where it started this (sd_notify(3))."""
        if self._manager:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto(state.encode(), self._manager.replace("@", "\0", 1))

    def _tend(self, child: Child) -> int:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_after_s:
                self._start(child, now)
            return 0
        code = child.process.poll()
        if code is None:
            limit_s = self._patience.silent_s if child.heard else self._patience.start_s
            silent_since_s = child.silent_since_s
            if silent_since_s is not None and now - silent_since_s > limit_s:
                log.error("child.hangs", child=child.name, silent_s=round(now - silent_since_s, 1))
                child.process.kill()
                child.silent_since_s = None
            return 0
        if now - child.started_s > STEADY_S:
            child.backoff.reset()
        child.process = None
        if code in FATAL_EXIT_CODES and child.restarts == 0 and now - child.started_s < FATAL_WITHIN_S:
            return code
        wait_s = child.backoff.next_s()
        child.restarts += 1
        child.start_after_s = now + wait_s
        log.error(
            "child.died",
            child=child.name,
            exit_code=code,
            restarts=child.restarts,
            again_in_s=round(wait_s, 1),
        )
        return 0

    def _start(self, child: Child, now: float) -> None:
        child.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tynysh", *child.arguments],
            stdin=subprocess.PIPE,
            env=child.environment,
            # Its own group: Ctrl-C reaches the supervisor alone, which then ends the children in order.
            start_new_session=True,
        )
        child.started_s = now
        child.heard, child.silent_since_s = False, None
        log.info("child.started", child=child.name, pid=child.process.pid)

    async def _listen(self) -> None:
        """Ask all children for a sign of life."""
        await asyncio.gather(*(self._ask(child) for child in self._children))
        self._listened_s = time.monotonic()

    async def _ask(self, child: Child) -> None:
        process, asked_s = child.process, time.monotonic()
        if process is None or child.answers is None:
            return
        try:
            async with asyncio.timeout(self._patience.answer_s):
                answered = await child.answers()
        except TimeoutError:
            answered = False
        if child.process is not process:
            return
        if answered:
            child.heard, child.silent_since_s = True, None
        elif child.silent_since_s is None:
            child.silent_since_s = asked_s

    def _end_all(self) -> None:
        running = {child.name: child.process for child in self._children if child.process is not None}
        reached = self._ask_to_end(running)
        for name, process in running.items():
            if name not in reached:
                process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("child.killed", pid=process.pid)
                process.kill()
                process.wait()

    def _ask_to_end(self, names: Collection[str]) -> Collection[str]:
        """Ask over the bus; who heard it. The console is not on it, nor is a worker that still loads its networks."""
        try:
            return asyncio.run(asyncio.wait_for(self._workers.stop(names), ASK_S))
        except TimeoutError:
            return ()


async def console_answers(client: httpx.AsyncClient) -> bool:
    """Whether the console answers at all. client: to its address.

    It is asked for what it refuses by itself: a database that is away is no reason to end it.
    """
    try:
        await client.options("/healthz")
    except httpx.HTTPError:
        return False
    return True


def stop_requested() -> threading.Event:
    """For a child: an event that is set on SIGTERM, SIGINT, or when the supervisor is gone.

    On Linux the kernel then kills the child at once, also one that hangs: who starts Tynysh anew finds neither the
    port nor the cameras taken.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def watch() -> None:
        # Not through sys.stdin: a thread that waits in it would hold its lock when the interpreter ends.
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop.set()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return stop
