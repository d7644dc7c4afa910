"""Thresholds are proposed from recordings, and shown as the running system learnt them."""

import json
from pathlib import Path

import pytest
from tests.drawn_videos import Tynysh, write_square

from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.runtime import thresholds
from tynysh.site.apply import apply
from tynysh.site.yaml import load
from tynysh.store.database import Database
from tynysh.store.migrate import migrate


def test_a_quiet_recording_is_too_short_to_tell_and_says_so(
    street: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    out = tmp_path / "tune.json"
    result = tynysh("tune", street, "--budget", 2, "--json", out)
    assert result.code == 0
    assert "budget 2 false alarms a day" in result.out
    assert "learning: too little watched to tell" in result.out
    assert "fight: {threshold: 0.50}" in result.out
    figures = json.loads(out.read_text())
    assert figures["quiet_hours"] == pytest.approx(8 / 3600, rel=0.2)
    assert [level["threshold"] for level in figures["behaviours"]["fight"]["levels"]] == LEVELS.tolist()


def test_alarms_of_labelled_happenings_are_found_and_others_are_false(tmp_path: Path, tynysh: Tynysh) -> None:
    """On the square people strike each other; once the list says so, and once it says that nothing happens."""
    square = write_square(tmp_path / "square.mp4", 10.0, 19.0)

    def figures(row: str) -> dict:
        labels, out = tmp_path / "square.csv", tmp_path / "tune.json"
        labels.write_text(f"file,start,end,behaviour\n{square},{row}\n")
        assert tynysh("tune", labels, "--json", out, "--budget", 0.5).code == 0
        return json.loads(out.read_text())

    quiet, with_events = figures(",,"), figures("0,9,fight")
    lowest = quiet["behaviours"]["fight"]["levels"][0]
    assert lowest["false_alarms"] >= 1
    assert with_events["behaviours"]["fight"]["levels"][0]["false_alarms"] == 0
    assert (
        with_events["behaviours"]["fight"]["levels"][0]["found"]
        == with_events["behaviours"]["fight"]["happenings"]
        == 1
    )
    assert with_events["quiet_hours"] == 0.0
    assert quiet["behaviours"]["fight"]["standing"] in {"raised", "floor"}


def test_what_cannot_be_used_is_one_clear_error(street: Path, tmp_path: Path, tynysh: Tynysh) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("file,start,end,behaviour\n")
    assert "LABELS.csv stands alone" in tynysh("tune", labels, street).err
    missing = tynysh("tune", tmp_path / "gone.mp4")
    assert missing.code != 0
    assert "gone.mp4" in missing.err


def test_what_was_learnt_is_shown(street_site: Path, tmp_path: Path, tynysh: Tynysh) -> None:
    data = tmp_path / "data"
    nothing = tynysh("tune", "--data", data)
    assert "Nothing has been learnt yet" in nothing.out
    database = Database.open(data / "tynysh.db")
    migrate(database)
    text = street_site.read_text().replace("intrusion: {zones: [gate], schedule: never}", "fight: {}")
    street_site.write_text(text)
    site = load(street_site)
    apply(site, database, now=1e6, user="aigerim")
    thresholds.learn_all(database, site, now=1e6)
    database.close()
    shown = tynysh("tune", "--data", data)
    rows = [line for line in shown.out.splitlines() if "street-north" in line]
    assert len(rows) == 1
    assert "fight" in rows[0]
    assert "learning" in rows[0]
    assert "0.91 (floor 0.60)" in rows[0]
