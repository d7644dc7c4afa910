"""What cameras were watched for, what other thresholds would have raised, and which thresholds were learnt."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS, Counts, no_alarms
from tynysh.incidents.alarm_budget import AlarmRate, Choice, Standing
from tynysh.incidents.lifecycle import Verdict
from tynysh.store.database import must_be_writing
from tynysh.store.schema import EventRow, IncidentRow, LearntThresholdRow, WatchHourRow

HOUR_S = 3600.0
DAY_S = 86_400.0

LATE_S = 180.0
"""What was watched is written down at most so long after it, so that its alarms may stand in the hour that follows."""


@dataclass(frozen=True, slots=True)
class QuietTime:
    """What was watched of a camera while nothing happened. counts: alarms at each of `LEVELS` by behaviour."""

    days: float
    counts: Mapping[Behaviour, Counts]


@dataclass(frozen=True, slots=True)
class LearntThreshold:
    """A threshold as it was learnt. days: watched. verified, refound: happenings verified here, and of these found."""

    camera_id: str
    behaviour: Behaviour
    choice: Choice
    usual: float
    budget: float
    days: float
    verified: int
    refound: int
    updated_at: float


def add_watched(
    session: Session, camera_id: str, at: float, watched_s: float, counts: Mapping[Behaviour, Counts]
) -> None:
    """Add to the hour of `at` (Unix seconds) what was watched and counted. Needs a session of `Database.writing`."""
    must_be_writing(session)
    hour = int(at // HOUR_S)
    row = session.get(WatchHourRow, (camera_id, hour))
    if row is None:
        row = WatchHourRow(camera_id=camera_id, hour=hour, watched_s=0.0, near_alarms={})
        session.add(row)
    row.watched_s = min(HOUR_S, row.watched_s + watched_s)
    if counts:
        row.near_alarms = row.near_alarms | {
            behaviour: (count + row.near_alarms.get(behaviour, 0)).tolist()
            for behaviour, count in counts.items()
        }


def quiet_time(
    session: Session, camera_id: str, behaviours: Collection[Behaviour], *, since: float, now: float
) -> QuietTime:
    """What was watched of a camera since `since` (Unix seconds), without the hours in which one of `behaviours`
    happened. Others may happen meanwhile: a hall is crowded when false alarms of fights come.

    Left out is every hour that such an incident touches which was verified true or unclear; and all of the last day
    while one of its incidents waits for a verdict, for its hours without an alarm alone would make the camera look
    calmer than it is. Alarms verified false, and those that nobody verified within a day, are false ones.
    """
    busy = _busy_hours(session, camera_id, behaviours, since=since, now=now)
    rows = session.scalars(
        select(WatchHourRow).where(
            WatchHourRow.camera_id == camera_id, WatchHourRow.hour >= int(since // HOUR_S)
        )
    )
    watched_s = 0.0
    counts: dict[Behaviour, Counts] = {}
    for row in rows:
        if row.hour in busy:
            continue
        watched_s += row.watched_s
        for name, count in row.near_alarms.items():
            # What another release counted at other levels cannot be added up.
            if len(count) == len(LEVELS):
                total = counts.setdefault(Behaviour(name), no_alarms())
                total += np.asarray(count, dtype=np.int64)
    return QuietTime(watched_s / DAY_S, counts)


def _busy_hours(
    session: Session, camera_id: str, behaviours: Collection[Behaviour], *, since: float, now: float
) -> set[int]:
    rows = session.execute(
        select(
            IncidentRow.started_at, IncidentRow.ended_at, IncidentRow.verdict, IncidentRow.behaviours
        ).where(IncidentRow.camera_id == camera_id, IncidentRow.opened_at >= since - DAY_S)
    )
    busy: set[int] = set()
    for started_at, ended_at, verdict, happened in rows:
        if set(behaviours).isdisjoint(happened):
            continue
        last = min(now, started_at + DAY_S if ended_at is None else ended_at)
        if verdict is None and now - started_at < DAY_S:
            busy.update(_hours(now - DAY_S, now))
        elif verdict in {Verdict.TRUE, Verdict.UNCLEAR}:
            busy.update(_hours(started_at, last + LATE_S))
    return busy


def _hours(begin: float, end: float) -> range:
    """The hours that a stretch of time touches."""
    return range(int(begin // HOUR_S), int(end // HOUR_S) + 1)


def verified_scores(
    session: Session, camera_id: str, behaviour: Behaviour, *, since: float
) -> Sequence[float]:
    """The scores of a camera's events of `behaviour` in incidents that were verified true since `since`."""
    return session.scalars(
        select(EventRow.score)
        .join(IncidentRow)
        .where(
            EventRow.camera_id == camera_id,
            EventRow.behaviour == behaviour,
            EventRow.started_at >= since,
            IncidentRow.verdict == Verdict.TRUE,
        )
    ).all()


def keep(session: Session, learnt: LearntThreshold) -> None:
    """Keep what was learnt, in place of what was before. Needs a session of `Database.writing`."""
    must_be_writing(session)
    choice = learnt.choice
    session.merge(
        LearntThresholdRow(
            camera_id=learnt.camera_id,
            behaviour=learnt.behaviour,
            threshold=choice.threshold,
            usual=learnt.usual,
            standing=choice.standing.value,
            budget=learnt.budget,
            days=learnt.days,
            per_day=choice.rate.per_day,
            low=choice.rate.low,
            high=None if choice.rate.high == float("inf") else choice.rate.high,
            recall=choice.recall,
            recall_floor=choice.recall_floor,
            verified=learnt.verified,
            refound=learnt.refound,
            updated_at=learnt.updated_at,
        )
    )


def learnt(session: Session, camera_ids: Collection[str]) -> Sequence[LearntThreshold]:
    """What was learnt of these cameras, in the order of their ids and of the behaviours' names."""
    rows = session.scalars(
        select(LearntThresholdRow)
        .where(LearntThresholdRow.camera_id.in_(camera_ids))
        .order_by(LearntThresholdRow.camera_id, LearntThresholdRow.behaviour)
    )
    return [
        LearntThreshold(
            camera_id=row.camera_id,
            behaviour=Behaviour(row.behaviour),
            choice=Choice(
                threshold=row.threshold,
                standing=Standing(row.standing),
                rate=AlarmRate(row.per_day, row.low, float("inf") if row.high is None else row.high),
                recall=row.recall,
                recall_floor=row.recall_floor,
            ),
            usual=row.usual,
            budget=row.budget,
            days=row.days,
            verified=row.verified,
            refound=row.refound,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def forget(session: Session, camera_id: str, *, but: Collection[Behaviour]) -> None:
    """Drop what was learnt of a camera's behaviours other than `but`. Needs a session of `Database.writing`."""
    must_be_writing(session)
    session.execute(
        delete(LearntThresholdRow).where(
            LearntThresholdRow.camera_id == camera_id,
            LearntThresholdRow.behaviour.not_in(but),
        )
    )


def forget_hours(session: Session, *, before: float) -> None:
    """Drop the hours before `before` (Unix seconds). Needs a session of `Database.writing`."""
    must_be_writing(session)
    session.execute(delete(WatchHourRow).where(WatchHourRow.hour < int(before // HOUR_S)))
