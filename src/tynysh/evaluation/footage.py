"""How well did the pipeline see what people labelled: per behaviour, per camera and in all?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tynysh.behaviour.registry import ranked
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.evaluation.figures import Figures, figures
from tynysh.evaluation.judging import Alert, Judged, judge
from tynysh.evaluation.labels import Label, Recording
from tynysh.evaluation.sightings import SeenEvent, Sightings


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
            at={level: judge(seen, tolerance_s=tolerance_s, level=level) for level in LEVELS.tolist()},
        )

    @property
    def cameras(self) -> list[str]:
        """The cameras, by name."""
        return sorted(self.judged.footage_hours)

    @property
    def behaviours(self) -> Sequence[Behaviour]:
        """The behaviours about which there is something to say: labelled, or raised falsely."""
        judged = self.judged
        raised = set(self.labelled) | {found.event.behaviour for found in judged.found}
        raised |= {alert.event.behaviour for alert in (*judged.false, *judged.repeats)}
        return ranked(raised)

    @property
    def labelled(self) -> Sequence[Behaviour]:
        """The behaviours of which there are happenings."""
        labelled = {found.label.behaviour for found in self.judged.found}
        labelled |= {missed.label.behaviour for missed in self.judged.missed}
        return ranked(labelled)

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
