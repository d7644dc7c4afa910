"""Which events wait for the database? A file on disk that a stop, a kill and a power cut leave whole."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

import structlog
from pydantic import TypeAdapter, ValidationError

from tynysh.behaviour.event import Event

log = structlog.get_logger(__name__)

RESERVED = 4 * 1024 * 1024
"""So many bytes are set aside on the disk beforehand: a disk that is full fills the database, and must not fill this.
"""

MOST_BYTES = 64 * 1024 * 1024
"""Past that it is written anew, with what waits and without what has been written meanwhile."""

MOST_ASIDE = 16 * 1024 * 1024
"""Of what the database refuses, so many bytes are kept for whoever finds out why."""


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event of a camera on its way into the database. clip: whether one is to be made of its incident."""

    camera: str
    event: Event
    clip: bool


_WAITING = TypeAdapter(WaitingEvent)


class EventJournal:
    """The waiting events of worker `number` in a file in `folder`, one a line with its checksum, in order.

    An event may stand in it that has been written, as what is done with is only taken out when nothing waits any more;
    writing it again changes nothing. Whoever is not the owner reads nothing of it. Not safe between threads.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number
        self._path = folder / f"worker-{number}.journal"
        self._aside = folder / "refused.journal"
        self._file: int | None = None
        self._room = MOST_BYTES
        self.size = 0

    def load(self, of: int) -> Sequence[WaitingEvent]:
        """What those who had this number before left, in order; the first of `of` workers also takes over from those
        whose number nobody has any more. What cannot be read is logged and left out.
        """
        others = sorted(path for path in self._folder.glob("worker-*.journal") if path != self._path)
        adopted = [path for path in others if self._number == 0 and _number(path) >= of]
        found = [waiting for path in (self._path, *adopted) for waiting in _read(path)]
        # What is after the last line was under way when the power went.
        self.size = _written(self._path).rfind(b"\n") + 1
        try:
            self.replace(found)
            for path in adopted:
                path.unlink()
        except OSError as error:
            log.error("journal.not_written", error=error.strerror)
        return found

    def append(self, waiting: Sequence[WaitingEvent]) -> None:
        """Add to it; on the disk when this returns. Raises OSError, and then it is as it was."""
        lines = b"".join(map(_line, waiting))
        file = self._opened()
        done = 0
        while done < len(lines):
            done += os.pwrite(file, lines[done:], self.size + done)
        os.fdatasync(file)
        self.size += len(lines)

    def replace(self, waiting: Sequence[WaitingEvent]) -> None:
        """Have nothing in it but this, or what was in it before. Raises OSError."""
        part = self._path.with_suffix(".part")
        lines = b"".join(map(_line, waiting))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(_for_its_owner(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(lines)
            file.flush()
            # A file system that cannot set room aside has the events all the same.
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(RESERVED, len(lines)))
            os.fsync(file.fileno())
        part.replace(self._path)
        _sync(self._folder)
        self.close()
        self.size, self._room = len(lines), max(MOST_BYTES, 2 * len(lines))

    @property
    def stale(self) -> bool:
        """Whether it should be replaced by what still waits: most of it was written long ago, or it was deleted."""
        deleted = self._file is not None and os.fstat(self._file).st_nlink == 0
        return deleted or self.size > self._room

    def set_aside(self, waiting: WaitingEvent) -> None:
        """Keep an event that the database refuses, for whoever finds out why. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(_for_its_owner(self._aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as file:
            if file.tell() < MOST_ASIDE:
                file.write(_line(waiting))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            if not self._path.exists():
                self.replace([])
            self._file = os.open(self._path, os.O_WRONLY)
        return self._file


def _line(waiting: WaitingEvent) -> bytes:
    # Numbers may be numpy's.
    body = json.dumps(asdict(waiting), default=float, separators=(",", ":")).encode()
    return b"%08x %s\n" % (crc32(body), body)


def _written(path: Path) -> bytes:
    try:
        # What is set aside is zeros; no line holds one.
        return path.read_bytes().partition(b"\0")[0]
    except FileNotFoundError:
        return b""
    except OSError as error:
        log.error("journal.not_read", path=str(path), error=error.strerror)
        return b""


def _read(path: Path) -> Iterator[WaitingEvent]:
    lost = 0
    for line in _written(path).splitlines():
        checksum, _, body = line.partition(b" ")
        try:
            if checksum == b"%08x" % crc32(body):
                yield _WAITING.validate_json(body)
                continue
        except ValidationError:
            pass
        lost += 1
    if lost:
        # One may have been under way when the power went.
        log.error("journal.lines_lost", path=str(path), lines=lost)


def _number(path: Path) -> int:
    found = re.fullmatch(r"worker-(\d{1,6})\.journal", path.name)
    return int(found[1]) if found else -1


def _for_its_owner(path: Path, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
