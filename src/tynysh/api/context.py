"""What every part of the API works with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from tynysh.api.cached_counts import CachedCounts
from tynysh.api.feed import ChangeFeed
from tynysh.api.lookers import Lookers
from tynysh.api.probe import Probe
from tynysh.api.settings import ApiSettings
from tynysh.api.status_cache import StatusCache
from tynysh.api.stream_registry import StreamRegistry
from tynysh.api.viewing import Viewings
from tynysh.bus.workers import Workers
from tynysh.store.database import Database
from tynysh.store.sessions import SessionUse


@dataclass(frozen=True, slots=True)
class Context:
    """The application's services. clock: Unix seconds. tasks: what runs for as long as the application does."""

    database: Database
    workers: Workers
    statuses: StatusCache
    data_dir: Path
    clock: Callable[[], float]
    settings: ApiSettings
    feed: ChangeFeed
    streams: StreamRegistry
    viewings: Viewings
    lookers: Lookers
    counts: CachedCounts
    probe: Probe
    session_use: SessionUse
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


# Not in a thread: where all of them wait for the database, the health is told all the same.
async def _context(connection: HTTPConnection) -> Context:
    return cast("Context", connection.app.state.context)


Services = Annotated[Context, Depends(_context)]
