"""The marks of when fights begin can be read, and lie within the clips that they speak of."""

import csv
from pathlib import Path

import pytest

from tynysh.media.reader import VideoFile

MARKS = Path(__file__).parents[2] / "training" / "fight" / "marks.csv"


def marks() -> list[dict[str, str]]:
    with MARKS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_mark_is_of_a_known_kind_and_ends_after_it_begins() -> None:
    for mark in marks():
        assert mark["kind"] in {"fight", "struck", "ground"}
        assert 0.0 <= float(mark["begin_s"]) < float(mark["end_s"])


def test_a_clip_has_one_fight_at_most() -> None:
    fights = [mark["path"] for mark in marks() if mark["kind"] == "fight"]
    assert len(fights) == len(set(fights)) > 0


@pytest.mark.footage
def test_marks_are_of_fight_clips_and_within_them(footage: Path) -> None:
    with (footage / "fights" / "clips.csv").open(newline="", encoding="utf-8") as file:
        fights = {row["path"] for row in csv.DictReader(file) if row["fight"] == "1"}
    for mark in marks():
        assert mark["path"] in fights
        video = VideoFile(footage / "fights" / mark["path"])
        assert float(mark["end_s"]) <= video.duration_s + 0.1, mark
