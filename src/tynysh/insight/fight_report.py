"""The page on how good the fight model is: one file, no scripts, nothing loaded from elsewhere."""

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from tynysh.insight.binary import calibration, precision_recall, roc_curve, wilson
from tynysh.translations import Language, text

if TYPE_CHECKING:
    from tynysh.insight.evaluate_fights import Report

_Say = Callable[..., str]

_SIDE = 260
_LEFT, _TOP, _EDGE = 44, 12, 40
_WORST = 20

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6877;--line:#c9d1da;--paper:#fff;--mark:#0b6e99;--warn:#b3401e}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#9aa7b5;--line:#3a4653;--paper:#12181f;--mark:#5cc0ea;
--warn:#f0906c}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}p{max-width:46rem}
table{border-collapse:collapse}td,th{padding:.25rem .9rem .25rem 0;text-align:left;border-bottom:1px solid var(--line)}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{font-weight:600}
svg{display:block;max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
.axis{stroke:var(--line);fill:none}.guide{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
.curve{stroke:var(--mark);stroke-width:2;fill:none}.dot{fill:var(--mark)}.here{fill:var(--warn)}
.bar{stroke:var(--mark);stroke-width:1.5}
"""


def page(report: "Report", *, language: Language = "en") -> str:
    """The whole page as HTML."""

    def say(key: str, **values: object) -> str:
        return escape(text(language, f"insight.fights.{key}", **values))

    plots = (
        "".join(
            f"<figure><figcaption>{say(name)}</figcaption>{drawing}</figure>"
            for name, drawing in (
                ("roc", _roc(report, say("false_alarm_rate"), say("recall"))),
                ("precision_recall", _precision_recall(report, say("recall"), say("precision"))),
                ("calibration", _calibration(report, say("mean_score"), say("share_of_fights"))),
            )
        )
        if report.both_classes
        else f"<p>{say('one_class')}</p>"
    )
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{say('fight' if fight else 'no_fight')}</td><td class=n>{score:.3f}</td></tr>"
        for name, fight, score in _worst(report)
    )
    errors = (
        f"<table><tr><th>{say('clip')}</th><th>{say('label')}</th><th>{say('score')}</th></tr>{rows}</table>"
        if rows
        else f"<p>{say('no_errors')}</p>"
    )
    found, missed, wrong, calm = report.counts()
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{say('title')}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{say('title')}</h1><p>{say('intro', n=len(report.clips), threshold=f'{report.threshold:.2f}')}</p>"
        f"{_figures(report, say)}"
        f"<h2>{say('at_threshold')}</h2><table><tr><th></th><th>{say('found')}</th><th>{say('not_found')}</th></tr>"
        f"<tr><th>{say('fight')}</th><td class=n>{found}</td><td class=n>{missed}</td></tr>"
        f"<tr><th>{say('no_fight')}</th><td class=n>{wrong}</td><td class=n>{calm}</td></tr></table>"
        f"<h2>{say('curves')}</h2><div class=plots>{plots}</div>"
        f"<h2>{say('errors')}</h2>{errors}<p>{say('intervals')}</p></body></html>\n"
    )


def _figures(report: "Report", say: _Say) -> str:
    figures = report.as_json()
    rows = ""
    for name in ("accuracy", "auc", "average_precision", "recall", "false_alarm_rate"):
        value, interval = figures[name], figures[f"{name}_interval"]
        shown = "–" if value is None else f"{value:.3f}"
        bounds = "" if interval is None else f"{interval[0]:.3f} – {interval[1]:.3f}"
        rows += f"<tr><td>{say(name)}</td><td class=n>{shown}</td><td class=n>{bounds}</td></tr>"
    return f"<table><tr><th></th><th></th><th>{say('interval')}</th></tr>{rows}</table>"


def _worst(report: "Report") -> list[tuple[str, bool, float]]:
    """The clips on the wrong side of the threshold, the furthest from it first."""
    wrong = [
        (abs(scored.score - report.threshold), scored.clip.path, scored.clip.fight, scored.score)
        for scored in report.clips
        if (scored.score >= report.threshold) != scored.clip.fight
    ]
    return [(path, fight, score) for _, path, fight, score in sorted(wrong, key=lambda row: -row[0])[:_WORST]]


def _roc(report: "Report", across: str, up: str) -> str:
    wrong, found = roc_curve(report.labels, report.scores)
    here = report.counts()
    point = (here[2] / max(1, here[2] + here[3]), here[0] / max(1, here[0] + here[1]))
    inside = _line([(0, 0), (1, 1)], "guide") + _line(list(zip(wrong, found, strict=True)), "curve")
    return _plot(across, up, inside + _dot(point, "here", 5))


def _precision_recall(report: "Report", across: str, up: str) -> str:
    precision, recall = precision_recall(report.labels, report.scores)
    share = float(np.mean(report.labels))
    found, missed, wrong, _ = report.counts()
    inside = _line([(0, share), (1, share)], "guide")
    inside += _line([(0.0, float(precision[0])), *zip(recall, precision, strict=True)], "curve")
    if found + wrong:
        inside += _dot((found / (found + missed), found / (found + wrong)), "here", 5)
    return _plot(across, up, inside)


def _calibration(report: "Report", across: str, up: str) -> str:
    inside = _line([(0, 0), (1, 1)], "guide")
    for score, positives, clips in calibration(report.labels, report.scores):
        bounds = wilson(positives, clips)
        if bounds is not None:
            inside += _line([(score, bounds[0]), (score, bounds[1])], "bar")
        inside += _dot((score, positives / clips), "dot", 4)
    return _plot(across, up, inside)


def _place(point: tuple[float, float]) -> tuple[float, float]:
    return _LEFT + _SIDE * point[0], _TOP + _SIDE * (1 - point[1])


def _line(points: Sequence[tuple[float, float]], name: str) -> str:
    path = " ".join("{:.1f},{:.1f}".format(*_place(point)) for point in points)
    return f'<polyline class="{name}" points="{path}"/>'


def _dot(point: tuple[float, float], name: str, radius: int) -> str:
    x, y = _place(point)
    return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _plot(across: str, up: str, inside: str) -> str:
    """A unit square with its axes; `inside` is drawn in it."""
    width, height = _LEFT + _SIDE + 14, _TOP + _SIDE + _EDGE
    ticks = ""
    for tick in (0.0, 0.5, 1.0):
        x, y = _place((tick, tick))
        ticks += f'<text x="{x:.0f}" y="{_TOP + _SIDE + 16}" text-anchor="middle">{tick:g}</text>'
        ticks += f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{tick:g}</text>'
    middle = _TOP + _SIDE / 2
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{up} / {across}"><rect class="axis" x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}"/>'
        f'{ticks}{inside}<text x="{_LEFT + _SIDE / 2}" y="{height - 6}" text-anchor="middle">{across}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{up}</text></svg>'
    )
