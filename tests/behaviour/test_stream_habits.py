"""A stream that does not keep time, or carries far less than it did, is noticed; one that only gets quiet is not."""

import dataclasses

import numpy as np
import pytest
from tests.behaviour.corruption import drawn
from tests.behaviour.scenes import Looking, Shown, scene, times

from tynysh.behaviour.camera_fault import CameraFaultSettings
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.media.frame import Frame
from tynysh.media.stream_health import StreamHealth
from tynysh.scene.motion import Motion

USUAL = StreamHealth(
    connected_s=100.0,
    silent_s=0.0,
    mended=0,
    clock_rate=1.0,
    keys=0,
    key_bytes=40_000,
    between_bytes_s=60_000.0,
)
MOVING = Motion(level=0.02, moving=True)
PICTURES = [image for _, image in drawn(4.0, fps=5.0, width=160, height=90)]


def at(time_s: float, stream: StreamHealth, motion: Motion = MOVING) -> Shown:
    picture = PICTURES[int(time_s * 5) % len(PICTURES)]
    shown = dataclasses.replace(stream, keys=int(time_s))
    return scene(time_s, stream=shown, motion=motion), Frame(picture, time_s=time_s, index=0)


def known() -> Looking:
    analyser = Looking(Behaviour.CAMERA_FAULT, CameraFaultSettings())
    assert found(analyser, 0.0, 40.0) == []
    return analyser


def found(
    analyser: Looking,
    start_s: float,
    end_s: float,
    stream: StreamHealth = USUAL,
    motion: Motion = MOVING,
) -> list[tuple[float, str]]:
    scenes = (at(t, stream, motion) for t in times(start_s, end_s, 0.2))
    return [(signal.time_s, signal.subject) for signal in analyser.watch(scenes) if signal.score >= 0.6]


def test_a_clock_that_goes_wrong_is_a_fault_until_it_goes_right() -> None:
    analyser = known()
    wrong = found(analyser, 40.0, 46.0, dataclasses.replace(USUAL, clock_rate=2.0))
    assert {subject for _, subject in wrong} == {"timestamps"}
    assert wrong[0][0] <= 45.0
    assert [t for t, _ in found(analyser, 46.0, 55.0) if t > 48.0] == []


def test_stamps_that_jump_again_and_again_are_a_fault_and_one_jump_is_none() -> None:
    analyser = known()
    assert found(analyser, 40.0, 50.0, dataclasses.replace(USUAL, mended=1)) == []
    jumping = [at(t, dataclasses.replace(USUAL, mended=int(t))) for t in times(50.0, 58.0, 0.2)]
    subjects = {signal.subject for signal in analyser.watch(jumping) if signal.score >= 0.6}
    assert subjects == {"timestamps"}


@pytest.mark.parametrize("days", [-400.0, 400.0, 0.004])
def test_a_camera_whose_own_clock_is_wrong_is_a_fault_that_says_by_how_much(days: float) -> None:
    analyser = known()
    wrong = [at(t, dataclasses.replace(USUAL, clock_ahead_s=days * 86_400)) for t in times(40.0, 46.0, 0.2)]
    found = [signal for signal in analyser.watch(wrong) if signal.score >= 0.6]
    assert {signal.subject for signal in found} == {"timestamps"}
    assert found[-1].reason == Reason("camera_fault.clock", {"hours": round(abs(days) * 24, 1)})


@pytest.mark.parametrize("ahead_s", [None, 0.0, -40.0, 5 * 3600.0 + 20.0, -9.5 * 3600.0], ids=str)
def test_a_clock_that_is_right_or_tells_the_local_time_is_no_fault(ahead_s: float | None) -> None:
    assert found(known(), 40.0, 46.0, dataclasses.replace(USUAL, clock_ahead_s=ahead_s)) == []


def test_a_stream_that_was_just_opened_may_find_its_clock_first() -> None:
    fresh = dataclasses.replace(USUAL, connected_s=2.0, clock_rate=3.0)
    assert found(known(), 40.0, 44.0, fresh) == []


def test_key_frames_of_a_fraction_of_their_size_are_a_collapsed_bit_rate() -> None:
    analyser = known()
    coarse = found(analyser, 40.0, 48.0, dataclasses.replace(USUAL, key_bytes=6_000))
    assert {subject for _, subject in coarse} == {"bit_rate"}
    assert coarse[0][0] <= 45.0
    assert [t for t, _ in found(analyser, 48.0, 55.0) if t > 50.0] == []


def test_a_still_scene_may_get_cheap_and_stay_so_when_somebody_passes() -> None:
    """An encoder that drops the noise of an empty corridor: its key frames shrink to a tenth, and are sharp as ever."""
    analyser = known()
    cheap = dataclasses.replace(USUAL, key_bytes=4_000, between_bytes_s=6_100.0)
    assert found(analyser, 40.0, 60.0, cheap, Motion(level=0.0, moving=False)) == []
    assert found(analyser, 60.0, 70.0, cheap) == []


def test_what_comes_between_key_frames_may_dwindle_only_where_nothing_moves() -> None:
    quiet = dataclasses.replace(USUAL, between_bytes_s=2_000.0)
    assert found(known(), 40.0, 60.0, quiet, Motion(level=0.0, moving=False)) == []
    assert {subject for _, subject in found(known(), 40.0, 46.0, quiet)} == {"bit_rate"}


def test_what_came_while_the_picture_was_dark_is_no_collapsed_bit_rate_after_it() -> None:
    analyser = known()
    little = dataclasses.replace(USUAL, between_bytes_s=500.0, key_bytes=2_000)
    dark = Frame(np.full((90, 160, 3), 8, np.uint8), time_s=0.0, index=0)
    for t in times(40.0, 46.0, 0.2):
        analyser.observe(at(t, little)[0], dark)
    assert "bit_rate" not in {subject for _, subject in found(analyser, 46.0, 49.0, little)}
