"""How is a camera's stream kept on disk so that neither a crash nor a full disk costs more than it must?"""

import errno
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from threading import Lock, Thread
from typing import BinaryIO

import av
from av.container import OutputContainer

from tynysh.media.camera import Clock
from tynysh.media.decoder import AdaptiveDecoder
from tynysh.media.encoder import PictureEncoder
from tynysh.media.packet import Packet, StreamInfo, add_stream, compressed
from tynysh.media.segment import segment_path
from tynysh.media.subscription import PacketQueue

_log = logging.getLogger(__name__)

FRAGMENT_S = 0.5
_CLOCK = Fraction(1, 90000)
_RETRY_S = 5.0
_CHECK_S = 2.0
# The disk counts as too slow until it has kept up for so long.
_TOO_SLOW_S = 30.0
_CARRIED = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "mpeg2video", "mpeg1video"})
PLAYABLE = frozenset({"h264", "av1", "vp9"})
"""Codecs that browsers play from MP4; clips of others are re-encoded when they are cut."""


class RecorderState(StrEnum):
    """Whether pictures are being kept."""

    WAITING = "waiting"
    RECORDING = "recording"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """A recorder's state. since: Unix time. detail: a key of the translations that says what is lost, or None."""

    state: RecorderState
    since: float
    detail: str | None = None


def needs_transcoding(info: StreamInfo) -> bool:
    """Whether MP4 cannot carry the codec, so that recording costs decoding and encoding every picture."""
    return info.codec not in _CARRIED


