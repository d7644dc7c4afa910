"""Pictures are shown as players show them: stretched, turned and mirrored, whoever asks, live, recorded and cut."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tynysh.media.clip import cut
from tynysh.media.frame import Frame
from tynysh.media.packet import compressed
from tynysh.media.reader import VideoFile
from tynysh.media.recorder import Recorder
from tynysh.media.segment import segments

WIDTH, HEIGHT = 160, 96
Turn = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

TURNS: dict[str, tuple[dict[str, float | bool], Turn]] = {
    "quarter left": ({"degrees": 90}, lambda it: np.rot90(it, 1)),
    "quarter right": ({"degrees": -90}, lambda it: np.rot90(it, -1)),
    "upside down": ({"degrees": 180}, lambda it: np.rot90(it, 2)),
    "mirrored": ({"degrees": 0, "hflip": True}, lambda it: it[:, ::-1]),
    "mirrored top to bottom": ({"degrees": 0, "vflip": True}, lambda it: it[::-1]),
    "quarter and mirrored": ({"degrees": 90, "hflip": True}, lambda it: np.rot90(it, 1)[:, ::-1]),
    "quarter right and mirrored": ({"degrees": -90, "hflip": True}, lambda it: np.rot90(it, -1)[:, ::-1]),
}


def scene() -> NDArray[np.uint8]:
    """A picture of which each quarter has a colour of its own (blue first)."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    top, left = HEIGHT // 2, WIDTH // 2
    picture[:top, :left], picture[:top, left:] = (200, 40, 40), (40, 200, 40)
    picture[top:, :left], picture[top:, left:] = (40, 40, 200), (220, 220, 220)
    return picture


def write(
    path: Path,
    *,
    aspect: Fraction = Fraction(1),
    turn: dict[str, float | bool] | None = None,
    seconds: int = 2,
    codec: str = "libx264",
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        stream.codec_context.gop_size = 10
        if codec == "libx264":
            stream.options = {"bf": "0", "preset": "veryfast"}
        if turn is not None:
            stream.set_display_rotation(**turn)  # type: ignore[arg-type]
        for _ in range(10 * seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(), format="bgr24")))
        container.mux(stream.encode(None))
    return path


