"""How the database comes to have the tables that this version of Tynysh needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from tynysh.errors import StoreError
from tynysh.store.database import Database


def migrate(database: Database) -> bool:
    """Bring the tables to the newest version, in one transaction, alone in writing; whether anything was to be done.

    Several programs may start at once: the others wait, and find nothing left to do. Raises StoreError where
    the database is of a newer Tynysh, or another program's.
    """
    with database.alone() as connection:
        config = configuration(connection)
        scripts = ScriptDirectory.from_config(config)
        current = MigrationContext.configure(connection).get_current_revision()
        _check(database, connection, scripts, current)
        if current == scripts.get_current_head():
            return False
        command.upgrade(config, "head")
        return True


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _check(database: Database, connection: Connection, scripts: ScriptDirectory, current: str | None) -> None:
    if current is None:
        others = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
        if others:
            raise StoreError(
                f"The database {database.shown} belongs to another program: it holds {', '.join(others[:5])}.",
                hint="Choose an empty database, or a file of your own, with --database.",
            )
    elif current not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"The database {database.shown} is of a newer version of Tynysh: its tables are at {current!r}.",
            hint="Install that version or a later one, or choose another database with --database.",
        )
