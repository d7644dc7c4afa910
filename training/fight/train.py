"""Trains the fight network and says how good it is on cameras that it was not trained on.

    python training/fight/train.py --data FOLDER --out src/tynysh/perception/weights/fight.onnx

The trunk stays as DeepMind trained it on Kinetics-400; two linear heads are fitted. Folds are grouped by
`source_video`. Everything is seeded; CPU only.
"""

import argparse
import dataclasses
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
from data import Clip, Pictures, fighting, production_windows, read_clips, read_marks, varied_window
from export import write_network
from footage import (
    Recorder,
    Sequence,
    answers,
    calm_sequences,
    embedded_sequences,
    kept,
    ordinary_sequence,
    part,
)
from i3d import FEATURES, I3D, fetch_checkpoint, pretrained
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from tynysh.behaviour.fight import SMOOTHED
from tynysh.perception.clip_classification import UNKNOWN_PEOPLE, WEIGHTS
from tynysh.perception.clip_window import SIDE, STEPS
from tynysh.runtime.networks import Networks

Floats = NDArray[np.float64]

SEEDS = (0, 1, 2)
FOLDS = 5
VARIANTS = 8
UNSEEN = -10.0
"""Log-odds of a clip at which the analyser does not look: nothing moves, or people are alone."""

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
    """Features of windows, a row each: by layer, the index of the clip that they were cut from, and how many people
    were near each other."""

    layers: dict[str, NDArray[np.float32]]
    clip: NDArray[np.intp]
    people: NDArray[np.intp]

    def at(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Windows":
        """Some of them."""
        layers = {name: layer[rows] for name, layer in self.layers.items()}
        return Windows(layers, self.clip[rows], self.people[rows])

    def of(self, clips: NDArray[np.intp]) -> "Windows":
        """Those of some clips."""
        return self.at(np.isin(self.clip, clips))


def features(trunk: Trunk, windows: list[tuple[int, Pictures, int]]) -> Windows:
    """Features of (clip, window, people)s."""
    rows = [trunk.features(pictures) for _, pictures, _ in windows]
    if not rows:
        layers = {name: np.zeros((0, size), np.float32) for name, size in FEATURES.items()}
        return Windows(layers, np.zeros(0, np.intp), np.zeros(0, np.intp))
    layers = {"4f": np.stack([row[0] for row in rows]), "5c": np.stack([row[1] for row in rows])}
    return Windows(
        layers, np.array([clip for clip, _, _ in windows]), np.array([people for _, _, people in windows])
    )


def varied(trunk: Trunk, clips: list[Clip], variants: int, seed: int) -> Windows:
    """What the heads are trained on: the last production windows with their mirror images, and `variants` more."""
    windows: list[tuple[int, Pictures, int]] = []
    for index, clip in enumerate(clips):
        random = np.random.default_rng((seed, index))
        for window in [w for views in list(production_windows(clip))[-1:] for w in views.values()]:
            pictures = window.pictures
            windows += [(index, pictures, UNKNOWN_PEOPLE), (index, pictures[:, :, ::-1], UNKNOWN_PEOPLE)]
        windows += [(index, varied_window(clip, random), UNKNOWN_PEOPLE) for _ in range(variants)]
    return features(trunk, windows)


def looks(trunk: Trunk, sequences: list[Sequence]) -> Windows:
    """What the analyser looks at in each of `sequences`, through the production pipeline."""
    windows: list[tuple[int, Pictures, int]] = []
    for index, sequence in enumerate(sequences):
        recorder = Recorder()
        deque(answers(sequence, recorder), maxlen=0)
        windows += [(index, pictures, people) for pictures, people in recorder.shown]
    return features(trunk, windows)


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """One linear score over both layers and the logarithm of one more than the people near each other."""

    weights: dict[str, Floats]
    bias: float
    people: float = 0.0

    def scores(self, windows: Windows) -> Floats:
        """(N,) for N windows."""
        company = np.float64(self.bias) + self.people * np.log1p(windows.people)
        return sum((windows.layers[name] @ weight for name, weight in self.weights.items()), company)

    def scaled(self, slope: float, intercept: float, people: float = 0.0) -> "Heads":
        """`slope` times these scores, and `intercept`, and `people` more for each unit of the people's logarithm."""
        weights = {name: slope * weight for name, weight in self.weights.items()}
        return Heads(weights, slope * self.bias + intercept, slope * self.people + people)


def save_windows(path: Path, **sets: Windows) -> None:
    """Keep features: they take minutes, the heads seconds. Delete the file after a change of what is shown."""
    arrays = {f"{name}_{layer}": values for name, own in sets.items() for layer, values in own.layers.items()}
    for name, own in sets.items():
        arrays |= {f"{name}_clip": own.clip, f"{name}_people": own.people}
    np.savez(path, **arrays)


def load_windows(path: Path) -> tuple[Windows, Windows, Windows]:
    """For training, the analyser's looks at the clips, and its looks at ordinary footage."""
    with np.load(path) as file:
        train, test, ordinary = (
            Windows(
                {layer: file[f"{name}_{layer}"] for layer in PENALTY},
                file[f"{name}_clip"],
                file[f"{name}_people"],
            )
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
    none = np.zeros(0, np.intp)
    numbered = dataclasses.replace(ordinary, clip=ordinary.clip + first)
    return numbered.at(np.concatenate([none, *early])), numbered.at(np.concatenate([none, *late]))


def joined(a: Windows, b: Windows) -> Windows:
    """Both."""
    layers = {name: np.concatenate([a.layers[name], b.layers[name]]) for name in a.layers}
    return Windows(layers, np.concatenate([a.clip, b.clip]), np.concatenate([a.people, b.people]))


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


def means(values: Floats, clip: NDArray[np.intp]) -> Floats:
    """Mean of each look's value and that of the `SMOOTHED` - 1 before it, of the same clip; of those there are."""
    result = np.empty(len(values))
    for own in (np.flatnonzero(clip == each) for each in np.unique(clip)):
        for last, row in enumerate(own):
            result[row] = values[own[max(0, last - SMOOTHED + 1) : last + 1]].mean()
    return result


def clip_scores(scores: Floats, clip: NDArray[np.intp], count: int) -> Floats:
    """The highest of `means` of each clip, over full numbers of looks if there are; `UNSEEN` where there was none."""
    result = np.full(count, UNSEEN)
    smoothed = means(scores, clip)
    for each in np.unique(clip):
        own = smoothed[clip == each]
        result[each] = own[min(SMOOTHED, len(own)) - 1 :].max()
    return result


def weigh(scores: Floats, windows: Windows, fight: NDArray[np.bool_]) -> tuple[float, float, float]:
    """What to make of the pictures' `scores` and of the people near each other: slope, intercept and the weight of
    the people's logarithm, by logistic regression on the looks' means, classes weighted equally."""
    x = np.column_stack([means(scores, windows.clip), means(np.log1p(windows.people), windows.clip)])
    model = LogisticRegression(C=100.0, class_weight="balanced").fit(x, fight[windows.clip])
    return float(model.coef_[0, 0]), float(model.intercept_[0]), float(model.coef_[0, 1])


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


@dataclass(frozen=True, slots=True, eq=False)
class Validated:
    """A grouped cross-validation: scores of looks by pictures alone, of clips with people; (accuracy, AUC) by fold."""

    looks: Floats
    clips: Floats
    folds: list[tuple[float, float]]


def cross_validate(
    clips: list[Clip], train: Windows, test: Windows, seed: int, penalty: dict[str, float] = PENALTY
) -> Validated:
    """Scores from heads that saw no clip of the same source. How people weigh is fitted to the other folds' looks,
    each scored by heads that did not see it."""
    fight = np.array([clip.fight for clip in clips])
    by_look = np.zeros(len(test.clip))
    outsides: list[NDArray[np.intp]] = []
    for outside, heads in folds_of(clips, train, seed, penalty):
        own = np.isin(test.clip, outside)
        by_look[own] = heads.scores(test.at(own))
        outsides.append(outside)
    scores = np.zeros(len(clips))
    folds: list[tuple[float, float]] = []
    for outside in outsides:
        own = np.isin(test.clip, outside)
        slope, intercept, people = weigh(by_look[~own], test.at(~own), fight)
        weighed = slope * by_look + intercept + people * np.log1p(test.people)
        scores[outside] = clip_scores(weighed, test.clip, len(clips))[outside]
        correct = (scores[outside] > 0) == fight[outside]
        folds.append((float(correct.mean()), float(roc_auc_score(fight[outside], scores[outside]))))
    return Validated(by_look, scores, folds)


def calibrate(scores: Floats, fight: NDArray[np.bool_]) -> tuple[float, float]:
    """Platt's slope and intercept (Advances in Large Margin Classifiers, 1999), classes weighted equally."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], fight)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def weighed_heads(heads: Heads, weights: list[float], calibration: list[float]) -> Heads:
    """Heads whose scores are log-odds of a fight: by `weigh`, then by `calibrate`."""
    slope, intercept, people = weights
    return heads.scaled(slope, intercept, people).scaled(*calibration)


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
    clips = kept(options.runs / "clips.pkl", lambda: read_clips(options.data))
    fight = np.array([clip.fight for clip in clips])
    print(f"{len(clips)} clips of {len({clip.source for clip in clips})} sources")
    store = options.runs / "windows.npz"
    if not store.exists():
        marks = read_marks()
        networks = Networks.load()
        calm = kept(options.runs / "calm.pkl", lambda: calm_sequences(options.data, clips, networks))
        embedded = kept(
            options.runs / "embedded.pkl", lambda: embedded_sequences(options.data, clips, networks)
        )
        own = [part(embedded[clip.path] if clip.fight else calm[clip.source], clip.path) for clip in clips]
        ordinary_footage = [ordinary_sequence(options.runs, path, networks) for path in options.ordinary]
        save_windows(
            store,
            train=varied(trunk, [fighting(clip, marks) for clip in clips], VARIANTS, seed=0),
            looks=looks(trunk, own),
            ordinary=looks(trunk, ordinary_footage),
        )
    train, test, ordinary = load_windows(store)
    ordinary_train, ordinary_test = halves(ordinary, len(clips))
    train = joined(train, ordinary_train)

    results: dict[str, Any] = {"clips": len(clips), "seeds": list(SEEDS)}
    per_seed = [cross_validate(clips, train, test, seed) for seed in SEEDS]
    slope, intercept = calibrate(np.concatenate([one.clips for one in per_seed]), np.tile(fight, len(SEEDS)))
    calibrated = [slope * one.clips + intercept for one in per_seed]
    results |= summary("auc", [float(roc_auc_score(fight, s)) for s in calibrated])
    results |= summary("accuracy", [float(((s > 0) == fight).mean()) for s in calibrated])
    results |= summary("average_precision", [float(average_precision_score(fight, s)) for s in calibrated])
    alone = [clip_scores(one.looks, test.clip, len(clips)) for one in per_seed]
    results |= summary("auc_without_people", [float(roc_auc_score(fight, s)) for s in alone])
    results["folds"] = [
        {"seed": seed, "accuracy": round(accuracy, 3), "auc": round(auc, 3)}
        for seed, one in zip(SEEDS, per_seed, strict=True)
        for accuracy, auc in one.folds
    ]
    bins = np.digitize(1 / (1 + np.exp(-np.mean(calibrated, axis=0))), (0.2, 0.4, 0.6, 0.8))
    results["clips_and_fights_by_score"] = [
        (int((bins == each).sum()), int(fight[bins == each].sum())) for each in range(5)
    ]
    labels = np.append(fight, np.zeros(int(train.clip.max()) + 1 - len(clips), bool))
    weights = np.mean([weigh(one.looks, test, fight) for one in per_seed], axis=0)
    results["weigh"], results["calibration"] = weights.tolist(), [slope, intercept]
    heads = weighed_heads(fit(train, labels), results["weigh"], results["calibration"])
    results["bytes"] = write_network(trunk_network, heads.weights, heads.bias, heads.people, options.out)
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
