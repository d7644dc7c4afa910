"""How is a camera doing? One answer for workers, the database, the bus and the API."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

log = structlog.get_logger(__name__)


class CameraState(StrEnum):
    """Where in its life a camera's stream is."""

    CONNECTING = "connecting"
    LIVE = "live"
    DEGRADED = "degraded"
    LOST = "lost"


class Counters(BaseModel):
    """What has been counted on one camera since its worker started."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    frames_read: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    frames_analysed: int = 0
    reconnects: int = 0
    timestamps_mended: int = 0


class CameraStatus(BaseModel):
    """How one camera is doing, as its worker says.

    since: Unix time at which it came to that state.
    reported_at: Unix time at which the worker said so; None when it has just been asked.
    worker: which worker owns the camera, if known.
    detail: a word for people about the state, without credentials.
    people: how many people are in the picture now. people_rough: at least so many; they cannot be told apart.
    fps: pictures a second that arrive.
    recording: whether the stream is being recorded.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    state: CameraState
    since: float
    reported_at: float | None = None
    worker: int | None = None
    detail: str | None = None
    people: int = 0
    people_rough: bool = False
    fps: float = 0.0
    recording: bool = False
    counters: Counters = Counters()


def understood(reported: Mapping[str, Any]) -> dict[str, CameraStatus]:
    """What workers report, by camera id; what cannot be understood is logged and left out."""
    statuses: dict[str, CameraStatus] = {}
    for camera_id, status in reported.items():
        try:
            statuses[camera_id] = CameraStatus.model_validate(status)
        except ValidationError as error:
            log.warning("status.not_understood", camera=camera_id, faults=error.error_count())
    return statuses
