"""Where the joints of a person are, and whose joints are worth finding."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box, Point, Polygon, box_array, contains
from tynysh.media.frame import Frame, Image
from tynysh.perception.engine import Array, Network, Outputs, Precision, batch_for, load_network
from tynysh.perception.models import ensure
from tynysh.scene.person import Keypoints
from tynysh.scene.track import Track

POSE_MODEL = "rtmpose-s-26"

INPUT_WIDTH, INPUT_HEIGHT = 192, 256
_MARGIN = 1.25
_BINS_PER_PIXEL = 2
_MEAN = (123.675, 116.28, 103.53)
_STD = np.array([58.395, 57.12, 57.375], dtype=np.float32).reshape(1, 3, 1, 1)
_BATCH = 16

NEAR = 0.35
"""Two people are near each other if the gap between their boxes is at most this part of their size: about an arm's
length."""

_SAME_DEPTH = 0.6
_SAME_SIZE = 2.0
_DROPPED = 0.65


class PoseEstimator:
    """RTMPose (Jiang et al., 2023, arXiv:2303.07399): one person at a time, coordinates as classes (SimCC).

    network: RTMPose for 26 keypoints, inputs (N, 3, 256, 192). Shared between cameras and threads.
    together: whether all people of a frame go into one batch. On a CPU one request for each is as quick, uses all
        streams, and makes nobody's joints depend on who else is there.
    """

    def __init__(self, network: Network, *, together: bool = False) -> None:
        self._network = network
        self._together = together

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Keypoints]:
        """The joints of the person in each of `boxes` (pixels of the frame), in the same order.

        Confidences below 0.3 mean that the joint is hidden or guessed.
        """
        if not boxes:
            return []
        crops = [_region(box) for box in boxes]
        inputs = [_input(frame.bgr, crop) for crop in crops]
        outputs: list[Outputs]
        if self._together:
            across, down = self._network.infer(np.concatenate(inputs))
            outputs = [(across[n : n + 1], down[n : n + 1]) for n in range(len(boxes))]
        else:
            outputs = [future.result() for future in [self._network.submit(one) for one in inputs]]
        return [decode(across[0], down[0], crop) for (across, down), crop in zip(outputs, crops, strict=True)]

    def close(self) -> None:
        """Give the network back."""
        self._network.close()


def decode(across: NDArray[np.float32], down: NDArray[np.float32], region: Box) -> Keypoints:
    """Keypoints in pixels of the frame from SimCC scores `across` (26, 384) and `down` (26, 512) of a `region`.

    A joint is where its scores are highest; its confidence is the lower of the two, held to [0, 1].
    """
    x, y = across.argmax(axis=1), down.argmax(axis=1)
    confidence = np.minimum(across.max(axis=1), down.max(axis=1))
    scale = region.width / (INPUT_WIDTH * _BINS_PER_PIXEL)
    keypoints = np.stack([region.left + x * scale, region.top + y * scale, np.clip(confidence, 0, 1)], axis=1)
    return keypoints.astype(np.float32)


def load_pose(
    device: str = "CPU", *, precision: Precision = "fast", model: Path | None = None
) -> PoseEstimator:
    """The pose estimator on `device` (see `load_network`); its model is fetched if it is not here yet."""
    batch = batch_for(device, _BATCH)
    network = load_network(
        model or ensure(POSE_MODEL),
        device=device,
        shapes=[(1 if batch == 1 else -1, 3, INPUT_HEIGHT, INPUT_WIDTH)],
        precision=precision,
        batch=batch,
    )
    return PoseEstimator(network, together=batch > 1)


class UsualHeights:
    """How high each track's box usually is, pixels: a mean over the last seconds of stream time.

    A person who walks away shrinks slowly and is followed by the mean; one who falls does not wait for it.
    """

    def __init__(self, *, memory_s: float = 3.0) -> None:
        self._memory_s = memory_s
        self._heights: dict[int, tuple[float, float]] = {}

    def observe(self, tracks: Sequence[Track], time_s: float) -> Mapping[int, float]:
        """Take in the tracks at an instant; the usual height by track id, for those that are still there."""
        heights: dict[int, tuple[float, float]] = {}
        for track in tracks:
            usual, last_s = self._heights.get(track.id, (track.box.height, time_s))
            weight = 1 - math.exp(-max(0.0, time_s - last_s) / self._memory_s)
            heights[track.id] = (usual + weight * (track.box.height - usual), time_s)
        self._heights = heights
        return {id_: usual for id_, (usual, _) in heights.items()}


def people_who_matter(
    tracks: Sequence[Track],
    zones: Sequence[Polygon],
    *,
    width: int,
    height: int,
    usual_heights: Mapping[int, float] | None = None,
    most: int = 6,
) -> list[Track]:
    """The tracks whose pose should be estimated, the most urgent first, at most `most`.

    First those who may be down (box wider than high, or much lower than usual), then those who stand in one of
    `zones` (polygons, normalised) that ask for pose, then those who are near somebody, the nearest first. Being
    near is judged relative to the size of the people, and only between people who are about equally far from the
    camera.

    width, height: of the picture, pixels.
    """
    usual = usual_heights or {}
    urgency: dict[int, tuple[int, float]] = {}
    for track in tracks:
        expected = usual.get(track.id, track.box.height)
        foot: Point = (track.box.foot[0] / width, min(track.box.foot[1] / height, 1 - 1e-6))
        if track.box.width > track.box.height or track.box.height < _DROPPED * expected:
            urgency[track.id] = (0, track.box.height / max(expected, 1e-6))
        elif any(contains(zone, foot) for zone in zones):
            urgency[track.id] = (1, -track.box.height)
    nearest = gaps(box_array([track.box for track in tracks])).min(axis=1, initial=math.inf)
    for track, apart in zip(tracks, nearest.tolist(), strict=True):
        if apart <= NEAR:
            urgency[track.id] = min(urgency.get(track.id, (2, apart)), (2, apart))
    chosen = [track for track in tracks if track.id in urgency]
    return sorted(chosen, key=lambda track: (urgency[track.id], track.id))[:most]


def gaps(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The distance between any two people's boxes (N, 4) in parts of their mean size, as (N, N); 0 if they touch.

    Infinite from oneself, and if one stands far behind the other: feet on different heights of the picture, or one
    much smaller. The size of a person is the longer side of the box, so that who lies is not small.
    """
    left, top, right, bottom = boxes.T
    sizes = np.maximum(np.maximum(right - left, bottom - top), 0)
    larger, smaller = np.maximum(sizes[:, None], sizes), np.minimum(sizes[:, None], sizes)
    size = np.maximum((larger + smaller) / 2, 1e-6)
    across = np.maximum(0, np.maximum(left[:, None], left) - np.minimum(right[:, None], right))
    down = np.maximum(0, np.maximum(top[:, None], top) - np.minimum(bottom[:, None], bottom))
    deep = np.abs(bottom[:, None] - bottom) > _SAME_DEPTH * size
    strangers = (smaller <= 0) | (larger > _SAME_SIZE * smaller) | deep
    apart = np.where(strangers, np.inf, np.hypot(across, down) / size).astype(np.float32)
    np.fill_diagonal(apart, np.inf)
    return apart


def _region(box: Box) -> Box:
    """The part of the picture around `box` that the network looks at: margin, and three to four."""
    x, y = box.centre
    width = max(box.width, box.height * INPUT_WIDTH / INPUT_HEIGHT, 1.0) * _MARGIN
    height = width * INPUT_HEIGHT / INPUT_WIDTH
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _input(picture: Image, region: Box) -> Array:
    """The region scaled to the network's size, (1, 3, 256, 192), red first, normalised; black outside."""
    scale = INPUT_WIDTH / region.width
    matrix = np.array([[scale, 0, -region.left * scale], [0, scale, -region.top * scale]], dtype=np.float32)
    crop = cv2.warpAffine(picture, matrix, (INPUT_WIDTH, INPUT_HEIGHT), flags=cv2.INTER_LINEAR)
    blob: Array = cv2.dnn.blobFromImage(crop, mean=_MEAN, swapRB=True)  # type: ignore[assignment]
    blob /= _STD
    return blob
