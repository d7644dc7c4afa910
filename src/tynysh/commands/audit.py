"""What `tynysh audit verify` and `tynysh audit list` do."""

import dataclasses
import json
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from tynysh.store import record
from tynysh.store.database import Database

BROKEN_EXIT_CODE = 8


def verify(database: Database, console: Console) -> int:
    """Say whether the record is as it was written; the exit code is 0 if so.

    The number and the seal of the newest entry are printed: kept elsewhere, they show later whether entries were
    cut off at the end.
    """
    with database.reading() as session:
        broken = record.verify(session)
        number, seal = record.head(session)
    if broken is not None:
        console.print(f"The audit record is broken: {broken.what}.", markup=False, soft_wrap=True)
        return BROKEN_EXIT_CODE
    console.print(
        f"The audit record is whole: {number} entries. Newest seal: {seal}", markup=False, soft_wrap=True
    )
    return 0


def list_entries(database: Database, console: Console, *, limit: int, as_json: bool) -> None:
    """Print the newest `limit` entries, as a table or as JSON lines."""
    with database.reading() as session:
        entries = record.entries(session, limit=limit)
    if as_json:
        for entry in entries:
            console.file.write(json.dumps(dataclasses.asdict(entry), ensure_ascii=False) + "\n")
        return
    table = Table(show_edge=False)
    for heading in ("no.", "when (UTC)", "who", "what", "to what", "from"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        moment = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(str(entry.id), moment, entry.user, entry.action, entry.object, entry.address or "")
    console.print(table)
