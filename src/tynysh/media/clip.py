"""How is the video of a stretch of time taken out of a recording?"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from tynysh.errors import MediaError
from tynysh.media.decoder import AdaptiveDecoder
from tynysh.media.encoder import ClipWriter, unwritable
from tynysh.media.packet import Packet, StreamInfo, add_stream, compressed
from tynysh.media.recorder import PLAYABLE
from tynysh.media.segment import Segment, between
from tynysh.media.source_fault import SourceError

_CLOCK = Fraction(1, 90000)
_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished clip.

    start_s, end_s: Unix times of its first picture and of the end of its last; it begins with the key frame at or
    before the time that was asked for. A moment `t` of the clip is at `start_s + t`, gaps included.
    gaps: stretches (from, to), Unix times, within what was asked for of which there are no pictures.
    transcoded: whether it had to be re-encoded for browsers.
    """

    path: Path
    start_s: float
    end_s: float
    gaps: tuple[tuple[float, float], ...]
    transcoded: bool


def cut(recorded: Sequence[Segment], start_s: float, end_s: float, out: Path) -> Clip:
    """Write the pictures from `start_s` to `end_s` (Unix times) into `out`, an MP4 that browsers play.

    Packets are copied. Only a codec that browsers do not play, or a camera that changed its picture in between, is
    re-encoded. The file appears under its name when it is whole.

    Raises MediaError if there are no pictures of that time, or the file cannot be written.
    """
    chosen = between(sorted(recorded), start_s, end_s)
    infos = _infos(chosen)
    if not infos:
        raise _nothing(start_s, end_s)
    copied = all(infos[0].same_stream(info) for info in infos) and infos[0].codec in PLAYABLE
    found = _Coverage(start_s, end_s)
    packets = found.watch(_packets(chosen, start_s, end_s))
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if copied:
            _copy(packets, part)
        else:
            _transcode(packets, part)
        if found.first_s is None or found.last_s is None:
            raise _nothing(start_s, end_s)
        part.replace(out)
    except MediaError:
        _remove(part)
        raise
    except (OSError, av.FFmpegError, ValueError) as error:
        _remove(part)
        raise unwritable(out, error) from None
    return Clip(out, found.first_s, found.last_s, found.gaps(), transcoded=not copied)


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink()


def _nothing(start_s: float, end_s: float) -> MediaError:
    return MediaError(
        f"There is no recording of {end_s - start_s:.0f} seconds from Unix time {start_s:.0f}",
        hint="Was the camera recording then, and is its retention long enough?",
    )


def _infos(chosen: Sequence[Segment]) -> list[StreamInfo]:
    infos: list[StreamInfo] = []
    for segment in chosen:
        try:
            first = next(segment.packets(), None)
        except SourceError:
            # A crash before the first fragment was written leaves an empty file.
            continue
        if first is not None:
            infos.append(first.info)
    return infos


def _packets(chosen: Sequence[Segment], start_s: float, end_s: float) -> Iterator[Packet]:
    """From the last key frame at or before `start_s` to `end_s`, in order of decoding."""
    held: list[Packet] = []
    begun = False
    for segment in chosen:
        try:
            for packet in segment.packets():
                if packet.decode_time_s >= end_s:
                    return
                if not begun and packet.is_key and packet.time_s <= start_s:
                    held = []
                begun = begun or packet.time_s > start_s
                held.append(packet)
                if begun:
                    yield from held
                    held = []
        except SourceError:
            continue
    yield from held


class _Coverage:
    """Notes what there is of the time that was asked for."""

    def __init__(self, start_s: float, end_s: float) -> None:
        self.first_s: float | None = None
        self.last_s: float | None = None
        self._start_s = start_s
        self._end_s = end_s
        self._gaps: list[tuple[float, float]] = []

    def watch(self, packets: Iterator[Packet]) -> Iterator[Packet]:
        for packet in packets:
            if self.first_s is None or self.last_s is None:
                self.first_s = packet.time_s
                self.last_s = packet.time_s
            elif packet.time_s - self.last_s > _GAP_S + packet.info.interval_s:
                self._gaps.append((self.last_s, packet.time_s))
            self.last_s = max(self.last_s, packet.time_s + packet.info.interval_s)
            yield packet

    def gaps(self) -> tuple[tuple[float, float], ...]:
        if self.first_s is None or self.last_s is None:
            return ((self._start_s, self._end_s),)
        before = [(self._start_s, self.first_s)] if self.first_s - self._start_s > _GAP_S else []
        after = [(self.last_s, self._end_s)] if self._end_s - self.last_s > _GAP_S else []
        return (*before, *self._gaps, *after)


def _copy(packets: Iterator[Packet], part: Path) -> None:
    with ExitStack() as stack:
        container: OutputContainer | None = None
        stream: VideoStream | None = None
        origin_s = 0.0
        decoded = -(2**40)
        for packet in packets:
            if container is None or stream is None:
                container = av.open(f"file:{part}", "w", format="mp4", options={"movflags": "faststart"})
                stack.enter_context(container)
                stream = add_stream(container, packet.info)
                stream.time_base = _CLOCK
                origin_s = packet.time_s
            copy = compressed(packet.data)
            copy.stream = stream
            copy.time_base = _CLOCK
            decoded = max(decoded + 1, round((packet.decode_time_s - origin_s) / _CLOCK))
            copy.dts = decoded
            copy.pts = max(decoded, round((packet.time_s - origin_s) / _CLOCK))
            copy.duration = round(packet.info.interval_s / _CLOCK)
            copy.is_keyframe = packet.is_key
            container.mux(copy)


def _transcode(packets: Iterator[Packet], part: Path) -> None:
    writer: ClipWriter | None = None
    decoder: AdaptiveDecoder | None = None
    info: StreamInfo | None = None
    with ExitStack() as stack:
        for number, packet in enumerate(packets):
            if decoder is None or info is None or not info.same_stream(packet.info):
                if writer is not None and decoder is not None:
                    for frame in decoder.finish():
                        writer.write(frame, frame.time_s)
                info = packet.info
                decoder = AdaptiveDecoder(info)
            if writer is None:
                size = info.display.size(info.width, info.height)
                writer = ClipWriter(part, *size, 1 / info.interval_s)
                stack.enter_context(writer)
            for frame in decoder.decode(replace(packet, ordinal=number)):
                writer.write(frame, frame.time_s)
        if writer is not None and decoder is not None:
            for frame in decoder.finish():
                writer.write(frame, frame.time_s)
