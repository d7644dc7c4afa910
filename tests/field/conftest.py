"""Films that cameras play, drawn; and what of a camera reaches analysis and disk."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from tests.field.cameras import Film, OddCamera
from tests.media.conftest import write_video
from tests.servers import until

from tynysh.backoff import Backoff
from tynysh.media.camera import CameraFeed, FeedStatus
from tynysh.media.frame import Frame
from tynysh.media.mailbox import FrameMailbox
from tynysh.media.packet import Packet
from tynysh.media.recorder import Recorder
from tynysh.media.segment import segments
from tynysh.media.source_spec import SourceSpec, Timeouts

HEVC = {"codec": "libx265", "options": {"x265-params": "log-level=none:bframes=0:repeat-headers=0"}}


@pytest.fixture(scope="session")
def h264(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Two seconds at 25 fps, a key frame each second, in which a box walks."""
    return Film(write_video(tmp_path_factory.mktemp("h264") / "a.mp4", seconds=2, walks_from_s=0))


@pytest.fixture(scope="session")
def hevc(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """The same in H.265."""
    return Film(write_video(tmp_path_factory.mktemp("hevc") / "a.mp4", seconds=2, walks_from_s=0, **HEVC))


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that came to be analysed: when, how large, how light on average."""

    time_s: float
    width: int
    height: int
    level: float


@dataclass
class Watched:
    """A camera as an installation has it: its feed, the frames that were analysed, and what was recorded."""

    feed: CameraFeed
    folder: Path
    frames: list[Seen] = field(default_factory=list)
    states: list[FeedStatus] = field(default_factory=list)

    def gets(self, pictures: int, timeout_s: float = 30.0) -> bool:
        """Whether so many pictures come to be analysed and as many to be recorded."""
        return until(
            lambda: len(self.frames) >= pictures and self.feed.counters.frames_read >= pictures, timeout_s
        )

    @property
    def recorded(self) -> list[Packet]:
        """The pictures on disk."""
        return [packet for segment in segments(self.folder) for packet in segment.packets()]


@contextmanager
def watched(camera: OddCamera | str, folder: Path, **settings: object) -> Iterator[Watched]:
    """A camera at work until the end of the context; then its recording is finished."""
    address = camera if isinstance(camera, str) else camera.url
    states: list[FeedStatus] = []
    usual = {
        "timeouts": Timeouts(5.0, 4.0),
        "backoff": Backoff(first_s=0.05, most_s=0.2, random=Random(1)),
    }
    feed = CameraFeed(SourceSpec.parse(address), on_state=states.append, **(usual | settings))
    # What is seen is not to depend on how busy the machine is that runs the tests.
    feed._mailbox = FrameMailbox(max_lag_s=60.0, capacity_s=60.0)
    seen = Watched(feed, folder, states=states)
    recorder = Recorder(folder, reserve_bytes=0)
    writing = recorder.start(feed.subscribe(capacity_s=60.0))
    arriving = feed.frames(tick_s=0.1)

    def read() -> None:
        for item in arriving:
            if isinstance(item, Frame):
                seen.frames.append(Seen(item.time_s, item.width, item.height, float(item.luma.mean())))

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    feed.start()
    try:
        yield seen
    finally:
        feed.stop()
        reading.join(10)
        writing.join(10)
