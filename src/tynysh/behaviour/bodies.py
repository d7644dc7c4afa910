"""What bodies do to each other: scuffles, drags, charges and chases; from boxes alone."""

from collections.abc import Iterable
from statistics import median

from tynysh.behaviour.acts import FAST, NEAR, Act, ActKind
from tynysh.behaviour.scores import ramp
from tynysh.geometry import Point
from tynysh.scene.nearness import gap
from tynysh.scene.trajectory import PACE_S, Trajectory, along, direction, speed

SCUFFLE_S = 1.3
CHARGE_S = 0.9
"""Seconds over which a scuffle and a charge are read."""

SMALLEST_PX = 48.0
"""Bodies lower than this, in pixels, show no jerks that boxes would not show by themselves."""

# Pairs are what does not count at all and what counts fully, chosen on the clips of docs/models/aggression.md.

UNLIKE = 1.6
"""Of two whose heights differ by this factor, one is far behind the other, or only partly seen."""

JERK, DRIFT, UNSTEADY = (0.08, 0.24), (0.45, 0.2), (0.15, 0.08)
"""Of a scuffle: change of velocity from look to look, H/s; how fast both get on, H/s; standard deviation of a box's
height, H."""

SAME_NOW, SAME_BEFORE = 1 / 3, 0.5
"""IoU, now and in the median, of two boxes of one person."""

SAME_WAY, DRAG_SPEED, NO_DRAG_SPEED = 0.7, (0.25, 0.55), (1.5, 1.2)
"""Part of somebody's speed that who is dragged goes the same way; H/s at which people drag, and are too fast for it."""

CHARGE_GAP, CHARGE_SPEED, CHARGE_ASIDE = 0.3, (0.8, 1.6), (0.6, 0.3)
"""H between the two before; H/s towards the other, and past them."""

STANDING, MEETS = 0.2, 2.0
"""Who moves along that line by more, H/s, has this multiple of the rest taken off."""

TOGETHER_S = 0.5
"""Two who were last seen further apart in time do not chase each other."""

CHASE_SPEED, AHEAD = (FAST, 1.8), (0.15, 4.0)
"""H/s of both; H from least to most by which the one who flees is ahead."""

BESIDE, BESIDE_AHEAD = 0.3, 0.3
"""H beside the way of who chases, and how much more of that for each H ahead."""

ONE_HEADING = 0.8
"""Part of somebody's speed in a direction in which they run along."""

JOGGERS, CROWD, IN_CROWD = 0.5, 2, 0.4
"""Factor for two who ran before; how many others run along in a crowd, and the factor for that."""

BEFORE_S, BETWEEN_S, SLOW = 4.0, 0.6, 0.7
"""Seconds back to where a pace before is read, and between that and the pace now; H/s that are slower than running."""

LYING, BENT = 1.2, 0.5
"""Width over height of somebody who lies, and part of the usual height of somebody bent low."""


def scuffle(a: Trajectory, b: Trajectory) -> Act | None:
    """Two people in touch whose bodies are jerked about: they pull, push and grapple, though no limb can be told.

    Over the last `SCUFFLE_S` seconds, both are within `NEAR` of each other throughout, and each one's upper body
    changes its velocity across the picture from look to look by 0.08 H/s or more (median; fully from 0.24), while
    neither gets anywhere (0.45 H/s at most, fully below 0.2), as people do who walk past each other, and both boxes
    keep their height (standard deviation up to 0.08 H, not at all from 0.15), as they do not where one is hidden by
    the other or by the picture's edge. Bodies lower than 48 pixels are left out, where a box's own jitter is as large.
    """
    height = (a.body_height + b.body_height) / 2
    if min(a.body_height, b.body_height) < SMALLEST_PX or max(a.body_height, b.body_height) > UNLIKE * min(
        a.body_height, b.body_height
    ):
        return None
    if gap(a.last, b.last, height) > NEAR:
        return None
    now_s = min(a.last.time_s, b.last.time_s)
    since_s = now_s - SCUFFLE_S
    (own, own_drift), (other, other_drift) = a.unrest(since_s), b.unrest(since_s)
    if own is None or other is None:
        return None
    jerk, drift = min(own, other) / height, max(own_drift, other_drift) / height
    score = ramp(jerk, *JERK) * ramp(drift, *DRIFT)
    if score == 0.0:
        return None
    met = [(one, b.nearest(one.time_s)) for one in a.since(since_s)]
    if any(near is None or gap(one, near, height) > NEAR for one, near in met):
        return None
    score *= min(_steadiness(a, since_s), _steadiness(b, since_s))
    return Act(ActKind.SCUFFLE, now_s, score, jerk, since_s) if score > 0.0 else None


def one_body(a: Trajectory, b: Trajectory, since_s: float) -> bool:
    """Whether two trajectories are likely of one person, whom the detector found twice: their boxes cover each other
    by half (IoU, median since `since_s`), and by a third now.
    """
    if a.last.box.iou(b.last.box) < SAME_NOW:
        return False
    shared = [
        one.box.iou(other.box) for one in a.since(since_s) if (other := b.nearest(one.time_s)) is not None
    ]
    return bool(shared) and median(shared) > SAME_BEFORE


