"""/blindness: which places are blind now, since when, and what that hides."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field
from starlette.concurrency import run_in_threadpool

from tynysh.api import models
from tynysh.api.authentication import CamerasReader
from tynysh.api.context import Services
from tynysh.api.incidents import NO_ZERO
from tynysh.api.status_cache import current
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.media.camera_status import CameraStatus
from tynysh.store.queries import blindness
from tynysh.store.queries.cameras import RegisteredCamera

router = APIRouter(prefix="/blindness", tags=["cameras"])


class OpenFault(models.Answer):
    """A fault of a camera that holds now."""

    kind: str = Field(
        description="lost, frozen, covered, moved, defocused, dark, glare, wrong_picture, not_watched, timestamps, "
        "bit_rate."
    )
    blinds: bool = Field(description="Whether it keeps the camera from seeing what it is there for.")
    since: AwareDatetime
    incident: models.Id | None = Field(description="Id of its incident; null while there is none.")
    reason: Reason | None


class HiddenZone(models.Answer):
    """A zone that goes unseen."""

    name: str
    kind: str
    seen_by: list[models.CameraName] = Field(
        description="Sighted cameras of the site with a zone of that name."
    )


class FaultyCamera(models.Answer):
    """A camera with what is wrong with it, and what that hides."""

    camera: models.CameraName
    blind: bool
    since: AwareDatetime | None = Field(description="Since when it is blind; null if it is not.")
    faults: list[OpenFault]
    zones: list[HiddenZone] = Field(description="What goes unseen; empty if it is not blind.")
    behaviours: list[Behaviour] = Field(
        description="What is not watched for there; empty if it is not blind."
    )


class Blindness(models.Answer):
    """What a site's cameras see and do not see."""

    site: models.SiteOfCamera
    cameras: int = Field(description="How many are switched on.")
    blind: int = Field(description="How many of them are blind.")
    since: AwareDatetime | None = Field(
        description="Since when no camera of the site sees; null if one does."
    )
    faulty: list[FaultyCamera] = Field(description="The blind ones first, the longest blind first.")
    seeing: list[models.CameraName] = Field(description="Cameras that still see the site.")


@router.get("")
async def list_blindness(
    principal: CamerasReader,
    services: Services,
    site: Annotated[str | None, Query(max_length=63, pattern=NO_ZERO, description="One site only.")] = None,
) -> list[Blindness]:
    """Every site that the user may see, in the order of the site file, with its faulty cameras."""
    now = await services.statuses.latest()

    def status(camera: RegisteredCamera) -> CameraStatus | None:
        return current(now.get(camera.id), camera.status)

    def load() -> list[Blindness]:
        only = principal.sites if site is None else {site} if principal.sees(site) else set[str]()
        with services.database.reading() as session:
            found = blindness.sites(session, only=only, status=status)
        return [Blindness.model_validate(one) for one in found]

    return await run_in_threadpool(load)
