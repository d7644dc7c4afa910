"""Trains the fight network and says how good it is on cameras that it was not trained on.

    python training/fight/train.py --data FOLDER --out src/tynysh/behaviour/weights/fight.onnx

The trunk stays as DeepMind trained it on Kinetics-400; two linear heads are fitted. Folds are grouped by
`source_video`. Everything is seeded; CPU only.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
from data import Clip, Pictures, production_windows, read_clips, varied_window
from export import write_network
from i3d import I3D, fetch_checkpoint, pretrained
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from tynysh.behaviour.fight import SMOOTHED, WEIGHTS
from tynysh.behaviour.fight_window import SIDE, STEPS

Floats = NDArray[np.float64]

SEEDS = (0, 1, 2)
FOLDS = 5
VARIANTS = 12
PENALTY = {"4f": 0.001, "5c": 0.002}
"""Inverse strength of the L2 penalty of each head."""


class Trunk:
    """Features of windows, in bfloat16 where the CPU has it, as in production."""

    def __init__(self, network: I3D) -> None:
        shape = [1, STEPS, SIDE, SIDE]
        with torch.no_grad():
            model = openvino.convert_model(network, example_input=torch.zeros(shape), input=shape)
        options = {"INFERENCE_NUM_THREADS": 2, "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = openvino.Core().compile_model(model, "CPU", options)

    def features(self, pictures: Pictures) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Those of Mixed_4f (832,) and Mixed_5c (1024,) for one window (STEPS, SIDE, SIDE)."""
        outputs = self._compiled([np.ascontiguousarray(pictures[None]).astype(np.float32)])
        return np.array(outputs[0])[0], np.array(outputs[1])[0]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Features of windows, a row each: by layer, and the index of the clip that they were cut from."""

    layers: dict[str, NDArray[np.float32]]
    clip: NDArray[np.intp]

    def of(self, clips: NDArray[np.intp]) -> "Windows":
        """Those of some clips."""
        rows = np.isin(self.clip, clips)
        return Windows({name: layer[rows] for name, layer in self.layers.items()}, self.clip[rows])


def features(trunk: Trunk, windows: list[tuple[int, Pictures]]) -> Windows:
    """Features of (clip, window)s."""
    rows = [trunk.features(pictures) for _, pictures in windows]
    layers = {"4f": np.stack([row[0] for row in rows]), "5c": np.stack([row[1] for row in rows])}
    return Windows(layers, np.array([clip for clip, _ in windows]))


def varied(trunk: Trunk, clips: list[Clip], variants: int, seed: int) -> Windows:
    """What the heads are trained on: the production windows and their mirror images, and `variants` more a clip."""
    windows = [
        (index, np.asarray(pictures))
        for index, clip in enumerate(clips)
        for window in list(production_windows(clip))[-1:]
        for pictures in (window.pictures, window.pictures[:, :, ::-1])
    ]
    random = np.random.default_rng(seed)
    windows += [
        (index, varied_window(clip, random)) for index, clip in enumerate(clips) for _ in range(variants)
    ]
    return features(trunk, windows)


def looks(trunk: Trunk, clips: list[Clip]) -> Windows:
    """The production windows, every other one mirrored as the analyser does."""
    windows: list[tuple[int, Pictures]] = []
    for index, clip in enumerate(clips):
        for look, window in enumerate(production_windows(clip)):
            windows.append((index, window.pictures[:, :, ::-1] if look % 2 else window.pictures))
    return features(trunk, windows)


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """One linear score over both layers: log-odds before calibration."""

    weights: dict[str, Floats]
    bias: float

    def scores(self, windows: Windows) -> Floats:
        """(N,) for N windows."""
        return sum(
            (windows.layers[name] @ weight for name, weight in self.weights.items()), np.float64(self.bias)
        )


def fit(windows: Windows, fight: NDArray[np.bool_], penalty: dict[str, float] = PENALTY) -> Heads:
    """Logistic regression on each layer, standardised; the mean of their log-odds, each at unit spread."""
    weights: dict[str, Floats] = {}
    bias = 0.0
    labels = fight[windows.clip]
    for name, c in penalty.items():
        layer = windows.layers[name].astype(np.float64)
        mean, spread = layer.mean(axis=0), layer.std(axis=0) + 1e-6
        model = LogisticRegression(C=c, max_iter=1000, class_weight="balanced").fit(
            (layer - mean) / spread, labels
        )
        weight = model.coef_[0] / spread
        unit = float((layer @ weight).std()) * len(penalty)
        weights[name] = weight / unit
        bias += (float(model.intercept_[0]) - float(mean @ weight)) / unit
    return Heads(weights, bias)


def clip_scores(windows: Windows, scores: Floats, count: int) -> Floats:
    """The highest mean of `SMOOTHED` successive looks of each clip (of those there are, with fewer)."""
    result = np.full(count, -np.inf)
    for clip in np.unique(windows.clip):
        own = scores[windows.clip == clip]
        n = min(SMOOTHED, len(own))
        result[clip] = np.convolve(own, np.ones(n) / n, mode="valid").max()
    return result


def cross_validate(
    clips: list[Clip], train: Windows, test: Windows, seed: int, penalty: dict[str, float] = PENALTY
) -> tuple[Floats, Floats, list[tuple[float, float]]]:
    """Scores of clips, and of windows, from heads that saw no clip of the same source; (accuracy, AUC) by fold."""
    fight = np.array([clip.fight for clip in clips])
    groups = np.array([clip.source for clip in clips])
    by_clip, by_window = np.zeros(len(clips)), np.zeros(len(test.clip))
    folds: list[tuple[float, float]] = []
    splits = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(groups, fight, groups)
    for inside, outside in splits:
        heads = fit(train.of(inside), fight, penalty)
        rows = np.isin(test.clip, outside)
        by_window[rows] = heads.scores(test)[rows]
        by_clip[outside] = clip_scores(test.of(outside), by_window[rows], len(clips))[outside]
        correct = (by_clip[outside] > 0) == fight[outside]
        folds.append((float(correct.mean()), float(roc_auc_score(fight[outside], by_clip[outside]))))
    return by_clip, by_window, folds


def calibrate(scores: Floats, fight: NDArray[np.bool_]) -> tuple[float, float]:
    """Platt's slope and intercept (Advances in Large Margin Classifiers, 1999), classes weighted equally."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], fight)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def summary(name: str, values: list[float]) -> dict[str, float]:
    return {name: round(float(np.mean(values)), 4), f"{name}_std": round(float(np.std(values)), 4)}


