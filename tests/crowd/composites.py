"""Pictures with known numbers of people, made of OpenCV's vtest.avi: many small people, and many who hide each other.

`data/vtest_counts.csv` has the people on every twentieth frame, counted by eye on the picture at twice its size:
everybody of whom a part can be recognised, half hidden or half outside too, but no slivers of a few pixels at the
edge. `far` of them are in the far background, where the labels of MOTChallenge have nobody.
"""

import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from tests.perception.mot import read_labels

from tynysh.geometry import Box
from tynysh.media.frame import Frame, Image

EVERY = 20
"""Frames from one that was counted to the next."""

_COUNTS = Path(__file__).parent / "data" / "vtest_counts.csv"
_FRAMES = 780
_APART = 7 * EVERY
_DIFFERENT = 24


@dataclass(frozen=True)
class Counted:
    """People on a frame; `far` of them in the far background."""

    people: int
    far: int


def read_counts() -> dict[int, Counted]:
    """The counts by frame, from 0."""
    with _COUNTS.open(newline="") as file:
        return {
            int(row["frame"]) - 1: Counted(int(row["count"]), int(row["far"])) for row in csv.DictReader(file)
        }


def pictures(path: Path, start: int = 0) -> Iterator[Image]:
    """The first 780 frames from `start` on, over and over."""
    while True:
        with av.open(str(path)) as container:
            for picture in itertools.islice(container.decode(video=0), start, _FRAMES):
                yield picture.to_ndarray(format="bgr24")  # type: ignore[misc]
        start = 0


def mosaic(path: Path, across: int, count: int, *, step: int = 1) -> Iterator[Frame]:
    """Every `step`-th of `count` frames, ten a second, each `across` x `across` frames of the video of different times
    side by side.
    """
    tiles = [pictures(path, _start(tile)) for tile in range(across * across)]
    for index in range(count):
        shown = [next(tile) for tile in tiles]
        if index % step:
            continue
        rows = [np.hstack(shown[row * across : (row + 1) * across]) for row in range(across)]
        yield Frame(np.vstack(rows), time_s=index / 10, index=index)  # type: ignore[arg-type]


def mosaic_count(counts: dict[int, Counted], across: int, index: int) -> int:
    """The people on frame `index`, a multiple of `EVERY`, of a mosaic."""
    return sum(counts[(_start(tile) + index) % _FRAMES].people for tile in range(across * across))


def mosaic_boxes(across: int, index: int, width: int, height: int) -> list[Box]:
    """The labelled people on frame `index`, a multiple of `EVERY`, of a mosaic of `width` x `height` pictures."""
    labels = read_labels()
    return [
        Box(left + x * width, top + y * height, right + x * width, bottom + y * height)
        for y, x in itertools.product(range(across), repeat=2)
        for left, top, right, bottom in (
            label.box for label in labels[(_start(y * across + x) + index) % _FRAMES + 1]
        )
    ]


def _start(tile: int) -> int:
    return tile * _APART % _FRAMES


@dataclass(frozen=True)
class Crowd:
    """A picture with people pasted over each other, the nearer ones in front.

    boxes: of everybody, in pixels. shown: the part of each that can be seen.
    """

    picture: Image
    boxes: list[Box]
    shown: list[float]


class Cuttings:
    """The labelled people of the video cut out of their frames, and the square without them."""

    def __init__(self, path: Path) -> None:
        labels = read_labels()
        with av.open(str(path)) as container:
            frames: dict[int, Image] = {
                index + 1: picture.to_ndarray(format="bgr24")  # type: ignore[misc]
                for index, picture in enumerate(itertools.islice(container.decode(video=0), _FRAMES))
                if index + 1 in labels
            }
        self.square: Image = np.median(np.stack(list(frames.values())[::4]), axis=0).astype(np.uint8)
        self._cut = {
            frame: [(label.box, _shape(picture, self.square, label.box)) for label in labels[frame]]
            for frame, picture in frames.items()
        }
        self._frames = frames

    def crowd(self, frames: Sequence[int]) -> Crowd:
        """Everybody of these labelled frames on the square at once."""
        people = sorted(
            ((frame, box, shape) for frame in frames for box, shape in self._cut[frame]),
            key=lambda person: person[1].bottom,
        )
        picture = self.square.copy()
        owner = np.full(picture.shape[:2], -1)
        for number, (frame, _, shape) in enumerate(people):
            picture[shape] = self._frames[frame][shape]
            owner[shape] = number
        sizes = [int(shape.sum()) for _, _, shape in people]
        shown = np.bincount(owner[owner >= 0], minlength=len(people))
        return Crowd(
            picture,
            [box for _, box, _ in people],
            [float(seen / max(1, size)) for seen, size in zip(shown, sizes, strict=True)],
        )

    @property
    def frames(self) -> list[int]:
        """The labelled frames, from 1."""
        return sorted(self._cut)


def _shape(picture: Image, square: Image, box: Box) -> NDArray[np.bool_]:
    """Where in the picture the person of `box` is."""
    left, top, right, bottom = (round(edge) for edge in box.clipped(picture.shape[1], picture.shape[0]))
    different = cv2.absdiff(picture, square).max(axis=2) > _DIFFERENT
    shape = np.zeros(picture.shape[:2], dtype=np.uint8)
    shape[top:bottom, left:right] = different[top:bottom, left:right]
    return cv2.morphologyEx(shape, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)).astype(bool)
