"""Events from signals: hysteresis, minimum duration and cool-down, on the stream's clock alone."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour, Signal

LONGEST_GAP_S = 15.0
"""Scenes further apart say nothing about what lay between them. Longer than usual key-frame intervals,
for a quiet camera is decoded by key frames only."""

SILENCE_S = 2.0
"""An analyser without a signal for so long no longer holds the last one."""

UPDATE_S = 1.0
STILL_HOLDS_S = 10.0
"""Updates come at most every `UPDATE_S` with something new, and every `STILL_HOLDS_S` without: how long it lasts is
news too.
"""

NEW_PEAK = 0.02
NEW_LEVEL = 0.1
"""By how much the highest score, and the score now, must differ from what was reported last to be something new."""

TOLD_S = 10.0
"""For so long after it was told, what never moves is an event like any other; then it is furniture."""

MOST_FURNITURE = 64

CURVE_INTERVAL_S = 0.2
CURVE_LIMIT = 300
LEAD_S = 3.0
"""Seconds of curve that are kept from before the onset."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How signals of one behaviour become events.

    on: score from which it counts.
    off: score below which it no longer holds (at most `on`).
    min_duration_s: seconds that it must hold, from the first score of `on`, before there is an event.
    cooldown_s: seconds after an event's end in which the same subject begins no new one. What outlasts them
        does.
    release_s: seconds that the score must stay below `off` before it has fallen; shorter dips do not matter.
    """

    on: float
    off: float
    min_duration_s: float
    cooldown_s: float
    release_s: float

    @classmethod
    def of(cls, settings: AnalyserSettings, threshold: float | None = None) -> "Rule":
        """The rule that an analyser's settings ask for; with another `threshold` in place of theirs, if given."""
        on = settings.threshold if threshold is None else threshold
        return cls(
            on=on,
            off=on * settings.release,
            min_duration_s=settings.min_duration_s,
            cooldown_s=settings.cooldown_s,
            release_s=settings.release_s,
        )


class Curve:
    """A signal over time, thinned but for its peaks: at most five samples a second, `CURVE_LIMIT` in all.

    >>> curve = Curve()
    >>> for time_s, score in ((0.0, 0.2), (0.1, 0.9), (0.3, 0.5)):
    ...     curve.add(time_s, score)
    >>> curve.samples
    ((0.0, 0.9), (0.3, 0.5))
    """

    def __init__(self) -> None:
        self._interval_s = CURVE_INTERVAL_S
        self._samples: list[tuple[float, float]] = []

    @property
    def samples(self) -> tuple[tuple[float, float], ...]:
        """(time_s, score), in order of time; each the highest score of its interval."""
        return tuple(self._samples)

    def add(self, time_s: float, score: float) -> None:
        """Append a score; times must not go back."""
        if self._samples and time_s - self._samples[-1][0] < self._interval_s:
            began_s, highest = self._samples[-1]
            self._samples[-1] = (began_s, max(highest, score))
            return
        self._samples.append((time_s, score))
        if len(self._samples) > CURVE_LIMIT:
            self._interval_s *= 2
            pairs = zip(self._samples[::2], [*self._samples[1::2], (0.0, 0.0)], strict=False)
            self._samples = [(first[0], max(first[1], second[1])) for first, second in pairs]

    def forget(self, before_s: float) -> None:
        """Drop what is older than `before_s`."""
        self._interval_s = CURVE_INTERVAL_S
        self._samples = [sample for sample in self._samples if sample[0] >= before_s]


@dataclass(frozen=True, slots=True)
class _Reported:
    """What an event's readers know already."""

    at_s: float
    score: float
    level: float
    people: int


_Key = tuple[Behaviour, str | None, str]


@dataclass(slots=True)
class _Rise:
    """A signal that has risen, and perhaps an event (from `event_id` on).

    rose_s: onset; high_s: the last time that it held; reached_s: the first time at which it counted;
    fell_s: since when it is below, None while it holds.
    """

    best: Signal
    rose_s: float
    high_s: float
    reached_s: float | None = None
    fell_s: float | None = None
    event_id: str = ""
    decided_s: float = 0.0
    reported: _Reported | None = None


