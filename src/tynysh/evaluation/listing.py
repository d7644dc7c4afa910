"""How found events are printed: a table for people, JSON lines for programs."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tynysh.behaviour import wording
from tynysh.behaviour.event import Event
from tynysh.evaluation.analysis import VideoAnalysis
from tynysh.translations import Language, text


def json_line(event: Event, source: str) -> str:
    """One event as a line of JSON: times in seconds from the video's start, `box` normalised (0..1) or null."""
    return json.dumps(
        {
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
        },
        ensure_ascii=False,
    )


def print_table(console: Console, analyses: Sequence[VideoAnalysis], *, language: Language) -> None:
    """All events of some videos as a table."""
    table = Table(show_edge=False)
    for heading in ("source", "behaviour"):
        table.add_column(text(language, f"analyze.{heading}"))
    for heading in ("from", "to", "score"):
        table.add_column(text(language, f"analyze.{heading}"), justify="right")
    table.add_column(text(language, "analyze.why"))
    for analysis in analyses:
        for event in analysis.events:
            table.add_row(
                analysis.path.name,
                wording.name(language, event.behaviour),
                _clock(event.start_s),
                _clock(analysis.duration_s if event.end_s is None else event.end_s),
                f"{event.score:.2f}",
                "" if event.reason is None else wording.why(language, event.reason),
            )
    if table.row_count:
        console.print(table)
    else:
        console.print(text(language, "analyze.nothing"))


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes)}:{seconds:04.1f}"
