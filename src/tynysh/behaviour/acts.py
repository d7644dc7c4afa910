"""An act of one person against another, and what acts come to together.

All measures are relative to the body: lengths in body heights (the body height in the picture, H), speeds in body
heights per second (H/s), so that they mean the same near the camera and far from it. For a body height of 1.75 m, 1 H/s
is 1.75 m/s. Pure functions of trajectories; nothing is known of a person but where the body was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tynysh.behaviour.scores import either

NEAR = 0.35
FAR = 1.0
"""Gap between two people, in H, up to which they fully count as together, and from which not at all."""

FAST = 1.1
"""Speed in H/s above which a limb may strike, and above which people run."""

LONE = 0.5
"""Greatest score of one step alone of a joint that may be guessed."""


class ActKind(StrEnum):
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
class Act:
    """One act: the instant at which it is seen, its certainty in [0, 1], its speed in H/s, and since when it goes on
    (the instant itself for a blow).

    sure: how surely the joints were seen that it rests on, where it rests on one step of theirs.
    """

    kind: ActKind
    time_s: float
    score: float
    speed: float
    since_s: float
    sure: float = 1.0


def together(acts: Sequence[Act]) -> float:
    """The score of acts that add up, `either` of them. A single step of a joint that is not surely seen, with nothing
    besides, leaves it below what counts: at most `LONE`.
    """
    score = either(act.score for act in acts)
    if len({act.time_s for act in acts}) > 1 or any(act.sure >= 1.0 for act in acts):
        return score
    return min(score, LONE + (1.0 - LONE) * max(act.sure for act in acts))
