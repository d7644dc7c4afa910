"""What is due for deletion: what is too old, or too much, and not still needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

DAY_S = 86_400.0
_GIGABYTE = 1e9

Ref = TypeVar("Ref")


@dataclass(frozen=True, slots=True)
class Footage(Generic[Ref]):
    """Something that takes room: `ref` tells its owner which. ended_at: Unix seconds of its last picture.

    needed: whether it must not give way to newer footage, as the clip of an incident that nobody has resolved.
        When its days are over it goes all the same: people who were filmed can rely on that.
    spent: whether it led to nothing, and goes with what is only recorded.
    """

    ref: Ref
    ended_at: float
    bytes: int
    needed: bool = False
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much. spent_days: for footage that led to nothing. gigabytes: None for no bound."""

    days: float
    gigabytes: float | None = None
    spent_days: float | None = None


def due(footage: Sequence[Footage[Ref]], bounds: Bounds, *, now: float) -> list[Ref]:
    """What is to be deleted now, oldest first.

    First what is older than the days allow; then, while the rest takes more room than allowed, the oldest, what
    led to nothing before anything else, and never what is needed.
    """
    ordered = sorted(footage, key=lambda item: item.ended_at)
    old = [item for item in ordered if now - item.ended_at > _days(item, bounds) * DAY_S]
    gone = {id(item) for item in old}
    kept = [item for item in ordered if id(item) not in gone]
    if bounds.gigabytes is not None:
        room = bounds.gigabytes * _GIGABYTE
        taken = sum(item.bytes for item in kept)
        for item in sorted(kept, key=lambda item: not item.spent):
            if taken <= room:
                break
            if not item.needed and item.bytes > 0:
                gone.add(id(item))
                taken -= item.bytes
    return [item.ref for item in ordered if id(item) in gone]


def _days(item: Footage[Ref], bounds: Bounds) -> float:
    if item.spent and bounds.spent_days is not None:
        return min(bounds.days, bounds.spent_days)
    return bounds.days
