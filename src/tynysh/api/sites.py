"""/sites: the places that the user may know of."""

from fastapi import APIRouter

from tynysh.api import models
from tynysh.api.authentication import CamerasReader
from tynysh.api.context import Services
from tynysh.store.queries import cameras

router = APIRouter(prefix="/sites", tags=["sites"])


@router.get("")
def list_sites(principal: CamerasReader, services: Services) -> list[models.Site]:
    """The sites, in the order of the site file."""
    with services.database.reading() as session:
        found = cameras.sites(session, only=principal.sites)
    return [models.Site.model_validate(one) for one in found]
