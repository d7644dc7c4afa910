"""How good tracks are against labels: CLEAR MOT (Bernardin, Stiefelhagen 2008), by motmetrics.

`data/vtest_labels.csv` holds every twentieth frame of OpenCV's vtest.avi, labelled by eye: whole bodies, also of
people half hidden or half outside. An id is one stay in the picture. People in the far background (`far`) count
neither as found nor as missed: MOTChallenge's labels of this sequence leave them out.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import motmetrics
import numpy as np

from tynysh.geometry import Box, box_array, iou_matrix
from tynysh.perception.track_log import LogEntry

VTEST_LABELS = Path(__file__).parent / "data" / "vtest_labels.csv"
ENOUGH_OVERLAP = 0.5


@dataclass(frozen=True)
class Label:
    """A person as labelled; box in pixels."""

    id: int
    box: Box
    far: bool


@dataclass(frozen=True)
class Quality:
    """CLEAR MOT on the labelled frames.

    Each change of identity between two labelled frames weighs as much as a person missed on one of them, so that
    `mota` is lower than it would be if every frame were labelled.
    """

    mota: float
    false: int
    missed: int
    switched: int
    overlap: float


def read_labels(path: Path = VTEST_LABELS) -> dict[int, list[Label]]:
    """The labels by frame, from 1."""
    labels: dict[int, list[Label]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            left, top, width, height = (float(row[key]) for key in ("left", "top", "width", "height"))
            box = Box(left, top, left + width, top + height)
            labels[int(row["frame"])].append(Label(int(row["id"]), box, row["far"] == "1"))
    return dict(labels)


def quality(labels: dict[int, list[Label]], entries: Iterable[LogEntry]) -> Quality:
    """How well `entries` agree with `labels` on the labelled frames, at intersection over union 0.5."""
    found: dict[int, list[LogEntry]] = defaultdict(list)
    for entry in entries:
        found[entry.frame].append(entry)
    accumulator = motmetrics.MOTAccumulator(auto_id=False)
    for frame, people in labels.items():
        near = [label for label in people if not label.far]
        far = box_array([label.box for label in people if label.far])
        claims = [
            entry
            for entry in found[frame]
            if not (iou_matrix(box_array([entry.box]), far) >= ENOUGH_OVERLAP).any()
        ]
        distances = 1.0 - iou_matrix(
            box_array([label.box for label in near]), box_array([entry.box for entry in claims])
        ).astype(float)
        distances[distances > 1 - ENOUGH_OVERLAP] = np.nan
        accumulator.update(
            [label.id for label in near], [entry.id for entry in claims], distances, frameid=frame
        )
    names = ["mota", "num_false_positives", "num_misses", "num_switches", "motp"]
    row = motmetrics.metrics.create().compute(accumulator, metrics=names, name="all").iloc[0]
    return Quality(
        mota=float(row["mota"]),
        false=int(row["num_false_positives"]),
        missed=int(row["num_misses"]),
        switched=int(row["num_switches"]),
        overlap=1 - float(row["motp"]),
    )
