"""Is the file of an SQLite database still the one that was opened, and only its owner's?"""

import os
import sqlite3
import stat
import threading
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import structlog

from tynysh.errors import StoreError

log = structlog.get_logger(__name__)

FileIdentity = tuple[int, int]
"""Device and inode: what a file is, wherever it is moved to and whatever comes to lie at its path."""


KEEPER_TURN_S = 5.0
"""How long who puts a deleted file back waits for those who still write to it, seconds."""


class SqliteFile:
    """The file of a database. Who deletes or replaces it while it is in use takes nothing from connections that are
    open: SQLite goes on writing to what nobody will ever find again. So each transaction asks here first.

    Two connections of its own keep what was deleted open, so that it can be put back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.missing_since_s: float | None = None
        self._identity: FileIdentity | None = None
        self._kept: tuple[sqlite3.Connection, ...] = ()
        self._lock = threading.Lock()

    def make(self) -> None:
        """Make the file, empty, for its owner only, if there is none. Raises StoreError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.path.exists():
                # Made here, so that neither it nor the files that SQLite puts beside it are ever readable by others.
                self.path.touch(mode=0o600)
        except OSError as error:
            raise StoreError(
                f"The database {self.path} cannot be made: {error.strerror}.",
                hint="Choose another place with --data or --database.",
            ) from None

    def connect(self, turn_s: float) -> sqlite3.Connection:
        """A new connection, for any thread, that waits so long for its turn. Raises StoreError where there is no file:
        SQLite would make one.
        """
        self._now()
        address = f"file:{quote(str(self.path))}?mode=rw"
        # Without a transaction that the driver begins by itself: it is in the way of BEGIN IMMEDIATE.
        return sqlite3.connect(
            address, uri=True, timeout=turn_s, check_same_thread=False, isolation_level=None
        )

    def opened(self) -> FileIdentity:
        """What has just been opened, readable by its owner only from now on. Raises StoreError."""
        identity = self._now()
        with self._lock:
            if identity != self._identity:
                self._keep_from_others()
                for connection in self._kept:
                    connection.close()
                self._kept = (self._keeper(), self._keeper())
                self._identity = identity
        return identity

    def still(self, identity: FileIdentity) -> bool:
        """Whether the file at the path is that one. Raises StoreError where there is none."""
        return self._now() == identity

    def fault(self) -> str | None:
        """What is wrong in it, read through on a connection that remembers nothing; None where nothing is. Raises
        StoreError where there is no file.
        """
        with closing(self.connect(KEEPER_TURN_S)) as connection:
            try:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            except sqlite3.Error as error:
                found = str(error)
        return None if found == "ok" else f"The database file {self.path} is broken: {found}."

    def put_back(self, missing_s: float = 0.0) -> bool:
        """Where the file has been missing for so long, write it anew from what is still open; whether that was done.

        All that was ever committed is in it: who still writes to the deleted one is waited for, and who comes after
        finds the new one. Raises StoreError.
        """
        try:
            self._now()
        except StoreError:
            since_s = self.missing_since_s
            if not self._kept or since_s is None or time.monotonic() - since_s < missing_s:
                return False
        else:
            return False
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        alone, copied = self._kept
        try:
            alone.execute("BEGIN IMMEDIATE")
            try:
                part.unlink(missing_ok=True)
                part.touch(mode=0o600)
                target = sqlite3.connect(part)
                copied.backup(target)
                target.close()
                with part.open("rb") as written:
                    os.fsync(written.fileno())
                # They belong to the deleted one; beside another they would ruin it.
                for beside in ("-wal", "-shm"):
                    self.path.with_name(self.path.name + beside).unlink(missing_ok=True)
                # Not a rename: should another process, or a person, have put one there, it stays.
                os.link(part, self.path)
            finally:
                alone.execute("ROLLBACK")
                part.unlink(missing_ok=True)
        except FileExistsError:
            return False
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"The deleted database file {self.path} cannot be put back: {error}.") from None
        log.error("database.put_back", path=str(self.path))
        self._now()
        return True

    def close(self) -> None:
        """Let go of the file; one that is missing is put back first, for nobody could afterwards."""
        try:
            self.put_back()
        except StoreError as error:
            log.error("database.lost", error=error.message)
        with self._lock:
            for connection in self._kept:
                connection.close()
            self._kept, self._identity = (), None

    def _now(self) -> FileIdentity:
        try:
            found = self.path.stat()
        except OSError as error:
            if self.missing_since_s is None:
                self.missing_since_s = time.monotonic()
                log.error("database.missing", path=str(self.path), error=error.strerror)
            raise StoreError(
                f"The database file {self.path} is not there: {error.strerror}.",
                hint="Put it back from a backup, without the files -wal and -shm beside it.",
            ) from None
        self.missing_since_s = None
        return (found.st_dev, found.st_ino)

    def _keeper(self) -> sqlite3.Connection:
        connection = self.connect(KEEPER_TURN_S)
        # Only by reading does it open what lies beside the file, too.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        return connection

    def _keep_from_others(self) -> None:
        for path in (
            self.path,
            *(self.path.with_name(self.path.name + beside) for beside in ("-wal", "-shm")),
        ):
            try:
                mode = stat.S_IMODE(path.stat().st_mode)
                if mode & 0o077:
                    path.chmod(0o600)
                    log.warning("database.was_open_to_others", path=str(path), mode=f"{mode:04o}")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(
                    f"The database {path} can be read by others, and that cannot be changed: {error.strerror}.",
                    hint=f"chmod 600 {path}",
                ) from None
