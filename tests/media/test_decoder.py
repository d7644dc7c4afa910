"""Resting costs little and misses nothing."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.media.conftest import write_video

from tynysh.media.decoder import AdaptiveDecoder, SizeAlarm
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile

FPS = 25
ONSET_S = 13.3
SECONDS = 16


class MotionDifference:
    """A simple stand-in for the motion gate: differences of small pictures, held for two seconds."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._until_s = -1.0

    def moving(self, frame: Frame) -> bool:
        small = cv2.resize(frame.luma, (80, 60), interpolation=cv2.INTER_AREA).astype(np.int16)
        if self._before is not None and np.count_nonzero(np.abs(small - self._before) > 12) >= 4:
            self._until_s = frame.time_s + 2
        self._before = small
        return frame.time_s < self._until_s


def watch(path: Path, **settings):
    """Decode with a motion gate: for each frame delivered, its index and how late it came; and the decoder."""
    video = VideoFile(path)
    decoder = AdaptiveDecoder(video.info, **settings)
    motion = MotionDifference()
    delays: dict[int, float] = {}
    for packet in video.packets():
        for frame in decoder.decode(packet):
            assert not delays or frame.index > max(delays)
            assert frame.time_s == pytest.approx(video.frame_times[frame.index])
            delays[frame.index] = packet.decode_time_s - frame.time_s
            decoder.set_active(motion.moving(frame))
    for frame in decoder.finish():
        delays[frame.index] = video.duration_s - frame.time_s
    return delays, decoder


RATES = {
    "quality": {"preset": "ultrafast", "tune": "zerolatency"},
    "reordered": {"preset": "veryfast", "bf": "2"},
    "constant": {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "b": "600k",
        "minrate": "600k",
        "maxrate": "600k",
        "bufsize": "600k",
        "nal-hrd": "cbr",
    },
}