def quarters(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The colours at the middle of each quarter, top left first."""
    down, across = picture.shape[0] // 4, picture.shape[1] // 4
    return picture[down :: 2 * down, across :: 2 * across][:2, :2].astype(np.int64)


def assert_shown(frame: Frame, wanted: NDArray[np.uint8]) -> None:
    """Whoever asks sees `wanted`: in colour, in brightness, and smaller."""
    height, width = wanted.shape[:2]
    assert (frame.width, frame.height) == (width, height)
    grey = wanted @ np.array([0.114, 0.587, 0.299])
    for seen, of in (
        (frame.bgr, wanted),
        (frame.bgr_resized(width // 2, height // 2), wanted),
        (frame.luma, (16 + grey * 219 / 255).astype(np.uint8)),
    ):
        assert not seen.flags.writeable
        assert quarters(seen) == pytest.approx(quarters(of), abs=12)
    assert frame.bgr.shape == wanted.shape
    assert frame.luma.shape == (height, width)
    assert frame.bgr_resized(width // 2, height // 2).shape == (height // 2, width // 2, 3)


def stretched(picture: NDArray[np.uint8], aspect: Fraction) -> NDArray[np.uint8]:
    width = round(picture.shape[1] * aspect)
    return picture[:, (np.arange(width) / float(aspect)).astype(int)]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *((name, "mp4") for name in TURNS),
        ("mirrored", "mov"),
        # Matroska keeps no mirroring.
        *((name, "mkv") for name in TURNS if "mirrored" not in name),
    ],
)
def test_files_are_turned_as_players_turn_them(tmp_path: Path, name: str, suffix: str) -> None:
    turn, wanted = TURNS[name]
    video = VideoFile(write(tmp_path / f"turned.{suffix}", turn=turn))
    frame = next(video.frames())
    assert_shown(frame, wanted(scene()))
    assert (video.width, video.height) == (frame.width, frame.height)


@pytest.mark.parametrize("name", ["square.mp4", "square.mkv", "square.ts", "square.avi"])
@pytest.mark.parametrize("aspect", [Fraction(2), Fraction(12, 11), Fraction(1, 2)])
def test_samples_that_are_not_square_are_made_so(tmp_path: Path, name: str, aspect: Fraction) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    frame = next(VideoFile(write(tmp_path / name, aspect=aspect, codec=codec)).frames())
    assert_shown(frame, stretched(scene(), aspect))


def test_samples_are_stretched_before_the_picture_is_turned(tmp_path: Path) -> None:
    video = VideoFile(write(tmp_path / "both.mp4", aspect=Fraction(2), turn={"degrees": 90}))
    assert_shown(next(video.frames()), np.rot90(stretched(scene(), Fraction(2)), 1))


@pytest.mark.parametrize("aspect", [Fraction(500), Fraction(1, 500), Fraction(200, 199)])
def test_a_ratio_that_is_nonsense_or_next_to_one_leaves_pictures_alone(
    tmp_path: Path, aspect: Fraction
) -> None:
    assert_shown(next(VideoFile(write(tmp_path / "odd.mkv", aspect=aspect)).frames()), scene())


QUARTER_LEFT = bytes([0, 0, 0, 7, 6, 47, 3, 0x08, 0x00, 0x09, 0x80])
"""A message of H.264 (SEI, display orientation: 90 degrees anticlockwise, from now on) with its length before it."""


def test_pictures_that_tell_their_own_orientation_are_turned(tmp_path: Path) -> None:
    """No container is asked, as of a network camera."""
    with av.open(str(write(tmp_path / "plain.mp4"))) as old, av.open(str(tmp_path / "told.mkv"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                told = compressed(QUARTER_LEFT + bytes(packet) if packet.is_keyframe else bytes(packet))
                told.pts, told.dts, told.time_base = packet.pts, packet.dts, packet.time_base
                told.stream, told.is_keyframe = stream, packet.is_keyframe
                new.mux(told)
    frames = list(VideoFile(tmp_path / "told.mkv").frames())
    assert len(frames) == 20
    for frame in frames:
        assert_shown(frame, np.rot90(scene(), 1))


@pytest.mark.parametrize(
    ("suffix", "turn"),
    [
        ("mp4", {"degrees": 90}),
        ("mp4", {"degrees": 0, "vflip": True}),
        ("mp4", None),
        ("mkv", {"degrees": -90}),
    ],
)
def test_recordings_and_clips_are_shown_as_what_was_filmed(
    tmp_path: Path, suffix: str, turn: dict[str, float | bool] | None
) -> None:
    """Without being encoded anew: the container says it, to browsers too."""
    source = VideoFile(write(tmp_path / f"source.{suffix}", aspect=Fraction(2), turn=turn))
    recorder = Recorder(tmp_path / "recorded", reserve_bytes=0)
    for packet in source.packets():
        recorder.record(packet)
    recorder.close()
    (segment,) = segments(tmp_path / "recorded")
    clip = cut([segment], segment.start_s, segment.start_s + 2, tmp_path / "clip.mp4")
    assert not clip.transcoded
    wanted = next(source.frames()).bgr
    for path in (segment.path, clip.path):
        assert_shown(next(VideoFile(path).frames()), wanted)
    with av.open(str(clip.path)) as shown:
        assert shown.streams.video[0].sample_aspect_ratio == 2


def test_a_codec_that_must_be_encoded_anew_is_recorded_as_it_is_shown(tmp_path: Path) -> None:
    source = VideoFile(write(tmp_path / "source.wmv", aspect=Fraction(2), codec="wmv2"))
    recorder = Recorder(tmp_path / "recorded", reserve_bytes=0)
    for packet in source.packets():
        recorder.record(packet)
    recorder.close()
    (segment,) = segments(tmp_path / "recorded")
    assert_shown(next(VideoFile(segment.path).frames()), stretched(scene(), Fraction(2)))
