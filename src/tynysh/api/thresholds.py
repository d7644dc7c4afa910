"""/cameras/{id}/thresholds: what was learnt within a camera's alarm budget, and what it costs in recall."""

import math
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field
from starlette.concurrency import run_in_threadpool

from tynysh.api import models
from tynysh.api.authentication import requires
from tynysh.api.cameras import CameraId, visible
from tynysh.api.context import Services
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.behaviour.signal import Behaviour
from tynysh.incidents.alarm_budget import Standing
from tynysh.store.queries import alarm_budgets
from tynysh.store.queries.alarm_budgets import LearntThreshold

router = APIRouter(prefix="/cameras", tags=["cameras"])

Reader = Annotated[Principal, Depends(requires(Permission.CAMERAS_READ))]


class Threshold(BaseModel):
    """The threshold of one behaviour on one camera."""

    behaviour: Behaviour
    threshold: float
    usual: float = Field(description="What the analyser has without learning.")
    standing: Standing
    budget: float = Field(description="False alarms a day that are borne.")
    false_per_day: float = Field(description="False alarms a day in quiet hours, at this threshold.")
    low: float = Field(description="Of false_per_day: each bound is wrong in one case of ten.")
    high: float | None = Field(description="Null where nothing was watched yet.")
    quiet_days: float = Field(description="Watched while nothing happened, in the last two weeks.")
    recall: float | None = Field(description="Part of what happens that is found; null where not measured.")
    recall_floor: float
    verified: int = Field(description="Happenings that operators verified on this camera.")
    refound: int = Field(description="How many of them this threshold finds.")
    updated_at: AwareDatetime


@router.get("/{camera_id}/thresholds")
async def get_thresholds(camera_id: CameraId, principal: Reader, services: Services) -> list[Threshold]:
    """What was learnt of a camera; empty where it does not learn, or has not been judged yet."""

    def load() -> list[Threshold]:
        visible(camera_id, principal, services)
        with services.database.reading() as session:
            return [_threshold(one) for one in alarm_budgets.learnt(session, [camera_id])]

    return await run_in_threadpool(load)


def _threshold(one: LearntThreshold) -> Threshold:
    choice = one.choice
    return Threshold(
        behaviour=one.behaviour,
        threshold=choice.threshold,
        usual=one.usual,
        standing=choice.standing,
        budget=one.budget,
        false_per_day=choice.rate.per_day,
        low=choice.rate.low,
        high=choice.rate.high if math.isfinite(choice.rate.high) else None,
        quiet_days=one.days,
        recall=choice.recall,
        recall_floor=choice.recall_floor,
        verified=one.verified,
        refound=one.refound,
        updated_at=models.moment(one.updated_at),
    )
