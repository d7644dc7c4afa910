"""Events wait for a database that is away, and none is told of before it is kept."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.servers import until

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import StoreError
from tynysh.runtime import event_writer
from tynysh.runtime.event_journal import EventJournal, WaitingEvent
from tynysh.runtime.event_writer import EventWriter
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.queries import events
from tynysh.store.queries.events import RecordedEvent
from tynysh.store.schema import CameraRow, EventRow, SiteRow

Make = Callable[..., EventWriter]


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


@pytest.fixture
def writer_of(tmp_path: Path) -> Make:
    """Writers of one installation, one after another."""

    def make(database: Database, on_written: Callable[..., None] = lambda *_: None) -> EventWriter:
        return EventWriter(database, EventJournal(tmp_path / "journal", 0), on_written, random=Random(1))

    return make


def event(number: int, phase: Phase = Phase.BEGUN, score: float = 0.9) -> Event:
    return Event(
        id=f"00000000-0000-4000-8000-{number:012d}",
        behaviour=Behaviour.FIGHT,
        phase=phase,
        start_s=1000.0 + number,
        decided_s=1001.0 + number,
        end_s=1005.0 + number if phase is Phase.ENDED else None,
        score=score,
        box=None,
        people=2,
        zone=None,
        subject="",
        reason=None,
        curve=((1001.0 + number + 2.0 * (phase is Phase.UPDATED), score),),
    )


def journaled(writer: EventWriter) -> int:
    """How many events stand in the journal of a writer that is at work."""
    return writer._journal._path.read_bytes().partition(b"\0")[0].count(b"\n")


def still_open(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(EventRow.id).where(EventRow.ended_at.is_(None))))


@contextmanager
def database_of(database: Flaky) -> Iterator[Database]:
    """The same database, well."""
    opened = Database.open(str(database.engine.url))
    yield opened
    opened.close()


def kept(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(EventRow.id).order_by(EventRow.id)))


def test_an_event_is_durable_before_anyone_is_told(database: Flaky, writer_of: Make) -> None:
    seen: list[tuple[str, bool, list[str]]] = []

    def delivered(_: str, of: Event, recorded: RecordedEvent) -> None:
        seen.append((of.id, recorded.opened, kept(database)))

    writer = writer_of(database, delivered)
    writer.start()
    writer.put("club/door", event(1), clip=True)
    assert writer.stop() == 0
    assert seen == [(event(1).id, True, [event(1).id])]


def test_events_wait_in_order_for_a_database_that_is_away(database: Flaky, writer_of: Make) -> None:
    database.away = 3
    delivered: list[str] = []
    done = threading.Event()

    def note(_: str, of: Event, __: RecordedEvent) -> None:
        delivered.append(of.id)
        if len(delivered) == 5:
            done.set()

    writer = writer_of(database, note)
    writer.start()
    for number in range(5):
        writer.put("club/door", event(number), clip=False)
    assert done.wait(30)
    assert delivered == [event(number).id for number in range(5)] == kept(database)
    assert writer.stop() == 0


def test_what_could_not_be_written_at_the_end_is_written_at_the_next_start(
    database: Flaky, writer_of: Make
) -> None:
    database.away = 10**9
    writer = writer_of(database)
    writer.start()
    for number in range(3):
        writer.put("club/door", event(number), clip=False)
    writer.put("club/door", event(0, Phase.ENDED), clip=False)
    assert writer.stop() == 0
    assert kept(database) == []

    database.away = 0
    again = writer_of(database)
    again.start()
    assert again.stop() == 0
    assert kept(database) == [event(number).id for number in range(3)]
    assert still_open(database) == [], "nobody else would ever end those of a process that is gone"
    assert journaled(again) == 0


def test_a_writer_that_is_killed_while_the_database_is_away_loses_none(
    database: Flaky, writer_of: Make
) -> None:
    database.away = 10**9
    killed = writer_of(database)
    killed.start()
    for number in range(18):
        killed.put("club/door", event(number), clip=False)
    killed.put("club/door", event(3, Phase.UPDATED, score=0.95), clip=False)
    killed.put("club/door", event(5, Phase.ENDED), clip=False)
    assert until(lambda: journaled(killed) >= 19, 20)

    with database_of(database) as again:
        writer = writer_of(again)
        writer.start()
        assert writer.stop() == 0
        assert kept(again) == [event(number).id for number in range(18)]
        assert still_open(again) == []
    killed.stop(0.0)


def test_what_is_said_again_or_late_does_not_undo_what_came_after(
    database: Flaky, writer_of: Make, tmp_path: Path
) -> None:
    """The journal still holds what was written, for the power went before it could be emptied."""
    ended = event(1, Phase.ENDED, score=0.97)
    EventJournal(tmp_path / "journal", 0).append(
        [WaitingEvent("club/door", one, clip=False) for one in (event(1), event(1, Phase.UPDATED, score=0.9))]
    )
    events.record(database, ended, "club/door", now=5.0)
    writer = writer_of(database)
    writer.start()
    assert writer.stop() == 0
    with database.reading() as session:
        row = session.get_one(EventRow, ended.id)
        assert (row.ended_at, row.score, row.orphaned) == (ended.end_s, 0.97, False)


def test_where_the_journal_cannot_be_written_events_wait_in_memory_and_it_is_told(
    database: Flaky, writer_of: Make, tmp_path: Path
) -> None:
    (tmp_path / "journal").write_text("no folder can be made here")
    database.away = 10**9
    writer = writer_of(database)
    writer.start()
    for number in range(3):
        writer.put("club/door", event(number), clip=False)
    assert until(lambda: writer.journal_fault is not None, 20)
    assert until(lambda: writer.waits_s > 0, 20)
    assert writer.stop(0.5) == 3

    database.away = 3
    (tmp_path / "journal").unlink()
    writer = writer_of(database)
    writer.start()
    writer.put("club/door", event(7), clip=False)
    assert until(lambda: kept(database) == [event(7).id], 20)
    assert writer.stop() == 0


def test_updates_of_an_event_that_waits_take_each_others_place(database: Flaky, writer_of: Make) -> None:
    writer = writer_of(database)
    for number in range(500):
        writer.put("club/door", event(1, Phase.UPDATED, score=0.5 + number / 1000), clip=False)
    writer.start()
    assert writer.stop() == 0
    with database.reading() as session:
        assert session.get_one(EventRow, event(1).id).score == 0.5 + 499 / 1000


def test_when_too_many_wait_updates_give_way_first(
    database: Flaky, monkeypatch: Any, writer_of: Make
) -> None:
    monkeypatch.setattr(event_writer, "MOST_WAITING", 3)
    writer = writer_of(database)
    for number, phase in enumerate([Phase.BEGUN, Phase.UPDATED, Phase.BEGUN, Phase.BEGUN]):
        writer.put("club/door", event(number, phase), clip=False)
    assert writer.lost == 0
    writer.put("club/door", event(9), clip=False)
    assert writer.lost == 1
    writer.start()
    assert writer.stop() == 0
    assert kept(database) == [event(2).id, event(3).id, event(9).id]


def test_an_event_that_the_database_refuses_does_not_hold_up_the_others(
    database: Flaky, writer_of: Make
) -> None:
    delivered: list[str] = []
    writer = writer_of(database, lambda _, of, __: delivered.append(of.id))
    writer.start()
    writer.put("club/no-such-camera", event(1), clip=False)
    writer.put("club/door", event(2), clip=False)
    assert writer.stop() == 0
    assert delivered == [event(2).id] == kept(database)
    assert writer.lost == 1


def test_a_fault_of_ours_costs_one_event_and_not_those_behind_it(
    database: Flaky, monkeypatch: pytest.MonkeyPatch, writer_of: Make
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

    writer = writer_of(database, delivered)
    writer.start()
    for number in (1, 2, 3):
        writer.put("club/door", event(number), clip=False)
    assert writer.stop() == 0
    assert kept(database) == [event(2).id, event(3).id]
    assert writer.lost == 1, "what was kept is not lost though nobody was told"
