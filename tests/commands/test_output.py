"""Tables are whole where a program reads them, and readable in a terminal of 80 columns."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text
from tests.drawn_videos import Tynysh

from tynysh.cli import run_command
from tynysh.commands.output import print_table
from tynysh.runtime import thresholds
from tynysh.site.apply import apply
from tynysh.site.yaml import load
from tynysh.store import record
from tynysh.store.database import Database
from tynysh.store.migrate import migrate

LONG = "a/very/long/path/" * 8 + "film.mp4"
STYLE = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have what is printed from now on be for a terminal of 80 columns."""

    def become() -> None:
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
        monkeypatch.setenv("COLUMNS", "80")

    return become


def lines_of(printed: str) -> list[str]:
    return [line.rstrip() for line in STYLE.sub("", printed).splitlines()]


def test_a_program_gets_every_cell_whole_on_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_table(("file", "score"), [(LONG, "0.50"), None, ("b.mp4", "0.25")], right=(1,))
    heading, _, first, _, second = lines_of(capsys.readouterr().out)
    assert heading.split("┃")[0].strip() == "file"
    assert first.strip() == f"{LONG} │  0.50"
    assert second.endswith("│  0.25")


def test_a_terminal_gets_long_words_folded_and_short_ones_whole(
    capsys: pytest.CaptureFixture[str], narrow: Callable[[], None]
) -> None:
    narrow()
    print_table(("file", "score"), [(LONG, "0.50")], right=(1,))
    lines = lines_of(capsys.readouterr().out)
    assert max(map(len, lines)) <= 80
    assert "".join(line.split("│")[0].strip() for line in lines if "│" in line) == LONG
    assert sum("0.50" in line for line in lines) == 1


def test_where_not_even_words_fit_each_row_is_told_line_by_line(
    capsys: pytest.CaptureFixture[str], narrow: Callable[[], None]
) -> None:
    narrow()
    names = tuple(f"a heading number {number}" for number in range(12))
    print_table(names, [("1",) * 12, ("", *("2",) * 11)])
    lines = lines_of(capsys.readouterr().out)
    assert lines[:2] == ["a heading number 0: 1", "a heading number 1: 1"]
    assert lines[12:14] == ["", "a heading number 1: 2"], "what is empty is left out"


def test_cells_are_no_markup_and_keep_their_style(
    capsys: pytest.CaptureFixture[str], narrow: Callable[[], None]
) -> None:
    print_table(("name", "state"), [("[red]:door:[/]", Text("here", "green"))])
    assert "[red]:door:[/] │ here" in capsys.readouterr().out
    narrow()
    print_table(("name", "state"), [("[red]:door:[/]", Text("here", "green"))])
    assert "[red]:door:[/]" in capsys.readouterr().out


@pytest.fixture
def data(tmp_path: Path, street_site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a learnt threshold, a user and two entries of the record, one of a long object."""
    monkeypatch.delenv("TYNYSH_DATABASE", raising=False)
    folder = tmp_path / "data"
    assert run_command(["users", "add", "aigerim", "--role", "operator", "--data", str(folder)]) == 0
    database = Database.open(folder / "tynysh.db")
    migrate(database)
    street_site.write_text(
        street_site.read_text().replace("intrusion: {zones: [gate], schedule: never}", "fight: {}")
    )
    site = load(street_site)
    apply(site, database, now=1e6, user="aigerim")
    thresholds.learn_all(database, site, now=1e6)
    with database.writing() as session:
        record.append(session, now=2e6, user="aigerim", action="clip.view", object=f"folder:{LONG}")
    database.close()
    return folder


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("models", "list"), ("Model", "yolox-tiny-person")),
        (("users", "list"), ("Name", "aigerim", "must change password")),
        (("audit", "list"), ("when (UTC)", "clip.view", f"folder:{LONG}")),
        (("tune",), ("verified, found again", "street-north", "0.91 (floor 0.60)")),
    ],
)
def test_what_is_listed_is_whole_when_piped_and_fits_a_terminal(
    command: tuple[str, ...],
    words: tuple[str, ...],
    data: Path,
    capsys: pytest.CaptureFixture[str],
    narrow: Callable[[], None],
) -> None:
    call = [*command, *(() if command[0] == "models" else ("--data", str(data)))]
    capsys.readouterr()
    assert run_command(call) == 0
    piped = capsys.readouterr().out
    assert all(any(word in line for line in piped.splitlines()) for word in words)
    assert "…" not in piped
    narrow()
    assert run_command(call) == 0
    shown = lines_of(capsys.readouterr().out)
    assert max(map(len, shown)) <= 80
    assert not [line for line in shown if "…" in line]
    assert words[1] in "\n".join(shown)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("analyze",), ("street.mp4", "Intrusion", "0:08.0")),
        (("bench",), ("decoding alone", "CPU-ms per s of video")),
        (("tune",), ("its false alarms a day", "fight", "learning")),
        (("evaluate", "footage"), ("Person down", "Happenings", "In all")),
    ],
)
def test_what_was_found_in_videos_is_whole_when_piped_and_fits_a_terminal(
    command: tuple[str, ...],
    words: tuple[str, ...],
    street: Path,
    street_site: Path,
    tmp_path: Path,
    tynysh: Tynysh,
    narrow: Callable[[], None],
) -> None:
    video = street
    if command[0] == "evaluate":
        street_site.write_text(
            street_site.read_text().replace("analysers:\n", "analysers:\n        person_down: {}\n")
        )
        video = tmp_path / "LABELS.csv"
        video.write_text(f"file,start,end,behaviour\n{street},0,8,intrusion\n{street},2,4,person_down\n")
    # Without a site, what is watched for is what alarm budgets are for.
    call = (*command, video, *(() if command[0] == "tune" else ("--site", street_site, "--camera", "north")))
    piped = tynysh(*call).out
    assert all(any(word in line for line in piped.splitlines()) for word in words)
    narrow()
    shown = lines_of(tynysh(*call).out)
    table = [line for line in shown if "│" in line or re.match(r"[a-z, ]+: ", line)]
    assert table
    assert max(len(line) for line in table if "│" in line) <= 80
    assert not [line for line in shown if "…" in line]


def test_a_real_terminal_of_80_columns_is_not_overrun(data: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tynysh", "audit", "list", "--data", data],
        stdout=follower,
        stderr=follower,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(follower)
    output = b""
    try:
        while part := os.read(leader, 4096):
            output += part
    except OSError:
        # So Linux says that the other end was closed.
        pass
    os.close(leader)
    assert process.wait(timeout=60) == 0
    lines = lines_of(output.decode())
    assert max(map(len, lines)) <= 80
    assert any("clip.view" in line for line in lines)
