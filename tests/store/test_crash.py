"""A writer that is killed at any moment loses no event that it reported, and leaves nothing broken."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from tynysh.store import record as audit
from tynysh.store.database import Database, RefusedError
from tynysh.store.migrate import migrate
from tynysh.store.queries import changes, events
from tynysh.store.schema import EventRow, IncidentRow

KILLS = 4

# Writes events for ever, each begun, then ended, and says the id of each after it was committed.
WRITER = """
import sys, time, uuid
from tynysh.store import record as audit
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.store.database import Database
from tynysh.store.queries import events

database = Database.open(sys.argv[1])
base = float(sys.argv[2])
for number in range(100_000):
    start = base + 10.0 * number
    name = str(uuid.uuid4())
    for phase, end in ((Phase.BEGUN, None), (Phase.ENDED, start + 2.0)):
        event = Event(
            id=name, behaviour=Behaviour.FIGHT, phase=phase, start_s=start, decided_s=start + 1, end_s=end,
            score=0.9, box=None, people=2, zone=None, subject="", reason=None, curve=((start, 0.9),) * 50,
        )
        with database.writing() as session:
            events.write(session, event, "door", now=time.time(), gap_s=5.0, clip=True)
            audit.append(session, now=1.0, user="writer", action="event.write", object=name)
        print(f"{name} {phase.value}", flush=True)
"""


def killed_while_writing(url: str, base: float, after_s: float) -> list[tuple[str, str]]:
    """Let a writer write, kill it, and return what it reported: event ids with their phase."""
    writer = [sys.executable, "-c", WRITER, url, str(base)]
    with subprocess.Popen(writer, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        reported = [process.stdout.readline()]
        time.sleep(after_s)
        process.kill()
        reported += process.stdout.readlines()
    assert process.returncode == -9
    # The last line may have been cut by the kill.
    return [(line.split()[0], line.split()[1]) for line in reported if line.endswith("\n")]


def test_nothing_reported_is_lost_and_nothing_is_broken(city: Database, database_url: str) -> None:
    chance = random.Random(20261122)
    reported: list[tuple[str, str]] = []
    for kill in range(KILLS):
        reported += killed_while_writing(database_url, 1e6 * (kill + 1), chance.uniform(0.0, 0.25))
        check(city, reported)
    assert len(reported) >= 2 * KILLS


def check(database: Database, reported: list[tuple[str, str]]) -> None:
    assert not migrate(database), "the tables are as they were"
    with database.reading() as session:
        kept = {row.id: row for row in session.scalars(select(EventRow))}
        for name, phase in reported:
            assert name in kept
            if phase == "ended":
                assert kept[name].ended_at is not None
        # At most the event in hand was committed without the word reaching us.
        assert len(kept) <= len({name for name, _ in reported}) + KILLS
        numbers = [change.id for change in changes.since(session, 0, limit=100_000)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert audit.verify(session) is None
        empty = select(func.count()).where(~IncidentRow.events.any())
        assert session.scalar(empty) == 0, "no incident without an event"
        if database.engine.dialect.name == "sqlite":
            assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    with database.writing() as session:
        assert len(events.close_orphans(session, ["door"], now=1.0)) <= 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(IncidentRow.ended_at.is_(None))) == 0


def test_a_migration_that_is_killed_is_done_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tynysh.db'}"
    code = "import sys; from tynysh.store.database import Database; from tynysh.store.migrate import migrate;"
    code += "database = Database.open(sys.argv[1]); print('opened', flush=True); migrate(database)"
    chance = random.Random(5)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.15))
        process.kill()
        process.communicate()
    database = Database.open(url)
    migrate(database)
    with database.writing() as session:
        audit.append(session, now=1.0, user="a", action="b.c", object="d")
    database.close()


@pytest.mark.parametrize("statement", ["UPDATE event SET score = 2", "UPDATE incident SET state = 'lost'"])
def test_the_database_itself_refuses_what_makes_no_sense(city: Database, make_event, statement: str) -> None:
    events.record(city, make_event(), "door", now=1.0)
    with pytest.raises(RefusedError), city.alone() as connection:
        connection.execute(text(statement))
