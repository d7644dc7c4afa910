"""`tynysh run` watches what was watched before where its database cannot be reached."""

import threading
from pathlib import Path

import pytest
from tests.runtime.conftest import camera, site
from tests.servers import free_port

from tynysh.commands import models
from tynysh.commands.run import prepare
from tynysh.periodic import PeriodicThread
from tynysh.runtime.known_sites import KnownSites
from tynysh.runtime.service import ServiceOptions
from tynysh.store.database import AwayError


def test_a_database_that_is_away_keeps_only_those_from_starting_who_never_had_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(models, "pull_missing", lambda: None)
    away = f"postgresql://tynysh:hunter2@127.0.0.1:{free_port()}/tynysh"
    options = ServiceOptions(None, tmp_path, away, port=free_port())
    with pytest.raises(AwayError):
        prepare(options)
    KnownSites(tmp_path / "known-sites.json").keep(site(camera("north", "rtsp://10.0.0.1/1")))
    prepare(options)
    for thread in threading.enumerate():
        if isinstance(thread, PeriodicThread) and thread.name == "database":
            thread.stop()
    said = capsys.readouterr()
    assert "Starting with the cameras of last time" in said.out + said.err
    assert "hunter2" not in said.out + said.err
