"""How many bytes a year of crowd history takes: python benchmarks/history.py [URL] [--cameras N] [--days N].

Synthetic crowds with the noise of real ones: visitors come by a daily curve (a street, a club, a park, a market) with
slow swings and bursts, and the figures of each minute are summed up from 120 looks with misses, by the code that runs
in production. Each camera has its picture, a zone with a known area, and a counting line.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text

from tynysh.crowd.minutes import Measure, Minutes, Series, SeriesKind
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.packing import pack
from tynysh.store.queries import crowd_history
from tynysh.store.schema import CrowdBlockRow, CrowdSeriesRow

DAY_MIN = 1440
BEGIN_DAY = 7 * 2900
WEEKS = 8
YEAR_MIN = 525_600
CITY = 500
BUSIEST = {
    "street": (12.0, "1 0 0 0 0 1 3 7 10 8 7 8 10 10 9 8 9 10 10 9 7 5 3 2"),
    "club": (40.0, "10 10 9 7 3 1 0 0 0 0 0 0 0 0 0 0 0 0 0 1 3 5 7 9"),
    "park": (6.0, "0 0 0 0 0 0 2 3 4 5 6 6 7 7 7 8 9 10 10 9 6 3 1 0"),
    "market": (80.0, "0 0 0 0 0 0 1 3 6 9 10 10 10 10 9 8 7 4 1 0 0 0 0 0"),
}
"""People in the picture at most, and by hour of the day in tenths of that."""


def camera_day(kind: str, day: int, random: np.random.Generator) -> dict[str, Minutes]:
    """One day of one camera: its picture, its zone, its line."""
    most, hourly = BUSIEST[kind]
    curve = [int(tenths) / 10 for tenths in hourly.split()]
    hours = np.arange(DAY_MIN) / 60
    usual = most * np.interp(hours, np.arange(25), [*curve, curve[0]]) * random.uniform(0.7, 1.1)
    swing = np.exp(_wander(DAY_MIN, 0.97, 0.25, random))
    people = random.poisson(usual * swing).astype(float)
    seen = np.full(DAY_MIN, 60.0)
    gone = random.random(DAY_MIN) < 0.002
    at = day * DAY_MIN + np.arange(DAY_MIN)
    share = random.uniform(0.3, 0.7)
    made = {
        "picture": _place(people, None, seen, random),
        "Zone": _place(random.binomial(people.astype(int), share).astype(float), 60.0, seen, random),
        "Line": _line(random.poisson(people / 4), random.poisson(people / 4), seen),
    }
    return {name: Minutes(at[~gone], figures[~gone]) for name, figures in made.items()}


def _wander(number: int, memory: float, size: float, random: np.random.Generator) -> NDArray[np.float64]:
    steps = random.normal(0, size * np.sqrt(1 - memory**2), number)
    found = np.zeros(number)
    for index in range(1, number):
        found[index] = memory * found[index - 1] + steps[index]
    return found


def _place(
    people: NDArray[np.float64], area_m2: float | None, seen: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    figures = np.full((len(people), len(Measure)), np.nan)
    # Over a minute people come and go; the mean of 120 looks is not whole, and the highest is above it.
    mean = np.where(people > 0, np.maximum(people + random.normal(0, 0.5 * np.sqrt(people + 0.01)), 0), 0)
    figures[:, Measure.SEEN] = seen
    figures[:, Measure.COUNT] = mean
    figures[:, Measure.LOW] = np.maximum(mean - 0.05 * mean - 0.3 * np.sqrt(mean), 0)
    figures[:, Measure.HIGH] = (
        mean + 0.1 * mean + 0.7 * np.sqrt(mean) + random.normal(0, 0.05, len(mean)) * (mean > 0)
    )
    figures[:, Measure.MOST] = np.ceil(mean + np.abs(random.normal(0, np.sqrt(mean + 0.01))) * (mean > 0))
    figures[:, Measure.ROUGH] = np.clip((mean - 30) / 20, 0, 1)
    if area_m2 is not None:
        figures[:, Measure.DENSITY] = mean / area_m2
        figures[:, Measure.DENSEST] = figures[:, Measure.MOST] / area_m2
        figures[:, Measure.SPEED] = np.where(mean > 0, random.normal(1.25, 0.15, len(mean)).clip(0.1), np.nan)
        figures[:, Measure.PRESSURE] = np.where(mean > 1, np.abs(random.normal(0, 0.004, len(mean))), np.nan)
    return figures


def _line(ins: NDArray[np.int64], outs: NDArray[np.int64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    figures = np.full((len(ins), len(Measure)), np.nan)
    figures[:, Measure.SEEN], figures[:, Measure.INS], figures[:, Measure.OUTS] = seen, ins, outs
    return figures


def _size(database: Database) -> int:
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return Path(str(database.engine.url.database)).stat().st_size
    with database.reading() as session:
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def _vacuum(database: Database) -> None:
    """What PostgreSQL does by itself within a minute; but here an hour passes in seconds."""
    if database.engine.dialect.name == "postgresql":
        connection = database.engine.raw_connection()
        driver: Any = connection.driver_connection
        connection.commit()
        driver.autocommit = True
        connection.cursor().execute("VACUUM crowd_block")
        driver.autocommit = False
        connection.close()


def _fill(database: Database, cameras: int, random: np.random.Generator) -> None:
    """Weeks long past, as packing leaves them."""
    kinds = list(BUSIEST)
    with database.reading() as session:
        ids = {(row.owner, row.name): row.id for row in session.scalars(select(CrowdSeriesRow))}
    for week in range(1, WEEKS + 1):
        for number in range(cameras):
            days = [
                camera_day(kinds[number % len(kinds)], BEGIN_DAY - 7 * week + day, random) for day in range(7)
            ]
            with database.writing() as session:
                for name in days[0]:
                    found = pack(Minutes.joined([day[name] for day in days]))
                    begin = (BEGIN_DAY - 7 * week) * DAY_MIN
                    session.add(
                        CrowdBlockRow(series_id=ids[f"camera-{number}", name], begin=begin, packed=found)
                    )
    _vacuum(database)


def main(url: str | Path, cameras: int, days: int) -> None:
    """Write days of cameras minute by minute, pack them hourly, add the weeks before; print what that takes."""
    database = Database.open(url)
    migrate(database)
    random = np.random.default_rng(7)
    before = _size(database)
    writing_s, packing_s = 0.0, 0.0
    began = time.process_time()
    kinds = list(BUSIEST)
    for day in range(days):
        drawn = {
            number: camera_day(kinds[number % len(kinds)], BEGIN_DAY + day, random)
            for number in range(cameras)
        }
        for hour in range(24):
            begin = (BEGIN_DAY + day) * DAY_MIN + 60 * hour
            for minute in range(begin, begin + 60):
                found = {
                    Series(
                        SeriesKind.LINE if name == "Line" else SeriesKind.ZONE, f"camera-{number}", name
                    ): part
                    for number, made in drawn.items()
                    for name, minutes in made.items()
                    if len((part := minutes.between(minute, minute + 1)).at)
                }
                clock = time.perf_counter()
                with database.writing() as session:
                    crowd_history.write(session, found)
                writing_s += time.perf_counter() - clock
            clock = time.perf_counter()
            crowd_history.pack_all(database, before=begin + 60)
            packing_s += time.perf_counter() - clock
            _vacuum(database)
    cpu_s = time.process_time() - began
    standing = _size(database) - before
    _fill(database, cameras, random)
    growth = (_size(database) - before - standing) / (cameras * WEEKS * 7 * DAY_MIN)
    year = CITY * YEAR_MIN * growth + CITY / cameras * standing
    print(
        f"{database.engine.dialect.name}: {cameras} cameras, {days} days minute by minute {standing / 1e6:.1f} MB; "
        f"weeks that are over {growth:.2f} bytes a camera-minute; a year of {CITY} cameras "
        f"{year / 1e9:.2f} GB; a minute written in "
        f"{1000 * writing_s / (days * DAY_MIN):.0f} ms, an hour packed in {1000 * packing_s / (days * 24):.0f} ms, "
        f"{cpu_s:.0f} CPU-s in all"
    )
    database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--cameras", type=int, default=10)
    parser.add_argument("--days", type=int, default=8)
    given = parser.parse_args()
    if given.url:
        main(given.url, given.cameras, given.days)
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder) / "tynysh.db", given.cameras, given.days)
