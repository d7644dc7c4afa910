"""The page on how good the fight model is: one file, no scripts, nothing loaded from elsewhere."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from tynysh.evaluation.binary import calibration, precision_recall, roc_curve, wilson
from tynysh.evaluation.page import document, dot, line, plot
from tynysh.translations import Language, text

if TYPE_CHECKING:
    from tynysh.evaluation.evaluate_fights import Report

_Say = Callable[..., str]

_WORST = 20


def page(report: "Report", *, language: Language = "en") -> str:
    """The whole page as HTML."""

    def say(key: str, **values: object) -> str:
        return escape(text(language, f"evaluation.fights.{key}", **values))

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
    return document(
        text(language, "evaluation.fights.title"),
        f"<h1>{say('title')}</h1><p>{say('intro', n=len(report.clips), threshold=f'{report.threshold:.2f}')}</p>"
        f"{_figures(report, say)}"
        f"<h2>{say('at_threshold')}</h2><table><tr><th></th><th>{say('found')}</th><th>{say('not_found')}</th></tr>"
        f"<tr><th>{say('fight')}</th><td class=n>{found}</td><td class=n>{missed}</td></tr>"
        f"<tr><th>{say('no_fight')}</th><td class=n>{wrong}</td><td class=n>{calm}</td></tr></table>"
        f"<h2>{say('curves')}</h2><div class=plots>{plots}</div>"
        f"<h2>{say('errors')}</h2>{errors}<p>{say('intervals')}</p>",
        language=language,
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
    inside = line([(0, 0), (1, 1)], "guide") + line(list(zip(wrong, found, strict=True)), "curve")
    return plot(across, up, inside + dot(point, "here", 5))


def _precision_recall(report: "Report", across: str, up: str) -> str:
    precision, recall = precision_recall(report.labels, report.scores)
    share = float(np.mean(report.labels))
    found, missed, wrong, _ = report.counts()
    inside = line([(0, share), (1, share)], "guide")
    inside += line([(0.0, float(precision[0])), *zip(recall, precision, strict=True)], "curve")
    if found + wrong:
        inside += dot((found / (found + missed), found / (found + wrong)), "here", 5)
    return plot(across, up, inside)


def _calibration(report: "Report", across: str, up: str) -> str:
    inside = line([(0, 0), (1, 1)], "guide")
    for score, positives, clips in calibration(report.labels, report.scores):
        bounds = wilson(positives, clips)
        if bounds is not None:
            inside += line([(score, bounds[0]), (score, bounds[1])], "bar")
        inside += dot((score, positives / clips), "dot", 4)
    return plot(across, up, inside)
