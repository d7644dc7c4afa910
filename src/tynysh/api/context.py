"""What every part of the API works with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from tynysh.api.feed import Feed
from tynysh.api.kept import Kept
from tynysh.api.links import Board, Links
from tynysh.api.settings import ApiSettings
from tynysh.api.viewing import Viewings
from tynysh.api.watch import Watch
from tynysh.store.database import Database


@dataclass(frozen=True, slots=True)
class Context:
    """The application's parts. clock: Unix seconds. tasks: what runs for as long as the application does."""

    database: Database
    links: Links
    board: Board
    data_dir: Path
    clock: Callable[[], float]
    settings: ApiSettings
    feed: Feed
    watch: Watch
    viewings: Viewings
    kept: Kept
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


def _context(connection: HTTPConnection) -> Context:
    return cast("Context", connection.app.state.context)


Parts = Annotated[Context, Depends(_context)]
