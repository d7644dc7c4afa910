"""Trains the fight network and says how good it is on cameras that it was not trained on.

    python training/fight/train.py --data FOLDER --out src/tynysh/behaviour/weights/fight.onnx

The trunk stays as DeepMind trained it on Kinetics-400; two linear heads are fitted. Folds are grouped by
`source_video`. Everything is seeded; CPU only.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
from data import Clip, Pictures, production_windows, read_clips, read_video, varied_window
from export import write_network
from i3d import FEATURES, I3D, fetch_checkpoint, pretrained
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from tynysh.behaviour.fight import SMOOTHED, WEIGHTS
from tynysh.behaviour.fight_window import SIDE, STEPS

Floats = NDArray[np.float64]

SEEDS = (0, 1, 2)
FOLDS = 5
VARIANTS = 8
PENALTY = {"4f": 0.0003, "5c": 0.001}
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
    if not rows:
        return Windows(
            {name: np.zeros((0, size), np.float32) for name, size in FEATURES.items()}, np.zeros(0, np.intp)
        )
    layers = {"4f": np.stack([row[0] for row in rows]), "5c": np.stack([row[1] for row in rows])}
    return Windows(layers, np.array([clip for clip, _ in windows]))


def varied(trunk: Trunk, clips: list[Clip], variants: int, seed: int) -> Windows:
    """What the heads are trained on: the last production windows with their mirror images, and `variants` more."""
    random = np.random.default_rng(seed)
    windows: list[tuple[int, Pictures]] = []
    for index, clip in enumerate(clips):
        for window in [w for views in list(production_windows(clip))[-1:] for w in views.values()]:
            windows += [(index, window.pictures), (index, window.pictures[:, :, ::-1])]
        windows += [(index, varied_window(clip, random)) for _ in range(variants)]
    return features(trunk, windows)


def looks(trunk: Trunk, clips: list[Clip]) -> Windows:
    """What the analyser sees: by turns where it moves most and, mirrored, all that moves."""
    windows: list[tuple[int, Pictures]] = []
    for index, clip in enumerate(clips):
        for look, views in enumerate(production_windows(clip)):
            pictures = views["all"].pictures[:, :, ::-1] if look % 2 else views["most"].pictures
            windows.append((index, pictures))
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


def save_windows(path: Path, **sets: Windows) -> None:
    """Keep features: they take minutes, the heads seconds. Delete the file after a change of what is shown."""
    arrays = {f"{name}_{layer}": values for name, own in sets.items() for layer, values in own.layers.items()}
    np.savez(path, **arrays, **{f"{name}_clip": own.clip for name, own in sets.items()})


def load_windows(path: Path) -> tuple[Windows, Windows, Windows]:
    """For training, the analyser's looks at the clips, and its looks at ordinary footage."""
    with np.load(path) as file:
        train, test, ordinary = (
            Windows({layer: file[f"{name}_{layer}"] for layer in PENALTY}, file[f"{name}_clip"])
            for name in ("train", "looks", "ordinary")
        )
    return train, test, ordinary


