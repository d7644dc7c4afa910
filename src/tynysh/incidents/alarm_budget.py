"""Which threshold keeps a camera within its alarm budget, and what does that cost in recall?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv

from tynysh.incidents.rates import garwood

BLINDLY = 0.5
"""Part of the way from the usual threshold to 1 that one may rise at most where nobody knows what that costs."""

RISK = 0.1
"""How often chance may fool the choice: the one-sided level of all tests here."""


class Standing(StrEnum):
    """How sure it is that a threshold keeps the budget.

    LEARNING: too little was watched to tell, and nothing speaks against it. KEPT: shown to be within the budget.
    RAISED: raised because the usual threshold was above the budget by more than chance; not yet shown to be within.
    FLOOR: within the budget only at a threshold that would find too little; held at the floor of recall, above budget.
    """

    LEARNING = "learning"
    KEPT = "kept"
    RAISED = "raised"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class AlarmRate:
    """False alarms a day: the count over the time watched, with bounds of which each is wrong in one case of ten."""

    per_day: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The threshold for one behaviour on one camera.

    rate: false alarms a day that it would have raised. recall: of what really happens, as far as known; None where
    nothing was measured. recall_floor: below which it may not fall.
    """

    threshold: float
    standing: Standing
    rate: AlarmRate
    recall: float | None
    recall_floor: float


def rate(count: int, days: float) -> AlarmRate:
    """The rate of `count` alarms in `days`, each bound wrong in `RISK` of the cases."""
    low, high = garwood(count, days, level=1.0 - 2.0 * RISK) or (0.0, float("inf"))
    return AlarmRate(count / days if days > 0.0 else 0.0, low, high)


def choose(
    levels: Sequence[float],
    false_alarms: Sequence[int],
    *,
    days: float,
    budget: float,
    usual: float,
    lowest: float,
    recall: Sequence[float] | None,
    recall_floor: float,
) -> Choice:
    """The threshold of a behaviour, from what its camera's quiet hours would have raised.

    levels: (L,) possible thresholds, rising. false_alarms: (L,) alarms at each in `days` days of quiet hours.
    budget: false alarms a day that are borne. usual: the threshold that the site says, used until more is known.
    lowest: the threshold never falls below. recall: (L,) part of real happenings found at each level, falling; None
    where it is not known. recall_floor: the threshold never rises to where recall is below this.

    Alarms are taken for a Poisson process (they come one at a time, at a rate that holds for the weeks that are looked
    at). From the highest level down, "the rate is above the budget" is tested at each until it cannot be rejected at
    `RISK`; the lowest level that passed is KEPT. Testing in a fixed order and stopping at the first failure keeps the
    chance that the chosen rate is above the budget at `RISK` whatever the number of levels (Learn then Test,
    Angelopoulos et al., 2021; fixed-sequence testing, Maurer et al., 1995). Until that can be shown, which for no alarm
    at all takes ln(1 / RISK) / budget days, the usual threshold holds, unless its alarms are more than chance allows
    within the budget: then it is RAISED to the lowest level of which that is not so. Nothing of this goes above the
    floor of recall; where the budget would need that, the threshold stands at the FLOOR, and the budget is known to be
    too small. A floor that no level reaches puts the threshold at the lowest. Where recall is not known, a threshold
    rises by half of what it could at most (`BLINDLY`), and stands at the FLOOR there.
    """
    ladder = np.asarray(levels, dtype=np.float64)
    counts = np.maximum.accumulate(np.asarray(false_alarms, dtype=np.int64)[::-1])[::-1]
    bottom, start = at_least(ladder, lowest), at_least(ladder, usual)
    if recall is None:
        highest = np.searchsorted(ladder, usual + BLINDLY * (1.0 - usual) + 1e-9) - 1
        ceiling = max(start, int(highest))
    else:
        ceiling = _ceiling(recall, recall_floor, bottom)
    within = np.asarray(gammaincinv(counts + 1, 1.0 - RISK)) <= budget * days
    passed = len(ladder)
    while passed > 0 and within[passed - 1]:
        passed -= 1
    above_chance = gammainc(counts, max(budget * days, 1e-12)) <= RISK
    # A usual threshold below all levels is not counted for; where all is calm, nothing speaks against it.
    uncounted = passed == 0 and usual < ladder[0]
    if passed < len(ladder) and not uncounted:
        index, standing = max(passed, bottom), Standing.KEPT
    elif above_chance[start]:
        borne = np.flatnonzero(~above_chance[start:])
        index = start + int(borne[0]) if len(borne) else len(ladder) - 1
        standing = Standing.RAISED
    else:
        index, standing = start, Standing.LEARNING
    threshold = usual if standing is Standing.LEARNING else float(ladder[index])
    if index > ceiling:
        index, threshold = ceiling, float(ladder[ceiling])
        if standing is not Standing.LEARNING and passed > ceiling:
            standing = Standing.FLOOR
    return Choice(
        threshold=threshold,
        standing=standing,
        rate=rate(int(counts[index]), days),
        recall=None if recall is None else float(recall[index]),
        recall_floor=recall_floor,
    )


def own_recall(scores: Sequence[float], levels: Sequence[float]) -> NDArray[np.float64]:
    """(L,) which part of a camera's own verified happenings, of these scores, each level would have found."""
    reached = np.asarray(scores, dtype=np.float64)[:, None] >= np.asarray(levels, dtype=np.float64)[None, :]
    share: NDArray[np.float64] = reached.mean(axis=0)
    return share


def _ceiling(recall: Sequence[float], floor: float, bottom: int) -> int:
    """The highest level at which recall is still `floor`; `bottom` where none is."""
    enough = np.flatnonzero(np.asarray(recall, dtype=np.float64) >= floor)
    return int(enough[-1]) if len(enough) else bottom


def at_least(ladder: NDArray[np.float64], threshold: float) -> int:
    """The place of the lowest level that is at least `threshold`; the highest of all where none is."""
    return min(int(np.searchsorted(ladder, threshold - 1e-9)), len(ladder) - 1)
