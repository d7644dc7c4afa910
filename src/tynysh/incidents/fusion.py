"""Which events are one happening, and what an incident made of them amounts to."""

from collections.abc import Iterable, Sequence
from math import inf

from tynysh.behaviour.event import Event
from tynysh.behaviour.registry import ranked, spec_of
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.spec import AFTER_VIOLENCE
from tynysh.incidents.incident import Incident, Summary

GAP_S = 30.0
"""Events of one family on one camera that are no further apart than this are one happening, seconds."""

LONGEST_S = 300.0
"""What begins later than this after an incident did is another one, seconds: an incident that swallows all that
follows is handled once, seen once and sounds once."""

RENEWED_AFTER_S = 10.0
"""What begins after a pause of this long renews its incident, seconds."""

_VERY_LONG = 4.0
"""How many times as long as what is long counts as a second step."""

_MOST_SEVERE = 4


def related(one: Behaviour, other: Behaviour) -> bool:
    """Whether two behaviours may be sides of one happening."""
    return spec_of(one).family == spec_of(other).family


def home(
    event: Event, candidates: Iterable[Incident], *, gap_s: float = GAP_S, longest_s: float = LONGEST_S
) -> int | None:
    """The id of the incident that a new `event` belongs to; None where it is a happening of its own.

    candidates: incidents of the same camera. Times of the event are Unix seconds. Of several that fit, the one that
    began last. What an operator has closed takes nothing more in, nor does what began more than `longest_s` before.
    """
    fitting = [
        candidate
        for candidate in candidates
        if not candidate.closed
        and event.start_s - candidate.started_at <= longest_s
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

    The gravest behaviour sets the level, as its analyser declares it (`behaviour.spec.Severity`). One step more each:
    for every behaviour with a grave reason, or with violence beside it or right before it where that weighs; where one
    has many people; where one lasts long, and once more four times as long. It never falls as more becomes known.
    """
    behaviours = {event.behaviour for event in events}
    violence = any(spec_of(behaviour).violent for behaviour in behaviours)
    level = max(spec_of(behaviour).severity.level for behaviour in behaviours)
    level += len({event.behaviour for event in events if _is_grave(event, violence=violence)})
    level += any(event.people >= (spec_of(event.behaviour).severity.many or inf) for event in events)
    return min(level + max(_steps_for_length(event) for event in events), _MOST_SEVERE)


def _is_grave(event: Event, *, violence: bool) -> bool:
    declared = spec_of(event.behaviour).severity
    reason = "" if event.reason is None else event.reason.key.removeprefix(f"{event.behaviour}.")
    return reason in declared.grave_reasons or (
        declared.after_violence and (violence or reason == AFTER_VIOLENCE)
    )


def _steps_for_length(event: Event) -> int:
    """How many steps graver an event is for how long it has been known to last."""
    long_s = spec_of(event.behaviour).severity.long_s or inf
    return sum(event.known_until_s - event.start_s >= times * long_s for times in (1.0, _VERY_LONG))


def renewed_at(events: Iterable[Event], *, after_s: float = RENEWED_AFTER_S) -> float | None:
    """When it last began anew after a pause of `after_s` in which nothing held; None where it never paused."""
    renewed: float | None = None
    until = inf
    for number, event in enumerate(sorted(events, key=lambda event: event.start_s)):
        if event.start_s - until >= after_s:
            renewed = event.start_s
        end = inf if event.end_s is None else event.end_s
        until = end if number == 0 else max(until, end)
    return renewed


def summary(events: Sequence[Event], *, renewed_after_s: float = RENEWED_AFTER_S) -> Summary:
    """What `events`, at least one, amount to; independent of their order."""
    behaviours = ranked(event.behaviour for event in events)
    leading = max(
        (event for event in events if event.behaviour == behaviours[0]),
        key=lambda event: (event.score, -event.start_s, event.id),
    )
    ends = [event.end_s for event in events if event.end_s is not None]
    return Summary(
        behaviour=behaviours[0],
        behaviours=behaviours,
        severity=severity(events),
        started_at=min(event.start_s for event in events),
        ended_at=max(ends) if len(ends) == len(events) else None,
        people=max(event.people for event in events),
        score=leading.score,
        box=leading.box,
        zone=leading.zone,
        reason=leading.reason,
        renewed_at=renewed_at(events, after_s=renewed_after_s),
    )
