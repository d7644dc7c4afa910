"""A clock that is burnt into a quiet scene costs nothing and is no fault; a picture that freezes behind it is one."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import av
import cv2
import numpy as np
import pytest
from tests.behaviour.corruption import scenery

from tynysh.behaviour.camera_fault import CameraFaultSettings
from tynysh.behaviour.event import Event
from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.analysis import analyse_video
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Step
from tynysh.scene.person import Person

SECONDS, FPS = 55, 10
HALL = scenery(180, 320, 3)


class Nobody:
    """A detector that sees nobody."""

    def detect(self, _frame: Frame) -> Sequence[Person]:
        return []


def write(path: Path, *, noise: float, freezes_s: float = float("inf")) -> Path:
    """A quiet scene with date and time burnt in; the encoder drops the noise between key frames, two seconds apart."""
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "30", "g": str(2 * FPS), "keyint_min": str(2 * FPS)}
        picture = HALL
        for number in range(SECONDS * FPS):
            time_s = number / FPS
            if time_s < freezes_s:
                picture = np.clip(HALL + random.normal(0, noise, HALL.shape), 0, 255).astype(np.uint8)
            shown = picture.copy()
            words = f"2026-11-28 23:59:{int(time_s) % 60:02d}"
            cv2.putText(shown, words, (8, 16), 0, 0.5, (255, 255, 255), 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def watched(path: Path) -> tuple[tuple[Event, ...], int]:
    """The events, and how many pictures were looked at from the 20th second on."""
    networks = Networks(detector=Nobody(), pose=None)  # type: ignore[arg-type]
    plan = CameraPlan({Behaviour.CAMERA_FAULT: CameraFaultSettings()})
    pipeline = build_pipeline(plan, networks, ids=Random(1), detector=Nobody())
    looked: list[float] = []

    def note(step: Step) -> None:
        looked.append(step.scene.time_s)

    events = analyse_video(VideoFile(path), pipeline, on_step=note, keep_people=False).events
    return events, sum(time_s > 20 for time_s in looked)


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_quiet_scene_with_a_clock_is_no_fault_and_the_camera_rests(tmp_path: Path, noise: float) -> None:
    events, looked = watched(write(tmp_path / "hall.mp4", noise=noise))
    assert events == ()
    assert looked <= 40


def test_a_picture_that_freezes_behind_a_clock_is_a_fault(tmp_path: Path) -> None:
    events, _ = watched(write(tmp_path / "hall.mp4", noise=4.0, freezes_s=35.0))
    assert [event.subject for event in events] == ["frozen"]
    # The encoder needs a few key frames until it codes the same picture the same way.
    assert 34.0 < events[0].start_s < 50.0
