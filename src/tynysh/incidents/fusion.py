"""Which events are one happening, and what an incident made of them amounts to."""

from collections.abc import Iterable, Sequence
from math import inf

from tynysh.behaviour.after_violence import AFTER_VIOLENCE
from tynysh.behaviour.event import Event
from tynysh.behaviour.signal import Behaviour
from tynysh.incidents.incident import Incident, Summary

GAP_S = 30.0
"""Events of one family on one camera that are no further apart than this are one happening, seconds."""

_FAMILIES: tuple[frozenset[Behaviour], ...] = (
    frozenset({Behaviour.FIGHT, Behaviour.AGGRESSION, Behaviour.PERSON_DOWN}),
    frozenset({Behaviour.CROWDING, Behaviour.CRUSH_RISK, Behaviour.CROWD_RUN}),
    frozenset({Behaviour.INTRUSION, Behaviour.LOITERING}),
    frozenset({Behaviour.CAMERA_FAULT}),
    frozenset({Behaviour.RECORDING_FAULT}),
)

_VIOLENCE = frozenset({Behaviour.FIGHT, Behaviour.AGGRESSION})

GRAVITY: tuple[Behaviour, ...] = (
    Behaviour.CRUSH_RISK,
    Behaviour.FIGHT,
    Behaviour.PERSON_DOWN,
    Behaviour.CROWD_RUN,
    Behaviour.AGGRESSION,
    Behaviour.INTRUSION,
    Behaviour.CROWDING,
    Behaviour.RECORDING_FAULT,
    Behaviour.CAMERA_FAULT,
    Behaviour.LOITERING,
)
"""Gravest first: the first of an incident's behaviours in this order names it."""

_BASE_SEVERITY = {
    Behaviour.CRUSH_RISK: 4,
    Behaviour.FIGHT: 3,
    Behaviour.PERSON_DOWN: 3,
    Behaviour.CROWD_RUN: 3,
    Behaviour.AGGRESSION: 2,
    Behaviour.INTRUSION: 2,
    Behaviour.CROWDING: 2,
    Behaviour.RECORDING_FAULT: 2,
    Behaviour.CAMERA_FAULT: 2,
    Behaviour.LOITERING: 1,
}

_LONG_S = {
    Behaviour.FIGHT: 30.0,
    Behaviour.PERSON_DOWN: 60.0,
    Behaviour.CROWDING: 300.0,
    Behaviour.LOITERING: 300.0,
    Behaviour.RECORDING_FAULT: 600.0,
    Behaviour.CAMERA_FAULT: 600.0,
}
"""From how many seconds on an event counts one step graver. The other behaviours are brief by nature."""

_VERY_LONG = 4.0
"""How many times as long counts as a second step."""

_GRAVE_ACTS = frozenset({"aggression.swing", "aggression.kick_of_fallen"})
"""Reasons that weigh one step more: what may be a blow with an object, and kicks at somebody on the ground."""

_MANY_PEOPLE = 5
_MOST_SEVERE = 4


def related(one: Behaviour, other: Behaviour) -> bool:
    """Whether two behaviours may be sides of one happening."""
    return any(one in family and other in family for family in _FAMILIES)


def home(event: Event, candidates: Iterable[Incident], *, gap_s: float = GAP_S) -> int | None:
    """The id of the incident that a new `event` belongs to; None where it is a happening of its own.

    candidates: incidents of the same camera. Times of the event are Unix seconds. Of several that fit, the one that
    began last. What an operator has closed takes nothing more in.
    """
    fitting = [
        candidate
        for candidate in candidates
        if not candidate.closed
        and any(related(event.behaviour, behaviour) for behaviour in candidate.behaviours)
        and _near(event, candidate, gap_s)
    ]
    return max(fitting, key=lambda candidate: (candidate.started_at, candidate.id)).id if fitting else None


def _near(event: Event, candidate: Incident, gap_s: float) -> bool:
    after = candidate.ended_at is not None and event.start_s > candidate.ended_at + gap_s
    before = event.end_s is not None and event.end_s < candidate.started_at - gap_s
    return not after and not before


def severity(events: Sequence[Event]) -> int:
    """How much it matters: 1 low, 2 moderate, 3 high, 4 critical.

    The gravest behaviour sets the level: loitering 1; aggression, intrusion, crowding, a faulty camera or
    recording 2; fight, person down, a running crowd 3; crush risk 4. One step more each: somebody down with a fight
    or an aggressive act, or right after one (`behaviour.after_violence`); a wide swing of an outstretched arm, as
    with an object, or kicks at somebody on the ground; five people or more in a fight, an aggressive act or an
    intrusion; lasting long (fight 30 s, person down 60 s, crowding and loitering 5 min, faults 10 min), and once more
    four times as long. It never falls as more becomes known.
    """
    behaviours = {event.behaviour for event in events}
    reasons = {event.reason.key for event in events if event.reason is not None}
    level = max(_BASE_SEVERITY[behaviour] for behaviour in behaviours)
    if Behaviour.PERSON_DOWN in behaviours and (behaviours & _VIOLENCE or AFTER_VIOLENCE in reasons):
        level += 1
    if reasons & _GRAVE_ACTS:
        level += 1
    if any(
        event.people >= _MANY_PEOPLE and event.behaviour in _VIOLENCE | {Behaviour.INTRUSION}
        for event in events
    ):
        level += 1
    return min(level + max(_steps_for_length(event) for event in events), _MOST_SEVERE)


def _steps_for_length(event: Event) -> int:
    """How many steps graver an event is for how long it has been known to last."""
    long_s = _LONG_S.get(event.behaviour, inf)
    return sum(event.known_until_s - event.start_s >= times * long_s for times in (1.0, _VERY_LONG))


def summary(events: Sequence[Event]) -> Summary:
    """What `events`, at least one, amount to; independent of their order."""
    behaviours = {event.behaviour for event in events}
    ranked = tuple(behaviour for behaviour in GRAVITY if behaviour in behaviours)
    leading = max(
        (event for event in events if event.behaviour is ranked[0]),
        key=lambda event: (event.score, -event.start_s, event.id),
    )
    ends = [event.end_s for event in events if event.end_s is not None]
    return Summary(
        behaviour=ranked[0],
        behaviours=ranked,
        severity=severity(events),
        started_at=min(event.start_s for event in events),
        ended_at=max(ends) if len(ends) == len(events) else None,
        people=max(event.people for event in events),
        score=leading.score,
        box=leading.box,
        zone=leading.zone,
        reason=leading.reason,
    )
