"""How the database is opened, read and written."""

import os
import socket
import sqlite3
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    PendingRollbackError,
    ProgrammingError,
    ResourceClosedError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from tynysh.errors import StoreError
from tynysh.extras import need

BUSY_S = 30
"""How long a writer waits for the one before it, seconds."""

CONNECT_S = 10.0
ANSWER_S = 120.0
"""How long a server is given to be reached, and to answer: a writer may wait for its turn, and migrations take time."""

PASSWORD_VARIABLE = "TYNYSH_DATABASE_PASSWORD"  # noqa: S105  the name of a variable, not a password
_WRITING = "tynysh_writing"
_IMMEDIATE = "tynysh_immediate"
# Any number will do, as long as all versions of Tynysh on one database take the same.
_WRITER_LOCK = 7_959_737_368


class RefusedError(StoreError):
    """What was to be written contradicts what the database holds; trying the same again is of no use."""


class Database:
    """One database: SQLite (a file) or PostgreSQL. Safe to share between threads, not across a fork.

    Writers take turns on both engines. That is what makes the change feed gap-free, the audit record a chain
    and the joining of events into incidents free of races; a transaction is short, and events are few. What none of
    these rest on, as cameras' figures, is written beside (`unordered`).

    SQLite runs in WAL mode with synchronous=FULL: with NORMAL a power cut may undo commits that others have
    been told of, and an event must be durable before anyone hears of it.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str | Path, *, environment: Mapping[str, str] = os.environ) -> "Database":
        """Open `url`: a path or `sqlite:///path`, or `postgresql://user@host/name`.

        A PostgreSQL password that is not in the URL is taken from TYNYSH_DATABASE_PASSWORD or PGPASSWORD.
        Raises StoreError, which never shows a password, where the database cannot be reached; UsageError where what
        it takes is not installed.
        """
        parsed = _url(url, environment)
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
        database = cls(engine)
        with database._translating(), engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return database

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries only; nothing is committed."""
        with self._translating(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session alone in writing: committed, and durable, when the block ends; undone if it raises."""
        with self.alone() as connection, Session(connection, info={_WRITING: True}) as session:
            session.expire_on_commit = False
            yield session
            session.flush()

    @contextmanager
    def unordered(self) -> Iterator[Session]:
        """A session to write rows that one process alone writes, and that neither feed nor record tell of.

        On PostgreSQL it neither waits for writers nor keeps them waiting. SQLite has one writer at a time.
        """
        # Begun as a writer on SQLite, where one who has read before it writes may be refused.
        with (
            self._translating(),
            self.engine.connect().execution_options(**{_IMMEDIATE: True}) as connection,
            connection.begin(),
            Session(connection) as session,
        ):
            session.expire_on_commit = False
            yield session
            session.flush()

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection in a transaction that no other writer shares the time of."""
        with (
            self._translating(),
            self.engine.connect().execution_options(**{_WRITING: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _explained(error, self) from error
        except PoolTimeoutError as error:
            raise StoreError(f"The database {self.shown} is asked too many things at once.") from error
        except (DisconnectionError, PendingRollbackError, ResourceClosedError) as error:
            raise StoreError(f"The connection to the database {self.shown} was lost.") from error
        except SQLAlchemyError as error:
            # A row that is not there, a value that cannot be stored: the same again would fail the same way.
            message = error.orig if isinstance(error, StatementError) and error.orig else type(error).__name__
            raise RefusedError(f"The database {self.shown} does not take this: {message}.") from error


def must_be_writing(session: Session) -> None:
    """Raise RuntimeError unless `session` is of `Database.writing`: what follows relies on being alone."""
    if not session.info.get(_WRITING):
        raise RuntimeError("this needs a session of Database.writing()")


def _url(url: str | Path, environment: Mapping[str, str]) -> URL:
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(
            "The database URL cannot be understood.",
            hint="Write a path, sqlite:///path/to/file, or postgresql://user@host:5432/name.",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite")
    if parsed.drivername not in {"postgresql", "postgres", "postgresql+pg8000"}:
        raise StoreError(
            f"Tynysh cannot use a database of kind {parsed.drivername!r}.",
            hint="Use a path, sqlite:///path/to/file, or postgresql://user@host:5432/name.",
        )
    if parsed.password is None:
        parsed = parsed.set(password=environment.get(PASSWORD_VARIABLE) or environment.get("PGPASSWORD"))
    folder = parsed.query.get("host")
    if isinstance(folder, str):  # as libpq writes the folder of a Unix socket
        socket = f"{folder}/.s.PGSQL.{parsed.port or 5432}"
        parsed = parsed.set(query={"unix_sock": socket}, host=None, port=None)
    return parsed.set(drivername="postgresql+pg8000")


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made here, so that neither it nor the files that SQLite puts beside it are ever readable by
            # others.
            path.touch(mode=0o600)
        except OSError as error:
            raise StoreError(
                f"The database {path} cannot be made: {error.strerror}.",
                hint="Choose another place with --data or --database.",
            ) from None
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_S, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own idea of when a transaction begins is in the way of BEGIN IMMEDIATE.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        writing = options.get(_WRITING, False) or options.get(_IMMEDIATE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    need("pg8000", "postgres", "PostgreSQL")
    from pg8000 import dbapi

    # pg8000 stumbles where it is asked for a password and has none; an empty one is refused in good order.
    arguments: dict[str, Any] = {
        "password": url.password or "",
        "ssl_context": _encryption(url),
    }
    url = url.difference_update_query(("sslmode", "sslrootcert"))
    engine = create_engine(
        url, hide_parameters=True, pool_pre_ping=True, pool_size=5, max_overflow=10, connect_args=arguments
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> Any:
        # pg8000 knows one time-out for both, so that the connection is made here.
        try:
            opened = _opened(parameters)
        except OSError as error:
            raise dbapi.InterfaceError(error.strerror or str(error)) from error
        try:
            return dbapi.connect(**{**parameters, "sock": opened, "unix_sock": None})
        except BaseException:
            opened.close()
            raise

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(f"SET lock_timeout = '{BUSY_S}s'")
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
        connection.commit()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITING, False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")

    return engine


def _opened(parameters: Mapping[str, Any]) -> socket.socket:
    """A socket that is connected to the server that pg8000's `parameters` name."""
    if parameters.get("unix_sock"):
        opened = socket.socket(socket.AF_UNIX)
        opened.settimeout(CONNECT_S)
        opened.connect(parameters["unix_sock"])
    else:
        opened = socket.create_connection((parameters["host"], parameters.get("port", 5432)), CONNECT_S)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    opened.settimeout(ANSWER_S)
    return opened


def _encryption(url: URL) -> ssl.SSLContext | None:
    """What the URL's `sslmode` and `sslrootcert` ask for, as libpq understands them; None for no encryption."""
    unknown = sorted(set(url.query) - {"host", "unix_sock", "sslmode", "sslrootcert"})
    if unknown:
        raise StoreError(
            f"The database URL has a parameter that Tynysh does not know: {', '.join(unknown)}.",
            hint="Known ones: host (a folder with the server's socket), sslmode, sslrootcert.",
        )
    mode, certificate = url.query.get("sslmode", "disable"), url.query.get("sslrootcert")
    if mode not in {"disable", "require", "verify-ca", "verify-full"}:
        raise StoreError(
            "The database URL has an sslmode that Tynysh does not know.",
            hint="Use disable, require (encrypted, whoever answers), verify-ca or verify-full (checked as well).",
        )
    if mode == "disable":
        return None
    try:
        context = ssl.create_default_context(cafile=str(certificate) if certificate else None)
    except OSError as error:
        raise StoreError(
            f"The certificate {certificate} of the database URL cannot be read: {error.strerror or error}.",
            hint="Name a file of PEM certificates in sslrootcert.",
        ) from None
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


def _explained(error: DBAPIError, database: Database) -> StoreError:
    """The error without statement, parameters or password."""
    message = str(error.orig)
    if isinstance(error.orig, sqlite3.Error):
        # The driver calls a value that it cannot store an interface or a programming error.
        if isinstance(error, IntegrityError | DataError | InterfaceError | ProgrammingError):
            return RefusedError(f"The database {database.shown} does not take this: {message}.")
        if "not a database" in message:
            return StoreError(
                f"{database.shown} is not a database.", hint="Choose another file with --database."
            )
        if "locked" in message:
            return StoreError(
                f"The database {database.shown} is held by another program.",
                hint="Stop the other one, or wait.",
            )
        return StoreError(f"The database {database.shown} refuses: {message}.")
    server_fields = _server_fields(error.orig)
    if server_fields is None:
        return StoreError(
            f"The database {database.shown} cannot be reached: {message}.",
            hint="Is the server running, and are host and port right?",
        )
    reason = server_fields["M"]
    if server_fields.get("C", "")[:2] in {"22", "23"}:  # data exception, integrity constraint violation
        return RefusedError(f"The database {database.shown} does not take this: {reason}.")
    if "password authentication failed" in reason:
        return StoreError(
            f"The database {database.shown} refuses the user name or password.",
            hint=f"Give the right password in {PASSWORD_VARIABLE}.",
        )
    return StoreError(f"The database {database.shown} refuses: {reason}.")


def _server_fields(error: BaseException | None) -> dict[str, str] | None:
    """The server's words (M) and code (C). On a refused connection pg8000 hides them behind one of its own."""
    while error is not None:
        if error.args and isinstance(error.args[0], dict) and "M" in error.args[0]:
            return error.args[0]
        error = error.__cause__ or error.__context__
    return None
