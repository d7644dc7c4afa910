"""/healthz: does the console answer, and is everything kept and watched?"""

import asyncio
import hmac
from collections.abc import Iterator, Mapping
from typing import Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from tynysh.api.authentication import COOKIE, everyone, find_session
from tynysh.api.context import Context, Services
from tynysh.api.peer import peer_of
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.api.probe import LOW_DISK, Probed
from tynysh.bus.protocol import WorkerHealth
from tynysh.errors import StoreError
from tynysh.store import sessions

router = APIRouter(tags=["operation"])

PATIENCE_S = 2.0
"""Workers, and the database about who asks, are waited for so long, all at once."""

UNWATCHED_S = 30.0
"""A camera of which no picture was analysed for so long is not watched: some send a key frame every 20 s only."""

WAITING_S = 10.0
"""Events that the database has not taken for so long are told of."""


class CameraHealth(BaseModel):
    """Whether a camera is watched. worker: who said so; analysed_s_ago: seconds since a picture was last analysed."""

    camera: str
    worker: str | None
    answers: bool = Field(description="Whether its worker answered just now.")
    analysed_s_ago: float | None


class Problem(BaseModel):
    """One thing that is wrong."""

    what: Literal["database", "events", "journal", "disk", "cameras", "console"]
    detail: str


class Health(BaseModel):
    """`failing` where what happens may not be kept, or the console does not tell it; `degraded` where all of that
    works, and some camera is not watched.

    Whoever is not at the machine itself, has no metrics token, and is not signed in with `metrics.read`, is told
    `status` only.
    """

    status: Literal["ok", "degraded", "failing"]
    problems: list[Problem] | None = None
    cameras: list[CameraHealth] | None = None
    free_bytes: dict[str, int] | None = None


@router.head("/healthz/alive", include_in_schema=False, dependencies=[Depends(everyone)])
@router.get("/healthz/alive", response_model_exclude_none=True, dependencies=[Depends(everyone)])
async def alive() -> Health:
    """200 as long as the console answers at all, whatever else is wrong: nothing is asked for it."""
    return Health(status="ok")


@router.head("/healthz", include_in_schema=False, dependencies=[Depends(everyone)])
@router.head("/healthz/ready", include_in_schema=False, dependencies=[Depends(everyone)])
@router.get("/healthz/ready", response_model_exclude_none=True, dependencies=[Depends(everyone)])
@router.get("/healthz", response_model_exclude_none=True, dependencies=[Depends(everyone)])
async def ready(connection: HTTPConnection, response: Response, services: Services) -> Health:
    """200 where everything is kept and watched, else 503: the database was written just now, no event waits for it,
    each camera had a picture analysed, and there is room on the disk. Answers within three seconds.
    """
    probed, workers, told = await asyncio.gather(
        services.probe.ask(), services.workers.health(PATIENCE_S), _may_be_told(connection, services)
    )
    cameras = _cameras(probed, workers)
    problems = [*_problems(services, probed, workers, cameras)]
    status: Literal["ok", "degraded", "failing"] = "ok"
    if problems:
        status = "degraded" if all(problem.what == "cameras" for problem in problems) else "failing"
        response.status_code = 503
    if not told:
        return Health(status=status)
    return Health(status=status, problems=problems, cameras=cameras, free_bytes=probed.free)


def _cameras(probed: Probed, workers: Mapping[str, WorkerHealth]) -> list[CameraHealth]:
    answers = {camera: name for name, worker in workers.items() for camera in worker.analysed_s_ago}
    return [
        CameraHealth(
            camera=camera,
            worker=answers.get(camera),
            answers=camera in answers,
            analysed_s_ago=workers[answers[camera]].analysed_s_ago[camera] if camera in answers else None,
        )
        for camera in sorted({*(probed.cameras or ()), *answers})
    ]


def _problems(
    services: Context, probed: Probed, workers: Mapping[str, WorkerHealth], cameras: list[CameraHealth]
) -> Iterator[Problem]:
    if probed.database is not None:
        yield Problem(what="database", detail=probed.database)
    for name, worker in workers.items():
        if worker.events_wait_s > WAITING_S:
            detail = f"{name}: the database has taken no event for {worker.events_wait_s:.0f} s."
            yield Problem(what="events", detail=detail)
        if worker.journal_fault is not None:
            detail = f"{name}: events that wait are in memory only: {worker.journal_fault}."
            yield Problem(what="journal", detail=detail)
    for folder, free in probed.free.items():
        if free < LOW_DISK:
            yield Problem(what="disk", detail=f"{free} bytes are left in {folder}.")
    unwatched = [
        camera.camera
        for camera in cameras
        if camera.analysed_s_ago is None or camera.analysed_s_ago > UNWATCHED_S
    ]
    if unwatched:
        yield Problem(what="cameras", detail=f"Not watched: {', '.join(unwatched)}.")
    if any(task.done() for task in services.tasks):
        yield Problem(
            what="console", detail="It does not tell what changes or does not check sessions any more."
        )


def may_measure(connection: HTTPConnection, services: Context) -> bool:
    """Whether figures of operation may be told: to this machine itself, to who has the metrics token, or to who has
    `metrics.read`. Raises StoreError.
    """
    token = services.settings.metrics_token
    given = connection.headers.get("authorization", "")
    if token is not None and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    if peer_of(connection).loopback:
        return True
    found = find_session(connection, services)
    return found is not None and Principal(found.user, sessions.token_hash(found.token)).may(
        Permission.METRICS_READ
    )


async def _may_be_told(connection: HTTPConnection, services: Context) -> bool:
    """The same, and nobody else where the database does not say in time who asks."""
    try:
        if COOKIE not in connection.cookies:
            return may_measure(connection, services)
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.to_thread(may_measure, connection, services)
    except (StoreError, TimeoutError):
        return False
