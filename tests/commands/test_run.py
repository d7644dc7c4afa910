"""Before anything is started, whoever starts it is told what others could read or change."""

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.runtime.conftest import camera
from tests.runtime.conftest import site as site_of
from tests.servers import free_port

from tynysh.cli import run_command
from tynysh.commands import models
from tynysh.commands.run import prepare
from tynysh.periodic import PeriodicThread
from tynysh.runtime.known_sites import KnownSites
from tynysh.runtime.service import ServiceOptions, console_environment, worker_environment
from tynysh.store.database import AwayError

SITE = """
sites:
  - name: Club
    kind: nightlife
    time_zone: Asia/Almaty
    cameras:
      - name: door
        main: rtsp://127.0.0.1:9/door
        credentials: {{username: viewer, password: {{file: {0}}}}}
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What is said on the standard error where an installation with these options is prepared."""
    monkeypatch.setattr("tynysh.commands.models.pull_missing", lambda: None)
    monkeypatch.delenv("TYNYSH_TRUSTED_PROXIES", raising=False)
    monkeypatch.delenv("TYNYSH_DATABASE", raising=False)

    def prepared(site: Path | None = None, host: str = "127.0.0.1") -> list[str]:
        prepare(ServiceOptions(site, tmp_path / "data", None, host, free_port()))
        return [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]

    return prepared


def site_with(secret: Path) -> Path:
    secret.write_text("hunter2\n")
    path = secret.with_name("site.yaml")
    path.write_text(SITE.format(secret))
    return path


def test_nothing_is_said_where_all_is_well(told, tmp_path: Path) -> None:
    site = site_with(tmp_path / "secret")
    (tmp_path / "secret").chmod(0o600)
    assert told(site) == []
    (tmp_path / "secret").chmod(0o640)
    assert told() == [], "a group that was chosen for it"


@pytest.mark.parametrize(("mode", "what"), [(0o666, "change"), (0o644, "read"), (0o660, "change")])
def test_a_secrets_file_open_to_others_is_told_in_a_sentence(
    told, tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int, what: str
) -> None:
    site = site_with(tmp_path / "secret")
    (tmp_path / "secret").chmod(mode)
    sentence = f"Others than its owner may {what} {tmp_path / 'secret'} (mode {mode:04o}): run `chmod go-rwx"
    for given in (site, None):
        (warning,) = told(given)
        assert sentence in warning
    assert run_command(["check", str(site)]) == 0
    assert f"Note: {sentence}" in capsys.readouterr().out


def test_a_site_file_that_others_may_change_is_told(told, tmp_path: Path) -> None:
    site = site_with(tmp_path / "secret")
    (tmp_path / "secret").chmod(0o600)
    site.chmod(0o666)
    (warning,) = told(site)
    assert f"may change {site} (mode 0666): run `chmod o-w" in warning
    site.chmod(0o664)
    assert told(site) == []


def test_a_data_folder_open_to_others_is_told(told, tmp_path: Path) -> None:
    told()
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "data" / "evidence").chmod(0o777)
    warnings = told()
    assert [f"may read {tmp_path / 'data'} (" in warning for warning in warnings] == [True, False]
    assert f"may change {tmp_path / 'data' / 'evidence'} (" in warnings[1]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104
def test_listening_for_other_machines_without_encryption_is_told(told, monkeypatch, host: str) -> None:
    (warning,) = told(host=host)
    assert f"listens on {host} without encryption" in warning
    assert "TYNYSH_TRUSTED_PROXIES" in warning
    monkeypatch.setenv("TYNYSH_TRUSTED_PROXIES", "10.0.0.5")
    assert told(host=host) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_listening_for_this_machine_alone_is_not(told, host: str) -> None:
    assert told(host=host) == []


def test_no_process_is_told_what_it_has_no_use_for() -> None:
    given = {
        "PATH": "/bin",
        "LC_ALL": "kk_KZ.UTF-8",
        "TYNYSH_DATA": "/data",
        "TYNYSH_DATABASE": "postgresql://tynysh@db/tynysh",
        "TYNYSH_DATABASE_PASSWORD": "of the database",
        "TYNYSH_METRICS_TOKEN": "of the figures",
        "DOOR_PASSWORD": "of a camera",
        "TYNYSH_DOOR_PASSWORD": "of another camera",
    }
    console, worker = console_environment(given), worker_environment(given)
    assert set(given) - set(console) == {"DOOR_PASSWORD", "TYNYSH_DOOR_PASSWORD"}
    assert set(given) - set(worker) == {"TYNYSH_METRICS_TOKEN"}


def test_as_many_descriptors_as_the_system_grants_are_used() -> None:
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4096)
    raising = """if True:
        import resource
        from tynysh.runtime.service import _raise_descriptor_limit
        _raise_descriptor_limit()
        print(*resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    said = subprocess.run(
        [sys.executable, "-c", raising],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)),
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    ).stdout
    assert said.split() == [str(hard), str(hard)]


def test_a_database_that_is_away_keeps_only_those_from_starting_who_never_had_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(models, "pull_missing", lambda: None)
    away = f"postgresql://tynysh:hunter2@127.0.0.1:{free_port()}/tynysh"
    options = ServiceOptions(None, tmp_path, away, port=free_port())
    with pytest.raises(AwayError):
        prepare(options)
    KnownSites(tmp_path / "known-sites.json").keep(site_of(camera("north", "rtsp://10.0.0.1/1")))
    prepare(options)
    for thread in threading.enumerate():
        if isinstance(thread, PeriodicThread) and thread.name == "database":
            thread.stop()
    said = capsys.readouterr()
    assert "Starting with the cameras of last time" in said.out + said.err
    assert "hunter2" not in said.out + said.err
