"""What two people do to each other: distances, strikes, shoves, chases, mutual violence.

All measures are relative to the body: lengths in statures (the body height in the picture, H), speeds in
statures per second (H/s), so that they mean the same near the camera and far from it. For a stature of 1.75
m, 1 H/s is 1.75 m/s. Pure functions of trails; nothing is known of a person but where the body was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray

from tynysh.behaviour.trails import Glimpse, Trail
from tynysh.geometry import Box, Point
from tynysh.perception.person import Joint

Floats = NDArray[np.float64]

CONFIDENT = 0.3
"""Keypoints below this confidence are not used."""

NEAR = 0.35
FAR = 1.0
"""Gap between two people, in H, up to which they fully count as together, and from which not at all."""

SHORTEST_STEP_S = 0.02
LONGEST_STEP_S = 0.45
"""A limb's speed is read from glimpses no closer and no further apart: a blow lasts 0.2 to 0.5 s."""

WINDOW_S = 1.5
"""Seconds over which acts add up to mutual violence."""

_TORSO = [Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.LEFT_HIP, Joint.RIGHT_HIP]
_ARMS = (
    (Joint.LEFT_WRIST, Joint.LEFT_ELBOW, Joint.RIGHT_WRIST),
    (Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW, Joint.LEFT_WRIST),
)
_LEGS = (
    (Joint.LEFT_ANKLE, Joint.LEFT_KNEE, Joint.RIGHT_ANKLE),
    (Joint.RIGHT_ANKLE, Joint.RIGHT_KNEE, Joint.LEFT_ANKLE),
)
"""(tip, the joint before it, the other side's tip)"""
_CORE = [Joint.NOSE, Joint.HEAD, Joint.NECK, *_TORSO]


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


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, linear between; falling where `high` is below `low`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def either(scores: Sequence[float]) -> float:
    """The score of "one of these at least", taking them as independent: 1 - (1 - a)(1 - b)…"""
    missing = 1.0
    for score in scores:
        missing *= 1.0 - score
    return 1.0 - missing


def recent(trail: Trail, since_s: float) -> Trail:
    """The glimpses from `since_s` on."""
    return tuple(glimpse for glimpse in trail if glimpse.time_s >= since_s)


def stature(trail: Trail) -> float:
    """The body's length in the picture, H, in pixels: upper quartile of the boxes' longer sides over the
    trail.

    The longer side, so that somebody who falls keeps their stature; a quartile, so that a raised arm or a box
    that two people share does not count. There must be a glimpse.
    """
    return max(1.0, float(np.quantile([max(g.box.width, g.box.height) for g in trail], 0.75)))


def gap(a: Glimpse, b: Glimpse, height: float) -> float:
    """How far apart two people are, in `height` (H, pixels).

    The horizontal gap between the boxes, and the difference in where they touch the ground: upwards in the
    picture is away from the camera, so a difference of more than 0.15 H there counts twice (a camera that
    looks down by 30 degrees shows one metre in depth as half a metre). This tells people who meet from people
    who only cover each other.
    """
    across = max(0.0, max(a.box.left, b.box.left) - min(a.box.right, b.box.right))
    along = max(0.0, abs(a.box.bottom - b.box.bottom) - 0.15 * height)
    return hypot(across, 2.0 * along) / height


def velocity(trail: Trail, start_s: float, end_s: float) -> Point | None:
    """Mean velocity (x, y), pixels per second, over the glimpses from `start_s` to `end_s`, by least squares.

    Of the middle of the torso where pose is known throughout, else of the box. None with fewer than three
    glimpses or over less than 0.15 s.
    """
    glimpses = [glimpse for glimpse in trail if start_s <= glimpse.time_s <= end_s]
    if len(glimpses) < 3 or glimpses[-1].time_s - glimpses[0].time_s < 0.15:
        return None
    times = np.array([glimpse.time_s for glimpse in glimpses])
    torsos = [_torso(glimpse) for glimpse in glimpses]
    if all(torso is not None for torso in torsos):
        places = np.array(torsos, dtype=np.float64)
    else:
        places = np.array([glimpse.box.centre for glimpse in glimpses], dtype=np.float64)
    times = times - times.mean()
    slope = times @ (places - places.mean(axis=0)) / (times @ times)
    return float(slope[0]), float(slope[1])


