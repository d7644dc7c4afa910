"""What two people do to each other: distances, strikes, shoves, scuffles, charges, chases, mutual violence.

All measures are relative to the body: lengths in body_heights (the body height in the picture, H), speeds in
body_heights per second (H/s), so that they mean the same near the camera and far from it. For a body_height of 1.75
m, 1 H/s is 1.75 m/s. Pure functions of trajectories; nothing is known of a person but where the body was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import atan2, degrees, hypot, sqrt
from statistics import median, pstdev

from tynysh.geometry import Box, Point
from tynysh.scene.nearness import gap, pairs_within
from tynysh.scene.person import Joint
from tynysh.scene.trajectory import (
    CONFIDENT,
    LONGEST_STEP_S,
    PACE_S,
    SHORTEST_STEP_S,
    Observation,
    Trajectory,
    recent,
    speed,
)

NEAR = 0.35
FAR = 1.0
"""Gap between two people, in H, up to which they fully count as together, and from which not at all."""

WINDOW_S = 2.0
"""Seconds over which acts add up to mutual violence."""

FAST = 1.1
"""Speed in H/s above which a limb may strike, and above which people run."""

HEAD = 0.2
"""Part of an upright body, from the top, that counts as the head."""

LONE = 0.5
"""Greatest score of one step alone of a joint that may be guessed."""

SCUFFLE_S = 1.3
CHARGE_S = 0.9
"""Seconds over which a scuffle and a charge are read."""

SMALLEST_PX = 48.0
"""Bodies lower than this, in pixels, show no jerks that boxes would not show by themselves."""


class Act(StrEnum):
    """What one person does to another."""

    BLOW = "blow"
    BLOW_TO_HEAD = "blow_to_head"
    SWING = "swing"
    KICK = "kick"
    KICK_OF_FALLEN = "kick_of_fallen"
    SHOVE = "shove"
    SCUFFLE = "scuffle"
    DRAG = "drag"
    CHARGE = "charge"
    CHASE = "chase"


@dataclass(frozen=True, slots=True)
class Strike:
    """One act: the instant at which it is seen, its certainty in [0, 1], its speed in H/s, and since when it goes on
    (the instant itself for a blow).

    sure: how surely the joints were seen that it rests on, where it rests on one step of theirs.
    """

    act: Act
    time_s: float
    score: float
    speed: float
    since_s: float
    sure: float = 1.0


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

_ARMS = ((Joint.LEFT_SHOULDER, Joint.LEFT_WRIST), (Joint.RIGHT_SHOULDER, Joint.RIGHT_WRIST))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, linear between; falling where `high` is below `low`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def either(scores: Iterable[float]) -> float:
    """The score of "one of these at least", taking them as independent: 1 - (1 - a)(1 - b)…"""
    missing = 1.0
    for score in scores:
        missing *= 1.0 - score
    return 1.0 - missing


def strikes(a: Trajectory, b: Trajectory, since_s: float) -> list[Strike]:
    """Blows and kicks of `a` against `b` from `since_s` on: one candidate per step between observations and limb.

    A wrist (ankle) strikes to the degree that, relative to the own torso, it moves toward the other's torso by more
    than 1.1 H/s, ends in front of the own torso by 0.15 H (fully by 0.25) and within 0.4 H of the other's body
    (fully within 0.15), drags the elbow (knee) along, and is seen with confidence (0.15 to 0.3). It counts fully
    from 2.4 H/s, or from 0.36 H in one step (but 1.6 H/s) where steps are longer than a thrust. A kicking foot must
    also be off the ground.

    A blow that ends in the uppermost fifth of somebody upright is one to the head. A kick at somebody who is low
    (wider than high) needs no such height.

    A boxer's fist arrives at 9 m/s, 5 H/s (Walilko, Viano & Bir, British Journal of Sports Medicine 39,
    2005); at five to ten pictures a second a third to a half of that is seen. Handshakes and embraces stay
    below 1 H/s.
    """
    height = (a.body_height + b.body_height) / 2
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


def _strike(
    limb: _Limb, before: Observation, now: Observation, target: Observation, height: float
) -> Strike | None:
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
        * ramp(confidence, CONFIDENT - 0.05, CONFIDENT + 0.1)
        * ramp(_along(reached, aim) / height, 0.15, 0.25)
        * (1.0 if toward(limb.middle) >= 0.2 * thrust else 0.4)
    )
    act = limb.act
    low = target.box.width > target.box.height
    if act is Act.KICK:
        standing = now.joint(limb.other)
        raised = 0.0 if standing is None else (standing[1] - tip[1]) / height
        score *= ramp(raised, -0.05, 0.05) if low else ramp(raised, 0.05, 0.2)
        act = Act.KICK_OF_FALLEN if low else act
    elif not low and tip[1] <= target.body.top + HEAD * target.body.height:
        act = Act.BLOW_TO_HEAD
    return Strike(act, now.time_s, score, thrust, now.time_s, _sure(confidence)) if score > 0.0 else None


def swing(a: Trajectory, b: Trajectory, since_s: float) -> Strike | None:
    """A wide, fast sweep of `a`'s outstretched arm that ends pointing at `b`, who is beyond the arm's reach.

    What the hand may hold is not seen. It counts from 60 degrees about the shoulder within one step (fully from
    100), at 1.6 H/s (fully from 2.6) relative to the torso, the wrist 0.22 H or more from the shoulder before and
    after, b's body 0.1 to 0.8 H from the wrist and within 40 degrees of where the arm points. Arms of people who
    walk sweep at 0.8 H/s.
    """
    height = (a.body_height + b.body_height) / 2
    best: Strike | None = None
    for before, now in pairwise(recent(a, since_s - LONGEST_STEP_S)):
        if now.time_s < since_s or not SHORTEST_STEP_S <= now.time_s - before.time_s <= LONGEST_STEP_S:
            continue
        if now.keypoints is None or before.keypoints is None:
            continue
        target = b.nearest(now.time_s)
        if target is None:
            continue
        for shoulder, wrist in _ARMS:
            swept = _sweep(before, now, shoulder, wrist, target, height)
            if swept is not None and (best is None or swept.score > best.score):
                best = swept
    return best


def _sweep(
    before: Observation, now: Observation, shoulder: Joint, wrist: Joint, target: Observation, height: float
) -> Strike | None:
    """How one arm sweeps toward `target` from `before` to `now`; None if it does not."""
    places = [observation.joint(joint) for observation in (before, now) for joint in (shoulder, wrist)]
    if any(place is None for place in places):
        return None
    from_shoulder, from_wrist, to_shoulder, to_wrist = (place for place in places if place is not None)
    drawn = (from_wrist[0] - from_shoulder[0], from_wrist[1] - from_shoulder[1])
    thrown = (to_wrist[0] - to_shoulder[0], to_wrist[1] - to_shoulder[1])
    apart = _outside(to_wrist, target.body) / height
    if min(hypot(*drawn), hypot(*thrown)) < 0.22 * height or not 0.1 <= apart <= 0.8:
        return None
    pace = hypot(thrown[0] - drawn[0], thrown[1] - drawn[1]) / height / (now.time_s - before.time_s)
    aim = _angle(thrown, _direction(to_shoulder, target.body.centre))
    score = ramp(_angle(drawn, thrown), 60.0, 100.0) * ramp(pace, 1.6, 2.6) * ramp(aim, 40.0, 25.0)
    seen = min(
        float(observation.keypoints[wrist, 2])
        for observation in (before, now)
        if observation.keypoints is not None
    )
    return Strike(Act.SWING, now.time_s, score, pace, now.time_s, _sure(seen)) if score > 0.0 else None


def _sure(confidence: float) -> float:
    """How far one step of a joint seen with `confidence` is believed by itself: guessed joints leap."""
    return ramp(confidence, 0.35, 0.55)


def together(acts: Sequence[Strike]) -> float:
    """The score of acts that add up, `either` of them. A single step of a joint that is not surely seen, with nothing
    besides, leaves it below what counts: at most `LONE`.
    """
    score = either(act.score for act in acts)
    if len({act.time_s for act in acts}) > 1 or any(act.sure >= 1.0 for act in acts):
        return score
    return min(score, LONE + (1.0 - LONE) * max(act.sure for act in acts))


def struggle(trajectory: Trajectory, since_s: float) -> float:
    """How fast the arms move relative to the own torso, in H/s: median over the steps of the faster wrist.

    0 where pose is not known well enough.
    """
    limbs = trajectory.limbs
    speeds = [
        max(wrists)
        for now, wrists in zip(limbs.now, limbs.speed[:, :2].tolist(), strict=True)
        if trajectory[int(now)].time_s >= since_s
    ]
    return float(median(speeds)) / trajectory.body_height if len(speeds) >= 3 else 0.0


def shove(a: Trajectory, b: Trajectory, since_s: float) -> Strike | None:
    """A shove of `b` by `a`, from `since_s` on: hands at the other's body, who then is driven away from them.

    The change of b's velocity along the line from a to b, from the 0.5 s before the touch to the 0.5 s after
    it, counts from 0.7 H/s (fully from 1.6), as far as `a` does not go along (then they just walk on
    together).
    """
    height = (a.body_height + b.body_height) / 2
    best: Strike | None = None
    for observation in a:
        at_s = observation.time_s
        if at_s < since_s or (other := b.nearest(at_s)) is None or not _hands_on(observation, other, height):
            continue
        before, after = b.velocity(at_s - 0.5, at_s), b.velocity(at_s, at_s + 0.5)
        if before is None or after is None:
            continue
        away = _direction(observation.box.centre, other.box.centre)
        driven = _along(after, away)
        gained = min(driven, driven - _along(before, away)) / height
        if gained <= 0.7 or (own := a.velocity(at_s, at_s + 0.5)) is None:
            continue
        gained = min(gained, 1.5 * (driven - _along(own, away)) / height)
        score = ramp(gained, 0.7, 1.6)
        if score > 0.0 and (best is None or score > best.score):
            best = Strike(Act.SHOVE, at_s, score, gained, at_s)
    return best


def scuffle(a: Trajectory, b: Trajectory) -> Strike | None:
    """Two people in touch whose bodies are jerked about: they pull, push and grapple, though no limb can be told.

    Over the last `SCUFFLE_S` seconds, both are within `NEAR` of each other throughout, and each one's upper body
    changes its velocity across the picture from look to look by 0.08 H/s or more (median; fully from 0.24), while
    neither gets anywhere (0.45 H/s at most, fully below 0.2), as people do who walk past each other, and both boxes
    keep their height (standard deviation up to 0.08 H, not at all from 0.15), as they do not where one is hidden by
    the other or by the picture's edge. Bodies lower than 48 pixels are left out, where a box's own jitter is as large.
    """
    height = (a.body_height + b.body_height) / 2
    if min(a.body_height, b.body_height) < SMALLEST_PX or max(a.body_height, b.body_height) > 1.6 * min(
        a.body_height, b.body_height
    ):
        return None
    if gap(a.last, b.last, height) > NEAR:
        return None
    now_s = min(a.last.time_s, b.last.time_s)
    since_s = now_s - SCUFFLE_S
    together = [(one, b.nearest(one.time_s)) for one in recent(a, since_s)]
    if any(other is None or gap(one, other, height) > NEAR for one, other in together):
        return None
    (own, own_drift), (other, other_drift) = a.unrest(since_s), b.unrest(since_s)
    if own is None or other is None:
        return None
    jerk, drift = min(own, other) / height, max(own_drift, other_drift) / height
    steady = min(_steadiness(a, since_s), _steadiness(b, since_s))
    score = ramp(jerk, 0.08, 0.24) * ramp(drift, 0.45, 0.2) * steady
    return Strike(Act.SCUFFLE, now_s, score, jerk, since_s) if score > 0.0 else None


def one_body(a: Trajectory, b: Trajectory, since_s: float) -> bool:
    """Whether two trajectories are likely of one person, whom the detector found twice: their boxes cover each other
    by half (IoU, median since `since_s`), and by a third now.
    """
    if a.last.box.iou(b.last.box) < 1 / 3:
        return False
    shared = [
        one.box.iou(other.box) for one in recent(a, since_s) if (other := b.nearest(one.time_s)) is not None
    ]
    return bool(shared) and median(shared) > 0.5


def drag(a: Trajectory, b: Trajectory) -> Strike | None:
    """`a` drags `b` along: b is low (wider than high, or half the own body height), in touch with a who is not, keeps
    that height, and both move the same way over the last 1.2 s, at 0.25 to 1.5 H/s (fully from 0.55 to 1.2).
    """
    height = (a.body_height + b.body_height) / 2
    now_s = min(a.last.time_s, b.last.time_s)
    if gap(a.last, b.last, height) > NEAR or not _is_low(b) or _is_low(a):
        return None
    own, dragged = a.pace, b.pace
    if own is None or dragged is None or _along(own, _direction((0.0, 0.0), dragged)) < 0.7 * speed(own):
        return None
    pace = min(speed(own), speed(dragged)) / height
    score = ramp(pace, 0.25, 0.55) * ramp(pace, 1.5, 1.2) * _steadiness(b, now_s - PACE_S)
    return Strike(Act.DRAG, now_s, score, pace, now_s - PACE_S) if score > 0.0 else None


def charge(a: Trajectory, b: Trajectory) -> Strike | None:
    """`a` charges at `b`: from 0.3 H away or more, straight into b's reach within the last 0.9 s, at 0.8 H/s or more
    (fully from 1.6), while b hardly moves along that line (twice what exceeds 0.2 H/s is taken off).
    """
    height = (a.body_height + b.body_height) / 2
    now_s = min(a.last.time_s, b.last.time_s)
    since_s = now_s - CHARGE_S
    came = recent(a, since_s)
    start = b.nearest(since_s)
    if not came or start is None or gap(a.last, b.last, height) > NEAR or gap(came[0], start, height) < 0.3:
        return None
    own, other = a.velocity(since_s, now_s), b.velocity(since_s, now_s)
    if own is None or other is None:
        return None
    aim = _direction(came[0].box.centre, start.box.centre)
    pace = (_along(own, aim) - 2.0 * max(0.0, abs(_along(other, aim)) - 0.2 * height)) / height
    aside = abs(own[0] * aim[1] - own[1] * aim[0]) / height
    score = ramp(pace, 0.8, 1.6) * ramp(aside, 0.6, 0.3)
    return Strike(Act.CHARGE, now_s, score, pace, since_s) if score > 0.0 else None


def chase(a: Trajectory, b: Trajectory, others: Iterable[Trajectory] = ()) -> Strike | None:
    """`a` runs after `b`: both faster than 1.1 H/s (fully from 1.8) over the last 1.2 s, b ahead of a in the
    direction in which a runs (0.15 to 4 H ahead, hardly beside), both in nearly the same direction.

    Half as certain if neither was seen going slower before (two joggers), and 0.4 times if two or more
    `others` run the same way (people running for a bus, a crowd that runs).
    """
    chaser, fleeing = a.pace, b.pace
    if chaser is None or fleeing is None or abs(a.last.time_s - b.last.time_s) > 0.5:
        return None
    pace = min(speed(chaser) / a.body_height, speed(fleeing) / b.body_height)
    heading = _direction((0.0, 0.0), chaser)
    if pace <= FAST or _along(fleeing, heading) < 0.8 * speed(fleeing):
        return None
    height = (a.body_height + b.body_height) / 2
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
    now_s = a.last.time_s
    return Strike(Act.CHASE, now_s, score, pace, now_s - PACE_S)


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


def encounters(trajectories: Mapping[int, Trajectory]) -> list[Encounter]:
    """Every pair within `FAR` of each other, the most violent first; `trajectories` by track id."""
    found: list[Encounter] = []
    for one, other in pairs_within(trajectories, FAR):
        a, b = trajectories[one], trajectories[other]
        apart = gap(a.last, b.last, (a.body_height + b.body_height) / 2)
        found.append(Encounter((one, other), a.last.box.union(b.last.box), apart, mutual_violence(a, b)))
    return sorted(found, key=lambda encounter: (-encounter.violence, encounter.gap, encounter.ids))


def _was_slower(trajectory: Trajectory) -> bool:
    """Whether somebody who runs now walked or stood before, within the trajectory."""
    now_s = trajectory.last.time_s
    past = trajectory.velocity(now_s - 4.0, now_s - PACE_S - 0.6)
    return past is not None and speed(past) < 0.7 * trajectory.body_height


def _runs_along(trajectory: Trajectory, heading: Point) -> bool:
    """Whether a bystander runs in the direction `heading` (unit vector)."""
    own = trajectory.pace
    return own is not None and speed(own) > trajectory.body_height and _along(own, heading) > 0.8 * speed(own)


def _hands_on(a: Observation, b: Observation, height: float) -> bool:
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


def _angle(one: Point, other: Point) -> float:
    """Degrees between two vectors; 0 where one has no length."""
    across = one[0] * other[1] - one[1] * other[0]
    return degrees(abs(atan2(across, _along(one, other))))


def _steadiness(trajectory: Trajectory, since_s: float) -> float:
    """How surely the box is of one and the same part of the body since `since_s`: 1 where its height's standard
    deviation is up to 0.08 H, 0 from 0.15.
    """
    return ramp(
        pstdev(one.box.height for one in recent(trajectory, since_s)) / trajectory.body_height, 0.15, 0.08
    )


def _is_low(trajectory: Trajectory) -> bool:
    """Whether somebody lies or is bent low: clearly wider than high, or half as high as usual."""
    box = trajectory.last.box
    return box.width > 1.2 * box.height or box.height < 0.5 * trajectory.body_height


def _outside(point: Point, box: Box) -> float:
    """Distance of a point from a box, 0 inside."""
    return hypot(
        max(box.left - point[0], 0.0, point[0] - box.right),
        max(box.top - point[1], 0.0, point[1] - box.bottom),
    )
