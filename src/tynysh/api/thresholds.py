"""/cameras/{id}/thresholds: what was learnt within a camera's alarm budget, and what it costs in recall."""

import math
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, AliasPath, AwareDatetime, Field
from starlette.concurrency import run_in_threadpool

from tynysh.api import models
from tynysh.api.authentication import CamerasReader
from tynysh.api.cameras import CameraId, visible
from tynysh.api.context import Services
from tynysh.behaviour.signal import Behaviour
from tynysh.incidents.alarm_budget import Standing
from tynysh.store.queries import alarm_budgets

router = APIRouter(prefix="/cameras", tags=["cameras"])


def _chosen(*names: str) -> AliasPath:
    return AliasPath("choice", *names)


class Threshold(models.Answer):
    """The threshold of one behaviour on one camera."""

    behaviour: Behaviour
    threshold: float = Field(validation_alias=_chosen("threshold"))
    usual: float = Field(description="What the analyser has without learning.")
    standing: Standing = Field(validation_alias=_chosen("standing"))
    budget: float = Field(description="False alarms a day that are borne.")
    false_per_day: float = Field(
        validation_alias=_chosen("rate", "per_day"),
        description="False alarms a day in quiet hours, at this threshold.",
    )
    low: float = Field(
        validation_alias=_chosen("rate", "low"),
        description="Of false_per_day: each bound is wrong in one case of ten.",
    )
    high: Annotated[float | None, AfterValidator(lambda rate: None if math.isinf(rate) else rate)] = Field(
        validation_alias=_chosen("rate", "high"), description="Null where nothing was watched yet."
    )
    quiet_days: float = Field(
        validation_alias="days", description="Watched while nothing happened, in the last two weeks."
    )
    recall: float | None = Field(
        validation_alias=_chosen("recall"),
        description="Part of what happens that is found; null where not measured.",
    )
    recall_floor: float = Field(validation_alias=_chosen("recall_floor"))
    verified: int = Field(description="Happenings that operators verified on this camera.")
    refound: int = Field(description="How many of them this threshold finds.")
    updated_at: AwareDatetime


@router.get("/{camera_id}/thresholds")
async def get_thresholds(
    camera_id: CameraId, principal: CamerasReader, services: Services
) -> list[Threshold]:
    """What was learnt of a camera; empty where it does not learn, or has not been judged yet."""

    def load() -> list[Threshold]:
        visible(camera_id, principal, services)
        with services.database.reading() as session:
            return [Threshold.model_validate(one) for one in alarm_budgets.learnt(session, [camera_id])]

    return await run_in_threadpool(load)
