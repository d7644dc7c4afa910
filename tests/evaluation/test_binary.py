"""Measures of two classes agree with their definitions."""

import numpy as np
import pytest

from tynysh.evaluation.binary import (
    average_precision,
    calibration,
    precision_recall,
    roc_auc,
    roc_curve,
    wilson,
)

LABELS = np.array([1, 1, 0, 1, 0, 0, 1, 0], dtype=bool)
SCORES = np.array([0.9, 0.8, 0.8, 0.6, 0.5, 0.4, 0.3, 0.1])


def test_auc_is_how_often_a_positive_outscores_a_negative() -> None:
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in SCORES[LABELS] for n in SCORES[~LABELS]]
    assert roc_auc(LABELS, SCORES) == pytest.approx(np.mean(pairs))


def test_the_area_under_the_drawn_curve_is_the_auc() -> None:
    assert np.trapezoid(*reversed(roc_curve(LABELS, SCORES))) == pytest.approx(roc_auc(LABELS, SCORES))


def test_average_precision_by_hand() -> None:
    # Thresholds 0.9: 1/1 at recall 1/4; 0.8: 2/3 at 2/4; 0.6: 3/4 at 3/4; 0.3: 4/7 at 4/4.
    assert average_precision(LABELS, SCORES) == pytest.approx((1 + 2 / 3 + 3 / 4 + 4 / 7) / 4)
    assert precision_recall(LABELS, SCORES)[1][-1] == 1.0


def test_one_class_has_neither() -> None:
    assert roc_auc(np.ones(3, bool), SCORES[:3]) is None
    assert average_precision(np.zeros(3, bool), SCORES[:3]) is None


def test_calibration_counts_each_clip_once() -> None:
    bins = calibration(LABELS, SCORES)
    assert sum(clips for _, _, clips in bins) == len(LABELS)
    assert sum(positives for _, positives, _ in bins) == LABELS.sum()


def test_wilson_is_that_of_the_textbook() -> None:
    # Brown, Cai & DasGupta, Statistical Science 16 (2001), and R's binom package: 8 of 10.
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) is None
