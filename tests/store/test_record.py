"""The record of who did what is complete, in order, and cannot be changed unseen."""

import json

import pytest
from sqlalchemy import text

from tynysh.errors import StoreError
from tynysh.store import record
from tynysh.store.database import Database


@pytest.fixture
def written(database: Database) -> Database:
    """A database with five entries."""
    for number in range(5):
        with database.writing() as session:
            record.append(
                session,
                now=1000.1 + number / 3,
                user="әйгерім",
                action="clip.view",
                object=f"incident:{number}",
                address="10.0.0.7",
                detail={"reason": "тексеру \0", "number": number},
            )
    return database


def verified(database: Database) -> record.Broken | None:
    with database.reading() as session:
        return record.verify(session)


def tamper(database: Database, statement: str) -> None:
    """Change the table behind the guard's back, as somebody with the disk in hand could."""
    with database.alone() as connection:
        if database.engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER IF EXISTS audit_entry_no_update"))
            connection.execute(text("DROP TRIGGER IF EXISTS audit_entry_no_delete"))
        else:
            connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        connection.execute(text(statement))


def test_entries_are_kept_newest_first(written: Database) -> None:
    with written.reading() as session:
        entries = record.entries(session, limit=2)
        assert [entry.object for entry in entries] == ["incident:4", "incident:3"]
        assert [entry.id for entry in record.entries(session, before=3)] == [2, 1]
    assert (entries[0].user, entries[0].action, entries[0].address) == ("әйгерім", "clip.view", "10.0.0.7")
    assert entries[0].detail["number"] == 4
    assert entries[0].at == 1000.1 + 4 / 3


def test_an_untouched_record_holds(written: Database) -> None:
    assert verified(written) is None


def test_an_empty_record_holds(database: Database) -> None:
    assert verified(database) is None
    with database.reading() as session:
        assert record.head(session) == (0, record.BEGINNING)


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE audit_entry SET \"user\" = 'bolat' WHERE id = 3", 3),
        ("UPDATE audit_entry SET at = at + 0.0001 WHERE id = 2", 2),
        ("UPDATE audit_entry SET object = 'incident:9' WHERE id = 5", 5),
        ("UPDATE audit_entry SET address = NULL WHERE id = 1", 1),
        ("UPDATE audit_entry SET detail = '{}' WHERE id = 4", 4),
        ("UPDATE audit_entry SET hash = previous_hash WHERE id = 2", 2),
        ("DELETE FROM audit_entry WHERE id = 3", 3),
        ("DELETE FROM audit_entry WHERE id = 1", 1),
        ("UPDATE audit_entry SET id = 7 WHERE id = 5", 5),
    ],
)
def test_the_first_entry_that_was_tampered_with_is_named(
    written: Database, statement: str, first: int
) -> None:
    tamper(written, statement)
    broken = verified(written)
    assert broken is not None
    assert broken.id == first


def test_an_entry_resealed_by_itself_breaks_the_next(written: Database) -> None:
    with written.reading() as session:
        third = record.entries(session, before=4, limit=1)[0]
    fields = [3, third.at, "bolat", third.action, third.object, third.address]
    with written.reading() as session:
        row = session.execute(text("SELECT detail, previous_hash FROM audit_entry WHERE id = 3")).one()
    import hashlib

    sealed = json.dumps([*fields, *row], ensure_ascii=False, separators=(",", ":")).encode()
    seal = hashlib.sha256(sealed).hexdigest()
    tamper(written, f"UPDATE audit_entry SET \"user\" = 'bolat', hash = '{seal}' WHERE id = 3")  # noqa: S608
    broken = verified(written)
    assert broken is not None
    assert broken.id == 4
    assert "does not follow" in broken.what


def test_entries_cut_off_the_end_show_by_a_head_kept_elsewhere(written: Database) -> None:
    with written.reading() as session:
        noted = record.head(session)
    tamper(written, "DELETE FROM audit_entry WHERE id = 5")
    assert verified(written) is None, "a chain alone cannot show it"
    with written.reading() as session:
        assert record.head(session) != noted


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
def test_the_database_itself_refuses_changes(written: Database, statement: str) -> None:
    with pytest.raises(StoreError, match="audit record cannot be changed"), written.alone() as connection:
        connection.execute(text(statement))
    assert verified(written) is None


def test_postgresql_refuses_to_empty_it(postgresql, postgresql_template: str) -> None:
    database = Database.open(postgresql.new(postgresql_template))
    with pytest.raises(StoreError, match="audit record cannot be changed"), database.alone() as connection:
        connection.execute(text("TRUNCATE audit_entry"))
    database.close()


def test_an_entry_is_undone_with_what_it_records(database: Database) -> None:
    def fail() -> None:
        with database.writing() as session:
            record.append(session, now=1.0, user="a", action="user.add", object="user:b")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as session:
        assert record.head(session)[0] == 0


def test_appending_needs_a_session_that_is_alone_in_writing(database: Database) -> None:
    with database.reading() as session, pytest.raises(RuntimeError, match="writing"):
        record.append(session, now=1.0, user="a", action="b.c", object="d")
