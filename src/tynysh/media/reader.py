"""How is recorded video read from beginning to end, as fast as the machine allows?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tynysh.media.container_source import ContainerSource
from tynysh.media.decoder import AdaptiveDecoder
from tynysh.media.frame import Frame
from tynysh.media.packet import Packet, SourcePacket, StreamInfo
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts
from tynysh.media.stream_health import StreamHealth, StreamMeter
from tynysh.media.timestamps import Stamp, TimestampMender
from tynysh.media.video_files import files_of, is_folder

_COMPLETE = 0.97
# Containers count the last picture in, or do not.
_MISSING_S = 1.0


@dataclass(slots=True)
class ReadCounters:
    """What reading a file took: packets read, pictures decoded, stamps mended, pictures damaged or lost."""

    frames_read: int = 0
    frames_decoded: int = 0
    timestamps_mended: int = 0
    corrupt_packets: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _FilePart:
    """One file: its stamps in order of decoding (None for pictures not to be shown) and where it begins.

    indexes: of each picture in display order, where the container tells that order.
    """

    spec: SourceSpec
    info: StreamInfo
    stamps: list[Stamp | None]
    indexes: list[int | None]
    start_s: float
    start_index: int


class VideoFile:
    """A file, or a folder of files in natural order as one continuous timeline; the first frame is at 0 s.

    Opening reads the file's packets once without decoding, so that the time and the index of every picture are
    known before the first is decoded. The same file gives the same frames.

    path: the file or folder. stream: which of its video streams, from 1; fps: pictures a second of a file without a
    clock, such as .h264 (else what its encoder wrote down, or 25).
    width, height: pixels of the first file. fps: pictures per second (median). frame_times: (N,) seconds of every
    picture in display order, also of those that will not be decoded; `Frame.index` points into it.
    damage: what is wrong with a file that can be read only in part, else None; of pictures that cannot be decoded it
    tells after `frames` have been taken.
    Raises SourceError where nothing can be read; `frames` do where nothing can be decoded.
    """

    def __init__(self, path: str | Path, *, stream: int | None = None, fps: float | None = None) -> None:
        self.path = Path(path)
        self.counters = ReadCounters()
        self.damage: SourceError | None = None
        self._stream, self._fps = stream, fps
        self._streams, self._clock = 1, True
        self._moving = True
        self._meter = StreamMeter()
        self._decoder: AdaptiveDecoder | None = None
        self._parts: list[_FilePart] = []
        times: list[float] = []
        end_s = 0.0
        for file in files_of(self.path) if is_folder(self.path) else [self.path]:
            part, shown, interval_s = self._survey(file, end_s, len(times))
            self._parts.append(part)
            times.extend(shown)
            end_s = times[-1] + interval_s
        self.frame_times: NDArray[np.float64] = np.asarray(times)
        self.duration_s = end_s
        self.width, self.height = self.info.display.size(self.info.width, self.info.height)
        steps = np.diff(self.frame_times)
        self.fps = float(1.0 / np.median(steps)) if len(steps) else 1.0 / self._parts[0].info.interval_s

    @property
    def frame_count(self) -> int:
        """How many pictures there are."""
        return len(self.frame_times)

    @property
    def notes(self) -> list[str]:
        """What whoever asked for the video should know of how it is read."""
        notes = []
        if self._streams > 1 and self._stream is None:
            notes.append(
                f"{self.path} holds {self._streams} video streams, of which the first is read. Choose another with "
                "--stream 2, and so on."
            )
        if not self._clock and self._fps is None:
            notes.append(
                f"{self.path} does not tell its pictures' times: it is taken for {1 / self.info.interval_s:g} pictures "
                "a second. If that is wrong, give the right number with --fps."
            )
        return notes

    @property
    def info(self) -> StreamInfo:
        """Parameters of the (first) file's stream."""
        return self._parts[0].info

    def health(self, time_s: float) -> StreamHealth | None:
        """How much has come up to `time_s`, as if it had come live; None before the first packet."""
        return self._meter.health(time_s)

    def set_active(self, moving: bool) -> None:
        """Tell whether something moves: decode every picture, or rest (see `AdaptiveDecoder`)."""
        self._moving = moving
        if self._decoder is not None:
            self._decoder.set_active(moving)

    def frames(self) -> Iterator[Frame]:
        """Frames in order of time; every one unless `set_active(False)` is called."""
        for part in self._parts:
            yield from self._frames_of(part)
        corrupt, count = self.counters.corrupt_packets, self.counters.frames_read
        if not self.counters.frames_decoded or corrupt >= count:
            raise SourceError(
                SourceFault.UNDECODABLE,
                f"{self.path}: {count} of {count} pictures cannot be decoded",
                hint="Is the recording encrypted? Then export it again with its encryption switched off.",
            )
        if corrupt and self.damage is None:
            self.damage = SourceError(
                SourceFault.UNDECODABLE,
                f"{self.path}: {corrupt} of {count} pictures cannot be decoded",
                hint="The rest was read; those are damaged, or refer to what the file lacks.",
            )

    def packets(self) -> Iterator[Packet]:
        """Compressed pictures in order of decoding, with mended times and exact indexes."""
        for part in self._parts:
            yield from self._packets_of(part)

    def _frames_of(self, part: _FilePart) -> Iterator[Frame]:
        decoder = self._decoder = AdaptiveDecoder(part.info)
        decoder.set_active(self._moving)
        before = (self.counters.frames_decoded, self.counters.corrupt_packets)
        for packet in self._packets_of(part):
            for frame in decoder.decode(packet):
                yield self._timed(frame)
            self._count(decoder, before)
        for frame in decoder.finish():
            yield self._timed(frame)
        self._count(decoder, before)

    def _timed(self, frame: Frame) -> Frame:
        frame.time_s = float(self.frame_times[min(frame.index, len(self.frame_times) - 1)])
        return frame

    def _count(self, decoder: AdaptiveDecoder, before: tuple[int, int]) -> None:
        self.counters.frames_decoded = before[0] + decoder.counters.pictures
        self.counters.corrupt_packets = before[1] + decoder.counters.undecoded

    def _packets_of(self, part: _FilePart) -> Iterator[Packet]:
        source = ContainerSource(part.spec, Timeouts())
        try:
            for ordinal, (raw, stamp, index) in enumerate(
                zip(_readable(source), part.stamps, part.indexes, strict=False)
            ):
                self.counters.frames_read += 1
                if stamp is not None:
                    self._meter.observe(stamp.decode_time_s, None, len(raw.data), is_key=raw.is_key)
                yield Packet(
                    info=part.info,
                    data=raw.data,
                    time_s=stamp.time_s if stamp else part.start_s,
                    decode_time_s=stamp.decode_time_s if stamp else part.start_s,
                    is_key=raw.is_key,
                    ordinal=part.start_index + ordinal,
                    index=index,
                    is_discard=raw.is_discard,
                )
        finally:
            source.close()

    def _survey(self, file: Path, start_s: float, start_index: int) -> tuple[_FilePart, list[float], float]:
        """The stamps of all pictures of `file`, its picture times in display order, and its picture interval."""
        spec = SourceSpec(str(file), SourceKind.FILE, stream=self._stream, fps=self._fps)
        source = ContainerSource(spec, Timeouts())
        try:
            self._streams = max(self._streams, source.streams)
            self._clock = self._clock and source.stamped
            tick = float(source.info.time_base) if source.stamped else None
            given = [
                None if packet.is_discard else (_seconds(packet.pts, tick), _seconds(packet.dts, tick))
                for packet in _readable(source)
            ]
            cut = _cut(source, len(given))
        finally:
            source.close()
        info = _with_own_rate(source.info, given)
        mender = TimestampMender(interval_s=info.interval_s, span_s=source.declared_duration_s)
        raw_stamps = [None if stamps is None else mender.mend(*stamps) for stamps in given]
        ordered = all(stamps is None or stamps[0] is not None for stamps in given)
        shown = sorted(stamp.time_s for stamp in raw_stamps if stamp)
        if not shown:
            raise SourceError(
                SourceFault.TRUNCATED,
                f"{file} holds no pictures",
                hint="The recording may have been interrupted.",
            )
        if cut is not None:
            self.damage = SourceError(
                SourceFault.TRUNCATED,
                f"{file} is cut off: {cut} can be read",
                hint="Copy it again from where it was recorded.",
            )
        self.counters.timestamps_mended += mender.mended
        shift = start_s - shown[0]
        stamps = [Stamp(s.time_s + shift, s.decode_time_s + shift) if s else None for s in raw_stamps]
        times = [time + shift for time in shown]
        interval_s = float(np.median(np.diff(times))) if len(times) > 1 else info.interval_s
        # Equal times cannot be told apart by rank; the mender leaves none.
        rank = {time: start_index + place for place, time in enumerate(times)}
        indexes = [rank[stamp.time_s] if stamp and ordered else None for stamp in stamps]
        return _FilePart(spec, info, stamps, indexes, start_s, start_index), times, interval_s


