"""What the console does beside answering: it writes down the use of sessions, forgets what is over, and tells the log
how
long the audit record is.
"""

import asyncio
from collections.abc import Callable

import structlog

from tynysh.periodic import repeat
from tynysh.store import record, sessions
from tynysh.store.database import Database
from tynysh.store.queries import changes
from tynysh.store.sessions import SessionUse

log = structlog.get_logger(__name__)

FEED_KEPT_S = 7 * 24 * 3600.0
"""A browser that was away longer loads everything anew."""


async def keep_tidy(
    database: Database,
    clock: Callable[[], float],
    use: SessionUse,
    *,
    every_s: float = 600.0,
    use_every_s: float = 60.0,
) -> None:
    """Forgets now, and every ten minutes until cancelled; and writes down each minute which sessions are in use."""

    def forget() -> None:
        use.write(database)
        now = clock()
        with database.writing() as session:
            sessions.forget_ended(session, now=now)
            changes.forget(session, before=now - FEED_KEPT_S)

    await asyncio.gather(
        repeat("maintenance", lambda: asyncio.to_thread(forget), every_s=every_s, at_once=True),
        repeat("session use", lambda: asyncio.to_thread(use.write, database), every_s=use_every_s),
    )


async def tell_audit_head(database: Database, *, every_s: float = 3600.0) -> None:
    """Tells the log number and seal of the audit record's newest entry now, and every hour until cancelled.

    A log that is kept elsewhere so proves later that nothing was cut off: `tynysh audit verify --at`.
    """

    def tell() -> None:
        with database.reading() as session:
            number, seal = record.head(session)
        log.info("audit.head", entries=number, seal=seal)

    await repeat("audit record", lambda: asyncio.to_thread(tell), every_s=every_s, at_once=True)
