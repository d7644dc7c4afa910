"""Recall, precision, rate of false alerts and delay, with their intervals, of one group of labels and events."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.binary import wilson
from tynysh.evaluation.judging import Judged
from tynysh.evaluation.labels import Recording
from tynysh.incidents.rates import garwood

LEAST_HOURS = 0.1
"""Of less footage no rate of false alerts is shown: its interval would say nothing."""

Interval = tuple[float, float]


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
    def enough_hours(self) -> bool:
        """Whether a rate of false alerts says anything."""
        return self.hours >= LEAST_HOURS

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
