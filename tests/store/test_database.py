"""Opening, reading and writing, and what is said when it cannot be done."""

import socket
import stat
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from tests.conftest import PostgreSql

from tynysh.errors import StoreError
from tynysh.store.database import Database, RefusedError
from tynysh.store.schema import SettingRow


def test_what_was_written_can_be_read(database: Database) -> None:
    with database.writing() as session:
        session.add(SettingRow(key="colour", value={"қызыл": [1, 2.5, None]}))
    with database.reading() as session:
        assert session.get_one(SettingRow, "colour").value == {"қызыл": [1, 2.5, None]}


def test_what_can_never_be_written_is_refused_and_the_next_is_not(database: Database) -> None:
    def write(key: object, value: object) -> None:
        with database.writing() as session:
            session.execute(insert(SettingRow).values(key=key, value=value))

    for key, value in (("colour", {1, 2}), (None, 1)):
        with pytest.raises(RefusedError, match="does not take this"):
            write(key, value)
    with pytest.raises(RefusedError), database.reading() as session:
        session.get_one(SettingRow, "colour")
    write("colour", 1)


def test_a_block_that_raises_writes_nothing(database: Database) -> None:
    def write() -> None:
        with database.writing() as session:
            session.add(SettingRow(key="colour", value=1))
            session.flush()
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        write()
    with database.reading() as session:
        assert session.get(SettingRow, "colour") is None


def test_reading_writes_nothing(database: Database) -> None:
    with database.reading() as session:
        session.add(SettingRow(key="colour", value=1))
        session.flush()
    with database.reading() as session:
        assert session.get(SettingRow, "colour") is None


def test_writers_take_turns(database: Database) -> None:
    with database.writing() as session:
        session.add(SettingRow(key="count", value=0))

    def count_up() -> None:
        for _ in range(10):
            with database.writing() as session:
                row = session.get_one(SettingRow, "count")
                row.value = row.value + 1

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.get_one(SettingRow, "count").value == 40


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as writer:
        writer.add(SettingRow(key="colour", value=1))
        writer.flush()
        with database.reading() as reader:
            assert reader.get(SettingRow, "colour") is None


def test_sqlite_is_durable_and_keeps_its_references(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2, "FULL"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    database.close()


def test_an_sqlite_file_is_for_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "tynysh.db"
    database = Database.open(path)
    with database.alone() as connection:
        connection.execute(text("CREATE TABLE t (id INTEGER)"))
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    database.close()
    assert "tynysh.db-wal" in modes
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear all, " * 500)
    with pytest.raises(StoreError, match="is not a database"):
        Database.open(path)
    assert path.read_text().startswith("Dear all")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Database.open(tmp_path / "file" / "tynysh.db")


@pytest.mark.parametrize(
    "url", ["mysql://root:hunter2@localhost/x", "oracle://u:hunter2@h/x", "http://u:hunter2@h"]
)
def test_other_engines_are_refused_without_the_password(url: str) -> None:
    with pytest.raises(StoreError, match="cannot use a database of kind") as caught:
        Database.open(url)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_url_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be understood") as caught:
        Database.open("postgresql://u:hunter2@host:port/x")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(StoreError, match=f"127.0.0.1:{port}.*cannot be reached") as caught:
        Database.open(f"postgresql://tynysh:hunter2@127.0.0.1:{port}/tynysh")
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__!r}"


class TestLostConnection:
    @pytest.fixture
    def opened(self, postgresql, postgresql_template: str):
        database = Database.open(postgresql.new(postgresql_template))
        yield database
        database.close()

    @staticmethod
    def cut(postgresql) -> None:
        """End all connections to the server, as its restart would, and wait until they are gone."""
        postgresql.administer(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def test_is_made_anew_for_the_next_transaction(self, postgresql, opened: Database) -> None:
        with opened.writing() as session:
            session.add(SettingRow(key="a", value=1))
        self.cut(postgresql)
        with opened.writing() as session:
            session.add(SettingRow(key="b", value=2))
        with opened.reading() as session:
            assert session.get(SettingRow, "b") is not None

    def test_in_the_middle_of_a_transaction_is_told_and_nothing_of_it_stays(
        self, postgresql, opened: Database
    ) -> None:
        def write() -> None:
            with opened.writing() as session:
                session.add(SettingRow(key="a", value=1))
                session.flush()
                self.cut(postgresql)
                session.add(SettingRow(key="b", value=2))

        with pytest.raises(StoreError) as caught:
            write()
        assert not isinstance(caught.value, RefusedError), "trying again is of use"
        with opened.reading() as session:
            assert session.get(SettingRow, "a") is None


def test_too_many_at_once_are_told_to_try_again(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database.open(sqlite_url)
    monkeypatch.setattr(database.engine.pool, "_timeout", 0.05)

    def ask() -> None:
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(database.reading()).get(SettingRow, "a")

    with pytest.raises(StoreError, match="too many things at once"):
        ask()
    database.close()


@pytest.fixture(scope="module")
def guarded(postgresql: PostgreSql) -> str:
    """The address, without password, of a database that asks for one."""
    postgresql.administer(
        "CREATE ROLE guarded LOGIN PASSWORD 'open sesame'", "CREATE DATABASE guarded OWNER guarded"
    )
    access = postgresql.folder / "pg_hba.conf"
    access.write_text("local all guarded scram-sha-256\n" + access.read_text())
    postgresql.administer("SELECT pg_reload_conf()")
    return postgresql.url("guarded", user="guarded")


class TestPassword:
    def test_is_taken_from_the_environment(self, guarded: str) -> None:
        database = Database.open(guarded, environment={"TYNYSH_DATABASE_PASSWORD": "open sesame"})
        assert "sesame" not in database.shown
        database.close()

    def test_is_taken_from_the_url(self, guarded: str) -> None:
        Database.open(guarded.replace("guarded@", "guarded:open%20sesame@"), environment={}).close()

    @pytest.mark.parametrize("environment", [{"PGPASSWORD": "hunter2"}, {}])
    def test_when_wrong_or_missing_is_told_of_but_not_told(
        self, guarded: str, environment: dict[str, str]
    ) -> None:
        with pytest.raises(StoreError, match="refuses the user name or password") as caught:
            Database.open(guarded, environment=environment)
        assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__!r}"
        assert "TYNYSH_DATABASE_PASSWORD" in (caught.value.hint or "")


def test_what_a_postgresql_url_asks_for_beyond_the_known_is_refused_in_words() -> None:
    with pytest.raises(StoreError, match="channel_binding"):
        Database.open("postgresql://tynysh@127.0.0.1:9/tynysh?channel_binding=require")
    with pytest.raises(StoreError, match="sslmode"):
        Database.open("postgresql://tynysh@127.0.0.1:9/tynysh?sslmode=prefer")
    with pytest.raises(StoreError, match="cannot be read"):
        Database.open("postgresql://tynysh@127.0.0.1:9/tynysh?sslmode=verify-full&sslrootcert=/nowhere.pem")


def test_an_encrypted_connection_is_asked_for_where_the_url_says_so() -> None:
    """A server that hears the request for encryption and says no: the connection must not go on in the clear."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        received: list[bytes] = []

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                received.append(connection.recv(8))
                connection.sendall(b"N")

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(StoreError):
            Database.open(f"postgresql://tynysh@127.0.0.1:{server.getsockname()[1]}/tynysh?sslmode=require")
        thread.join(10)
    assert received == [bytes.fromhex("0000000804d2162f")]