class _SubjectState:
    """One subject's signal over time."""

    def __init__(self, rule: Rule) -> None:
        self.last_signal_s = 0.0
        self.quiet_until_s = float("-inf")
        self.rule = rule
        self._curve = Curve()
        self._rise: _Rise | None = None

    @property
    def idle(self) -> bool:
        return self._rise is None

    @property
    def told_s(self) -> float | None:
        """When its event was told, if it has one."""
        rise = self._rise
        return None if rise is None or rise.reported is None else rise.decided_s

    def observe(self, signal: Signal, time_s: float, ids: random.Random) -> list[Event]:
        """Take the score of `time_s`; the events that follow."""
        self.last_signal_s = time_s
        if self._rise is None:
            self._curve.forget(time_s - LEAD_S)
        self._curve.add(time_s, signal.score)
        if signal.score < self.rule.off:
            return self._fall(time_s)
        began_s = time_s if signal.since_s is None else min(signal.since_s, time_s)
        rise = self._rise
        if rise is None:
            rise = self._rise = _Rise(best=signal, rose_s=began_s, high_s=time_s)
        rise.rose_s = min(rise.rose_s, began_s)
        rise.high_s = time_s
        rise.fell_s = None
        if signal.score > rise.best.score:
            rise.best = signal
        if rise.reached_s is None and signal.score >= self.rule.on:
            rise.reached_s = time_s
        if rise.reported is None:
            return self._begin(rise, signal, time_s, ids)
        return self._update(rise, rise.reported, signal, time_s)

    def miss(self, time_s: float) -> list[Event]:
        """There was no signal at `time_s`."""
        if self.idle or time_s - self.last_signal_s <= SILENCE_S:
            return []
        return self.end(self.last_signal_s)

    def end(self, time_s: float) -> list[Event]:
        """Give up what is held: as of `time_s` if it has not fallen, else as of when it last held."""
        rise, self._rise = self._rise, None
        if rise is None or rise.reported is None:
            return []
        end_s = max(rise.high_s, time_s) if rise.fell_s is None else rise.high_s
        self.quiet_until_s = end_s + self.rule.cooldown_s
        return [self._event(rise, Phase.ENDED, end_s=end_s)]

    def _fall(self, time_s: float) -> list[Event]:
        if self._rise is None:
            return []
        if self._rise.fell_s is None:
            self._rise.fell_s = time_s
        return self.end(time_s) if time_s - self._rise.fell_s >= self.rule.release_s else []

    def _begin(self, rise: _Rise, signal: Signal, time_s: float, ids: random.Random) -> list[Event]:
        least_s = signal.must_hold_s(self.rule.min_duration_s)
        if rise.reached_s is None or time_s - rise.reached_s < least_s:
            return []
        if time_s < self.quiet_until_s:
            return []
        rise.event_id = str(UUID(int=ids.getrandbits(128), version=4))
        rise.decided_s = time_s
        return [self._report(rise, signal, Phase.BEGUN, time_s)]

    def _update(self, rise: _Rise, reported: _Reported, signal: Signal, time_s: float) -> list[Event]:
        changed = (
            rise.best.score - reported.score >= NEW_PEAK
            or rise.best.people != reported.people
            or abs(signal.score - reported.level) >= NEW_LEVEL
        )
        if time_s - reported.at_s < (UPDATE_S if changed else STILL_HOLDS_S):
            return []
        return [self._report(rise, signal, Phase.UPDATED, time_s)]

    def _report(self, rise: _Rise, signal: Signal, phase: Phase, time_s: float) -> Event:
        rise.reported = _Reported(time_s, rise.best.score, signal.score, rise.best.people)
        return self._event(rise, phase, end_s=None)

    def _event(self, rise: _Rise, phase: Phase, *, end_s: float | None) -> Event:
        best = rise.best
        lasted_s = round((rise.high_s if end_s is None else end_s) - rise.rose_s, 1)
        return Event(
            id=rise.event_id,
            behaviour=best.behaviour,
            phase=phase,
            start_s=rise.rose_s,
            decided_s=rise.decided_s,
            end_s=end_s,
            score=best.score,
            box=best.box,
            people=best.people,
            zone=best.zone,
            subject=best.subject,
            reason=None if best.reason is None else best.reason.lasting(lasted_s),
            curve=self._curve.samples,
        )


