"""Who fights whom: mutual violence of those near each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import median

from tynysh.behaviour.acts import FAR, NEAR
from tynysh.behaviour.limbs import strikes
from tynysh.behaviour.scores import either, ramp
from tynysh.geometry import Box
from tynysh.scene.nearness import gap, pairs_within
from tynysh.scene.trajectory import Trajectory

WINDOW_S = 2.0
"""Seconds over which acts add up to mutual violence."""

MUTUAL, ONE_SIDED = 0.75, 0.25
"""Weights of blows that go both ways and of the one who strikes more."""

TOUCHING, GRAPPLE, GRAPPLE_SPEED = 0.1, 0.7, (1.2, 2.5)
"""H between bodies that entangle, the most that they score, and the speed of their arms, H/s, from which they score and
score most. Chosen on the clips of docs/models/aggression.md."""

FEWEST_STEPS = 3
"""Steps of the arms that tell their median speed."""


def mutual_violence(a: Trajectory, b: Trajectory) -> float:
    """How much two people fight each other, in [0, 1], over their last `WINDOW_S` seconds.

    Each one's strikes against the other add up to A and B (`either`). Mutual violence is 0.75 √(A B) + 0.25
    max(A, B): one-sided blows are aggression rather than a fight and stay low. Where bodies entangle, strikes
    drown: both arms' median speeds (`struggle`) of 1.2 to 2.5 H/s within touch count up to 0.7. Both are scaled
    by closeness: 1 within `NEAR`, 0 from `FAR`. Without pose it is 0.
    """
    since_s = max(a.last.time_s, b.last.time_s) - WINDOW_S
    height = (a.body_height + b.body_height) / 2
    apart = gap(a.last, b.last, height)
    closeness = ramp(apart, FAR, NEAR)
    if closeness == 0.0:
        return 0.0
    by_a, by_b = (
        either(act.score for act in found) for found in (strikes(a, b, since_s), strikes(b, a, since_s))
    )
    blows = MUTUAL * sqrt(by_a * by_b) + ONE_SIDED * max(by_a, by_b)
    grapple = 0.0
    if apart < TOUCHING:
        grapple = GRAPPLE * ramp(min(struggle(a, since_s), struggle(b, since_s)), *GRAPPLE_SPEED)
    return closeness * max(blows, grapple)


def struggle(trajectory: Trajectory, since_s: float) -> float:
    """How fast the arms move relative to the own torso, in H/s: median over the steps of the faster wrist.

    0 where pose is not known well enough.
    """
    speeds = [max(step.speeds[:2]) for step in trajectory.limbs if step.now.time_s >= since_s]
    return float(median(speeds)) / trajectory.body_height if len(speeds) >= FEWEST_STEPS else 0.0


@dataclass(frozen=True, slots=True)
class Encounter:
    """Two people near each other: track ids, the box around both (pixels), gap (H) and mutual violence."""

    ids: tuple[int, int]
    box: Box
    gap: float
    violence: float


def encounters(trajectories: Mapping[int, Trajectory]) -> list[Encounter]:
    """Every pair within `FAR` of each other, the most violent first; `trajectories` by track id."""
    found: list[Encounter] = []
    for one, other in pairs_within(trajectories, FAR):
        a, b = trajectories[one], trajectories[other]
        apart = gap(a.last, b.last, (a.body_height + b.body_height) / 2)
        found.append(Encounter((one, other), a.last.box.union(b.last.box), apart, mutual_violence(a, b)))
    return sorted(found, key=lambda encounter: (-encounter.violence, encounter.gap, encounter.ids))
