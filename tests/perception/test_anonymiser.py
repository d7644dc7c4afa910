"""Nobody can be recognised in what is shown, and the rest of the picture stays as it was."""

import numpy as np
import pytest

from tynysh.geometry import Box
from tynysh.media.frame import Image
from tynysh.perception.anonymiser import anonymise, anonymise_whole, regions
from tynysh.scene.person import Joint, Keypoints, Person


def noise(height: int = 240, width: int = 320, seed: int = 5) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def detail(picture: Image) -> float:
    """Mean absolute difference of neighbouring pixels."""
    values = picture.astype(np.int16)
    return float(np.abs(np.diff(values, axis=0)).mean() + np.abs(np.diff(values, axis=1)).mean())


def part(picture: Image, box: Box) -> Image:
    left, top, right, bottom = (int(value) for value in box)
    return picture[max(0, top) : bottom, max(0, left) : right]


UPRIGHT = Box(100, 60, 160, 220)
HEAD = Box(112, 60, 148, 85)


def test_the_head_loses_its_detail_and_the_rest_keeps_every_pixel() -> None:
    before = noise()
    after = anonymise(before.copy(), [Person(UPRIGHT, 0.9)])
    assert detail(part(after, HEAD)) < 0.05 * detail(part(before, HEAD))
    changed = np.any(after != before, axis=2)
    rows, columns = np.nonzero(changed)
    (treated,) = regions([Person(UPRIGHT, 0.9)], 320, 240)
    assert rows.min() >= int(treated.top)
    assert rows.max() < treated.bottom + 1
    assert columns.min() >= int(treated.left)
    assert columns.max() < treated.right + 1
    assert not changed[130:].any()  # from the chest down


def test_different_faces_of_the_same_overall_colour_give_the_same_picture() -> None:
    one = np.full((240, 320, 3), 120, dtype=np.uint8)
    other = one.copy()
    stripes = np.where(np.arange(36) % 2, 30, -30)
    one[60:84, 112:148] = (one[60:84, 112:148] + stripes[None, :, None]).astype(np.uint8)
    other[60:84, 112:148] = (other[60:84, 112:148] - stripes[None, :, None]).astype(np.uint8)
    assert (one != other).any()
    people = [Person(UPRIGHT, 0.9)]
    np.testing.assert_array_equal(anonymise(one, people), anonymise(other, people))


@pytest.mark.parametrize("size", [12, 40, 120, 700])
def test_few_values_are_left_of_a_head_of_any_size(size: int) -> None:
    picture = noise(1080, 1920)
    box = Box(500, 150, 500 + size * 0.4, 150 + size)
    after = anonymise(picture.copy(), [Person(box, 0.9)])
    (treated,) = regions([Person(box, 0.9)], 1920, 1080)
    inside = part(after, treated)[1:-1, 1:-1].astype(float)
    # What sixteen mean values can draw has few strong components.
    singular = np.linalg.svd(inside.mean(axis=2), compute_uv=False)
    assert (singular > 0.02 * singular[0]).sum() <= 8
    assert detail(part(after, treated)) < 0.25 * detail(part(picture, treated))


def test_all_of_a_lying_person_is_treated() -> None:
    before = noise()
    lying = Box(60, 150, 220, 200)
    after = anonymise(before.copy(), [Person(lying, 0.9)])
    for end in (Box(60, 150, 100, 200), Box(180, 150, 220, 200)):
        assert detail(part(after, end)) < 0.1 * detail(part(before, end))


def bowed(x: float, y: float, confidence: float = 0.8) -> Keypoints:
    keypoints = np.zeros((26, 3), dtype=np.float32)
    for joint in (Joint.NOSE, Joint.LEFT_EYE, Joint.LEFT_EAR, Joint.HEAD):
        keypoints[joint] = (x + joint % 3, y + joint % 2, confidence)
    return keypoints


def test_a_head_that_is_not_at_the_top_is_treated_where_its_joints_are() -> None:
    before = noise()
    there = Box(105, 170, 135, 195)
    after = anonymise(before.copy(), [Person(UPRIGHT, 0.9, bowed(120, 180))])
    assert detail(part(after, there)) < 0.1 * detail(part(before, there))
    assert detail(part(after, HEAD)) < 0.05 * detail(part(before, HEAD))  # in case the joints are wrong
    unsure = anonymise(before.copy(), [Person(UPRIGHT, 0.9, bowed(120, 180, 0.1))])
    np.testing.assert_array_equal(part(unsure, there), part(before, there))


def test_more_is_treated_of_a_person_who_is_seen_to_the_waist() -> None:
    (whole,) = regions([Person(Box(0, 0, 40, 100), 0.9)], 320, 240)
    (close,) = regions([Person(Box(0, 0, 80, 100), 0.9)], 320, 240)
    assert whole.bottom <= 35
    assert close.bottom >= 60


def test_the_whole_body_is_treated_on_demand() -> None:
    before = noise()
    after = anonymise(before.copy(), [Person(UPRIGHT, 0.9)], whole_body=True)
    assert detail(part(after, UPRIGHT)) < 0.1 * detail(part(before, UPRIGHT))


def test_unknown_people_mean_that_nothing_is_shown() -> None:
    before = noise()
    after = anonymise(before.copy(), None)
    assert detail(after) < 0.02 * detail(before)
    np.testing.assert_array_equal(after, anonymise_whole(before.copy()))
    np.testing.assert_array_equal(anonymise(before.copy(), []), before)  # nobody is there: a different thing


def test_people_at_and_beyond_the_edge_are_no_trouble() -> None:
    before = noise()
    boxes = [Box(-30, -50, 20, 100), Box(300, 200, 400, 500), Box(500, 500, 520, 560), Box(10, 10, 10, 10)]
    after = anonymise(before.copy(), [Person(box, 0.9) for box in boxes])
    assert (after[:20, :15] != before[:20, :15]).any()
    np.testing.assert_array_equal(after[100:200, 100:290], before[100:200, 100:290])
    assert anonymise_whole(np.zeros((1, 1, 3), dtype=np.uint8)).shape == (1, 1, 3)


def test_boxes_alone_will_do() -> None:
    np.testing.assert_array_equal(anonymise(noise(), [UPRIGHT]), anonymise(noise(), [Person(UPRIGHT, 0.9)]))


def test_one_plane_is_treated_like_a_picture() -> None:
    luma = noise()[:, :, 0].copy()
    after = anonymise(luma.copy(), [Person(UPRIGHT, 0.9)])
    assert detail(part(after, HEAD)) < 0.05 * detail(part(luma, HEAD))
