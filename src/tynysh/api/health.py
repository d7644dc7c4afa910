"""/healthz: whether the console and what it stands on work."""

from typing import Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from tynysh.api.authentication import everyone, find_session
from tynysh.api.context import Context, Services
from tynysh.api.peer import peer_of
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.errors import StoreError
from tynysh.store import console_queries, sessions

router = APIRouter(tags=["operation"])


class CameraAge(BaseModel):
    """How long ago the worker of a camera was last heard."""

    camera: str
    worker: int | None
    answers: bool = Field(description="Whether the worker answered just now.")
    recorded_s_ago: float | None = Field(
        description="Seconds since it last recorded how the camera is doing."
    )


class Health(BaseModel):
    """`failing` when the database does not answer, `degraded` when some camera's worker does not,
    or when the console no longer tells what changes or no longer checks sessions.

    Whoever is not at the machine itself, nor signed in with `metrics.read`, is told `status` only.
    """

    status: Literal["ok", "degraded", "failing"]
    database: bool | None = None
    cameras: list[CameraAge] | None = None


@router.get("/healthz", response_model_exclude_none=True, dependencies=[Depends(everyone)])
async def healthz(connection: HTTPConnection, response: Response, services: Services) -> Health:
    """200 while the console can serve, even where cameras are blind; 503 when its database does not answer."""
    try:
        recorded = await run_in_threadpool(console_queries.reported, services.database)
    except StoreError:
        response.status_code = 503
        return Health(status="failing", database=False if peer_of(connection).loopback else None)
    answering = await services.statuses.latest()
    now = services.clock()
    ages = [
        CameraAge(
            camera=camera_id,
            worker=answering[camera_id].worker if camera_id in answering else None,
            answers=camera_id in answering,
            recorded_s_ago=round(now - recorded[camera_id], 1) if camera_id in recorded else None,
        )
        for camera_id in sorted({*recorded, *answering})
    ]
    well = all(age.answers for age in ages) and not any(task.done() for task in services.tasks)
    status: Literal["ok", "degraded"] = "ok" if well else "degraded"
    if not await run_in_threadpool(may_measure, connection, services):
        return Health(status=status)
    return Health(status=status, database=True, cameras=ages)


def may_measure(connection: HTTPConnection, services: Context) -> bool:
    """Whether figures of operation may be told: to this machine itself, or to who has `metrics.read`."""
    if peer_of(connection).loopback:
        return True
    found = find_session(connection, services)
    return found is not None and Principal(found.user, sessions.token_hash(found.token)).may(
        Permission.METRICS_READ
    )
