"""The numbered feed of changes: what has become different since I last looked?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tynysh.store.database import must_be_writing
from tynysh.store.schema import ChangeRow


class ChangeKind(StrEnum):
    """What a change is about. Whoever reads the feed passes over what is `unknown`: another version wrote it.

    SITES: the sites in force are others (`ref` is empty). THRESHOLDS: what was learnt of a camera's is another.
    """

    INCIDENT = "incident"
    CAMERA = "camera"
    SITES = "sites"
    THRESHOLDS = "thresholds"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> "ChangeKind":  # noqa: ARG003  Enum's signature
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Change:
    """What `ref` names (an incident, a camera; nothing) has become different. id: its number in the feed."""

    id: int
    at: float
    kind: ChangeKind
    ref: str


def publish(session: Session, kind: ChangeKind, ref: int | str, *, now: float) -> int:
    """Add a change to the feed and return its number.

    Numbers have no gaps and are in the order of commits, on both engines, because `Database.writing` lets one
    writer in at a time: whoever has seen number N has seen all before it.
    """
    must_be_writing(session)
    number = latest(session) + 1
    session.add(ChangeRow(id=number, at=now, kind=kind, ref=str(ref)))
    session.flush()
    return number


def latest(session: Session) -> int:
    """The number of the newest change; 0 before the first."""
    return session.scalar(select(func.coalesce(func.max(ChangeRow.id), 0))) or 0


def oldest(session: Session) -> int:
    """The number of the oldest change kept; 0 if there is none. Who left off before it must reload all."""
    return session.scalar(select(func.coalesce(func.min(ChangeRow.id), 0))) or 0


def newest(session: Session) -> Change | None:
    """The newest change; None before the first."""
    row = session.scalar(select(ChangeRow).order_by(ChangeRow.id.desc()).limit(1))
    return None if row is None else _change(row)


def get(session: Session, number: int) -> Change | None:
    """The change of that number; None where there is none, or not any more."""
    row = session.get(ChangeRow, number)
    return None if row is None else _change(row)


def kinds_since(session: Session, after: int) -> frozenset[ChangeKind]:
    """Of what kinds the changes numbered above `after` are."""
    return frozenset(
        map(ChangeKind, session.scalars(select(ChangeRow.kind).distinct().where(ChangeRow.id > after)))
    )


def since(session: Session, after: int, *, limit: int = 500) -> Sequence[Change]:
    """The changes numbered above `after`, in order, at most `limit`."""
    rows = session.scalars(select(ChangeRow).where(ChangeRow.id > after).order_by(ChangeRow.id).limit(limit))
    return [_change(row) for row in rows]


def forget(session: Session, *, before: float) -> int:
    """Drop changes older than `before` and return how many. The newest stays, to count on from."""
    must_be_writing(session)
    dropped = session.execute(
        delete(ChangeRow).where(ChangeRow.at < before, ChangeRow.id < latest(session)).returning(ChangeRow.id)
    )
    return len(dropped.all())


def _change(row: ChangeRow) -> Change:
    return Change(row.id, row.at, ChangeKind(row.kind), row.ref)
