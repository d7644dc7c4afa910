"""Files are read to their end, with exact indexes and times, and their damage is told."""

from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from tests.media import recorders
from tests.media.conftest import HEIGHT, WIDTH, draw, write_video

from tynysh.media.container_source import ContainerSource
from tynysh.media.packet import compressed
from tynysh.media.reader import VideoFile
from tynysh.media.recorder import Recorder
from tynysh.media.segment import segments
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts

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


def test_a_clock_that_is_set_in_the_middle_is_mended_and_counted(tmp_path):
    source = write_video(tmp_path / "clip.mp4", seconds=2)
    with av.open(str(source)) as old, av.open(str(tmp_path / "jump.mkv"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(old.demux(video=0)):
            if packet.size:
                packet.stream = stream
                packet.time_base = Fraction(1, 1000)
                packet.pts = packet.dts = number * 40 + (864_000_000 if number >= 30 else 0)
                new.mux(packet)
    video = VideoFile(tmp_path / "jump.mkv")
    assert [frame.time_s for frame in video.frames()] == pytest.approx(np.arange(50) / 25, abs=0.002)
    assert video.counters.timestamps_mended == 1


def rewritten(source, target, change: Callable[[int, av.Packet], bytes | None]):
    """`source` copied to `target`, each packet by its number and with its data as `change` makes them."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(old.demux(video=0)):
            if packet.dts is None:
                continue
            data = change(number, packet)
            copy = packet if data is None else compressed(data)
            copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
            copy.is_keyframe, copy.stream = packet.is_keyframe, stream
            new.mux(copy)
    return target


def scrambled_from(first: int, codec: str = "libx264") -> Callable[[int, av.Packet], bytes | None]:
    """Slices that only who holds the key can read, as recorders with stream encryption write them."""
    head = 1 if codec == "libx264" else 2
    generator = np.random.default_rng(2)

    def change(number, packet):
        if number < first:
            return None
        data, at = bytearray(bytes(packet)), 0
        while at + 5 < len(data):
            size = int.from_bytes(data[at : at + 4], "big")
            if data[at + 4] & 31 in (1, 5) if head == 1 else data[at + 4] >> 1 < 32:
                noise = generator.integers(0, 256, size - head, dtype=np.uint8)
                data[at + 4 + head : at + 4 + size] = noise.tobytes()
            at += 4 + size
        return bytes(data)

    return change


@pytest.mark.parametrize("name", ["hole.mkv", "hole.mp4", "hole.ts"])
@pytest.mark.parametrize("hole_s", [15, 60, 7200])
def test_a_hole_in_the_time_line_is_where_players_show_it(tmp_path, name, hole_s):
    def later(number, packet):
        if number >= 30:
            packet.pts += round(hole_s / packet.time_base)
            packet.dts += round(hole_s / packet.time_base)

    video = VideoFile(rewritten(write_video(tmp_path / "clip.mp4", seconds=2), tmp_path / name, later))
    expected = np.arange(50) / 25 + np.where(np.arange(50) >= 30, hole_s, 0)
    assert [frame.time_s for frame in video.frames()] == pytest.approx(expected, abs=0.002)
    assert video.duration_s == pytest.approx(hole_s + 2, abs=0.1)
    assert (video.damage, video.counters.timestamps_mended) == (None, 0)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("resting", [False, True])
def test_pictures_that_cannot_be_decoded_are_counted(tmp_path, resting, codec):
    options = {"x265-params": "log-level=none:keyint=25:bframes=0"} if codec == "libx265" else None
    whole = write_video(tmp_path / "clip.mp4", seconds=4, codec=codec, options=options)
    video = VideoFile(rewritten(whole, tmp_path / "half.mp4", scrambled_from(50, codec)))
    for _ in video.frames():
        video.set_active(not resting)
    assert video.damage is not None
    assert video.damage.fault is SourceFault.UNDECODABLE
    assert "50 of 100 pictures cannot be decoded" in video.damage.message


def test_a_file_of_which_nothing_decodes_is_an_error(tmp_path):
    whole = write_video(tmp_path / "clip.mp4", seconds=2)
    video = VideoFile(rewritten(whole, tmp_path / "all.mp4", scrambled_from(0)))
    with pytest.raises(SourceError, match="50 of 50 pictures cannot be decoded") as caught:
        list(video.frames())
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "settings",
    [
        {"options": {"preset": "veryfast"}, "b_frames": 3},
        {"options": {"x264-params": "intra-refresh=1"}},
        {"codec": "mpeg2video", "options": {}, "b_frames": 2},
    ],
)
def test_pictures_before_the_first_that_stands_alone_are_told(tmp_path, settings):
    path = write_video(tmp_path / "clip.ts", seconds=4, **settings)
    whole = path.read_bytes()
    path.write_bytes(whole[len(whole) // 3 // 188 * 188 :])
    video = VideoFile(path)
    lost = video.frame_count - sum(1 for _ in video.frames())
    assert lost > 0
    assert video.damage is not None
    assert f"{lost} of {video.frame_count} pictures" in video.damage.message


@pytest.mark.parametrize(
    "name", ["clip.mkv", "clip.flv", "clip.mp4", "fragments.mp4", "clip.mxf", "clip.wmv"]
)
def test_a_file_that_was_cut_says_so(tmp_path, name):
    codec = {"mxf": "mpeg2video", "wmv": "wmv2"}.get(name[-3:], "libx264")
    whole = write_video(
        tmp_path / f"whole-{name}",
        seconds=4,
        **({} if codec == "libx264" else {"codec": codec, "options": {}}),
    )
    if codec == "libx264":
        movflags = "frag_keyframe+empty_moov" if name == "fragments.mp4" else "faststart"
        with (
            av.open(str(whole)) as old,
            av.open(str(tmp_path / name), "w", options={"movflags": movflags}) as new,
        ):
            stream = new.add_stream_from_template(old.streams.video[0])
            for packet in old.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    new.mux(packet)
        whole = tmp_path / name
    video = VideoFile(whole)
    assert [frame.index for frame in video.frames()] == list(range(100))
    assert video.damage is None
    data = whole.read_bytes()
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(data[: int(len(data) * 0.6)])
    video = VideoFile(cut)
    assert 40 < sum(1 for _ in video.frames()) < 80
    assert video.damage is not None
    assert video.damage.exit_code == 4


def test_sound_that_outlasts_the_pictures_is_no_damage(tmp_path):
    with av.open(str(tmp_path / "long.mkv"), "w") as container:
        video, sound = container.add_stream("libx264", rate=25), container.add_stream("pcm_s16le", rate=8000)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="bgr24")
        for number in range(400):
            if number < 50:
                container.mux(video.encode(picture))
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 160), np.int16), format="s16", layout="mono")
            samples.sample_rate, samples.pts = 8000, number * 160
            container.mux(sound.encode(samples))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    assert VideoFile(tmp_path / "long.mkv").damage is None


@pytest.mark.parametrize("name", ["bare.h264", "bare.mjpeg", "bare.hevc"])
def test_pictures_without_a_clock_are_told_and_take_a_rate(tmp_path, name):
    kinds = {
        "mjpeg": {"codec": "mjpeg", "options": {}, "pixel_format": "yuvj420p"},
        "hevc": KINDS["hevc.mkv"],
    }
    path = write_video(tmp_path / name, seconds=2, fps=10, **kinds.get(name[5:], {}))
    assert any("--fps" in told for told in VideoFile(path).notes)
    video = VideoFile(path, fps=8)
    assert video.notes == []
    assert [frame.time_s for frame in video.frames()] == pytest.approx(np.arange(20) / 8, abs=0.001)


def test_a_rate_for_a_file_that_has_a_clock_is_refused(tmp_path):
    with pytest.raises(SourceError, match="times of its own"):
        VideoFile(write_video(tmp_path / "clip.mp4", seconds=1), fps=10)


def test_the_rate_that_an_encoder_wrote_into_bare_pictures_is_taken(tmp_path):
    assert VideoFile(write_video(tmp_path / "bare.h264", seconds=2, fps=10)).duration_s == pytest.approx(2)


def test_a_second_video_stream_is_told_and_can_be_chosen(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=10) for _ in range(2)]
        for stream, side in zip(streams, (64, 96), strict=True):
            stream.width = stream.height = side
        for level in range(10):
            for stream in streams:
                picture = np.full((stream.height, stream.width, 3), level * 20, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        for stream in streams:
            container.mux(stream.encode(None))
    first, second = VideoFile(path), VideoFile(path, stream=2)
    assert (first.width, second.width) == (64, 96)
    assert len(list(second.frames())) == 10
    assert "2 video streams" in first.notes[0]
    assert second.notes == []
    with pytest.raises(SourceError, match="no video stream 3"):
        VideoFile(path, stream=3)
    chosen = SourceSpec.parse(f"file://{path}?stream=2")
    assert (chosen.address, ContainerSource(chosen, Timeouts()).info.width) == (str(path), 96)


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


FORMATS = [
    ("prores_ks", "yuv422p10le", "mov"),
    ("prores_ks", "yuva444p10le", "mov"),
    ("utvideo", "yuv422p", "avi"),
    ("utvideo", "gbrp", "avi"),
    ("ffv1", "yuva420p", "mkv"),
    ("huffyuv", "yuv422p", "avi"),
    ("magicyuv", "yuv444p", "avi"),
    ("rawvideo", "yuyv422", "avi"),
    ("rawvideo", "bgr24", "avi"),
    ("v210", "yuv422p10le", "mov"),
    ("qtrle", "argb", "mov"),
    ("cfhd", "yuv422p10le", "mov"),
    ("libx264", "yuv422p10le", "mkv"),
    ("libx265", "yuv420p10le", "mp4"),
    ("mpeg2video", "yuv422p", "ts"),
    ("libvpx-vp9", "yuv444p", "webm"),
]


@pytest.mark.parametrize(("codec", "pixel_format", "suffix"), FORMATS)
def test_what_ffmpeg_decodes_is_read_and_recorded(tmp_path, codec, pixel_format, suffix):
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = tmp_path / f"clip.{suffix}"
    write_video(path, seconds=0.4, codec=codec, options=options, pixel_format=pixel_format, noise=0)
    video = VideoFile(path)
    frames = list(video.frames())
    wanted = draw(0, 25, noise=0).astype(float)
    grey = wanted @ np.array([0.114, 0.587, 0.299])
    assert video.damage is None
    assert len(frames) == 10
    for frame in frames:
        assert np.abs(frame.bgr - wanted).mean() < 12
        assert min(np.abs(frame.luma - grey).mean(), np.abs(frame.luma - 16 - grey * 219 / 255).mean()) < 12
    recorder = Recorder(tmp_path / "recorded", reserve_bytes=0)
    for packet in video.packets():
        recorder.record(packet)
    recorder.close()
    (segment,) = segments(tmp_path / "recorded")
    assert len(list(VideoFile(segment.path).frames())) >= 9


def test_files_of_recorders_are_read_whole_with_their_times(tmp_path):
    source = write_video(tmp_path / "clip.mp4", seconds=4, walks_from_s=0)
    size = {"width": WIDTH, "height": HEIGHT, "fps": 25}
    for path in (
        recorders.dav(source, tmp_path / "export.dav", **size),
        recorders.imkh(source, tmp_path / "download.mp4"),
        recorders.wrapped(source, tmp_path / "wrapped.ts", before_s=2.0),
    ):
        video = VideoFile(path)
        frames = list(video.frames())
        assert [frame.time_s for frame in frames] == pytest.approx(np.arange(100) / 25, abs=0.002)
        assert (video.damage, video.notes) == (None, [])
        assert all(
            np.array_equal(a.luma, b.luma) for a, b in zip(frames, VideoFile(source).frames(), strict=True)
        )


def test_a_hole_in_a_recorders_export_is_where_its_clock_has_it(tmp_path):
    source = write_video(tmp_path / "clip.mp4", seconds=4)
    size = {"width": WIDTH, "height": HEIGHT, "fps": 25}
    path = recorders.dav(source, tmp_path / "export.dav", **size, hole=(50, 60.0))
    expected = np.arange(100) / 25 + np.where(np.arange(100) >= 50, 60, 0)
    assert [frame.time_s for frame in VideoFile(path).frames()] == pytest.approx(expected, abs=0.002)
