"""How are found events told: rows of a table for people, JSON lines for programs?"""

from typing import Any

from tynysh.behaviour import wording
from tynysh.behaviour.event import Event
from tynysh.evaluation.analysis import VideoAnalysis
from tynysh.evaluation.labels import clock
from tynysh.translations import Language

HEADINGS = ("source", "behaviour", "from", "to", "score", "why")
"""Of the table, as their texts are called."""


def as_json(event: Event, source: str) -> dict[str, Any]:
    """One event for a line of JSON: times in seconds from the video's start, `box` normalised (0..1) or null."""
    return {
        "behaviour": event.behaviour,
        "start_s": round(event.start_s, 3),
        "end_s": None if event.end_s is None else round(event.end_s, 3),
        "score": round(event.score, 4),
        "box": None if event.box is None else [round(side, 4) for side in event.box],
        "source": source,
        "decided_s": round(event.decided_s, 3),
        "people": event.people,
        "zone": event.zone,
        "reason": None
        if event.reason is None
        else {"key": event.reason.key, "values": dict(event.reason.values)},
    }


def cells(event: Event, analysis: VideoAnalysis, language: Language) -> tuple[str, ...]:
    """One event of a video as a row under `HEADINGS`."""
    return (
        analysis.path.name,
        wording.name(language, event.behaviour),
        clock(event.start_s),
        clock(analysis.duration_s if event.end_s is None else event.end_s),
        f"{event.score:.2f}",
        "" if event.reason is None else wording.why(language, event.reason),
    )
