"""What `tynysh crowd export` writes, and refuses."""

import csv
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from tynysh.commands import crowd
from tynysh.crowd.minutes import Measure, Minutes, Series, SeriesKind
from tynysh.errors import TynyshError
from tynysh.store import crowd_table, record
from tynysh.store.database import Database
from tynysh.store.queries import crowd_history

# 2026-12-16 00:00 in Almaty, UTC+5.
DAY = 29_689_140 - 29_689_140 % 1440 + 19 * 60


@pytest.fixture
def kept(city: Database) -> Database:
    # A minute in each half hour of three days.
    figures = np.full((3 * 48, len(Measure)), np.nan)
    figures[:, Measure.SEEN] = 60
    figures[:, Measure.COUNT] = np.arange(len(figures)) % 7
    minutes = Minutes(DAY - 1440 + 30 * np.arange(len(figures)), figures)
    with city.writing() as session:
        crowd_history.write(
            session,
            {
                Series(SeriesKind.ZONE, "door", "=Hall, big"): minutes,
                Series(SeriesKind.PLACE, "pulse", "Hall"): minutes.between(DAY, DAY + 300),
                Series(SeriesKind.ZONE, "gate", "picture"): minutes.between(DAY, DAY + 300),
            },
        )
    crowd_history.pack_all(city, before=DAY + 3 * 1440)
    return city


Export = Callable[..., str]


@pytest.fixture
def export(database_url: str, capsys: pytest.CaptureFixture[str]) -> Export:
    def run(out: Path, **asked: str) -> str:
        crowd.export(out, database=database_url, **asked)
        return capsys.readouterr().out

    return run


def test_one_day_of_one_site_is_the_day_on_its_own_clock(
    kept: Database, export: Export, tmp_path: Path
) -> None:
    day = str(np.datetime64(DAY * 60 + 5 * 3600, "s"))[:10]
    output = export(tmp_path / "out.csv", begin=day, end=day, site="Pulse")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 48 + 10
    assert "58 minutes of 2" in output
    assert {(row["owner"], row["kind"], row["name"]) for row in rows} == {
        ("door", "zone", "'=Hall, big"),
        ("pulse", "place", "Hall"),
    }, "a name that a spreadsheet would run is made harmless"
    assert min(row["at"] for row in rows).endswith("T19:00Z")
    with kept.reading() as session:
        entry = record.entries(session)[0]
    assert (entry.action, entry.object, entry.detail["format"]) == ("crowd.export", "site:pulse", "csv")
    assert entry.user.endswith("@terminal")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_without_bounds_everything_is_written(kept: Database, export: Export, tmp_path: Path) -> None:
    export(tmp_path / "all.parquet")
    table = parquet.read_table(tmp_path / "all.parquet")
    assert table.num_rows == 3 * 48 + 20
    counts = table.filter(np.array(table["kind"].to_pylist()) == "place")["count"].to_pylist()
    assert counts == [(48 + minute) % 7 for minute in range(10)]


@pytest.mark.parametrize(
    ("name", "asked", "problem"),
    [
        ("out.xlsx", {}, "neither a CSV nor a Parquet"),
        ("out.csv", {"site": "nowhere"}, "no site 'nowhere'"),
        ("out.csv", {"begin": "yesterday"}, "not a date"),
        ("out.csv", {"begin": "2026-12-17", "end": "2026-12-16"}, "not after"),
        ("missing/out.csv", {}, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(
    kept: Database, export: Export, tmp_path: Path, name: str, asked: dict, problem: str
) -> None:
    with pytest.raises(TynyshError, match=problem):
        export(tmp_path / name, **asked)
    assert list(tmp_path.glob("*.csv")) == []


def test_without_sites_it_says_how_to_get_some(database: Database, export: Export, tmp_path: Path) -> None:
    with pytest.raises(TynyshError, match="no sites yet"):
        export(tmp_path / "out.csv")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_long_history_takes_no_more_memory_than_a_piece_of_it(form: crowd_table.Format) -> None:
    figures = np.random.default_rng(1).uniform(0, 9, (700, len(Measure)))
    series = Series(SeriesKind.ZONE, "door", "picture")

    def most(pieces: int) -> tuple[int, int]:
        found = (
            crowd_table.Chunk("pulse", series, Minutes(700 * at + np.arange(700), figures))
            for at in range(pieces)
        )
        tracemalloc.start()
        size = sum(len(piece) for piece in crowd_table.table_bytes(found, form))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, peak

    most(3)
    (small, little), (large, much) = most(3), most(24)
    assert large > 6 * small
    assert much < 1.5 * little
