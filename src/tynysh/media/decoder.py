"""Which pictures are worth decoding, and what would be missed by resting?"""

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from tynysh.media.display import Display
from tynysh.media.frame import Frame
from tynysh.media.packet import Packet, StreamInfo, compressed

_CELL_PX = 16
_MAX_COLUMNS = 160
_CHANGED_LEVELS = 6.0
_CHANGED_CELLS = 2
_STEPS_BETWEEN_LOOKS = 5
_DISTRUST_S = 300.0
# What one walking person adds to each picture, in sizes of a key frame: 0.025 on vtest.avi at 10 fps, less when
# smaller or filmed faster.
_WALKING_SHARE = 0.008
_SETTLING_RISE = 1.25
_LONG_GROUP_S = 2.2
_MEMORY = 128
_THRESHOLD = 7.0
# How long a suspicion of the decoder's own keeps it awake for the caller to confirm.
_HOLD_S = 1.0
# Time between pictures while resting, where key frames are that frequent: half a second, and a little less.
_REST_INTERVAL_S = 0.45
# What a decoder may hold back to put pictures in order, and a field.
_HELD_BACK = 17


@dataclass(slots=True)
class DecoderCounters:
    """What the decoder did.

    fed: pictures given to it, compressed. pictures: decoded, of which `damaged` came with faults painted over.
    corrupt: packets that gave an error. since_whole: how many were fed since the last whole picture.
    FFmpeg tells of damage for H.264 and MPEG-4; of HEVC, it leaves out silently what it cannot decode.
    undecoded: pictures that came damaged or not at all: errors and what gave nothing after one, damaged pictures, what
    refers to what came before the stream's beginning, and of HEVC all that is missing between two pictures. Fields and
    pictures that are held back are no loss.
    """

    fed: int = 0
    pictures: int = 0
    damaged: int = 0
    corrupt: int = 0
    since_whole: int = 0
    undecoded: int = 0

    @property
    def barren(self) -> bool:
        """Whether no whole picture came of more than a decoder may hold back."""
        return self.since_whole > _HELD_BACK

    def __add__(self, other: "DecoderCounters") -> "DecoderCounters":
        """What two decoders of one stream did, `other` the later."""
        return DecoderCounters(
            fed=self.fed + other.fed,
            pictures=self.pictures + other.pictures,
            damaged=self.damaged + other.damaged,
            corrupt=self.corrupt + other.corrupt,
            since_whole=other.since_whole + (0 if other.pictures > other.damaged else self.since_whole),
            undecoded=self.undecoded + other.undecoded,
        )


