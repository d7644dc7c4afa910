"""What the console's server asks of the database for itself: sessions in force, and counts for its metrics."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from tynysh.store import users
from tynysh.store.database import Database
from tynysh.store.schema import CameraRow, EventRow, IncidentRow, SessionRow, SettingRow
from tynysh.store.sessions import SessionUse
from tynysh.store.users import User

_TRIED = "health:written"


def signed_in(
    database: Database, token_hashes: Collection[str], *, now: float, use: SessionUse
) -> dict[str, User]:
    """The users of those sessions that have not ended, by token hash, and a note in `use` that they are in use."""
    query = (
        select(SessionRow).options(joinedload(SessionRow.user)).where(SessionRow.token_hash.in_(token_hashes))
    )
    with database.reading() as session:
        return {row.token_hash: users.shown(row.user) for row in session.scalars(query) if use.note(row, now)}


@dataclass(frozen=True, slots=True)
class EventTotals:
    """What the database holds, for the metrics.

    incidents: how many, by behaviour and state. events: how many. delay_s: between the decision that there is an
    event and its being durable, summed over `delays` events.
    """

    incidents: dict[tuple[str, str], int]
    events: int
    delay_s: float


def counts(database: Database) -> EventTotals:
    """Counts of everything that is kept; reads the whole of two tables, so it is not for every second."""
    by_kind = select(IncidentRow.behaviour, IncidentRow.state, func.count()).group_by(
        IncidentRow.behaviour, IncidentRow.state
    )
    delays = select(func.count(), func.coalesce(func.sum(EventRow.recorded_at - EventRow.decided_at), 0.0))
    with database.reading() as session:
        incidents = {(behaviour, state): number for behaviour, state, number in session.execute(by_kind)}
        events, delay_s = session.execute(delays).one()
    return EventTotals(incidents, events, delay_s)


def try_writing(database: Database) -> None:
    """Write something, in turn with all other writers. Raises StoreError where nothing can be written."""
    with database.writing() as session:
        session.merge(SettingRow(key=_TRIED, value=time.time()))


def to_be_watched(database: Database) -> frozenset[str]:
    """The ids of the cameras that are to be watched."""
    query = select(CameraRow.id, CameraRow.settings).where(CameraRow.removed_at.is_(None))
    with database.reading() as session:
        rows = session.execute(query).all()
    return frozenset(camera_id for camera_id, settings in rows if settings.get("enabled", True))
