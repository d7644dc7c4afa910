"""The feed of changes is numbered without gaps, also after a failure and after old ones are dropped."""

import pytest

from tynysh.store.database import Database
from tynysh.store.queries import changes
from tynysh.store.queries.changes import ChangeKind
from tynysh.store.schema import ChangeRow


def publish(database: Database, count: int, *, now: float = 1.0) -> None:
    with database.writing() as session:
        for number in range(count):
            changes.publish(session, ChangeKind.INCIDENT, number, now=now)


def numbers(database: Database, after: int = 0, **more) -> list[int]:
    with database.reading() as session:
        return [change.id for change in changes.since(session, after, **more)]


def test_a_reader_goes_on_from_the_last_number_it_saw(database: Database) -> None:
    publish(database, 5)
    assert numbers(database) == [1, 2, 3, 4, 5]
    assert numbers(database, 3) == [4, 5]
    assert numbers(database, 1, limit=2) == [2, 3]
    assert numbers(database, 5) == []


def test_a_transaction_that_fails_leaves_no_gap(database: Database) -> None:
    publish(database, 1)

    def fail() -> None:
        with database.writing() as session:
            changes.publish(session, ChangeKind.CAMERA, "door", now=1.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    publish(database, 1)
    assert numbers(database) == [1, 2]


def test_old_changes_are_dropped_and_counting_goes_on(database: Database) -> None:
    publish(database, 3, now=1.0)
    publish(database, 2, now=100.0)
    with database.writing() as session:
        assert changes.forget(session, before=50.0) == 3
        assert changes.oldest(session) == 4
    with database.writing() as session:
        assert changes.forget(session, before=1000.0) == 1, "the newest stays"
    publish(database, 1)
    assert numbers(database) == [5, 6]


def test_publishing_needs_a_session_that_is_alone_in_writing(database: Database) -> None:
    with database.reading() as session, pytest.raises(RuntimeError, match="writing"):
        changes.publish(session, ChangeKind.CAMERA, "door", now=1.0)


def test_a_change_of_a_kind_that_is_not_known_does_not_hold_the_feed(database: Database) -> None:
    with database.writing() as session:
        session.add(ChangeRow(id=1, at=1.0, kind="weather", ref="rain"))
    publish(database, 1)
    with database.reading() as session:
        found = changes.since(session, 0)
    assert [(change.id, change.kind) for change in found] == [
        (1, ChangeKind.UNKNOWN),
        (2, ChangeKind.INCIDENT),
    ]
