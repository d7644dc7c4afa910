"""`tynysh crowd export`: crowd history as a file."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from sqlalchemy import select

from tynysh.crowd.minutes import MINUTE_S, Series
from tynysh.errors import StoreError, UsageError
from tynysh.evidence.retention import cameras_of
from tynysh.store import crowd_table, record
from tynysh.store.database import Database
from tynysh.store.queries import crowd_history
from tynysh.store.schema import SiteRow
from tynysh.store.terminal import at_the_terminal

_FORMATS: dict[str, crowd_table.Format] = {".csv": "csv", ".parquet": "parquet"}


def export(
    database: Database,
    console: Console,
    out: Path,
    *,
    begin: str | None,
    end: str | None,
    site: str | None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Write the minutes of all sites, or of one, to `out`, and put that on the audit record.

    begin, end: dates (YYYY-MM-DD) or moments in ISO 8601, in the site's time zone where they name none; everything
    that is kept if left out. A date as the end is taken in. Raises UsageError, StoreError.
    """
    form = _FORMATS.get(out.suffix.lower())
    if form is None:
        raise UsageError(
            f"{out.name} is neither a CSV nor a Parquet file.", hint="Name it FILE.csv or FILE.parquet."
        )
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
    last = int(clock() // MINUTE_S) + 1 if end is None else _minute(end, zone, whole_day=True)
    if last <= first:
        raise UsageError("--to is not after --from.")
    with database.writing() as session:
        record.append(
            session,
            now=clock(),
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
            file.writelines(crowd_table.written(found, form))
        partial.replace(out)
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error.strerror or error}.") from None
    finally:
        partial.unlink(missing_ok=True)
    console.print(f"{minutes} minutes of {len(wanted)} zones, lines and places: {out}", markup=False)


def _minute(said: str, zone: ZoneInfo, *, whole_day: bool) -> int:
    """The Unix minute of a date or moment; of a date its beginning, or where `whole_day` its end."""
    try:
        if len(said) == len("2026-12-16"):
            day = date.fromisoformat(said) + timedelta(days=1 if whole_day else 0)
            moment = datetime(day.year, day.month, day.day, tzinfo=zone)
        else:
            moment = datetime.fromisoformat(said)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return int(moment.timestamp() // MINUTE_S)
    except (ValueError, OverflowError):
        raise UsageError(f"{said!r} is not a date.", hint="Write 2026-12-16 or 2026-12-16T18:00.") from None
