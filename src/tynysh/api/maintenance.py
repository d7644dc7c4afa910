"""What the console forgets: ended sessions, old failures to sign in, changes that no browser will ask for."""

import asyncio
from collections.abc import Callable

import structlog

from tynysh.errors import StoreError
from tynysh.store import sessions
from tynysh.store.database import Database
from tynysh.store.queries import changes

log = structlog.get_logger(__name__)

FEED_KEPT_S = 7 * 24 * 3600.0
"""A browser that was away longer loads everything anew."""


async def keep_tidy(database: Database, clock: Callable[[], float], *, every_s: float = 600.0) -> None:
    """Forgets now, and every ten minutes until cancelled."""
    while True:
        try:
            await asyncio.to_thread(_forget, database, clock())
        except StoreError as error:
            log.warning("old sessions and changes cannot be forgotten", error=error.message)
        except Exception:
            log.exception("forgetting old sessions and changes failed")
            await asyncio.sleep(1.0)
        await asyncio.sleep(every_s)


def _forget(database: Database, now: float) -> None:
    with database.writing() as session:
        sessions.forget_ended(session, now=now)
        changes.forget(session, before=now - FEED_KEPT_S)