def halves(ordinary: Windows, first: int) -> tuple[Windows, Windows]:
    """The first half of each video, to train on as a clip without a fight (numbered from `first` on), and the second,
    to judge by. Four looks between them are left out, for windows overlap."""
    early: list[NDArray[np.intp]] = []
    late: list[NDArray[np.intp]] = []
    for video in np.unique(ordinary.clip):
        rows = np.flatnonzero(ordinary.clip == video)
        early.append(rows[: len(rows) // 2 - 2])
        late.append(rows[len(rows) // 2 + 2 :])
    chosen = [np.concatenate([np.zeros(0, np.intp), *part]) for part in (early, late)]
    train, test = (
        Windows({name: layer[rows] for name, layer in ordinary.layers.items()}, ordinary.clip[rows] + first)
        for rows in chosen
    )
    return train, test


def joined(a: Windows, b: Windows) -> Windows:
    """Both."""
    layers = {name: np.concatenate([a.layers[name], b.layers[name]]) for name in a.layers}
    return Windows(layers, np.concatenate([a.clip, b.clip]))


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


def folds_of(
    clips: list[Clip], train: Windows, seed: int, penalty: dict[str, float] = PENALTY
) -> Iterator[tuple[NDArray[np.intp], Heads]]:
    """Clips (indices) with heads that saw no clip of the same source; each clip once."""
    fight = np.array([clip.fight for clip in clips])
    groups = np.array([clip.source for clip in clips])
    # Footage beyond the clips is trained on in every fold.
    ordinary = np.arange(len(clips), int(train.clip.max()) + 1)
    splits = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(groups, fight, groups)
    for inside, outside in splits:
        yield (
            outside,
            fit(
                train.of(np.append(inside, ordinary)),
                np.append(fight, np.zeros(len(ordinary), bool)),
                penalty,
            ),
        )


def cross_validate(
    clips: list[Clip], train: Windows, test: Windows, seed: int, penalty: dict[str, float] = PENALTY
) -> tuple[Floats, list[tuple[float, float]]]:
    """Scores of clips, from heads that saw no clip of the same source; (accuracy, AUC) by fold."""
    fight = np.array([clip.fight for clip in clips])
    scores = np.zeros(len(clips))
    folds: list[tuple[float, float]] = []
    for outside, heads in folds_of(clips, train, seed, penalty):
        own = test.of(outside)
        scores[outside] = clip_scores(own, heads.scores(own), len(clips))[outside]
        correct = (scores[outside] > 0) == fight[outside]
        folds.append((float(correct.mean()), float(roc_auc_score(fight[outside], scores[outside]))))
    return scores, folds


def calibrate(scores: Floats, fight: NDArray[np.bool_]) -> tuple[float, float]:
    """Platt's slope and intercept (Advances in Large Margin Classifiers, 1999), classes weighted equally."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], fight)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def calibrated_heads(heads: Heads, slope: float, intercept: float) -> Heads:
    """Heads whose scores are log-odds of a fight."""
    weights = {name: slope * weight for name, weight in heads.weights.items()}
    return Heads(weights, slope * heads.bias + intercept)


def summary(name: str, values: list[float]) -> dict[str, float]:
    """Mean and standard deviation."""
    return {name: round(float(np.mean(values)), 4), f"{name}_std": round(float(np.std(values)), 4)}


def main() -> None:
    """Train, cross-validate, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with clips.csv")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument(
        "--ordinary", type=Path, nargs="*", default=[], help="footage on which nothing happens"
    )
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
    store = options.runs / "windows.npz"
    if not store.exists():
        save_windows(
            store,
            train=varied(trunk, clips, VARIANTS, seed=0),
            looks=looks(trunk, clips),
            ordinary=looks(trunk, [read_video(path) for path in options.ordinary]),
        )
    train, test, ordinary = load_windows(store)
    ordinary_train, ordinary_test = halves(ordinary, len(clips))
    train = joined(train, ordinary_train)

    results: dict[str, Any] = {"clips": len(clips), "seeds": list(SEEDS)}
    per_seed = [cross_validate(clips, train, test, seed) for seed in SEEDS]
    slope, intercept = calibrate(
        np.concatenate([by_clip for by_clip, _ in per_seed]), np.tile(fight, len(SEEDS))
    )
    calibrated = [slope * by_clip + intercept for by_clip, _ in per_seed]
    results |= summary("auc", [float(roc_auc_score(fight, s)) for s in calibrated])
    results |= summary("accuracy", [float(((s > 0) == fight).mean()) for s in calibrated])
    results |= summary("average_precision", [float(average_precision_score(fight, s)) for s in calibrated])
    results["folds"] = [
        {"seed": seed, "accuracy": round(accuracy, 3), "auc": round(auc, 3)}
        for seed, (_, folds) in zip(SEEDS, per_seed, strict=True)
        for accuracy, auc in folds
    ]
    results["calibration"] = [slope, intercept]
    labels = np.append(fight, np.zeros(int(train.clip.max()) + 1 - len(clips), bool))
    heads = calibrated_heads(fit(train, labels), slope, intercept)
    results["bytes"] = write_network(trunk_network, heads.weights, heads.bias, options.out)
    if len(ordinary_test.clip):
        smoothed = np.convolve(heads.scores(ordinary_test), np.ones(SMOOTHED) / SMOOTHED, mode="valid")
        results["ordinary_second_half"] = {
            "looks": len(smoothed),
            "above_half": int((smoothed > 0).sum()),
            "highest": round(float(1 / (1 + np.exp(-smoothed.max()))), 3),
        }
    (options.runs / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in results.items() if key != "folds"}, indent=1))


if __name__ == "__main__":
    main()
