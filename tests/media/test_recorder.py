"""Recording survives crashes and full disks, and never gets in the way."""

import errno
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.media.conftest import write_video
from tests.servers import until

from tynysh.media.camera import CameraFeed, Clock
from tynysh.media.packet import Packet
from tynysh.media.reader import VideoFile
from tynysh.media.recorder import Recorder, RecorderState
from tynysh.media.segment import Segment, between, segments
from tynysh.media.source_spec import SourceSpec
from tynysh.media.subscription import PacketQueue

START = 1_763_841_600.25


def live_packets(path: Path, start: float = START) -> list[Packet]:
    """The packets of a file as a camera would send them, with Unix times."""
    return [
        replace(packet, time_s=packet.time_s + start, decode_time_s=packet.decode_time_s + start, index=None)
        for packet in VideoFile(path).packets()
    ]


def recorder_in(folder: Path, **settings) -> Recorder:
    return Recorder(folder, **{"segment_s": 3.0, "reserve_bytes": 0, **settings})


@pytest.fixture(scope="module")
def ten_seconds(tmp_path_factory) -> list[Packet]:
    return live_packets(write_video(tmp_path_factory.mktemp("ten") / "clip.mp4", seconds=10, walks_from_s=0))


def test_segments_begin_with_key_frames_and_say_when(tmp_path, ten_seconds):
    recorder = recorder_in(tmp_path)
    for packet in ten_seconds:
        recorder.record(packet)
    recorder.close()
    recorded = segments(tmp_path)
    assert [segment.start_s - START for segment in recorded] == pytest.approx([0, 3, 6, 9], abs=0.002)
    assert recorded[0].path.name == "20251122T200000.250Z.mp4"
    assert all(next(segment.packets()).is_key for segment in recorded)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_is_recorded_is_what_came(tmp_path, b_frames):
    path = write_video(tmp_path / "clip.mp4", seconds=4, options={"preset": "veryfast"}, b_frames=b_frames)
    packets = live_packets(path)
    recorder = recorder_in(tmp_path / "recordings")
    for packet in packets:
        recorder.record(packet)
    recorder.close()
    times = [packet.time_s for segment in segments(tmp_path / "recordings") for packet in segment.packets()]
    assert times == pytest.approx([packet.time_s for packet in packets], abs=0.002)


@pytest.mark.parametrize(
    ("name", "settings", "codec"),
    [
        ("clip.avi", {"codec": "mjpeg", "options": {}, "pixel_format": "yuvj420p"}, "mjpeg"),
        ("clip.avi", {"codec": "mpeg4", "options": {}}, "mpeg4"),
        ("clip.avi", {"codec": "rawvideo", "options": {}}, "h264"),
    ],
)
def test_only_what_mp4_cannot_carry_is_encoded_again(tmp_path, name, settings, codec):
    packets = live_packets(write_video(tmp_path / name, seconds=1, **settings))
    recorder = recorder_in(tmp_path / "recordings")
    for packet in packets:
        recorder.record(packet)
    recorder.close()
    recorded = [packet for segment in segments(tmp_path / "recordings") for packet in segment.packets()]
    assert {packet.info.codec for packet in recorded} == {codec}
    assert len(recorded) == 25


CHILD = """
import sys
from pathlib import Path
from tynysh.media.camera import CameraFeed
from tynysh.media.recorder import Recorder
from tynysh.media.source_spec import SourceSpec

feed = CameraFeed(SourceSpec.parse(sys.argv[1]))
queue = feed.subscribe()
feed.start()
recorder = Recorder(Path(sys.argv[2]), reserve_bytes=0)
while True:
    packet = queue.get(1.0)
    if packet is not None:
        recorder.record(packet)
        print(packet.time_s, flush=True)
"""