class SizeAlarm:
    """Notices motion from the sizes of compressed pictures alone.

    Where nothing moves, the pictures between key frames carry noise only and keep to a level. The sum of the
    sizes over a fifth of a second is compared with the median of such sums of the recent quiet, in units of the
    median absolute deviation (a robust z-score: Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993).
    Right after a key frame, where encoders are still settling, it is compared with earlier settlings too. A false
    alarm raises the bar, which comes down again in time.

    rate: pictures per second.
    """

    def __init__(self, rate: float) -> None:
        self.width = max(2, round(rate / 5))
        self._latest: deque[int] = deque(maxlen=self.width)
        self._waiting: deque[float] = deque()
        self._quiet: deque[float] = deque(maxlen=_MEMORY)
        self._bar = _THRESHOLD
        self._key_size = 0
        self._since_key = 0
        self._peak = 0.0
        self._settlings: deque[float] = deque(maxlen=8)
        self._level = 0.0
        self._limit = float("inf")
        self._age = 0

    @property
    def telling(self) -> bool:
        """Whether sizes keep so close to their quiet level that somebody walking would show.

        They do not where the encoder keeps to a bit rate by changing its quality from picture to picture, or
        spends it on noise.
        """
        return self._limit - self._level <= _WALKING_SHARE * self._key_size * self.width

    def observe_key(self, size: int) -> None:
        """Learn the size of a key frame, in bytes: the scale of what is new in a picture."""
        self._key_size = size
        self._since_key = 0
        if self._peak:
            self._settlings.append(self._peak)
        self._peak = 0.0

    def observe(self, size: int, *, moving: bool) -> bool:
        """Whether the next picture between key frames (`size` in bytes) makes motion likely.

        While `moving`, nothing is learnt and no alarm given.
        """
        self._latest.append(size)
        self._since_key += 1
        if moving or len(self._latest) < self.width:
            self._waiting.clear()
            return False
        total = float(sum(self._latest))
        if self._since_key <= 2 * self.width:
            self._peak = max(self._peak, total)
            usual = max(self._settlings) if len(self._settlings) >= 2 else float("inf")
            return total > max(self._limit, _SETTLING_RISE * usual)
        alarm = len(self._quiet) >= 2 * self.width and total > self._limit
        # A sum becomes part of the quiet only after a while, so that a slow start is not learnt as quiet.
        self._waiting.append(total)
        if len(self._waiting) > 2 * self.width:
            self._quiet.append(self._waiting.popleft())
            self._age += 1
            if self._age % self.width == 0 or self._limit == float("inf"):
                self._refresh()
        return alarm

    def _refresh(self) -> None:
        level = median(self._quiet)
        spread = 1.4826 * median(abs(total - level) for total in self._quiet)
        self._bar = max(_THRESHOLD, self._bar * 0.999)
        self._level = level
        self._limit = level + max(self._bar * spread, 0.06 * level * self._bar / _THRESHOLD)

    def was_wrong(self) -> None:
        """Nothing had moved: be slower to believe it the next time."""
        self._bar = min(self._bar * 1.5, 12 * _THRESHOLD)
        if self._quiet:
            self._refresh()


