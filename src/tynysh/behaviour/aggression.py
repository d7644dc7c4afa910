"""Does somebody strike, kick, shove, drag, charge or chase somebody else?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from tynysh.behaviour.acts import NEAR, Act, ActKind, together
from tynysh.behaviour.bodies import charge, chase, drag, one_body, scuffle
from tynysh.behaviour.limbs import shove, strikes, swing
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.geometry import Box
from tynysh.scene.nearness import gap_between, pairs_within
from tynysh.scene.need import Need
from tynysh.scene.places import foot, watched
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.trajectory import Trajectory

ACTS_S = 1.2
"""Seconds for which a blow, a kick or a shove counts."""

STRUCK_REACH = 1.5
CHASE_REACH = 4.0
"""Gaps, in H, within which acts are looked for."""

SEEN_S = 0.5
"""Who was not seen for longer does nothing to anybody."""

SUPPORT, SUPPORT_S = 0.4, 3.0
"""What people do to each other counts where a look of the fight network was no calmer than the first, in so many last
seconds: rules alone take a walk past somebody for a charge.
"""

GRAVE = frozenset({ActKind.SWING, ActKind.KICK_OF_FALLEN})
GRAVE_SCORE = 0.5
GRAVE_S = 5.0
"""A grave act of this score gives the reason rather than the strongest, and does so for seconds after, while anything
goes on: what was once told is not taken back (`incidents.fusion` weighs it).
"""


class AggressionSettings(AnalyserSettings):
    """Settings of `aggression`."""

    min_duration_s: MinDuration = 0.2
    cooldown_s: Cooldown = 20.0
    pictures: Annotated[
        bool,
        Field(
            title="Pictures",
            description="Whether the network that looks at the pictures must see that there may be violence; if not, "
            "people's movements alone decide, and err more often.",
        ),
    ] = True


@dataclass(frozen=True, slots=True)
class _Attack:
    """What one person did to another. strongest: the act to name. people: track ids."""

    score: float
    strongest: Act
    since_s: float
    box: Box
    people: tuple[int, int]


class AggressionAnalyser:
    """Scores observable acts of one person against another: blows, kicks, swings, shoves, scuffles, drags, charges and
    chases. Never a face or a mood.

    The acts of a pair within 1.2 s (`behaviour.limbs`, `behaviour.bodies`) add up as 1 - Π(1 - s), s the score of each,
    but a single step of a limb that may be guessed does not count by itself (`acts.together`); the signal is that of
    the worst pair, and its people are all of whom a pair scores at least half as high. All from where bodies and limbs
    move relative to body size and to the other person. Blows, kicks and swings need pose, shoves the hands; the rest
    needs boxes alone.

    Geometry alone raises nothing: where no look of the network that looks at the pictures (`Scene.clip`) says that
    there may be violence, the score is 0, unless the settings do without pictures.

    Where the light changes at once all over the picture, or the picture itself, what was seen before does not count.
    """

    behaviour = Behaviour.AGGRESSION

    def __init__(self, settings: AggressionSettings) -> None:
        self._settings = settings
        self._light_s = float("-inf")
        self._supported_s = float("-inf")
        self._last: Signal | None = None
        self._grave: Act | None = None
        self._grave_s = float("-inf")

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal for the picture; while the detector rests, what it last was."""
        if scene.feed is Feed.LOST:
            self._last = None
            return ()
        if scene.motion.light or scene.time_s < self._light_s:
            self._light_s = scene.time_s
        if scene.clip is not None and scene.clip.probability >= SUPPORT:
            self._supported_s = scene.time_s
        if scene.detected or self._last is None:
            self._last = self._score(scene, self._trajectories(scene))
        if self._settings.pictures and not 0.0 <= scene.time_s - self._supported_s <= SUPPORT_S:
            return (Signal(self.behaviour, scene.time_s, 0.0),)
        return (replace(self._last, time_s=scene.time_s),)

    def _trajectories(self, scene: Scene) -> dict[int, Trajectory]:
        """Of those seen lately, without what was before the light changed."""
        trajectories = scene.lately(SEEN_S)
        for track_id, trajectory in list(trajectories.items()):
            if trajectory[0].time_s < self._light_s:
                del trajectories[track_id]
                if since := trajectory.since(self._light_s):
                    trajectories[track_id] = Trajectory(since)
        return trajectories

    def _score(self, scene: Scene, trajectories: Mapping[int, Trajectory]) -> Signal:
        names = self._settings.zones
        if names:
            zones = watched(scene, names)
            trajectories = {
                track_id: trajectory
                for track_id, trajectory in trajectories.items()
                if any(zone.contains(foot(scene, trajectory.last.box)) for zone in zones)
            }
        runners = [track_id for track_id, trajectory in trajectories.items() if trajectory.runs]
        chasing = pairs_within({track_id: trajectories[track_id] for track_id in runners}, CHASE_REACH)
        acts = _struck(trajectories)
        for by, to in _both_ways(chasing):
            others = (trajectories[one] for one in runners if one not in {by, to})
            if (chased := chase(trajectories[by], trajectories[to], others)) is not None:
                acts[by, to] = [chased, *acts.get((by, to), ())]
        attacks = [_attack(trajectories, pair, acts[pair]) for pair in sorted(acts)]
        worst = max(attacks, key=lambda attack: attack.score, default=None)
        if worst is None:
            return Signal(self.behaviour, scene.time_s, 0.0)
        act = self._reported_act(worst, scene.time_s)
        people = {one for attack in attacks if attack.score >= 0.5 * worst.score for one in attack.people}
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=worst.score,
            box=scene.normalised_box(worst.box),
            people=len(people),
            reason=Reason(
                f"aggression.{act.kind}", {"people": len(people), "speed": round(float(act.speed), 1)}
            ),
            since_s=worst.since_s,
        )

    def _reported_act(self, worst: _Attack, time_s: float) -> Act:
        """The act to name: the strongest, unless a grave one was seen and it goes on."""
        if worst.strongest.kind in GRAVE and worst.strongest.score >= GRAVE_SCORE:
            self._grave = worst.strongest
        elif self._grave is None or not 0.0 <= time_s - self._grave_s <= GRAVE_S:
            self._grave = None
            return worst.strongest
        self._grave_s = time_s
        return self._grave


