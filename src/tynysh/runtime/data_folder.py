"""Where an installation keeps its files."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from tynysh.bus.protocol import Bus
from tynysh.bus.sockets import SocketBus, socket_folder
from tynysh.errors import TynyshError

_ANOTHER = "Choose another one with --data or TYNYSH_DATA."
_NAME_ONE = "Name a folder with --data or TYNYSH_DATA."


def expanded(path: Path) -> Path:
    """The path of a data folder with `~` and `~name` replaced; raises TynyshError where there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise TynyshError(
            f"The data folder {path} cannot be used: {path.parts[0]} is nobody's home folder.",
            hint=_ANOTHER,
        ) from None


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder of one installation, and the places in it."""

    root: Path

    @classmethod
    def open(cls, root: Path | None = None) -> "DataFolder":
        """The given folder, TYNYSH_DATA, or the user's data folder; made if missing, for its user only.

        Raises TynyshError where it cannot be made or written.
        """
        named = os.environ.get("TYNYSH_DATA")
        try:
            chosen = root or (
                Path(named) if named else platformdirs.user_data_path("tynysh", appauthor=False)
            )
        except RuntimeError:
            raise TynyshError("This user has no home folder to keep data in.", hint=_NAME_ONE) from None
        chosen = expanded(chosen).absolute()
        folder = cls(chosen)
        try:
            for place in folder.places:
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise TynyshError(
                f"The data folder {chosen} cannot be used: {error.strerror or error}.",
                hint=_ANOTHER,
            ) from None
        if not os.access(chosen, os.W_OK | os.X_OK):
            raise TynyshError(
                f"The data folder {chosen} is not writable.",
                hint=_ANOTHER,
            )
        if folder.run.stat().st_uid != os.getuid():
            raise TynyshError(
                f"The folder {folder.run} belongs to somebody else.",
                hint="Remove it, or choose a shorter --data.",
            )
        return folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one to run this installation; a process that ends, however it ends, makes way.

        Raises TynyshError, which names the other, where somebody runs it already.
        """
        holder, lock = self.root / "running", FileLock(self.root / "running.lock", timeout=0, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            who = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
            raise TynyshError(
                f"The data folder {self.root} is in use: {who} runs Tynysh on it.",
                hint=f"Stop that one first. {_ANOTHER}",
            ) from None
        try:
            # On a full disk nobody is named; that must keep nothing from running.
            with suppress(OSError):
                holder.touch(mode=0o600)
                holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
            yield
        finally:
            lock.release()

    @property
    def database_url(self) -> str:
        """TYNYSH_DATABASE, or the embedded database in this folder."""
        return os.environ.get("TYNYSH_DATABASE") or f"sqlite:///{self.root / 'tynysh.db'}"

    @property
    def places(self) -> tuple[Path, ...]:
        """The folder itself and those in it that hold what is secret."""
        return self.root, self.recordings, self.evidence, self.run

    @property
    def recordings(self) -> Path:
        """Continuous recordings, a folder a camera."""
        return self.root / "recordings"

    @property
    def evidence(self) -> Path:
        """Clips and stills, a folder an incident."""
        return self.root / "evidence"

    @property
    def journal(self) -> Path:
        """Events that wait for the database."""
        return self.root / "journal"

    @property
    def known_sites(self) -> Path:
        """What was to be watched when the database last said so."""
        return self.root / "known-sites.json"

    @property
    def run(self) -> Path:
        """What running processes need to find each other; elsewhere if the path would be too long for sockets."""
        return socket_folder(self.root)

    @property
    def bus(self) -> Bus:
        """The bus of the installation's processes."""
        return SocketBus(self.run)
