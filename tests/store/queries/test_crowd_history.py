"""Minutes are kept once, survive packing unchanged, and go when their time is over; on both engines."""

import numpy as np
import pytest

from tynysh.crowd.minutes import Measure, Minutes, Series, SeriesKind
from tynysh.store.database import Database
from tynysh.store.packing import pack, unpack
from tynysh.store.queries import crowd_history
from tynysh.store.queries.crowd_history import DAY_MIN, WEEK_MIN

DOOR = Series(SeriesKind.ZONE, "door", "picture")
LINE = Series(SeriesKind.LINE, "door", "Entrance")
GATE = Series(SeriesKind.ZONE, "gate", "picture")
BEGIN = 3000 * WEEK_MIN + 5 * DAY_MIN


def minutes(begin: int, number: int, *, seed: int = 1, every: int = 1) -> Minutes:
    random = np.random.default_rng(seed)
    figures = np.full((number, len(Measure)), np.nan)
    figures[:, Measure.SEEN] = 60
    figures[:, Measure.COUNT] = random.uniform(0, 30, number)
    figures[:, Measure.LOW] = figures[:, Measure.COUNT] * 0.9
    figures[:, Measure.HIGH] = figures[:, Measure.COUNT] * 1.3
    figures[:, Measure.MOST] = figures[:, Measure.HIGH] + 1
    return unpack(pack(Minutes(begin + every * np.arange(number), figures)))


def write(database: Database, found: dict[Series, Minutes]) -> None:
    with database.writing() as session:
        crowd_history.write(session, found)


def read(database: Database, series: Series, begin: int = 0, end: int = 2**31 - 1) -> Minutes:
    with database.reading() as session:
        return crowd_history.read(session, series, begin, end)


def same(one: Minutes, other: Minutes) -> None:
    assert one.at.tolist() == other.at.tolist()
    np.testing.assert_allclose(one.figures, other.figures, atol=1e-9)


def test_what_is_written_is_read_by_series_and_time(database: Database) -> None:
    made = minutes(BEGIN, 10)
    write(database, {DOOR: made, GATE: minutes(BEGIN, 3, seed=2)})
    same(read(database, DOOR), made)
    same(read(database, DOOR, BEGIN + 2, BEGIN + 5), made.between(BEGIN + 2, BEGIN + 5))
    assert len(read(database, LINE).at) == 0
    with database.reading() as session:
        assert crowd_history.series_of(session, ["door", "gate"]) == [DOOR, GATE]
        assert crowd_history.series_of(session, ["door"]) == [DOOR]


def test_packing_changes_no_figure_and_leaves_the_running_hour(database: Database) -> None:
    # Over the end of a day and of a week, with gaps.
    made = minutes(BEGIN + DAY_MIN - 100, 150, every=2)
    write(database, {DOOR: made, LINE: minutes(BEGIN, 5, seed=3)})
    freed = crowd_history.pack_all(database, before=BEGIN + DAY_MIN + 60)
    assert freed > 50
    same(read(database, DOOR), made)
    late = minutes(BEGIN + DAY_MIN + 300, 20, seed=5)
    write(database, {DOOR: late})
    assert crowd_history.pack_all(database, before=BEGIN + 40 * DAY_MIN) > 0
    same(read(database, DOOR), Minutes.joined([made, late]))
    assert crowd_history.pack_all(database, before=BEGIN + 40 * DAY_MIN) == 0


def test_a_week_that_is_over_becomes_one_block(database: Database) -> None:
    week = BEGIN - BEGIN % WEEK_MIN
    made = minutes(week, 200, every=50)
    write(database, {DOOR: made})
    crowd_history.pack_all(database, before=week + WEEK_MIN + 1)
    same(read(database, DOOR), made)
    with database.reading() as session:
        assert crowd_history.span(session, DOOR) == (week, week + WEEK_MIN)


@pytest.mark.parametrize("packed_between", [False, True])
def test_a_minute_told_of_twice_is_one_minute(database: Database, *, packed_between: bool) -> None:
    # As when a worker is restarted within the minute, here also the first of a day, whose block begins with it.
    figures = np.full((1, len(Measure)), np.nan)
    figures[0, [Measure.SEEN, Measure.COUNT, Measure.INS, Measure.OUTS]] = (20, 3, 1, 0)
    write(database, {DOOR: Minutes(np.array([BEGIN]), figures)})
    if packed_between:
        write(database, {DOOR: minutes(BEGIN + 1, 40)})
        crowd_history.pack_all(database, before=BEGIN + 60)
    figures[0, [Measure.SEEN, Measure.COUNT, Measure.INS, Measure.OUTS]] = (40, 6, 2, 5)
    write(database, {DOOR: Minutes(np.array([BEGIN]), figures)})
    found = read(database, DOOR, BEGIN, BEGIN + 1)
    assert found.at.tolist() == [BEGIN]
    assert found.figures[0, [Measure.SEEN, Measure.COUNT, Measure.INS, Measure.OUTS]].tolist() == [
        60,
        5,
        3,
        5,
    ]


def test_a_late_minute_finds_its_place_in_a_packed_week(database: Database) -> None:
    week = BEGIN - BEGIN % WEEK_MIN
    made = minutes(week, 100, every=60)
    write(database, {DOOR: made})
    crowd_history.pack_all(database, before=week + 2 * WEEK_MIN)
    late = minutes(week + 30, 2, seed=9, every=60)
    write(database, {DOOR: late})
    crowd_history.pack_all(database, before=week + 2 * WEEK_MIN)
    same(read(database, DOOR), Minutes.joined([made, late]))


def test_only_weeks_that_are_over_for_so_long_are_forgotten_and_only_of_those_owners(
    database: Database,
) -> None:
    week = BEGIN - BEGIN % WEEK_MIN
    for series in (DOOR, GATE):
        write(database, {series: minutes(week, 30, every=DAY_MIN)})
    crowd_history.pack_all(database, before=week + 40 * DAY_MIN)
    with database.writing() as session:
        assert crowd_history.forget(session, ["door"], before=week + 2 * WEEK_MIN + 100) == 2
    assert read(database, DOOR).at.min() == week + 2 * WEEK_MIN
    assert read(database, GATE).at.min() == week


def test_who_only_reads_cannot_write(database: Database) -> None:
    with database.reading() as session, pytest.raises(RuntimeError, match="writing"):
        crowd_history.write(session, {DOOR: minutes(BEGIN, 1)})