class EventMaker:
    """Makes one camera's signals into events, one at a time per behaviour, zone and subject.

    rules: behaviour → rule; signals of other behaviours are an error (KeyError).
    ids: source of the events' ids; seeded alike, the same signals give the same events.

    An event ends by itself when its signal falls, when its analyser falls silent for more than `SILENCE_S`,
    and when there is a hole in time of more than `LONGEST_GAP_S`; in each case as of the last time that it
    held.

    What never moves is told once: an event that rests on nothing else (`Signal.fixed_since_s`) ends `TOLD_S` after it
    was decided, and none begins of the same things in that zone until they have moved.
    """

    def __init__(self, rules: Mapping[Behaviour, Rule], *, ids: random.Random) -> None:
        self._rules = dict(rules)
        self._ids = ids
        self._subjects: dict[_Key, _SubjectState] = {}
        self._furniture: dict[tuple[Behaviour, str | None, float], None] = {}
        self._time_s: float | None = None

    def retune(self, rules: Mapping[Behaviour, Rule]) -> None:
        """From now on, make events by other rules for these behaviours; what is held goes on by the new ones."""
        self._rules.update(rules)
        for (behaviour, _, _), state in self._subjects.items():
            state.rule = self._rules[behaviour]

    def observe(self, signals: Sequence[Signal], time_s: float) -> list[Event]:
        """The events that the signals of one scene begin, update or end.

        A clock that went back is a new stream: what was held has ended.
        """
        events: list[Event] = []
        if self._time_s is not None and not 0.0 <= time_s - self._time_s <= LONGEST_GAP_S:
            events += self.close(self._time_s)
            if time_s < self._time_s:
                self._subjects.clear()
                self._furniture.clear()
        self._time_s = time_s
        reported: set[_Key] = set()
        for signal in signals:
            key = (signal.behaviour, signal.zone, signal.subject)
            state = self._subjects.get(key)
            if self._is_furniture(signal) and (state is None or state.told_s is None):
                continue
            reported.add(key)
            if state is None:
                state = self._subjects[key] = _SubjectState(self._rules[signal.behaviour])
            events += state.observe(signal, time_s, self._ids)
            if signal.fixed_since_s and state.told_s is not None:
                self._learn(signal)
                if time_s - state.told_s >= TOLD_S:
                    events += state.end(time_s)
                    # Should it move after all, it is told at once.
                    del self._subjects[key]
        for key, state in list(self._subjects.items()):
            if key in reported:
                continue
            events += state.miss(time_s)
            if state.idle and time_s - state.last_signal_s > SILENCE_S and time_s > state.quiet_until_s:
                del self._subjects[key]
        return events

    def _is_furniture(self, signal: Signal) -> bool:
        """Whether it rests on nothing but what was told before and has not moved since."""
        return bool(signal.fixed_since_s) and all(
            (signal.behaviour, signal.zone, since_s) in self._furniture for since_s in signal.fixed_since_s
        )

    def _learn(self, signal: Signal) -> None:
        for since_s in signal.fixed_since_s:
            self._furniture[signal.behaviour, signal.zone, since_s] = None
        while len(self._furniture) > MOST_FURNITURE:
            del self._furniture[next(iter(self._furniture))]

    def close(self, time_s: float) -> list[Event]:
        """End all that is held, at the end of a file or of a camera; what was only rising is forgotten.

        time_s: the end of the stream; what still held at the last scene held until then.
        """
        return [event for state in self._subjects.values() for event in state.end(time_s)]
