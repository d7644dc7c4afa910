"""Does somebody strike, kick, shove or chase somebody else?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from tynysh.behaviour.interaction import Strike, chase, either, gap, shove, strikes
from tynysh.behaviour.places import foot, watched
from tynysh.behaviour.scene import Feed, Scene
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.trails import Trail, Trails
from tynysh.geometry import Box

ACTS_S = 1.2
"""Seconds for which a blow, a kick or a shove counts."""

STRUCK_REACH = 1.5
CHASE_REACH = 4.0
"""Gaps, in H, within which acts are looked for."""


class AggressionSettings(AnalyserSettings):
    """Settings of `aggression`."""

    min_duration_s: MinDuration = 0.2
    cooldown_s: Cooldown = 20.0


@dataclass(frozen=True, slots=True)
class _Case:
    """What one person did to another."""

    score: float
    strongest: Strike
    box: Box


class AggressionAnalyser:
    """Scores observable acts of one person against another: blows, kicks, shoves, chases. Never a face or a
    mood.

    The acts of a pair within 1.2 s add up as 1 - Π(1 - s), s the score of each (`interaction.strikes`,
    `shove`, `chase`); the signal is that of the worst pair. All from where bodies and limbs move relative to
    body size and to the other person. Blows and kicks need pose; shoves need the hands; chases need boxes
    alone.
    """

    behaviour = Behaviour.AGGRESSION
    wants_pose = True

    def __init__(self, settings: AggressionSettings) -> None:
        self._settings = settings
        self._trails = Trails()
        self._last: Signal | None = None

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal for the picture; while the detector rests, what it last was."""
        if scene.feed is Feed.LOST:
            self._last = None
            return ()
        self._trails.observe(scene)
        if scene.detected or self._last is None:
            self._last = self._score(scene, self._trails.now(scene, within_s=0.5))
        return (replace(self._last, time_s=scene.time_s),)

    def _score(self, scene: Scene, trails: Mapping[int, Trail]) -> Signal:
        names = self._settings.zones
        if names:
            zones = watched(scene, names)
            trails = {
                track_id: trail
                for track_id, trail in trails.items()
                if any(zone.contains(foot(scene, trail.last.box)) for zone in zones)
            }
        cases = [
            case
            for (one, a), (other, b) in permutations(trails.items(), 2)
            if (case := _case(a, b, (trails[key] for key in trails.keys() - {one, other}))) is not None
        ]
        worst = max(cases, key=lambda case: case.score, default=None)
        if worst is None:
            return Signal(self.behaviour, scene.time_s, 0.0)
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=worst.score,
            box=scene.normalised_box(worst.box),
            people=2,
            reason=Reason(f"aggression.{worst.strongest.act}", {"speed": round(worst.strongest.speed, 1)}),
        )


def _case(a: Trail, b: Trail, others: Iterable[Trail]) -> _Case | None:
    """What `a` does to `b`."""
    height = (a.stature + b.stature) / 2
    apart = gap(a.last, b.last, height)
    if apart > CHASE_REACH:
        return None
    acts: list[Strike] = []
    if (chased := chase(a, b, others)) is not None:
        acts.append(chased)
    # The one who was struck may be out of reach already.
    if apart <= STRUCK_REACH:
        since_s = max(a.last.time_s, b.last.time_s) - ACTS_S
        acts += strikes(a, b, since_s)
        if (shoved := shove(a, b, since_s)) is not None:
            acts.append(shoved)
    if not acts:
        return None
    return _Case(
        score=either(act.score for act in acts),
        strongest=max(acts, key=lambda act: act.score),
        box=a.last.box.union(b.last.box),
    )
