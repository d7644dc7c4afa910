"""Do many people start to run within seconds?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tynysh.behaviour.scores import AT_LIMIT
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.geometry import Box, contains_each
from tynysh.scene.places import watched
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.walkers import Walkers

RUNS_M_S = 2.2
"""People run rather than walk from about 2.1 m/s on (Hreljac, Ergonomics 38, 1995)."""

WALKS_M_S = 1.7

RUNS_HEIGHTS_S = 1.2
WALKS_HEIGHTS_S = 1.0
"""The same in body heights a second in the picture, where the ground is not known: of 1.70 m, and a little less for
those who do not run straight across the picture."""

STARTED_S = 5.0
"""Who walked or stood within so many seconds before they ran has started to run."""

STILL_RUNS_S = 1.5
"""Somebody not seen running for so long has stopped."""

AGREEMENT = 0.5
"""Length of the mean unit vector from which they run one way."""

HALF_WIDTH = 0.15
"""Half of somebody's width, in their heights."""


class CrowdRunSettings(AnalyserSettings):
    """Settings of `crowd_run`."""

    release = 0.6
    release_s = 2.0

    min_duration_s: MinDuration = 0.5
    cooldown_s: Cooldown = 30.0
    people: Annotated[
        int,
        Field(
            ge=3,
            le=1000,
            title="People",
            description="How many must start to run within seconds; fewer may be running for a bus.",
        ),
    ] = 8
    share: Annotated[
        float,
        Field(
            ge=0.1,
            le=1.0,
            title="Share",
            description="Part of all people in the picture that must run, beside their number.",
        ),
    ] = 0.4


@dataclass(slots=True)
class _Runner:
    """What is remembered of somebody. slow_s, slow_at: when and where (normalised) they were last seen slow. started_s:
    since when they run, after having been slow. ran_s: when they were last seen running.
    """

    slow_s: float = float("-inf")
    slow_at: tuple[float, float] = (0.0, 0.0)
    started_s: float | None = None
    ran_s: float = float("-inf")


class CrowdRunAnalyser:
    """Counts people who run and were seen to walk or stand shortly before.

    score = min(1, 0.6 min(s / people, (r / n) / share)), with s the people who have started to run (slower than 1.7 m/s
    within 5 s before they passed 2.2 m/s, and running since), r all who run now and n all whose speed is known. Who
    comes into the picture running (joggers, a race) has not started here. Where the ground is not known the limits are
    1.0 and 1.2 body heights a second in the picture; somebody who runs towards or from the camera is then read as
    slower than they are.
    """

    behaviour = Behaviour.CROWD_RUN

    def __init__(self, settings: CrowdRunSettings) -> None:
        self._settings = settings
        self._runners: dict[int, _Runner] = {}
        self._last: Signal | None = None
        self._looked_s: float | None = None

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal; while the detector rests, what it last was."""
        crowd = scene.crowd
        if scene.feed is Feed.LOST or crowd is None or crowd.walkers is None:
            self._runners.clear()
            self._last = self._looked_s = None
            return ()
        if crowd.time_s != self._looked_s:
            if self._looked_s is not None and crowd.time_s < self._looked_s:
                self._runners.clear()
            self._looked_s = crowd.time_s
            self._last = self._score(scene, crowd.walkers, crowd.time_s)
        return () if self._last is None else (replace(self._last, time_s=scene.time_s),)

    def _score(self, scene: Scene, walkers: Walkers, time_s: float) -> Signal:
        settings = self._settings
        from_speed, to_speed = (WALKS_M_S, RUNS_M_S) if walkers.metric else (WALKS_HEIGHTS_S, RUNS_HEIGHTS_S)
        speed = walkers.speed
        known = np.isfinite(speed) & (walkers.numbers > 0)
        if settings.zones:
            inside = np.zeros(len(speed), dtype=np.bool_)
            for zone in watched(scene, settings.zones):
                inside |= contains_each(zone.polygon, walkers.feet)
            known &= inside
        runs = known & (speed >= to_speed)
        slow = known & (speed < from_speed)
        self._remember(walkers, time_s, runs, slow)
        started = np.array(
            [
                bool(running) and self._runners[number].started_s is not None
                for number, running in zip(walkers.numbers.tolist(), runs, strict=True)
            ],
            dtype=np.bool_,
        )
        number, people = int(started.sum()), int(known.sum())
        share = int(runs.sum()) / people if people else 0.0
        score = min(1.0, AT_LIMIT * min(number / settings.people, share / settings.share))
        since_s, reason, box = None, None, None
        if number:
            begun = [self._runners[one] for one in walkers.numbers[started].tolist()]
            since_s = min(one.started_s for one in begun if one.started_s is not None)
            origin = float(np.mean([one.slow_at[0] for one in begun]))
            reason = _reason(walkers, started, number, origin)
            box = _around(walkers, started)
        return Signal(
            behaviour=self.behaviour,
            time_s=time_s,
            score=score,
            box=box,
            people=number,
            reason=reason,
            since_s=since_s if score > 0 else None,
        )

    def _remember(
        self, walkers: Walkers, time_s: float, runs: NDArray[np.bool_], slow: NDArray[np.bool_]
    ) -> None:
        for index in np.flatnonzero(slow | runs).tolist():
            number = int(walkers.numbers[index])
            one = self._runners.setdefault(number, _Runner())
            if slow[index]:
                one.slow_s, one.started_s = time_s, None
                one.slow_at = (float(walkers.feet[index, 0]), float(walkers.feet[index, 1]))
                continue
            if one.started_s is None and time_s - one.slow_s <= STARTED_S:
                one.started_s = one.slow_s
            one.ran_s = time_s
        for number, one in list(self._runners.items()):
            if time_s - max(one.ran_s + STILL_RUNS_S, one.slow_s + STARTED_S) > 0:
                del self._runners[number]


def _reason(walkers: Walkers, started: NDArray[np.bool_], number: int, origin: float) -> Reason:
    """How many, how fast, where from (the part of the picture in which they were last slow) and where to."""
    speed = float(np.median(walkers.speed[started]))
    values: dict[str, float | int | str] = {
        "people": number,
        "speed": round(speed, 1),
        "from": _third(origin),
        "to": _direction(walkers, started),
    }
    return Reason("crowd_run.metres" if walkers.metric else "crowd_run.heights", values)


def _third(x: float) -> str:
    return ("left", "middle", "right")[min(2, int(3 * x))]


def _direction(walkers: Walkers, started: NDArray[np.bool_]) -> str:
    angles = np.radians(walkers.heading[started])
    right, up = float(np.sin(angles).mean()), float(np.cos(angles).mean())
    if np.hypot(right, up) < AGREEMENT:
        return "apart"
    if abs(right) >= abs(up):
        return "right" if right > 0 else "left"
    return "away" if up > 0 else "near"


def _around(walkers: Walkers, chosen: NDArray[np.bool_]) -> Box:
    """A box around the people `chosen`, normalised."""
    feet, heights = walkers.feet[chosen], walkers.heights[chosen]
    half = HALF_WIDTH * heights
    return Box(
        float((feet[:, 0] - half).min()),
        float((feet[:, 1] - heights).min()),
        float((feet[:, 0] + half).max()),
        float(feet[:, 1].max()),
    ).clipped(1.0, 1.0)


SPEC = AnalyserSpec(
    id=Behaviour.CROWD_RUN,
    settings=CrowdRunSettings,
    factory=CrowdRunAnalyser,
    family="crowd",
    rank=40,
    severity=Severity(3),
    words=shipped("crowd_run"),
    by_default=True,
)
