"""Files are read to their end, with exact indexes and times, and their damage is told."""

from fractions import Fraction

import av
import numpy as np
import pytest
from tests.media.conftest import write_video

from tynysh.media.reader import VideoFile
from tynysh.media.source_fault import SourceError, SourceFault

KINDS = {
    "h264.mp4": {},
    "reordered.mp4": {"options": {"preset": "veryfast"}, "b_frames": 3},
    "reordered.ts": {"options": {"preset": "veryfast"}, "b_frames": 3},
    "reordered.avi": {"codec": "mpeg4", "options": {}, "b_frames": 2},
    "hevc.mkv": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "mjpeg.avi": {"codec": "mjpeg", "options": {}, "pixel_format": "yuvj420p"},
    "bare.h264": {},
}


@pytest.mark.parametrize("name", KINDS)
def test_every_picture_has_its_index_and_its_time(tmp_path, name):
    path = write_video(tmp_path / name, seconds=2, walks_from_s=0, **KINDS[name])
    video = VideoFile(path)
    frames = [(frame.index, frame.time_s) for frame in video.frames()]
    assert [index for index, _ in frames] == list(range(50))
    assert [time for _, time in frames] == pytest.approx(np.arange(50) / 25, abs=0.002)
    assert video.frame_count == 50
    assert list(video.frame_times) == [time for _, time in frames]
    assert video.fps == pytest.approx(25, rel=0.01)
    assert video.duration_s == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("name", ["h264.mp4", "reordered.mp4", "reordered.avi"])
def test_pictures_come_in_the_order_in_which_they_were_filmed(tmp_path, name):
    """The drawn box walks to the right, 1.6 pixels a picture."""
    settings = {**KINDS[name], "options": {"b": "8000000"}} if name.endswith("avi") else KINDS[name]
    path = write_video(tmp_path / name, seconds=2, walks_from_s=0, noise=0, **settings)
    lefts = [float(np.argmax((frame.luma[150] < 45).astype(int))) for frame in VideoFile(path).frames()]
    assert np.all(np.diff(lefts) >= 0)
    assert lefts[-1] - lefts[0] == pytest.approx(49 * 1.6, abs=4)


def test_a_resting_reader_keeps_exact_indexes(tmp_path):
    path = write_video(tmp_path / "clip.mp4", seconds=6, keyint=25, noise=0.5)
    video = VideoFile(path)
    indexes = []
    for frame in video.frames():
        indexes.append(frame.index)
        assert frame.time_s == video.frame_times[frame.index]
        video.set_active(False)
    assert [index for index in indexes if index % 25 == 0] == [0, 25, 50, 75, 100, 125]
    assert len(indexes) < 30
    assert video.frame_count == 150
    assert video.counters.frames_read == 150
    assert video.counters.frames_decoded < 60


def test_reading_twice_gives_the_same(tmp_path):
    path = write_video(tmp_path / "clip.mp4", seconds=4, keyint=50, walks_from_s=2.5)

    def read():
        video = VideoFile(path)
        seen = []
        for frame in video.frames():
            seen.append((frame.index, frame.time_s, int(frame.luma.sum())))
            video.set_active(False)
        return seen

    assert read() == read()


def test_a_folder_is_one_timeline(tmp_path):
    for name in ("part2.mp4", "part10.mp4", "part1.mp4"):
        write_video(tmp_path / name, seconds=1)
    video = VideoFile(tmp_path)
    frames = [(frame.index, frame.time_s) for frame in video.frames()]
    assert [index for index, _ in frames] == list(range(75))
    assert [time for _, time in frames] == pytest.approx(np.arange(75) / 25, abs=0.002)
    assert video.duration_s == pytest.approx(3, abs=0.01)


def test_a_jump_in_the_stamps_is_mended_and_counted(tmp_path):
    source = write_video(tmp_path / "clip.mp4", seconds=2)
    with av.open(str(source)) as old, av.open(str(tmp_path / "jump.mkv"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(old.demux(video=0)):
            if packet.size:
                packet.stream = stream
                packet.time_base = Fraction(1, 1000)
                packet.pts = packet.dts = number * 40 + (3_600_000 if number >= 30 else 0)
                new.mux(packet)
    video = VideoFile(tmp_path / "jump.mkv")
    assert [frame.time_s for frame in video.frames()] == pytest.approx(np.arange(50) / 25, abs=0.002)
    assert video.counters.timestamps_mended == 1


def test_damage_in_the_middle_is_counted_and_survived(tmp_path):
    path = write_video(tmp_path / "clip.ts", seconds=6)
    data = bytearray(path.read_bytes())
    generator = np.random.default_rng(0)
    middle = len(data) // 2
    data[middle : middle + 1500] = generator.integers(0, 256, 1500, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    video = VideoFile(path)
    times = [frame.time_s for frame in video.frames()]
    assert len(times) > 120
    assert times == sorted(times)
    assert times[-1] == pytest.approx(6, abs=0.2)


def test_a_file_that_ends_early_is_read_as_far_as_it_goes_and_says_so(tmp_path):
    path = write_video(tmp_path / "clip.avi", seconds=4, codec="mpeg4", options={})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    video = VideoFile(path)
    assert 20 < sum(1 for _ in video.frames()) < 95
    assert video.damage is not None
    assert video.damage.fault is SourceFault.TRUNCATED


def test_a_whole_file_has_no_damage(tmp_path):
    assert VideoFile(write_video(tmp_path / "clip.avi", seconds=1, codec="mpeg4", options={})).damage is None


def test_an_unreadable_file_is_one_clear_error(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no video at all" * 100)
    with pytest.raises(SourceError) as caught:
        VideoFile(tmp_path / "clip.mp4")
    assert caught.value.exit_code == 4
    assert "clip.mp4" in caught.value.message


@pytest.mark.footage
def test_vtest_is_read_whole(vtest):
    video = VideoFile(vtest)
    assert [frame.index for frame in video.frames()] == list(range(795))
    assert video.fps == pytest.approx(10)
    assert video.duration_s == pytest.approx(79.5)
