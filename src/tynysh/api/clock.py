"""/clock: whether the time of this installation can be relied on."""

from fastapi import APIRouter
from pydantic import Field

from tynysh.api.authentication import CamerasReader
from tynysh.api.context import Services
from tynysh.api.models import Answer
from tynysh.evidence import retention_time

router = APIRouter(prefix="/clock", tags=["operation"])


class ClockDoubt(Answer):
    """How far the machine's clock is ahead of the time that went by, as housekeeping last found it."""

    doubted: bool = Field(description="Whether it is so far ahead that deleting by age does not go by it.")
    ahead_s: float = Field(description="Seconds; until somebody sets the clock right, or confirms it.")


@router.get("")
def get_clock(_: CamerasReader, services: Services) -> ClockDoubt:
    """Whether the machine's clock is in doubt."""
    with services.database.reading() as session:
        kept = retention_time.kept(session)
    if kept is None:
        return ClockDoubt(doubted=False, ahead_s=0.0)
    return ClockDoubt(doubted=kept.doubted, ahead_s=round(kept.ahead_s, 1))
