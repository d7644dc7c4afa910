"""/sites: the places that the user may know of."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tynysh.api import models
from tynysh.api.authentication import requires
from tynysh.api.context import Services
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.store.queries import cameras

router = APIRouter(prefix="/sites", tags=["sites"])


@router.get("")
def list_sites(
    principal: Annotated[Principal, Depends(requires(Permission.CAMERAS_READ))], services: Services
) -> list[models.Site]:
    """The sites, in the order of the site file."""
    with services.database.reading() as session:
        found = cameras.sites(session, only=principal.sites)
    return [models.Site.model_validate(one) for one in found]
