"""How does crowd history leave as a table, CSV or Parquet, however long it is?"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from tynysh.crowd.minutes import MINUTE_S, Measure, Minutes, Series
from tynysh.extras import need
from tynysh.store.database import Database
from tynysh.store.queries import crowd_history
from tynysh.store.queries.crowd_history import WEEK_MIN

if TYPE_CHECKING:
    import pyarrow

Format = Literal["csv", "parquet"]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

FIGURES = tuple(figure.name.lower() for figure in Measure)
COLUMNS = (
    "at",
    "site",
    "owner",
    "kind",
    "name",
    *(f"{name}_s" if name == "seen" else name for name in FIGURES),
)
"""Of the table: the beginning of the minute (UTC); the site; the camera's id, or the site's for a place; `zone`, `line`
or `place` and its name; then the figures of that minute, empty where they are not known.
"""

_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some minutes of one series of a site."""

    site_id: str
    series: Series
    minutes: Minutes


def chunks(database: Database, of: Sequence[tuple[str, Series]], begin: int, end: int) -> Iterator[Chunk]:
    """The minutes of series, each with its site's id, from `begin` until before `end` (Unix minutes), a week at a time.

    No session stays open between two chunks: whoever takes them may be slow.
    """
    for site_id, series in of:
        with database.reading() as session:
            kept = crowd_history.span(session, series)
        if kept is None:
            continue
        first, last = max(begin, kept[0]), min(end, kept[1])
        for week in range(first - first % WEEK_MIN, last, WEEK_MIN):
            with database.reading() as session:
                found = crowd_history.read(session, series, max(first, week), min(last, week + WEEK_MIN))
            if len(found.at):
                yield Chunk(site_id, series, found)


def check(form: Format) -> None:
    """Raise UsageError where what that form takes is not installed."""
    if form == "parquet":
        need("pyarrow", "export", "Parquet")


def table_bytes(found: Iterable[Chunk], form: Format) -> Iterator[bytes]:
    """The table's file, piece by piece."""
    return _csv(found) if form == "csv" else _parquet(found)


def _csv(found: Iterable[Chunk]) -> Iterator[bytes]:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for chunk in found:
        series = chunk.series
        keys = (_guarded(chunk.site_id), _guarded(series.owner), series.kind.value, _guarded(series.name))
        for at, figures in zip(chunk.minutes.at.tolist(), chunk.minutes.figures.tolist(), strict=True):
            moment = datetime.fromtimestamp(at * MINUTE_S, UTC).strftime("%Y-%m-%dT%H:%MZ")
            rows.writerow((moment, *keys, *(_figure(value) for value in figures)))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _figure(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _guarded(text: str) -> str:
    """A name that a spreadsheet would take for a formula, made harmless (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _parquet(found: Iterable[Chunk]) -> Iterator[bytes]:
    # Loaded only where it is asked for: it is large.
    import pyarrow as pa
    from pyarrow import parquet

    names = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            ("at", pa.timestamp("s", tz="UTC")),
            *((name, names) for name in COLUMNS[1:5]),
            *((name, pa.float32()) for name in COLUMNS[5:]),
        ]
    )
    pieces = _Pieces()
    with parquet.ParquetWriter(pieces, schema, compression="zstd") as writer:
        for chunk in found:
            writer.write_table(_arrow(chunk, schema))
            yield pieces.taken()
    yield pieces.taken()


def _arrow(chunk: Chunk, schema: "pyarrow.Schema") -> "pyarrow.Table":
    import pyarrow as pa

    number, series = len(chunk.minutes.at), chunk.series
    keys = (chunk.site_id, series.owner, series.kind.value, series.name)
    columns = [
        pa.array(chunk.minutes.at * MINUTE_S, pa.int64()).cast(schema.field("at").type),
        *(pa.DictionaryArray.from_arrays(np.zeros(number, np.int32), [text]) for text in keys),
        *(
            pa.array(np.round(chunk.minutes.column(figure), _DECIMALS), pa.float32(), from_pandas=True)
            for figure in Measure
        ),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class _Pieces(io.RawIOBase):
    """A file that hands over what was written to it since the last time."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._written = 0

    def writable(self) -> bool:
        """It is only written to."""
        return True

    def write(self, data: object, /) -> int:
        """Keep `data` until it is taken."""
        size = len(memoryview(data).cast("B"))  # type: ignore[arg-type]
        self._waiting += memoryview(data)  # type: ignore[arg-type]
        self._written += size
        return size

    def tell(self) -> int:
        """How much was written in all."""
        return self._written

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data