def strikes(a: Trail, b: Trail) -> list[Strike]:
    """Blows and kicks of `a` against `b`, one candidate per step between glimpses, scores above 0 only.

    A wrist (ankle) strikes to the degree that, relative to the own torso, it moves toward the other's torso
    by more than 1.1 H/s (fully from 2.4), ends within 0.4 H of the other's body (fully within 0.15), drags
    the elbow (knee) along, and is seen with confidence. A kicking foot must also be off the ground and in
    front of the hip. A step in which left and right merely changed names is none.

    A boxer's fist arrives at 9 m/s, 5 H/s (Walilko, Viano & Bir, British Journal of Sports Medicine 39,
    2005); at five to ten pictures a second a third to a half of that is seen. Handshakes and embraces stay
    below 1 H/s.
    """
    steps = _steps(a, b)
    if not steps:
        return []
    height = (stature(a) + stature(b)) / 2
    time_s = np.array([now.time_s for _, now, _ in steps])
    step_s = time_s - np.array([before.time_s for before, _, _ in steps])
    before, now = _keypoints([step[0] for step in steps]), _keypoints([step[1] for step in steps])
    core = np.array([_core_box(other) for _, _, other in steps], dtype=np.float64)
    body = np.array([_inset(other.box) for _, _, other in steps], dtype=np.float64)

    torso_before, sure_before = _middle(before[:, _TORSO])
    torso_now, sure_now = _middle(now[:, _TORSO])
    sure = sure_before & sure_now
    found: list[Strike] = []
    for act, limbs, target in ((Act.BLOW, _ARMS, core), (Act.KICK, _LEGS, body)):
        aim = _unit(np.stack([target[:, ::2].mean(axis=1), target[:, 1::2].mean(axis=1)], axis=1) - torso_now)
        for tip, mid, opposite in limbs:
            reached = now[:, tip, :2] - torso_now
            moved = reached - (before[:, tip, :2] - torso_before)
            swapped = np.linalg.norm(reached - (before[:, opposite, :2] - torso_before), axis=1)
            toward = np.sum(moved * aim, axis=1) / step_s / height
            dragged = np.sum(
                ((now[:, mid, :2] - torso_now) - (before[:, mid, :2] - torso_before)) * aim, axis=1
            )
            dragged = dragged / step_s / height
            confidence = np.minimum(before[:, tip, 2], now[:, tip, 2])
            mid_sure = np.minimum(before[:, mid, 2], now[:, mid, 2]) >= CONFIDENT
            follows = mid_sure & (dragged >= 0.2 * toward)
            score = (
                _ramp(toward, 1.1, 2.4)
                * _ramp(_outside(now[:, tip, :2], target) / height, 0.4, 0.15)
                * _ramp(confidence, CONFIDENT - 0.1, CONFIDENT + 0.2)
                * np.where(follows, 1.0, 0.4)
            )
            score = np.where(sure & (np.linalg.norm(reached, axis=1) <= 0.8 * height), score, 0.0)
            score = np.where(swapped < 0.5 * np.linalg.norm(moved, axis=1), 0.0, score)
            if act is Act.KICK:
                raised = (now[:, opposite, 1] - now[:, tip, 1]) / height
                ahead = np.sum(reached * aim, axis=1) / height
                score = score * _ramp(raised, 0.05, 0.2) * (ahead >= 0.15)
            found += [
                Strike(act, float(at), float(value), float(speed))
                for at, value, speed in zip(time_s, score, toward, strict=True)
                if value > 0.0
            ]
    return found


def struggle(trail: Trail) -> float:
    """How fast the arms move relative to the own torso, in H/s: median over the steps of the faster wrist.

    0 where pose is not known well enough.
    """
    height = stature(trail)
    speeds: list[float] = []
    for before, now in pairwise(trail):
        step_s = now.time_s - before.time_s
        torso_before, torso_now = _torso(before), _torso(now)
        if not SHORTEST_STEP_S <= step_s <= LONGEST_STEP_S or torso_before is None or torso_now is None:
            continue
        fastest = 0.0
        for wrist, other in ((Joint.LEFT_WRIST, Joint.RIGHT_WRIST), (Joint.RIGHT_WRIST, Joint.LEFT_WRIST)):
            place, same, opposite = _joint(now, wrist), _joint(before, wrist), _joint(before, other)
            if place is None or same is None:
                continue
            moved = _moved(place, torso_now, same, torso_before)
            if opposite is not None:
                moved = min(moved, _moved(place, torso_now, opposite, torso_before))
            fastest = max(fastest, moved / step_s / height)
        speeds.append(fastest)
    return float(np.median(speeds)) if len(speeds) >= 3 else 0.0