def _both_ways(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for one, other in pairs:
        yield one, other
        yield other, one


def _struck(trajectories: Mapping[int, Trajectory]) -> dict[tuple[int, int], list[Act]]:
    """What those near each other do to each other, by who does it to whom."""
    found: dict[tuple[int, int], list[Act]] = {}
    # The one who was struck may be out of reach already.
    for one, other in pairs_within(trajectories, STRUCK_REACH):
        apart = gap_between(trajectories[one], trajectories[other])
        for by, to in _both_ways([(one, other)]):
            a, b = trajectories[by], trajectories[to]
            since_s = max(a.last.time_s, b.last.time_s) - ACTS_S
            acts: list[Act | None] = [*strikes(a, b, since_s), swing(a, b, since_s), shove(a, b, since_s)]
            if apart <= NEAR:
                acts += [scuffle(a, b), drag(a, b), charge(a, b)]
            done = [act for act in acts if act is not None]
            if done and not one_body(a, b, since_s):
                found[by, to] = done
    return found


def _attack(trajectories: Mapping[int, Trajectory], pair: tuple[int, int], acts: Sequence[Act]) -> _Attack:
    """What one of a pair does to the other."""
    a, b = (trajectories[one] for one in pair)
    return _Attack(
        score=together(acts),
        strongest=max(acts, key=lambda act: (act.kind in GRAVE and act.score >= GRAVE_SCORE, act.score)),
        since_s=min(act.since_s for act in acts),
        box=a.last.box.union(b.last.box),
        people=pair,
    )


def _needs(settings: AggressionSettings) -> frozenset[Need]:
    """Pose, and what the network says unless the site does without."""
    return frozenset({Need.POSE, Need.CLIP_SCORES} if settings.pictures else {Need.POSE})


SPEC = AnalyserSpec(
    id=Behaviour.AGGRESSION,
    settings=AggressionSettings,
    factory=AggressionAnalyser,
    family="violence",
    rank=50,
    severity=Severity(2, many=5, grave_reasons=frozenset({"swing", "kick_of_fallen"})),
    needs=_needs,
    words=shipped("aggression"),
    by_default=True,
    budgeted=True,
    violent=True,
)
