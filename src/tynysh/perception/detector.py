"""The people in a frame."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box, areas, iou_matrix, shared_areas
from tynysh.media.frame import Frame, Image
from tynysh.media.source import plugin_of
from tynysh.media.source_spec import SourceKind, SourceSpec
from tynysh.perception.engine import Array, Cut, Network, Precision, batch_for, load_network
from tynysh.perception.models import ensure
from tynysh.scene.person import Person

DETECTOR_MODEL = "yolox-tiny-person"
INPUT_LENGTH = 416
"""Longer side of the network's input, pixels: the one that the weights were trained for, and the best for its cost
(`benchmarks/networks.py`, docs/developer/perception.md)."""

MIN_SCORE = 0.1
"""ByteTrack keeps people who are half hidden by detections of low score. Who counts people should ask for 0.4."""

_STRIDES = (8, 16, 32)
_PAD = 114
_PERSON = 0
_WITHIN = 0.95
_LIKE_SIZE = 0.4
_BATCH = 8
# The graph in the file begins by folding 2x2 pixels into channels and ends in decoding and suppression, both
# written for 416x416 only. Between these tensors it takes any size that is a multiple of 32. Outputs: class
# scores, objectness and box of each of the three levels, fine to coarse.
YOLOX_CUT = Cut(inputs=("509",), outputs=("807", "826", "845", "809", "828", "847", "808", "827", "846"))


class Detector(Protocol):
    """Finds people. Implementations are shared between cameras and threads."""

    def detect(self, frame: Frame) -> Sequence[Person]:
        """The people in `frame`, boxes in its pixels, best first; blocks until they are known."""
        ...


@runtime_checkable
class PartDetector(Detector, Protocol):
    """Finds people in parts of a picture too, each seen as sharply as the network can."""

    def detect_parts(self, frame: Frame, parts: Sequence[Box]) -> Sequence[Sequence[Person]]:
        """The people in each of `parts` (pixels of `frame`), boxes in pixels of the frame; blocks."""
        ...


@runtime_checkable
class BringsDetector(Protocol):
    """A kind of source (`media.source.SourcePlugin`) that knows who is in its pictures, as drawn scenes do."""

    def detector(self, spec: SourceSpec) -> Detector:
        """Finds the people in the pictures of `spec`, with their keypoints. Raises SourceError."""
        ...


def own_detector(spec: SourceSpec) -> Detector | None:
    """The detector that the source brings in place of a network; None for those who bring none. Raises SourceError."""
    plugged = plugin_of(spec) if spec.kind is SourceKind.PLUGGED else None
    return plugged.detector(spec) if isinstance(plugged, BringsDetector) else None


class YoloxDetector:
    """YOLOX (Ge et al., 2021, arXiv:2107.08430) for one class, persons.

    network_for: the network for inputs of (height, width); called once for each shape of picture.
    length: the longer side of the network's input, pixels. The shorter one follows the picture, so that a 4:3
        picture costs three quarters of a square one.
    min_score: detections below are not reported. Low ones are reported on purpose: ByteTrack uses them to
        keep a person who is half hidden.
    overlap: of two boxes with a greater intersection over union, the better one stays.
    """

    def __init__(
        self,
        network_for: Callable[[int, int], Network],
        *,
        length: int = INPUT_LENGTH,
        min_score: float = MIN_SCORE,
        overlap: float = 0.6,
    ) -> None:
        self._network_for = network_for
        self._length = length
        self._min_score = min_score
        self._overlap = overlap
        self._networks: dict[tuple[int, int], Network] = {}
        self._lock = threading.Lock()

    def detect(self, frame: Frame) -> Sequence[Person]:
        """The people in `frame`, boxes in its pixels, best first; blocks until they are known."""
        return self.detect_parts(frame, [Box(0, 0, frame.width, frame.height)])[0]

    def detect_parts(self, frame: Frame, parts: Sequence[Box]) -> Sequence[Sequence[Person]]:
        """The people in each of `parts` of `frame` (in its pixels), boxes in pixels of the frame, best first.

        The parts are asked about together, and so go through the network in one batch where batches pay.
        """
        crops = [self._crop(frame, part) for part in parts]
        if len(crops) == 1:
            return [self._people(crops[0], self._network(crops[0].shape).infer(crops[0].input))]
        waiting = [self._network(crop.shape).submit(crop.input) for crop in crops]
        return [self._people(crop, answer.result()) for crop, answer in zip(crops, waiting, strict=True)]

    def _crop(self, frame: Frame, part: Box) -> "_Crop":
        left, top, right, bottom = map(round, part)
        scale = self._length / max(right - left, bottom - top)
        width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
        if (right - left, bottom - top) == (frame.width, frame.height):
            picture = frame.bgr_resized(width, height)
        else:
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            picture = cv2.resize(frame.bgr[top:bottom, left:right], (width, height), interpolation=way)  # type: ignore[assignment]
        shape = (_multiple_of_32(height), _multiple_of_32(width))
        stretch = np.array([(right - left) / width, (bottom - top) / height] * 2, dtype=np.float32)
        return _Crop(Box(left, top, right, bottom), scale, shape, stretch, folded(picture, shape))

    def _people(self, crop: "_Crop", outputs: Sequence[NDArray[np.float32]]) -> list[Person]:
        boxes, scores = decode(outputs, self._min_score)
        left, top, right, bottom = crop.part
        boxes = np.clip(boxes * crop.stretch, 0, [right - left, bottom - top] * 2) + [left, top] * 2
        kept = suppress(boxes.astype(np.float32), scores, self._overlap)
        return [Person(Box(*map(float, boxes[n])), float(scores[n]), input_scale=crop.scale) for n in kept]

    def close(self) -> None:
        """Give the networks back."""
        with self._lock:
            for network in self._networks.values():
                network.close()
            self._networks.clear()

    def _network(self, shape: tuple[int, int]) -> Network:
        network = self._networks.get(shape)
        if network is None:
            with self._lock:
                network = self._networks.get(shape) or self._network_for(*shape)
                self._networks[shape] = network
        return network


@dataclass(frozen=True, slots=True, eq=False)
class _Crop:
    """A part of a picture as the network sees it.

    part: in pixels of the picture. scale: pixels of the input for a pixel of the picture. shape: rows and columns of
    the input, with its margin. stretch: (4,) from pixels of the input to those of the picture, for each edge.
    """

    part: Box
    scale: float
    shape: tuple[int, int]
    stretch: NDArray[np.float32]
    input: Array


def folded(picture: Image, shape: tuple[int, int]) -> Array:
    """`picture` (height, width, 3) at the top left of a grey field of `shape`, as the network takes it.

    The result is (1, 12, rows / 2, columns / 2) float32 in 0..255: each 2x2 square of pixels becomes twelve
    channels (YOLOX's focus layer).
    """
    rows, columns = shape
    height, width = picture.shape[:2]
    if (height, width) != shape:
        picture = cv2.copyMakeBorder(  # type: ignore[assignment]
            picture, 0, rows - height, 0, columns - width, cv2.BORDER_CONSTANT, value=(_PAD, _PAD, _PAD)
        )
    squares = picture.reshape(rows // 2, 2, columns // 2, 2, 3).transpose(3, 1, 4, 0, 2)
    return squares.reshape(1, 12, rows // 2, columns // 2).astype(np.float32)


def decode(
    outputs: Sequence[NDArray[np.float32]], min_score: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (N, 4) in pixels of the network's input and scores (N,) of all cells above `min_score`.

    outputs: for the three levels their class scores (1, classes, rows, columns), then their objectness
        (1, 1, rows, columns), then their boxes (1, 4, rows, columns), before the sigmoid.
    """
    boxes, scores = [], []
    # A product of two sigmoids is above the threshold only if each is.
    least = math.log(min_score / (1 - min_score))
    for level, stride in enumerate(_STRIDES):
        person, present, shape = outputs[level][0, _PERSON], outputs[level + 3][0, 0], outputs[level + 6][0]
        y, x = np.nonzero((person > least) & (present > least))
        score = _sigmoid(person[y, x]) * _sigmoid(present[y, x])
        good = score >= min_score
        x, y, score = x[good], y[good], score[good]
        dx, dy, width, height = shape[:, y, x]
        centre_x, centre_y = (x + dx) * stride, (y + dy) * stride
        half_width, half_height = np.exp(width) * (stride / 2), np.exp(height) * (stride / 2)
        boxes.append(
            np.stack(
                [
                    centre_x - half_width,
                    centre_y - half_height,
                    centre_x + half_width,
                    centre_y + half_height,
                ],
                axis=1,
            )
        )
        scores.append(score)
    return np.concatenate(boxes).astype(np.float32), np.concatenate(scores).astype(np.float32)


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float) -> list[int]:
    """Which of `boxes` (N, 4) to keep, best first: each person once.

    Greedy non-maximum suppression by intersection over union above `overlap`; and of two boxes of like size where
    one lies within the other, the better one, as these are one person with and without a bag or a shadow. A much
    smaller box within a larger one stays: it may be somebody further away.
    """
    ious, sizes = iou_matrix(boxes, boxes), areas(boxes)
    within = shared_areas(boxes, boxes) >= _WITHIN * np.minimum(sizes[:, None], sizes[None, :])
    same = (ious > overlap) | (within & (ious > _LIKE_SIZE))
    gone = np.zeros(len(boxes), dtype=bool)
    kept: list[int] = []
    for n in np.argsort(-scores, kind="stable"):
        if not gone[n]:
            kept.append(int(n))
            gone |= same[n]
    return kept


def load_detector(
    device: str = "CPU",
    *,
    length: int = INPUT_LENGTH,
    min_score: float = MIN_SCORE,
    precision: Precision = "fast",
    model: Path | None = None,
) -> YoloxDetector:
    """The person detector on `device` (see `load_network`); its model is fetched if it is not here yet."""
    path = model or ensure(DETECTOR_MODEL)

    batch = batch_for(device, _BATCH)

    def network_for(height: int, width: int) -> Network:
        return load_network(
            path,
            device=device,
            shapes=[(1 if batch == 1 else -1, 12, height // 2, width // 2)],
            cut=YOLOX_CUT,
            precision=precision,
            batch=batch,
        )

    return YoloxDetector(network_for, length=length, min_score=min_score)


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-x))).astype(np.float32)


def _multiple_of_32(length: int) -> int:
    return -(-length // 32) * 32
