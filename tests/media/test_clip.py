"""Clips are cut without re-encoding, say truly when they begin, and do not hide gaps."""

from dataclasses import replace

import av
import numpy as np
import pytest
from tests.media.conftest import WIDTH, write_video
from tests.media.test_recorder import START, live_packets, recorder_in

from tynysh.errors import MediaError
from tynysh.media.clip import cut
from tynysh.media.reader import VideoFile
from tynysh.media.segment import segments


def recorded(folder, packets, **settings):
    recorder = recorder_in(folder, **settings)
    for packet in packets:
        recorder.record(packet)
    recorder.close()
    return segments(folder)


@pytest.fixture(scope="module")
def packets(tmp_path_factory):
    path = write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=10, walks_from_s=0, noise=0)
    return live_packets(path)


def box_left(frame) -> int:
    """Where the drawn box is: it walks 1.6 pixels a picture, so it tells the picture's number."""
    return int(np.argmax(frame.luma[150] < 45))


def walked_to(time_s: float) -> float:
    """Where the drawn box was at that Unix time."""
    return (20 + (time_s - START) * 40) % (WIDTH - 30)


def test_a_clip_across_segments_holds_every_picture_once(tmp_path, packets):
    clip = cut(recorded(tmp_path / "r", packets), START + 2.5, START + 7.25, tmp_path / "clip.mp4")
    assert not clip.transcoded
    assert clip.gaps == ()
    assert clip.start_s == pytest.approx(START + 2, abs=0.002)
    assert clip.end_s == pytest.approx(START + 7.28, abs=0.01)
    video = VideoFile(clip.path)
    frames = list(video.frames())
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(132) / 25, abs=0.002)
    assert video.counters.timestamps_mended == 0
    for frame in frames[::20]:
        assert box_left(frame) == pytest.approx(walked_to(clip.start_s + frame.time_s), abs=3)


def test_copying_keeps_the_very_bytes(tmp_path, packets):
    clip = cut(recorded(tmp_path / "r", packets), START + 3, START + 5, tmp_path / "clip.mp4")
    cut_out = [packet.size for packet in VideoFile(clip.path).packets()]
    assert cut_out == [packet.size for packet in packets[75:125]]


def test_reordered_pictures_survive_cutting(tmp_path):
    path = write_video(
        tmp_path / "clip.mp4", seconds=6, options={"preset": "veryfast"}, b_frames=2, walks_from_s=0, noise=0
    )
    clip = cut(recorded(tmp_path / "r", live_packets(path)), START + 2.5, START + 5, tmp_path / "out.mp4")
    lefts = [box_left(frame) for frame in VideoFile(clip.path).frames()]
    assert lefts == sorted(lefts)
    assert len(lefts) >= 74


def test_gaps_are_told_and_keep_their_length(tmp_path, packets):
    first, _, third, *_ = recorded(tmp_path / "r", packets)
    clip = cut([third, first], START - 5, START + 8, tmp_path / "clip.mp4")
    assert np.subtract(clip.gaps, START) == pytest.approx(np.array([(-5, 0), (3, 6)]), abs=0.01)
    times = [frame.time_s for frame in VideoFile(clip.path).frames()]
    assert times[-1] == pytest.approx(7.96, abs=0.01)


def test_the_segment_that_is_still_being_written_can_be_cut(tmp_path, packets):
    recorder = recorder_in(tmp_path / "r", segment_s=60)
    for packet in packets[:200]:
        recorder.record(packet)
    clip = cut(segments(tmp_path / "r"), START + 4, START + 6, tmp_path / "clip.mp4")
    recorder.close()
    assert sum(1 for _ in VideoFile(clip.path).frames()) == 50


@pytest.mark.parametrize(
    "settings",
    [
        {"codec": "mjpeg", "options": {}, "pixel_format": "yuvj420p"},
        {"codec": "mpeg4", "options": {"b": "4000000"}},
    ],
    ids=["mjpeg", "mpeg4"],
)
def test_what_browsers_do_not_play_is_encoded_again(tmp_path, settings):
    path = write_video(tmp_path / "clip.avi", seconds=5, walks_from_s=0, noise=0, **settings)
    clip = cut(recorded(tmp_path / "r", live_packets(path)), START + 2, START + 4, tmp_path / "clip.mp4")
    assert clip.transcoded
    video = VideoFile(clip.path)
    assert video.info.codec == "h264"
    frames = list(video.frames())
    assert frames[-1].time_s + clip.start_s - START == pytest.approx(3.96, abs=0.05)
    for frame in frames[::10]:
        assert box_left(frame) == pytest.approx(walked_to(clip.start_s + frame.time_s), abs=4)


def test_a_camera_that_changed_its_picture_still_gives_a_clip(tmp_path, packets):
    import av

    other = tmp_path / "other.mp4"
    with av.open(str(other), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        for number in range(50):
            picture = np.full((128, 160, 3), 3 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    after = live_packets(other, START + 3)
    clip = cut(recorded(tmp_path / "r", [*packets[:75], *after]), START + 1, START + 5, tmp_path / "clip.mp4")
    assert clip.transcoded
    video = VideoFile(clip.path)
    assert (video.width, video.height) == (320, 240)
    assert sum(1 for _ in video.frames()) == pytest.approx(100, abs=3)


def test_a_time_without_recording_is_a_clear_error(tmp_path, packets):
    kept = recorded(tmp_path / "r", packets)
    with pytest.raises(MediaError, match="no recording"):
        cut(kept, START - 100, START - 90, tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match="no recording"):
        cut([], START, START + 1, tmp_path / "clip.mp4")
    assert not list(tmp_path.glob("clip.mp4*"))


def test_an_empty_segment_left_by_a_crash_is_passed_over(tmp_path, packets):
    first, second, *_ = recorded(tmp_path / "r", packets)
    second.path.write_bytes(b"")
    clip = cut([first, replace(second)], START + 1, START + 5, tmp_path / "clip.mp4")
    assert clip.gaps == ((pytest.approx(START + 3, abs=0.01), START + 5),)


@pytest.mark.parametrize(
    "error", [av.FFmpegError(1, "no"), av.error.InvalidDataError(1, "no"), ValueError("no")]
)
@pytest.mark.parametrize("fails", ["add_stream", "compressed"])
def test_whatever_the_muxer_refuses_is_a_clear_error_and_leaves_nothing(
    tmp_path, packets, monkeypatch, error, fails
):
    kept = recorded(tmp_path / "r", packets)
    (tmp_path / "out").mkdir()

    def fail(*_):
        raise error

    monkeypatch.setattr(f"tynysh.media.clip.{fails}", fail)
    with pytest.raises(MediaError, match=r"clip\.mp4 cannot be written"):
        cut(kept, START + 3, START + 5, tmp_path / "out" / "clip.mp4")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_in_the_place_of_the_clip_is_a_clear_error(tmp_path, packets):
    kept = recorded(tmp_path / "r", packets)
    (tmp_path / "out" / "clip.mp4").mkdir(parents=True)
    with pytest.raises(MediaError, match=r"clip\.mp4 cannot be written"):
        cut(kept, START + 3, START + 5, tmp_path / "out" / "clip.mp4")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip.mp4"]
