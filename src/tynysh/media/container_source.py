"""How is a source read that FFmpeg can open: network cameras, USB cameras, files?"""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tynysh.media.ffmpeg_errors import explained
from tynysh.media.packet import LARGEST_PX, NO_TIMESTAMPS, SourcePacket, StreamInfo
from tynysh.media.rtsp_relay import RtspRelay
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts, Transport
from tynysh.media.video_files import permitted
from tynysh.media.web_source import WebSource, single_picture

# AVFMT_TS_DISCONT of FFmpeg's avformat.h
_TIMES_MAY_JUMP = 0x0200
# 2010: a clock that says less was never set.
_FIRST_CLOCK_S = 1_262_304_000.0
# Readers of text, subtitles and single pictures that FFmpeg would gladly take for video.
_NOT_VIDEO_FORMATS = re.compile(r"^(tty|lrc|srt|ass|webvtt|ico|gif|apng|image2.*|.*_pipe|.*bin|idf|xbin)$")
# Readers of bare streams, in which a key frame tells the parameters that a camera did not.
_BARE = {"h264": "h264", "hevc": "hevc", "mpeg4": "m4v"}
_LOOK_S = 1.0
_WEB_FORMATS = (
    "mpjpeg,flv,live_flv,mpegts,hls,aac,ac3,mp3,h264,hevc,m4v,mov,matroska,asf,avi,ogg,nut,"
    "jpeg_pipe,png_pipe,webp_pipe"
)


