"""Which lines of a log say the same again, and what does one line say of all of them?"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

_TOLD = 3
"""The same is told so often before it is counted."""

_MOST_TOLD = 100
"""So many different warnings or errors of one kind are told one by one."""

_PERIODS_S = (60.0, 600.0, 3600.0)
"""How long counts go on before they are told, longer while it goes on."""

_MOST_KINDS, _MOST_KNOWN, _MOST_NAMED = 500, 1000, 50
_INFORMATION = frozenset({"debug", "info"})
_VARYING = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)
_MEASURED = re.compile(r"_s$|^(ms|pid|restarts|waiting|timestamp|exc_info)$")


@dataclass(slots=True)
class _Kind:
    """Lines of one event. told: how often each was, by what it is about; about: what those not told were about, the
    last of which is `last`.
    """

    ends_s: float
    period: int = 0
    came: int = 0
    withheld: int = 0
    told: Counter[str] = field(default_factory=Counter)
    about: dict[str, None] = field(default_factory=dict)
    last: Mapping[str, Any] = field(default_factory=dict)


class Repeats:
    """Lets the first few lines of an event about the same thing through, and then counts: a minute at first, ten
    minutes and an hour while it goes on, until nothing came for that long. What it is about are all fields
    but figures that were measured. Safe from any thread; times are monotonic seconds, passed in.

    >>> repeats = Repeats()
    >>> [repeats.is_new({"level": "error", "event": "away", "camera": "gate"}, float(n)) for n in range(5)]
    [True, True, True, False, False]
    >>> [line["repeated"] for line in repeats.due(60.0)]
    ['2 times']
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._lock = Lock()

    def is_new(self, line: Mapping[str, Any], now_s: float) -> bool:
        """Whether `line` (with `level` and `event`) is to be told; otherwise it is counted."""
        level, event = str(line.get("level")), str(line.get("event"))
        about = _about(line)
        key = (level, _VARYING.sub("#", event.partition("\n")[0]))
        with self._lock:
            kind = self._kinds.get(key)
            if kind is None:
                if len(self._kinds) >= _MOST_KINDS:
                    return True
                kind = self._kinds[key] = _Kind(now_s + _PERIODS_S[0])
            kind.came += 1
            most = _MOST_KNOWN if level in _INFORMATION else _MOST_TOLD
            known = about in kind.told
            if kind.told[about] < _TOLD and (known or len(kind.told) < most):
                kind.told[about] += 1
                return True
            if not known and level in _INFORMATION:
                return True
            kind.withheld += 1
            kind.last = line
            if len(kind.about) < _MOST_NAMED:
                kind.about[about] = None
            return False

    def due(self, now_s: float) -> list[dict[str, Any]]:
        """The lines that say what was counted up to `now_s`; each is given once."""
        with self._lock:
            return list(self._due(now_s))

    def _due(self, now_s: float) -> Iterator[dict[str, Any]]:
        for key, kind in list(self._kinds.items()):
            if now_s < kind.ends_s:
                continue
            if not kind.came:
                del self._kinds[key]
                continue
            if kind.withheld:
                line = {name: value for name, value in kind.last.items() if not _MEASURED.search(name)}
                if len(kind.about) > 1:
                    line["about"] = list(kind.about)
                yield {
                    **line,
                    "repeated": f"{kind.withheld} times",
                    "within_s": round(_PERIODS_S[kind.period]),
                }
            kind.period = min(kind.period + 1, len(_PERIODS_S) - 1)
            kind.ends_s = now_s + _PERIODS_S[kind.period]
            kind.came = kind.withheld = 0
            kind.about.clear()


def _about(line: Mapping[str, Any]) -> str:
    fields = [
        f"{name}={value}"
        for name, value in line.items()
        if name not in {"level", "event"} and not isinstance(value, float) and not _MEASURED.search(name)
    ]
    return " ".join([str(line.get("event")), *fields])[:300]
