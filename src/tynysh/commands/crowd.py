"""`tynysh crowd`: how many people there were, as a file."""

import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from typer import Option

from tynysh.commands.options import Data, DatabaseUrl, group, open_database
from tynysh.commands.output import say
from tynysh.errors import StoreError, UsageError

if TYPE_CHECKING:
    from tynysh.store.database import Database

MINUTE_S = 60

app = group("How many people there were.")


@app.command()
def export(
    out: Annotated[Path, Option("--out", "-o", help="File to write: FILE.csv or FILE.parquet.")],
    begin: Annotated[
        str | None, Option("--from", help="First day, or moment: 2026-12-16, 2026-12-16T18:00.")
    ] = None,
    end: Annotated[str | None, Option("--to", help="Last day, or moment.")] = None,
    site: Annotated[str | None, Option("--site", help="One site, by id or name.")] = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Write people by zone, line, place and minute as CSV or Parquet."""
    # A date is a day on the site's own clock where it names no other; one as the end is taken in.
    if out.suffix.lower() not in {".csv", ".parquet"}:
        raise UsageError(
            f"{out.name} is neither a CSV nor a Parquet file.", hint="Name it FILE.csv or FILE.parquet."
        )
    with open_database(data, database) as opened:
        _export(opened, out, begin, end, site)


def _export(database: "Database", out: Path, begin: str | None, end: str | None, site: str | None) -> None:
    from sqlalchemy import select

    from tynysh.crowd.minutes import Series
    from tynysh.evidence.retention import cameras_of
    from tynysh.store import crowd_table, record
    from tynysh.store.queries import crowd_history
    from tynysh.store.schema import SiteRow
    from tynysh.store.terminal import at_the_terminal

    now = time.time()
    form: crowd_table.Format = "parquet" if out.suffix.lower() == ".parquet" else "csv"
    crowd_table.check(form)
    with database.reading() as session:
        rows = list(session.scalars(select(SiteRow).order_by(SiteRow.ordinal, SiteRow.id)))
        chosen = [row for row in rows if site is None or site in (row.id, row.name)]
        if not rows:
            raise UsageError("There are no sites yet.", hint="Apply a site file: tynysh apply SITE.YAML.")
        if not chosen:
            names = ", ".join(row.id for row in rows)
            raise UsageError(f"There is no site {site!r}.", hint=f"Known sites: {names}.")
        wanted: list[tuple[str, Series]] = [
            (row.id, series)
            for row in chosen
            for series in crowd_history.series_of(session, {row.id, *cameras_of(session, row.id)})
        ]
    zone = ZoneInfo(chosen[0].settings["time_zone"])
    first = 0 if begin is None else _minute(begin, zone, whole_day=False)
    last = int(now // MINUTE_S) + 1 if end is None else _minute(end, zone, whole_day=True)
    if last <= first:
        raise UsageError("--to is not after --from.")
    with database.writing() as session:
        record.append(
            session,
            now=now,
            user=at_the_terminal(),
            action="crowd.export",
            object="sites:all" if site is None else f"site:{chosen[0].id}",
            detail={"from": begin, "to": end, "format": form, "series": len(wanted)},
        )
    minutes = 0

    def counted(chunk: crowd_table.Chunk) -> crowd_table.Chunk:
        nonlocal minutes
        minutes += len(chunk.minutes.at)
        return chunk

    partial = out.with_name(f"{out.name}.part")
    try:
        with partial.open("wb") as file:
            found = map(counted, crowd_table.chunks(database, wanted, first, last))
            file.writelines(crowd_table.table_bytes(found, form))
        partial.replace(out)
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error.strerror or error}.") from None
    finally:
        partial.unlink(missing_ok=True)
    say(f"{minutes} minutes of {len(wanted)} zones, lines and places: {out}")


def _minute(given: str, zone: ZoneInfo, *, whole_day: bool) -> int:
    """The Unix minute of a date or moment; of a date its beginning, or where `whole_day` its end."""
    try:
        if len(given) == len("2026-12-16"):
            day = date.fromisoformat(given) + timedelta(days=1 if whole_day else 0)
            moment = datetime(day.year, day.month, day.day, tzinfo=zone)
        else:
            moment = datetime.fromisoformat(given)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return int(moment.timestamp() // MINUTE_S)
    except (ValueError, OverflowError):
        raise UsageError(f"{given!r} is not a date.", hint="Write 2026-12-16 or 2026-12-16T18:00.") from None