def drag(a: Trajectory, b: Trajectory) -> Act | None:
    """`a` drags `b` along: b is low (wider than high, or half the own body height), in touch with a who is not, keeps
    that height, and both move the same way over the last 1.2 s, at 0.25 to 1.5 H/s (fully from 0.55 to 1.2).
    """
    height = (a.body_height + b.body_height) / 2
    now_s = min(a.last.time_s, b.last.time_s)
    if gap(a.last, b.last, height) > NEAR or not _is_low(b) or _is_low(a):
        return None
    own, dragged = a.pace, b.pace
    if own is None or dragged is None or along(own, direction((0.0, 0.0), dragged)) < SAME_WAY * speed(own):
        return None
    pace = min(speed(own), speed(dragged)) / height
    score = ramp(pace, *DRAG_SPEED) * ramp(pace, *NO_DRAG_SPEED) * _steadiness(b, now_s - PACE_S)
    return Act(ActKind.DRAG, now_s, score, pace, now_s - PACE_S) if score > 0.0 else None


def charge(a: Trajectory, b: Trajectory) -> Act | None:
    """`a` charges at `b`: from 0.3 H away or more, straight into b's reach within the last 0.9 s, at 0.8 H/s or more
    (fully from 1.6), while b hardly moves along that line (twice what exceeds 0.2 H/s is taken off).
    """
    height = (a.body_height + b.body_height) / 2
    now_s = min(a.last.time_s, b.last.time_s)
    since_s = now_s - CHARGE_S
    if gap(a.last, b.last, height) > NEAR:
        return None
    own, other = a.velocity(since_s, now_s), b.velocity(since_s, now_s)
    if own is None or other is None or speed(own) <= CHARGE_SPEED[0] * height:
        return None
    came, start = a.since(since_s), b.nearest(since_s)
    if start is None or gap(came[0], start, height) < CHARGE_GAP:
        return None
    aim = direction(came[0].box.centre, start.box.centre)
    pace = (along(own, aim) - MEETS * max(0.0, abs(along(other, aim)) - STANDING * height)) / height
    aside = abs(own[0] * aim[1] - own[1] * aim[0]) / height
    score = ramp(pace, *CHARGE_SPEED) * ramp(aside, *CHARGE_ASIDE)
    return Act(ActKind.CHARGE, now_s, score, pace, since_s) if score > 0.0 else None


def chase(a: Trajectory, b: Trajectory, others: Iterable[Trajectory] = ()) -> Act | None:
    """`a` runs after `b`: both faster than 1.1 H/s (fully from 1.8) over the last 1.2 s, b ahead of a in the
    direction in which a runs (0.15 to 4 H ahead, hardly beside), both in nearly the same direction.

    Half as certain if neither was seen going slower before (two joggers), and 0.4 times if two or more
    `others` run the same way (people running for a bus, a crowd that runs).
    """
    chaser, fleeing = a.pace, b.pace
    if chaser is None or fleeing is None or abs(a.last.time_s - b.last.time_s) > TOGETHER_S:
        return None
    pace = min(speed(chaser) / a.body_height, speed(fleeing) / b.body_height)
    heading = direction((0.0, 0.0), chaser)
    if pace <= FAST or along(fleeing, heading) < ONE_HEADING * speed(fleeing):
        return None
    height = (a.body_height + b.body_height) / 2
    here, there = a.last.box.centre, b.last.box.centre
    apart = (there[0] - here[0], there[1] - here[1])
    ahead = along(apart, heading) / height
    beside = abs(apart[0] * heading[1] - apart[1] * heading[0]) / height
    if not AHEAD[0] <= ahead <= AHEAD[1] or beside > BESIDE + BESIDE_AHEAD * ahead:
        return None
    score = ramp(pace, *CHASE_SPEED)
    if not (_was_slower(a) or _was_slower(b)):
        score *= JOGGERS
    if sum(_runs_along(other, heading) for other in others) >= CROWD:
        score *= IN_CROWD
    now_s = a.last.time_s
    return Act(ActKind.CHASE, now_s, score, pace, now_s - PACE_S)


def _was_slower(trajectory: Trajectory) -> bool:
    """Whether somebody who runs now walked or stood before, within the trajectory."""
    now_s = trajectory.last.time_s
    past = trajectory.velocity(now_s - BEFORE_S, now_s - PACE_S - BETWEEN_S)
    return past is not None and speed(past) < SLOW * trajectory.body_height


def _runs_along(trajectory: Trajectory, heading: Point) -> bool:
    """Whether a bystander runs in the direction `heading` (unit vector)."""
    own = trajectory.pace
    return own is not None and trajectory.runs and along(own, heading) > ONE_HEADING * speed(own)


def _steadiness(trajectory: Trajectory, since_s: float) -> float:
    """How surely the box is of one and the same part of the body since `since_s`: 1 where its height's standard
    deviation is up to 0.08 H, 0 from 0.15.
    """
    return ramp(trajectory.jitter(since_s) / trajectory.body_height, *UNSTEADY)


def _is_low(trajectory: Trajectory) -> bool:
    """Whether somebody lies or is bent low: clearly wider than high, or half as high as usual."""
    box = trajectory.last.box
    return box.width > LYING * box.height or box.height < BENT * trajectory.body_height