class AdaptiveDecoder:
    """Decodes everything while something moves, and little more than key frames while nothing does.

    While resting, packets since the last decoded key frame are kept. They are decoded after all, and in order,
    when the next key frame shows a changed scene, when the packets' sizes rise above their quiet level, when
    `set_active(True)` is called, or when they would take too much room. So nothing is lost by resting: what moved is
    seen later (by a second or so), never not at all. Codecs of key frames alone are decoded twice a second.

    probe_s: how long it may rest without looking, where packet sizes have told of motion so far.
    distrusted_probe_s: the same where sizes do not tell, or once did not (constant bit rate), and key frames are
        more than two seconds apart.
    buffer_bytes: packets kept at most.
    """

    def __init__(
        self,
        info: StreamInfo,
        *,
        probe_s: float = 30.0,
        distrusted_probe_s: float = 1.0,
        buffer_bytes: int = 16 * 2**20,
    ) -> None:
        self.counters = DecoderCounters()
        self._info = info
        self._context = info.decoder()
        self._display = info.display
        self._probe_s = probe_s
        self._distrusted_probe_s = distrusted_probe_s
        self._buffer_bytes = buffer_bytes
        self._alarm = SizeAlarm(1.0 / info.interval_s)
        self._moving = True
        self._awake_until = -float("inf")
        self._suspected = False
        self._distrust_until = -float("inf")
        # Packets since (and with) the last key frame that was looked at; the decoder has taken `_fed` of them, and
        # its state is that after them only while `_in_step`.
        self._kept: list[Packet] = []
        self._kept_bytes = 0
        # When the latest key frame was, and how long after the one before it; infinite until known.
        self._key_s = -float("inf")
        self._group_s = float("inf")
        self._fed = 0
        self._in_step = False
        self._alarmed_since_probe = False
        self._looked_at_s = -float("inf")
        self._view: NDArray[np.float32] | None = None
        self._last_frame: Frame | None = None
        self._last_index = -1
        self._last_time_s = -float("inf")
        self._group_index = 0
        self._group_count = 0
        # Stamps (time, index, ordinal) of pictures in the decoder, and the time of the last that came out.
        self._inside: list[tuple[float, int | None, int]] = []
        self._put_out_s = -float("inf")
        self._misordered = False
        # Whether the latest packet was damaged: then what follows is looked at, and counts where it gives no picture.
        self._broken = False
        # Of HEVC, FFmpeg leaves out without an error what it cannot decode: up to which time all is accounted for.
        self._silent = info.codec == "hevc"
        self._accounted_s = -float("inf")

    def set_active(self, moving: bool) -> None:
        """Tell whether something moves: every picture from now on, or rest when there is no suspicion either."""
        if moving and self._suspected:
            self._suspected = False
        self._moving = moving

    def decode(self, packet: Packet) -> Iterator[Frame]:
        """The pictures that become due with the next packet, in order of time. Exhaust it before the next call."""
        resting = self._rests(packet.time_s)
        if resting and self._view is None and self._last_frame is not None:
            self._view = _view(self._last_frame)
        if packet.is_key:
            self._group_s = packet.time_s - self._key_s
            self._key_s = packet.time_s
            self._alarm.observe_key(packet.size)
        alarm = not packet.is_key and self._alarm.observe(packet.size, moving=self._moving)
        if not resting:
            yield from self._follow(packet)
        elif packet.is_key and packet.time_s - self._looked_at_s >= _REST_INTERVAL_S:
            yield from self._probe(packet)
        else:
            self._keep(packet)
            if alarm:
                self._alarmed_since_probe = True
                self._wake(packet.time_s, by_size=True)
                yield from self._deliver(self._feed_kept())
            elif self._must_probe(packet):
                yield from self._search(self._feed_kept(), packet.time_s)
                self._looked_at_s = packet.time_s
        self._shed()

    def finish(self) -> Iterator[Frame]:
        """The pictures still held back at the end of the stream, in order of time."""
        if self._moving:
            yield from self._deliver(self._feed_kept())
        else:
            yield from self._search(self._feed_kept(), self._last_time_s)
        if self._in_step:
            yield from self._deliver(self._drain())

    def _rests(self, time_s: float) -> bool:
        if self._moving or self._broken:
            return False
        if time_s < self._awake_until:
            return False
        if self._suspected:
            self._suspected = False
            self._alarm.was_wrong()
        return True

    def _wake(self, time_s: float, *, by_size: bool = False) -> None:
        self._awake_until = time_s + _HOLD_S
        self._suspected = by_size

    def _follow(self, packet: Packet) -> Iterator[Frame]:
        """Decode everything up to and with `packet`."""
        if packet.is_key and (self._in_step or not self._kept) and self._fed == len(self._kept):
            self._forget()
        self._keep(packet)
        self._alarmed_since_probe = False
        self._view = None
        self._looked_at_s = packet.time_s
        yield from self._deliver(self._feed_kept())

    def _probe(self, key: Packet) -> Iterator[Frame]:
        """Decode a key frame alone; if the scene changed since the last one, decode first what lies between."""
        if self._kept and not self._kept[0].is_key:
            # The beginning of the group was let go: what is left can only be decoded from where the decoder is.
            yield from self._search(self._feed_kept(), key.time_s)
        if self._in_step and self._fed and not self._info.intra_only:
            yield from self._deliver(self._drain())
        before = self._view
        pictures = self._decode_alone(key)
        picture = next((frame for packet, frame in pictures if packet is key), None)
        self._looked_at_s = key.time_s
        if picture is None:
            self._forget()
            return
        self._view = _view(picture)
        if before is not None and _changed(before, self._view):
            self._restart()
            self._wake(key.time_s)
            yield from self._search(self._feed_kept(), key.time_s, since=before)
            self._forget()
            self._keep(key)
            yield from self._deliver(self._feed_kept())
            return
        yield from self._deliver([(key, picture)])
        in_step = self._in_step
        self._forget()
        self._keep(key)
        self._in_step = in_step
        self._fed = 1 if in_step else 0
        self._alarmed_since_probe = False

    def _must_probe(self, packet: Packet) -> bool:
        rested = packet.time_s - self._looked_at_s
        distrusted = packet.time_s < self._distrust_until or not self._alarm.telling
        limit = self._distrusted_probe_s if distrusted and self._group_s > _LONG_GROUP_S else self._probe_s
        return rested >= limit or self._kept_bytes > self._buffer_bytes

    def _search(
        self,
        pictures: Iterator[tuple[Packet, Frame]],
        now_s: float,
        *,
        since: NDArray[np.float32] | None = None,
    ) -> Iterator[Frame]:
        """Deliver pictures from where the scene began to change, a fifth of a second or so early."""
        before = since if since is not None else self._view
        unseen: deque[tuple[Packet, Frame]] = deque(maxlen=_STEPS_BETWEEN_LOOKS)
        count = 0
        moved_at: int | None = None
        for packet, frame in pictures:
            count += 1
            if moved_at is not None:
                yield from self._deliver([(packet, frame)])
                continue
            unseen.append((packet, frame))
            if count % _STEPS_BETWEEN_LOOKS:
                continue
            view = _view(frame)
            if before is None:
                before = view
            elif _changed(before, view):
                moved_at = count
                if since is None:
                    self._wake(now_s)
                yield from self._deliver(list(unseen))
        if moved_at is None:
            # What is at the end may be the beginning.
            yield from self._deliver(list(unseen) if since is not None else list(unseen)[-1:])
        elif not self._alarmed_since_probe and count - moved_at > 2 * self._alarm.width:
            self._distrust_until = now_s + _DISTRUST_S

    def _keep(self, packet: Packet) -> None:
        self._kept.append(packet)
        self._kept_bytes += packet.size

    def _forget(self) -> None:
        self._kept = []
        self._kept_bytes = 0
        self._fed = 0

    def _shed(self) -> None:
        """Let go of packets that have been decoded, where they take too much room."""
        if self._kept_bytes > self._buffer_bytes and self._in_step and self._fed == len(self._kept):
            self._forget()

    def _restart(self) -> None:
        self._context.flush_buffers()
        self._in_step = False
        self._fed = 0
        self._inside.clear()
        self._put_out_s = -float("inf")

    def _feed_kept(self) -> Iterator[tuple[Packet, Frame]]:
        """Decode the kept packets that the decoder has not yet taken."""
        if not self._in_step:
            self._restart()
            while self._kept and not self._kept[0].is_key:
                self._kept_bytes -= self._kept.pop(0).size
                # Without a key frame before it, or after one that failed, it is lost; else it was decoded before.
                self.counters.undecoded += self._broken or not self.counters.pictures
            if not self._kept:
                return
            self._in_step = True
        while self._fed < len(self._kept):
            packet = self._kept[self._fed]
            self._fed += 1
            yield from self._feed(packet)

    def _decode_alone(self, key: Packet) -> Sequence[tuple[Packet, Frame]]:
        self._restart()
        pictures = list(self._feed(key))
        if pictures:
            self._in_step = True
            return pictures
        pictures = list(self._drain())
        self._restart()
        if not pictures:
            self._broken = True
            # It gave all that it held back: nothing comes of this one. Three such are no accident.
            self.counters.since_whole += _HELD_BACK // 3
        return pictures

    def _drain(self) -> Iterator[tuple[Packet, Frame]]:
        pictures = self._take(None)
        if self._silent:
            self._miss(until_s=float("inf"))
        self._restart()
        yield from pictures

    def _feed(self, packet: Packet) -> Iterator[tuple[Packet, Frame]]:
        copy = compressed(packet.data)
        copy.pts = copy.dts = packet.ordinal
        copy.is_keyframe = packet.is_key
        # A new object each time: PyAV keeps opaques by identity, and a packet may be decoded twice.
        copy.opaque = (packet,)
        if not packet.is_discard:
            self.counters.fed += 1
            self.counters.since_whole += 1
            self._inside.append((packet.time_s, packet.index, packet.ordinal))
            if len(self._inside) > 4 * _HELD_BACK:
                # Nothing comes of it any more, however long the stream goes on so.
                self.counters.undecoded += self._silent or not self.counters.pictures
                del self._inside[0]
        yield from self._take(copy)

    def _take(self, packet: "av.Packet[Any] | None") -> list[tuple[Packet, Frame]]:
        try:
            pictures = self._context.decode(packet)
        except av.FFmpegError:
            self.counters.corrupt += 1
            self.counters.undecoded += 1
            self._broken = True
            if self._inside:
                self._inside.pop()
            return []
        frames: list[tuple[Packet, Frame]] = []
        if self._broken and packet is not None and not pictures and not self._silent:
            self.counters.undecoded += 1
        for picture in pictures:
            origin: Packet = picture.opaque[0]  # type: ignore[index]
            self._broken = picture.is_corrupt
            if not origin.is_discard:
                if not self.counters.pictures or (self._silent and not self._misordered):
                    # What should have been shown before never comes: it refers to what is not there.
                    self._miss(until_s=origin.time_s)
                self._accounted_s = origin.time_s
                self.counters.undecoded += picture.is_corrupt
                self.counters.pictures += 1
                self.counters.damaged += picture.is_corrupt
                if not picture.is_corrupt:
                    self.counters.since_whole = 0
                index, time_s = self._stamp(origin)
                if picture.rotation:
                    self._display = _told_by(picture, self._display)
                frames.append((origin, Frame(picture, time_s=time_s, index=index, display=self._display)))
        return frames

    def _miss(self, *, until_s: float) -> None:
        """Count what should have come out of the decoder before `until_s`, seconds, and did not."""
        self.counters.undecoded += sum(self._accounted_s < stamp[0] < until_s for stamp in self._inside)

    def _stamp(self, packet: Packet) -> tuple[int, float]:
        """The index and time of the picture that came out of `packet`.

        Some cameras stamp reordered pictures in order of sending. As soon as that shows, a picture takes the
        earliest stamp of those that are in the decoder rather than its own.
        """
        index, time_s = self._index_of(packet), packet.time_s
        if packet.is_key:
            self._inside = [stamp for stamp in self._inside if stamp[2] >= packet.ordinal]
        self._misordered = self._misordered or time_s <= self._put_out_s
        if self._misordered and self._inside:
            earliest = min(self._inside)
            self._inside.remove(earliest)
            time_s = earliest[0]
            index = earliest[1] if earliest[1] is not None else index
        else:
            self._inside = [stamp for stamp in self._inside if stamp[2] != packet.ordinal]
        self._put_out_s = time_s
        return index, time_s

    def _index_of(self, packet: Packet) -> int:
        """The picture's ordinal in display order: known, or its place after the group's key frame."""
        if packet.index is not None:
            return packet.index
        if not self._context.has_b_frames:
            return packet.ordinal
        if packet.is_key:
            self._group_index, self._group_count = packet.ordinal, 0
        index = self._group_index + self._group_count
        self._group_count += 1
        return index

    def _deliver(
        self, pictures: "Iterator[tuple[Packet, Frame]] | Sequence[tuple[Packet, Frame]]"
    ) -> Iterator[Frame]:
        for _, frame in pictures:
            if frame.index <= self._last_index:
                continue
            if frame.time_s <= self._last_time_s:
                frame.time_s = self._last_time_s + self._info.interval_s / 16
            self._last_index, self._last_time_s = frame.index, frame.time_s
            self._last_frame = frame
            yield frame


def _told_by(picture: av.VideoFrame, display: Display) -> Display:
    """`display` turned as the picture itself tells (H.264's and HEVC's display orientation)."""
    side_data: Any = picture.side_data
    for told in side_data:
        if told.type == SideDataType.DISPLAYMATRIX:
            return Display.of_matrix(struct.unpack("9i", bytes(told)), display.aspect)
    return display


def _view(frame: Frame) -> NDArray[np.float32]:
    """The picture's brightness, averaged over cells of 16 pixels or more."""
    columns = max(1, min(_MAX_COLUMNS, frame.width // _CELL_PX))
    rows = max(1, round(columns * frame.height / frame.width))
    luma = frame.luma
    return cv2.resize(luma, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)


def _changed(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Whether something other than the light of the whole scene differs."""
    if before.shape != now.shape:
        return True
    difference = now - before
    difference -= np.median(difference)
    return int(np.count_nonzero(np.abs(difference) > _CHANGED_LEVELS)) >= _CHANGED_CELLS
