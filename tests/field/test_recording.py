"""Recordings, clips and disks of the field, as people who run such systems reported them."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.test_clip_maker import Maker
from tests.evidence.test_retention import DAY, NOW, Place
from tests.field.conftest import HEVC
from tests.fuzz.effort import in_time
from tests.media.conftest import write_video
from tests.media.test_recorder import Ticking, live_packets, recorder_in

from tynysh.errors import MediaError
from tynysh.media.camera import Clock
from tynysh.media.clip import cut
from tynysh.media.packet import Packet
from tynysh.media.reader import VideoFile
from tynysh.media.recorder import RecorderState
from tynysh.media.segment import between, segments
from tynysh.store.database import Database

BACK = datetime(2026, 10, 25, 1, 0, tzinfo=UTC).timestamp()
"""London puts its clocks back from 02:00 to 01:00: the hours before and after this moment are both called 1."""


@pytest.fixture(scope="module")
def four_seconds(tmp_path_factory: pytest.TempPathFactory) -> list[Packet]:
    """Packets from 0 s on."""
    return live_packets(
        write_video(tmp_path_factory.mktemp("four") / "a.mp4", seconds=4, walks_from_s=0), 0.0
    )


def at(packets: list[Packet], start_s: float) -> list[Packet]:
    """The packets as they come from `start_s` on."""
    return [
        replace(packet, time_s=packet.time_s + start_s, decode_time_s=packet.decode_time_s + start_s)
        for packet in packets
    ]


@pytest.fixture
def london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clocks show London's time."""
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_hour_that_comes_twice_is_recorded_twice_and_cut_once(
    london: None, four_seconds: list[Packet], tmp_path: Path
) -> None:
    """The second 1 o'clock overwrote the first, was lost, or both were shown by turns: blakeblackshear/frigate#4270,
    #8376, #4261.
    """
    recorder = recorder_in(tmp_path / "kept", segment_s=60.0)
    first, second = BACK - 1800, BACK + 1800
    assert (
        time.strftime("%H:%M", time.localtime(first))
        == time.strftime("%H:%M", time.localtime(second))
        == "01:30"
    )
    for start_s in (first, second):
        for packet in at(four_seconds, start_s):
            recorder.record(packet)
    recorder.close()
    recorded = segments(tmp_path / "kept")
    assert [segment.start_s for segment in recorded] == [first, second]
    for start_s in (first, second):
        clip = cut(recorded, start_s, start_s + 4, tmp_path / "clip.mp4")
        assert (clip.start_s, clip.end_s) == pytest.approx((start_s, start_s + 4), abs=0.01)
        assert clip.gaps == ()
        assert VideoFile(clip.path).frame_count == len(four_seconds)


def test_what_a_loss_of_power_leaves_costs_only_itself(four_seconds: list[Packet], tmp_path: Path) -> None:
    """Files of no bytes, files without an index, files that end in blocks of zeros:
    blakeblackshear/frigate#6465 and #1712, ponchio/untrunc#294.
    """
    recorder = recorder_in(tmp_path, segment_s=2.0)
    for packet in at(four_seconds, 1000.0) + at(four_seconds, 1004.0):
        recorder.record(packet)
    recorder.close()
    empty, zeroed, cut_off, whole = segments(tmp_path)
    empty.path.write_bytes(b"")
    size = zeroed.path.stat().st_size
    os.truncate(zeroed.path, size // 2)
    os.truncate(zeroed.path, size)
    os.truncate(cut_off.path, cut_off.path.stat().st_size * 3 // 4)
    clip = cut(segments(tmp_path), 1000.0, 1008.0, tmp_path / "clip" / "clip.mp4")
    pictures = VideoFile(clip.path).frame_count
    assert 50 + 12 + 25 <= pictures < 150, "the whole one, and what there is of the two that are not"
    assert clip.gaps[0] == (1000.0, 1002.0), "nothing is made up for the empty one"
    assert (clip.start_s, clip.end_s) == pytest.approx((1002.0, 1008.0), abs=0.01)
    assert whole.start_s == 1006.0


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.ENOTCONN, errno.ENOENT, errno.EROFS])
def test_a_share_that_goes_away_stops_recording_and_begins_again_when_it_is_back(
    number: int, four_seconds: list[Packet], tmp_path: Path
) -> None:
    """The NAS restarts, the mount is stale, and recording hangs or never comes back: HclX/WyzeHacks#80,
    home-assistant/supervisor#4985.
    """
    away = [False]
    clock = Ticking()

    def refuse_while_away(_: Path) -> None:
        if away[0]:
            raise OSError(number, os.strerror(number))

    def open_file(path: Path) -> Any:
        refuse_while_away(path)
        return path.open("xb", buffering=0)

    def free_bytes(folder: Path) -> int:
        refuse_while_away(folder)
        return 10**9

    recorder = recorder_in(
        tmp_path, segment_s=1.0, open_file=open_file, free_bytes=free_bytes, clock=Clock(monotonic=clock)
    )
    told = []
    for turn in range(4):
        away[0] = turn in {1, 2}
        for packet in at(four_seconds, 1000.0 + 10 * turn):
            clock.at = packet.time_s
            recorder.record(packet)
        told.append((recorder.status.state, recorder.status.detail))
    assert told[0] == (RecorderState.RECORDING, None)
    assert told[1] == told[2] == (RecorderState.STOPPED, "media.recording.failed")
    assert told[3] == (RecorderState.RECORDING, None)
    recorder.close()
    recorded = segments(tmp_path)
    assert between(recorded, 1000.0, 1004.0)
    assert recorded[-1].start_s >= 1030.0
    assert len(list(recorded[-1].packets())) == 25


