"""An installation's files are its user's own, and what cannot be used is told."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tynysh as installed
from tynysh.bus.sockets import PATH_LIMIT
from tynysh.demo.city import MARKER, fresh_folder
from tynysh.errors import TynyshError
from tynysh.runtime.data_folder import DataFolder


def test_the_folder_and_what_is_in_it_are_for_its_user_alone(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path / "new" / "data")
    for place in (folder.root, folder.recordings, folder.evidence, folder.run):
        assert place.is_dir()
        assert place.stat().st_mode & 0o777 == 0o700


def test_the_database_lies_in_it_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TYNYSH_DATABASE", raising=False)
    folder = DataFolder.open(tmp_path)
    assert folder.database_url == f"sqlite:///{tmp_path / 'tynysh.db'}"
    monkeypatch.setenv("TYNYSH_DATABASE", "postgresql://db/tynysh")
    assert folder.database_url == "postgresql://db/tynysh"


def test_sockets_have_a_place_that_is_short_enough(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    folder = DataFolder.open(deep)
    assert len(os.fsencode(folder.run / "worker-63.sock")) <= PATH_LIMIT
    assert folder.run.stat().st_mode & 0o777 == 0o700
    assert DataFolder.open(deep).run == folder.run, "the same for each of its processes"
    assert DataFolder.open(tmp_path / ("e" * 100)).run != folder.run
    folder.run.rmdir()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TynyshError, match="cannot be used") as caught:
        DataFolder.open(tmp_path / "file" / "data")
    assert "--data" in str(caught.value.hint)


SOURCE = str(Path(installed.__file__).parents[1])

HOLDER = """
    import sys, time
    from pathlib import Path
    from tynysh.runtime.data_folder import DataFolder

    with DataFolder.open(Path(sys.argv[1])).alone():
        print("held", flush=True)
        sys.stdin.read()
"""


@contextmanager
def held(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the installation at `root`, until the end at the latest."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(root)],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def tynysh(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: `run` sets up the logs of a whole process."""
    return subprocess.run(
        [sys.executable, "-m", "tynysh", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_two_installations_on_one_folder_refuse_each_other_and_other_commands_do_not(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path / "data")
    with held(tmp_path / "data") as process:
        for name in ("data", "other"):
            refused = tynysh("run", "--data", tmp_path / name, "--port", "8")
            assert refused.returncode == 1
            assert f"process {process.pid} on {socket.gethostname()}" in refused.stderr
            assert "--data" in refused.stderr
        assert tynysh("users", "add", "a", "--role", "admin", "--data", tmp_path / "data").returncode == 0
        assert tynysh("accept-clock", "--data", tmp_path / "data").returncode == 0


def test_a_demo_does_not_empty_the_folder_of_another_that_runs(tmp_path: Path) -> None:
    root = fresh_folder(tmp_path / "demo").root
    with held(root), pytest.raises(TynyshError, match="in use"):
        fresh_folder(root)
    assert (root / MARKER).exists()
    fresh_folder(root)


def test_one_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        process.kill()
        process.wait(10)
        with DataFolder.open(tmp_path).alone():
            assert f"process {os.getpid()} " in (tmp_path / "running").read_text()
    with DataFolder.open(tmp_path).alone():
        pass
