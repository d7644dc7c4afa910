"""Does somebody strike, kick, shove, drag, charge or chase somebody else?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tynysh.behaviour.interaction import (
    Act,
    Strike,
    charge,
    chase,
    drag,
    gap,
    one_body,
    pairs_within,
    scuffle,
    shove,
    strikes,
    swing,
    together,
)
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Need, Severity, shipped
from tynysh.behaviour.trajectory import Trajectories, Trajectory
from tynysh.geometry import Box
from tynysh.scene.places import foot, watched
from tynysh.scene.scene import Feed, Scene

ACTS_S = 1.2
"""Seconds for which a blow, a kick or a shove counts."""

STRUCK_REACH = 1.5
CHASE_REACH = 4.0
"""Gaps, in H, within which acts are looked for."""

GRAVE = frozenset({Act.SWING, Act.KICK_OF_FALLEN})
GRAVE_SCORE = 0.5
GRAVE_S = 5.0
"""A grave act of this score gives the reason rather than the strongest, and does so for seconds after, while anything
goes on: what was once told is not taken back (`incidents.fusion` weighs it).
"""


class AggressionSettings(AnalyserSettings):
    """Settings of `aggression`."""

    min_duration_s: MinDuration = 0.2
    cooldown_s: Cooldown = 20.0


@dataclass(frozen=True, slots=True)
class _Case:
    """What one person did to another. strongest: the act to name. people: track ids."""

    score: float
    strongest: Strike
    since_s: float
    box: Box
    people: tuple[int, int]


class AggressionAnalyser:
    """Scores observable acts of one person against another: blows, kicks, swings, shoves, scuffles, drags, charges and
    chases. Never a face or a mood.

    The acts of a pair within 1.2 s add up as 1 - Π(1 - s), s the score of each (`interaction.strikes`, `swing`,
    `shove`, `scuffle`, `drag`, `charge`, `chase`), but a single step of a limb that may be guessed does not count by
    itself (`together`); the signal is that of the worst pair, and its people are all of whom a pair scores at least
    half as high. All from where bodies and limbs move relative to body size and to the other person. Blows, kicks and
    swings need pose, shoves the hands; the rest needs boxes alone.

    Where the light changes at once all over the picture, or the picture itself, what was seen before does not count.
    """

    behaviour = Behaviour.AGGRESSION

    def __init__(self, settings: AggressionSettings) -> None:
        self._settings = settings
        self._trajectories = Trajectories()
        self._last: Signal | None = None
        self._grave: Strike | None = None
        self._grave_s = float("-inf")

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal for the picture; while the detector rests, what it last was."""
        if scene.feed is Feed.LOST:
            self._last = None
            return ()
        if scene.motion.light:
            self._trajectories = Trajectories()
        self._trajectories.observe(scene)
        if scene.detected or self._last is None:
            self._last = self._score(scene, self._trajectories.now(scene, within_s=0.5))
        return (replace(self._last, time_s=scene.time_s),)

    def _score(self, scene: Scene, trajectories: Mapping[int, Trajectory]) -> Signal:
        names = self._settings.zones
        if names:
            zones = watched(scene, names)
            trajectories = {
                track_id: trajectory
                for track_id, trajectory in trajectories.items()
                if any(zone.contains(foot(scene, trajectory.last.box)) for zone in zones)
            }
        near = pairs_within(trajectories, CHASE_REACH)
        cases = [
            case
            for by, to in sorted((*near, *((other, one) for one, other in near)))
            if (case := _case(trajectories, by, to)) is not None
        ]
        worst = max(cases, key=lambda case: case.score, default=None)
        if worst is None:
            return Signal(self.behaviour, scene.time_s, 0.0)
        told = self._told(worst, scene.time_s)
        people = {one for case in cases if case.score >= 0.5 * worst.score for one in case.people}
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=worst.score,
            box=scene.normalised_box(worst.box),
            people=len(people),
            reason=Reason(
                f"aggression.{told.act}", {"people": len(people), "speed": round(float(told.speed), 1)}
            ),
            since_s=worst.since_s,
        )

    def _told(self, worst: _Case, time_s: float) -> Strike:
        """The act to name: the strongest, unless a grave one was seen and it goes on."""
        if worst.strongest.act in GRAVE and worst.strongest.score >= GRAVE_SCORE:
            self._grave = worst.strongest
        elif self._grave is None or not 0.0 <= time_s - self._grave_s <= GRAVE_S:
            self._grave = None
            return worst.strongest
        self._grave_s = time_s
        return self._grave


def _case(trajectories: Mapping[int, Trajectory], by: int, to: int) -> _Case | None:
    """What the one of track `by` does to the one of track `to`, who are no further apart than `CHASE_REACH`."""
    a, b = trajectories[by], trajectories[to]
    apart = gap(a.last, b.last, (a.body_height + b.body_height) / 2)
    others = (trajectory for key, trajectory in trajectories.items() if key not in {by, to})
    found: list[Strike | None] = [chase(a, b, others)]
    since_s = max(a.last.time_s, b.last.time_s) - ACTS_S
    # The one who was struck may be out of reach already.
    if apart <= STRUCK_REACH and not one_body(a, b, since_s):
        found += strikes(a, b, since_s)
        found += [swing(a, b, since_s), shove(a, b, since_s), scuffle(a, b), drag(a, b), charge(a, b)]
    acts = [act for act in found if act is not None]
    if not acts:
        return None
    return _Case(
        score=together(acts),
        strongest=max(acts, key=lambda act: (act.act in GRAVE and act.score >= GRAVE_SCORE, act.score)),
        since_s=min(act.since_s for act in acts),
        box=a.last.box.union(b.last.box),
        people=(by, to),
    )


SPEC = AnalyserSpec(
    id=Behaviour.AGGRESSION,
    settings=AggressionSettings,
    factory=AggressionAnalyser,
    family="violence",
    rank=50,
    severity=Severity(2, many=5, grave_reasons=frozenset({"swing", "kick_of_fallen"})),
    needs=frozenset({Need.TRACKS, Need.POSE}),
    words=shipped("aggression"),
    by_default=True,
    budgeted=True,
    violent=True,
)
