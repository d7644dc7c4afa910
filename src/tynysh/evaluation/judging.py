"""What do the events of recordings come to, held against what people labelled?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tynysh.behaviour.registry import spec_of
from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.labels import Label, Recording
from tynysh.evaluation.matching import match
from tynysh.evaluation.sightings import SeenEvent, Sightings
from tynysh.evaluation.stills import Still

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class FoundHappening:
    """A happening and the event that is counted for it."""

    recording: Recording
    label: Label
    event: SeenEvent

    @property
    def delay_s(self) -> float:
        """From the labelled beginning to the decision, seconds; below zero if the alert came first."""
        return self.event.decided_s - self.label.start_s


@dataclass(frozen=True, slots=True)
class Missed:
    """A happening without an event. highest: the highest score of its behaviour in its time.

    standing: an event that is not counted for it was up in its time.
    """

    recording: Recording
    label: Label
    highest: float
    standing: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """An event without a happening: a false alert, or a repeat."""

    recording: Recording
    event: SeenEvent


@dataclass(frozen=True, slots=True)
class Judged:
    """What the events of some recordings came to.

    hours: seconds of footage in which a behaviour is judged, by (camera, behaviour), in hours.
    footage_hours: hours of footage by camera. set_aside: labels that cannot be judged, and why (a key of the
    catalogue). not_judged: events about which the labels say nothing.
    """

    found: tuple[FoundHappening, ...]
    missed: tuple[Missed, ...]
    false: tuple[Alert, ...]
    repeats: tuple[Alert, ...]
    hours: Mapping[tuple[str, Behaviour], float]
    footage_hours: Mapping[str, float]
    set_aside: tuple[tuple[Recording, Label, str], ...] = ()
    not_judged: tuple[Alert, ...] = ()


def judge(
    seen: Sequence[tuple[Recording, Sightings]], *, tolerance_s: float, level: float | None = None
) -> Judged:
    """Hold what was seen against the labels, by the rules of `matching`.

    A recording with labels is judged for every behaviour that any label names, one in which nothing happens for all
    behaviours but faults of the camera (those only if named). Labels of what was not watched for, or from after the end
    of the file, are set aside. level: judge the events of that threshold in place of the camera's own.
    """
    named = {label.behaviour for recording, _ in seen for label in recording.labels}
    found: list[FoundHappening] = []
    missed: list[Missed] = []
    false: list[Alert] = []
    repeats: list[Alert] = []
    not_judged: list[Alert] = []
    set_aside: list[tuple[Recording, Label, str]] = []
    hours: dict[tuple[str, Behaviour], float] = {}
    footage: dict[str, float] = {}
    for recording, sightings in seen:
        camera, length = recording.camera, sightings.duration_s / HOUR_S
        footage[camera] = footage.get(camera, 0.0) + length
        quiet = not recording.labels
        judged = {
            behaviour
            for behaviour in sightings.thresholds
            # A fault of the camera may be true in a recording in which nothing happens.
            if behaviour in named or (quiet and not spec_of(behaviour).technical)
        }
        for behaviour in judged:
            hours[camera, behaviour] = hours.get((camera, behaviour), 0.0) + length
        labels = []
        for label in recording.labels:
            why = _cannot_be_judged(label, sightings)
            if why is None:
                labels.append(label)
            else:
                set_aside.append((recording, label, why))
        events = sightings.events if level is None else sightings.levels[level]
        matching = match(labels, events, tolerance_s=tolerance_s)
        found += [FoundHappening(recording, labels[label], events[event]) for label, event in matching.pairs]
        missed += [
            Missed(recording, labels[place], _highest(labels[place], sightings), place in matching.standing)
            for place in matching.missed
        ]
        repeats += [Alert(recording, events[place]) for place in matching.repeats]
        for place in matching.false:
            alert = Alert(recording, events[place])
            (false if alert.event.behaviour in judged else not_judged).append(alert)
    return Judged(
        found=tuple(found),
        missed=tuple(missed),
        false=tuple(false),
        repeats=tuple(repeats),
        hours=hours,
        footage_hours=footage,
        set_aside=tuple(set_aside),
        not_judged=tuple(not_judged),
    )


def to_be_shown(recording: Recording, sightings: Sightings, *, tolerance_s: float, most: int) -> Sightings:
    """`sightings` with no pictures but those of misses and of false alerts, `most` of each, the worst.

    More a page will not show, and what is held of many recordings stays small.
    """
    judged = judge([(recording, sightings)], tolerance_s=tolerance_s)
    wanted = [picture_of(one, sightings) for one in worst_missed(judged)[:most]]
    wanted += [picture_of(one, sightings) for one in worst_alerts((*judged.false, *judged.not_judged))[:most]]
    times = {still.time_s for still in wanted if still is not None}
    return replace(sightings, stills=tuple(still for still in sightings.stills if still.time_s in times))


def worst_missed(judged: Judged) -> list[Missed]:
    """The misses, those least noticed first, of equals the longest."""
    return sorted(judged.missed, key=lambda one: (one.highest, one.label.start_s - one.label.end_s))


def worst_alerts(alerts: Sequence[Alert]) -> list[Alert]:
    """Alerts, the surest first."""
    return sorted(alerts, key=lambda one: -one.event.score)


def picture_of(one: Missed | Alert, sightings: Sightings) -> Still | None:
    """The picture that shows best what was missed (its middle) or falsely noticed (its decision), if there is any."""
    if isinstance(one, Missed):
        label = one.label
        return sightings.still(label.start_s, label.end_s, (label.start_s + label.end_s) / 2)
    return sightings.still(one.event.start_s, one.event.end_s, one.event.decided_s)


def _cannot_be_judged(label: Label, sightings: Sightings) -> str | None:
    if label.behaviour not in sightings.thresholds:
        return "not_watched"
    return "after_end" if label.start_s >= sightings.duration_s else None


def _highest(label: Label, sightings: Sightings) -> float:
    scores = sightings.scores.get(label.behaviour, ())
    return max(scores[int(label.start_s) : int(label.end_s) + 1], default=0.0)
