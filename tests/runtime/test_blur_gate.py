"""Nobody is shown before somebody looked: what is not sure waits, or is blurred as a whole."""

from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.runtime.blur_gate import MOST_HELD, BlurGate, Shown

KNOWN = {1: Box(0.1, 0.1, 0.2, 0.4)}
NEW = {2: Box(0.6, 0.1, 0.7, 0.4)}


def frame(number: int) -> Frame:
    return Frame(np.zeros((48, 64, 3), np.uint8), time_s=number / 10, index=number)


def test_what_is_sure_is_shown_at_once() -> None:
    blur_gate = BlurGate()
    ((shown, people),) = blur_gate.add(frame(0), KNOWN, sure=True, all_frames=True)
    assert shown.index == 0
    assert people == list(KNOWN.values())


def test_frames_between_two_looks_wait_and_hide_whom_the_second_finds() -> None:
    blur_gate = BlurGate()
    assert blur_gate.add(frame(1), KNOWN, sure=False, all_frames=True) == []
    assert blur_gate.add(frame(2), KNOWN, sure=False, all_frames=True) == []
    shown = blur_gate.add(frame(3), KNOWN | NEW, sure=True, all_frames=True)
    assert [one.index for one, _ in shown] == [1, 2, 3]
    for _, people in shown[:2]:
        assert people is not None
        assert len(people) == 2
        assert people[1].left < NEW[2].left
        assert people[1].right > NEW[2].right


def test_who_wants_single_pictures_gets_only_what_is_sure() -> None:
    blur_gate = BlurGate()
    assert blur_gate.add(frame(1), KNOWN, sure=False, all_frames=False) == []
    assert [one.index for one, _ in blur_gate.add(frame(2), KNOWN, sure=True, all_frames=False)] == [2]


def test_what_waits_too_long_is_blurred_as_a_whole() -> None:
    blur_gate = BlurGate()
    shown = [
        one
        for number in range(MOST_HELD + 2)
        for one in blur_gate.add(frame(number), KNOWN, sure=False, all_frames=True)
    ]
    assert [(one.index, people) for one, people in shown] == [(0, None), (1, None)]


def test_what_is_shown_is_a_picture_of_its_own_for_any_thread() -> None:
    picture = av.VideoFrame.from_ndarray(np.full((960, 1280, 3), 90, np.uint8), format="bgr24")
    shown = Shown.of(Frame(picture, time_s=3.0, index=0), [Box(0.4, 0.4, 0.6, 0.9)])
    assert shown.picture.shape == (480, 640, 3)
    assert shown.picture.flags.owndata, "nothing of the decoder's is reachable through it"
    assert not shown.picture.flags.writeable
    with ThreadPoolExecutor(1) as other:
        seen = other.submit(shown.anonymised).result()
    assert seen is not shown.picture
    assert (shown.picture == 90).all()
