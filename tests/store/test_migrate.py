"""The migrations make the tables that the code expects, on both engines."""

import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from tynysh.errors import StoreError
from tynysh.store.database import Database
from tynysh.store.migrate import configuration, migrate
from tynysh.store.schema import Base


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path):
    url = tmp_path / "empty.db" if request.param == "sqlite" else request.getfixturevalue("postgresql").new()
    database = Database.open(url)
    yield database
    database.close()


def test_migrations_from_empty_give_exactly_the_models(empty: Database) -> None:
    assert migrate(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_does_nothing_the_second_time(empty: Database) -> None:
    assert migrate(empty)
    assert not migrate(empty)


def test_migrations_can_be_taken_back_and_made_again(empty: Database) -> None:
    migrate(empty)
    with empty.alone() as connection:
        command.downgrade(configuration(connection), "base")
    with empty.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert migrate(empty)


def test_of_several_that_start_at_once_one_migrates(empty: Database) -> None:
    done: list[bool] = []
    failed: list[BaseException] = []

    def start() -> None:
        own = Database(empty.engine)
        try:
            done.append(migrate(own))
        except BaseException as error:  # noqa: BLE001  whatever it was, the test must see it
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(done) == [False, False, False, True]


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.alone() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version of Tynysh") as caught:
        migrate(database)
    assert caught.value.hint


def test_the_database_of_another_program_is_refused_and_left_alone(empty: Database) -> None:
    with empty.alone() as connection:
        connection.execute(text("CREATE TABLE invoice (id INTEGER)"))
    with pytest.raises(StoreError, match="another program: it holds invoice"):
        migrate(empty)
    with empty.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["invoice"]
