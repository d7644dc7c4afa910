"""Machines and containers of the field, as people who run such systems reported them."""

import asyncio
import hashlib
import os
import pwd
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.conftest import WORKER, Installation, camera, installation, site, streets  # noqa: F401
from tests.site.test_yaml import RIGHT

from tynysh.bus.workers import Workers
from tynysh.errors import ModelError, TynyshError
from tynysh.perception.models import Models, ModelState
from tynysh.perception.models.cache import cache_folder
from tynysh.perception.models.manifest import Manifest
from tynysh.runtime.data_folder import DataFolder

ROOT = Path(__file__).parents[2]


def test_a_machine_without_time_zones_home_or_language_checks_a_site(tmp_path: Path) -> None:
    """No `/usr/share/zoneinfo` in a slim container: owntracks/docker-recorder#75, ggogel/seafile-containerized#71.
    `TZ` that nothing knows: satomic/copilot-usage-advanced-dashboard#16.
    """
    path = tmp_path / "site.yaml"
    path.write_text(RIGHT.replace("name: Door", "name: Қақпа"), encoding="utf-8")
    bare = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
        "PYTHONTZPATH": "",
        "TZ": '"Europe/Berlin"',
        "LC_ALL": "C",
        "DOOR_PASSWORD": "x",
        "COLUMNS": "200",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tynysh", "check", str(path)],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=120,
    )
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, told
    assert "is right: 1 site, 1 camera." in told
    assert [entry.name for entry in tmp_path.iterdir()] == ["site.yaml"]


@pytest.fixture
def nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service whose user has no entry and no home folder, as systemd's DynamicUser and some clusters have it."""

    def unknown(_: object) -> Any:
        raise KeyError

    for name in [name for name in os.environ if name.startswith(("XDG_", "TYNYSH_"))] + ["HOME"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.chdir(tmp_path)


def test_a_user_without_a_home_is_told_what_to_set_and_gets_no_folder_named_tilde(
    nobodys_home: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that ends at its start because there is no home folder: jaxxstorm/proxyt#44, volkszaehler/mbmd#102,
    compute-blade-community/compute-blade-agent#69. Or one that writes to `/.cache`: i-am-bee/agentstack#611.
    """
    with pytest.raises(ModelError) as without_cache:
        cache_folder()
    assert without_cache.value.hint is not None
    assert "TYNYSH_CACHE" in without_cache.value.hint
    with pytest.raises(TynyshError) as without_data:
        DataFolder.open()
    assert without_data.value.hint is not None
    assert "TYNYSH_DATA" in without_data.value.hint
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("TYNYSH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TYNYSH_DATA", str(tmp_path / "data"))
    assert cache_folder() == tmp_path / "cache"
    assert DataFolder.open().root == tmp_path / "data"


def test_models_that_are_there_are_used_where_nothing_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only container, or a cache that belongs to the user who built the image: google/deepvariant#404,
    OpenShift-Fleet/rehor#229, immich-app/immich#30680.
    """
    weights = b"weights"
    seal = hashlib.sha256(weights).hexdigest()
    toy = {
        "name": "toy",
        "task": "t",
        "licence": "MIT",
        "attribution": "us",
        "file": "toy.onnx",
        "sha256": seal,
        "size": len(weights),
        "package": "carrier",
        "member": "toy.onnx",
        "origin": "here",
    }
    packages = {"carrier": {"version": "1.0", "sha256": seal}}
    models = Models(Manifest.model_validate({"package": packages, "model": [toy]}), tmp_path, None)
    (tmp_path / "toy.onnx").write_bytes(weights)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    for name in ("mkdir", "touch", "write_bytes", "write_text", "replace"):
        monkeypatch.setattr(Path, name, read_only)
    assert models.ensure("toy") == tmp_path / "toy.onnx"
    (tmp_path / "toy.onnx").unlink()
    assert models.locate("toy")[0] is ModelState.MISSING
    with pytest.raises(ModelError, match="Read-only file system") as caught:
        models.ensure("toy")
    assert caught.value.hint is not None
    assert "TYNYSH_CACHE" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small /dev/shm needs root")
async def test_a_worker_needs_no_shared_memory(
    installation: Installation,  # noqa: F811
    streets: Path,  # noqa: F811
) -> None:
    """A container's 64 MiB of `/dev/shm`, and a bus error as soon as cameras are watched: ZoneMinder/zoneminder#1924,
    blakeblackshear/frigate#528, dlandon/zoneminder.machine.learning#106.
    """
    installation.apply(site(camera("north", streets / "street.mp4")))
    small = 'mount -t tmpfs -o size=4k tmpfs /dev/shm && exec "$@"'
    worker = [sys.executable, "-c", textwrap.dedent(WORKER), str(installation.folder.root), installation.url]
    probe = subprocess.run(
        ["unshare", "--mount", "sh", "-c", small, "sh", "true"], check=False, capture_output=True
    )
    if probe.returncode:
        pytest.skip("this machine does not let us mount a small /dev/shm")
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    with (installation.folder.root / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", small, "sh", *worker],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdout=log,
            stderr=log,
        )
    try:
        workers = Workers(installation.folder.bus)
        async with asyncio.timeout(60):
            while True:
                assert process.poll() is None, (installation.folder.root / "worker.log").read_text()[-2000:]
                north = (await workers.status()).get("north")
                if north is not None and north.counters.frames_analysed > 20:
                    break
                await asyncio.sleep(0.1)
    finally:
        process.kill()
        process.wait(10)