@pytest.fixture(scope="module")
def quiet_then_walking(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walks")
    made: dict[tuple[str, int], Path] = {}

    def make(rate: str, keyint: int) -> Path:
        if (rate, keyint) not in made:
            made[rate, keyint] = write_video(
                folder / f"{rate}{keyint}.mp4",
                seconds=SECONDS,
                keyint=keyint,
                options=RATES[rate],
                walks_from_s=ONSET_S,
            )
        return made[rate, keyint]

    return make


@pytest.mark.parametrize(
    ("rate", "keyint"), [("quality", 25), ("quality", 250), ("reordered", 250), ("constant", 250)]
)
def test_the_onset_of_motion_is_seen_whole_and_within_a_second(quiet_then_walking, rate, keyint):
    delays, _ = watch(quiet_then_walking(rate, keyint))
    onset = round(ONSET_S * FPS)
    assert [index for index in range(onset, SECONDS * FPS) if index not in delays] == []
    assert max(delays[index] for index in range(onset, onset + FPS)) <= 1.1


@pytest.mark.parametrize("keyint", [25, 250])
def test_a_quiet_scene_is_mostly_not_decoded(tmp_path, keyint):
    path = write_video(tmp_path / "clip.mp4", seconds=14, keyint=keyint, options=RATES["quality"], noise=0.7)
    video = VideoFile(path)
    decoder = AdaptiveDecoder(video.info)
    decoder.set_active(False)
    for packet in video.packets():
        for _ in decoder.decode(packet):
            decoder.set_active(False)
    assert decoder.counters.pictures < video.frame_count / 3


def test_everything_is_decoded_for_who_never_says_that_nothing_moves(tmp_path):
    path = write_video(tmp_path / "clip.mp4", seconds=2)
    video = VideoFile(path)
    decoder = AdaptiveDecoder(video.info)
    frames = [frame.index for packet in video.packets() for frame in decoder.decode(packet)]
    frames += [frame.index for frame in decoder.finish()]
    assert frames == list(range(50))


def test_attention_in_the_middle_of_a_group_brings_the_whole_group(tmp_path):
    path = write_video(tmp_path / "clip.mp4", seconds=4, keyint=100)
    video = VideoFile(path)
    decoder = AdaptiveDecoder(video.info, distrusted_probe_s=1e9)
    decoder.set_active(False)
    seen = []
    for packet in video.packets():
        if packet.ordinal == 60:
            assert seen == [0]
            decoder.set_active(True)
        seen += [frame.index for frame in decoder.decode(packet)]
    assert seen == list(range(100))


def test_hidden_motion_is_found_by_looking_now_and_then(tmp_path):
    """Sizes that tell nothing: every picture between key frames is padded to the same length."""
    path = write_video(tmp_path / "clip.mp4", seconds=11, keyint=1000, walks_from_s=6.5)
    video = VideoFile(path)
    packets = list(video.packets())
    longest = max(packet.size for packet in packets if not packet.is_key) + 8
    # A filler unit (type 12) of the missing length after the picture, as constant-bit-rate encoders write it.
    padded = [
        packet
        if packet.is_key
        else replace(
            packet,
            data=packet.data
            + (longest - packet.size - 4).to_bytes(4)
            + b"\x0c"
            + b"\xff" * (longest - packet.size - 6)
            + b"\x80",
        )
        for packet in packets
    ]
    decoder = AdaptiveDecoder(video.info, probe_s=5)
    motion = MotionDifference()
    delays = {}
    for packet in padded:
        for frame in decoder.decode(packet):
            delays[frame.index] = packet.time_s - frame.time_s
            decoder.set_active(motion.moving(frame))
    onset = round(6.5 * FPS)
    assert [index for index in range(onset, 11 * FPS) if index not in delays] == []
    assert max(delays.values()) <= 5.1


@pytest.mark.parametrize("codec", ["mjpeg"])
def test_codecs_of_key_frames_alone_rest_at_two_pictures_a_second(tmp_path, codec):
    path = write_video(
        tmp_path / "clip.avi", seconds=10, codec=codec, options={}, pixel_format="yuvj420p", walks_from_s=7.3
    )
    delays, decoder = watch(path)
    onset = round(7.3 * FPS)
    quiet = [index for index in delays if index < onset]
    assert 12 <= len(quiet) <= 45
    assert [index for index in range(onset, 250) if index not in delays] == []
    assert max(delays[index] for index in range(onset, onset + FPS)) <= 0.6
    assert decoder.counters.pictures < 150


def test_a_damaged_packet_is_counted_and_passed_over(tmp_path):
    path = write_video(tmp_path / "clip.mp4", seconds=4)
    video = VideoFile(path)
    decoder = AdaptiveDecoder(video.info)
    seen = []
    for packet in video.packets():
        broken = (
            replace(packet, data=b"\x00\x00\x00\x04\x65garbage") if packet.ordinal in {30, 50} else packet
        )
        seen += [frame.index for frame in decoder.decode(broken)]
    assert decoder.counters.corrupt >= 1
    assert seen == sorted(set(seen))
    assert seen[-1] == 99


def test_what_is_kept_while_resting_is_bounded(tmp_path):
    path = write_video(tmp_path / "clip.mp4", seconds=8, keyint=1000)
    video = VideoFile(path)
    decoder = AdaptiveDecoder(video.info, buffer_bytes=20_000, probe_s=1e9)
    decoder.set_active(False)
    largest = 0
    for packet in video.packets():
        for _ in decoder.decode(packet):
            decoder.set_active(False)
        largest = max(largest, decoder._kept_bytes)
    assert largest <= 20_000 + max(packet.size for packet in video.packets())


def test_cameras_that_stamp_reordered_pictures_in_order_of_sending_are_understood(tmp_path):
    path = write_video(
        tmp_path / "clip.mp4", seconds=2, options={"preset": "veryfast"}, b_frames=2, walks_from_s=0, noise=0
    )
    video = VideoFile(path)
    decoder = AdaptiveDecoder(video.info)
    frames = []
    for packet in video.packets():
        lying = replace(packet, time_s=packet.ordinal / FPS, index=None)
        frames += list(decoder.decode(lying))
    frames += list(decoder.finish())
    assert len(frames) == 50
    assert [frame.time_s for frame in frames[6:]] == pytest.approx(np.arange(6, 50) / FPS, abs=0.001)


def test_sizes_that_stay_level_give_no_alarm():
    generator = np.random.default_rng(3)
    alarm = SizeAlarm(25)
    alarms = [alarm.observe(int(size), moving=False) for size in generator.normal(1000, 60, 5000)]
    assert sum(alarms) <= 2


def test_sizes_that_rise_give_an_alarm_at_once():
    generator = np.random.default_rng(3)
    alarm = SizeAlarm(25)
    for size in generator.normal(1000, 60, 500):
        alarm.observe(int(size), moving=False)
    assert any(alarm.observe(int(size), moving=False) for size in generator.normal(1400, 60, 10))


def test_false_alarms_make_it_slower_to_believe():
    generator = np.random.default_rng(3)
    alarm = SizeAlarm(25)
    for size in generator.normal(1000, 60, 500):
        alarm.observe(int(size), moving=False)
    for _ in range(8):
        alarm.was_wrong()
    assert not any(alarm.observe(int(size), moving=False) for size in generator.normal(1300, 60, 10))


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", None),
        ("libx265", {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none"}),
    ],
)
@pytest.mark.parametrize("moving", [True, False])
def test_pictures_that_do_not_come_out_are_counted_also_where_ffmpeg_says_nothing(
    video, codec, options, moving
):
    path = video("scrambled.mp4", seconds=6, codec=codec, options=options, walks_from_s=0)
    packets = list(VideoFile(path).packets())
    decoder = AdaptiveDecoder(packets[0].info)
    whole = packets[:30]
    for packet in whole:
        list(decoder.decode(packet))
    assert (decoder.counters.undecoded, decoder.counters.barren) == (0, False)
    decoder.set_active(moving)
    for packet in packets[30:]:
        list(decoder.decode(replace(packet, data=scrambled(packet.data, codec))))
    list(decoder.finish())
    assert decoder.counters.barren
    if moving:
        assert decoder.counters.undecoded >= 110


def scrambled(data, codec):
    """A picture whose slices are noise but for their headers' first bytes."""
    noise, made, at = np.random.default_rng(len(data)), bytearray(data), 0
    while at + 6 < len(data):
        length = int.from_bytes(data[at : at + 4])
        kind, head = (data[at + 4] & 31, 1) if codec == "libx264" else (data[at + 4] >> 1, 2)
        if kind in (1, 5) if codec == "libx264" else kind < 32:
            made[at + 4 + head : at + 4 + length] = noise.integers(0, 256, length - head, np.uint8).tobytes()
        at += 4 + length
    return bytes(made)
