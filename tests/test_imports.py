"""No program of ours takes its modules from the folder that it happens to be started in."""

import importlib.metadata
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SITE = """
sites:
  - name: Club
    kind: nightlife
    time_zone: Asia/Almaty
    country_holidays: KZ
    cameras:
      - name: door
        main: rtsp://127.0.0.1:9/door
"""
PROGRAM = """
import multiprocessing
import sys
import tynysh.cli

if __name__ == "__main__":
    try:
        tynysh.cli.main()
    except SystemExit as ended:
        assert not ended.code
    child = multiprocessing.get_context("spawn").Process(target=print)
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""
SUPERVISED = """
import sys
from random import Random
from tynysh.bus.workers import Workers
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.supervisor import Supervisor
import os

supervisor = Supervisor(Random(1), Workers(DataFolder.open().bus))
supervisor.add("child", *sys.argv[1:], environment=os.environ)
sys.exit(supervisor.run())
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with a module of each name that anything might import, which tells that it was."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in sys.stdlib_module_names | set(importlib.metadata.packages_distributions()):
        if name.isidentifier() and name != "tynysh":
            (folder / f"{name}.py").write_text(
                f"import sys; sys.stderr.write('taken: {name}\\n'); raise ImportError"
            )
    (folder / "site.yaml").write_text(SITE)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "TYNYSH_DATA": str(folder.parent / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_as_a_module(hostile: Path) -> None:
    # What Python itself needs for `-m`, before it comes to us, is no matter of ours.
    for name in run(hostile, "-P", "-c", "import runpy, sys; print(*sys.modules)").stdout.split():
        (hostile / f"{name}.py").unlink(missing_ok=True)
    finished = run(hostile, "-m", "tynysh", "check", "site.yaml")
    assert finished.returncode == 0, finished.stderr
    assert "taken" not in finished.stderr


def test_the_command_by_its_name_and_the_processes_that_it_starts(hostile: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    finished = run(hostile, str(program), "check", "site.yaml")
    assert finished.returncode == 0, finished.stderr
    assert "taken" not in finished.stderr


def test_the_children_of_the_supervisor(hostile: Path) -> None:
    # A site file that is wrong: only after it has read all is there no use in another start.
    (hostile / "wrong.yaml").write_text(textwrap.dedent(SITE).replace("rtsp:", "xyz:"))
    finished = run(hostile, "-P", "-c", SUPERVISED, "check", "wrong.yaml")
    assert finished.returncode == 3, finished.stderr
    assert "xyz" in finished.stdout
    assert "taken" not in finished.stderr
