"""How does one camera's stream stay alive, and who gets it?"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from threading import Event, Lock, Thread

from tynysh.backoff import Backoff
from tynysh.errors import MediaError
from tynysh.media.camera_status import CameraState
from tynysh.media.container_source import ContainerSource
from tynysh.media.decoder import DecoderCounters
from tynysh.media.frame import Frame
from tynysh.media.mailbox import FrameMailbox
from tynysh.media.pacing import Pacer
from tynysh.media.packet import Packet, PacketSource, SourcePacket, StreamInfo
from tynysh.media.source import Opener, open_source
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts
from tynysh.media.stream_health import StreamHealth, StreamMeter
from tynysh.media.subscription import PacketQueue
from tynysh.media.timestamps import TimestampMender
from tynysh.media.video_files import files_of
from tynysh.periodic import Pulse

_log = logging.getLogger(__name__)

_STOP_S = 2.0
_STEADY_S = 10.0
_AHEAD_S = 0.5
_LONGEST_BURST = 250
_WINDOW_S = 10.0
_CORRUPT_SHARE = 0.05
_LEAST_CORRUPT = 3
# A stream of which no whole picture comes for so long shows nothing.
_BARREN_S = 5.0
_CORRUPT = "media.degraded.corrupt"
_WAITING = "media.waiting.key_frame"
# Cameras that save bit rate send a key frame each 20 s or so.
_KEY_S = 60.0
_UNDECODABLE = f"media.fault.{SourceFault.UNDECODABLE}"
# A camera that refuses the password is asked rarely, for many lock the account.
_PASSWORD_S = 60.0
_CLOCK_SET_S = 1.5
_AT_ONCE_S = 0.25


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A camera's state. since: Unix time.

    detail: a key of the translations (`media.fault.refused`), with what its text names after it
    (`media.degraded.corrupt percent=20`); or None.
    """

    state: CameraState
    since: float
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class FeedTick:
    """A moment without a new frame. time_s: Unix time."""

    time_s: float
    status: FeedStatus


@dataclass(frozen=True, slots=True)
class FeedCounters:
    """What passed through a feed since it was started."""

    frames_read: int
    frames_decoded: int
    frames_dropped: int
    reconnects: int
    timestamps_mended: int
    corrupt_packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of a feed: `now` for display and as the origin of stream times, `monotonic` for waiting."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def both(self) -> tuple[float, float]:
        """What `now` and `monotonic` say at one moment, whenever the process was made to pause."""
        while True:
            before_s, now, after_s = self.monotonic(), self.now(), self.monotonic()
            if after_s - before_s < _AT_ONCE_S:
                return now, after_s


def _ignore(_: FeedStatus) -> None:
    """Nobody wants to know."""