def test_a_crash_in_mid_segment_loses_at_most_the_last_second(tmp_path, rtsp_camera):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, rtsp_camera.url("clip.mp4"), str(tmp_path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, b"")
    first = float(next(lines))
    last = first
    while last - first < 2.7:
        last = float(next(lines))
    process.send_signal(signal.SIGKILL)
    last = [last, *map(float, process.stdout.read().split())][-1]
    process.wait()
    (segment,) = segments(tmp_path)
    kept = [packet.time_s for packet in segment.packets()]
    assert kept[0] == pytest.approx(first, abs=0.002)
    assert last - kept[-1] <= 1.0
    frames = sum(1 for _ in VideoFile(segment.path).frames())
    assert frames == pytest.approx(len(kept), abs=1)


class LimitedDisk:
    """A disk that takes so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def open(self, path: Path):
        disk = self

        class File:
            def __init__(self) -> None:
                self._file = path.open("xb", buffering=0)

            def write(self, data) -> int:
                if disk.room < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                disk.room -= len(data)
                return self._file.write(data)

            def close(self) -> None:
                self._file.close()

        return File()


class Ticking:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_full_disk_stops_recording_and_space_resumes_it(tmp_path, ten_seconds):
    disk = LimitedDisk(30_000)
    clock = Ticking()
    statuses = []
    recorder = recorder_in(
        tmp_path,
        open_file=disk.open,
        clock=Clock(monotonic=clock),
        on_state=statuses.append,
    )
    for packet in ten_seconds[:150]:
        clock.at = packet.time_s
        recorder.record(packet)
    assert recorder.status.state is RecorderState.STOPPED
    assert recorder.status.detail == "media.recording.disk_full"
    disk.room = 10**9
    for packet in live_packets_after(ten_seconds, 10):
        clock.at = packet.time_s
        recorder.record(packet)
    recorder.close()
    states = [status.state for status in statuses]
    assert states[:2] == [RecorderState.RECORDING, RecorderState.STOPPED]
    assert states[-2:] == [RecorderState.RECORDING, RecorderState.WAITING]
    recorded = segments(tmp_path)
    assert sum(1 for _ in recorded[0].packets()) > 20
    assert sum(1 for segment in recorded[-3:] for _ in segment.packets()) > 100


def live_packets_after(packets: list[Packet], seconds: float) -> list[Packet]:
    return [
        replace(packet, time_s=packet.time_s + seconds, decode_time_s=packet.decode_time_s + seconds)
        for packet in packets
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_really_full_disk(tmp_path, ten_seconds):
    mount = tmp_path / "disk"
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        recorder = recorder_in(mount / "camera", segment_s=60)
        for packet in ten_seconds:
            recorder.record(packet)
        assert recorder.status.state is RecorderState.STOPPED
        assert recorder.status.detail == "media.recording.disk_full"
        (segment,) = segments(mount / "camera")
        assert sum(1 for _ in segment.packets()) > 20
        recorder.close()
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_recording_stops_before_the_reserve_is_used_up(tmp_path, ten_seconds):
    free = [10**9]
    clock = Ticking()
    recorder = recorder_in(
        tmp_path, reserve_bytes=10**6, free_bytes=lambda _: free[0], clock=Clock(monotonic=clock)
    )
    for packet in ten_seconds:
        clock.at = packet.time_s
        if packet.ordinal == 125:
            free[0] = 10
        recorder.record(packet)
    assert recorder.status.state is RecorderState.STOPPED
    times = [packet.time_s for segment in segments(tmp_path) for packet in segment.packets()]
    assert max(times) - START < 8


def test_a_folder_that_cannot_be_written_stops_recording_and_nothing_else(tmp_path, ten_seconds):
    (tmp_path / "camera").write_text("in the way")
    recorder = recorder_in(tmp_path / "camera")
    for packet in ten_seconds:
        recorder.record(packet)
    assert recorder.status.state is RecorderState.STOPPED
    assert recorder.status.detail == "media.recording.failed"


def test_a_full_disk_does_not_stop_analysis(tmp_path, rtsp_camera):
    feed = CameraFeed(SourceSpec.parse(rtsp_camera.url("clip.mp4")))
    recorder = recorder_in(tmp_path / "camera", open_file=LimitedDisk(5_000).open)
    thread = recorder.start(feed.subscribe())
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(feed.frames()), daemon=True)
    reader.start()
    feed.start()
    try:
        assert until(lambda: recorder.status.state is RecorderState.STOPPED)
        before = len(seen)
        assert until(lambda: len(seen) > before + 25)
    finally:
        feed.stop()
        thread.join(5)
        reader.join(5)
    assert not thread.is_alive()


def test_foreign_files_are_left_alone(tmp_path):
    (tmp_path / "notesZ.mp4").touch()
    (tmp_path / "holiday.mp4").touch()
    assert segments(tmp_path) == []
    assert segments(tmp_path / "nowhere") == []


def test_the_segments_of_a_time_are_found():
    recorded = [Segment(float(start), Path(f"{start}.mp4")) for start in (0, 60, 120)]
    assert between(recorded, 70, 80) == recorded[1:2]
    assert between(recorded, 50, 130) == recorded
    assert between(recorded, 119, 120) == recorded[1:2]
    assert between(recorded, -20, 0) == []


def test_a_recorder_tells_what_its_queues_dropped(tmp_path, ten_seconds):
    recorder = recorder_in(tmp_path)
    assert recorder.dropped == 0
    queues = [PacketQueue(capacity_s=2.0), PacketQueue(capacity_s=2.0)]
    for queue in queues:
        for packet in ten_seconds:
            queue.put(packet)
    assert queues[0].dropped > 0
    thread = recorder.start(queues[0])
    assert until(lambda: recorder.dropped == queues[0].dropped)
    queues[0].close()
    thread.join(5)
    assert recorder.dropped == queues[0].dropped
    queues[1].close()
    recorder.run(queues[1])
    assert recorder.dropped == queues[0].dropped + queues[1].dropped


def test_a_disk_that_stalls_is_told_of_at_once_and_until_it_goes_on(tmp_path, ten_seconds):
    statuses = []
    goes_on = threading.Event()
    clock = Ticking()

    def stalling(path: Path):
        goes_on.wait()
        return path.open("xb", buffering=0)

    recorder = recorder_in(
        tmp_path, on_state=statuses.append, open_file=stalling, clock=Clock(monotonic=clock)
    )
    queue = PacketQueue(capacity_s=2.0)
    thread = recorder.start(queue)
    for packet in ten_seconds:
        queue.put(packet)
    assert [status.detail for status in statuses] == ["media.recording.too_slow"]
    goes_on.set()
    assert until(lambda: queue.backlog_s == 0.0)
    clock.at += 31.0
    for packet in live_packets_after(ten_seconds, 20.0)[:50]:
        queue.put(packet)
    assert until(lambda: recorder.status.detail is None)
    queue.close()
    thread.join(5)
    assert sum(1 for segment in segments(tmp_path) for _ in segment.packets()) >= 50


def test_a_disk_that_cannot_keep_up_is_told_of_until_it_does(tmp_path, ten_seconds):
    statuses = []
    clock = Ticking()
    recorder = recorder_in(tmp_path, on_state=statuses.append, clock=Clock(monotonic=clock))
    queue = PacketQueue(capacity_s=2.0)
    for packet in ten_seconds:
        queue.put(packet)
    assert queue.dropped > 0
    thread = recorder.start(queue)
    assert until(lambda: recorder.status.detail == "media.recording.too_slow")
    assert recorder.status.state is RecorderState.RECORDING
    assert until(lambda: queue.backlog_s == 0.0)
    clock.at += 31.0
    for packet in live_packets_after(ten_seconds, 20.0)[:10]:
        queue.put(packet)
    assert until(lambda: recorder.status.detail is None)
    queue.close()
    thread.join(5)
    assert [status.detail for status in statuses] == ["media.recording.too_slow", None, None]
