"""The settings that every analyser has."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Threshold = Annotated[
    float,
    Field(
        ge=0.05,
        le=0.99,
        title="Threshold",
        description="Score from 0 to 1 at which the behaviour counts. Lower notices more and errs more.",
    ),
]
MinDuration = Annotated[
    float,
    Field(
        ge=0.0,
        le=3600.0,
        title="Minimum duration",
        description="Seconds for which the behaviour must hold before there is an event.",
    ),
]
Cooldown = Annotated[
    float,
    Field(
        ge=0.0,
        le=86400.0,
        title="Cool-down",
        description="Seconds after an event in which no further event of the same kind and place begins.",
    ),
]
ZoneName = Annotated[str, Field(min_length=1, max_length=64)]
ZoneNames = Annotated[
    tuple[ZoneName, ...],
    Field(
        max_length=32,
        title="Zones",
        description="Names of the camera's zones to which the analyser is held; empty for its usual ones.",
    ),
]
ScheduleName = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=64,
        title="Schedule",
        description="Name of the schedule in which the analyser is on duty; none for always.",
    ),
]


class AnalyserSettings(BaseModel):
    """What can be set for any analyser; each adds its own.

    `release` and `release_s` belong to the behaviour, not to the site: an event ends when the score has been
    below `release` times the threshold for `release_s` seconds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    release: ClassVar[float] = 0.7
    release_s: ClassVar[float] = 1.0

    recall_at: ClassVar[Sequence[tuple[float, float]]] = ()
    """(threshold, recall): which part of what really happens was found on cameras never seen, rising thresholds; empty
    where that was not measured. From the behaviour's model card."""

    enabled: Annotated[
        bool, Field(title="Enabled", description="Whether the camera is watched for this behaviour.")
    ] = True
    threshold: Threshold = 0.6
    min_duration_s: MinDuration = 1.0
    cooldown_s: Cooldown = 20.0
    zones: ZoneNames = ()
    schedule: ScheduleName = None
