"""Whatever stands in a list of videos, the answer is its rows or a list of faults that people can read."""

import math
from pathlib import Path

import pytest
from hypothesis import strategies as st
from tests.fuzz.effort import in_time, try_all
from tests.fuzz.memory import within

from tynysh.behaviour.registry import ANALYSERS
from tynysh.errors import TynyshError
from tynysh.evaluation.csv_input import LARGEST_BYTES, ListError
from tynysh.evaluation.fights import read_clips
from tynysh.evaluation.labels import Recording, labels_csv, read_labels

HEAD = "file,start,end,behaviour"
CELLS = st.one_of(
    st.sampled_from(
        [
            *("a.mp4", "b.mp4", "", ".", "..", "/", "a" * 300, "a/" * 3000, "a\0.mp4", "~/a.mp4", "кадр.mp4"),
            *(
                "0",
                "1",
                "-1",
                "1e9",
                "nan",
                "inf",
                "1:05",
                "1:99:00",
                "0:60",
                "9" * 400,
                f"{'9' * 400}:00",
                "٣",
            ),
            *(f"{'9' * 400}:00:00", "1,5", *list(ANALYSERS)[:3], "FIGHT", "x" * 200_000, "#", "=1+1"),
            *('"', '"a"', '""', "\x0b", "\u2028", "\r", "\n"),
        ]
    ),
    st.text(max_size=5),
)
ROWS = st.lists(st.lists(CELLS, max_size=7), max_size=6)
HEADS = st.one_of(
    st.sampled_from(
        [HEAD, HEAD, HEAD, f"{HEAD},camera", f"{HEAD},file", "path,fight", HEAD.upper(), "", "sep=,", ",,,"]
    ),
    st.text(max_size=20),
)


@st.composite
def lists(draw: st.DrawFn) -> bytes:
    """A list of videos with cells, separators, line ends and an encoding of every kind."""
    mark = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\x85"]))
    lines = [draw(HEADS).replace(",", mark), *(mark.join(row) for row in draw(ROWS))]
    code = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1251"]))
    return end.join(lines).encode(code, "replace" if code == "cp1251" else "surrogatepass")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two files that a list may name."""
    folder = tmp_path_factory.mktemp("lists")
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(b"video")
    return folder


def answer(folder: Path, content: bytes) -> list[Recording] | TynyshError:
    """What is made of a list, which must be one of two things."""
    path = folder / "list.csv"
    path.write_bytes(content)
    try:
        recordings = read_labels(path)
    except ListError as error:
        assert len(error.message) < 20_000
        assert error.message.startswith(str(path))
        return error
    assert recordings
    for recording in recordings:
        assert recording.file.exists()
        assert all(0 <= label.start_s < label.end_s < math.inf for label in recording.labels)
    return recordings


@pytest.mark.torture
def test_a_list_is_right_or_told_what_is_wrong_with_it(folder: Path) -> None:
    def both(content: bytes) -> None:
        found = answer(folder, content)
        if isinstance(found, list):
            (folder / "again.csv").write_text(labels_csv(found), newline="")
            again = read_labels(folder / "again.csv")
            assert [recording.file for recording in again] == [recording.file for recording in found]
        try:
            read_clips(folder / "list.csv")
        except ListError as error:
            assert error.message.startswith(str(folder / "list.csv"))

    try_all(both, lists(), examples=150)


@pytest.mark.parametrize("times", [f"0,{'9' * 400}", f"0,{'9' * 400}:00", f"0,{'9' * 400}:00:00"])
def test_a_time_beyond_all_measure_is_told(folder: Path, times: str) -> None:
    error = answer(folder, f"{HEAD}\na.mp4,{times},fight\n".encode())
    assert isinstance(error, ListError)
    assert ":2:3: end is '999" in error.message


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000])
def test_a_name_that_no_file_can_have_is_told(folder: Path, name: str) -> None:
    error = answer(folder, f"{HEAD}\n{name},0,1,fight\n".encode())
    assert isinstance(error, ListError)
    assert ":2:1: File name too long: " in error.message
    (folder / "clips.csv").write_text(f"path,fight\n{name},1\n")
    with pytest.raises(ListError, match=r"clips\.csv:2: File name too long: "):
        read_clips(folder / "clips.csv")


def test_a_quotation_mark_that_is_never_closed_is_told_with_its_line(folder: Path) -> None:
    rows = "a.mp4,0,1,fight\n" * 9_000
    error = answer(folder, f'{HEAD}\n{rows}"a.mp4,0,1,fight\n{rows}'.encode())
    assert isinstance(error, ListError)
    assert error.hint is not None
    assert "quotation mark" in error.hint


def test_a_column_that_is_there_twice_is_told(folder: Path) -> None:
    error = answer(folder, f"{HEAD},start\na.mp4,0,1,fight,5\n".encode())
    assert isinstance(error, ListError)
    assert "there are two columns start" in error.message


def test_a_line_break_within_quotation_marks_belongs_to_the_name(folder: Path) -> None:
    (folder / "two\nlines.mp4").write_bytes(b"video")
    (recording,) = answer(folder, f'{HEAD}\n"two\nlines.mp4",0,1,fight\n'.encode())
    assert recording.file.name == "two\nlines.mp4"


def test_a_list_as_large_as_a_disk_costs_neither_time_nor_memory(folder: Path) -> None:
    columns = 10**6
    wide = f"{HEAD}{',x' * columns}\na.mp4,0,1,fight{',y' * columns}\n".encode()
    with in_time(60), within(500 * 2**20):
        assert isinstance(answer(folder, wide), list)
    with (folder / "huge.csv").open("wb") as file:
        file.truncate(4 * 2**30)
    with (
        in_time(60),
        within(500 * 2**20),
        pytest.raises(ListError, match=f"larger than {LARGEST_BYTES // 2**20} MiB"),
    ):
        read_labels(folder / "huge.csv")