class ContainerSource:
    """A source that FFmpeg reads: network cameras, USB cameras, files.

    Of a network camera, FFmpeg gets what passes a relay or a reader of ours.

    complete: whether `info` is known; a camera may tell its parameters only with its next key frame (`await_key`).
    segmented: whether pictures come many seconds at once, as segments (HLS).
    declared_pictures, declared_duration_s: how many and how long, as the container tells; 0 and None where it does not.
    stamped: whether packets carry times of their own; without, FFmpeg counts them at a rate that it made up.
    streams: how many video streams there are. read_s: of a file, how far all that was read reaches, sound and all.
    ended_in_packet: whether the last packet read was damaged, as where a file is cut.
    """

    def __init__(self, spec: SourceSpec, timeouts: Timeouts) -> None:
        self._spec = spec
        if spec.kind is SourceKind.FILE:
            _check_file(Path(spec.address))
        elif spec.kind is SourceKind.USB and not Path(spec.address).exists():
            raise SourceError(
                SourceFault.MISSING,
                f"{spec.address}: there is no such camera",
                hint="Is it plugged in? See `ls /dev/video*`.",
            )
        began_at = time.monotonic()
        wait = (timeouts.open_s, timeouts.read_s) if spec.live else None
        self._timeouts = timeouts
        self._line: RtspRelay | WebSource | None = None
        try:
            self._line = _line_to(spec, timeouts)
            self._container: InputContainer = av.open(
                _name_of(spec, self._line),
                "r",
                format="v4l2" if spec.kind is SourceKind.USB else getattr(self._line, "format", None),
                options=_open_options(spec),
                timeout=wait,
                metadata_errors="ignore",
                io_open=getattr(self._line, "open", None),
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            # FFmpeg's texts quote the address: none of them may go on.
            # A time-out within RTSP's conversation is reported as invalid data.
            timed_out = spec.live and time.monotonic() - began_at >= timeouts.open_s
            self._let_go()
            raise self._explained(TimeoutError() if timed_out else error, reading=False) from None
        self._first: SourcePacket | None = None
        self._info: StreamInfo | None = None
        try:
            self._stream = _video_stream(self._container, spec)
            if self._stream.codec_context.width > 0:
                self._info = _fitting(_info_of(self._stream, spec), spec)
            elif not spec.live or self._stream.codec_context.name not in _BARE:
                raise _no_picture(spec)
        except SourceError as error:
            self.close()
            raise (self._line and self._line.fault) or error from None
        except BaseException:
            self.close()
            raise
        self._arriving = self._demuxed()
        self.segmented = "hls" in self._container.format.name
        flags = self._container.format.flags
        self.stamped = not flags & NO_TIMESTAMPS
        if self.stamped and spec.fps is not None:
            self.close()
            raise SourceError(
                SourceFault.NOT_VIDEO,
                f"{spec.redacted} has times of its own for its pictures",
                hint="Leave out --fps: it is for files without, such as .h264 and .mjpeg.",
            )
        self.streams = len(_video_streams(self._container))
        self.declared_pictures = self._stream.frames
        self.declared_duration_s = (
            self._container.duration / av.time_base if self._container.duration else None
        )
        # Where times may jump, FFmpeg takes the duration from what there is at the file's end.
        self.declares_end = self.stamped and not flags & _TIMES_MAY_JUMP
        self.read_s = 0.0
        self.ended_in_packet = False

    @property
    def complete(self) -> bool:
        """Whether `info` is known."""
        return self._info is not None

    @property
    def info(self) -> StreamInfo:
        """The stream's parameters."""
        if self._info is None:
            raise _no_picture(self._spec)
        return self._info

    def await_key(self) -> None:
        """Read for a second, or to a key frame that tells the parameters."""
        ends_at = time.monotonic() + _LOOK_S
        for packet in self._arriving:
            if packet.is_key:
                self._info = self._told_by(packet)
                self._first = packet
            if self.complete or time.monotonic() > ends_at:
                return
        raise SourceError(SourceFault.ENDED, f"{self._spec.redacted}: the camera ended the stream")

    def _told_by(self, key: SourcePacket) -> StreamInfo | None:
        """The parameters that a key frame brings with it."""
        try:
            with av.open(
                BytesIO(key.data), format=_BARE[self._stream.codec_context.name], options=_LIMITS
            ) as bare:
                (stream,) = bare.streams.video
                if stream.codec_context.width == 0:
                    return None
                info = _fitting(_info_of(stream, self._spec), self._spec)
        except (av.FFmpegError, OSError, ValueError):
            return None
        return replace(info, time_base=self._stream.time_base or info.time_base, rate=None)

    def _explained(self, error: Exception, *, reading: bool) -> SourceError:
        """Why nothing more comes: what the line to the camera found, or what `error` of FFmpeg means."""
        found = None if self._line is None else self._line.fault
        return found or explained(self._spec, error, self._timeouts, reading=reading)

    def packets(self) -> Iterator[SourcePacket]:
        """Packets in order of decoding; see `PacketSource`."""
        if self._first is not None:
            yield self._first
        yield from self._arriving

    def _demuxed(self) -> Iterator[SourcePacket]:
        wanted = self._stream.index
        begins_s = (self._container.start_time or 0) / av.time_base
        seen_at = time.monotonic()
        try:
            # All streams, not only the picture: a camera that goes on sending sound alone has stalled, too.
            for packet in self._container.demux():
                if not self._spec.live and packet.size:
                    self.ended_in_packet = packet.is_corrupt
                    if packet.pts is not None:
                        shown = packet.pts + (packet.duration or 0)
                        self.read_s = max(self.read_s, float(shown * packet.time_base) - begins_s)
                if packet.stream_index != wanted or packet.size == 0:
                    if self._spec.live and time.monotonic() - seen_at > self._timeouts.read_s:
                        raise TimeoutError
                    continue
                seen_at = time.monotonic()
                if self._line is not None:
                    self._line.unclaimed = 0
                yield SourcePacket(
                    data=bytes(packet),
                    pts=packet.pts,
                    dts=packet.dts,
                    is_key=packet.is_keyframe,
                    is_corrupt=packet.is_corrupt,
                    is_discard=packet.is_discard,
                    clock_s=_clock_of(packet),
                )
        except (av.FFmpegError, OSError) as error:
            raise self._explained(error, reading=True) from None
        if self._line is not None and self._line.fault is not None:
            raise self._line.fault

    def close(self) -> None:
        """Close the connection."""
        self._container.close()
        self._let_go()

    def _let_go(self) -> None:
        if isinstance(self._line, WebSource):
            self._line.close()


_LIMITS = {"max_pixels": str(LARGEST_PX)}


def _line_to(spec: SourceSpec, timeouts: Timeouts) -> RtspRelay | WebSource | None:
    """What stands between FFmpeg and a network camera. Raises SourceError, and OSError where it cannot be reached."""
    match spec.kind:
        case SourceKind.RTSP:
            return RtspRelay(spec, timeouts)
        case SourceKind.HTTP:
            return WebSource(spec, timeouts)
        case _:
            return None


def _name_of(spec: SourceSpec, line: RtspRelay | WebSource | None) -> str:
    match line:
        case RtspRelay():
            return line.url
        case WebSource():
            return line.address
        case _ if spec.kind is SourceKind.FILE:
            # Else what stands before a colon in the name would be taken for a protocol.
            return f"file:{spec.address}"
        case _:
            return spec.address


def _clock_of(packet: "av.Packet[Any]") -> float | None:
    """What the camera's clock said, by RTCP's sender reports; a camera without one counts from its start or 1900."""
    if not packet.has_sidedata("prft"):
        return None
    # AVProducerReferenceTime of FFmpeg's avcodec/defs.h begins with microseconds since 1970.
    clock_s = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], sys.byteorder, signed=True) / 1e6
    return clock_s if clock_s > _FIRST_CLOCK_S else None


