"""An event: a stretch of time in which a signal held."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from uuid import UUID

from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box


class Phase(StrEnum):
    """Where in its life an event is."""

    BEGUN = "begun"
    UPDATED = "updated"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """What held, from when to when.

    id: a UUID, made from the source of randomness that was passed in.
    start_s: stream time at which the signal first rose (the onset, not the moment of the decision).
    end_s: stream time at which it fell; None while it holds.
    decided_s: stream time at which it was decided that there is an event.
    score: the highest score so far; box, people, zone, reason: of the highest score. The reason also says how long
        the event has lasted (`lasted_s`).
    curve: (time_s, score) samples of the signal, at most a few a second.
    """

    id: str
    behaviour: Behaviour
    phase: Phase
    start_s: float
    decided_s: float
    end_s: float | None
    score: float
    box: Box | None
    people: int
    zone: str | None
    subject: str
    reason: Reason | None
    curve: tuple[tuple[float, float], ...] = ()

    @property
    def known_until_s(self) -> float:
        """The latest moment at which it is known to have held: its end, once it has ended."""
        if self.end_s is not None:
            return self.end_s
        return max(self.decided_s, self.curve[-1][0]) if self.curve else self.decided_s


def fault_begun(
    behaviour: Behaviour, subject: str, reason: Reason, *, start_s: float, decided_s: float, ids: Random
) -> Event:
    """An event of a fault that no analyser noticed but Tynysh itself, beginning. ids: makes its id."""
    return Event(
        id=str(UUID(int=ids.getrandbits(128), version=4)),
        behaviour=behaviour,
        phase=Phase.BEGUN,
        start_s=start_s,
        decided_s=decided_s,
        end_s=None,
        score=1.0,
        box=None,
        people=0,
        zone=None,
        subject=subject,
        reason=reason,
    )
