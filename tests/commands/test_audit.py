"""An auditor sees at the terminal who did what, and whether the record is whole."""

import io
import json

from rich.console import Console
from sqlalchemy import text

from tynysh.commands import audit as commands
from tynysh.store import record
from tynysh.store.database import Database


def said(database: Database, **options: object) -> str:
    out = io.StringIO()
    commands.list_entries(
        database, Console(file=out, width=200), **{"limit": 10, "as_json": False, **options}
    )  # type: ignore[arg-type]
    return out.getvalue()


def verified(database: Database) -> tuple[int, str]:
    out = io.StringIO()
    code = commands.verify(database, Console(file=out, width=200))
    return code, out.getvalue()


def fill(database: Database) -> None:
    with database.writing() as session:
        for number in range(3):
            record.append(
                session, now=1000.0 + number, user="aigerim", action="clip.view", object=f"incident:{number}"
            )


def test_the_newest_entries_come_first(database: Database) -> None:
    fill(database)
    assert said(database).index("incident:2") < said(database).index("incident:0")
    assert "1970-01-01 00:16:42" in said(database)
    lines = [json.loads(line) for line in said(database, as_json=True, limit=2).splitlines()]
    assert [line["object"] for line in lines] == ["incident:2", "incident:1"]


def test_a_whole_record_is_said_to_be_whole(database: Database) -> None:
    fill(database)
    code, words = verified(database)
    assert code == 0
    assert "3 entries" in words


def test_an_altered_entry_is_named(database: Database) -> None:
    fill(database)
    with database.writing() as session:
        if database.engine.dialect.name == "sqlite":
            for (name,) in session.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                session.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        session.execute(text("UPDATE audit_entry SET object = 'incident:99' WHERE id = 2"))
    code, words = verified(database)
    assert code == commands.BROKEN_EXIT_CODE
    assert "entry 2" in words
