"""What threshold does each behaviour of each camera get, within its alarm budget?"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from sqlalchemy.orm import Session

from tynysh.behaviour.events import Rule
from tynysh.behaviour.registry import BUDGETED
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS, no_alarms
from tynysh.incidents.alarm_budget import Choice, choose, own_recall
from tynysh.runtime.camera_runner import CameraRunner
from tynysh.site.camera import Camera
from tynysh.site.incidents import AlarmBudget
from tynysh.site.site import Site, SiteFile
from tynysh.store.database import Database
from tynysh.store.queries import alarm_budgets, changes
from tynysh.store.queries.alarm_budgets import LearntThreshold

LOOK_BACK_S = 14 * 86_400.0
"""Quiet hours older than this tell little of the camera's scene now."""

VERDICTS_S = 180 * 86_400.0
ENOUGH_VERDICTS = 20
"""A camera's own verified happenings tell its recall from so many on; they are those that an earlier threshold found,
so that they flatter it."""

KEEP_S = 60.0
"""How often a worker writes down what it watched."""

LOWEST = 0.8
"""No threshold is learnt below this part of the usual one, however quiet the camera."""


class Thresholds:
    """Keeps what a worker's cameras watched, and has them use the thresholds that were learnt."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept_at = float("-inf")
        self._in_use: dict[CameraRunner, Mapping[Behaviour, Rule]] = {}

    def tune(self, runners: Collection[CameraRunner]) -> None:
        """Have the cameras use what was learnt. Raises StoreError."""
        learnt: dict[str, list[LearntThreshold]] = {runner.camera.id: [] for runner in runners}
        with self._database.reading() as session:
            for one in alarm_budgets.learnt(session, learnt):
                learnt[one.camera_id].append(one)
        in_use: dict[CameraRunner, Mapping[Behaviour, Rule]] = {}
        for runner in runners:
            effective = runner.site.effective(runner.camera)
            rules = tuned(
                effective.analysers, learnt[runner.camera.id] if effective.alarm_budget.learn else ()
            )
            if self._in_use.get(runner) != rules:
                runner.retune(rules)
            in_use[runner] = rules
        self._in_use = in_use

    def keep(self, runners: Collection[CameraRunner], *, now: float) -> None:
        """Tune cameras that are new, and write down what was watched where it is time.

        What was watched is taken once: where it cannot be written it is lost, which makes thresholds learn later, and
        no other. Raises StoreError.
        """
        if self._in_use.keys() != set(runners):
            self.tune(runners)
        if 0.0 <= now - self._kept_at < KEEP_S:
            return
        self._kept_at = now
        watched = [(runner.camera.id, runner.take_watched()) for runner in runners]
        with self._database.writing() as session:
            for camera_id, took in watched:
                alarm_budgets.add_watched(session, camera_id, now, took.seconds, took.swept_alarms)


def learn_all(database: Database, sites: SiteFile, *, now: float) -> None:
    """Learn the thresholds of all cameras, and forget what is too old to learn from. Raises StoreError."""
    for site in sites.sites:
        for camera in site.cameras:
            with database.writing() as session:
                learn(session, site, camera, now=now)
    with database.writing() as session:
        alarm_budgets.forget_hours(session, before=now - LOOK_BACK_S)


def learn(session: Session, site: Site, camera: Camera, *, now: float) -> Sequence[LearntThreshold]:
    """Learn the thresholds of one camera from its verdicts and quiet hours, and keep them.

    The budget is shared evenly between the behaviours that are watched for. Needs a session of `Database.writing`.
    """
    effective = site.effective(camera)
    budget = effective.alarm_budget
    watched = (
        [behaviour for behaviour in BUDGETED if behaviour in effective.analysers] if budget.learn else []
    )
    before = _thresholds(alarm_budgets.learnt(session, [camera.id]))
    alarm_budgets.forget(session, camera.id, but=watched)
    quiet = alarm_budgets.quiet_time(session, camera.id, BUDGETED, since=now - LOOK_BACK_S, now=now)
    found: list[LearntThreshold] = []
    for behaviour in watched:
        settings = effective.analysers[behaviour]
        scores = alarm_budgets.verified_scores(session, camera.id, behaviour, since=now - VERDICTS_S)
        counts = quiet.counts.get(behaviour, no_alarms())
        choice = choice_for(
            settings, counts.tolist(), quiet.days, share(budget, len(watched)), budget, scores
        )
        learnt = LearntThreshold(
            camera_id=camera.id,
            behaviour=behaviour,
            choice=choice,
            usual=settings.threshold,
            budget=share(budget, len(watched)),
            days=quiet.days,
            verified=len(scores),
            refound=sum(score >= choice.threshold for score in scores),
            updated_at=now,
        )
        alarm_budgets.keep(session, learnt)
        found.append(learnt)
    if _thresholds(found) != before:
        changes.publish(session, changes.ChangeKind.THRESHOLDS, camera.id, now=now)
    return found


def _thresholds(learnt: Sequence[LearntThreshold]) -> dict[Behaviour, tuple[float, float]]:
    """What of it a worker must know: the threshold, and the usual one while it holds."""
    return {one.behaviour: (one.choice.threshold, one.usual) for one in learnt}


def share(budget: AlarmBudget, behaviours: int) -> float:
    """False alarms a day for each of so many behaviours."""
    return budget.alarms_per_day / behaviours


def choice_for(
    settings: AnalyserSettings,
    false_alarms: Sequence[int],
    days: float,
    alarms_per_day: float,
    budget: AlarmBudget,
    verified: Sequence[float] = (),
    measured: Sequence[float] | None = None,
) -> Choice:
    """The threshold of one behaviour. false_alarms: at each of `LEVELS` in `days`. verified: scores of happenings.

    Recall is what was `measured` at each level; else that of the model card; where that has none, that of the camera's
    own verified happenings, if there are enough.
    """
    recall = measured
    if recall is None and settings.recall_at:
        thresholds, found = zip(*settings.recall_at, strict=True)
        recall = np.interp(LEVELS, thresholds, found).tolist()
    elif recall is None and len(verified) >= ENOUGH_VERDICTS:
        recall = own_recall(verified, LEVELS.tolist()).tolist()
    return choose(
        LEVELS.tolist(),
        false_alarms,
        days=days,
        budget=alarms_per_day,
        usual=settings.threshold,
        lowest=LOWEST * settings.threshold,
        recall=recall,
        recall_floor=budget.recall_floor,
    )


def tuned(
    settings: Mapping[Behaviour, AnalyserSettings], learnt: Sequence[LearntThreshold]
) -> dict[Behaviour, Rule]:
    """The rules of the behaviours that are budgeted: with the learnt threshold, or the usual one where none is.

    What was learnt when the site said another threshold does not hold any more.
    """
    thresholds = {
        one.behaviour: one.choice.threshold
        for one in learnt
        if one.behaviour in settings and one.usual == settings[one.behaviour].threshold
    }
    return {
        behaviour: Rule.of(settings[behaviour], thresholds.get(behaviour))
        for behaviour in BUDGETED
        if behaviour in settings
    }
