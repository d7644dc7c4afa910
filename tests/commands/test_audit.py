"""An auditor sees at the terminal who did what, and whether the record is whole."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from tynysh.cli import run_command
from tynysh.commands.audit import BROKEN_EXIT_CODE
from tynysh.store import record
from tynysh.store.database import Database

Audit = Callable[..., tuple[int, str]]


@pytest.fixture
def audit(database_url: str, capsys: pytest.CaptureFixture[str]) -> Audit:
    def run(*arguments: str) -> tuple[int, str]:
        code = run_command(["audit", *arguments, "--database", database_url])
        return code, capsys.readouterr().out

    return run


def fill(database: Database) -> None:
    with database.writing() as session:
        for number in range(3):
            record.append(
                session, now=1000.0 + number, user="aigerim", action="clip.view", object=f"incident:{number}"
            )


def test_the_newest_entries_come_first(database: Database, audit: Audit) -> None:
    fill(database)
    code, output = audit("list")
    assert code == 0
    assert output.index("incident:2") < output.index("incident:0")
    assert "1970-01-01 00:16:42" in output
    lines = [json.loads(line) for line in audit("list", "--json", "--limit", "2")[1].splitlines()]
    assert [line["object"] for line in lines] == ["incident:2", "incident:1"]


def test_a_whole_record_is_said_to_be_whole(database: Database, audit: Audit) -> None:
    fill(database)
    code, words = audit("verify")
    assert code == 0
    assert "3 entries" in words


def without_triggers(database: Database, *statements: str) -> None:
    with database.writing() as session:
        if database.engine.dialect.name == "sqlite":
            for (name,) in session.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                session.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement))


def test_a_tail_that_was_cut_off_shows_against_what_the_log_told(database: Database, audit: Audit) -> None:
    fill(database)
    with database.reading() as session:
        number, seal = record.head(session)
    told = ("--at", str(number), "--seal", seal)
    assert audit("verify", *told)[0] == 0
    fill(database)
    assert audit("verify", *told)[0] == 0, "what came since is no matter"
    without_triggers(database, "DELETE FROM audit_entry WHERE id > 2")
    assert audit("verify")[0] == 0, "which the chain alone cannot show"
    code, words = audit("verify", *told)
    assert code == BROKEN_EXIT_CODE
    assert "had 3 entries, and has 2" in words
    fill(database)
    code, words = audit("verify", *told)
    assert code == BROKEN_EXIT_CODE
    assert "entry 3 had another seal" in words
    assert audit("verify", "--at", "3")[0] == 2


def test_an_altered_entry_is_named(database: Database, audit: Audit) -> None:
    fill(database)
    without_triggers(database, "UPDATE audit_entry SET object = 'incident:99' WHERE id = 2")
    code, words = audit("verify")
    assert code == BROKEN_EXIT_CODE
    assert "entry 2" in words
