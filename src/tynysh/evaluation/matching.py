"""Which events are of which labelled happenings, which happenings were missed, and which alerts were false?

The rules, for one recording:

1. An event may be of a happening if both overlap in time, or miss each other by the tolerance at most, and if the event
   does not begin more than `EARLY_S` before the happening does: an alert that stood long before is not about it.
2. One event counts for one happening and one happening for one event. Of all ways to pair them, that with the most
   pairs is taken, and of those the one with the most overlap (assignment problem; Kuhn, Naval Research Logistics
   Quarterly 2, 1955).
3. Events of the same behaviour are paired first. Then what is left may be paired with what is related: an alert of
   aggression over a labelled fight, or of fight over a labelled aggression, brings the operator to the right place.
4. An event that is left over is a repeat if it may be of a happening of the same or a related behaviour, which then has
   its event already: one happening cut in two is no false alert. Any other event is a false alert.
5. A happening that is left over was missed; `standing` if an event was up in its time that is not counted for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from tynysh.behaviour.registry import spec_of
from tynysh.evaluation.labels import Label
from tynysh.evaluation.sightings import SeenEvent

TOLERANCE_S = 2.0
"""How far an event and a happening may miss each other, seconds: those who label are no stop-watches."""

EARLY_S = 30.0
"""An event that began so long before a happening, seconds, is not about it."""

_PAIRED = 1e9
"""A pair outweighs any overlap, seconds."""


Interval = Label | SeenEvent
"""A behaviour from when to when, seconds."""


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of labels and events, by their indices.

    pairs: (label, event). missed, standing: labels without an event; those of them in whose time one was up.
    repeats, false: events without a label, by rule 4.
    """

    pairs: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    standing: frozenset[int]
    repeats: tuple[int, ...]
    false: tuple[int, ...]


def match(
    labels: Sequence[Interval], events: Sequence[Interval], *, tolerance_s: float = TOLERANCE_S
) -> Matching:
    """Pair the labels of one recording with its events.

    >>> from tynysh.behaviour.signal import Behaviour
    >>> fights = [Label(Behaviour.FIGHT, start_s=10.0, end_s=20.0), Label(Behaviour.FIGHT, start_s=60.0, end_s=70.0)]
    >>> found = match(fights, [Label(Behaviour.FIGHT, 12.0, 18.0), Label(Behaviour.FIGHT, 100.0, 105.0)])
    >>> found.pairs, found.missed, found.false
    (((0, 0),), (1,), (1,))
    """
    pairs = _paired(labels, events, range(len(labels)), range(len(events)), tolerance_s, related=False)
    without_event = [place for place in range(len(labels)) if place not in dict(pairs)]
    spent = {event for _, event in pairs}
    without_label = [place for place in range(len(events)) if place not in spent]
    pairs += _paired(labels, events, without_event, without_label, tolerance_s, related=True)
    found, spent = {label for label, _ in pairs}, {event for _, event in pairs}
    missed = tuple(place for place in range(len(labels)) if place not in found)
    left = [place for place in range(len(events)) if place not in spent]
    repeats = tuple(
        place
        for place in left
        if any(
            _related(label, events[place]) and _overlap(label, events[place], tolerance_s) is not None
            for label in labels
        )
    )
    return Matching(
        pairs=tuple(sorted(pairs)),
        missed=missed,
        standing=frozenset(
            place
            for place in missed
            if any(
                _related(labels[place], event) and _shared_s(labels[place], event) > 0.0 for event in events
            )
        ),
        repeats=repeats,
        false=tuple(place for place in left if place not in repeats),
    )


def _paired(
    labels: Sequence[Interval],
    events: Sequence[Interval],
    of_labels: Sequence[int],
    of_events: Sequence[int],
    tolerance_s: float,
    *,
    related: bool,
) -> list[tuple[int, int]]:
    """The best pairs among some of the labels and events, of the same or of related behaviours."""
    worth = np.zeros((len(of_labels), len(of_events)))
    for row, label in enumerate(of_labels):
        for column, event in enumerate(of_events):
            one, other = labels[label], events[event]
            if (one.behaviour == other.behaviour) is related or not _related(one, other):
                continue
            overlap = _overlap(one, other, tolerance_s)
            if overlap is not None:
                worth[row, column] = _PAIRED + overlap
    chosen = np.stack(linear_sum_assignment(worth, maximize=True), axis=1).tolist()
    return [(of_labels[row], of_events[column]) for row, column in chosen if worth[row, column] > 0.0]


def _related(one: Interval, other: Interval) -> bool:
    """Whether the operator is shown the same happening: one act of violence may be taken for another."""
    return one.behaviour == other.behaviour or (
        spec_of(one.behaviour).violent and spec_of(other.behaviour).violent
    )


def _overlap(label: Interval, event: Interval, tolerance_s: float) -> float | None:
    """How much an event has of a label, seconds above the tolerated miss; None where it cannot be of it (rule 1)."""
    margin_s = _shared_s(label, event) + tolerance_s
    too_early = event.start_s < label.start_s - max(EARLY_S, tolerance_s)
    return None if margin_s < 0.0 or too_early else margin_s


def _shared_s(one: Interval, other: Interval) -> float:
    """Seconds that both hold; below zero, how far apart they are."""
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
