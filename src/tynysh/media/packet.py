"""A packet: one compressed picture with its place in the stream."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from typing import Any, Protocol

import av
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from tynysh.media.display import AS_IT_IS, Display

LARGEST_PX = 36_000_000
"""Pixels of the largest picture that is decoded: a little more than 8K. One of H.264 may ask for 17 of them at once."""

NO_TIMESTAMPS = 0x0080
"""AVFMT_NOTIMESTAMPS of FFmpeg's avformat.h: the flag of formats that are bare pictures, without a clock."""

_NO_TEMPLATE = b""


@dataclass(frozen=True, slots=True, eq=False)
class StreamInfo:
    """What is needed to decode or re-mux a video stream once its container is out of reach.

    codec: FFmpeg's name of the codec (`h264`, `mjpeg`, ...). decoder_name: of what decodes it.
    width, height: pixels, as they are coded. pix_fmt: FFmpeg's name, or None while unknown.
    rate: pictures per second as the container tells, or None.
    time_base: seconds per tick of the packets' timestamps.
    display: how pictures are to be shown.
    extradata: the codec's own header. tag: the container's name of the codec, which some need to know what they are.
    bits: per coded sample, for uncompressed video.
    template: a tiny NUT file that carries the codec's parameters from one muxer to the next; empty where none can.
    """

    codec: str
    decoder_name: str
    width: int
    height: int
    pix_fmt: str | None
    rate: float | None
    time_base: Fraction
    extradata: bytes = field(default=b"", repr=False)
    tag: str = ""
    bits: int = 0
    display: Display = AS_IT_IS
    template: bytes = field(default=_NO_TEMPLATE, repr=False)

    @classmethod
    def of(cls, stream: VideoStream) -> "StreamInfo":
        """The parameters of an open stream, copied."""
        context = stream.codec_context
        bare = stream.container.format.flags & NO_TIMESTAMPS
        rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
        # Of what has no clock, FFmpeg gives 25 pictures a second, unless its encoder wrote down another rate.
        rate = (context.framerate if bare else None) or next(filter(None, rates), None)
        return cls(
            codec=context.codec.canonical_name,
            decoder_name=context.codec.canonical_name if context.is_encoder else context.name,
            width=context.width,
            height=context.height,
            pix_fmt=context.pix_fmt,
            rate=float(rate) if rate and 0 < rate <= 1000 else None,
            time_base=stream.time_base or Fraction(1, 90000),
            extradata=context.extradata or b"",
            tag=_tag_of(context),
            bits=0 if context.is_encoder else context.bits_per_coded_sample,
            display=Display.of(stream),
            template=_template_of(stream),
        )

    @property
    def intra_only(self) -> bool:
        """Whether every picture of the codec stands alone."""
        return av.Codec(self.decoder_name, "r").intra_only

    @property
    def interval_s(self) -> float:
        """Nominal seconds between pictures."""
        return 1.0 / self.rate if self.rate else 1.0 / 25.0

    def decoder(self) -> VideoCodecContext:
        """A new decoder of this stream; pictures carry the `opaque` of the packet that they came from."""
        context: VideoCodecContext = VideoCodecContext.create(self.decoder_name, "r")  # type: ignore[assignment]
        context.extradata = self.extradata or None
        context.width, context.height = self.width, self.height
        if self.tag:
            context.codec_tag = self.tag
        if self.pix_fmt:
            context.pix_fmt = self.pix_fmt
        if self.bits:
            context.bits_per_coded_sample = self.bits
        # One thread costs least in all.
        context.thread_count = 1
        context.copy_opaque = True
        context.options = {"max_pixels": str(LARGEST_PX)}
        return context

    def same_stream(self, other: "StreamInfo") -> bool:
        """Whether packets of `other` may follow in one track: same codec, size, display and header."""
        return (self.codec, self.width, self.height, self.display, self.extradata) == (
            other.codec,
            other.width,
            other.height,
            other.display,
            other.extradata,
        )


def _tag_of(context: VideoCodecContext) -> str:
    """Four characters; empty where it has none that can be told."""
    try:
        return context.codec_tag.strip("\0") and context.codec_tag
    except UnicodeDecodeError:
        return ""


def _template_of(stream: VideoStream) -> bytes:
    """A NUT file of one empty packet with the stream's codec parameters; empty where NUT cannot carry the codec."""
    buffer = BytesIO()
    with suppress(ValueError), av.open(buffer, "w", format="nut") as container:
        copy = container.add_stream_from_template(stream, opaque=True)
        packet = av.Packet(b"\0")
        packet.stream = copy
        packet.pts = packet.dts = 0
        packet.is_keyframe = True
        packet.time_base = Fraction(1, 1000)
        container.mux(packet)
        container.close()
        return buffer.getvalue()
    return b""


def compressed(data: bytes) -> "av.Packet[Any]":
    """A packet of PyAV with a copy of `data`, padded as decoders need it.

    `av.Packet(data)` would leave out the padding, and decoders read past the end.
    """
    packet: av.Packet[Any] = av.Packet(len(data))
    packet.update(data)
    return packet


def add_stream(container: av.container.OutputContainer, info: StreamInfo) -> VideoStream:
    """Add to `container` a stream that takes packets of `info` without re-encoding.

    Raises ValueError where the container's format cannot carry the codec.
    """
    if not info.template:
        raise ValueError(f"{info.codec} cannot be carried")
    with av.open(BytesIO(info.template), format="nut", options={"analyzeduration": "0"}) as source:
        stream = container.add_stream_from_template(source.streams.video[0], opaque=True)
    if info.display.turns:
        stream.set_display_matrix(info.display.matrix)
    if info.display.aspect != 1:
        stream.codec_context.sample_aspect_ratio = info.display.aspect
    return stream


@dataclass(frozen=True, slots=True, eq=False)
class SourcePacket:
    """One compressed picture as the source gives it; timestamps in ticks, or missing.

    is_discard: needed to decode what follows, but not itself to be shown.
    clock_s: what the source's own clock said then, Unix seconds, where it tells.
    """

    data: bytes
    pts: int | None
    dts: int | None
    is_key: bool
    is_corrupt: bool = False
    is_discard: bool = False
    clock_s: float | None = None


class PacketSource(Protocol):
    """An open connection to a camera, a file or a generator."""

    @property
    def info(self) -> StreamInfo:
        """The stream's parameters."""
        ...

    def packets(self) -> Iterator[SourcePacket]:
        """Packets in order of decoding, blocking; ends with the stream, raises SourceError where it fails."""
        ...

    def close(self) -> None:
        """Let go of everything; called from the thread that iterates."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """One compressed picture with mended times.

    time_s: when it is shown, seconds on the stream's clock (see `Frame`).
    decode_time_s: strictly increasing.
    ordinal: how many packets of the source came before it.
    index: the picture's ordinal in display order, where it is known beforehand (files).
    is_discard: see `SourcePacket`.
    """

    info: StreamInfo
    data: bytes
    time_s: float
    decode_time_s: float
    is_key: bool
    ordinal: int
    index: int | None = None
    is_discard: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)
