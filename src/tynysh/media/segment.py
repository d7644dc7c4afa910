"""Where is which moment of a camera's recording?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tynysh.media.container_source import ContainerSource
from tynysh.media.packet import Packet
from tynysh.media.source_fault import SourceError
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts

SUFFIX = ".mp4"
_NAME = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A stretch of recording in a file of its own. start_s: Unix time of its first picture, in its name too."""

    start_s: float
    path: Path

    @property
    def bytes(self) -> int:
        """Size on disk; 0 once it is gone."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def packets(self) -> Iterator[Packet]:
        """Its packets in order of decoding, with Unix times, up to where a crash may have cut it off.

        Raises SourceError if not even the first can be read.
        """
        source = ContainerSource(SourceSpec(str(self.path), SourceKind.FILE), Timeouts())
        try:
            info = source.info
            tick = float(info.time_base)
            origin: int | None = None
            ordinal = 0
            try:
                for raw in source.packets():
                    if raw.pts is None or raw.dts is None:
                        continue
                    origin = raw.pts if origin is None else origin
                    yield Packet(
                        info=info,
                        data=raw.data,
                        time_s=self.start_s + (raw.pts - origin) * tick,
                        decode_time_s=self.start_s + (raw.dts - origin) * tick,
                        is_key=raw.is_key,
                        ordinal=ordinal,
                    )
                    ordinal += 1
            except SourceError:
                if not ordinal:
                    raise
        finally:
            source.close()


def segment_path(folder: Path, start_s: float) -> Path:
    """The file of a segment that begins at Unix time `start_s`: `20261122T201500.123Z.mp4`."""
    milliseconds = int(start_s * 1000)
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return folder / f"{moment.strftime(_NAME)}.{milliseconds % 1000:03d}Z{SUFFIX}"


def _start_of(path: Path) -> float | None:
    try:
        moment = datetime.strptime(path.name.removesuffix(f"Z{SUFFIX}"), f"{_NAME}.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()


def segments(folder: Path) -> list[Segment]:
    """All segments in `folder` in order of time; none if there is no such folder. Other files are passed over."""
    if not folder.is_dir():
        return []
    starts = ((_start_of(path), path) for path in folder.glob(f"*Z{SUFFIX}"))
    return sorted(Segment(start, path) for start, path in starts if start is not None)


def between(recorded: Sequence[Segment], start_s: float, end_s: float) -> list[Segment]:
    """Those of `recorded` (in order of time) that may hold pictures from `start_s` to `end_s`."""
    chosen: list[Segment] = []
    for place, segment in enumerate(recorded):
        following = recorded[place + 1].start_s if place + 1 < len(recorded) else float("inf")
        if segment.start_s < end_s and following > start_s:
            chosen.append(segment)
    return chosen
