"""What `tynysh check`, `apply` and `export` print."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tynysh.commands import site as commands
from tynysh.errors import SiteError
from tynysh.store import record
from tynysh.store.database import Database

RIGHT = """\
sites:
  - name: Pulse
    kind: nightlife
    time_zone: Asia/Almaty
    cameras:
      - name: Door
        main: rtsp://10.0.0.1/main
        credentials: {username: viewer, password: {env: DOOR_PASSWORD}}
"""


Printed = Callable[[], list[str]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Printed:
    """The lines that were printed since it was asked last, on a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "40")

    def lines() -> list[str]:
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.fixture
def known_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOOR_PASSWORD", "x")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(RIGHT)
    return path


@pytest.mark.usefixtures("known_secret")
def test_check_counts_what_is_right(path: Path, printed: Printed) -> None:
    assert commands.check(path) == 0
    assert printed() == [f"{path} is right: 1 site, 1 camera."]


def test_check_notes_secrets_that_are_not_here_without_calling_them_faults(
    path: Path, printed: Printed
) -> None:
    assert commands.check(path) == 0
    assert printed()[0] == "Note: The environment variable DOOR_PASSWORD is not set."


def test_check_prints_each_fault_on_a_line_of_its_own_however_narrow_the_terminal(
    path: Path, printed: Printed
) -> None:
    path.write_text(
        RIGHT.replace("kind: nightlife", "kind: '[bold]disco[/bold]'").replace("rtsp://", "ftp://")
    )
    assert commands.check(path) == SiteError.exit_code
    lines = printed()
    assert len(lines) == 3
    assert lines[0].startswith(f"{path}:3:")
    assert lines[1].startswith(f"{path}:7:15: sites[0].cameras[0].main: ftp: is no kind of video source")
    assert lines[2] == "2 faults found."


def test_apply_shows_what_changes_and_then_nothing(path: Path, printed: Printed, sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    commands.apply(path, database=sqlite_url, dry_run=True)
    assert printed() == [
        "added site pulse (Pulse)",
        "added camera pulse-door (Door)",
        "Nothing was applied: this was a dry run.",
    ]
    commands.apply(path, database=sqlite_url)
    assert printed()[-1] == "Applied: 1 site, 1 camera."
    path.write_text(RIGHT.replace("DOOR_PASSWORD", "OTHER").replace("10.0.0.1", "10.0.0.2"))
    commands.apply(path, database=sqlite_url)
    assert printed() == [
        "camera pulse-door: main from 'rtsp://10.0.0.1/main' to 'rtsp://10.0.0.2/main'",
        "camera pulse-door: credentials.password from environment variable DOOR_PASSWORD to environment variable OTHER",
        "Applied: 1 site, 1 camera.",
    ]
    commands.apply(path, database=sqlite_url)
    assert printed() == ["Nothing changes: 1 site, 1 camera."]
    with database.reading() as session:
        assert [entry.action for entry in record.entries(session)] == ["site.apply", "site.apply"]
    database.close()


def test_export_writes_what_apply_takes(
    path: Path, printed: Printed, sqlite_url: str, tmp_path: Path
) -> None:
    with pytest.raises(SiteError, match="no site in the database"):
        commands.export(database=sqlite_url)
    commands.apply(path, database=sqlite_url)
    printed()
    commands.export(database=sqlite_url)
    again = tmp_path / "again.yaml"
    again.write_text("\n".join(printed()) + "\n")
    commands.apply(again, database=sqlite_url)
    assert printed() == ["Nothing changes: 1 site, 1 camera."]
    commands.export(database=sqlite_url, out=tmp_path / "out.yaml")
    assert (tmp_path / "out.yaml").read_text() == again.read_text()
    with pytest.raises(SiteError, match="cannot be written"):
        commands.export(database=sqlite_url, out=tmp_path / "none" / "out.yaml")


@pytest.mark.usefixtures("known_secret")
def test_check_notes_distances_that_no_camera_can_see_so(path: Path, printed: Printed) -> None:
    """A square of floor as it looks from straight above, one side of which is said to be four times as long."""
    corners = [[0.3, 0.2], [0.7, 0.2], [0.7, 0.9], [0.3, 0.9]]
    sides = [
        f"{{from: {corners[a]}, to: {corners[b]}, metres: {metres}}}"
        for a, b, metres in ((0, 1, 4), (1, 2, 4), (2, 3, 16), (3, 0, 4), (0, 2, 5.7))
    ]
    path.write_text(f"{RIGHT}        calibration: {{distances: [{', '.join(sides)}]}}\n")
    assert commands.check(path) == 0
    note, *_ = printed()
    assert note.startswith("Note: Camera ")
    assert "has no metres: No camera over a level floor sees these lengths so" in note
