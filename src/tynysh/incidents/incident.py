"""What is an incident: what happened, where, and how far people have come with it?"""

from dataclasses import dataclass
from typing import Literal

from tynysh.behaviour.event import Event
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box, GeoPosition
from tynysh.incidents import lifecycle
from tynysh.incidents.lifecycle import Action, Handling, HandlingStep

ClipState = Literal["pending", "ready", "failed", "none"]


@dataclass(frozen=True, slots=True)
class SiteName:
    """A site by id, name and kind."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class CameraName:
    """A camera by id and name. simulated: its pictures are drawn, not filmed."""

    id: str
    name: str
    simulated: bool


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the events of an incident amount to.

    Times are Unix seconds, `ended_at` is None while one of them holds. behaviour: the gravest of `behaviours`.
    severity: 1 (low) to 4 (critical). box (normalised), zone, reason, score: of the leading behaviour. renewed_at:
    when it last began anew after a pause, None where it never paused.
    """

    behaviour: Behaviour
    behaviours: tuple[Behaviour, ...]
    severity: int
    started_at: float
    ended_at: float | None
    people: int
    score: float
    box: Box | None
    zone: str | None
    reason: Reason | None
    renewed_at: float | None


@dataclass(frozen=True, kw_only=True)
class Incident(Summary, Handling):
    """What people handle: one happening.

    opened_at: Unix seconds at which it was first recorded. still: whether there is a picture. version: how many
    steps but notes it has seen, so that a step can say what it was taken on.
    """

    id: int
    site: SiteName
    camera: CameraName
    opened_at: float
    clip: ClipState
    still: bool
    position: GeoPosition | None
    version: int

    @property
    def actions(self) -> tuple[Action, ...]:
        """What may be done to it now."""
        return lifecycle.actions(self)


@dataclass(frozen=True, kw_only=True)
class IncidentDetail(Incident):
    """An incident with all that is known of it. clip_started_at, clip_ended_at: Unix seconds of the
    clip's first and last picture; it grows while the incident does.
    """

    events: tuple[Event, ...]
    steps: tuple[HandlingStep, ...]
    clip_started_at: float | None
    clip_ended_at: float | None
