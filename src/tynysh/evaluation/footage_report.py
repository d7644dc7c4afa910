"""The page on how well recordings were seen: for those who decide, to be read on a screen or on paper."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from tynysh import __version__
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.evaluation.figures import figures
from tynysh.evaluation.footage import FootageReport
from tynysh.evaluation.judging import picture_of, worst_alerts, worst_missed
from tynysh.evaluation.labels import Recording
from tynysh.evaluation.matching import EARLY_S, Interval
from tynysh.evaluation.page import PlotPoint, render
from tynysh.evaluation.sightings import Sightings
from tynysh.evaluation.stills import Still
from tynysh.geometry import Box
from tynysh.translations import Language

MOST_SHOWN = 12
"""Misses and false alerts that are shown with a picture, each; the worst first."""

MOST_LISTED = 200
MOST_STRIPS = 60
AROUND_S = 10.0
"""Seconds of scores that are shown before and after a case."""

BINS = 12
"""Of the histogram of delays, at least."""

MOST_COLUMNS = 150
"""Of a curve of scores."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many delays, as parts of the `most` of one bar; ends: the first, the middle and the last edge, seconds."""

    shares: list[float]
    most: int
    ends: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What other thresholds would bring for one behaviour.

    recalls, precisions: (threshold, share). trade: (false alerts as a part of `most`, recall). own, now: the threshold
    in force, and its place in `trade`, if known.
    """

    behaviour: Behaviour
    recalls: list[PlotPoint]
    precisions: list[PlotPoint]
    trade: list[PlotPoint]
    most: int
    own: float | None
    now: PlotPoint | None


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """A stretch of time of a recording. kind: hit, miss or again. row: 0 what was labelled, 1 what was noticed."""

    start_s: float
    end_s: float
    kind: str
    row: int


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """Scores from second `first` to second `last`: the highest of each of some columns of equal width.

    start_s, end_s: the stretch that it is about. threshold: the camera's own.
    """

    first: int
    last: int
    columns: list[float]
    start_s: float
    end_s: float
    threshold: float


@dataclass(frozen=True, slots=True)
class ErrorCase:
    """A miss or a false alert. score: its highest. box: where, in pixels of the still, if known."""

    recording: Recording
    behaviour: Behaviour
    start_s: float
    end_s: float
    score: float
    curve: ScoreCurve
    still: Still | None = field(repr=False)
    box: Box | None = None
    standing: bool = False


def page(report: FootageReport, *, language: Language, now: datetime) -> str:
    """The whole page as HTML. now: the date that it shows."""
    judged, everything = report.judged, figures(report.judged)
    seen = {recording.path: sightings for recording, sightings in report.seen}
    values = {
        "files": len(report.seen),
        "hours": sum(judged.footage_hours.values()),
        "date": now.strftime("%Y-%m-%d"),
        "version": __version__,
        "all": everything,
        "judged": judged,
        "unread": report.unread,
        "behaviours": {each: figures(judged, behaviour=each) for each in report.behaviours},
        "cameras": {
            camera: (
                figures(judged, camera=camera),
                {
                    behaviour: of
                    for behaviour in report.behaviours
                    if (of := figures(judged, camera=camera, behaviour=behaviour)).speaks
                },
            )
            for camera in report.cameras
        },
        "histogram": _histogram(everything.delays_s) if everything.delays_s else None,
        "sweeps": [_sweep(report, behaviour) for behaviour in report.labelled],
        "levels": (LEVELS[0], LEVELS[-1]),
        "strips": _strips(report),
        "missed": [
            ErrorCase(
                one.recording,
                one.label.behaviour,
                one.label.start_s,
                one.label.end_s,
                one.highest,
                _curve(seen[one.recording.path], one.label),
                picture_of(one, seen[one.recording.path]),
                standing=one.standing,
            )
            for one in worst_missed(judged)
        ],
        "false_alerts": [
            ErrorCase(
                one.recording,
                one.event.behaviour,
                one.event.start_s,
                one.event.end_s,
                one.event.score,
                _curve(seen[one.recording.path], one.event),
                still := picture_of(one, seen[one.recording.path]),
                _in_pixels(one.event.box, still),
            )
            for one in worst_alerts(judged.false)
        ],
        "most_shown": MOST_SHOWN,
        "most_listed": MOST_LISTED,
        "most_strips": MOST_STRIPS,
        "tolerance_s": report.tolerance_s,
        "early_s": EARLY_S,
    }
    return render("footage", values, language=language)


def _histogram(delays_s: Sequence[float]) -> Histogram:
    low, high = min(0.0, delays_s[0]), max(1.0, delays_s[-1])
    width = _round_up((high - low) / BINS)
    first = int(low // width)
    counts = [0] * max(BINS, int(high // width) - first + 1)
    for delay in delays_s:
        counts[int(delay // width) - first] += 1
    ends = (first * width, (first + len(counts) / 2) * width, (first + len(counts)) * width)
    return Histogram([count / max(counts) for count in counts], max(counts), ends)


def _sweep(report: FootageReport, behaviour: Behaviour) -> Sweep:
    levels, now = report.at_levels(behaviour), figures(report.judged, behaviour=behaviour)
    # An even number, so that its half may stand at the axis.
    most = 2 * ceil(max(2, now.false, *(at.false for _, at in levels)) / 2)
    return Sweep(
        behaviour,
        recalls=[(level, at.recall) for level, at in levels if at.recall is not None],
        precisions=[(level, at.precision) for level, at in levels if at.precision is not None],
        trade=[(at.false / most, at.recall) for _, at in levels if at.recall is not None],
        most=most,
        own=report.own_threshold(behaviour),
        now=None if now.recall is None else (now.false / most, now.recall),
    )


def _strips(report: FootageReport) -> list[tuple[Recording, float, list[TimelineMark]]]:
    """The recordings of which there is anything to show, with their lengths, seconds; what went wrong first."""
    judged = report.judged
    marks: dict[str, list[TimelineMark]] = {recording.path: [] for recording, _ in report.seen}

    def mark(recording: Recording, interval: Interval, kind: str, row: int) -> None:
        marks[recording.path].append(TimelineMark(interval.start_s, interval.end_s, kind, row))

    for found in judged.found:
        mark(found.recording, found.label, "hit", 0)
        mark(found.recording, found.event, "hit", 1)
    for alert in judged.repeats:
        mark(alert.recording, alert.event, "again", 1)
    for missed in judged.missed:
        mark(missed.recording, missed.label, "miss", 0)
    for alert in judged.false:
        mark(alert.recording, alert.event, "miss", 1)
    strips = [
        (recording, sightings.duration_s, marks[recording.path])
        for recording, sightings in report.seen
        if marks[recording.path]
    ]
    return sorted(strips, key=lambda strip: -sum(mark.kind == "miss" for mark in strip[2]))


def _curve(sightings: Sightings, of: Interval) -> ScoreCurve:
    first = max(0, int(of.start_s - AROUND_S))
    last = min(ceil(sightings.duration_s), int(of.end_s + AROUND_S) + 1)
    scores = list(sightings.scores.get(of.behaviour, ()))[first:last]
    scores += [0.0] * (last - first - len(scores))
    # One column a second at least; of a long stretch the highest of each column.
    step = max(1, -(-len(scores) // MOST_COLUMNS))
    columns = [max(scores[place : place + step]) for place in range(0, len(scores), step)]
    threshold = sightings.thresholds[of.behaviour]
    return ScoreCurve(first, last, columns, of.start_s, min(of.end_s, last), threshold)


def _in_pixels(box: Box | None, still: Still | None) -> Box | None:
    if box is None or still is None:
        return None
    return box.clipped(1.0, 1.0).scaled(still.width, still.height)


def _round_up(width: float) -> float:
    """The least of 0.1, 0.2, 0.5, 1, 2, 5, ... that is not below `width`."""
    size = 0.1
    while True:
        for step in (1, 2, 5):
            if size * step >= width:
                return size * step
        size *= 10
