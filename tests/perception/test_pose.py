"""Joints are found in pixels of the frame, for the people for whom it matters."""

from concurrent.futures import Future
from pathlib import Path

import av
import numpy as np
import pytest

from tynysh.errors import ModelError
from tynysh.geometry import Box, box_array
from tynysh.media.frame import Frame
from tynysh.perception.detector import load_detector
from tynysh.perception.engine import Array, Outputs
from tynysh.perception.pose import PoseEstimator, UsualHeights, gaps, load_pose, people_who_matter
from tynysh.scene.person import Joint
from tynysh.scene.track import Track


class Beacon:
    """A network that sees all joints where the picture is brightest, with a confidence that is set."""

    def __init__(self, confidence: float = 0.8) -> None:
        self.confidence = confidence
        self.requests: list[int] = []

    def infer(self, *inputs: Array) -> Outputs:
        (batch,) = inputs
        self.requests.append(len(batch))
        across = np.zeros((len(batch), 26, 384), dtype=np.float32)
        down = np.zeros((len(batch), 26, 512), dtype=np.float32)
        for n, picture in enumerate(batch.sum(axis=1)):
            y, x = np.unravel_index(picture.argmax(), picture.shape)
            across[n, :, 2 * x], down[n, :, 2 * y] = self.confidence, 1.7
        return across, down

    def submit(self, *inputs: Array) -> Future[Outputs]:
        future: Future[Outputs] = Future()
        future.set_result(self.infer(*inputs))
        return future

    def close(self) -> None:
        self.requests.clear()


def lit(*points: tuple[int, int]) -> Frame:
    picture = np.zeros((480, 640, 3), dtype=np.uint8)
    for x, y in points:
        picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    return Frame(picture, time_s=0, index=0)


@pytest.mark.parametrize("together", [False, True])
def test_joints_are_in_pixels_of_the_frame_and_in_the_order_of_the_boxes(together: bool) -> None:
    network = Beacon()
    frame = lit((120, 90), (430, 300), (635, 470))
    boxes = [Box(400, 200, 460, 400), Box(60, 60, 220, 120), Box(600, 300, 640, 480)]
    found = PoseEstimator(network, together=together).estimate(frame, boxes)
    for keypoints, point in zip(found, [(430, 300), (120, 90), (635, 470)], strict=True):
        assert keypoints.shape == (26, 3)
        assert keypoints.dtype == np.float32
        np.testing.assert_allclose(keypoints[:, :2], [point] * 26, atol=4)
        np.testing.assert_allclose(keypoints[:, 2], 0.8)
    assert network.requests == ([3] if together else [1, 1, 1])


def test_confidence_stays_within_zero_and_one() -> None:
    (keypoints,) = PoseEstimator(Beacon(1.3)).estimate(lit((100, 100)), [Box(50, 50, 150, 250)])
    assert keypoints[:, 2].max() <= 1
    (keypoints,) = PoseEstimator(Beacon(-0.2)).estimate(lit((100, 100)), [Box(50, 50, 150, 250)])
    assert keypoints[:, 2].min() >= 0


def test_nobody_costs_nothing() -> None:
    network = Beacon()
    assert PoseEstimator(network).estimate(lit(), []) == []
    assert network.requests == []


def track(id_: int, left: float, bottom: float, height: float = 160, width: float = 60) -> Track:
    box = Box(left, bottom - height, left + width, bottom)
    return Track(id=id_, box=box, score=0.9, velocity=(0, 0), born_s=0, seen_s=1)


def chosen(*tracks: Track, **options: object) -> list[int]:
    found = people_who_matter(tracks, options.pop("zones", ()), width=1000, height=600, **options)  # type: ignore[arg-type]
    return [one.id for one in found]


def test_people_who_walk_alone_do_not_matter() -> None:
    assert chosen(track(1, 0, 400), track(2, 400, 400), track(3, 800, 400)) == []


def test_people_near_each_other_matter() -> None:
    assert chosen(track(1, 0, 400), track(2, 70, 410), track(3, 800, 400)) == [1, 2]


def test_near_is_relative_to_the_size_of_people() -> None:
    assert chosen(track(1, 100, 400), track(2, 200, 400)) == [1, 2]
    assert chosen(track(1, 100, 400, height=40, width=15), track(2, 155, 400, height=40, width=15)) == []


def test_who_passes_far_behind_is_not_near() -> None:
    in_front, far_behind = track(1, 100, 500, height=300, width=110), track(2, 130, 330, height=90, width=35)
    assert chosen(in_front, far_behind) == []
    assert gaps(box_array([in_front.box, far_behind.box]))[0, 1] == float("inf")


def test_who_lies_or_has_dropped_comes_first() -> None:
    near_each_other = [track(1, 0, 400), track(2, 70, 400)]
    lying = track(3, 500, 420, height=50, width=150)
    crouched = track(4, 800, 400, height=90, width=60)
    assert chosen(*near_each_other, lying) == [3, 1, 2]
    assert chosen(*near_each_other, crouched, usual_heights={4: 160.0}) == [4, 1, 2]
    assert chosen(*near_each_other, crouched, usual_heights={4: 100.0}) == [1, 2]


def test_a_zone_that_asks_is_answered() -> None:
    left_half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    assert chosen(track(1, 100, 600), track(2, 800, 400), zones=[left_half]) == [1]


def test_the_nearest_are_chosen_when_there_are_too_many() -> None:
    pairs = [track(1, 0, 400), track(2, 100, 400), track(3, 400, 400), track(4, 465, 400)]
    assert chosen(*pairs, most=2) == [3, 4]
    assert len(chosen(*pairs, most=3)) == 3


def test_usual_heights_follow_who_walks_away_but_not_who_falls() -> None:
    usual = UsualHeights(memory_s=2.0)
    for step in range(100):
        height = 160 - 0.4 * step
        heights = usual.observe([track(1, 0, 400, height=height), track(2, 300, 400)], step * 0.2)
    assert heights[1] == pytest.approx(160 - 0.4 * 99, rel=0.05)
    heights = usual.observe([track(2, 300, 400, height=60)], 20.2)
    assert heights[2] > 140
    assert 1 not in heights


@pytest.mark.footage
def test_upright_people_are_understood(vtest: Path) -> None:
    try:
        pose, detector = load_pose(), load_detector()
    except ModelError as error:
        pytest.skip(f"the models cannot be had here: {error.message.splitlines()[-1]}")
    with av.open(str(vtest)) as video:
        frame = Frame(next(video.decode(video=0)), time_s=0, index=0)
    boxes = [person.box for person in detector.detect(frame) if person.score > 0.7]
    assert boxes
    for box, keypoints in zip(boxes, pose.estimate(frame, boxes), strict=True):
        head, hip, ankle = (keypoints[joint] for joint in (Joint.HEAD, Joint.HIP, Joint.LEFT_ANKLE))
        assert head[1] < hip[1] < ankle[1]
        assert abs(head[1] - box.top) < 0.15 * box.height
        assert abs(ankle[1] - box.bottom) < 0.2 * box.height
        assert keypoints[:, 2].mean() > 0.3
    pose.close()
    detector.close()
