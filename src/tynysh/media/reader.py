"""How is recorded video read from beginning to end, as fast as the machine allows?"""

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(slots=True)
class ReadCounters:
    """What reading a file took: packets read, pictures decoded, stamps mended, pictures that could not be decoded."""

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

    path: the file or folder.
    width, height: pixels of the first file. fps: pictures per second (median). frame_times: (N,) seconds of every
    picture in display order, also of those that will not be decoded; `Frame.index` points into it.
    damage: what is wrong with a file that can be read only in part, else None.

    Raises SourceError where nothing can be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.counters = ReadCounters()
        self.damage: SourceError | None = None
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
        self.width, self.height = self._parts[0].info.width, self._parts[0].info.height
        steps = np.diff(self.frame_times)
        self.fps = float(1.0 / np.median(steps)) if len(steps) else 1.0 / self._parts[0].info.interval_s

    @property
    def frame_count(self) -> int:
        """How many pictures there are."""
        return len(self.frame_times)

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
        spec = SourceSpec(str(file), SourceKind.FILE)
        source = ContainerSource(spec, Timeouts())
        try:
            info = source.info
            tick = float(info.time_base)
            mender = TimestampMender(interval_s=info.interval_s)
            raw_stamps: list[Stamp | None] = []
            ordered = True
            for packet in _readable(source):
                if packet.is_discard:
                    raw_stamps.append(None)
                    continue
                pts = None if packet.pts is None else packet.pts * tick
                dts = None if packet.dts is None else packet.dts * tick
                raw_stamps.append(mender.mend(pts, dts))
                ordered = ordered and pts is not None
            declared = source.declared_pictures
        finally:
            source.close()
        shown = sorted(stamp.time_s for stamp in raw_stamps if stamp)
        if not shown:
            raise SourceError(
                SourceFault.TRUNCATED,
                f"{file} holds no pictures",
                hint="The recording may have been interrupted.",
            )
        if declared and len(raw_stamps) < _COMPLETE * declared:
            self.damage = SourceError(
                SourceFault.TRUNCATED,
                f"{file} is cut off: {len(raw_stamps)} of {declared} pictures can be read",
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


def _readable(source: ContainerSource) -> Iterator[SourcePacket]:
    """The packets up to where the file is damaged."""
    try:
        yield from source.packets()
    except SourceError:
        return
