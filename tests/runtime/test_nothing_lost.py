"""No event is lost in whatever state the database is when its writer is stopped or killed."""

import itertools
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from random import Random
from textwrap import dedent

import pytest
from sqlalchemy import select
from tests.conftest import PostgreSql

from tynysh.runtime.event_journal import EventJournal
from tynysh.runtime.event_writer import EventWriter
from tynysh.store.database import Database
from tynysh.store.schema import CameraRow, EventRow, SiteRow

EVENTS = 18
SECONDS = float(os.environ.get("TYNYSH_TORTURE_S", "4"))
SEED = int(os.environ.get("TYNYSH_TORTURE_SEED", "1"))

WRITER = """
    import sys, time
    from pathlib import Path
    from random import Random
    from sqlalchemy import event
    from tests.events import an_event
    from tynysh.runtime.event_journal import EventJournal
    from tynysh.runtime.event_writer import EventWriter
    from tynysh.store.database import Database, Patience

    url, folder, pragma, trial, events = sys.argv[1:]
    database = Database.open(url, patience=Patience(1.0, 2.0, 2.0), there=False)
    if pragma:
        @event.listens_for(database.engine, "checkout")
        def spoil(connection, *_):
            connection.execute(pragma)
    writer = EventWriter(database, EventJournal(Path(folder), 0), lambda *_: None, random=Random(1))
    writer.start()
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(events)):
        begun = an_event(start_s=1000.0 * number, id=f"{trial} {number}")
        writer.put("door", begun, clip=False)
        if number % 2:
            ended = an_event(start_s=1000.0 * number, end_s=1000.0 * number + 5, id=begun.id)
            writer.put("door", ended, clip=False)
    if sys.stdin.readline() == "kill\\n":
        while any(item.journal_at_s is not None for item in writer._waiting):
            time.sleep(0.01)
        print("0", flush=True)
        time.sleep(60)
    print(writer.stop(), flush=True)
    database.close()
"""


class Lab:
    """A database on each engine, and all that may become of them while a writer is at work."""

    def __init__(self, sqlite_url: str, postgresql_url: str, server: PostgreSql) -> None:
        self.path = Path(sqlite_url.removeprefix("sqlite:///"))
        self.sqlite, self.postgresql = sqlite_url, postgresql_url
        self.states: dict[str, tuple[str, Callable[[], AbstractContextManager[None]], str]] = {
            "well": (sqlite_url, nullcontext, ""),
            "held": (sqlite_url, self._held, ""),
            "full": (sqlite_url, nullcontext, "PRAGMA max_page_count = 1"),
            "read-only": (sqlite_url, nullcontext, "PRAGMA query_only = ON"),
            "deleted": (sqlite_url, self._deleted, ""),
            "frozen": (postgresql_url, server.frozen, ""),
            "refusing": (postgresql_url.replace("host=", "host=/nowhere"), nullcontext, ""),
        }
        for url in (sqlite_url, postgresql_url):
            with closing(Database.open(url)) as database, database.writing() as session:
                zone = {"time_zone": "Asia/Almaty"}
                session.add(SiteRow(id="club", name="Club", kind="nightlife", ordinal=0, settings=zone))
                session.flush()
                session.add(CameraRow(id="door", site_id="club", name="Door", ordinal=0, settings={}))

    @contextmanager
    def _held(self) -> Iterator[None]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def _deleted(self) -> Iterator[None]:
        # As the console has, another process has it open, and puts it back when it ends.
        with closing(Database.open(self.path)):
            for one in self.path.parent.glob("tynysh.db*"):
                one.unlink()
            yield

    def lost(self, state: str, end: str, journal: Path, trial: str, chance: Random) -> int:
        """How many of `EVENTS` are lost where the writer is ended so while the database is in that state."""
        url, become, pragma = self.states[state]
        program = [sys.executable, "-c", dedent(WRITER), url, str(journal), pragma, trial, str(EVENTS)]
        path = os.pathsep.join(filter(None, sys.path))
        with (
            subprocess.Popen(
                program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": path},
            ) as process,
            ExitStack() as until_over,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            answers = (line for line in process.stdout if "[" not in line)
            assert next(answers) == "ready\n"
            until_over.enter_context(become())
            process.stdin.write(f"go\n{end}\n")
            process.stdin.flush()
            assert next(answers) == "0\n", "what is neither in the database nor in the journal"
            if end == "kill":
                time.sleep(chance.uniform(0.0, 0.2))
                process.kill()
            process.wait(60)
        with closing(Database.open(self.sqlite if url == self.sqlite else self.postgresql)) as database:
            again = EventWriter(database, EventJournal(journal, 0), lambda *_: None, random=Random(1))
            again.start()
            assert again.stop(60) == 0
            with database.reading() as session:
                rows = session.scalars(select(EventRow).where(EventRow.id.startswith(trial))).all()
            return EVENTS - len(rows)


@pytest.mark.torture
def test_no_event_is_lost_however_its_writer_ends(
    sqlite_url: str, postgresql: PostgreSql, postgresql_template: str, tmp_path: Path
) -> None:
    chance = Random(SEED)
    url = postgresql.new(postgresql_template)
    lab = Lab(sqlite_url, url, postgresql)
    trials = [(state, end) for state in lab.states for end in ("stop", "kill")]
    lost: dict[tuple[str, str], int] = {}
    began_s = time.monotonic()
    for number in itertools.count():
        if number % len(trials) == 0:
            chance.shuffle(trials)
        state, end = trials[number % len(trials)]
        lost[state, end] = lab.lost(state, end, tmp_path / "journal", f"trial {number}:", chance)
        if time.monotonic() - began_s > SECONDS:
            break
    postgresql.drop(url)
    assert set(lost.values()) == {0}, lost
