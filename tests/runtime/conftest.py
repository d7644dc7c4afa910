"""A worker of an installation, with a real database and folder, and a stand-in for the networks."""

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.runtime.street import CoatDetector, write_street

from tynysh.perception.detector import Detector
from tynysh.runtime.camera_runner import HANG_S
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.networks import Networks
from tynysh.runtime.worker import Rhythm, Worker
from tynysh.site.apply import apply
from tynysh.site.site import SiteFile
from tynysh.store.database import Database, Patience

QUIET = {name: {"enabled": False} for name in ("fight", "aggression", "person_down", "camera_fault")}
GATE = {"name": "gate", "kind": "protected", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}


def camera(name: str, main: str | Path, **more: Any) -> dict[str, Any]:
    """A camera on which nobody may be anywhere."""
    watched = {**QUIET, "intrusion": {"zones": ["gate"]}}
    return {"name": name, "id": name, "main": str(main), "zones": [GATE], "analysers": watched, **more}


def site(*cameras: dict[str, Any], **more: Any) -> SiteFile:
    """One site with short clips."""
    values = {
        "name": "Street",
        "kind": "street",
        "time_zone": "Asia/Almaty",
        "clip": {"before_s": 3, "after_s": 3},
        "cameras": list(cameras),
        **more,
    }
    return SiteFile.model_validate({"sites": [values]})


WORKER = """
    import faulthandler, sys, threading
    from pathlib import Path
    from random import Random
    from tests.runtime.street import CoatDetector
    from tynysh.runtime.data_folder import DataFolder
    from tynysh.runtime.networks import Networks
    from tynysh.runtime.worker import Worker
    from tynysh.store.database import Database

    faulthandler.enable()
    root, url = sys.argv[1:]
    networks = Networks(detector=CoatDetector(), pose=None)
    Worker(0, 1, DataFolder.open(Path(root)), Database.open(url), networks, Random(3)).run(
        threading.Event()
    )
"""
"""The program of a worker in a process of its own."""


HASTY = Patience(reach_s=1.0, turn_s=2.0, answer_s=3.0)
"""A database that is away is away in a second."""


class Installation:
    """A data folder with its database."""

    def __init__(self, root: Path, url: str) -> None:
        self.folder = DataFolder.open(root)
        self.url = url
        self.database = Database.open(url)

    def apply(self, site_file: SiteFile) -> None:
        """Make the database say what a site file says."""
        apply(site_file, self.database, now=1.0, user="installer")

    @contextmanager
    def worker(
        self,
        *,
        detector: Detector | None = None,
        number: int = 0,
        of: int = 1,
        hang_s: float = HANG_S,
        patience_s: float = 300.0,
    ) -> Iterator[Worker]:
        """A worker at work, in a thread."""
        networks = Networks(detector=detector or CoatDetector(), pose=None)  # type: ignore[arg-type]
        database = Database.open(self.url, patience=HASTY, there=False)
        rhythm = Rhythm(round_s=0.3, figures_s=0.3, retry_first_s=0.2, hang_s=hang_s, patience_s=patience_s)
        worker = Worker(number, of, self.folder, database, networks, Random(7), rhythm)
        stop = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                worker.run(stop)
            except BaseException as error:  # noqa: BLE001 - told to the test
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            thread.join(30)
            database.close()
        assert not thread.is_alive()
        assert not failures, failures

    @contextmanager
    def worker_process(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker at work, in a process of its own that is killed at the end."""
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        with (self.folder.root / "worker.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(WORKER), str(self.folder.root), self.url],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment},
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


@pytest.fixture
def installation(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.setattr("tynysh.evidence.clip_maker.LOOK_S", 0.2)
    made = Installation(tmp_path / "data", sqlite_url)
    yield made
    made.database.close()


@pytest.fixture(scope="session")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `street.mp4`, ten seconds in which somebody walks, and `empty.mp4`, in which nobody does."""
    folder = tmp_path_factory.mktemp("streets")
    write_street(folder / "street.mp4", seconds=10)
    write_street(folder / "empty.mp4", seconds=4, empty=True)
    return folder
