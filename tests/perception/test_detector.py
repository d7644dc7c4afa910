"""The detector finds people where they are, each once, best first."""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tynysh.errors import ModelError
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.detector import YoloxDetector, decode, folded, load_detector, suppress
from tynysh.perception.engine import Array, Outputs, load_network
from tynysh.perception.models import ensure

LEVELS = (8, 16, 32)


def empty(rows: int, columns: int) -> list[NDArray[np.float32]]:
    """Outputs of a network that sees nobody, for an input of that size."""
    outputs = []
    for channels, value in ((80, -12.0), (1, -12.0), (4, 0.0)):
        outputs += [
            np.full((1, channels, rows // stride, columns // stride), value, dtype=np.float32)
            for stride in LEVELS
        ]
    return outputs


def put(
    outputs: list[NDArray[np.float32]],
    level: int,
    cell: tuple[int, int],
    size: tuple[float, float],
    score: float,
) -> None:
    """Let the cell (column, row) see a person of `size` pixels around its corner."""
    x, y = cell
    outputs[level][0, 0, y, x] = 20.0
    outputs[level + 3][0, 0, y, x] = np.log(score / (1 - score))
    outputs[level + 6][0, 2:, y, x] = np.log(np.array(size) / LEVELS[level])


class Scripted:
    """A network whose answer is known."""

    def __init__(self, outputs: Sequence[NDArray[np.float32]]) -> None:
        self.outputs = tuple(outputs)
        self.seen: list[Array] = []

    def infer(self, *inputs: Array) -> Outputs:
        self.seen.extend(inputs)
        return self.outputs

    def submit(self, *inputs: Array) -> Future[Outputs]:
        raise NotImplementedError

    def close(self) -> None:
        self.outputs = ()


def test_boxes_are_in_pixels_of_the_frame_and_inside_it() -> None:
    outputs = empty(256, 416)
    put(outputs, 1, (10, 5), (32, 64), 0.9)  # centre (160, 80)
    put(outputs, 0, (0, 0), (40, 40), 0.5)  # half outside
    detector = YoloxDetector(lambda _rows, _columns: Scripted(outputs))
    frame = Frame(np.zeros((1080, 1920, 3), dtype=np.uint8), time_s=0, index=0)
    best, corner = detector.detect(frame)
    scale = 1920 / 416
    assert best.box == pytest.approx((144 * scale, 48 * scale, 176 * scale, 112 * scale), rel=2e-3)
    assert best.score == pytest.approx(0.9, abs=1e-4)
    assert (corner.box.left, corner.box.top) == (0, 0)
    assert best.score > corner.score


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [(768, 576, (320, 416)), (1920, 1080, (256, 416)), (1080, 1920, (416, 256)), (500, 500, (416, 416))],
)
def test_the_input_follows_the_shape_of_the_picture(width: int, height: int, shape: tuple[int, int]) -> None:
    asked = []

    def network_for(rows: int, columns: int) -> Scripted:
        asked.append((rows, columns))
        return Scripted(empty(rows, columns))

    detector = YoloxDetector(network_for)
    frame = Frame(np.zeros((height, width, 3), dtype=np.uint8), time_s=0, index=0)
    assert detector.detect(frame) == []
    assert detector.detect(frame) == []
    assert asked == [shape]  # one network for each shape


def test_a_picture_is_folded_two_by_two_and_padded_with_grey() -> None:
    picture = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    field = folded(picture, (8, 8))
    assert field.shape == (1, 12, 4, 4)
    for x in (0, 1):
        for y in (0, 1):
            for colour in range(3):
                channel = field[0, (x * 2 + y) * 3 + colour]
                np.testing.assert_array_equal(channel[:3], picture[y::2, x::2, colour])
                assert (channel[3] == 114).all()


def test_only_persons_above_the_threshold_are_decoded() -> None:
    outputs = empty(64, 64)
    put(outputs, 0, (2, 3), (16, 24), 0.30)
    put(outputs, 1, (1, 1), (20, 40), 0.05)
    outputs[2][0, 16, 1, 1] = outputs[5][0, 0, 1, 1] = 20.0  # a dog
    boxes, scores = decode(outputs, 0.1)
    np.testing.assert_allclose(boxes, [[8, 12, 24, 36]], atol=1e-4)
    np.testing.assert_allclose(scores, [0.3], atol=1e-5)


def test_one_person_is_reported_once() -> None:
    boxes = np.array(
        [
            [0, 0, 40, 100],
            [2, 3, 41, 101],  # the same again
            [5, 30, 35, 98],  # the same without the head
            [25, 0, 65, 100],  # somebody half behind
            [10, 5, 20, 30],  # somebody far away behind
        ],
        dtype=np.float32,
    )
    scores = np.array([0.7, 0.9, 0.5, 0.6, 0.4], dtype=np.float32)
    assert suppress(boxes, scores, 0.6) == [1, 3, 4]
    assert suppress(boxes[:0], scores[:0], 0.6) == []


@pytest.fixture(scope="module")
def model() -> Path:
    try:
        return ensure("yolox-tiny-person")
    except ModelError as error:
        pytest.skip(f"the model cannot be had here: {error.message.splitlines()[-1]}")


@pytest.fixture(scope="module")
def walkers(vtest: Path) -> list[Frame]:
    with av.open(str(vtest)) as video:
        pictures = [
            picture for n, picture in zip(range(241), video.decode(video=0), strict=False) if n % 60 == 0
        ]
    return [Frame(picture, time_s=n * 6.0, index=n * 60) for n, picture in enumerate(pictures)]


@pytest.mark.footage
def test_the_part_of_the_graph_that_runs_finds_what_the_whole_graph_finds(
    model: Path, walkers: list[Frame]
) -> None:
    square = [Frame(np.ascontiguousarray(frame.bgr[80:496, 200:616]), time_s=0, index=0) for frame in walkers]
    whole = load_network(model, precision="exact")
    detector = load_detector(precision="exact", model=model)
    try:
        for frame in square:
            (rows, _labels) = whole.infer(frame.bgr.transpose(2, 0, 1)[None].astype(np.float32))
            reference = rows[0][rows[0, :, 4] > 0.4]
            found = [person for person in detector.detect(frame) if person.score > 0.4]
            assert len(found) > 0
            for person in found:
                row = reference[np.argmin(np.abs(reference[:, 4] - person.score))]
                assert row[4] == pytest.approx(person.score, abs=1e-3)
                np.testing.assert_allclose(np.clip(row[:4], 0, 416), person.box, atol=0.5)
    finally:
        detector.close()
        whole.close()


@pytest.mark.footage
def test_people_who_walk_across_a_square_are_found(model: Path, walkers: list[Frame]) -> None:
    detector = load_detector(model=model)
    try:
        counts = [sum(person.score > 0.4 for person in detector.detect(frame)) for frame in walkers]
        again = [sum(person.score > 0.4 for person in detector.detect(frame)) for frame in walkers]
    finally:
        detector.close()
    assert counts == again
    assert min(counts) >= 3
    assert sum(counts) / len(counts) >= 4.5


@pytest.mark.footage
def test_a_part_of_a_picture_is_seen_as_the_same_picture_alone(model: Path, walkers: list[Frame]) -> None:
    detector = load_detector(model=model)
    part = Box(200, 80, 616, 392)
    alone = Frame(np.ascontiguousarray(walkers[1].bgr[80:392, 200:616]), time_s=0, index=0)
    try:
        whole, found = detector.detect_parts(walkers[1], [Box(0, 0, 768, 576), part])
        expected = detector.detect(alone)
        assert [person.box for person in whole] == [person.box for person in detector.detect(walkers[1])]
    finally:
        detector.close()
    assert len(found) == len(expected) > 1
    for person, same in zip(found, expected, strict=True):
        shifted = (same.box.left + 200, same.box.top + 80, same.box.right + 200, same.box.bottom + 80)
        assert person.box == pytest.approx(shifted, abs=0.5)
        assert person.score == pytest.approx(same.score, abs=0.02)
        assert person.input_scale == 1.0
