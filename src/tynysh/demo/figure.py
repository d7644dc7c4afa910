"""Where the joints of a drawn figure are while it walks, strikes, falls or lies."""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import cos, pi, sin

import numpy as np

from tynysh.geometry import Floats
from tynysh.scene.person import Joint

_THIGH, _SHANK, _TORSO, _NECK, _UPPER_ARM, _FOREARM, _FOOT = 0.245, 0.245, 0.30, 0.09, 0.16, 0.16, 0.09
_HALF_SHOULDERS, _HALF_HIPS = 0.045, 0.03


class BodyAction(StrEnum):
    """What a figure does."""

    STAND = "stand"
    WALK = "walk"
    RUN = "run"
    STRIKE = "strike"
    KICK = "kick"
    FALL = "fall"
    LIE = "lie"
    RISE = "rise"


@dataclass(frozen=True, slots=True)
class BodyPose:
    """Angles in radians from hanging straight down, forwards positive; `lean` of the torso from upright.

    Arms are (upper arm, forearm), legs (thigh, shank), left and right. fallen: 0 upright to 1 flat on the
    back.
    """

    lean: float = 0.0
    left_arm: tuple[float, float] = (0.08, 0.2)
    right_arm: tuple[float, float] = (-0.05, 0.1)
    left_leg: tuple[float, float] = (0.08, 0.0)
    right_leg: tuple[float, float] = (-0.08, -0.1)
    fallen: float = 0.0


_GUARD = (0.35, 2.3)
_DRAWN_BACK = (-0.9, 0.5)
_EXTENDED = (1.6, 1.8)


def pose(action: BodyAction, time_s: float, travelled: float) -> BodyPose:
    """The pose `time_s` seconds into an action, having travelled so many body heights in it."""
    match action:
        case BodyAction.WALK | BodyAction.RUN:
            return _stride(travelled, running=action is BodyAction.RUN)
        case BodyAction.STRIKE:
            return _strike(time_s)
        case BodyAction.KICK:
            return _kick(time_s)
        case BodyAction.FALL:
            return _falling(min(1.0, time_s / 0.6))
        case BodyAction.LIE:
            return _falling(1.0)
        case BodyAction.RISE:
            return _falling(max(0.0, 1.0 - time_s / 1.5))
        case BodyAction.STAND:
            sway = 0.02 * sin(2 * pi * time_s / 3.7)
            return BodyPose(lean=sway, left_arm=(0.08 + sway, 0.2), right_arm=(-0.05 - sway, 0.1))


def joints(stance: BodyPose) -> Floats:
    """The skeleton of a pose, its lowest point on the ground."""
    at = np.zeros((26, 2))
    hips = np.array([0.0, 0.0])
    neck = hips + _TORSO * np.array([sin(stance.lean), cos(stance.lean)])
    nape = np.array([sin(stance.lean), cos(stance.lean)])
    at[Joint.HIP], at[Joint.NECK] = hips, neck
    at[Joint.HEAD] = neck + 2 * _NECK * nape
    at[Joint.NOSE] = neck + _NECK * nape + np.array([0.05, 0.0])
    at[Joint.LEFT_EYE] = at[Joint.RIGHT_EYE] = neck + 1.2 * _NECK * nape + np.array([0.035, 0.0])
    at[Joint.LEFT_EAR] = at[Joint.RIGHT_EAR] = neck + 1.1 * _NECK * nape
    sides = (
        (1, stance.left_arm, stance.left_leg, _LEFT),
        (-1, stance.right_arm, stance.right_leg, _RIGHT),
    )
    for side, arm, leg, names in sides:
        shoulder = neck - 0.03 * nape + np.array([side * _HALF_SHOULDERS, 0.0])
        elbow = shoulder + _UPPER_ARM * _down(arm[0])
        hip = hips + np.array([side * _HALF_HIPS, 0.0])
        knee = hip + _THIGH * _down(leg[0])
        ankle = knee + _SHANK * _down(leg[1])
        toe = ankle + _FOOT * _down(leg[1] + pi / 2) + np.array([0.0, -0.02])
        wrist = elbow + _FOREARM * _down(arm[1])
        heel = ankle + np.array([-0.02, -0.02])
        for joint, place in zip(
            names, (shoulder, elbow, wrist, hip, knee, ankle, toe, toe, heel), strict=True
        ):
            at[joint] = place
    if stance.fallen:
        turn = stance.fallen * pi / 2
        at = at @ np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]])
    at[:, 1] -= at[:, 1].min()
    return at


