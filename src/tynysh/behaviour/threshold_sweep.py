"""How many alarms would there have been, had the threshold been another one?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tynysh.behaviour.events import LONGEST_GAP_S, SILENCE_S, Rule
from tynysh.behaviour.signal import Behaviour, Signal

LEVELS = np.round(np.arange(0.30, 0.985, 0.02), 2)
"""(L,) the thresholds that are counted for, in rising order."""

ONE_ALARM_S = 30.0
"""Events no further apart than this are one incident, and one alarm to those who are called."""

EVERYWHERE = np.ones(len(LEVELS), dtype=np.bool_)

Counts = NDArray[np.int64]
"""(L,): alarms at each of `LEVELS`."""


def no_alarms() -> Counts:
    """None at any of `LEVELS`, to be added to."""
    return np.zeros(len(LEVELS), dtype=np.int64)


def _times(value: float) -> NDArray[np.float64]:
    return np.full(len(LEVELS), value)


@dataclass(slots=True, eq=False)
class _Ladder:
    """One subject's signal against every level, each array (L,).

    reached_s: first time at which the level counted, NaN while it does not. high_s: last time at which it held.
    fell_s: since when it does not hold, NaN while it does.
    quiet_until_s: until when what begins belongs to the alarm before. begun: whether there is an alarm.
    """

    last_signal_s: float
    reached_s: NDArray[np.float64] = field(default_factory=lambda: _times(np.nan))
    high_s: NDArray[np.float64] = field(default_factory=lambda: _times(-np.inf))
    fell_s: NDArray[np.float64] = field(default_factory=lambda: _times(np.nan))
    quiet_until_s: NDArray[np.float64] = field(default_factory=lambda: _times(-np.inf))
    begun: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(len(LEVELS), dtype=np.bool_))

    def observe(self, rule: Rule, signal: Signal, time_s: float) -> NDArray[np.bool_]:
        """Take the signal of `time_s`; (L,) at which levels an alarm begins."""
        score = signal.score
        self.last_signal_s = time_s
        held = score >= LEVELS * (rule.off / rule.on)
        self.reached_s[np.isnan(self.reached_s) & (score >= LEVELS)] = time_s
        self.high_s[held] = time_s
        self.fell_s[held] = np.nan
        self.fell_s[~held & np.isnan(self.fell_s)] = time_s
        with np.errstate(invalid="ignore"):
            self.end(rule, time_s - self.fell_s >= rule.release_s)
            long = time_s - self.reached_s >= signal.must_hold_s(rule.min_duration_s)
        begins = held & long & ~self.begun & (time_s >= self.quiet_until_s)
        self.begun |= begins
        return begins

    def end(self, rule: Rule, where: NDArray[np.bool_]) -> None:
        """What was held at the levels `where` has ended, as of when it last held."""
        ended = where & self.begun
        self.quiet_until_s[ended] = self.high_s[ended] + max(rule.cooldown_s, ONE_ALARM_S)
        self.begun[where] = False
        self.reached_s[where] = np.nan

    def over(self, time_s: float) -> bool:
        """Whether nothing that it knows matters any more."""
        return bool(np.isnan(self.reached_s).all()) and time_s > float(self.quiet_until_s.max())


class ThresholdSweep:
    """Counts, for one camera and all `LEVELS` at once, the alarms that each would have raised as a threshold.

    The rules (release, minimum duration, cool-down) are those of `EventMaker`, with only the threshold replaced, and
    with a cool-down of at least `ONE_ALARM_S`. rules: of the behaviours that are counted; others are let be.
    """

    def __init__(self, rules: Mapping[Behaviour, Rule]) -> None:
        self._rules = dict(rules)
        self._ladders: dict[tuple[Behaviour, str | None, str], _Ladder] = {}
        self._counts: dict[Behaviour, Counts] = {}
        self._time_s = -np.inf

    def observe(self, signals: Sequence[Signal], time_s: float) -> None:
        """Take in the signals of one scene, in order of time; a clock that went back is a new stream."""
        if time_s < self._time_s:
            self._ladders.clear()
        gap_s, self._time_s = time_s - self._time_s, time_s
        for (behaviour, _, _), ladder in self._ladders.items():
            if gap_s > LONGEST_GAP_S:
                ladder.end(self._rules[behaviour], EVERYWHERE)
        for signal in signals:
            rule = self._rules.get(signal.behaviour)
            key = (signal.behaviour, signal.zone, signal.subject)
            # Most signals are calm for hours: nothing is kept of them.
            if rule is None or (key not in self._ladders and signal.score < LEVELS[0]):
                continue
            begins = self._ladders.setdefault(key, _Ladder(time_s)).observe(rule, signal, time_s)
            if begins.any():
                counts = self._counts.setdefault(signal.behaviour, no_alarms())
                counts += begins
        for key, ladder in list(self._ladders.items()):
            if time_s - ladder.last_signal_s > SILENCE_S:
                ladder.end(self._rules[key[0]], EVERYWHERE)
            if ladder.over(time_s):
                del self._ladders[key]

    def take(self) -> dict[Behaviour, Counts]:
        """What was counted since the last call; behaviours without any are left out."""
        counts, self._counts = self._counts, {}
        return counts
