"""/cameras: how they are doing, their latest picture, and their live video."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, WebSocket
from fastapi import Path as PathParameter
from starlette.concurrency import run_in_threadpool

from tynysh.api import models
from tynysh.api.authentication import CamerasReader, requires
from tynysh.api.context import Context, Services
from tynysh.api.errors import ApiError, not_found
from tynysh.api.incidents import NO_ZERO
from tynysh.api.live import relay
from tynysh.api.peer import peer_of
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.api.status_cache import current
from tynysh.media.camera_status import CameraStatus
from tynysh.store.queries import cameras
from tynysh.store.queries.cameras import RegisteredCamera

router = APIRouter(prefix="/cameras", tags=["cameras"])

CameraId = Annotated[str, PathParameter(max_length=63, pattern=NO_ZERO)]
Viewer = Annotated[Principal, Depends(requires(Permission.CAMERAS_VIEW))]


@router.get("")
async def list_cameras(principal: CamerasReader, services: Services) -> list[models.Camera]:
    """The cameras of the sites that the user may see, in the order of the site file."""
    now = await services.statuses.latest()

    def load() -> list[models.Camera]:
        with services.database.reading() as session:
            found = cameras.cameras(session, only=principal.sites)
        return [_camera(one, now) for one in found]

    return await run_in_threadpool(load)


@router.get("/{camera_id}")
async def get_camera(camera_id: CameraId, principal: CamerasReader, services: Services) -> models.Camera:
    """One camera."""
    found = await run_in_threadpool(visible, camera_id, principal, services)
    now = await services.statuses.latest()
    return _camera(found, now)


@router.get("/{camera_id}/picture", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def get_picture(
    camera_id: CameraId, principal: Viewer, services: Services, request: Request
) -> Response:
    """The latest picture, anonymised. Watching a camera is put on the audit record."""
    await run_in_threadpool(visible, camera_id, principal, services)
    picture = await services.workers.picture(camera_id)
    if picture is None:
        raise ApiError(404, "not_ready")
    await run_in_threadpool(_note, camera_id, principal, services, peer_of(request).address)
    return Response(picture, media_type="image/jpeg")


@router.websocket("/{camera_id}/live")
async def live(camera_id: CameraId, principal: Viewer, services: Services, websocket: WebSocket) -> None:
    """Live video, anonymised: `{"mime": ...}` as text, then fragmented MP4. Watching is put on the audit record."""
    await run_in_threadpool(visible, camera_id, principal, services)
    async with services.streams.streaming(principal, "live") as stream:
        await run_in_threadpool(_note, camera_id, principal, services, peer_of(websocket).address)
        await websocket.accept()
        await relay(
            websocket,
            services.workers.live(camera_id),
            stream=stream,
            most_bytes=services.settings.live_buffer,
        )


def visible(camera_id: str, principal: Principal, services: Context) -> RegisteredCamera:
    """The camera of that id. Raises 404 where there is none that the user may know of."""
    with services.database.reading() as session:
        found = cameras.camera(session, camera_id)
    if found is None or not principal.sees(found.site.id):
        raise not_found("camera")
    return found


def _camera(found: RegisteredCamera, now: Mapping[str, CameraStatus]) -> models.Camera:
    return models.Camera.model_validate(replace(found, status=current(now.get(found.id), found.status)))


def _note(camera_id: str, principal: Principal, services: Context, address: str) -> None:
    services.viewings.note(principal, "camera.view", f"camera:{camera_id}", address=address)
