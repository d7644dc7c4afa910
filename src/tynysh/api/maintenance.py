"""What the console writes down and forgets: the use of sessions; what is over, and what no browser will ask for."""

import asyncio
from collections.abc import Callable

from tynysh.periodic import repeat
from tynysh.store import sessions
from tynysh.store.database import Database
from tynysh.store.queries import changes
from tynysh.store.sessions import SessionUse

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
