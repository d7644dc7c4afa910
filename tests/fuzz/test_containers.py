"""Whatever is in a video file, the answer is its pictures or why there are none."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from tests.fuzz.effort import in_time, randoms
from tests.media.conftest import write_video

from tynysh.errors import MediaError
from tynysh.media.reader import VideoFile
from tynysh.media.segment import Segment
from tynysh.media.source import open_source
from tynysh.media.source_fault import SourceError
from tynysh.media.source_spec import SourceSpec

CONTAINERS = {
    "clip.mp4": {},
    "reordered.mp4": {"b_frames": 2, "options": {"preset": "veryfast"}},
    "clip.mkv": {},
    "clip.ts": {},
    "clip.flv": {},
    "clip.h264": {},
    "clip.avi": {"codec": "mpeg4", "options": {}},
    "jpegs.avi": {"codec": "mjpeg", "options": {}, "pixel_format": "yuvj420p"},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One second of video in each container."""
    folder = tmp_path_factory.mktemp("whole")
    return [write_video(folder / name, seconds=1, fps=5, keyint=3, **how) for name, how in CONTAINERS.items()]


def wrecked(data: bytes, random: Random) -> bytes:
    """The file with some bytes changed, cut, left out or put in, most often where its tables are."""
    damaged = bytearray(data)
    tables = random.choice([len(damaged), min(len(damaged), 2000)])
    match random.choice(["bytes", "sizes", "cut", "hole", "more", "end"]):
        case "bytes":
            for _ in range(random.choice([1, 3, 20])):
                damaged[random.randrange(tables)] = random.randrange(256)
        case "sizes":
            for _ in range(random.choice([1, 5])):
                at = random.randrange(tables)
                damaged[at : at + 4] = random.choice(
                    [b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\x80\0\0\0"]
                )
        case "cut":
            del damaged[random.randrange(len(damaged)) :]
        case "hole":
            at = random.randrange(len(damaged))
            del damaged[at : at + random.randrange(1, 5000)]
        case "more":
            at = random.randrange(tables)
            damaged[at:at] = random.randbytes(random.randrange(1, 300))
        case "end":
            for _ in range(5):
                damaged[-1 - random.randrange(min(len(damaged), 1500))] = random.randrange(256)
    return bytes(damaged)


def watch(path: Path) -> int:
    """How many pictures a file gives; each is looked at, and none at a time before the one before it."""
    pictures, before_s = 0, -1.0
    try:
        video = VideoFile(path)
        for frame in video.frames():
            assert frame.luma.shape == (frame.height, frame.width)
            assert frame.bgr_resized(32, 24).shape == (24, 32, 3)
            assert frame.time_s > before_s
            pictures, before_s = pictures + 1, frame.time_s
        assert pictures <= video.frame_count
    except MediaError as error:
        assert path.name in error.message
        assert error.hint
        error.message.encode()
    return pictures


@pytest.mark.torture
def test_a_damaged_file_gives_what_can_be_read_or_says_why_nothing_can(
    whole: list[Path], tmp_path: Path
) -> None:
    pictures = 0
    for random in randoms(160):
        chosen = random.choice(whole)
        path = tmp_path / f"damaged{chosen.suffix}"
        path.write_bytes(wrecked(chosen.read_bytes(), random))
        with in_time():
            pictures += watch(path)
    assert pictures > 0


@pytest.mark.torture
def test_a_damaged_segment_gives_what_can_be_read_or_says_why_nothing_can(
    whole: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "20260101T000000.000Z.mp4"
    read = 0
    for random in randoms(40):
        path.write_bytes(wrecked(whole[0].read_bytes(), random))
        with in_time():
            try:
                read += sum(1 for _ in Segment(0.0, path).packets())
            except MediaError as error:
                assert path.name in error.message
    assert read > 0


CHILD = """
import resource, sys
from pathlib import Path
from tests.fuzz.test_containers import watch
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sys.argv[1:]:
    watch(Path(path))
"""


def test_sizes_that_a_container_only_claims_cost_no_memory(whole: list[Path], tmp_path: Path) -> None:
    """Each table of the MP4 says in turn that it has two thousand million entries."""
    data = whole[0].read_bytes()
    claimed = []
    for number, table in enumerate(
        [b"stsz", b"stts", b"stsc", b"stco", b"stss", b"ctts", b"avcC", b"mdat", b"trak"]
    ):
        at = data.find(table)
        if at < 0:
            continue
        for offset in (-4, 8):
            path = tmp_path / f"claims{number}{offset}.mp4"
            path.write_bytes(data[: at + offset] + b"\x7f\xff\xff\xf0" + data[at + offset + 4 :])
            claimed.append(str(path))
    assert len(claimed) > 10
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *claimed], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("name", ["a" * 300 + ".mp4", "a/" * 3000 + "a.mp4", "a\0.mp4"])
def test_a_name_that_no_file_can_have_is_told(name: str, tmp_path: Path) -> None:
    for read in (VideoFile, lambda path: open_source(SourceSpec.parse(str(path)))):
        with pytest.raises(SourceError) as caught:
            read(tmp_path / name)
        assert caught.value.hint


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.ENOTCONN])
def test_a_file_whose_disk_does_not_answer_is_told(
    number: int, whole: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "stat", away)
    with pytest.raises(SourceError, match=os.strerror(number)) as caught:
        VideoFile(whole[0])
    assert caught.value.hint is not None
    assert "disk or share" in caught.value.hint
