"""The page on how good the fight model is."""

import numpy as np

from tynysh.evaluation.binary import calibration, precision_recall, roc_curve, wilson
from tynysh.evaluation.fights import Report
from tynysh.evaluation.page import render
from tynysh.translations import Language

_WORST = 20


def page(report: Report, *, language: Language = "en") -> str:
    """The whole page as HTML."""
    # The clips on the wrong side of the threshold, the furthest from it first.
    wrong = [one for one in report.clips if (one.score >= report.threshold) != one.clip.fight]
    values = {
        "clips": len(report.clips),
        "threshold": report.threshold,
        "figures": report.as_json(),
        "counts": report.counts(),
        "curves": _curves(report) if report.both_classes else None,
        "worst": sorted(wrong, key=lambda one: -abs(one.score - report.threshold))[:_WORST],
    }
    return render("fights", values, language=language)


def _curves(report: Report) -> dict[str, object]:
    """The points of each curve, (across, up)."""
    labels, scores = report.labels, report.scores
    precision, recall = precision_recall(labels, scores)
    return {
        "roc": list(zip(*roc_curve(labels, scores), strict=True)),
        "precision_recall": [(0.0, precision[0]), *zip(recall, precision, strict=True)],
        "share": float(np.mean(labels)),
        "calibration": [
            (score, positives / clips, wilson(positives, clips))
            for score, positives, clips in calibration(labels, scores)
        ],
    }
