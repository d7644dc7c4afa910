"""How many people are in a place, from who went in and out at its gates?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tynysh.scene.crowd import Estimate, LineCount

MISCOUNTED = 0.1
"""Variance that a single crossing adds, persons²: about one in ten is missed or doubled by chance."""

LOPSIDED = 0.03
"""How much more, or less, of those who go in than of those who go out a gate sees, standard deviation; measured in
simulated crowds of up to two a square metre (docs/developer/crowd.md)."""

DRIFT_PER_DAY = 0.01
"""How much that changes in a day, standard deviation: light, clothes and the ways people take change."""

RATE_MEMORY_S = 600.0
"""Seconds over which a gate's usual traffic is averaged, to judge what it hid while it was blind."""

SURELY_EMPTY = 0.5
"""Standard deviation of the people in a place that is known to be empty."""


@dataclass(slots=True)
class _GateCounts:
    """One gate's counts as last heard, and its usual traffic, crossings a second (None before the first minute)."""

    ins: int
    outs: int
    counted_s: float
    rate: float = 0.0


class Occupancy:
    """The people in one place, by a Kalman filter over its gates' counts (Kalman, 1960).

    State: n, the people inside, and d, the drift: how many people too few the gates let in per crossing, which is 0
    with the standard deviation `LOPSIDED` as long as nothing is known. Each step n' = n + ins - outs + d (ins + outs)
    with the variance `MISCOUNTED` for each crossing, so that the band widens with all who pass, and faster the longer
    nothing corrects it. What corrects it: `empty`, when the place is known to be empty (closed, cleared), and `anchor`,
    a count by cameras that see all of it. Both also teach d, so that a gate that always errs to one side is made up
    for. A place never holds less than nobody: a count below 0 is taken as a count of 0 that is half as unsure.

    >>> hall = Occupancy(0.0)
    >>> hall.observe(1.0, {"door": LineCount("door", ins=3, outs=1)}).value
    0.0
    >>> hall.observe(2.0, {"door": LineCount("door", ins=10, outs=2)}).value
    6.0
    """

    def __init__(self, time_s: float, people: Estimate | None = None) -> None:
        """people: who is inside at `time_s`; nobody, if that is left out."""
        start = people or Estimate(0.0, 0.0, 0.0)
        self._state = np.array([start.value, 0.0])
        self._covariance = np.diag([max(SURELY_EMPTY, (start.high - start.low) / 3.92) ** 2, LOPSIDED**2])
        self._gates: dict[str, _GateCounts] = {}
        self._time_s = time_s

    @property
    def now(self) -> Estimate:
        """The people inside, with the band of 95 in 100."""
        value, spread = float(self._state[0]), 1.96 * math.sqrt(float(self._covariance[0, 0]))
        return Estimate(value, max(0.0, value - spread), value + spread)

    def observe(self, time_s: float, gates: Mapping[str, LineCount | None]) -> Estimate:
        """Take in the gates' counts at `time_s`: gate → its line's count, None while its camera sees nothing.

        Counts run on from when a camera was opened. A gate heard for the first time tells nothing yet; one that counts
        less than before began anew; one that was blind hid people, as many as usually pass, one way or the other.
        Times must not go back.
        """
        elapsed_s = max(0.0, time_s - self._time_s)
        self._time_s = time_s
        self._covariance[1, 1] += DRIFT_PER_DAY**2 * elapsed_s / 86400.0
        for name, count in gates.items():
            if count is not None:
                self._hear(name, count, time_s)
            elif (gate := self._gates.get(name)) is not None:
                hidden = gate.rate * elapsed_s
                # All who pass unseen might go the same way: a random walk with steps of a minute's traffic.
                self._covariance[0, 0] += hidden * max(1.0, 60.0 * gate.rate)
        return self.now

    def empty(self) -> Estimate:
        """Nobody is inside now: the place is closed, or was cleared."""
        self._correct(0.0, SURELY_EMPTY**2)
        return self.now

    def anchor(self, people: Estimate) -> Estimate:
        """Cameras that see the whole place count `people` inside now."""
        self._correct(people.value, max(1.0, (people.high - people.low) / 3.92) ** 2)
        return self.now

    def _hear(self, name: str, count: LineCount, time_s: float) -> None:
        gate = self._gates.get(name)
        if gate is None:
            self._gates[name] = _GateCounts(count.ins, count.outs, time_s)
            return
        anew = count.ins < gate.ins or count.outs < gate.outs
        ins = count.ins if anew else count.ins - gate.ins
        outs = count.outs if anew else count.outs - gate.outs
        elapsed_s = time_s - gate.counted_s
        if elapsed_s > 0:
            keep = math.exp(-elapsed_s / RATE_MEMORY_S)
            gate.rate = keep * gate.rate + (1 - keep) * (ins + outs) / elapsed_s
        gate.ins, gate.outs, gate.counted_s = count.ins, count.outs, time_s
        crossings = ins + outs
        if not crossings:
            return
        step = np.array([[1.0, crossings], [0.0, 1.0]])
        self._state = step @ self._state + (ins - outs, 0.0)
        self._covariance = step @ self._covariance @ step.T
        self._covariance[0, 0] += MISCOUNTED * crossings
        if self._state[0] < 0.0:
            self._correct(0.0, float(self._covariance[0, 0]) / 4)

    def _correct(self, people: float, variance: float) -> None:
        gain = self._covariance[:, 0] / (self._covariance[0, 0] + variance)
        self._state = self._state + gain * (people - self._state[0])
        self._covariance = self._covariance - np.outer(gain, self._covariance[0])
        self._state[0] = max(0.0, self._state[0])
