"""A machine with old time zones does not put schedules off by an hour, and is told of."""

import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from tynysh.site.time_zones import version_of

ALMATY = "sites:\n  - name: M\n    kind: market\n    time_zone: Asia/Almaty\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder of time zones of before 2024, when Almaty was at UTC+6."""
    folder = tmp_path / "zones"
    (folder / "Asia").mkdir(parents=True)
    # Always at UTC+6, as Almaty was.
    shutil.copy(str(files("tzdata.zoneinfo") / "Asia" / "Bishkek"), folder / "Asia" / "Almaty")
    return folder


def checked(folder: Path, tmp_path: Path) -> str:
    site = tmp_path / "site.yaml"
    site.write_text(ALMATY)
    environment = {**os.environ, "PYTHONTZPATH": f"{folder}:/usr/share/zoneinfo"}
    command = [sys.executable, "-m", "tynysh", "check", site]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return answer.stdout


def test_check_tells_of_old_time_zones_and_that_newer_ones_are_used(old: Path, tmp_path: Path) -> None:
    note, right = checked(old, tmp_path).splitlines()
    assert note.startswith("Note: Asia/Almaty is UTC+0500 by tzdata 20")
    assert "UTC+0600 by the time zones of this machine" in note
    assert "of unknown age" in note
    assert right.endswith("is right: 1 site, 0 cameras.")


@pytest.mark.parametrize(("version", "hours"), [("9999a", "6"), ("2023c", "5"), (None, "5")])
def test_the_newer_time_zones_are_used(old: Path, version: str | None, hours: str) -> None:
    if version:
        (old / "tzdata.zi").write_text(f"# version {version}\nR x\n")
    program = (
        "from tynysh.site.time_zones import use_newest; use_newest()\n"
        "from datetime import datetime; from zoneinfo import ZoneInfo\n"
        "print(datetime(2026, 1, 1, tzinfo=ZoneInfo('Asia/Almaty')).utcoffset())"
    )
    environment = {**os.environ, "PYTHONTZPATH": str(old)}
    used = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert used.stdout.strip() == f"{hours}:00:00"


def test_the_version_of_time_zones_is_read(tmp_path: Path) -> None:
    (tmp_path / "tzdata.zi").write_text("# version 2025b\n# more\n")
    assert version_of(tmp_path) == "2025b"
    assert version_of(tmp_path / "nowhere") is None
