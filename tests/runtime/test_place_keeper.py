"""What the gates of a place count is in the database at once, by the minute, and after a restart."""

from typing import Any

import pytest
from tests.runtime.conftest import Installation, site

from tynysh.bus.workers import Workers
from tynysh.crowd.minutes import Measure, Series, SeriesKind
from tynysh.runtime.place_keeper import PlaceKeeper
from tynysh.store.queries import crowd_history, places

HALL = {"name": "Hall", "capacity": 50, "gates": [{"camera": "north", "line": "Door"}]}
CAMERA = {
    "name": "north",
    "id": "north",
    "main": "rtsp://10.0.0.1/main",
    "lines": [{"name": "Door", "from": [0, 0.5], "to": [1, 0.5]}],
}


class Crowds(Workers):
    """Stands for all workers."""

    def __init__(self) -> None:
        pass

    ins = 0

    async def crowds(self) -> dict[str, Any]:
        lines = [{"name": "Door", "ins": self.ins, "outs": 0}]
        return {"north": {"places": [], "lines": lines, "opened_at": 1.0}}


class Clock:
    now = 60_000.0

    def __call__(self) -> float:
        return self.now


def test_a_place_is_kept_by_the_minute_and_over_a_restart(installation: Installation) -> None:
    installation.apply(site(CAMERA, places=[HALL]))
    workers, clock = Crowds(), Clock()
    keeper = PlaceKeeper(installation.database, workers, clock=clock)
    for _ in range(40):
        keeper.add_up()
        clock.now += 2
        workers.ins += 1
    with installation.database.reading() as session:
        (hall,) = places.places(session)
    assert (hall.name, hall.capacity, [gate.line for gate in hall.gates]) == ("Hall", 50, ["Door"])
    assert hall.count is not None
    assert hall.count.value == pytest.approx(39, abs=2)
    assert hall.at == clock.now - 2
    keeper.stop()

    clock.now += 30
    workers.ins += 5
    again = PlaceKeeper(installation.database, workers, clock=clock)
    again.add_up()
    with installation.database.reading() as session:
        (hall,) = places.places(session)
        minutes = crowd_history.read(session, Series(SeriesKind.PLACE, "street", "Hall"), 0, 2**31 - 1)
    assert hall.count is not None
    assert hall.count.value == pytest.approx(45, abs=2)
    assert minutes.at.tolist() == [1000, 1001]
    assert minutes.column(Measure.MOST).tolist() == pytest.approx([29, 38], abs=2)


def test_a_place_that_is_no_more_is_counted_no_more(installation: Installation) -> None:
    installation.apply(site(CAMERA, places=[HALL]))
    workers, clock = Crowds(), Clock()
    keeper = PlaceKeeper(installation.database, workers, clock=clock)
    keeper.add_up()
    installation.apply(site(CAMERA))
    clock.now += 20
    keeper.add_up()
    with installation.database.reading() as session:
        assert places.places(session) == []


def test_a_clock_that_was_put_back_leaves_no_place_as_it_was(installation: Installation) -> None:
    installation.apply(site(CAMERA, places=[HALL]))
    workers, clock = Crowds(), Clock()
    clock.now += 86_400
    keeper = PlaceKeeper(installation.database, workers, clock=clock)
    keeper.add_up()
    clock.now -= 86_400
    keeper.add_up()
    with installation.database.reading() as session:
        assert [place.at for place in places.places(session)] == [clock.now]
    installation.apply(site(CAMERA, places=[HALL, {**HALL, "name": "Yard"}]))
    for _ in range(60):
        clock.now += 2
        keeper.add_up()
    with installation.database.reading() as session:
        hall, yard = places.places(session)
        minutes = crowd_history.read(session, Series(SeriesKind.PLACE, "street", "Yard"), 0, 2**31 - 1)
    assert hall.at is not None
    assert yard.at is not None
    assert clock.now - yard.at < 60
    assert minutes.at.tolist() == [1000]
