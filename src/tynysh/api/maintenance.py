"""What the console forgets: ended sessions, old failures to sign in, changes that no browser will ask for."""

import asyncio
from collections.abc import Callable

from tynysh.periodic import repeat
from tynysh.store import sessions
from tynysh.store.database import Database
from tynysh.store.queries import changes

FEED_KEPT_S = 7 * 24 * 3600.0
"""A browser that was away longer loads everything anew."""


async def keep_tidy(database: Database, clock: Callable[[], float], *, every_s: float = 600.0) -> None:
    """Forgets now, and every ten minutes until cancelled."""

    def forget() -> None:
        now = clock()
        with database.writing() as session:
            sessions.forget_ended(session, now=now)
            changes.forget(session, before=now - FEED_KEPT_S)

    await repeat("maintenance", lambda: asyncio.to_thread(forget), every_s=every_s, at_once=True)
