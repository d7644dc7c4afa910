"""A camera that hangs is lost, told and begun anew, and a process in which too much hangs gives up."""

import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

import pytest
from tests.runtime.conftest import camera, site
from tests.runtime.street import CoatDetector
from tests.servers import until

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.media.camera import CameraFeed, Clock
from tynysh.media.camera_status import CameraState
from tynysh.media.frame import Frame
from tynysh.media.segment import Segment, segments
from tynysh.media.source_fault import SourceError
from tynysh.runtime.camera_runner import STUCK, CameraRunner, start_camera
from tynysh.runtime.camera_set import MOST_HANGS, CameraSet, share
from tynysh.runtime.networks import Networks
from tynysh.scene.fault import CameraFault
from tynysh.scene.person import Person
from tynysh.site.camera import Camera
from tynysh.site.site import Site
from tynysh.translations import LANGUAGES, text


class Hanging(CoatDetector):
    """Hangs the first so many times that somebody moves, until `goes_on`."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times
        self.goes_on = threading.Event()

    def detect(self, frame: Frame) -> Sequence[Person]:
        if self.left:
            self.left -= 1
            self.goes_on.wait()
        return super().detect(frame)


class Cameras:
    """One camera in a set, whose detector hangs `times` times."""

    def __init__(self, folder: Path, video: Path, times: int) -> None:
        self.events: list[Event] = []
        self.detector = Hanging(times)
        self._folder = folder
        self.set = CameraSet(
            self._start,
            lambda _: None,
            lambda _, event: self.events.append(event),
            random=Random(1),
            retry_first_s=0.05,
        )
        said = site(camera("north", video)).sites
        self.set.plan(said, share(said, 0, 1))

    def _start(self, said: Site, which: Camera) -> CameraRunner:
        networks = Networks(detector=self.detector, pose=None)  # type: ignore[arg-type]
        return start_camera(
            said,
            which,
            networks,
            self._folder,
            on_event=lambda _, event: self.events.append(event),
            random=Random(1),
            hang_s=2.5,
        )

    def faults(self) -> list[Event]:
        return [event for event in list(self.events) if event.behaviour == Behaviour.CAMERA_FAULT]

    def close(self) -> None:
        self.detector.goes_on.set()
        self.set.stop()


@pytest.fixture
def opened() -> Iterator[list[Cameras]]:
    made: list[Cameras] = []
    yield made
    for each in made:
        each.close()


def test_a_camera_that_hangs_is_lost_until_another_watches_it(
    tmp_path: Path, streets: Path, opened: list[Cameras]
) -> None:
    cameras = Cameras(tmp_path, streets / "street.mp4", times=1)
    opened.append(cameras)
    hung = cameras.set.runners["north"]
    assert until(lambda: hung.stuck, 30)
    status = cameras.set.statuses()["north"]
    assert (status.state, status.detail, status.people) == (CameraState.LOST, STUCK, 0)
    assert all(text(language, STUCK) for language in LANGUAGES)
    assert hung.picture() is None, "what was is not shown as what is"

    cameras.set.mend()
    assert cameras.set.runners["north"] is hung, "a machine that paused looks so, once"
    began_s = time.monotonic()
    cameras.set.mend()
    assert time.monotonic() - began_s < 4.0, "what hangs is not waited for"
    assert not cameras.set.runners
    assert cameras.set.statuses()["north"].detail == STUCK
    (begun,) = cameras.faults()
    assert (begun.subject, begun.phase) == (CameraFault.NOT_WATCHED, Phase.BEGUN)
    assert CameraFault.NOT_WATCHED.blinds
    assert begun.start_s < begun.decided_s

    assert until(lambda: cameras.set.mend() or len(cameras.faults()) == 2, 30)
    ended = cameras.faults()[1]
    assert (ended.id, ended.phase) == (begun.id, Phase.ENDED)
    assert cameras.set.runners["north"].analysed
    assert cameras.set.statuses()["north"].state is CameraState.LIVE


def test_a_camera_that_is_taken_out_is_no_longer_told_as_not_watched(
    tmp_path: Path, streets: Path, opened: list[Cameras]
) -> None:
    cameras = Cameras(tmp_path, streets / "street.mp4", times=99)
    opened.append(cameras)
    assert until(lambda: cameras.set.mend() or bool(cameras.faults()), 30)
    cameras.set.plan((), {})
    assert [event.phase for event in cameras.faults()] == [Phase.BEGUN, Phase.ENDED]


def test_a_process_in_which_too_much_hangs_gives_up(
    tmp_path: Path, streets: Path, opened: list[Cameras]
) -> None:
    cameras = Cameras(tmp_path, streets / "street.mp4", times=99)
    opened.append(cameras)
    with pytest.raises(RuntimeError, match=f"{MOST_HANGS} cameras hung"):
        until(lambda: cameras.set.mend() or False, 60)
    assert [event.phase for event in cameras.faults()] == [Phase.BEGUN], "all the while it was not watched"


def pictures(runner: CameraRunner) -> list[bool]:
    """Of each segment, whether there are pictures in it yet."""

    def has_any(segment: Segment) -> bool:
        try:
            return any(True for _ in segment.packets())
        except SourceError:
            return False

    return [has_any(segment) for segment in segments(runner.recordings)]


@pytest.mark.parametrize("days", [-400, 400, 5 / 86_400], ids=["behind", "ahead", "by seconds"])
def test_when_the_machines_clock_is_set_cameras_begin_anew_with_the_right_time_and_lose_nothing(
    tmp_path: Path, streets: Path, opened: list[Cameras], monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    wrong_s = [days * 86_400]
    clock = Clock(now=lambda: time.time() + wrong_s[0])
    monkeypatch.setattr("tynysh.runtime.camera_runner.CameraFeed", partial(CameraFeed, clock=clock))
    cameras = Cameras(tmp_path, streets / "empty.mp4", times=0)
    opened.append(cameras)
    before = cameras.set.runners["north"]
    assert until(lambda: pictures(before) == [True], 30)
    cameras.set.mend()
    assert cameras.set.runners["north"] is before

    wrong_s[0] = 0.0
    began_s = time.time()
    cameras.set.mend()
    after = cameras.set.runners["north"]
    assert after is not before
    assert until(lambda: pictures(after) == [True, True], 30)
    assert until(lambda: after.analysed > 0, 30)
    assert sum(one.start_s >= began_s - 0.1 for one in segments(after.recordings)) == (2 if days > 0 else 1)
    cameras.set.mend()
    assert cameras.set.runners["north"] is after