def _ignore(_: RecorderStatus) -> None:
    """Nobody wants to know."""


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def reserve_of(folder: Path) -> int:
    """How many bytes of the disk of `folder` are left free: a gibibyte, or a twentieth of a small one."""
    return min(2**30, shutil.disk_usage(folder).total // 20)


def _open_file(path: Path) -> BinaryIO:
    # For its user alone, whatever the umask.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)


class Recorder:
    """Writes one camera's packets into segments of fragmented MP4 without re-encoding.

    A segment begins with a key frame and its name tells when. Fragments are handed to the operating system every
    `FRAGMENT_S`, so that a crash costs no more than that (and the segment remains readable). Pictures that
    MP4 cannot carry (uncompressed, old Microsoft codecs) are re-encoded to H.264.

    Where the disk is slower than the camera, or stalls, and the queue drops what waits, `on_state` is told at once that
    something is lost (the state is `recording` with a detail) until the disk has kept up for half a minute.

    When the disk is full, fails, or has less than `reserve_bytes` left (by default `reserve_of`), recording stops,
    `on_state` is told, and it begins again by itself at a key frame when there is twice the reserve. It raises nothing.
    It deletes nothing either: that is `evidence.retention`.

    on_state is told in the recorder's thread, and in that which fills the queue.

    folder: of this camera alone; made if missing. segment_s: length of a segment, prolonged to the next key frame.
    free_bytes, open_file: how free space is asked for and a segment's file created.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_s: float = 60.0,
        reserve_bytes: int | None = None,
        clock: Clock = Clock(),  # noqa: B008 - immutable
        on_state: Callable[[RecorderStatus], None] = _ignore,
        free_bytes: Callable[[Path], int] = _free_bytes,
        open_file: Callable[[Path], BinaryIO] = _open_file,
    ) -> None:
        self.folder = folder
        self.status = RecorderStatus(RecorderState.WAITING, clock.now())
        self._segment_s = segment_s
        self._reserve_bytes = reserve_bytes
        self._clock = clock
        self._on_state = on_state
        self._free_bytes = free_bytes
        self._open_file = open_file
        self._writer: _SegmentWriter | None = None
        self._transcoder: _Transcoder | None = None
        self._changing = Lock()
        self._drops: tuple[int, PacketQueue | None] = (0, None)
        self._known_drops = 0
        self._dropped_at = -float("inf")
        self._tried_at = -float("inf")
        self._checked_at = -float("inf")

    @property
    def dropped(self) -> int:
        """How many packets its queues have dropped because the disk was slower than the camera."""
        before, queue = self._drops
        return before + (queue.dropped if queue is not None else 0)

    def start(self, queue: PacketQueue) -> Thread:
        """Record what comes through `queue` in a thread of its own, until the queue is closed."""
        thread = Thread(target=self.run, args=(queue,), name=f"recorder {self.folder.name}", daemon=True)
        thread.start()
        return thread

    def run(self, queue: PacketQueue) -> None:
        """Record what comes through `queue` until it is closed."""
        self._drops = (self.dropped, queue)
        queue.on_dropped = self._tell_dropped
        while True:
            packet = queue.get(1.0)
            if packet is not None:
                self.record(packet)
            elif queue.closed:
                self._drops = (self.dropped, None)
                self.close()
                return

    def record(self, packet: Packet) -> None:
        """Keep one packet."""
        if self.status.state is RecorderState.STOPPED and not self._may_resume(packet):
            return
        try:
            if not needs_transcoding(packet.info):
                self._write(packet)
            else:
                if self._transcoder is None or self._transcoder.source is not packet.info:
                    self._transcoder = _Transcoder(packet.info)
                for transcoded in self._transcoder.transcode(packet):
                    self._write(transcoded)
        except (OSError, av.FFmpegError, ValueError) as error:
            full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            self._stop("media.recording.disk_full" if full else "media.recording.failed")

    def close(self) -> None:
        """Finish the segment."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        self._become(RecorderState.WAITING, None)

    def _write(self, packet: Packet) -> None:
        writer = self._writer
        if packet.is_key and (
            writer is None
            or packet.time_s - writer.start_s >= self._segment_s
            or not writer.info.same_stream(packet.info)
        ):
            writer = self._next_segment(packet)
        if writer is None:
            return
        writer.write(packet)
        self._become(RecorderState.RECORDING, "media.recording.too_slow" if self._is_too_slow() else None)
        if self._clock.monotonic() - self._checked_at >= _CHECK_S:
            self._check_space()

    def _is_too_slow(self) -> bool:
        """Whether packets were dropped of late because the disk could not keep up."""
        dropped = self.dropped
        if dropped > self._known_drops:
            self._known_drops = dropped
            self._dropped_at = self._clock.monotonic()
        return self._clock.monotonic() - self._dropped_at < _TOO_SLOW_S

    def _tell_dropped(self) -> None:
        """The queue dropped something, in the thread that fills it: this one may wait for the disk for ever."""
        if self._is_too_slow() and self.status.state is not RecorderState.STOPPED:
            self._become(RecorderState.RECORDING, "media.recording.too_slow")

    def _next_segment(self, packet: Packet) -> "_SegmentWriter | None":
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._check_space():
            return None
        path = segment_path(self.folder, packet.time_s)
        if path.exists():
            # Two first pictures in one millisecond: the clock was set back, or a test is fast.
            return None
        self._writer = _SegmentWriter(self._open_file(path), path, packet)
        return self._writer

    def _check_space(self) -> bool:
        self._checked_at = self._clock.monotonic()
        if self._free_bytes(self.folder) >= self._reserve():
            return True
        self._stop("media.recording.disk_full")
        return False

    def _reserve(self) -> int:
        return reserve_of(self.folder) if self._reserve_bytes is None else self._reserve_bytes

    def _may_resume(self, packet: Packet) -> bool:
        if not packet.is_key or self._clock.monotonic() - self._tried_at < _RETRY_S:
            return False
        self._tried_at = self._clock.monotonic()
        try:
            return self._free_bytes(self.folder) >= 2 * self._reserve()
        except OSError:
            return False

    def _stop(self, detail: str) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()
        self._tried_at = self._clock.monotonic()
        self._become(RecorderState.STOPPED, detail)

    def _become(self, state: RecorderState, detail: str | None) -> None:
        with self._changing:
            if (self.status.state, self.status.detail) == (state, detail):
                return
            self.status = RecorderStatus(state, self._clock.now(), detail)
            if state is RecorderState.STOPPED:
                _log.error("recording into %s stopped: %s", self.folder, detail)
            self._on_state(self.status)


class _File:
    """A segment's file as the muxer sees it: it only ever goes forward."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.failure is not None:
            raise self.failure
        try:
            remaining = memoryview(data)
            while remaining:
                remaining = remaining[self._file.write(remaining) :]
        except OSError as error:
            self.failure = error
            raise
        return len(data)

    def close(self) -> None:
        self._file.close()


class _SegmentWriter:
    """One segment while it is being written."""

    def __init__(self, file: BinaryIO, path: Path, first: Packet) -> None:
        self.info = first.info
        self.path = path
        self.start_s = int(first.time_s * 1000) / 1000
        self._file = _File(file)
        self._container: OutputContainer = av.open(
            self._file,
            "w",
            format="mp4",
            options={
                "movflags": "frag_keyframe+empty_moov+default_base_moof+skip_trailer",
                "frag_duration": str(round(FRAGMENT_S * 1e6)),
                "flush_packets": "1",
                "video_track_timescale": "90000",
            },
        )
        self._stream = add_stream(self._container, first.info)
        self._stream.time_base = _CLOCK
        self._decoded: int | None = None

    def write(self, packet: Packet) -> None:
        copy = compressed(packet.data)
        copy.stream = self._stream
        copy.time_base = _CLOCK
        decoded = round((packet.decode_time_s - self.start_s) / _CLOCK)
        if self._decoded is not None:
            decoded = max(decoded, self._decoded + 1)
        self._decoded = decoded
        copy.dts = decoded
        copy.pts = max(decoded, round((packet.time_s - self.start_s) / _CLOCK))
        copy.duration = round(packet.info.interval_s / _CLOCK)
        copy.is_keyframe = packet.is_key
        self._container.mux(copy)
        if self._file.failure is not None:
            raise self._file.failure

    def close(self) -> None:
        try:
            self._container.close()
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Let go of a segment that cannot be written to; what is in it remains."""
        try:
            self.close()
        except (OSError, av.FFmpegError):
            _log.debug("the end of %s was lost", self.path)


class _Transcoder:
    """Packets of a codec that MP4 cannot carry as packets of H.264."""

    def __init__(self, source: StreamInfo) -> None:
        self.source = source
        self._decoder = AdaptiveDecoder(source)
        size = source.display.size(source.width, source.height)
        self._encoder = PictureEncoder(*size, 1 / source.interval_s, quality=25)

    def transcode(self, packet: Packet) -> list[Packet]:
        return [
            Packet(
                info=self._encoder.info,
                data=raw.data,
                time_s=frame.time_s,
                decode_time_s=frame.time_s,
                is_key=raw.is_key,
                ordinal=frame.index,
            )
            for frame in self._decoder.decode(packet)
            for raw in self._encoder.encode(frame, frame.time_s)
        ]