def shove(a: Trail, b: Trail) -> Strike | None:
    """A shove of `b` by `a`: hands at the other's body, who then is driven away from them.

    The change of b's velocity along the line from a to b, from the 0.5 s before the touch to the 0.5 s after
    it, counts from 0.7 H/s (fully from 1.6), as far as `a` does not go along (then they just walk on
    together).
    """
    height = (stature(a) + stature(b)) / 2
    best: Strike | None = None
    for glimpse in a:
        other = _nearest(b, glimpse.time_s)
        if other is None or not _hands_on(glimpse, other, height):
            continue
        at_s = glimpse.time_s
        before, after = velocity(b, at_s - 0.5, at_s), velocity(b, at_s, at_s + 0.5)
        own = velocity(a, at_s, at_s + 0.5)
        if before is None or after is None or own is None:
            continue
        away_x, away_y = (
            other.box.centre[0] - glimpse.box.centre[0],
            other.box.centre[1] - glimpse.box.centre[1],
        )
        length = max(1e-6, hypot(away_x, away_y))
        away = (away_x / length, away_y / length)
        gained = _along(after, away) - max(0.0, _along(before, away))
        ahead = _along(after, away) - _along(own, away)
        speed = min(gained, _along(after, away), ahead * 1.5) / height
        score = ramp(speed, 0.7, 1.6)
        if score > 0.0 and (best is None or score > best.score):
            best = Strike(Act.SHOVE, at_s, score, speed)
    return best


def chase(a: Trail, b: Trail, others: Sequence[Trail] = ()) -> Strike | None:
    """`a` runs after `b`: both faster than 1.1 H/s (fully from 1.8) over the last 1.2 s, b ahead of a in the
    direction in which a runs (0.15 to 4 H ahead, hardly beside), both in nearly the same direction.

    Half as certain if neither was seen going slower before (two joggers), and 0.4 times if two or more
    `others` run the same way (people running for a bus, a crowd that runs).
    """
    now_s = min(a[-1].time_s, b[-1].time_s)
    chaser, fleeing = velocity(a, now_s - 1.2, now_s), velocity(b, now_s - 1.2, now_s)
    if chaser is None or fleeing is None or recent(a, now_s - 1.2)[0].time_s > now_s - 0.9:
        return None
    height_a, height_b = stature(a), stature(b)
    speed_a, speed_b = hypot(*chaser), hypot(*fleeing)
    speed = min(speed_a / height_a, speed_b / height_b)
    if speed <= 1.1 or _along(chaser, fleeing) < 0.8 * speed_a * speed_b:
        return None
    heading = (chaser[0] / speed_a, chaser[1] / speed_a)
    apart = (b[-1].box.centre[0] - a[-1].box.centre[0], b[-1].box.centre[1] - a[-1].box.centre[1])
    height = (height_a + height_b) / 2
    ahead = _along(apart, heading) / height
    beside = abs(apart[0] * heading[1] - apart[1] * heading[0]) / height
    if not 0.15 <= ahead <= 4.0 or beside > 0.3 + 0.3 * ahead:
        return None
    score = ramp(speed, 1.1, 1.8)
    earlier = [velocity(trail, now_s - 4.0, now_s - 1.8) for trail in (a, b)]
    heights = (height_a, height_b)
    if not any(
        past is not None and hypot(*past) < 0.7 * tall for past, tall in zip(earlier, heights, strict=True)
    ):
        score *= 0.5
    if sum(_runs_along(other, heading, now_s) for other in others) >= 2:
        score *= 0.4
    return Strike(Act.CHASE, now_s, score, speed)


def mutual_violence(a: Trail, b: Trail) -> float:
    """How much two people fight each other, in [0, 1], over their last `WINDOW_S` seconds.

    Each one's strikes against the other add up to A and B (`either`). Mutual violence is 0.75 √(A B) + 0.25
    max(A, B): one-sided blows are aggression rather than a fight and stay low. Where bodies entangle, strikes
    drown: both arms' median speeds (`struggle`) of 1.2 to 2.5 H/s within touch count up to 0.7. Both are
        scaled
    by closeness: 1 within `NEAR`, 0 from `FAR`. Without pose it is 0.
    """
    now_s = min(a[-1].time_s, b[-1].time_s)
    a, b = recent(a, now_s - WINDOW_S), recent(b, now_s - WINDOW_S)
    if not a or not b:
        return 0.0
    height = (stature(a) + stature(b)) / 2
    closeness = ramp(
        min(gap(one, other, height) for one, other in zip(a[-5:], b[-5:], strict=False)), FAR, NEAR
    )
    if closeness == 0.0:
        return 0.0
    by_a, by_b = (either([strike.score for strike in found]) for found in (strikes(a, b), strikes(b, a)))
    blows = 0.75 * sqrt(by_a * by_b) + 0.25 * max(by_a, by_b)
    grapple = 0.7 * ramp(min(struggle(a), struggle(b)), 1.2, 2.5) if gap(a[-1], b[-1], height) < 0.1 else 0.0
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
        height = (stature(a) + stature(b)) / 2
        apart = gap(a[-1], b[-1], height)
        if apart < FAR:
            found.append(Encounter((one, other), a[-1].box.union(b[-1].box), apart, mutual_violence(a, b)))
    return sorted(found, key=lambda encounter: (-encounter.violence, encounter.gap, encounter.ids))


