"""How well did the pipeline see what people labelled: per behaviour, per camera and in all?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tynysh.behaviour.registry import ranked, spec_of
from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.binary import wilson
from tynysh.evaluation.labels import Label, Recording
from tynysh.evaluation.matching import match
from tynysh.evaluation.sightings import LEVELS, SeenEvent, Sightings, Still
from tynysh.incidents.rates import garwood

HOUR_S = 3600.0

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Found:
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

    found: tuple[Found, ...]
    missed: tuple[Missed, ...]
    false: tuple[Alert, ...]
    repeats: tuple[Alert, ...]
    hours: Mapping[tuple[str, Behaviour], float]
    footage_hours: Mapping[str, float]
    set_aside: tuple[tuple[Recording, Label, str], ...] = ()
    not_judged: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one group of labels and events.

    labelled, found: happenings; as_other: of those found, by an event of a related behaviour. standing: of those
    missed, while an event was up that is not counted for them. true, false, repeats: events by what they were.
    hours: of footage. delays_s: of the found, sorted.
    Intervals are 95 %: Wilson's for recall and precision, Garwood's for the rate of false alerts.
    """

    labelled: int
    found: int
    as_other: int
    standing: int
    true: int
    false: int
    repeats: int
    hours: float
    delays_s: tuple[float, ...] = field(repr=False)

    @property
    def recall(self) -> float | None:
        """Of the happenings, the part found."""
        return self.found / self.labelled if self.labelled else None

    @property
    def recall_interval(self) -> Interval | None:
        """Wilson's."""
        return wilson(self.found, self.labelled)

    @property
    def precision(self) -> float | None:
        """Of the events that are no repeats, the part that is of a happening."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def precision_interval(self) -> Interval | None:
        """Wilson's."""
        return wilson(self.true, self.true + self.false)

    @property
    def false_per_hour(self) -> float | None:
        """False alerts in an hour of one camera."""
        return self.false / self.hours if self.hours > 0.0 else None

    @property
    def false_per_hour_interval(self) -> Interval | None:
        """Garwood's."""
        return garwood(self.false, self.hours)

    @property
    def speaks(self) -> bool:
        """Whether there is anything but footage in the group."""
        return bool(self.labelled or self.true or self.false or self.repeats)

    def delay_s(self, part: float) -> float | None:
        """The delay that `part` of the found do not exceed (0.5: the median); None where nothing was found."""
        return float(np.quantile(self.delays_s, part)) if self.delays_s else None

    def as_json(self) -> dict[str, Any]:
        """As documented for `tynysh evaluate footage --json`."""
        return {
            "labelled": self.labelled,
            "found": self.found,
            "found_as_related": self.as_other,
            "missed": self.labelled - self.found,
            "missed_under_standing_event": self.standing,
            "true_events": self.true,
            "false_events": self.false,
            "repeat_events": self.repeats,
            "camera_hours": self.hours,
            "recall": self.recall,
            "recall_interval": self.recall_interval,
            "precision": self.precision,
            "precision_interval": self.precision_interval,
            "false_per_camera_hour": self.false_per_hour,
            "false_per_camera_hour_interval": self.false_per_hour_interval,
            "delay_median_s": self.delay_s(0.5),
            "delay_95_s": self.delay_s(0.95),
            "delays_s": [round(delay, 3) for delay in self.delays_s],
        }


def judge(
    seen: Sequence[tuple[Recording, Sightings]], *, tolerance_s: float, level: float | None = None
) -> Judged:
    """Hold what was seen against the labels, by the rules of `matching`.

    A recording with labels is judged for every behaviour that any label names, one in which nothing happens for all
    behaviours but faults of the camera (those only if named). Labels of what was not watched for, or from after the end
    of the file, are set aside. level: judge the events of that threshold in place of the camera's own.
    """
    named = {label.behaviour for recording, _ in seen for label in recording.labels}
    found: list[Found] = []
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
        found += [Found(recording, labels[label], events[event]) for label, event in matching.pairs]
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


def figures(judged: Judged, *, camera: str | None = None, behaviour: Behaviour | None = None) -> Figures:
    """The figures of one camera, one behaviour, both or (None) all.

    A happening belongs to the behaviour of its label, an event to its own: an aggression that is found as a fight adds
    to the recall of aggression and to the precision of fight.
    """

    def here(recording: Recording, of: Behaviour) -> bool:
        return camera in {None, recording.camera} and behaviour in {None, of}

    found = [one for one in judged.found if here(one.recording, one.label.behaviour)]
    missed = [one for one in judged.missed if here(one.recording, one.label.behaviour)]
    if behaviour is None:
        hours = sum(length for name, length in judged.footage_hours.items() if camera in {None, name})
    else:
        hours = sum(
            length
            for (name, of), length in judged.hours.items()
            if of is behaviour and camera in {None, name}
        )
    return Figures(
        labelled=len(found) + len(missed),
        found=len(found),
        as_other=sum(one.event.behaviour != one.label.behaviour for one in found),
        standing=sum(one.standing for one in missed),
        true=sum(here(one.recording, one.event.behaviour) for one in judged.found),
        false=sum(here(one.recording, one.event.behaviour) for one in judged.false),
        repeats=sum(here(one.recording, one.event.behaviour) for one in judged.repeats),
        hours=hours,
        delays_s=tuple(sorted(one.delay_s for one in found)),
    )


