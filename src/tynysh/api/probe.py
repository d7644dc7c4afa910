"""Can the database be written now, and is there room on the disks?"""

import asyncio
import shutil
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tynysh.errors import StoreError
from tynysh.store import console_queries
from tynysh.store.database import Database

FRESH_S = 1.0
"""However many ask, it is tried no more often."""

PATIENCE_S = 2.0
"""Who asks is answered after so long, whether or not the database has."""

LOW_DISK = 16 * 1024 * 1024
"""With fewer bytes left a disk is full: a database, a recording and a log each want more at their next turn."""

CHECK_S = 60.0
CHECKED_BYTES = 64 * 1024 * 1024
"""An SQLite file of up to so many bytes is read through once in so many seconds: one that is broken can often be
written for long.
"""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found. database: what is wrong with it, None where it was read and written. cameras: those that
    are to be watched, None where the database does not say. free: bytes left, by folder.
    """

    database: str | None
    cameras: Collection[str] | None
    free: dict[str, int]


class Probe:
    """Tries in a thread of its own, so that a database that never answers costs one thread and no answer.

    folders: those whose disks must have room.
    """

    def __init__(self, database: Database, folders: Collection[Path]) -> None:
        self._database = database
        file = database.file
        self._folders = {*folders, *([file.path.parent] if file is not None else [])}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._trying: Future[Probed] | None = None
        self._began_s = 0.0
        self._checked_s = -CHECK_S
        self._broken: str | None = None
        self._cameras: Collection[str] | None = None

    async def ask(self) -> Probed:
        """What is found now, or a moment ago; within `PATIENCE_S`."""
        trying, now_s = self._trying, time.monotonic()
        if trying is None or (trying.done() and now_s - self._began_s >= FRESH_S):
            trying = self._trying = self._thread.submit(self._try)
            self._began_s = now_s
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.shield(asyncio.wrap_future(trying))
        except TimeoutError:
            silent_s = time.monotonic() - self._began_s
            return Probed(f"It has not answered for {silent_s:.0f} s.", self._cameras, {})

    def _try(self) -> Probed:
        free = {}
        for folder in sorted(self._folders):
            try:
                free[str(folder)] = shutil.disk_usage(folder).free
            except OSError:
                free[str(folder)] = 0
        try:
            console_queries.try_writing(self._database)
            self._cameras = console_queries.to_be_watched(self._database)
            error = self._broken_file()
        except StoreError as failure:
            error = failure.message
        return Probed(error, self._cameras, free)

    def _broken_file(self) -> str | None:
        """What is broken in an SQLite file; None in all others, and in one that is whole. Raises StoreError."""
        file = self._database.file
        if file is None or time.monotonic() - self._checked_s < CHECK_S:
            return self._broken
        if file.path.stat().st_size <= CHECKED_BYTES:
            self._broken = file.fault()
        self._checked_s = time.monotonic()
        return self._broken
