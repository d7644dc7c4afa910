"""What a worker sees of a crowd is told over the bus and kept by the minute, whatever stops."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.conftest import Installation, camera, site
from tests.servers import until

from tynysh.bus.workers import Workers
from tynysh.crowd.minutes import Measure, Minutes, Series, SeriesKind
from tynysh.errors import StoreError
from tynysh.runtime import crowd_history as history
from tynysh.runtime.crowd_history import CrowdHistory
from tynysh.scene.crowd import PICTURE
from tynysh.store.database import Database
from tynysh.store.queries import crowd_history

ALL = Series(SeriesKind.ZONE, "north", PICTURE)
LINE = {"name": "Middle", "from": [0.5, 0.0], "to": [0.5, 1.0]}


def kept(database: Database, series: Series = ALL) -> Minutes:
    with database.reading() as session:
        return crowd_history.read(session, series, 0, 2**31 - 1)


def test_what_the_bus_tells_is_what_history_keeps(installation: Installation, streets: Path) -> None:
    installation.apply(site(camera("north", streets / "street.mp4", lines=[LINE])))
    workers = Workers(installation.folder.bus)
    counts: dict[float, float] = {}

    def seen() -> bool:
        message = asyncio.run(workers.crowd("north"))
        if message is None:
            return False
        assert [place["name"] for place in message["places"]] == [PICTURE, "gate"]
        assert [line["name"] for line in message["lines"]] == ["Middle"]
        assert abs(message["at"] - time.time()) < 10
        counts[message["at"]] = message["places"][0]["count"]
        return len(counts) > 4 and max(counts.values()) > 0

    with installation.worker():
        assert until(seen, 30)
        assert set(asyncio.run(workers.crowds())) == {"north"}
        assert asyncio.run(workers.crowd("nowhere")) is None
    # The worker was stopped within the minute: what it saw of it is kept.
    found = kept(installation.database)
    assert len(found.at) >= 1
    assert found.at[-1] == pytest.approx(time.time() / 60, abs=1.1)
    assert np.nansum(found.column(Measure.SEEN)) > 0.1
    assert found.column(Measure.MOST).max() >= max(counts.values()) - 0.05
    assert (found.column(Measure.COUNT) <= found.column(Measure.MOST) + 0.1).all()
    assert len(kept(installation.database, Series(SeriesKind.LINE, "north", "Middle")).at) == len(found.at)


def minute(at: int, count: float) -> Minutes:
    figures = np.full((1, len(Measure)), np.nan)
    figures[0, [Measure.SEEN, Measure.COUNT]] = (60, count)
    return Minutes(np.array([at]), figures)


class Seen:
    """A camera that saw so many people in each minute."""

    def __init__(self, *counts: float) -> None:
        self.left = dict(enumerate(counts))

    def minutes(self, before: int) -> dict[Series, Minutes]:
        taken = [minute(at, self.left.pop(at)) for at in list(self.left) if at < before]
        return {ALL: Minutes.joined(taken)} if taken else {}


@pytest.fixture
def database(sqlite_url: str):
    opened = Database.open(sqlite_url)
    yield opened
    opened.close()


def test_minutes_are_written_when_they_are_over_and_some_seconds_more(database: Database) -> None:
    keeper = CrowdHistory(database)
    seen = Seen(1, 2, 3)
    keeper.keep([seen], now=61.0)
    assert len(kept(database).at) == 0
    keeper.keep([seen], now=60 + history.GRACE_S)
    keeper.keep([seen], now=179.0)
    assert kept(database).column(Measure.COUNT).tolist() == pytest.approx([1, 2])


def test_while_the_database_is_away_minutes_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = CrowdHistory(database)
    seen = Seen(1, 2)
    with monkeypatch.context() as away:
        away.setattr(Database, "writing", lambda _self: (_ for _ in ()).throw(StoreError("away")))
        for now in (70.0, 140.0):
            with pytest.raises(StoreError):
                keeper.keep([seen], now=now)
    keeper.write()
    assert kept(database).column(Measure.COUNT).tolist() == pytest.approx([1, 2])
    keeper.write()
    assert kept(database).column(Measure.SEEN).tolist() == [60, 60]


def test_what_waits_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_WAITING", 2)
    keeper = CrowdHistory(database)
    for at in range(4):
        seen = Seen()
        seen.left = {at: float(at)}
        keeper.gather(seen)
    keeper.write()
    assert kept(database).at.tolist() == [2, 3]
