"""How long footage and figures are kept, and how much of them."""

from pydantic import Field

from tynysh.site.fields import Strict


class RetentionDays(Strict):
    """How long something is kept."""

    days: int = Field(ge=1, le=3650, title="Days", description="Older than so many days is deleted.")


class RetentionLimit(RetentionDays):
    """How long something is kept, and how much of it; what comes first counts."""

    gigabytes: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        title="Gigabytes",
        description="Beyond so much for the whole site (10⁹ bytes), the oldest is deleted; no bound if left out.",
    )


class Retention(Strict):
    """How long footage and figures are kept."""

    recordings: RetentionLimit = Field(
        default=RetentionLimit(days=7),
        title="Recordings",
        description="The continuous recordings of all cameras.",
    )
    evidence: RetentionLimit = Field(
        default=RetentionLimit(days=180),
        title="Evidence",
        description="Clips of incidents. What was verified false goes with the recordings already.",
    )
    history: RetentionDays = Field(
        default=RetentionDays(days=400),
        title="History",
        description="How many people there were, minute by minute; no pictures. Deleted by whole weeks.",
    )
