"""How is a source read that FFmpeg can open: network cameras, USB cameras, files?"""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tynysh.media.ffmpeg_errors import explained
from tynysh.media.packet import NO_TIMESTAMPS, SourcePacket, StreamInfo
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts, Transport
from tynysh.media.video_files import permitted

# AVFMT_TS_DISCONT of FFmpeg's avformat.h
_TIMES_MAY_JUMP = 0x0200
# Readers of text, subtitles and single pictures that FFmpeg would gladly take for video.
_NOT_VIDEO_FORMATS = re.compile(r"^(tty|lrc|srt|ass|webvtt|ico|gif|apng|image2.*|.*_pipe|.*bin|idf|xbin)$")


class ContainerSource:
    """A source that FFmpeg reads: network cameras, USB cameras, files.

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
        try:
            self._container: InputContainer = av.open(
                spec.connection_url(),
                "r",
                format="v4l2" if spec.kind is SourceKind.USB else None,
                options=_open_options(spec),
                timeout=wait,
                metadata_errors="ignore",
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            # FFmpeg's texts quote the address with its password: none of them may go on.
            # A time-out within RTSP's conversation is reported as invalid data.
            timed_out = spec.live and time.monotonic() - began_at >= timeouts.open_s
            raise explained(spec, TimeoutError() if timed_out else error, timeouts) from None
        try:
            self._stream = _video_stream(self._container, spec)
            self.info = _info_of(self._stream, spec)
        except BaseException:
            self._container.close()
            raise
        flags = self._container.format.flags
        self.stamped = not flags & NO_TIMESTAMPS
        if self.stamped and spec.fps is not None:
            self._container.close()
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
        self._timeouts = timeouts

    def packets(self) -> Iterator[SourcePacket]:
        """Packets in order of decoding; see `PacketSource`."""
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
                yield SourcePacket(
                    data=bytes(packet),
                    pts=packet.pts,
                    dts=packet.dts,
                    is_key=packet.is_keyframe,
                    is_corrupt=packet.is_corrupt,
                    is_discard=packet.is_discard,
                )
        except (av.FFmpegError, OSError) as error:
            raise explained(self._spec, error, self._timeouts, reading=True) from None

    def close(self) -> None:
        """Close the connection."""
        self._container.close()


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
            return options
        case SourceKind.HTTP:
            return {
                "protocol_whitelist": "http,https,tcp,tls,crypto",
                "user_agent": "tynysh",
            }
        case SourceKind.USB:
            return dict(spec.options)
        case _:
            # A playlist in the clothes of a video must not make us fetch other addresses.
            return {"protocol_whitelist": "file"}


def _video_streams(container: InputContainer) -> list[VideoStream]:
    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]


def _video_stream(container: InputContainer, spec: SourceSpec) -> VideoStream:
    if spec.kind is SourceKind.FILE and any(map(_NOT_VIDEO_FORMATS.match, container.format.name.split(","))):
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
    if context.width <= 0 or context.height <= 0:
        raise SourceError(
            SourceFault.TRUNCATED if spec.kind is SourceKind.FILE else SourceFault.BROKEN,
            f"{spec.redacted}: the stream holds no complete picture",
            hint="The file may be cut off."
            if spec.kind is SourceKind.FILE
            else "Check the camera's encoder settings.",
        )
    return stream


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