@dataclass(frozen=True, slots=True)
class FootageReport:
    """What labelled footage came to.

    unread: the files that could not be read, with why. tolerance_s: see `matching`. at: by threshold (`LEVELS`), what
    it would have come to.
    """

    seen: tuple[tuple[Recording, Sightings], ...]
    unread: tuple[tuple[Recording, str], ...]
    tolerance_s: float
    judged: Judged
    at: Mapping[float, Judged] = field(repr=False)

    @classmethod
    def of(
        cls,
        seen: Sequence[tuple[Recording, Sightings]],
        *,
        tolerance_s: float,
        unread: Sequence[tuple[Recording, str]] = (),
    ) -> "FootageReport":
        """Judge what was seen."""
        return cls(
            seen=tuple(seen),
            unread=tuple(unread),
            tolerance_s=tolerance_s,
            judged=judge(seen, tolerance_s=tolerance_s),
            at={level: judge(seen, tolerance_s=tolerance_s, level=level) for level in LEVELS},
        )

    @property
    def cameras(self) -> list[str]:
        """The cameras, by name."""
        return sorted(self.judged.footage_hours)

    @property
    def behaviours(self) -> Sequence[Behaviour]:
        """The behaviours about which there is something to say: labelled, or raised falsely."""
        judged = self.judged
        told = set(self.labelled) | {found.event.behaviour for found in judged.found}
        told |= {alert.event.behaviour for alert in (*judged.false, *judged.repeats)}
        return ranked(told)

    @property
    def labelled(self) -> Sequence[Behaviour]:
        """The behaviours of which there are happenings."""
        told = {found.label.behaviour for found in self.judged.found}
        told |= {missed.label.behaviour for missed in self.judged.missed}
        return ranked(told)

    def own_threshold(self, behaviour: Behaviour) -> float | None:
        """The threshold in force for `behaviour`, if it was the same in all recordings."""
        used = {
            sightings.thresholds[behaviour] for _, sightings in self.seen if behaviour in sightings.thresholds
        }
        return used.pop() if len(used) == 1 else None

    def at_levels(self, behaviour: Behaviour) -> list[tuple[float, Figures]]:
        """The figures of `behaviour` at each threshold of `LEVELS`."""
        return [(level, figures(judged, behaviour=behaviour)) for level, judged in self.at.items()]

    def as_json(self) -> dict[str, Any]:
        """As documented for `tynysh evaluate footage --json`."""
        judged, behaviours = self.judged, self.behaviours
        return {
            "tolerance_s": self.tolerance_s,
            "files": len(self.seen),
            "all": figures(judged).as_json(),
            "behaviours": _by_behaviour(judged, behaviours),
            "cameras": {
                camera: {
                    "all": figures(judged, camera=camera).as_json(),
                    "behaviours": _by_behaviour(judged, behaviours, camera),
                }
                for camera in self.cameras
            },
            "thresholds": {
                behaviour: [{"threshold": level, **at.as_json()} for level, at in self.at_levels(behaviour)]
                for behaviour in self.labelled
            },
            "found": [
                {
                    **_label_json(one.recording, one.label),
                    "event": _event_json(one.event),
                    "delay_s": round(one.delay_s, 3),
                }
                for one in judged.found
            ],
            "missed": [
                {
                    **_label_json(one.recording, one.label),
                    "highest_score": round(one.highest, 4),
                    "standing": one.standing,
                }
                for one in judged.missed
            ],
            "false": [_alert_json(one) for one in judged.false],
            "repeats": [_alert_json(one) for one in judged.repeats],
            "not_judged": [_alert_json(one) for one in judged.not_judged],
            "set_aside": [
                {**_label_json(recording, label), "why": why} for recording, label, why in judged.set_aside
            ],
            "unread": [{"file": recording.path, "why": why} for recording, why in self.unread],
        }


def _cannot_be_judged(label: Label, sightings: Sightings) -> str | None:
    if label.behaviour not in sightings.thresholds:
        return "not_watched"
    return "after_end" if label.start_s >= sightings.duration_s else None


def _highest(label: Label, sightings: Sightings) -> float:
    scores = sightings.scores.get(label.behaviour, ())
    return max(scores[int(label.start_s) : int(label.end_s) + 1], default=0.0)


def _by_behaviour(
    judged: Judged, behaviours: Sequence[Behaviour], camera: str | None = None
) -> dict[str, Any]:
    return {
        behaviour: figures(judged, camera=camera, behaviour=behaviour).as_json() for behaviour in behaviours
    }


def _label_json(recording: Recording, label: Label) -> dict[str, Any]:
    return {
        "file": recording.path,
        "camera": recording.camera,
        "behaviour": label.behaviour,
        "start_s": label.start_s,
        "end_s": label.end_s,
    }


def _event_json(event: SeenEvent) -> dict[str, Any]:
    return {
        "behaviour": event.behaviour,
        "start_s": round(event.start_s, 3),
        "end_s": round(event.end_s, 3),
        "decided_s": round(event.decided_s, 3),
        "score": round(event.score, 4),
    }


def _alert_json(alert: Alert) -> dict[str, Any]:
    return {"file": alert.recording.path, "camera": alert.recording.camera, **_event_json(alert.event)}
