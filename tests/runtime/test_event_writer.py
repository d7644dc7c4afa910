"""Events wait for a database that is away, and none is told of before it is kept."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import StoreError
from tynysh.runtime import event_writer
from tynysh.runtime.event_writer import EventWriter
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.queries import events
from tynysh.store.queries.events import RecordedEvent
from tynysh.store.schema import CameraRow, EventRow, SiteRow


class Flaky(Database):
    """A database that is away for its first writes."""

    away = 0

    @contextmanager
    def writing(self) -> Iterator[Session]:
        if self.away > 0:
            self.away -= 1
            raise StoreError("The database cannot be reached.")
        with super().writing() as session:
            yield session


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Flaky]:
    opened = Flaky.open(tmp_path / "tynysh.db")
    migrate(opened)
    with opened.writing() as session:
        session.add(
            SiteRow(
                id="club", name="Club", kind="nightlife", ordinal=0, settings={"time_zone": "Asia/Almaty"}
            )
        )
        session.flush()
        session.add(CameraRow(id="club/door", site_id="club", name="door", ordinal=0, settings={}))
    assert isinstance(opened, Flaky)
    yield opened
    opened.close()


def event(number: int, phase: Phase = Phase.BEGUN) -> Event:
    return Event(
        id=f"00000000-0000-4000-8000-{number:012d}",
        behaviour=Behaviour.FIGHT,
        phase=phase,
        start_s=1000.0 + number,
        decided_s=1001.0 + number,
        end_s=None,
        score=0.9,
        box=None,
        people=2,
        zone=None,
        subject="",
        reason=None,
    )


def kept(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(EventRow.id).order_by(EventRow.id)))


def test_an_event_is_durable_before_anyone_is_told(database: Flaky) -> None:
    seen: list[tuple[str, bool, list[str]]] = []

    def delivered(_: str, of: Event, recorded: RecordedEvent) -> None:
        seen.append((of.id, recorded.opened, kept(database)))

    writer = EventWriter(database, delivered, random=Random(1))
    writer.start()
    writer.put("club/door", event(1), clip=True)
    assert writer.stop() == 0
    assert seen == [(event(1).id, True, [event(1).id])]


def test_events_wait_in_order_for_a_database_that_is_away(database: Flaky) -> None:
    database.away = 3
    delivered: list[str] = []
    done = threading.Event()

    def note(_: str, of: Event, __: RecordedEvent) -> None:
        delivered.append(of.id)
        if len(delivered) == 5:
            done.set()

    writer = EventWriter(database, note, random=Random(1))
    writer.start()
    for number in range(5):
        writer.put("club/door", event(number), clip=False)
    assert done.wait(30)
    assert delivered == [event(number).id for number in range(5)] == kept(database)
    assert writer.stop() == 0


def test_what_could_not_be_written_at_the_end_is_counted(database: Flaky) -> None:
    database.away = 10**9
    writer = EventWriter(database, lambda *_: None, random=Random(1))
    writer.start()
    for number in range(3):
        writer.put("club/door", event(number), clip=False)
    assert writer.stop() == 3


def test_when_too_many_wait_updates_give_way_first(database: Flaky, monkeypatch: Any) -> None:
    monkeypatch.setattr(event_writer, "MOST_WAITING", 3)
    writer = EventWriter(database, lambda *_: None, random=Random(1))
    for number, phase in enumerate([Phase.BEGUN, Phase.UPDATED, Phase.BEGUN, Phase.BEGUN]):
        writer.put("club/door", event(number, phase), clip=False)
    assert writer.lost == 0
    writer.put("club/door", event(9), clip=False)
    assert writer.lost == 1
    writer.start()
    assert writer.stop() == 0
    assert kept(database) == [event(2).id, event(3).id, event(9).id]


def test_an_event_that_the_database_refuses_does_not_hold_up_the_others(database: Flaky) -> None:
    delivered: list[str] = []
    writer = EventWriter(database, lambda _, of, __: delivered.append(of.id), random=Random(1))
    writer.start()
    writer.put("club/no-such-camera", event(1), clip=False)
    writer.put("club/door", event(2), clip=False)
    assert writer.stop() == 0
    assert delivered == [event(2).id] == kept(database)
    assert writer.lost == 1


def test_a_fault_of_ours_costs_one_event_and_not_those_behind_it(
    database: Flaky, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = events.record

    def breaks_on_the_first(of: Database, delivered: Event, *arguments: Any, **named: Any) -> RecordedEvent:
        if delivered.id == event(1).id:
            raise ZeroDivisionError
        return good(of, delivered, *arguments, **named)

    monkeypatch.setattr(events, "record", breaks_on_the_first)

    def delivered(_: str, of: Event, __: RecordedEvent) -> None:
        if of.id == event(2).id:
            raise ZeroDivisionError

    writer = EventWriter(database, delivered, random=Random(1))
    writer.start()
    for number in (1, 2, 3):
        writer.put("club/door", event(number), clip=False)
    assert writer.stop() == 0
    assert kept(database) == [event(2).id, event(3).id]
    assert writer.lost == 1, "what was kept is not lost though nobody was told"
