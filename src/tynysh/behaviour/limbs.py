"""What hands and feet do to somebody: blows, kicks, swings and shoves."""

from dataclasses import dataclass
from math import hypot

from tynysh.behaviour.acts import FAST, Act, ActKind
from tynysh.behaviour.scores import ramp
from tynysh.geometry import Box, Point
from tynysh.scene.person import Joint
from tynysh.scene.trajectory import (
    CONFIDENT,
    DRIVEN_S,
    WIDE,
    Observation,
    Trajectory,
    WideTurn,
    along,
    angle,
    direction,
)

HEAD = 0.2
"""Part of an upright body, from the top, that counts as the head."""

ARM = 0.8
"""No joint is further from the middle of the torso than this, in H."""

FARTHEST = 0.4
"""A limb that ends further than this from a body, in H, strikes nobody."""

TOUCH = 0.15
"""A hand this close to a body, in H, is on it."""

# Pairs are what does not count at all and what counts fully, chosen on the clips of docs/models/aggression.md.

FULL_THRUST, LEAST_FULL_THRUST, FULL_REACH = 2.4, 1.6, 0.36
"""A strike counts fully from this speed, H/s, or where steps are longer than a thrust from this way in one step, H, but
not below the lesser speed."""

SEEN = CONFIDENT - 0.05, CONFIDENT + 0.1
"""Confidence of the tip of a limb that strikes."""

IN_FRONT = 0.15, 0.25
"""How far before the own torso a strike ends, H."""

FOLLOWS, ALONE = 0.2, 0.4
"""An elbow or knee that goes along goes at this part of the tip's speed; else the strike counts by that factor."""

RAISED, RAISED_AT_LOW = (0.05, 0.2), (-0.05, 0.05)
"""How far above the other a kicking foot is, H; and where it kicks somebody who is low."""

SWING_TURN, SWING_SPEED, SWING_AIM = (WIDE, 100.0), (1.6, 2.6), (40.0, 25.0)
"""Degrees about the shoulder, H/s, and degrees past the other, of an arm that is swung."""

SHORTEST_ARM, SWING_GAP = 0.22, (0.1, 0.8)
"""H from the shoulder to the wrist of an outstretched arm, and from the wrist to the other, from least to most."""

BELIEVED = 0.35, 0.55
"""Confidence at which one step of a joint is believed by itself."""

SHOVED, ON_ITS_OWN = (0.7, 1.6), 1.5
"""Change of velocity, H/s, of who is shoved; it is at most this multiple of what they gained on who shoves."""


@dataclass(frozen=True, slots=True)
class _Limb:
    """kind: what it strikes with. tip, middle, other: its end, the joint before, and the end of the other side."""

    kind: ActKind
    tip: Joint
    middle: Joint
    other: Joint


_LIMBS = (
    _Limb(ActKind.BLOW, Joint.LEFT_WRIST, Joint.LEFT_ELBOW, Joint.RIGHT_WRIST),
    _Limb(ActKind.BLOW, Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW, Joint.LEFT_WRIST),
    _Limb(ActKind.KICK, Joint.LEFT_ANKLE, Joint.LEFT_KNEE, Joint.RIGHT_ANKLE),
    _Limb(ActKind.KICK, Joint.RIGHT_ANKLE, Joint.RIGHT_KNEE, Joint.LEFT_ANKLE),
)
"""In the order of `trajectory.TIPS`."""


def strikes(a: Trajectory, b: Trajectory, since_s: float) -> list[Act]:
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
    fast = FAST * height
    found: list[Act] = []
    if a.fastest <= fast:
        return found
    for before, now, speeds, fastest in a.limbs:
        if now.time_s < since_s or fastest <= fast or (target := b.nearest(now.time_s)) is None:
            continue
        struck = [
            _strike(limb, before, now, target, height)
            for limb, speed in zip(_LIMBS, speeds, strict=True)
            if speed > fast
        ]
        found += [act for act in struck if act is not None]
    return found


