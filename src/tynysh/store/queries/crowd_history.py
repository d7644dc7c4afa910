"""Crowd figures by minute: written as they come, packed by day and week, read by time."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from tynysh.crowd.minutes import Minutes, Series, SeriesKind
from tynysh.store.database import Database, must_be_writing
from tynysh.store.packing import pack, unpack
from tynysh.store.schema import CrowdBlockRow, CrowdSeriesRow

DAY_MIN = 1440
WEEK_MIN = 7 * DAY_MIN

_AT_ONCE = 20
_KEYS_AT_ONCE = 400


def write(session: Session, found: Mapping[Series, Minutes]) -> None:
    """Keep minutes; what is told of a minute that is kept already (in part, before a restart) joins what is there.

    Each minute is a block of its own until `pack_all`. Needs a session of `Database.writing`.
    """
    must_be_writing(session)
    ids = _ids(session, found)
    new = {
        (ids[series], int(at)): Minutes(minutes.at[index : index + 1], minutes.figures[index : index + 1])
        for series, minutes in found.items()
        for index, at in enumerate(minutes.at)
    }
    for row in _rows(session, list(new)):
        # A block of a day begins with its first minute: that minute may be among others there.
        row.packed = pack(Minutes.joined([unpack(row.packed), new.pop((row.series_id, row.begin))]))
    if new:
        session.execute(
            insert(CrowdBlockRow),
            [
                {"series_id": series_id, "begin": begin, "packed": pack(one)}
                for (series_id, begin), one in new.items()
            ],
        )


def pack_all(database: Database, *, before: int) -> int:
    """Join the blocks of each series that lie before minute `before` to one for each UTC day, and the days to one for
    each week that is over; how many blocks that freed.

    In transactions of a few series each, so that other writers need not wait.
    """
    freed = 0
    for length, until in ((DAY_MIN, before), (WEEK_MIN, before - before % WEEK_MIN)):
        with database.reading() as session:
            loose = session.execute(
                select(CrowdBlockRow.series_id, CrowdBlockRow.begin - CrowdBlockRow.begin % length)
                .where(CrowdBlockRow.begin % length != 0, CrowdBlockRow.begin < until)
                .distinct()
                .order_by(CrowdBlockRow.series_id)
            ).all()
        for first in range(0, len(loose), _AT_ONCE):
            with database.writing() as session:
                for series_id, begin in loose[first : first + _AT_ONCE]:
                    freed += _join(session, series_id, begin, min(before, begin + length))
    return freed


def _join(session: Session, series_id: int, begin: int, end: int) -> int:
    within = (CrowdBlockRow.series_id == series_id, CrowdBlockRow.begin >= begin, CrowdBlockRow.begin < end)
    blocks = session.scalars(select(CrowdBlockRow.packed).where(*within)).all()
    session.execute(delete(CrowdBlockRow).where(*within))
    joined = pack(Minutes.joined([unpack(packed) for packed in blocks]))
    session.add(CrowdBlockRow(series_id=series_id, begin=begin, packed=joined))
    return len(blocks) - 1


def read(session: Session, series: Series, begin: int, end: int) -> Minutes:
    """The minutes of one series from `begin` until before `end`, Unix minutes."""
    return Minutes.joined(list(_blocks(session, series, begin, end)))


def series_of(session: Session, owners: Collection[str]) -> Sequence[Series]:
    """All series of some cameras or sites, in order of owner, kind and name."""
    query = (
        select(CrowdSeriesRow)
        .where(CrowdSeriesRow.owner.in_(owners))
        .order_by(CrowdSeriesRow.owner, CrowdSeriesRow.kind, CrowdSeriesRow.name)
    )
    return [Series(SeriesKind(row.kind), row.owner, row.name) for row in session.scalars(query)]


def span(session: Session, series: Series) -> tuple[int, int] | None:
    """Between which minutes anything is kept: no later than its first, no earlier than its last; None if nothing is."""
    query = select(func.min(CrowdBlockRow.begin), func.max(CrowdBlockRow.begin)).join(CrowdSeriesRow)
    first, last = session.execute(query.where(*_is(series))).one()
    return None if first is None else (first, last + WEEK_MIN)


def forget(session: Session, owners: Collection[str], *, before: int) -> int:
    """Delete what is kept of some cameras or sites of weeks (counted from 1970) that end before minute `before`; how
    many blocks went.

    Needs a session of `Database.writing`.
    """
    must_be_writing(session)
    ids = select(CrowdSeriesRow.id).where(CrowdSeriesRow.owner.in_(owners))
    old = (CrowdBlockRow.series_id.in_(ids), CrowdBlockRow.begin < before - before % WEEK_MIN)
    gone = session.scalar(select(func.count()).select_from(CrowdBlockRow).where(*old)) or 0
    if gone:
        session.execute(delete(CrowdBlockRow).where(*old))
    return gone


def _blocks(session: Session, series: Series, begin: int, end: int) -> Iterator[Minutes]:
    blocks = session.scalars(
        select(CrowdBlockRow.packed)
        .join(CrowdSeriesRow)
        .where(
            *_is(series),
            # Blocks of a day or a week may begin earlier, with that day or week; of a minute none.
            (CrowdBlockRow.begin >= begin)
            | CrowdBlockRow.begin.in_((begin - begin % DAY_MIN, begin - begin % WEEK_MIN)),
            CrowdBlockRow.begin < end,
        )
        .order_by(CrowdBlockRow.begin)
    )
    for packed in blocks:
        yield unpack(packed).between(begin, end)


def _is(series: Series) -> tuple[ColumnElement[bool], ...]:
    return (
        CrowdSeriesRow.kind == series.kind.value,
        CrowdSeriesRow.owner == series.owner,
        CrowdSeriesRow.name == series.name,
    )


def _ids(session: Session, wanted: Collection[Series]) -> dict[Series, int]:
    owners = {series.owner for series in wanted}
    rows = session.scalars(select(CrowdSeriesRow).where(CrowdSeriesRow.owner.in_(owners)))
    ids = {Series(SeriesKind(row.kind), row.owner, row.name): row.id for row in rows}
    for series in sorted(set(wanted) - set(ids)):
        row = CrowdSeriesRow(kind=series.kind.value, owner=series.owner, name=series.name)
        session.add(row)
        session.flush()
        ids[series] = row.id
    return ids


def _rows(session: Session, keys: Sequence[tuple[int, int]]) -> Iterator[CrowdBlockRow]:
    """The blocks of those keys, a few at a time: a statement takes only so many parameters."""
    key = tuple_(CrowdBlockRow.series_id, CrowdBlockRow.begin)
    for first in range(0, len(keys), _KEYS_AT_ONCE):
        found = session.scalars(select(CrowdBlockRow).where(key.in_(keys[first : first + _KEYS_AT_ONCE])))
        yield from found.all()
