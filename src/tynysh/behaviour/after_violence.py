"""Did somebody go down because of a fight or a blow? Then that is the reason, and it weighs more."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import hypot

from tynysh.behaviour.registry import spec_of
from tynysh.behaviour.signal import Reason, Signal
from tynysh.behaviour.spec import AFTER_VIOLENCE
from tynysh.geometry import Box

BEFORE_S = 10.0
"""Seconds before somebody goes down within which violence there counts as what went before."""

AFTER_S = 2.0
"""Seconds after it in which violence still does: blows go on, and a fall is seen before the blow is sure."""

VIOLENT = 0.5
"""Score from which an act of violence counts."""


@dataclass(frozen=True, slots=True)
class _Violence:
    time_s: float
    box: Box


class AfterViolence:
    """Tells of one camera's signals which of its people down went down after violence in the same place.

    What is violent, and what weighs more after it, is declared (`AnalyserSpec`).
    Same place: the boxes of the two, in 0..1 of the picture, are no further apart than the longer side of the
    person's. Somebody of whom that was once so stays so. A signal's certainty is left alone: what rises is the
    severity (`incidents.fusion`).
    """

    def __init__(self) -> None:
        self._violence: deque[_Violence] = deque()
        self._struck: dict[str, float] = {}

    def observe(self, signals: Iterable[Signal], time_s: float) -> tuple[Signal, ...]:
        """The signals of one scene, those of people down with what went before."""
        reported = tuple(signals)
        self._forget(time_s)
        for signal in reported:
            if signal.score >= VIOLENT and signal.box is not None and spec_of(signal.behaviour).violent:
                self._violence.append(_Violence(time_s, signal.box))
        return tuple(self._explained(signal, time_s) for signal in reported)

    def _explained(self, signal: Signal, time_s: float) -> Signal:
        if not spec_of(signal.behaviour).severity.after_violence:
            return signal
        if signal.subject not in self._struck and not self._follows(signal):
            return signal
        self._struck[signal.subject] = time_s
        return replace(signal, reason=Reason(f"{signal.behaviour}.{AFTER_VIOLENCE}"))

    def _follows(self, signal: Signal) -> bool:
        down_s = signal.time_s if signal.since_s is None else signal.since_s
        return signal.box is not None and any(
            down_s - BEFORE_S <= violence.time_s <= down_s + AFTER_S and _near(violence.box, signal.box)
            for violence in self._violence
        )

    def _forget(self, time_s: float) -> None:
        """Drop what is too old to matter, or from before the clock went back."""
        keep_s = BEFORE_S + AFTER_S
        while self._violence and not 0.0 <= time_s - self._violence[0].time_s <= keep_s:
            self._violence.popleft()
        self._struck = {
            subject: last_s for subject, last_s in self._struck.items() if 0.0 <= time_s - last_s <= keep_s
        }


def _near(violence: Box, person: Box) -> bool:
    across = max(0.0, violence.left - person.right, person.left - violence.right)
    down = max(0.0, violence.top - person.bottom, person.top - violence.bottom)
    return hypot(across, down) <= max(person.width, person.height)