def main() -> None:
    """Train, cross-validate, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with clips.csv")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument(
        "--runs", type=Path, default=Path("training/runs/fight"), help="for downloads and results"
    )
    options = parser.parse_args()
    torch.manual_seed(0)
    trunk_network = pretrained(fetch_checkpoint(options.runs))
    trunk = Trunk(trunk_network)
    clips = read_clips(options.data)
    fight = np.array([clip.fight for clip in clips])
    print(f"{len(clips)} clips of {len({clip.source for clip in clips})} sources")
    train, test = varied(trunk, clips, VARIANTS, seed=0), looks(trunk, clips)
    np.savez(options.runs / "features.npz", train=train.layers["5c"], clip=train.clip)

    results: dict[str, Any] = {"clips": len(clips), "seeds": list(SEEDS)}
    per_seed = [cross_validate(clips, train, test, seed) for seed in SEEDS]
    slope, intercept = calibrate(
        np.concatenate([by_clip for by_clip, _, _ in per_seed]), np.tile(fight, len(SEEDS))
    )
    calibrated = [slope * by_clip + intercept for by_clip, _, _ in per_seed]
    results |= summary("auc", [float(roc_auc_score(fight, s)) for s in calibrated])
    results |= summary("accuracy", [float(((s > 0) == fight).mean()) for s in calibrated])
    results |= summary("average_precision", [float(average_precision_score(fight, s)) for s in calibrated])
    results["folds"] = [
        {"seed": seed, "accuracy": round(accuracy, 3), "auc": round(auc, 3)}
        for seed, (_, _, folds) in zip(SEEDS, per_seed, strict=True)
        for accuracy, auc in folds
    ]
    heads = fit(train, fight)
    size = write_network(trunk_network, heads.weights, heads.bias, slope, intercept, options.out)
    results["bytes"] = size
    (options.runs / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in results.items() if key != "folds"}, indent=1))


if __name__ == "__main__":
    main()
