"""Who looked at and changed what: an append-only record in which each entry seals those before it.

The seal of an entry is SHA-256 over its fields and the seal before it (a hash chain, after Haber and
Stornetta, "How to time-stamp a digital document", Journal of Cryptology 3, 1991). Whoever alters, removes or
slips in an entry breaks the chain from there on. What a chain alone cannot show is that entries are missing
at its very end; for that, note `head` elsewhere from time to time. The database refuses UPDATE and DELETE on
the table by itself.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tynysh.store.database import must_be_writing
from tynysh.store.schema import AuditEntryRow

BEGINNING = "0" * 64
"""The seal before the first entry."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """At `at` (Unix seconds), `user` did `action` to `object` from `address`. hash: the entry's seal."""

    id: int
    at: float
    user: str
    action: str
    object: str
    address: str | None
    detail: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """AuditEntry `id` is the first that is not as it was written; `what` says how it shows."""

    id: int
    what: str


def append(
    session: Session,
    *,
    now: float,
    user: str,
    action: str,
    object: str,  # noqa: A002  the record's own word
    address: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry in the transaction of what it records: both are kept, or neither.

    action: `noun.verb`, as `clip.view`; object: what it was done to, as `incident:17`. Needs a session of
    `Database.writing`.
    """
    must_be_writing(session)
    last = session.scalars(select(AuditEntryRow).order_by(AuditEntryRow.id.desc()).limit(1)).one_or_none()
    row = AuditEntryRow(
        id=1 if last is None else last.id + 1,
        at=float(now),
        user=_clean(user),
        action=action,
        object=_clean(object),
        address=None if address is None else _clean(address)[:80],
        detail=_clean(
            json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        ),
        previous_hash=BEGINNING if last is None else last.hash,
    )
    row.hash = _seal(row)
    session.add(row)
    session.flush()
    return _entry(row)


def verify(session: Session) -> Broken | None:
    """Read the whole record and name the first entry that is not as it was written; None if all are."""
    previous = BEGINNING
    query = select(AuditEntryRow).order_by(AuditEntryRow.id).execution_options(yield_per=1000)
    for number, row in enumerate(session.scalars(query), start=1):
        if row.id != number:
            return Broken(number, f"entry {number} is missing")
        if row.previous_hash != previous:
            return Broken(row.id, f"entry {row.id} does not follow the one before it")
        if row.hash != _seal(row):
            return Broken(row.id, f"entry {row.id} was altered")
        previous = row.hash
        session.expunge(row)
    return None


def seal_of(session: Session, number: int) -> str | None:
    """The seal of entry `number`; None where there is no such entry."""
    if number == 0:
        return BEGINNING
    row = session.get(AuditEntryRow, number)
    return None if row is None else row.hash


def head(session: Session) -> tuple[int, str]:
    """Number and seal of the newest entry: kept elsewhere, they prove later that nothing was cut off."""
    last = session.scalars(select(AuditEntryRow).order_by(AuditEntryRow.id.desc()).limit(1)).one_or_none()
    return (0, BEGINNING) if last is None else (last.id, last.hash)


def entries(session: Session, *, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
    """Entries below number `before`, newest first, at most `limit`."""
    query = select(AuditEntryRow).order_by(AuditEntryRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntryRow.id < before)
    return [_entry(row) for row in session.scalars(query)]


def _seal(row: AuditEntryRow) -> str:
    fields = [row.id, row.at, row.user, row.action, row.object, row.address, row.detail, row.previous_hash]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _entry(row: AuditEntryRow) -> AuditEntry:
    return AuditEntry(
        row.id, row.at, row.user, row.action, row.object, row.address, json.loads(row.detail), row.hash
    )


def _clean(words: str) -> str:
    """Without what PostgreSQL cannot keep."""
    return words.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
