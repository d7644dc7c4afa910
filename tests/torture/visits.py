"""Cameras of a kind of their own, `visits:NAME`: somebody walks past for two seconds of each round of the wall clock.

An installed package as far as Tynysh knows (entry point `tynysh.sources`), with a detector of its own. What the file
`NAME.fault` beside the videos names is the matter with the camera for as long as it is there.
"""

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

import av
from tests.runtime.street import FPS, CoatDetector, draw

from tynysh.media.frame import Frame
from tynysh.media.packet import SourcePacket, StreamInfo
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts
from tynysh.perception.detector import Detector
from tynysh.scene.person import Person

ROUND_S, WALK_S = 6.0, 2.0
FOLDER = "TYNYSH_TORTURE_FOLDER"
OTHERS = {"other_codec": "mpeg4", "other_size": "libx264"}
SHIFTS_S = {"a_day_back": -86_400.0, "400_days_on": 400 * 86_400.0}
FAULTS = (
    "silent", "gone", "garbage", "cut_packets", "lossy", "jerky", "no_stamps", "stamps_stand",
    *OTHERS, *SHIFTS_S,
)  # fmt: skip


def write_videos(folder: Path) -> None:
    """The round that the cameras send, and the same in another codec and another size."""
    _write(folder / "usual.mp4", "libx264", 1)
    _write(folder / "other_codec.mp4", OTHERS["other_codec"], 1)
    _write(folder / "other_size.mp4", OTHERS["other_size"], 2)


def _write(path: Path, codec: str, scale: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        pictures = [draw(n / FPS, empty=n >= WALK_S * FPS) for n in range(round(ROUND_S * FPS))]
        stream.height, stream.width = (side * scale for side in pictures[0].shape[:2])
        stream.pix_fmt, stream.codec_context.gop_size = "yuv420p", FPS
        if codec == "libx264":
            keys = f"keyint={FPS}:min-keyint={FPS}:scenecut=0"
            stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "16", "x264-params": keys}
        else:
            stream.bit_rate = 2_000_000
            stream.codec_context.max_b_frames = 0
        for picture in pictures:
            larger = picture.repeat(scale, axis=0).repeat(scale, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(larger, format="bgr24")))
        container.mux(stream.encode(None))


@cache
def _round_of(path: Path) -> tuple[StreamInfo, tuple[SourcePacket, ...]]:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        packets = tuple(
            SourcePacket(data=bytes(packet), pts=None, dts=None, is_key=packet.is_keyframe)
            for packet in container.demux(video)
            if packet.size
        )
        return StreamInfo.of(video), packets


class Visits:
    """A connection to such a camera."""

    def __init__(self, name: str) -> None:
        self._fault_file = Path(os.environ[FOLDER]) / f"{name}.fault"
        self._random = Random(name)
        self._opened_with = self._fault
        if self._opened_with == "gone":
            raise SourceError(SourceFault.UNREACHABLE, f"the camera {name} is gone")
        video = self._opened_with if self._opened_with in OTHERS else "usual"
        self.info, self._round = _round_of(self._fault_file.with_name(f"{video}.mp4"))

    @property
    def _fault(self) -> str:
        try:
            return self._fault_file.read_text()
        except FileNotFoundError:
            return ""

    def packets(self) -> Iterator[SourcePacket]:
        """The round, again and again, each picture when it is its turn."""
        # Not `time.time`, which others may set.
        wall_s = time.clock_gettime(time.CLOCK_REALTIME)
        first = (int(wall_s) + 1) * FPS
        began_s = time.monotonic() + first / FPS - wall_s
        for number in itertools.count():
            time.sleep(max(0.0, began_s + number / FPS - time.monotonic()))
            fault = self._fault
            while fault == "silent":
                time.sleep(0.1)
                fault = self._fault
            # A camera that is set to something else, or has another fault, begins a stream anew.
            if fault == "gone" or (
                (fault in OTHERS or self._opened_with in OTHERS) and fault != self._opened_with
            ):
                raise SourceError(SourceFault.ENDED, "the camera has left")
            packet = self._round[(first + number) % len(self._round)]
            sent = self._spoilt(packet, first + number, fault)
            if sent is not None:
                yield sent

    def _spoilt(self, packet: SourcePacket, number: int, fault: str) -> SourcePacket | None:
        data, stamp_s = packet.data, number / FPS + SHIFTS_S.get(fault, 0.0)
        match fault:
            case "garbage":
                data = self._random.randbytes(len(data))
            case "cut_packets":
                data = data[: len(data) // 2]
            case "lossy" if self._random.random() < 0.2:
                return None
            case "jerky" if self._random.random() < 0.05:
                time.sleep(self._random.uniform(0.0, 1.5))
            case "stamps_stand":
                stamp_s = number // (3 * FPS) * 3.0
        ticks = None if fault == "no_stamps" else round(stamp_s / float(self.info.time_base))
        return SourcePacket(data=data, pts=ticks, dts=ticks, is_key=packet.is_key)

    def close(self) -> None:
        """Nothing is held."""


class Looker(CoatDetector):
    """Sees the walker by the coat; hangs where the camera's fault is `analysis_hangs`."""

    def __init__(self, name: str) -> None:
        self._fault_file = Path(os.environ[FOLDER]) / f"{name}.fault"

    def detect(self, frame: Frame) -> Sequence[Person]:
        while self._fault_file.exists() and self._fault_file.read_text() == "analysis_hangs":
            time.sleep(0.1)
        return super().detect(frame)


class VisitsPlugin:
    """The kind of source, which brings its detector."""

    def open(self, spec: SourceSpec, timeouts: Timeouts) -> Visits:
        del timeouts
        return Visits(spec.address.partition(":")[2])

    def detector(self, spec: SourceSpec) -> Detector:
        return Looker(spec.address.partition(":")[2])


PLUGIN = VisitsPlugin()


def install(folder: Path) -> None:
    """Make it an installed package for whoever has `folder` on his path."""
    about = folder / "tynysh_visits-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tynysh-visits\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[tynysh.sources]\nvisits = tests.torture.visits:PLUGIN\n")