def _seconds(ticks: int | None, tick: float | None) -> float | None:
    return None if ticks is None or tick is None else ticks * tick


def _with_own_rate(info: StreamInfo, given: Sequence[tuple[float | None, float | None] | None]) -> StreamInfo:
    """`info` with the rate at which most pictures follow each other, where a hole makes the average one far less."""
    decoded = [stamps[1] for stamps in given if stamps is not None and stamps[1] is not None]
    steps = np.diff(decoded)
    usual_s = float(np.median(steps[steps > 0])) if np.any(steps > 0) else info.interval_s
    return replace(info, rate=1 / usual_s) if info.interval_s > 2 * usual_s else info


def _cut(source: ContainerSource, pictures: int) -> str | None:
    """How much of a file that was read to its end is there, where that is less than it was; else None."""
    declared, duration_s = source.declared_pictures, source.declared_duration_s
    if declared and pictures < _COMPLETE * declared:
        return f"{pictures} of {declared} pictures"
    missing_s = (duration_s or 0.0) - source.read_s
    if source.declares_end and missing_s > max(_MISSING_S, 3 * source.info.interval_s):
        return f"{source.read_s:.1f} of {duration_s:.1f} seconds"
    if source.ended_in_packet:
        return f"{pictures} pictures, the last in part,"
    return None


def _readable(source: ContainerSource) -> Iterator[SourcePacket]:
    """The packets up to where the file is damaged."""
    try:
        yield from source.packets()
    except SourceError:
        return
