"""How scores are made of measures, and of other scores."""

from collections.abc import Iterable

AT_LIMIT = 0.6
"""Score of what has just reached the limit that a site sets: the usual threshold (`AnalyserSettings.threshold`)."""


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, linear between; falling where `high` is below `low`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def either(scores: Iterable[float]) -> float:
    """The score of "one of these at least", taking them as independent: 1 - (1 - a)(1 - b)…"""
    missing = 1.0
    for score in scores:
        missing *= 1.0 - score
    return 1.0 - missing