_LEFT = (
    Joint.LEFT_SHOULDER,
    Joint.LEFT_ELBOW,
    Joint.LEFT_WRIST,
    Joint.LEFT_HIP,
    Joint.LEFT_KNEE,
    Joint.LEFT_ANKLE,
    Joint.LEFT_BIG_TOE,
    Joint.LEFT_SMALL_TOE,
    Joint.LEFT_HEEL,
)
_RIGHT = (
    Joint.RIGHT_SHOULDER,
    Joint.RIGHT_ELBOW,
    Joint.RIGHT_WRIST,
    Joint.RIGHT_HIP,
    Joint.RIGHT_KNEE,
    Joint.RIGHT_ANKLE,
    Joint.RIGHT_BIG_TOE,
    Joint.RIGHT_SMALL_TOE,
    Joint.RIGHT_HEEL,
)


def _down(angle: float) -> Floats:
    return np.array([sin(angle), -cos(angle)])


def _stride(travelled: float, *, running: bool) -> BodyPose:
    """Two steps to 0.8 body heights, or to 1.3 when running."""
    phase = 2 * pi * travelled / (1.3 if running else 0.8)
    reach, bend = (0.75, 1.1) if running else (0.42, 0.45)
    left, right = reach * sin(phase), -reach * sin(phase)
    arms = 0.7 * reach
    elbow = 1.3 if running else 0.25
    return BodyPose(
        lean=0.18 if running else 0.04,
        left_arm=(-arms * sin(phase), -arms * sin(phase) + elbow),
        right_arm=(arms * sin(phase), arms * sin(phase) + elbow),
        left_leg=(left, left - bend * max(0.0, cos(phase))),
        right_leg=(right, right - bend * max(0.0, -cos(phase))),
    )


def _strike(time_s: float) -> BodyPose:
    """Wide swings, left and right in turn, one each 0.7 s: drawn back, thrust out within 0.1 s, and back."""
    swing, share = divmod(time_s, 0.7)
    beat = share / 0.7
    if beat < 0.2:
        arm = _between(_GUARD, _DRAWN_BACK, beat / 0.2)
    elif beat < 0.45:
        arm = _DRAWN_BACK
    elif beat < 0.6:
        arm = _between(_DRAWN_BACK, _EXTENDED, (beat - 0.45) / 0.15)
    elif beat < 0.85:
        arm = _EXTENDED
    else:
        arm = _between(_EXTENDED, _GUARD, (beat - 0.85) / 0.15)
    stance = BodyPose(
        lean=0.12, left_arm=_GUARD, right_arm=_GUARD, left_leg=(0.3, 0.05), right_leg=(-0.3, -0.4)
    )
    return replace(stance, left_arm=arm) if int(swing) % 2 else replace(stance, right_arm=arm)


def _kick(time_s: float) -> BodyPose:
    """One kick in 0.8 s."""
    beat = min(1.0, time_s / 0.8)
    if beat < 0.3:
        leg = _between((-0.1, -0.1), (-0.4, -1.2), beat / 0.3)
    elif beat < 0.5:
        leg = _between((-0.4, -1.2), (1.2, 1.3), (beat - 0.3) / 0.2)
    elif beat < 0.65:
        leg = (1.2, 1.3)
    else:
        leg = _between((1.2, 1.3), (-0.1, -0.1), (beat - 0.65) / 0.35)
    return BodyPose(lean=-0.12, left_arm=_GUARD, right_arm=(-0.5, 0.2), right_leg=leg, left_leg=(0.0, 0.0))


def _falling(fallen: float) -> BodyPose:
    bend = 0.5 * sin(pi * fallen)
    return BodyPose(
        left_arm=(0.08 + 0.3 * fallen, 0.3 + 0.1 * fallen),
        right_arm=(-0.05 - 0.4 * fallen, 0.1 - 0.2 * fallen),
        left_leg=(0.08 + bend + 0.3 * fallen, -bend - 0.1 * fallen),
        right_leg=(-0.08 + bend, -0.1 - bend),
        fallen=fallen,
    )


def _between(begin: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    return (begin[0] + (end[0] - begin[0]) * share, begin[1] + (end[1] - begin[1]) * share)