def _strike(
    limb: _Limb, before: Observation, now: Observation, target: Observation, height: float
) -> Act | None:
    """What one limb does to `target` from `before` to `now`; None if nothing."""
    if now.torso is None or before.torso is None:
        return None
    step_s = now.time_s - before.time_s
    body = target.core if limb.kind is ActKind.BLOW else target.body
    tip = now.joint(limb.tip)
    if tip is None or (outside := _outside(tip, body) / height) >= FARTHEST:
        return None
    aim = direction(now.torso, body.centre)

    def toward(joint: Joint) -> float:
        """Movement of a joint relative to the torso, toward the target, H/s."""
        here, there = now.joint(joint), before.joint(joint)
        if here is None or there is None or now.torso is None or before.torso is None:
            return 0.0
        moved = (
            here[0] - now.torso[0] - there[0] + before.torso[0],
            here[1] - now.torso[1] - there[1] + before.torso[1],
        )
        return along(moved, aim) / step_s / height

    thrust = toward(limb.tip)
    if thrust <= FAST:
        return None
    reached = (tip[0] - now.torso[0], tip[1] - now.torso[1])
    if hypot(*reached) > ARM * height:
        return None
    confidence = min(now.confidence(limb.tip), before.confidence(limb.tip))
    score = (
        ramp(thrust, FAST, min(FULL_THRUST, max(LEAST_FULL_THRUST, FULL_REACH / step_s)))
        * ramp(outside, FARTHEST, TOUCH)
        * ramp(confidence, *SEEN)
        * ramp(along(reached, aim) / height, *IN_FRONT)
        * (1.0 if toward(limb.middle) >= FOLLOWS * thrust else ALONE)
    )
    kind = limb.kind
    low = target.box.width > target.box.height
    if kind is ActKind.KICK:
        standing = now.joint(limb.other)
        raised = 0.0 if standing is None else (standing[1] - tip[1]) / height
        score *= ramp(raised, *(RAISED_AT_LOW if low else RAISED))
        kind = ActKind.KICK_OF_FALLEN if low else kind
    elif not low and tip[1] <= target.body.top + HEAD * target.body.height:
        kind = ActKind.BLOW_TO_HEAD
    return Act(kind, now.time_s, score, thrust, now.time_s, _sure(confidence)) if score > 0.0 else None


def swing(a: Trajectory, b: Trajectory, since_s: float) -> Act | None:
    """A wide, fast sweep of `a`'s outstretched arm that ends pointing at `b`, who is beyond the arm's reach.

    What the hand may hold is not seen. It counts from 60 degrees about the shoulder within one step (fully from
    100), at 1.6 H/s (fully from 2.6) relative to the torso, the wrist 0.22 H or more from the shoulder before and
    after, b's body 0.1 to 0.8 H from the wrist and within 40 degrees of where the arm points. Arms of people who
    walk sweep at 0.8 H/s.
    """
    height = (a.body_height + b.body_height) / 2
    best: Act | None = None
    for turn in a.wide_turns:
        if turn.now.time_s < since_s or (target := b.nearest(turn.now.time_s)) is None:
            continue
        swept = _sweep(turn, target, height)
        if swept is not None and (best is None or swept.score > best.score):
            best = swept
    return best


def _sweep(turn: WideTurn, target: Observation, height: float) -> Act | None:
    """How one arm sweeps toward `target`; None if it does not."""
    apart = _outside(turn.arm.wrist, target.body) / height
    if turn.shortest < SHORTEST_ARM * height or not SWING_GAP[0] <= apart <= SWING_GAP[1]:
        return None
    pace = turn.length / height / turn.step_s
    aim = angle(turn.arm.way, direction(turn.arm.shoulder, target.body.centre))
    score = ramp(turn.degrees, *SWING_TURN) * ramp(pace, *SWING_SPEED) * ramp(aim, *SWING_AIM)
    at_s = turn.now.time_s
    return Act(ActKind.SWING, at_s, score, pace, at_s, _sure(turn.sure)) if score > 0.0 else None


def _sure(confidence: float) -> float:
    """How far one step of a joint seen with `confidence` is believed by itself: guessed joints leap."""
    return ramp(confidence, *BELIEVED)


def shove(a: Trajectory, b: Trajectory, since_s: float) -> Act | None:
    """A shove of `b` by `a`, from `since_s` on: hands at the other's body, who then is driven away from them.

    The change of b's velocity along the line from a to b, from the 0.5 s before the touch to the 0.5 s after
    it, counts from 0.7 H/s (fully from 1.6), as far as `a` does not go along (then they just walk on
    together).
    """
    height = (a.body_height + b.body_height) / 2
    best: Act | None = None
    if not a.posed:
        return None
    # The mean height is at least half of b's, so that who is steady was not driven by `SHOVED` by anybody.
    steady = b.steady
    for observation in a.since(since_s):
        at_s = observation.time_s
        if at_s in steady or not observation.hands or (other := b.nearest(at_s)) is None:
            continue
        if all(_outside(hand, other.core) > TOUCH * height for hand in observation.hands):
            continue
        before, after = b.velocity(at_s - DRIVEN_S, at_s), b.velocity(at_s, at_s + DRIVEN_S)
        if before is None or after is None:
            continue
        away = direction(observation.box.centre, other.box.centre)
        driven = along(after, away)
        gained = min(driven, driven - along(before, away)) / height
        if gained <= SHOVED[0] or (own := a.velocity(at_s, at_s + DRIVEN_S)) is None:
            continue
        gained = min(gained, ON_ITS_OWN * (driven - along(own, away)) / height)
        score = ramp(gained, *SHOVED)
        if score > 0.0 and (best is None or score > best.score):
            best = Act(ActKind.SHOVE, at_s, score, gained, at_s)
    return best


def _outside(point: Point, box: Box) -> float:
    """Distance of a point from a box, 0 inside."""
    return hypot(
        max(box.left - point[0], 0.0, point[0] - box.right),
        max(box.top - point[1], 0.0, point[1] - box.bottom),
    )
