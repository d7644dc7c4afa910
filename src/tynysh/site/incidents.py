"""What a site says of its incidents: what is one, what its clip shows, and how many may be false."""

from pydantic import Field

from tynysh.site.fields import Strict


class ClipLength(Strict):
    """How much of the time around an incident its clip shows."""

    before_s: float = Field(
        default=10.0,
        ge=0,
        le=120,
        title="Before",
        description="Seconds before the onset that the clip shows.",
    )
    after_s: float = Field(
        default=20.0, ge=1, le=600, title="After", description="Seconds after the onset that the clip shows."
    )


class Joining(Strict):
    """When events are one incident."""

    gap_s: float = Field(
        default=30.0,
        ge=0,
        le=3600,
        title="Gap",
        description="Related events on one camera no further apart than so many seconds are one incident.",
    )
    longest_s: float = Field(
        default=300.0,
        ge=30,
        le=86_400,
        title="Longest",
        description="What begins so many seconds after an incident did is another one.",
    )
    renewed_after_s: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        title="Renewed after",
        description="What begins after a pause of so many seconds sounds again and moves its incident up.",
    )


class AlarmBudget(Strict):
    """How many false alarms a camera may raise. Thresholds are learnt from it (`incidents.alarm_budget`)."""

    alarms_per_day: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        title="Alarms a day",
        description="False alarms a day that are borne, of fights, aggression and people down together.",
    )
    recall_floor: float = Field(
        default=0.6,
        ge=0,
        le=1,
        title="Floor of recall",
        description="Part of what really happens that must still be found; no threshold is learnt that finds less, "
        "even if the budget is not kept.",
    )
    learn: bool = Field(
        default=True,
        title="Learn",
        description="Whether thresholds are learnt from verdicts and quiet hours; else those of the analysers hold.",
    )
