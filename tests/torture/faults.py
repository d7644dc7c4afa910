"""The faults that are put into an installation: what each does, what may be lost by it, and who is told."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from tests.torture.installation import Installation
from tests.torture.visits import FAULTS

Inject = Callable[[Installation, Random, str], AbstractContextManager[None]]
"""Puts a fault in for as long as the block lasts; the last argument names a camera, for those of one camera."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault. hold_s: for how long at least and at most. may_lose: what may be lost, written down before.
    share: how often it is drawn, in relation to the others. told: whether somebody has to be told. blinds: which
    cameras may miss what is before them.
    """

    name: str
    inject: Inject
    may_lose: str
    hold_s: tuple[float, float] = (0.0, 0.0)
    share: float = 1.0
    told: bool = True
    blinds: Literal["one", "all", "none"] = "all"


_OF_ONE_CAMERA = "what that camera did not show"
_WHILE_RESTARTING = "pictures until it is back; half a second of recordings; no event that was reported"


def _camera_fault(kind: str) -> Inject:
    @contextmanager
    def inject(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
        del chance
        file = installation.control / f"{camera}.fault"
        part = file.with_suffix(".part")
        part.write_text(kind)
        part.replace(file)
        try:
            yield
        finally:
            file.unlink()

    return inject


def _signal(number: signal.Signals, part: str, *, then: signal.Signals | None = None) -> Inject:
    @contextmanager
    def inject(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
        del chance, camera
        pids = [pid for pid, what in installation.processes().items() if what == part]
        for pid in pids:
            os.kill(pid, number)
        yield
        for pid in pids if then is not None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, then or 0)

    return inject


@contextmanager
def _database_locked(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
    del chance, camera
    with contextlib.closing(sqlite3.connect(installation.url.removeprefix("sqlite:///"), 30)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.rollback()


@contextmanager
def _database_server_stopped(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
    """All processes of a PostgreSQL server stand still: it accepts and does not answer."""
    del chance, camera
    pids = server_pids(installation)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def _database_connections_cut(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
    """The server ends all of its connections, as at a restart or a fail-over."""
    del chance, camera
    for pid in server_pids(installation)[1:]:
        with contextlib.suppress(OSError):
            if b"postgres: " in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
    yield


def server_pids(installation: Installation) -> list[int]:
    """The processes of the embedded PostgreSQL server, the first of them its parent."""
    folder = installation.server_folder
    assert folder is not None
    main = int((folder / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return [main, *map(int, children)]


@contextmanager
def _disk_full(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
    del chance, camera
    root = installation.folder.root
    with (root / "filler").open("wb", buffering=0) as filler:
        with contextlib.suppress(OSError):
            os.posix_fallocate(filler.fileno(), 0, shutil.disk_usage(root).free - 2**20)
        with contextlib.suppress(OSError):
            while filler.write(bytes(4096)):
                pass
    try:
        yield
    finally:
        (root / "filler").unlink()


def _limit(resource: str, value: int) -> Inject:
    @contextmanager
    def inject(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
        del chance, camera
        pids = [pid for pid, what in installation.processes().items() if what == "serve-cameras"]
        for pid in pids:
            subprocess.run(["prlimit", f"--pid={pid}", f"--{resource}={value}:"], check=False)
        yield
        for pid in pids:
            subprocess.run(
                ["prlimit", f"--pid={pid}", f"--{resource}=1048576:"], check=False, stderr=subprocess.DEVNULL
            )

    return inject


@contextmanager
def _second_installation(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
    del chance, camera
    second = subprocess.run(
        [*installation.command(), "--port=1"],
        env=installation.environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert second.returncode not in {0, -9}, second.stderr
    yield


def _clock(least_s: float, most_s: float) -> Inject:
    @contextmanager
    def inject(installation: Installation, chance: Random, camera: str) -> Iterator[None]:
        del camera
        file = installation.control / "clock"
        file.write_text(f"{chance.uniform(least_s, most_s):.1f}")
        try:
            yield
        finally:
            file.unlink()

    return inject


CAMERA_FAULTS = tuple(
    # These are no fault to anybody but the decoder, and need not be told.
    Fault(
        f"camera: {kind.replace('_', ' ')}",
        _camera_fault(kind),
        _OF_ONE_CAMERA,
        (1.0, 6.0),
        told=kind in {"silent", "gone"},
        share=2,
        blinds="one",
    )
    for kind in FAULTS
)

PROCESS_FAULTS = (
    Fault("worker killed", _signal(signal.SIGKILL, "serve-cameras"), _WHILE_RESTARTING, share=4),
    Fault("console killed", _signal(signal.SIGKILL, "serve-console"), "nothing", share=4, blinds="none"),
    Fault("supervisor killed", _signal(signal.SIGKILL, "run"), _WHILE_RESTARTING, share=3),
    Fault(
        "worker stopped for a while",
        _signal(signal.SIGSTOP, "serve-cameras", then=signal.SIGCONT),
        "what was shown meanwhile",
        (5.0, 9.0),
    ),
    Fault(
        "console stopped for a while",
        _signal(signal.SIGSTOP, "serve-console", then=signal.SIGCONT),
        "nothing",
        (5.0, 9.0),
        blinds="none",
    ),
    Fault(
        "supervisor stopped for a while",
        _signal(signal.SIGSTOP, "run", then=signal.SIGCONT),
        "nothing",
        (1.0, 5.0),
        told=False,
        blinds="none",
    ),
    Fault("worker hangs for ever", _signal(signal.SIGSTOP, "serve-cameras"), _WHILE_RESTARTING, share=0.3),
    Fault(
        "console hangs for ever",
        _signal(signal.SIGSTOP, "serve-console"),
        "nothing",
        share=0.3,
        blinds="none",
    ),
    Fault(
        "analysis hangs",
        _camera_fault("analysis_hangs"),
        _OF_ONE_CAMERA,
        (24.0, 26.0),
        share=0.3,
        blinds="one",
    ),
    Fault(
        "no descriptors left",
        _limit("nofile", 64),
        "pictures and recordings meanwhile",
        (1.0, 5.0),
        told=False,
    ),
    Fault("a second installation", _second_installation, "nothing", share=0.5, told=False, blinds="none"),
)

SQLITE_FAULTS = (
    Fault("database locked", _database_locked, "nothing", (1.0, 8.0), share=2, told=False, blinds="none"),
)

POSTGRESQL_FAULTS = (
    Fault(
        "database stands still",
        _database_server_stopped,
        "nothing",
        (1.0, 8.0),
        share=2,
        told=False,
        blinds="none",
    ),
    Fault(
        "database ends its connections",
        _database_connections_cut,
        "nothing",
        share=2,
        told=False,
        blinds="none",
    ),
)

DISK_FAULTS = (
    Fault(
        "disk full",
        _disk_full,
        "recordings, stills and clips meanwhile",
        (2.0, 8.0),
        share=2,
        told=False,
        blinds="none",
    ),
)

CLOCK_FAULTS = (
    Fault("clock an hour on (summer time)", _clock(3600, 3600), "dates meanwhile", (2.0, 6.0), told=False),
    Fault(
        "clock an hour back (winter time)", _clock(-3600, -3600), "dates meanwhile", (2.0, 6.0), told=False
    ),
    Fault("clock 200 days on", _clock(1.7e7, 1.8e7), "dates meanwhile", (2.0, 6.0), told=False),
    Fault("clock some seconds off", _clock(-30, 30), "dates meanwhile", (2.0, 6.0), told=False),
)
