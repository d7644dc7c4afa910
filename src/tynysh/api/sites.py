"""/sites: the places that the user may know of."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tynysh.api import models
from tynysh.api.authentication import requires
from tynysh.api.context import Parts
from tynysh.api.permissions import Permission
from tynysh.api.signed import Signed
from tynysh.store.queries import cameras

router = APIRouter(prefix="/sites", tags=["sites"])


@router.get("")
def list_sites(
    signed: Annotated[Signed, Depends(requires(Permission.CAMERAS_READ))], parts: Parts
) -> list[models.Site]:
    """The sites, in the order of the site file."""
    with parts.database.reading() as session:
        found = cameras.sites(session, only=signed.sites)
    return [models.site(one) for one in found]