class CameraFeed:
    """One connection to one stream, kept for ever: for analysis (`frames`), recording and live view (`subscribe`).

    A thread of its own reads packets, mends their times and hands them on; it never waits for a reader. Loss is
    noticed by an error, by the end of the stream, or by silence. Frames are decoded by whoever iterates `frames`.
    Files and folders run at their own speed and begin again at their end; so does a file over HTTP, while a live
    stream over HTTP is taken as it comes.

    spec: the stream. on_state: told of every change of state, from the thread that noticed it.
    stall_s: silence after which a live stream counts as degraded.
    """

    def __init__(
        self,
        spec: SourceSpec,
        *,
        opener: Opener = open_source,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        clock: Clock = Clock(),
        on_state: Callable[[FeedStatus], None] = _ignore,
        stall_s: float = 2.0,
    ) -> None:
        self.spec = spec
        self.info: StreamInfo | None = None
        self._opener = opener
        self._timeouts = timeouts or Timeouts()
        self._backoff = backoff or Backoff(first_s=1.0)
        self._clock = clock
        self._on_state = on_state
        self._stall_s = stall_s
        self._mailbox = FrameMailbox(monotonic=clock.monotonic)
        self._analysed = False
        self._subscribers: tuple[PacketQueue, ...] = ()
        self._lock = Lock()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._pulse = Pulse(clock.monotonic)
        self._mender = TimestampMender()
        self._meter = StreamMeter()
        self._status = FeedStatus(CameraState.CONNECTING, clock.now())
        self._last_packet_at = clock.monotonic()
        self._origin = clock.both()
        self._read = 0
        self._bytes = 0
        self._corrupt = 0
        self._connections = 0
        self._window = (clock.monotonic(), 0, 0, DecoderCounters())
        self._whole = (0, clock.monotonic())

    @property
    def status(self) -> FeedStatus:
        """The state now."""
        self._check()
        return self._status

    @property
    def counters(self) -> FeedCounters:
        """The counts so far."""
        return FeedCounters(
            frames_read=self._read,
            frames_decoded=self._mailbox.counters.pictures,
            frames_dropped=self._mailbox.dropped if self._analysed else 0,
            reconnects=max(0, self._connections - 1),
            timestamps_mended=self._mender.mended,
            corrupt_packets=self._corrupt + self._mailbox.counters.corrupt,
            bytes=self._bytes,
        )

    @property
    def health(self) -> StreamHealth | None:
        """How the stream arrives now; None before its first packet."""
        return self._meter.health(self._clock.monotonic())

    @property
    def unasked_s(self) -> float:
        """For how long analysis has not come for more: seconds at most while it works, also while nothing arrives."""
        asked_at = self._mailbox.asked_at
        return 0.0 if asked_at is None else self._clock.monotonic() - asked_at

    @property
    def busy_s(self) -> float:
        """For how long its thread has been opening the stream, or reading a packet: that has time-outs of its own."""
        return self._pulse.busy_s

    @property
    def ended(self) -> bool:
        """Whether its thread was started and runs no more, as only `stop` should make it."""
        thread = self._thread
        return thread is not None and thread.ident is not None and not thread.is_alive()

    @property
    def clock_was_set(self) -> bool:
        """Whether the machine's clock was set since this feed was made, which dates pictures by what it said then."""
        now, monotonic = self._clock.both()
        return abs(now - (self._origin[0] + monotonic - self._origin[1])) > _CLOCK_SET_S

    def start(self) -> None:
        """Begin to connect."""
        self._thread = Thread(target=self._run, name=f"feed {self.spec.redacted}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End within two seconds.

        A read that hangs in a silent peer cannot be interrupted; its thread is left behind, hands on nothing more,
        and ends with its time-out.
        """
        self._stopping.set()
        with self._lock:
            subscribers, self._subscribers = self._subscribers, ()
        for queue in subscribers:
            queue.close()
        self._mailbox.close()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def subscribe(self, *, capacity_s: float = 10.0, capacity_bytes: int = 32 * 2**20) -> PacketQueue:
        """A queue of all packets from the next key frame on, for recording or live view."""
        queue = PacketQueue(capacity_s=capacity_s, capacity_bytes=capacity_bytes)
        with self._lock:
            self._subscribers = (*self._subscribers, queue)
        return queue

    def set_active(self, moving: bool) -> None:
        """Tell whether something moves (see `AdaptiveDecoder.set_active`)."""
        self._mailbox.set_active(moving)

    def frames(self, *, tick_s: float = 0.5) -> Iterator[Frame | FeedTick]:
        """Frames as they come, for one thread; a tick where none came for `tick_s`. Ends when the feed stops.

        Asked for before `start`, so that the first key frame is among them: the next may be long in coming.
        """
        self._analysed = True
        return self._frames(tick_s)

    def _frames(self, tick_s: float) -> Iterator[Frame | FeedTick]:
        while not self._stopping.is_set():
            frame = self._mailbox.get(tick_s)
            self._check()
            if frame is not None and self._status.detail != _UNDECODABLE:
                yield frame
            elif not self._stopping.is_set():
                yield FeedTick(self._now(), self._status)

    def _now(self) -> float:
        """Unix time that does not jump when the wall clock is set."""
        return self._origin[0] + self._clock.monotonic() - self._origin[1]

    def _run(self) -> None:
        for turn in count():
            if self._stopping.is_set():
                return
            connected_at = self._clock.monotonic()
            self._pulse.beat()
            try:
                error = self._connection(turn)
            except Exception as unforeseen:  # noqa: BLE001 - whatever is wrong with a stream, the feed must outlive it
                # FFmpeg's texts quote the address: only the kind may be told.
                _log.error("%s: reading failed with %s", self.spec.redacted, type(unforeseen).__name__)
                error = SourceError(SourceFault.BROKEN, "")
            self._pulse.rest()
            if self._stopping.is_set():
                return
            if error is None:
                continue
            if self._clock.monotonic() - connected_at > _STEADY_S:
                self._backoff.reset()
            self._become(CameraState.LOST, error.detail)
            ceiling_s = _PASSWORD_S if error.fault is SourceFault.WRONG_PASSWORD else 0.0
            self._stopping.wait(self._backoff.next_s(ceiling_s=ceiling_s))

    def _connection(self, turn: int) -> SourceError | None:
        """Read one connection to its end. Why it ended; None if a file is simply over."""
        source = None
        try:
            source = self._opener(self._target(turn), self._timeouts)
            self._connections += 1
            if self._connections == 1 and isinstance(source, ContainerSource) and source.streams > 1:
                _log.warning("%s has %d video streams: one is read", self.spec.redacted, source.streams)
            read_before = self._read
            self._await_parameters(source)
            self._read_all(source)
            if self.spec.live or self._read == read_before:
                return SourceError(SourceFault.ENDED, "")
        except MediaError as error:
            _log.warning("%s", error.message)
            return error if isinstance(error, SourceError) else SourceError(SourceFault.BROKEN, "")
        finally:
            if source is not None:
                source.close()
        return None

    def _await_parameters(self, source: PacketSource) -> None:
        """Wait for a camera that tells the size of its pictures with its next key frame only."""
        began_at = self._clock.monotonic()
        while isinstance(source, ContainerSource) and not source.complete and not self._stopping.is_set():
            self._await_key(began_at)
            source.await_key()

    def _await_key(self, began_at: float) -> None:
        """Say that a key frame is waited for: nothing can be decoded before it. Raises SourceError after a minute."""
        waiting = self._status.state in {CameraState.CONNECTING, CameraState.LOST}
        self._become(self._status.state if waiting else CameraState.LOST, _WAITING)
        if self._clock.monotonic() - began_at > _KEY_S:
            raise SourceError(
                SourceFault.NO_KEY_FRAME,
                f"{self.spec.redacted}: no key frame came within {_KEY_S:g} seconds",
                hint="Set the camera's key frame interval (I-frame, GOP) to one or two seconds, 'smart' codecs off.",
            )

    def _target(self, turn: int) -> SourceSpec:
        if self.spec.kind is not SourceKind.FOLDER:
            return self.spec
        files = files_of(Path(self.spec.address))
        return replace(self.spec, address=str(files[turn % len(files)]), kind=SourceKind.FILE)

    def _read_all(self, source: PacketSource) -> None:
        info = source.info
        tick = float(info.time_base)
        self.info = info
        self._meter.reconnect()
        paced = self._is_paced(source)
        stamped = paced or not isinstance(source, ContainerSource) or source.stamped
        segmented = isinstance(source, ContainerSource) and source.segmented and not paced
        packets = self._evenly(source.packets(), tick) if segmented else source.packets()
        arrivals: Iterator[tuple[SourcePacket, float]] = ((raw, self._now()) for raw in packets)
        if paced:
            self._mender.reconnect(self._now(), info.interval_s)
        else:
            burst, start_s = self._opening_burst(arrivals, info)
            if not stamped:
                burst = [(raw, start_s + place * info.interval_s) for place, (raw, _) in enumerate(burst)]
            self._mender.reconnect(start_s, info.interval_s)
            arrivals = chain(burst, arrivals)
        keyed, began_at = False, self._clock.monotonic()
        for raw, arrival_s in arrivals:
            self._pulse.beat()
            if self._stopping.is_set():
                return
            if stamped:
                stamp = self._mender.mend(
                    None if raw.pts is None else raw.pts * tick,
                    None if raw.dts is None else raw.dts * tick,
                    None if paced else arrival_s,
                )
            else:
                # FFmpeg counts pictures at a rate that it made up: only the arrival tells the time.
                stamp = self._mender.mend(arrival_s, arrival_s, arrival_s)
            if paced:
                self._pulse.rest()
                self._stopping.wait(max(0.0, stamp.decode_time_s - arrival_s - _AHEAD_S))
                self._pulse.beat()
            self._corrupt += raw.is_corrupt
            self._meter.observe(
                self._clock.monotonic() if paced else arrival_s + self._origin[1] - self._origin[0],
                None if paced or not stamped or raw.dts is None else raw.dts * tick,
                len(raw.data),
                is_key=raw.is_key,
                mended=self._mender.mended,
                clock_ahead_s=None if paced or raw.clock_s is None else raw.clock_s - arrival_s,
            )
            keyed = keyed or raw.is_key
            if not keyed:
                if not paced:
                    self._await_key(began_at)
                continue
            self._hand_on(
                Packet(
                    info=info,
                    data=raw.data,
                    time_s=stamp.time_s,
                    decode_time_s=stamp.decode_time_s,
                    is_key=raw.is_key,
                    ordinal=self._read,
                    is_discard=raw.is_discard,
                )
            )

    def _evenly(self, packets: Iterator[SourcePacket], tick: float) -> Iterator[SourcePacket]:
        """Packets that come a segment at once, each when it is due."""
        pacer = Pacer()
        for raw in packets:
            stamp_s = None if raw.dts is None else raw.dts * tick
            now_s = self._clock.monotonic()
            self._stopping.wait(max(0.0, pacer.due_s(stamp_s, now_s) - now_s))
            yield raw

    def _is_paced(self, source: PacketSource) -> bool:
        """Whether the pictures are all there already, so that the feed must keep the time itself."""
        if self.spec.kind is SourceKind.HTTP:
            # Over HTTP come files and live streams; only a file knows how long it is.
            return isinstance(source, ContainerSource) and bool(source.declared_duration_s)
        return not self.spec.live

    def _opening_burst(
        self, arrivals: Iterator[tuple[SourcePacket, float]], info: StreamInfo
    ) -> tuple[list[tuple[SourcePacket, float]], float]:
        """What came at once when the stream was opened, and the time of its first picture.

        Opening takes about a second, of which the packets are then there all together, and some cameras begin with
        the past. The first packet that had to be waited for was sent as it arrived, and tells the time of the rest.
        """
        burst: list[tuple[SourcePacket, float]] = []
        before_s = self._now()
        for raw, arrival_s in arrivals:
            burst.append((raw, arrival_s))
            waited = arrival_s - before_s > info.interval_s / 2
            before_s = arrival_s
            if (waited and len(burst) > 1) or len(burst) >= _LONGEST_BURST:
                break
        if not burst:
            return burst, before_s
        first, last = burst[0][0], burst[-1][0]
        stamps = [raw.dts if raw.dts is not None else raw.pts for raw in (first, last)]
        span_s = (len(burst) - 1) * info.interval_s
        if stamps[0] is not None and stamps[1] is not None:
            declared_s = float((stamps[1] - stamps[0]) * info.time_base)
            span_s = declared_s if abs(declared_s - span_s) <= span_s else span_s
        return burst, burst[-1][1] - span_s

    def _hand_on(self, packet: Packet) -> None:
        self._read += 1
        self._bytes += packet.size
        self._last_packet_at = self._clock.monotonic()
        if self._status.state is not CameraState.LIVE:
            self._revive()
        if self._analysed:
            self._mailbox.put(packet)
        for queue in self._subscribers:
            queue.put(packet)

    def _revive(self) -> None:
        if not (self._status.detail or "").startswith((_CORRUPT, _UNDECODABLE)):
            self._become(CameraState.LIVE, None)

    def _check(self) -> None:
        """Notice what no packet tells: silence, and pictures that are damaged or cannot be decoded."""
        now = self._clock.monotonic()
        interval_s = self.info.interval_s if self.info else 0.0
        if (
            self._status.state is CameraState.LIVE
            and now - self._last_packet_at > self._stall_s + 3 * interval_s
        ):
            self._become(CameraState.DEGRADED, f"media.fault.{SourceFault.STALLED}")
        if self._status.state is CameraState.CONNECTING and self._pulse.busy_s > 2 * self._timeouts.open_s:
            self._become(CameraState.LOST, f"media.fault.{SourceFault.TIMED_OUT}")
        decoding = self._mailbox.counters
        whole = decoding.pictures - decoding.damaged
        if whole != self._whole[0] or not decoding.since_whole:
            self._whole = (whole, now)
        if decoding.barren and now - self._whole[1] >= _BARREN_S:
            self._become(CameraState.LOST, _UNDECODABLE)
        elif self._status.detail == _UNDECODABLE:
            self._become(CameraState.LIVE, None)
        if now - self._window[0] >= _WINDOW_S:
            self._judge_window(now, decoding)

    def _judge_window(self, now: float, decoding: DecoderCounters) -> None:
        """Whether too many pictures of the last seconds are damaged: as they came, or as they were decoded."""
        _, read, flagged, before = self._window
        self._window = (now, self._read, self._corrupt, decoding)
        fed = decoding.fed - before.fed
        # Of two fields comes one picture; what is beyond that was left out silently.
        missing = fed - 2 * (decoding.pictures - before.pictures)
        failed = max(decoding.corrupt - before.corrupt, missing) + decoding.damaged - before.damaged
        share = max(
            (self._corrupt - flagged) / max(1, self._read - read),
            min(1.0, failed / max(1, fed)) if failed >= _LEAST_CORRUPT else 0.0,
        )
        known = (self._status.detail or "").startswith(_CORRUPT)
        if share > _CORRUPT_SHARE and (known or self._status.state is CameraState.LIVE):
            self._become(CameraState.DEGRADED, f"{_CORRUPT} percent={max(10, round(share, 1) * 100):.0f}")
        elif known:
            self._become(CameraState.LIVE, None)

    def _become(self, state: CameraState, detail: str | None) -> None:
        with self._lock:
            before = self._status
            if (before.state, before.detail) == (state, detail) or self._stopping.is_set():
                return
            since = before.since if before.state is state else self._clock.now()
            self._status = FeedStatus(state, since, detail)
            status = self._status
        self._on_state(status)
