"""The application: every part of the API, put together."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI

from tynysh import __version__
from tynysh.api import (
    blindness,
    cameras,
    crowds,
    errors,
    health,
    incidents,
    metrics,
    session,
    sites,
    thresholds,
    updates,
)
from tynysh.api import clock as api_clock
from tynysh.api.cached_counts import CachedCounts
from tynysh.api.console import BUILT, console_router
from tynysh.api.context import Context
from tynysh.api.errors import ErrorAnswer
from tynysh.api.feed import ChangeFeed
from tynysh.api.guard import Guard
from tynysh.api.lookers import Lookers
from tynysh.api.maintenance import keep_tidy, tell_audit_head
from tynysh.api.openapi import openapi_router
from tynysh.api.probe import Probe
from tynysh.api.settings import ApiSettings
from tynysh.api.silence import SilenceWatch
from tynysh.api.status_cache import StatusCache
from tynysh.api.stream_registry import StreamRegistry
from tynysh.api.viewing import Viewings
from tynysh.bus.workers import Workers
from tynysh.store import console_queries
from tynysh.store.database import Database
from tynysh.store.sessions import SessionUse
from tynysh.store.users import User

PREFIX = "/api/v1"

_REFUSALS: dict[int | str, dict[str, object]] = {
    "4XX": {"model": ErrorAnswer, "description": "Refused; `error.code` says why."},
    "5XX": {"model": ErrorAnswer, "description": "Failed; nothing was changed."},
}


def create_app(
    database: Database,
    *,
    workers: Workers,
    data_dir: Path,
    clock: Callable[[], float] = time.time,
    settings: ApiSettings | None = None,
    console: Path = BUILT,
) -> FastAPI:
    """The API and the console over a migrated `database`.

    workers: the way to the workers. data_dir: where `evidence/` lies. clock: Unix seconds. console: the built files.
    """
    settings = settings or ApiSettings()
    session_use = SessionUse()

    def signed_in(token_hashes: Collection[str]) -> Mapping[str, User]:
        return console_queries.signed_in(database, token_hashes, now=clock(), use=session_use)

    context = Context(
        database=database,
        workers=workers,
        statuses=StatusCache(workers),
        data_dir=data_dir,
        clock=clock,
        settings=settings,
        feed=ChangeFeed(database, poll_s=settings.poll_s, queue=settings.updates_queue),
        streams=StreamRegistry(signed_in, every_s=settings.watch_s, per_session=settings.streams_per_session),
        viewings=Viewings(database, clock),
        lookers=Lookers(clock),
        counts=CachedCounts(database),
        probe=Probe(database, [data_dir]),
        session_use=session_use,
    )

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await context.feed.start()
        forever = (
            context.feed.run(),
            SilenceWatch(database, context.statuses, context.feed).run(),
            context.streams.run(),
            keep_tidy(database, clock, session_use),
            tell_audit_head(database),
        )
        tasks = [asyncio.create_task(one) for one in forever]
        context.tasks[:] = tasks
        try:
            yield
        finally:
            context.streams.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title="Tynysh",
        summary="Incidents, cameras and evidence. Acts and conditions, never identities.",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=running,
        responses=_REFUSALS,
    )
    app.state.context = context
    app.add_middleware(Guard, settings=settings)
    errors.install(app)
    api = APIRouter(prefix=PREFIX)
    for part in (session, incidents, cameras, crowds, thresholds, sites, blindness, api_clock, updates):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(openapi_router(app, f"{PREFIX}/openapi.json"))
    app.include_router(console_router(console))
    return app
