"""What two people do to each other: distances, strikes, shoves, chases, mutual violence.

All measures are relative to the body: lengths in statures (the body height in the picture, H), speeds in
statures per second (H/s), so that they mean the same near the camera and far from it. For a stature of 1.75
m, 1 H/s is 1.75 m/s. Pure functions of trails; nothing is known of a person but where the body was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import hypot, sqrt
from statistics import median

from tynysh.behaviour.trails import CONFIDENT, PACE_S, Glimpse, Trail, speed
from tynysh.geometry import Box, Point
from tynysh.perception.person import Joint

NEAR = 0.35
FAR = 1.0
"""Gap between two people, in H, up to which they fully count as together, and from which not at all."""

WINDOW_S = 2.0
"""Seconds over which acts add up to mutual violence."""

FAST = 1.1
"""Speed in H/s above which a limb may strike, and above which people run."""


class Act(StrEnum):
    """What one person does to another."""

    BLOW = "blow"
    KICK = "kick"
    SHOVE = "shove"
    CHASE = "chase"


@dataclass(frozen=True, slots=True)
class Strike:
    """One act at one instant: its certainty in [0, 1], and its speed in H/s."""

    act: Act
    time_s: float
    score: float
    speed: float


@dataclass(frozen=True, slots=True)
class _Limb:
    """act: what it strikes with. tip, middle, other: its end, the joint before, and the end of the other side."""

    act: Act
    tip: Joint
    middle: Joint
    other: Joint


_LIMBS = (
    _Limb(Act.BLOW, Joint.LEFT_WRIST, Joint.LEFT_ELBOW, Joint.RIGHT_WRIST),
    _Limb(Act.BLOW, Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW, Joint.LEFT_WRIST),
    _Limb(Act.KICK, Joint.LEFT_ANKLE, Joint.LEFT_KNEE, Joint.RIGHT_ANKLE),
    _Limb(Act.KICK, Joint.RIGHT_ANKLE, Joint.RIGHT_KNEE, Joint.LEFT_ANKLE),
)
"""In the order of `Limbs.speed`."""


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, linear between; falling where `high` is below `low`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def either(scores: Iterable[float]) -> float:
    """The score of "one of these at least", taking them as independent: 1 - (1 - a)(1 - b)…"""
    missing = 1.0
    for score in scores:
        missing *= 1.0 - score
    return 1.0 - missing


def gap(a: Glimpse, b: Glimpse, height: float) -> float:
    """How far apart two people are, in `height` (H, pixels).

    The horizontal gap between the boxes, and the difference in where they touch the ground: upwards in the
    picture is away from the camera, so what exceeds 0.15 H there counts twice (a camera that looks down by 30
    degrees shows one metre in depth as half a metre). This tells people who meet from people who only cover
    each other.
    """
    across = max(0.0, max(a.box.left, b.box.left) - min(a.box.right, b.box.right))
    along = max(0.0, abs(a.box.bottom - b.box.bottom) - 0.15 * height)
    return hypot(across, 2.0 * along) / height


def strikes(a: Trail, b: Trail, since_s: float) -> list[Strike]:
    """Blows and kicks of `a` against `b` from `since_s` on: one candidate per step between glimpses and limb.

    A wrist (ankle) strikes to the degree that, relative to the own torso, it moves toward the other's torso by more
    than 1.1 H/s, ends in front of the own torso by 0.15 H (fully by 0.25) and within 0.4 H of the other's body
    (fully within 0.15), drags the elbow (knee) along, and is seen with confidence. It counts fully from 2.4 H/s, or
    from 0.36 H in one step (but 1.6 H/s) where steps are longer than a thrust. A kicking foot must also be off the
    ground.

    A boxer's fist arrives at 9 m/s, 5 H/s (Walilko, Viano & Bir, British Journal of Sports Medicine 39,
    2005); at five to ten pictures a second a third to a half of that is seen. Handshakes and embraces stay
    below 1 H/s.
    """
    height = (a.stature + b.stature) / 2
    limbs = a.limbs
    found: list[Strike] = []
    steps, tips = (limbs.speed > FAST * height).nonzero()
    for step, tip in zip(steps.tolist(), tips.tolist(), strict=True):
        before, now = a[int(limbs.before[step])], a[int(limbs.now[step])]
        if now.time_s < since_s or (target := b.nearest(now.time_s)) is None:
            continue
        strike = _strike(_LIMBS[tip], before, now, target, height)
        if strike is not None:
            found.append(strike)
    return found


def _strike(limb: _Limb, before: Glimpse, now: Glimpse, target: Glimpse, height: float) -> Strike | None:
    """What one limb does to `target` from `before` to `now`; None if nothing."""
    if now.torso is None or before.torso is None or now.keypoints is None or before.keypoints is None:
        return None
    step_s = now.time_s - before.time_s
    body = target.core if limb.act is Act.BLOW else target.body
    aim = _direction(now.torso, body.centre)

    def toward(joint: Joint) -> float:
        """Movement of a joint relative to the torso, toward the target, H/s."""
        here, there = now.joint(joint), before.joint(joint)
        if here is None or there is None or now.torso is None or before.torso is None:
            return 0.0
        moved = (
            here[0] - now.torso[0] - there[0] + before.torso[0],
            here[1] - now.torso[1] - there[1] + before.torso[1],
        )
        return _along(moved, aim) / step_s / height

    tip = now.joint(limb.tip)
    thrust = toward(limb.tip)
    if tip is None or thrust <= FAST:
        return None
    reached = (tip[0] - now.torso[0], tip[1] - now.torso[1])
    if hypot(*reached) > 0.8 * height:
        return None
    confidence = float(min(now.keypoints[limb.tip, 2], before.keypoints[limb.tip, 2]))
    score = (
        ramp(thrust, FAST, min(2.4, max(1.6, 0.36 / step_s)))
        * ramp(_outside(tip, body) / height, 0.4, 0.15)
        * ramp(confidence, CONFIDENT - 0.05, CONFIDENT + 0.15)
        * ramp(_along(reached, aim) / height, 0.15, 0.25)
        * (1.0 if toward(limb.middle) >= 0.2 * thrust else 0.4)
    )
    if limb.act is Act.KICK:
        standing = now.joint(limb.other)
        raised = 0.0 if standing is None else (standing[1] - tip[1]) / height
        score *= ramp(raised, 0.05, 0.2)
    return Strike(limb.act, now.time_s, score, thrust) if score > 0.0 else None


def struggle(trail: Trail, since_s: float) -> float:
    """How fast the arms move relative to the own torso, in H/s: median over the steps of the faster wrist.

    0 where pose is not known well enough.
    """
    limbs = trail.limbs
    speeds = [
        max(wrists)
        for now, wrists in zip(limbs.now, limbs.speed[:, :2].tolist(), strict=True)
        if trail[int(now)].time_s >= since_s
    ]
    return float(median(speeds)) / trail.stature if len(speeds) >= 3 else 0.0


def shove(a: Trail, b: Trail, since_s: float) -> Strike | None:
    """A shove of `b` by `a`, from `since_s` on: hands at the other's body, who then is driven away from them.

    The change of b's velocity along the line from a to b, from the 0.5 s before the touch to the 0.5 s after
    it, counts from 0.7 H/s (fully from 1.6), as far as `a` does not go along (then they just walk on
    together).
    """
    height = (a.stature + b.stature) / 2
    best: Strike | None = None
    for glimpse in a:
        at_s = glimpse.time_s
        if at_s < since_s or (other := b.nearest(at_s)) is None or not _hands_on(glimpse, other, height):
            continue
        before, after = b.velocity(at_s - 0.5, at_s), b.velocity(at_s, at_s + 0.5)
        if before is None or after is None:
            continue
        away = _direction(glimpse.box.centre, other.box.centre)
        driven = _along(after, away)
        gained = min(driven, driven - _along(before, away)) / height
        if gained <= 0.7 or (own := a.velocity(at_s, at_s + 0.5)) is None:
            continue
        gained = min(gained, 1.5 * (driven - _along(own, away)) / height)
        score = ramp(gained, 0.7, 1.6)
        if score > 0.0 and (best is None or score > best.score):
            best = Strike(Act.SHOVE, at_s, score, gained)
    return best


def chase(a: Trail, b: Trail, others: Iterable[Trail] = ()) -> Strike | None:
    """`a` runs after `b`: both faster than 1.1 H/s (fully from 1.8) over the last 1.2 s, b ahead of a in the
    direction in which a runs (0.15 to 4 H ahead, hardly beside), both in nearly the same direction.

    Half as certain if neither was seen going slower before (two joggers), and 0.4 times if two or more
    `others` run the same way (people running for a bus, a crowd that runs).
    """
    chaser, fleeing = a.pace, b.pace
    if chaser is None or fleeing is None or abs(a.last.time_s - b.last.time_s) > 0.5:
        return None
    pace = min(speed(chaser) / a.stature, speed(fleeing) / b.stature)
    heading = _direction((0.0, 0.0), chaser)
    if pace <= FAST or _along(fleeing, heading) < 0.8 * speed(fleeing):
        return None
    height = (a.stature + b.stature) / 2
    here, there = a.last.box.centre, b.last.box.centre
    apart = (there[0] - here[0], there[1] - here[1])
    ahead = _along(apart, heading) / height
    beside = abs(apart[0] * heading[1] - apart[1] * heading[0]) / height
    if not 0.15 <= ahead <= 4.0 or beside > 0.3 + 0.3 * ahead:
        return None
    score = ramp(pace, FAST, 1.8)
    if not (_was_slower(a) or _was_slower(b)):
        score *= 0.5
    if sum(_runs_along(other, heading) for other in others) >= 2:
        score *= 0.4
    return Strike(Act.CHASE, a.last.time_s, score, pace)


def mutual_violence(a: Trail, b: Trail) -> float:
    """How much two people fight each other, in [0, 1], over their last `WINDOW_S` seconds.

    Each one's strikes against the other add up to A and B (`either`). Mutual violence is 0.75 √(A B) + 0.25
    max(A, B): one-sided blows are aggression rather than a fight and stay low. Where bodies entangle, strikes
    drown: both arms' median speeds (`struggle`) of 1.2 to 2.5 H/s within touch count up to 0.7. Both are
        scaled
    by closeness: 1 within `NEAR`, 0 from `FAR`. Without pose it is 0.
    """
    since_s = max(a.last.time_s, b.last.time_s) - WINDOW_S
    height = (a.stature + b.stature) / 2
    apart = gap(a.last, b.last, height)
    closeness = ramp(apart, FAR, NEAR)
    if closeness == 0.0:
        return 0.0
    by_a, by_b = (
        either(strike.score for strike in found) for found in (strikes(a, b, since_s), strikes(b, a, since_s))
    )
    blows = 0.75 * sqrt(by_a * by_b) + 0.25 * max(by_a, by_b)
    grapple = 0.0
    if apart < 0.1:
        grapple = 0.7 * ramp(min(struggle(a, since_s), struggle(b, since_s)), 1.2, 2.5)
    return closeness * max(blows, grapple)


@dataclass(frozen=True, slots=True)
class Encounter:
    """Two people near each other: track ids, the box around both (pixels), gap (H) and mutual violence."""

    ids: tuple[int, int]
    box: Box
    gap: float
    violence: float


def encounters(trails: Mapping[int, Trail]) -> list[Encounter]:
    """Every pair within `FAR` of each other, the most violent first; `trails` by track id."""
    found: list[Encounter] = []
    for (one, a), (other, b) in combinations(sorted(trails.items()), 2):
        apart = gap(a.last, b.last, (a.stature + b.stature) / 2)
        if apart < FAR:
            found.append(Encounter((one, other), a.last.box.union(b.last.box), apart, mutual_violence(a, b)))
    return sorted(found, key=lambda encounter: (-encounter.violence, encounter.gap, encounter.ids))


def _was_slower(trail: Trail) -> bool:
    """Whether somebody who runs now walked or stood before, within the trail."""
    now_s = trail.last.time_s
    past = trail.velocity(now_s - 4.0, now_s - PACE_S - 0.6)
    return past is not None and speed(past) < 0.7 * trail.stature


def _runs_along(trail: Trail, heading: Point) -> bool:
    """Whether a bystander runs in the direction `heading` (unit vector)."""
    own = trail.pace
    return own is not None and speed(own) > trail.stature and _along(own, heading) > 0.8 * speed(own)


def _hands_on(a: Glimpse, b: Glimpse, height: float) -> bool:
    """Whether a hand of `a` is within 0.15 H of b's head or torso."""
    hands: Sequence[Point | None] = (a.joint(Joint.LEFT_WRIST), a.joint(Joint.RIGHT_WRIST))
    return any(hand is not None and _outside(hand, b.core) <= 0.15 * height for hand in hands)


def _direction(start: Point, end: Point) -> Point:
    """The unit vector from `start` to `end`; (0, 0) where they are one."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = hypot(x, y)
    return (x / length, y / length) if length > 0.0 else (0.0, 0.0)


def _along(vector: Point, direction: Point) -> float:
    return vector[0] * direction[0] + vector[1] * direction[1]


def _outside(point: Point, box: Box) -> float:
    """Distance of a point from a box, 0 inside."""
    return hypot(
        max(box.left - point[0], 0.0, point[0] - box.right),
        max(box.top - point[1], 0.0, point[1] - box.bottom),
    )
