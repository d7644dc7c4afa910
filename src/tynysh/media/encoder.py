"""How do pictures that were made here (anonymised, annotated, drawn) become video that a browser plays?"""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
from av.container import OutputContainer
from av.video.stream import VideoStream

from tynysh.errors import MediaError
from tynysh.media.frame import Frame, Image
from tynysh.media.packet import SourcePacket, StreamInfo

_CLOCK = Fraction(1, 90000)
_LONGEST_SAMPLE = 5 * 90000
_TRUN_SIZE = 32
_FAILURES = (OSError, av.FFmpegError, ValueError)


def _even(length: int) -> int:
    return max(2, length - length % 2)


class _H264Stream:
    """libx264 inside a container: pictures with times in, packets on a clock of 90 kHz out."""

    def __init__(
        self,
        container: OutputContainer,
        width: int,
        height: int,
        fps: float,
        *,
        keyframe_s: float,
        options: dict[str, str],
    ) -> None:
        self.width, self.height = _even(width), _even(height)
        rate = Fraction(fps).limit_denominator(1001)
        stream: VideoStream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        stream.time_base = _CLOCK
        context = stream.codec_context
        context.time_base = _CLOCK
        context.thread_count = 1
        context.gop_size = max(1, round(keyframe_s * fps))
        stream.options = {"bf": "0", **options}
        self.stream = stream
        self._keyframe_s = keyframe_s
        self._began_s: float | None = None
        self._key_s = -float("inf")
        self._pts = -1

    def encode(self, picture: Frame | Image, time_s: float) -> "list[av.Packet[Any]]":
        """Packets that are ready. The first picture is at 0; times that do not advance are moved on by a tick."""
        bgr = picture.bgr if isinstance(picture, Frame) else picture
        if bgr.shape[:2] != (self.height, self.width):
            bgr = cv2.resize(bgr, (self.width, self.height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        if self._began_s is None:
            self._began_s = time_s
        frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
        self._pts = frame.pts = max(self._pts + 1, round((time_s - self._began_s) / _CLOCK))
        frame.time_base = _CLOCK
        if time_s - self._key_s >= self._keyframe_s:
            # By time, not by count: pictures may come at any rate.
            self._key_s = time_s
            frame.pict_type = av.video.frame.PictureType.I
        return list(self.stream.encode(frame))

    def finish(self) -> "list[av.Packet[Any]]":
        """What the encoder still holds."""
        return list(self.stream.encode(None))


class PictureEncoder:
    """Compresses pictures as a camera would, for sources that draw their own video (see `PacketSource`).

    width, height: pixels, made even. fps: nominal rate. keyframe_s: seconds between key frames.
    info: parameters of the stream that it makes.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        *,
        keyframe_s: float = 1.0,
        quality: int = 23,
    ) -> None:
        self._container = av.open(BytesIO(), "w", format="nut")
        self._h264 = _H264Stream(
            self._container,
            width,
            height,
            fps,
            keyframe_s=keyframe_s,
            options={"preset": "ultrafast", "tune": "zerolatency", "crf": str(quality)},
        )
        self._container.start_encoding()
        self.info = StreamInfo.of(self._h264.stream)

    def encode(self, picture: Frame | Image, time_s: float) -> list[SourcePacket]:
        """Packets of one picture (height, width, 3) blue first; timestamps in ticks of `info.time_base`."""
        return [
            SourcePacket(data=bytes(packet), pts=packet.pts, dts=packet.dts, is_key=packet.is_keyframe)
            for packet in self._h264.encode(picture, time_s)
        ]

    def close(self) -> None:
        """Let go of the encoder."""
        self._h264.finish()
        self._container.close()


class ClipWriter:
    """Writes pictures into an MP4 that any browser plays and begins to play before it is all there.

    path: where the finished file will be; until `close` it has the suffix `.part`.
    width, height: pixels, made even. fps: nominal rate; times are kept as given. quality: of libx264, less is
    better.

    Raises MediaError where the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: float,
        *,
        quality: int = 26,
        keyframe_s: float = 2.0,
    ) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._pictures = 0
        try:
            # The muxer opens its file only when there is a picture to write.
            self._part.touch()
            self._container = av.open(
                f"file:{self._part}", "w", format="mp4", options={"movflags": "faststart"}
            )
        except _FAILURES as error:
            self._remove()
            raise unwritable(path, error) from None
        with self._writing():
            self._h264 = _H264Stream(
                self._container,
                width,
                height,
                fps,
                keyframe_s=keyframe_s,
                options={"preset": "veryfast", "crf": str(quality)},
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            self.discard()
            raise unwritable(self.path, error) from None

    def write(self, picture: Frame | Image, time_s: float) -> None:
        """Add a picture (height, width, 3) blue first, shown at `time_s` on any clock; the first is at 0."""
        with self._writing():
            for packet in self._h264.encode(picture, time_s):
                self._container.mux(packet)
        self._pictures += 1

    def close(self) -> None:
        """Finish the file and give it its name. Raises MediaError if nothing was written into it."""
        with self._writing():
            for packet in self._h264.finish():
                self._container.mux(packet)
            self._container.close()
            if self._pictures:
                self._part.replace(self.path)
        if not self._pictures:
            self.discard()
            raise MediaError(f"{self.path}: no pictures to write")

    def discard(self) -> None:
        """Give up and remove what was written."""
        # Closing writes the rest, which fails again where writing failed.
        with suppress(*_FAILURES):
            self._container.close()
        self._remove()

    def _remove(self) -> None:
        with suppress(OSError):
            self._part.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def unwritable(path: Path, error: Exception) -> MediaError:
    """That `path` cannot be written, for a person; `error` is what the system, the encoder or the muxer said."""
    if isinstance(error, OSError):
        return MediaError(
            f"{path} cannot be written: {error.strerror or 'the disk refuses'}",
            hint="Check the folder's permissions and the free space.",
        )
    return MediaError(
        f"{path} cannot be written: its pictures cannot be encoded or kept in an MP4",
        hint="Are the pictures damaged, or is their size or rate out of the ordinary?",
    )


class FragmentedEncoder:
    """Makes fragmented MP4 of pictures for Media Source Extensions: `header` once, then a fragment per picture.

    H.264 of constrained baseline profile, without delay: the fragment of a picture is there as soon as the picture
    is. A viewer who joins later is sent `header` and then fragments from the next that begins with a key frame.

    width, height: pixels, made even. fps: nominal rate. keyframe_s: seconds between key frames.
    mime: for `MediaSource.addSourceBuffer`.
    """

    def __init__(
        self, width: int, height: int, fps: float, *, keyframe_s: float = 1.0, quality: int = 28
    ) -> None:
        buffer = BytesIO()
        options = {"movflags": "frag_custom+empty_moov+default_base_moof", "video_track_timescale": "90000"}
        self._container = av.open(buffer, "w", format="mp4", options=options)
        self._h264 = _H264Stream(
            self._container,
            width,
            height,
            fps,
            keyframe_s=keyframe_s,
            options={
                "preset": "ultrafast",
                "tune": "zerolatency",
                "profile": "baseline",
                "crf": str(quality),
            },
        )
        self._container.start_encoding()
        self.header = buffer.getvalue()
        self.width, self.height = self._h264.width, self._h264.height
        self.mime = f'video/mp4; codecs="{codec_string(self._h264.stream.codec_context.extradata or b"")}"'
        self._nominal = round(90000 / fps)
        self._number = 0
        self._last: int | None = None

    def encode(self, picture: Frame | Image, time_s: float) -> tuple[bytes, bool]:
        """A fragment with one picture (height, width, 3) blue first, and whether a viewer may begin with it."""
        fragments = b""
        is_key = False
        for packet in self._h264.encode(picture, time_s):
            decode_time = packet.dts or 0
            # How long a picture lasts is known only when the next is there: as long as the one before it.
            duration = self._nominal if self._last is None else max(self._nominal, decode_time - self._last)
            self._number += 1
            self._last = decode_time
            is_key = is_key or packet.is_keyframe
            fragments += fragment(
                _length_prefixed(bytes(packet)),
                number=self._number,
                decode_time=decode_time,
                duration=min(duration, _LONGEST_SAMPLE),
                is_key=packet.is_keyframe,
            )
        return fragments, is_key

    def close(self) -> None:
        """Let go of the encoder."""
        self._h264.finish()
        self._container.close()


def fragment(data: bytes, *, number: int, decode_time: int, duration: int, is_key: bool) -> bytes:
    """A movie fragment (`moof` and `mdat`, ISO/IEC 14496-12, 8.8) of one sample of track 1, shown when decoded.

    data: the sample. number: of the fragment, from 1. decode_time, duration: in the track's time scale.
    """
    flags = 0x02000000 if is_key else 0x01010000
    sequence = _box(b"mfhd", struct.pack(">II", 0, number))
    track = _box(b"tfhd", struct.pack(">II", 0x020000, 1))
    start = _box(b"tfdt", struct.pack(">IQ", 0x01000000, decode_time))
    # version and flags, count, offset of the data, then duration, size and flags of the sample
    size = len(sequence) + len(track) + len(start) + _TRUN_SIZE + 24
    run = _box(b"trun", struct.pack(">IIiIII", 0x000701, 1, size, duration, len(data), flags))
    return _box(b"moof", sequence + _box(b"traf", track + start + run)) + _box(b"mdat", data)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _length_prefixed(annex_b: bytes) -> bytes:
    """NAL units after start codes as NAL units after their lengths."""
    units = re.split(rb"\x00\x00\x00?\x01", annex_b)
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units if unit)


def codec_string(extradata: bytes) -> str:
    """RFC 6381's name of an H.264 stream, `avc1.PPCCLL`, from its header (avcC or Annex B).

    Raises MediaError if the header has no sequence parameter set.
    """
    if extradata[:1] == b"\x01" and len(extradata) >= 4:
        return f"avc1.{extradata[1:4].hex()}"
    at = extradata.find(b"\x00\x00\x01")
    while at >= 0:
        if extradata[at + 3] & 0x1F == 7:
            return f"avc1.{extradata[at + 4 : at + 7].hex()}"
        at = extradata.find(b"\x00\x00\x01", at + 3)
    raise MediaError("The H.264 stream has no sequence parameter set")