def _steps(a: Trail, b: Trail) -> list[tuple[Glimpse, Glimpse, Glimpse]]:
    """(before, now, the other now) for each usable step of `a` with pose at both ends."""
    posed = [glimpse for glimpse in a if glimpse.keypoints is not None]
    steps = []
    for before, now in pairwise(posed):
        other = _nearest(b, now.time_s)
        if SHORTEST_STEP_S <= now.time_s - before.time_s <= LONGEST_STEP_S and other is not None:
            steps.append((before, now, other))
    return steps


def _nearest(trail: Trail, time_s: float) -> Glimpse | None:
    """The glimpse nearest in time, if within 0.3 s."""
    nearest = min(trail, key=lambda glimpse: abs(glimpse.time_s - time_s), default=None)
    return nearest if nearest is not None and abs(nearest.time_s - time_s) <= 0.3 else None


def _joint(glimpse: Glimpse, joint: Joint) -> Point | None:
    if glimpse.keypoints is None or glimpse.keypoints[joint, 2] < CONFIDENT:
        return None
    return float(glimpse.keypoints[joint, 0]), float(glimpse.keypoints[joint, 1])


def _torso(glimpse: Glimpse) -> Point | None:
    """Middle of shoulders and hips; None unless three of the four are known."""
    known = [place for joint in _TORSO if (place := _joint(glimpse, joint)) is not None]
    if len(known) < 3:
        return None
    return sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known)


def _core_box(glimpse: Glimpse) -> Box:
    """Head and torso: from keypoints where three are known, else the upper middle of the box."""
    known = [place for joint in _CORE if (place := _joint(glimpse, joint)) is not None]
    if len(known) >= 3:
        xs, ys = zip(*known, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))
    box = _inset(glimpse.box)
    return box if box.width > box.height else box._replace(bottom=box.top + 0.6 * box.height)


def _inset(box: Box) -> Box:
    """A box without the outer 15 % to the left and right, where there is mostly background."""
    return box._replace(left=box.left + 0.15 * box.width, right=box.right - 0.15 * box.width)


def _hands_on(a: Glimpse, b: Glimpse, height: float) -> bool:
    target = np.array([_core_box(b)], dtype=np.float64)
    hands = [
        place for wrist in (Joint.LEFT_WRIST, Joint.RIGHT_WRIST) if (place := _joint(a, wrist)) is not None
    ]
    return any(float(_outside(np.array([hand]), target)[0]) <= 0.15 * height for hand in hands)


def _runs_along(trail: Trail, heading: Point, now_s: float) -> bool:
    """Whether a bystander runs in the direction `heading` (unit vector)."""
    own = velocity(trail, now_s - 1.2, now_s)
    return own is not None and hypot(*own) > 1.0 * stature(trail) and _along(own, heading) > 0.8 * hypot(*own)


def _moved(place: Point, torso: Point, place_before: Point, torso_before: Point) -> float:
    return hypot(
        (place[0] - torso[0]) - (place_before[0] - torso_before[0]),
        (place[1] - torso[1]) - (place_before[1] - torso_before[1]),
    )


def _along(vector: Point, direction: Point) -> float:
    return vector[0] * direction[0] + vector[1] * direction[1]


def _keypoints(glimpses: Sequence[Glimpse]) -> Floats:
    """Of those that have them, as (N, 26, 3)."""
    return np.array(
        [glimpse.keypoints for glimpse in glimpses if glimpse.keypoints is not None], dtype=np.float64
    )


def _middle(keypoints: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean of the confident ones of (N, K, 3) as (N, 2), and whether at least three were."""
    weight = (keypoints[:, :, 2] >= CONFIDENT).astype(np.float64)
    count = weight.sum(axis=1)
    middle = (keypoints[:, :, :2] * weight[:, :, None]).sum(axis=1) / np.maximum(count, 1.0)[:, None]
    return middle, count >= 3


def _unit(vectors: Floats) -> Floats:
    """Each of (N, 2) at length 1."""
    lengths: Floats = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors / lengths


def _outside(points: Floats, boxes: Floats) -> Floats:
    """Distance of each of (N, 2) from its box of (N, 4), 0 inside."""
    across = np.maximum(np.maximum(boxes[:, 0] - points[:, 0], points[:, 0] - boxes[:, 2]), 0.0)
    along = np.maximum(np.maximum(boxes[:, 1] - points[:, 1], points[:, 1] - boxes[:, 3]), 0.0)
    return np.hypot(across, along)


def _ramp(values: Floats, low: float, high: float) -> Floats:
    """`ramp` of each."""
    return np.clip((values - low) / (high - low), 0.0, 1.0)
