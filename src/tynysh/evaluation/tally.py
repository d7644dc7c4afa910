"""What would other thresholds have raised on recordings, and what would they have found?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS, Counts, no_alarms
from tynysh.evaluation.analysis import SEED, analyse_video
from tynysh.evaluation.labels import Label
from tynysh.incidents.alarm_budget import Choice, rate
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Step
from tynysh.runtime.thresholds import ENOUGH_VERDICTS, choice_for, share
from tynysh.site.incidents import AlarmBudget
from tynysh.store.queries.alarm_budgets import DAY_S

AROUND_S = 5.0
"""Seconds before and after a labelled happening in which alarms are neither false nor quiet time."""


@dataclass(slots=True)
class AlarmTally:
    """What recordings of one camera would have raised.

    quiet_s: seconds in which nothing happens. false: behaviour → alarms in them, at each of `LEVELS`.
    happenings: behaviour → how many there are; found: how many of them each level finds.
    """

    quiet_s: float = 0.0
    false: dict[Behaviour, Counts] = field(default_factory=dict)
    happenings: dict[Behaviour, int] = field(default_factory=dict)
    found: dict[Behaviour, Counts] = field(default_factory=dict)

    @property
    def quiet_days(self) -> float:
        """Days in which nothing happens."""
        return self.quiet_s / DAY_S

    def false_alarms(self, behaviour: Behaviour) -> Counts:
        """(L,) false alarms of a behaviour."""
        return self.false.get(behaviour, no_alarms())

    def recall(self, behaviour: Behaviour) -> list[float] | None:
        """(L,) the part of the labelled happenings that each level finds; None with fewer than `ENOUGH_VERDICTS`."""
        happenings = self.happenings.get(behaviour, 0)
        if happenings < ENOUGH_VERDICTS:
            return None
        found = self.found.get(behaviour, no_alarms())
        return [float(share) for share in found / happenings]


def tally_video(
    video: VideoFile, labels: Sequence[Label], plan: CameraPlan, networks: Networks, tally: AlarmTally
) -> None:
    """Run one recording and add to `tally` what it would have raised. Raises MediaError."""
    pipeline = build_pipeline(plan, networks, ids=Random(SEED))
    found = [no_alarms() for _ in labels]
    last_s: float | None = None

    def listen(step: Step) -> None:
        nonlocal last_s
        time_s = step.scene.time_s
        around = [
            index
            for index, label in enumerate(labels)
            if label.start_s - AROUND_S <= time_s <= label.end_s + AROUND_S
        ]
        for behaviour, counts in step.swept_alarms.items():
            if around:
                for index in around:
                    if labels[index].behaviour == behaviour:
                        found[index] += counts
            else:
                tally.false[behaviour] = tally.false_alarms(behaviour) + counts
        if not around and last_s is not None:
            tally.quiet_s += time_s - last_s
        last_s = time_s

    analyse_video(video, pipeline, on_step=listen, keep_people=False)
    for label, counts in zip(labels, found, strict=True):
        tally.happenings[label.behaviour] = tally.happenings.get(label.behaviour, 0) + 1
        before = tally.found.get(label.behaviour, no_alarms())
        tally.found[label.behaviour] = before + (counts > 0)


def choices_of(
    settings: Mapping[Behaviour, AnalyserSettings], tally: AlarmTally, budget: AlarmBudget
) -> dict[Behaviour, Choice]:
    """A threshold for each behaviour from what was tallied."""
    return {
        behaviour: choice_for(
            of_behaviour,
            tally.false_alarms(behaviour).tolist(),
            tally.quiet_days,
            share(budget, len(settings)),
            budget,
            measured=tally.recall(behaviour),
        )
        for behaviour, of_behaviour in settings.items()
    }


def figures_of(choices: Mapping[Behaviour, Choice], tally: AlarmTally, budget: AlarmBudget) -> dict[str, Any]:
    """As documented for `tynysh tune --json`."""
    return {
        "quiet_hours": tally.quiet_s / 3600.0,
        "alarms_per_day": budget.alarms_per_day,
        "recall_floor": budget.recall_floor,
        "behaviours": {
            behaviour: {
                "threshold": choice.threshold,
                "standing": choice.standing.value,
                "recall": choice.recall,
                "levels": [
                    {
                        "threshold": float(level),
                        "false_alarms": int(count),
                        "per_day": rate(int(count), tally.quiet_days).per_day,
                        "found": None
                        if behaviour not in tally.happenings
                        else int(tally.found[behaviour][index]),
                    }
                    for index, (level, count) in enumerate(
                        zip(LEVELS, tally.false_alarms(behaviour), strict=True)
                    )
                ],
                "happenings": tally.happenings.get(behaviour, 0),
            }
            for behaviour, choice in choices.items()
        },
    }
