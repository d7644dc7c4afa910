"""How the database is opened, read and written."""

import math
import os
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    InvalidatePoolError,
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
from tynysh.store.sqlite_file import FileIdentity, SqliteFile

PASSWORD_VARIABLE = "TYNYSH_DATABASE_PASSWORD"  # noqa: S105  the name of a variable, not a password
_WRITING = "tynysh_writing"
_IMMEDIATE = "tynysh_immediate"
_OPENED = "tynysh_opened"
_SILENT = "it does not answer"
# Any number will do, as long as all versions of Tynysh on one database take the same.
_WRITER_LOCK = 7_959_737_368


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that the database is given: to be reached or to say that it is there, until it is a writer's turn, and
    for any one answer. What takes longer is a StoreError.
    """

    reach_s: float
    turn_s: float
    answer_s: float


UNHURRIED = Patience(reach_s=10.0, turn_s=30.0, answer_s=120.0)
"""Of a command at the terminal: migrations take time."""

SERVING = Patience(reach_s=3.0, turn_s=8.0, answer_s=10.0)
"""Of a worker and the console: whatever the database does, cameras and browsers are waiting."""


class AwayError(StoreError):
    """The database cannot be reached, and may come back by itself."""


class RefusedError(StoreError):
    """What was to be written contradicts what the database holds; trying the same again is of no use."""


class NotWritableError(StoreError):
    """The database can be read and not be written: it is full, read-only, or held by another program."""


class Database:
    """One database: SQLite (a file) or PostgreSQL. Safe to share between threads, not across a fork.

    Writers take turns on both engines. That is what makes the change feed gap-free, the audit record a chain
    and the joining of events into incidents free of races; a transaction is short, and events are few. What none of
    these rest on, as cameras' figures, is written beside (`unordered`).

    SQLite runs in WAL mode with synchronous=FULL: with NORMAL a power cut may undo commits that others have
    been told of, and an event must be durable before anyone hears of it.
    """

    def __init__(self, engine: Engine, file: SqliteFile | None = None) -> None:
        self.engine = engine
        self.file = file

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        environment: Mapping[str, str] = os.environ,
        patience: Patience = UNHURRIED,
        there: bool = True,
    ) -> "Database":
        """Open `url`: a path or `sqlite:///path`, or `postgresql://user@host/name`.

        A PostgreSQL password that is not in the URL is taken from TYNYSH_DATABASE_PASSWORD or PGPASSWORD.
        there: whether it must be there now; otherwise it may be away, is looked for by whatever needs it, and a file
        that is missing is not made. Raises StoreError, which never shows a password, where the database cannot be
        reached; UsageError where what it takes is not installed.
        """
        parsed = _url(url, environment)
        if parsed.get_backend_name() == "sqlite":
            file = (
                None if parsed.database in {None, "", ":memory:"} else SqliteFile(Path(str(parsed.database)))
            )
            if file is not None and there:
                file.make()
            database = cls(_sqlite(parsed, file, patience), file)
        else:
            database = cls(_postgresql(parsed, patience))
        if there:
            with database._translating(), database.engine.connect() as connection:
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
        if self.file is not None:
            self.file.close()

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


def _sqlite(url: URL, file: SqliteFile | None, patience: Patience) -> Engine:
    if file is None:
        engine = create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False})
    else:
        turn_s = patience.turn_s
        engine = create_engine(
            url, hide_parameters=True, pool_timeout=turn_s, creator=lambda: file.connect(turn_s)
        )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if file is not None:
            record.info[_OPENED] = file.opened()

    @event.listens_for(engine, "checkout")
    def still_there(_connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        if file is not None and not file.still(record.info[_OPENED]):
            # Another one lies there now, and is read from here on.
            raise DisconnectionError

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        writing = options.get(_WRITING, False) or options.get(_IMMEDIATE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
        opened: FileIdentity | None = connection.connection.info.get(_OPENED)
        # Anew, as it may have waited for its turn: what is written to a file that is not there is lost.
        if writing and file is not None and opened is not None and not file.still(opened):
            raise StoreError(f"The database file {file.path} was replaced.")

    return engine


def _postgresql(url: URL, patience: Patience) -> Engine:
    need("pg8000", "postgres", "PostgreSQL")
    from pg8000 import dbapi

    # pg8000 stumbles where it is asked for a password and has none; an empty one is refused in good order.
    arguments: dict[str, Any] = {
        "password": url.password or "",
        "ssl_context": _encryption(url),
    }
    url = url.difference_update_query(("sslmode", "sslrootcert"))
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=5,
        max_overflow=10,
        pool_timeout=patience.turn_s,
        connect_args=arguments,
    )

    silent = _Silent()

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> Any:
        # pg8000 knows one time-out for all, so that the connection is made here.
        opened: socket.socket | None = None
        if time.monotonic() < silent.until_s:
            raise dbapi.InterfaceError(_SILENT)
        try:
            opened = _opened(parameters, patience.reach_s)
            connection = dbapi.connect(**{**parameters, "sock": opened, "unix_sock": None})
            cursor = connection.cursor()
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.execute(f"SET lock_timeout = '{patience.turn_s:.0f}s'")
            cursor.execute(f"SET statement_timeout = '{patience.answer_s * 900:.0f}ms'")
            cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
            connection.commit()
            _answer_within(connection, patience.answer_s)
        except BaseException as error:
            if opened is not None:
                opened.close()
            if isinstance(error, TimeoutError):
                # Many are about to ask: were each to wait for itself, nobody would come to anything else.
                silent.until_s = time.monotonic() + patience.reach_s
            if isinstance(error, dbapi.Error) or not isinstance(error, Exception):
                raise
            # Who does not answer, and who answers anything but PostgreSQL, shows in errors of many kinds.
            raise dbapi.InterfaceError(_words(error)) from error
        return connection

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, _record: Any, _proxy: Any) -> None:
        try:
            _answer_within(connection, patience.reach_s)
            engine.dialect.do_ping(connection)
            _answer_within(connection, patience.answer_s)
        except Exception as error:
            raise InvalidatePoolError from error

    @event.listens_for(engine, "handle_error")
    def lost(context: ExceptionContext) -> None:
        error = context.original_exception
        unbound = context.statement is not None and context.execution_context is None
        if (
            isinstance(error, Exception)
            and not isinstance(error, (dbapi.Error, SQLAlchemyError))
            and not unbound
        ):
            # pg8000 lets through whatever its socket and its own parsing raise; where they stopped, nobody knows.
            context.is_disconnect = True
            shown = url.render_as_string(hide_password=True)
            raise AwayError(f"The connection to the database {shown} was lost: {_words(error)}.")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITING, False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")

    return engine


@dataclass(slots=True)
class _Silent:
    """Until when (monotonic) a server that does not answer is not asked again."""

    until_s: float = -math.inf


def _opened(parameters: Mapping[str, Any], reach_s: float) -> socket.socket:
    """A socket that is connected to the server that pg8000's `parameters` name."""
    if parameters.get("unix_sock"):
        opened = socket.socket(socket.AF_UNIX)
        opened.settimeout(reach_s)
        opened.connect(parameters["unix_sock"])
    else:
        opened = socket.create_connection((parameters["host"], parameters.get("port", 5432)), reach_s)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return opened


def _answer_within(connection: Any, seconds: float) -> None:
    """Give the server so long for each answer. pg8000's own socket: over TLS it is not the one that it was given."""
    connection._usock.settimeout(seconds)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return _SILENT
    return (isinstance(error, OSError) and error.strerror) or f"{type(error).__name__} {error}".strip()


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
            return NotWritableError(
                f"The database {database.shown} is held by another program.",
                hint="Stop the other one, or wait.",
            )
        if "readonly" in message or "is full" in message:
            return NotWritableError(f"The database {database.shown} cannot be written: {message}.")
        return StoreError(f"The database {database.shown} refuses: {message}.")
    server_fields = _server_fields(error.orig)
    if server_fields is None:
        return AwayError(
            f"The database {database.shown} cannot be reached: {message}.",
            hint="Is the server running, and are host and port right?",
        )
    reason = server_fields["M"]
    code = server_fields.get("C", "")
    if code[:2] in {"22", "23"}:  # data exception, integrity constraint violation
        return RefusedError(f"The database {database.shown} does not take this: {reason}.")
    if code in {"25006", "53100", "55P03"}:  # read-only transaction, disk full, lock not available
        return NotWritableError(f"The database {database.shown} cannot be written: {reason}.")
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
