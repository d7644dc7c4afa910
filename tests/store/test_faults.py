"""A database that is away, frozen, locked, full, read-only or deleted is told in our words, within the time given."""

import shutil
import socket
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event, select
from structlog.testing import capture_logs
from tests.conftest import PostgreSql
from tests.servers import until

from tynysh.errors import StoreError
from tynysh.store.database import Database, NotWritableError, Patience, RefusedError
from tynysh.store.schema import SettingRow

HASTY = Patience(reach_s=0.3, turn_s=1.0, answer_s=1.5)


def write(database: Database, key: str = "colour", value: object = 1) -> None:
    with database.writing() as session:
        session.merge(SettingRow(key=key, value=value))


def writes(database: Database, key: str) -> bool:
    try:
        write(database, key)
    except StoreError:
        return False
    return True


def keys(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(SettingRow.key).order_by(SettingRow.key)))


def each_fails(database: Database) -> None:
    """Whatever is asked of the database fails in our words, and as something that may go better later."""
    for use in (database.reading, database.writing, database.unordered, database.alone):
        with pytest.raises(StoreError) as caught, use() as given:
            given.execute(select(SettingRow.key))
        assert not isinstance(caught.value, RefusedError), caught.value


@contextmanager
def server(answer: bytes | None) -> Iterator[str]:
    """The address of what answers every connection so and hangs up, or with None says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        held = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    held.append(connection)
                    if answer is not None:
                        connection.recv(1000)
                        connection.sendall(answer)
                        connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"postgresql://tynysh:hunter2@127.0.0.1:{listening.getsockname()[1]}/tynysh"
        # Wakes the thread, which `close` does not.
        listening.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


ANSWERS = {
    "nothing": None,
    "a hang-up": b"",
    "a web server": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "half a message": b"R\x00\x00\x00\x08\x00\x00",
    "a message that cannot be": b"S\x00\x00\x00\x05\xff",
    "zeros": bytes(500),
    "an error without words": b"E\x00\x00\x00\x05\x00",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_whoever_answers_in_place_of_postgresql_is_told_as_one_kind_of_error(answer: str) -> None:
    with server(ANSWERS[answer]) as url:
        with pytest.raises(StoreError) as caught:
            Database.open(url, patience=HASTY)
        assert not isinstance(caught.value, RefusedError)
        assert "hunter2" not in caught.value.message
        database = Database.open(url, patience=HASTY, there=False)
        each_fails(database)
        database.close()


class TestFrozen:
    """A server that accepts connections and does not answer."""

    @pytest.fixture
    def opened(self, postgresql: PostgreSql, postgresql_template: str) -> Iterator[Database]:
        url = postgresql.new(postgresql_template)
        database = Database.open(url, patience=HASTY)
        yield database
        database.close()
        postgresql.drop(url)

    def test_holds_up_nobody_and_is_used_again_when_it_answers(
        self, postgresql: PostgreSql, opened: Database
    ) -> None:
        write(opened, "before")
        with postgresql.frozen():
            each_fails(opened)
        assert until(lambda: writes(opened, "later"), 20)
        assert keys(opened) == ["before", "later"]

    def test_in_the_middle_of_a_transaction_too(self, postgresql: PostgreSql, opened: Database) -> None:
        def write_into_the_cold() -> None:
            with opened.writing() as session:
                session.add(SettingRow(key="lost", value=1))
                session.flush()
                frozen.__enter__()

        frozen = postgresql.frozen()
        with pytest.raises(StoreError) as caught:
            write_into_the_cold()
        frozen.__exit__(None, None, None)
        assert not isinstance(caught.value, RefusedError)
        assert until(lambda: writes(opened, "later"), 20)
        assert "later" in keys(opened)

    def test_a_statement_without_end_is_ended(self, opened: Database) -> None:
        def wait() -> None:
            with opened.reading() as session:
                session.connection().exec_driver_sql("SELECT pg_sleep(60)")

        with pytest.raises(StoreError):
            wait()
        assert keys(opened) == []


def test_a_writer_that_never_ends_keeps_readers_from_nothing(database_url: str) -> None:
    holder, other = Database.open(database_url), Database.open(database_url, patience=HASTY)
    with holder.writing() as session:
        session.add(SettingRow(key="held", value=1))
        session.flush()
        with pytest.raises(NotWritableError):
            write(other)
        assert keys(other) == []
    write(other)
    assert keys(other) == ["colour", "held"]
    holder.close()
    other.close()


class TestReadOnly:
    def test_sqlite(self, sqlite_url: str) -> None:
        database = Database.open(sqlite_url)
        write(database)

        @event.listens_for(database.engine, "checkout")
        def protect(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
            connection.execute("PRAGMA query_only = ON")

        with pytest.raises(NotWritableError):
            write(database, "later")
        assert keys(database) == ["colour"]
        database.close()

    def test_postgresql(self, postgresql: PostgreSql, postgresql_template: str) -> None:
        url = postgresql.new(postgresql_template)
        name = url.split("?")[0].rpartition("/")[2]
        postgresql.administer(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        database = Database.open(url)
        with pytest.raises(NotWritableError):
            write(database)
        assert keys(database) == []
        database.close()
        postgresql.drop(url)


def test_a_full_database_can_be_read(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)

    @event.listens_for(database.engine, "checkout")
    def fill(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    write(database, "small")
    with pytest.raises(NotWritableError):
        write(database, "large", "x" * 1_000_000)
    assert keys(database) == ["small"]
    database.close()


class TestDeletedFile:
    @pytest.fixture
    def path(self, sqlite_template: Path, tmp_path: Path) -> Path:
        return Path(shutil.copy(sqlite_template, tmp_path / "tynysh.db"))

    @pytest.fixture
    def opened(self, path: Path) -> Iterator[Database]:
        database = Database.open(path)
        write(database, "before")
        yield database
        database.close()

    @staticmethod
    def delete(path: Path) -> None:
        for one in path.parent.glob("tynysh.db*"):
            one.unlink()

    def test_is_noticed_at_once_and_nothing_is_written_to_nowhere(self, path: Path, opened: Database) -> None:
        self.delete(path)
        each_fails(opened)
        assert not path.exists(), "an empty one in its place would say that all is well"

    @pytest.mark.parametrize("beside", [True, False])
    def test_is_put_back_with_all_that_was_written(self, path: Path, opened: Database, beside: bool) -> None:
        other = Database.open(path, there=False)
        write(other, "of another process")
        self.delete(path) if beside else path.unlink()
        assert opened.file is not None
        with pytest.raises(StoreError):
            keys(opened)
        assert not opened.file.put_back(missing_s=60.0), "somebody may be about to put a backup there"
        assert opened.file.put_back()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert keys(opened) == ["before", "of another process"]
        write(other, "later")
        assert keys(opened) == ["before", "later", "of another process"]
        assert not opened.file.put_back()
        other.close()
        with closing(sqlite3.connect(path)) as plain:
            assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    def test_is_put_back_when_the_last_process_ends(self, path: Path, opened: Database) -> None:
        self.delete(path)
        opened.close()
        again = Database.open(path)
        assert keys(again) == ["before"]
        again.close()

    def test_whoever_was_writing_while_it_was_deleted_is_not_lost(self, path: Path, opened: Database) -> None:
        with opened.writing() as session:
            session.add(SettingRow(key="under way", value=1))
            self.delete(path)
        with pytest.raises(StoreError):
            keys(opened)
        assert opened.file is not None
        assert opened.file.put_back()
        assert keys(opened) == ["before", "under way"]

    def test_another_that_is_put_there_is_used(self, path: Path, opened: Database, tmp_path: Path) -> None:
        backup = tmp_path / "backup.db"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        write(opened, "after the backup")
        self.delete(path)
        backup.rename(path)
        assert keys(opened) == ["before"]
        write(opened, "later")
        assert keys(opened) == ["before", "later"]
        assert opened.file is not None
        assert not opened.file.put_back()


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_file_that_others_can_read_is_taken_from_them_and_told(
    sqlite_template: Path, tmp_path: Path, mode: int
) -> None:
    path = Path(shutil.copy(sqlite_template, tmp_path / "tynysh.db"))
    path.chmod(mode)
    with closing(sqlite3.connect(path)) as others:
        others.execute("PRAGMA journal_mode = WAL")
        others.execute("CREATE TABLE t (id)")
        with capture_logs() as told:
            database = Database.open(path)
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.glob("tynysh.db*")}
        database.close()
    assert set(modes.values()) == {0o600}
    assert len(modes) == 3
    assert {line["event"] for line in told} == {"database.was_open_to_others"}


def test_where_it_cannot_be_taken_from_them_it_is_refused(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = Path(shutil.copy(sqlite_template, tmp_path / "tynysh.db"))
    path.chmod(0o644)
    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StoreError, match="can be read by others"):
        Database.open(path)
