"""LABELS.csv says what happens where; what is wrong with it is told all at once, by line and column."""

import re
from pathlib import Path

import pytest

from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.csv_input import MOST_FAULTS, ListError
from tynysh.evaluation.labels import Label, labels_csv, read_labels, seconds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4", "hall/c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def listing(folder: Path, *lines: str, header: str = "file,start,end,behaviour") -> Path:
    path = folder / "LABELS.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ListError) as caught:
        read_labels(path)
    assert caught.value.exit_code == 3
    return caught.value.message.replace(f"{path}:", "").splitlines()


@pytest.mark.parametrize(
    ("mistakes", "meant"),
    [
        ("0", 0.0),
        ("12.5", 12.5),
        ("12,5", 12.5),
        ("0:05", 5.0),
        ("90:00", 5400.0),
        ("1:02:03.5", 3723.5),
        (".5", 0.5),
    ],
)
def test_times_are_seconds_or_clock_times(mistakes: str, meant: float) -> None:
    assert seconds(mistakes) == meant


@pytest.mark.parametrize("mistakes", ["", "-1", "1:60", "1:60:00", "1h", "1:2:3:4", "nan", "1e3", "٣"])
def test_other_times_are_refused(mistakes: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(mistakes)}$"):
        seconds(mistakes)


def test_a_file_has_all_its_happenings_and_a_file_without_has_none(folder: Path) -> None:
    path = listing(folder, "a.mp4,10,0:20,fight", "b.mp4,,,", "a.mp4,1:00:00,1:00:05,Person_Down")
    first, second = read_labels(path)
    assert [(label.behaviour, label.start_s, label.end_s) for label in first.labels] == [
        (Behaviour.FIGHT, 10.0, 20.0),
        (Behaviour.PERSON_DOWN, 3600.0, 3605.0),
    ]
    assert first.labels[1].where == f"{path}:4"
    assert (second.path, second.labels) == ("b.mp4", ())


def test_the_camera_is_told_or_is_the_folder_or_the_file(folder: Path) -> None:
    path = listing(folder, "a.mp4,,,,", "hall/c.mp4,1,2,fight,", header="file,start,end,behaviour,camera")
    assert [(one.camera, one.own_camera) for one in read_labels(path)] == [("a", None), ("hall", None)]
    path = listing(folder, "a.mp4,,,,Gate", header="file,start,end,behaviour,camera")
    assert [(one.camera, one.own_camera) for one in read_labels(path)] == [("Gate", "Gate")]


def test_lists_from_spreadsheets_with_semicolons_and_decimal_commas_are_read(folder: Path) -> None:
    path = folder / "LABELS.csv"
    path.write_bytes("\ufefffile;start;end;behaviour\r\na.mp4;1,5;3,25;fight\r\n".encode())
    (recording,) = read_labels(path)
    assert recording.labels == (Label(Behaviour.FIGHT, 1.5, 3.25, f"{path}:2"),)


def test_every_fault_is_told_with_line_and_column(folder: Path) -> None:
    path = listing(
        folder,
        "none.mp4,1,2,fight",
        ",1,2,fight",
        "a.mp4,soon,2,fight",
        "a.mp4,1,,fight",
        "a.mp4,5,5,fight",
        "a.mp4,1,2,quarrel",
        "a.mp4,1,2,",
        "b.mp4,1,2,recording_fault",
    )
    mistakes = faults(path)
    assert [fault.split(" ")[0] for fault in mistakes] == [
        "2:1:",
        "3:1:",
        "4:2:",
        "5:3:",
        "6:3:",
        "7:4:",
        "8:4:",
        "9:4:",
    ]
    assert "none.mp4" in mistakes[0]
    assert "'soon'" in mistakes[2]
    assert "choose of crush_risk, fight" in mistakes[5]


def test_a_file_in_which_nothing_happens_has_no_happenings(folder: Path) -> None:
    (mistake,) = faults(listing(folder, "a.mp4,,,", "a.mp4,1,2,fight"))
    assert mistake.startswith("2: nothing happens in a.mp4")


def test_a_file_has_one_camera(folder: Path) -> None:
    path = listing(folder, "a.mp4,1,2,fight,x", "a.mp4,3,4,fight,y", header="file,start,end,behaviour,camera")
    (mistake,) = faults(path)
    assert mistake.startswith("3:5: the camera is 'y'")


def test_no_more_faults_are_told_than_anybody_reads(folder: Path) -> None:
    mistakes = faults(listing(folder, *["a.mp4,1,2,x"] * 30))
    assert len(mistakes) == MOST_FAULTS + 1
    assert mistakes[-1] == "and 10 more."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", ":1: there is no column file and no column start and no column end and no column behaviour"),
        (b"file,start,end,behaviour\n", "lists no files"),
        (b"\xff\xfe\x00", "not a CSV file in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(folder: Path, content: bytes, problem: str) -> None:
    path = folder / "LABELS.csv"
    path.write_bytes(content)
    with pytest.raises(ListError) as caught:
        read_labels(path)
    assert problem in caught.value.message


def test_what_is_written_is_read_back(folder: Path) -> None:
    lines = ('a.mp4,10,20,fight,"Door, north"', "b.mp4,,,,gate", 'a.mp4,3600.5,3605,aggression,"Door, north"')
    read = read_labels(listing(folder, *lines, header="file,start,end,behaviour,camera"))
    path = folder / "again.csv"
    path.write_text(labels_csv(read), encoding="utf-8")
    again = read_labels(path)
    assert [(one.path, one.camera) for one in again] == [("a.mp4", "Door, north"), ("b.mp4", "gate")]
    assert [[(x.behaviour, x.start_s, x.end_s) for x in one.labels] for one in again] == [
        [(x.behaviour, x.start_s, x.end_s) for x in one.labels] for one in read
    ]
