"""Whatever version of the tables a database is of, its data come along to the newest, and back."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    insert,
    select,
)

from tynysh.store.database import Database
from tynysh.store.migrate import configuration, migrate

ROWS = 3
"""In each table."""

CHECKED = {
    ("incident", "state"): "new",
    ("incident", "verdict"): "true",
    ("incident", "severity"): 2,
    ("clip", "state"): "ready",
    ("event", "score"): 0.5,
    ("crowd_series", "kind"): "zone",
}
"""What the columns take that do not take everything."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path) -> Iterator[Database]:
    url = tmp_path / "empty.db" if request.param == "sqlite" else request.getfixturevalue("postgresql").new()
    database = Database.open(url)
    yield database
    database.close()


def value_of(table: Table, column: Any, row: int) -> object:
    """Something that the column takes, another in each row; what refers to another row, to that of the same number."""
    if (table.name, column.name) in CHECKED:
        return CHECKED[table.name, column.name]
    match column.type:
        case Boolean():
            return True
        case Integer():
            return row + 1
        case Float() | Numeric():
            return 1000.5 + row
        case LargeBinary():
            return bytes([row])
        case JSON():
            return {"row": row}
        case _:
            key = column.name if column.primary_key or column.foreign_keys else f"{table.name} {column.name}"
            root = next(iter(column.foreign_keys)).column if column.foreign_keys else column
            text = f"{root.table.name} {row}" if root.primary_key else f"{key} {row}"
            return text[-(column.type.length or len(text)) :]


def tables_of(connection: Connection) -> list[Table]:
    """The tables that there are, each after those that it refers to."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def fill(connection: Connection) -> None:
    for table in tables_of(connection):
        rows = [
            {column.name: value_of(table, column, row) for column in table.columns} for row in range(ROWS)
        ]
        connection.execute(insert(table), rows)


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, columns by name."""
    found = {}
    for table in tables_of(connection):
        order = [column for column in table.columns if not isinstance(column.type, JSON)]
        found[table.name] = [
            dict(row) for row in connection.execute(select(table).order_by(*order)).mappings()
        ]
    return found


def revisions(database: Database) -> list[str]:
    """All versions of the tables that were released, oldest first."""
    with database.alone() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection))
        return [script.revision for script in scripts.walk_revisions()][::-1]


def same(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> None:
    for name, rows in before.items():
        kept = [{column: row[column] for column in rows[0] if column in row} for row in after[name]]
        assert kept == [{column: row[column] for column in rows[0] if column in kept[0]} for row in rows], (
            name
        )


def test_data_of_each_released_version_come_along_and_stand_the_way_back(empty: Database) -> None:
    released = revisions(empty)
    assert len(released) >= 3
    for version in released:
        with empty.alone() as connection:
            command.upgrade(configuration(connection), version)
            fill(connection)
            before = contents(connection)
        assert migrate(empty) == (version != released[-1])
        with empty.alone() as connection:
            same(before, contents(connection))
            command.downgrade(configuration(connection), version)
            same(before, contents(connection))
        migrate(empty)
        with empty.alone() as connection:
            same(before, contents(connection))
            command.downgrade(configuration(connection), "base")