def _open_options(spec: SourceSpec) -> dict[str, str]:
    match spec.kind:
        case SourceKind.RTSP:
            options = {
                "rtsp_transport": spec.transport.value,
                "allowed_media_types": "video",
                "analyzeduration": "1500000",
            }
            if spec.transport is Transport.UDP:
                options |= {"buffer_size": "4194304", "max_delay": "500000"}
        case SourceKind.HTTP:
            options = {
                "protocol_whitelist": "http,https,tcp,tls",
                "format_whitelist": _WEB_FORMATS,
                # Every address is asked for by us, each on a line of its own; names of segments tell nothing.
                "http_persistent": "0",
                "http_multiple": "0",
                "extension_picky": "0",
                # The last but one segment: what is shown is as new as it may be without running dry.
                "live_start_index": "-2",
            }
        case SourceKind.USB:
            options = dict(spec.options)
        case _:
            # A playlist in the clothes of a video must not make us fetch other addresses.
            options = {"protocol_whitelist": "file"}
    return options | _LIMITS


def _video_streams(container: InputContainer) -> list[VideoStream]:
    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]


def _video_stream(container: InputContainer, spec: SourceSpec) -> VideoStream:
    if any(map(_NOT_VIDEO_FORMATS.match, container.format.name.split(","))):
        if spec.kind is SourceKind.HTTP:
            raise single_picture(spec)
        if spec.kind is SourceKind.FILE:
            raise SourceError(
                SourceFault.NOT_VIDEO,
                f"{spec.redacted} is not a video",
                hint="Give a video file such as .mp4, .mkv or .avi.",
            )
    streams = _video_streams(container)
    if not streams:
        raise SourceError(
            SourceFault.NOT_VIDEO,
            f"{spec.redacted} holds no moving pictures",
            hint="Does the camera send sound only?",
        )
    place = spec.stream or 1
    if place > len(streams):
        raise SourceError(
            SourceFault.MISSING,
            f"{spec.redacted} has no video stream {place}",
            hint=f"It has {len(streams)}; the first is 1.",
        )
    stream = streams[place - 1]
    context: Any = stream.codec_context
    if context is None or not context.is_decoder:
        raise SourceError(
            SourceFault.NO_DECODER,
            f"{spec.redacted}: there is no decoder for its codec",
            hint="Set the camera to H.264, or convert the file to H.264.",
        )
    return stream


def _fitting(info: StreamInfo, spec: SourceSpec) -> StreamInfo:
    """`info`, where its pictures are such as a camera makes."""
    if info.width * info.height <= LARGEST_PX:
        return info
    raise SourceError(
        SourceFault.TOO_LARGE,
        f"{spec.redacted}: pictures of {info.width} x {info.height} pixels are more than can be watched",
        hint=f"Set the stream to {LARGEST_PX / 1e6:.0f} million pixels at most; 1280 x 720 are enough for analysis.",
        width=str(info.width),
        height=str(info.height),
    )


def _no_picture(spec: SourceSpec) -> SourceError:
    file = spec.kind is SourceKind.FILE
    return SourceError(
        SourceFault.TRUNCATED if file else SourceFault.BROKEN,
        f"{spec.redacted}: the stream holds no complete picture",
        hint="The file may be cut off." if file else "Check the camera's encoder settings.",
    )


def _info_of(stream: VideoStream, spec: SourceSpec) -> StreamInfo:
    try:
        info = StreamInfo.of(stream)
        return info if spec.fps is None else replace(info, rate=spec.fps)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, ValueError) and not isinstance(error, av.error.InvalidDataError):
            raise SourceError(
                SourceFault.NO_DECODER,
                f"{spec.redacted}: its codec is none that can be passed on",
                hint="Set the camera to H.264, or convert the file to H.264.",
            ) from None
        raise SourceError(
            SourceFault.BROKEN,
            f"{spec.redacted}: the stream's parameters cannot be understood",
            hint="Check the camera's encoder settings, or convert the file to H.264.",
        ) from None


def _check_file(path: Path) -> None:
    with permitted(path):
        if not path.exists():
            raise SourceError(SourceFault.MISSING, f"{path}: there is no such file", hint="Check the path.")
        if not path.is_file():
            raise SourceError(SourceFault.NOT_VIDEO, f"{path} is not a file")
        size = path.stat().st_size
    if size == 0:
        raise SourceError(
            SourceFault.EMPTY, f"{path} is empty (0 bytes)", hint="Copy it again from where it was recorded."
        )
