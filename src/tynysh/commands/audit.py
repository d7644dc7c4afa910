"""`tynysh audit`: who did or looked at what, and whether the record of it is whole."""

from typing import Annotated

import typer

from tynysh.commands.options import AsJson, Data, DatabaseUrl, group, open_database
from tynysh.commands.output import json_text, print_table, say

app = group("Who did or looked at what.")

BROKEN_EXIT_CODE = 8


@app.command()
def verify(
    at: Annotated[
        int | None,
        typer.Option("--at", min=0, help="Number of entries that the log told once (`audit.head`)."),
    ] = None,
    seal: Annotated[
        str | None, typer.Option("--seal", "--hash", help="The seal that it told with it.")
    ] = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> int:
    """Check that no entry of the audit record was altered or taken out; with --at and --seal also that none was cut
    off at the end, and all sealed anew, since the log told them.
    """
    from tynysh.errors import UsageError
    from tynysh.store import record

    if (at is None) != (seal is None):
        raise UsageError("--at and --seal go together.", hint="Both stand in the same line of the log.")

    with open_database(data, database) as opened, opened.reading() as session:
        broken = record.verify(session)
        number, newest = record.head(session)
        told = None if at is None else record.seal_of(session, at)
    if broken is not None:
        say(f"The audit record is broken: {broken.what}.")
        return BROKEN_EXIT_CODE
    if at is not None and at > number:
        say(f"The audit record is broken: it had {at} entries, and has {number}.")
        return BROKEN_EXIT_CODE
    if seal is not None and told != seal.strip().lower():
        say(f"The audit record is broken: entry {at} had another seal.")
        return BROKEN_EXIT_CODE
    # Kept elsewhere, number and seal show later whether entries were cut off at the end.
    say(f"The audit record is whole: {number} entries. Newest seal: {newest}")
    return 0


@app.command("list")
def list_entries(
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="How many entries, newest first.")
    ] = 50,
    as_json: AsJson = False,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """The newest entries: who did or looked at what, and when."""
    import dataclasses
    from datetime import UTC, datetime

    from tynysh.store import record

    with open_database(data, database) as opened, opened.reading() as session:
        entries = record.entries(session, limit=limit)
    if as_json:
        for entry in entries:
            say(json_text(dataclasses.asdict(entry)))
        return
    print_table(
        ("no.", "when (UTC)", "who", "what", "to what", "from"),
        [
            (
                str(entry.id),
                datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
                entry.user,
                entry.action,
                entry.object,
                entry.address or "",
            )
            for entry in entries
        ],
    )
