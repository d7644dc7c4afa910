"""How good is the shipped fight model on labelled clips?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tynysh.behaviour.fight import FightSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import TynyshError
from tynysh.evaluation.analysis import SEED, analyse_video
from tynysh.evaluation.binary import Labels, average_precision, roc_auc, wilson
from tynysh.evaluation.csv_input import Faults, ListError, rows
from tynysh.geometry import Floats
from tynysh.media.reader import VideoFile
from tynysh.runtime.pipeline import Pipeline, Step

BOOTSTRAPS = 2000


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A row of the list.

    path: as written; file: where it lies. source: the camera or recording that it was cut from, if given.
    row: where in the list it stands, as file:line.
    """

    path: str
    file: Path
    fight: bool
    source: str | None
    row: str


@dataclass(frozen=True, slots=True)
class ScoredClip:
    """A clip with the score that it got, in [0, 1]."""

    clip: LabelledClip
    score: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the clips came to.

    threshold: the shipped one, never chosen on these clips. Intervals are 95 %: Wilson's for proportions
    (Journal of the American Statistical Association 22, 1927), a bootstrap over sources (over clips, where sources
    are not given) for AUC and average precision. auc and average_precision are None where there is one class only.
    """

    clips: tuple[ScoredClip, ...]
    threshold: float

    @property
    def labels(self) -> Labels:
        """(N,) whether each clip shows a fight."""
        return np.array([scored.clip.fight for scored in self.clips], dtype=np.bool_)

    @property
    def scores(self) -> Floats:
        """(N,) the score of each clip."""
        return np.array([scored.score for scored in self.clips], dtype=np.float64)

    @property
    def both_classes(self) -> bool:
        """Whether there are fights and others."""
        return bool(self.labels.any()) and not bool(self.labels.all())

    def counts(self) -> tuple[int, int, int, int]:
        """Fights found, fights missed, others taken for fights, others left alone."""
        labels, found = self.labels, self.scores >= self.threshold
        return (
            int(np.sum(labels & found)),
            int(np.sum(labels & ~found)),
            int(np.sum(~labels & found)),
            int(np.sum(~labels & ~found)),
        )

    def as_json(self) -> dict[str, Any]:
        """As documented for `tynysh evaluate fights --json`."""
        found, missed, wrong, calm = self.counts()
        n = len(self.clips)
        return {
            "n": n,
            "accuracy": (found + calm) / n,
            "auc": roc_auc(self.labels, self.scores),
            "average_precision": average_precision(self.labels, self.scores),
            "threshold": self.threshold,
            "accuracy_interval": wilson(found + calm, n),
            "auc_interval": self._bootstrap(roc_auc),
            "average_precision_interval": self._bootstrap(average_precision),
            "recall": found / (found + missed) if found + missed else None,
            "recall_interval": wilson(found, found + missed),
            "false_alarm_rate": wrong / (wrong + calm) if wrong + calm else None,
            "false_alarm_rate_interval": wilson(wrong, wrong + calm),
            "note": None
            if self.both_classes
            else "All clips are of one class: AUC and average precision need both.",
            "clips": [
                {"path": scored.clip.path, "score": scored.score, "fight": int(scored.clip.fight)}
                for scored in self.clips
            ],
        }

    def _bootstrap(self, measure: Callable[[Labels, Floats], float | None]) -> tuple[float, float] | None:
        """Percentile interval over resampled sources, for clips of one source err alike."""
        if not self.both_classes:
            return None
        names = [scored.clip.source or scored.clip.path for scored in self.clips]
        groups = [np.flatnonzero(np.array(names) == name) for name in sorted(set(names))]
        random = np.random.default_rng(SEED)
        values: list[float] = []
        for _ in range(BOOTSTRAPS):
            drawn = np.concatenate([groups[g] for g in random.integers(0, len(groups), len(groups))])
            value = measure(self.labels[drawn], self.scores[drawn])
            if value is not None:
                values.append(value)
        low, high = np.quantile(values, (0.025, 0.975))
        return float(low), float(high)


def read_clips(path: Path) -> list[LabelledClip]:
    """The rows of a CSV with the columns `path` (relative to the file's folder), `fight` (1 or 0), and perhaps
    `source_video` (the camera or recording that a clip was cut from). Raises ListError with all faults.
    """
    clips: list[LabelledClip] = []
    faults = Faults()
    for row in rows(path, ("path", "fight")):
        name, label = row.get("path"), row.get("fight")
        file = path.parent / name
        if not name:
            faults.add(row.where, "there is no path.")
        elif label not in {"0", "1"}:
            faults.add(row.where, f"fight is {label!r}, and must be 1 or 0.")
        elif not faults.add_if_missing(row.where, file, folders=False):
            clips.append(LabelledClip(name, file, label == "1", row.get("source_video") or None, row.where))
    faults.raise_if_any()
    if not clips:
        raise ListError(f"{path} lists no clips.")
    return clips


def score_clip(path: Path, pipeline: Pipeline) -> float:
    """The highest fight score of the clip, in [0, 1], through a new `pipeline`. Raises MediaError."""
    highest = 0.0

    def listen(step: Step) -> None:
        nonlocal highest
        for signal in step.signals:
            if signal.behaviour == Behaviour.FIGHT:
                highest = max(highest, signal.score)

    analyse_video(VideoFile(path), pipeline, on_step=listen, keep_people=False)
    return highest


def evaluate(
    clips: Sequence[LabelledClip],
    pipeline: Callable[[], Pipeline],
    *,
    threshold: float | None = None,
    on_clip: Callable[[], None] = lambda: None,
) -> Report:
    """Score each clip through a new pipeline of `pipeline()`; raises TynyshError where a clip cannot be read.

    threshold: at which a score counts as a fight; the shipped one by default.
    """
    scored: list[ScoredClip] = []
    for clip in clips:
        try:
            score = score_clip(clip.file, pipeline())
        except TynyshError as error:
            raise ListError(f"{clip.row}: {error.message}", hint=error.hint) from error
        if not math.isfinite(score):
            raise ListError(f"{clip.row}: {clip.path} got no score.")
        scored.append(ScoredClip(clip, score))
        on_clip()
    return Report(tuple(scored), FightSettings().threshold if threshold is None else threshold)