def test_with_a_clip_go_its_original_its_still_and_whatever_lies_beside(place: Place) -> None:
    """Thumbnails that stay when their movie is deleted, until they fill the disk: motioneye-project/motioneye#55,
    #1669, motioneye-project/motioneyeos#125.
    """
    old, recent = place.incident(11), place.incident(1)
    (place.evidence / str(old) / "people.json").write_text("{}")
    place.delete_due()
    assert not (place.evidence / str(old)).exists()
    assert sorted(path.name for path in (place.evidence / str(recent)).iterdir()) == [
        "clip.mp4",
        "original.mp4",
        "still.jpg",
    ]


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Iterator[Place]:
    """A site that keeps recordings for two days and evidence for ten."""
    database = Database.open(sqlite_url)
    yield Place(tmp_path, database)
    database.close()


def test_weeks_of_segments_in_one_folder_are_kept_house_of_in_one_go(place: Place) -> None:
    """A scan of all files for each that is deleted, hours of it, and a disk that fills meanwhile:
    themactep/thingino-firmware#1087, opensensor/lightNVR#369 and #488, blakeblackshear/frigate#21695.
    """
    count = 4 * 1440
    place.record("north", *(number / 1440 for number in range(count)), bytes=0)
    with in_time(60):
        deleted = place.delete_due()
    assert deleted.segments == pytest.approx(count / 2, abs=2)
    left = segments(place.recordings / "north")
    assert len(left) == count - deleted.segments
    assert all(NOW - segment.start_s <= 2 * DAY + 60 for segment in left)


@pytest.fixture
def nobody_masks() -> Iterator[None]:
    """A service that is started with a umask of 0, as some containers are."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_recordings_and_clips_are_for_their_user_alone_whatever_the_umask(
    nobody_masks: None, four_seconds: list[Packet], tmp_path: Path
) -> None:
    """Files that anybody on the machine, or on the share, may read: nextcloud/server#29448,
    blakeblackshear/frigate#18614.
    """
    recorder = recorder_in(tmp_path / "kept")
    for packet in at(four_seconds, 1000.0):
        recorder.record(packet)
    recorder.close()
    (segment, *_) = segments(tmp_path / "kept")
    assert oct(segment.path.stat().st_mode & 0o777) == oct(0o600)
    assert oct(segment.path.parent.stat().st_mode & 0o777) == oct(0o700)


def test_a_still_that_the_disk_does_not_take_leaves_no_empty_picture(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures of 0 bytes that break the list of events for ever: blakeblackshear/frigate#24110,
    roleoroleo/yi-hack-Allwinner-v2#599.
    """
    maker = Maker(tmp_path, sqlite_url)

    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(MediaError, match="No space left"):
            maker.made.keep_still(maker.incident, b"\xff\xd8picture\xff\xd9")
    assert not list(maker.evidence.rglob("still.jpg"))
    maker.made.keep_still(maker.incident, b"\xff\xd8picture\xff\xd9")
    (still,) = maker.evidence.rglob("still.jpg")
    assert still.read_bytes() == b"\xff\xd8picture\xff\xd9"


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("ten-bits.mp4", HEVC | {"pixel_format": "yuv420p10le"}),
        ("full-range.mp4", {"pixel_format": "yuvj420p"}),
        ("odd.avi", {"codec": "mjpeg", "options": {}, "pixel_format": "yuvj420p"}),
    ],
)
def test_a_clip_is_what_every_browser_plays_whatever_the_camera_sends(
    name: str, how: dict[str, Any], tmp_path: Path
) -> None:
    """H.265 that Safari, Chrome or Firefox shows black: blakeblackshear/frigate#2656 and #1515, 8ff/firescrew#7,
    Jellman86/YetAnother-WhosAtMyFeeder#167. The index at the front, for iOS: SgtBatten/HA_blueprints#313.
    """
    recorder = recorder_in(tmp_path / "kept", segment_s=60.0)
    for packet in live_packets(write_video(tmp_path / name, seconds=2, **how), 1000.0):
        recorder.record(packet)
    recorder.close()
    clip = cut(segments(tmp_path / "kept"), 1000.0, 1002.0, tmp_path / "clip.mp4")
    video = VideoFile(clip.path)
    assert video.info.codec == "h264"
    assert video.info.pix_fmt in {"yuv420p", "yuvj420p"}
    assert video.frame_count == 50
    data = clip.path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_a_folder_of_recordings_that_is_gone_is_made_again(
    four_seconds: list[Packet], tmp_path: Path
) -> None:
    """Folders removed by a cleaner while the recorder writes, and nothing kept until a restart: koush/scrypted#2038."""
    recorder = recorder_in(tmp_path / "kept" / "north", segment_s=1.0)
    for turn in range(2):
        for packet in at(four_seconds, 1000.0 + 10 * turn):
            recorder.record(packet)
        if turn == 0:
            shutil.rmtree(tmp_path / "kept")
    recorder.close()
    assert segments(tmp_path / "kept" / "north")[-1].start_s == 1013.0
    assert recorder.status.state is RecorderState.WAITING
