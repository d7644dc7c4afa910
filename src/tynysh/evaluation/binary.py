"""How well does a score tell two classes apart?"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tynysh.geometry import Floats

Labels = NDArray[np.bool_]
Curve = tuple[Floats, Floats]


def roc_auc(labels: Labels, scores: Floats) -> float | None:
    """Area under the ROC curve: how often a positive outscores a negative, ties half (Mann & Whitney, 1947).

    None where there is one class only.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(scores)
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(labels: Labels, scores: Floats) -> float | None:
    """Mean of precision over the steps of recall, without interpolation. None where there is one class only."""
    if not labels.any() or labels.all():
        return None
    precision, recall = precision_recall(labels, scores)
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))


def roc_curve(labels: Labels, scores: Floats) -> Curve:
    """False-alarm rate and recall at each distinct score as threshold, from (0, 0) to (1, 1)."""
    found, wrong = _cumulative(labels, scores)
    return (
        np.concatenate([[0.0], wrong / max(1, int((~labels).sum()))]),
        np.concatenate([[0.0], found / max(1, int(labels.sum()))]),
    )


def precision_recall(labels: Labels, scores: Floats) -> Curve:
    """Precision and recall at each distinct score as threshold, highest first."""
    found, wrong = _cumulative(labels, scores)
    return found / (found + wrong), found / max(1, int(labels.sum()))


def calibration(labels: Labels, scores: Floats, bins: int = 5) -> list[tuple[float, int, int]]:
    """(mean score, positives, clips) of each of `bins` equally wide ranges of the score that is not empty."""
    place = np.minimum((scores * bins).astype(int), bins - 1)
    return [
        (float(scores[place == k].mean()), int(labels[place == k].sum()), int((place == k).sum()))
        for k in range(bins)
        if (place == k).any()
    ]


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """Wilson's 95 % score interval of a proportion; None without trials."""
    if trials == 0:
        return None
    z, share = 1.959964, successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def _cumulative(labels: Labels, scores: Floats) -> Curve:
    """Positives and negatives with at least each distinct score, highest first."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(labels[order])[last]
    return found.astype(np.float64), (last + 1 - found).astype(np.float64)
