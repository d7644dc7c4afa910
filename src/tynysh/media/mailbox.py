"""What does analysis see next, and what is skipped when it cannot keep up?"""

from collections.abc import Iterator

from tynysh.media.decoder import AdaptiveDecoder, DecoderCounters
from tynysh.media.frame import Frame
from tynysh.media.packet import Packet, StreamInfo
from tynysh.media.subscription import PacketQueue

_SKIPPED_IN_A_ROW = 3


class FrameMailbox:
    """Frames of a live camera for one analysing thread; decoding happens there, when a frame is asked for.

    What waits is compressed, so memory stays small. Where analysis falls behind by more than `max_lag_s`, frames
    are decoded but not handed on, three of four; where even decoding falls behind, the queue goes on from its
    latest key frame. Both are counted in `dropped`.

    threads: of the decoder. max_lag_s: seconds of video that may wait before frames are skipped.
    """

    def __init__(self, *, threads: int = 1, max_lag_s: float = 3.0) -> None:
        self._queue = PacketQueue(capacity_s=3 * max_lag_s)
        self._threads = threads
        self._max_lag_s = max_lag_s
        self._decoder: AdaptiveDecoder | None = None
        self._info: StreamInfo | None = None
        self._moving = True
        self._due: Iterator[Frame] = iter(())
        self._skipped = 0
        self._skipped_in_a_row = 0
        self._before = DecoderCounters()

    @property
    def dropped(self) -> int:
        """Pictures that analysis did not get for lack of time."""
        return self._skipped + self._queue.dropped

    @property
    def decoded(self) -> int:
        """Pictures decoded."""
        return self._before.pictures + (self._decoder.counters.pictures if self._decoder else 0)

    @property
    def corrupt(self) -> int:
        """Packets that could not be decoded."""
        return self._before.corrupt + (self._decoder.counters.corrupt if self._decoder else 0)

    def put(self, packet: Packet) -> None:
        """Add a packet; never blocks."""
        self._queue.put(packet)

    def close(self) -> None:
        """No more packets will come."""
        self._queue.close()

    def attend(self, moving: bool) -> None:
        """Tell whether something moves (see `AdaptiveDecoder.attend`); called by the analysing thread."""
        self._moving = moving
        if self._decoder is not None:
            self._decoder.attend(moving)

    def get(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if no packet came for `timeout_s`, or the packets that came gave no frame."""
        while True:
            for frame in self._due:
                if self._queue.backlog_s > self._max_lag_s and self._skipped_in_a_row < _SKIPPED_IN_A_ROW:
                    self._skipped += 1
                    self._skipped_in_a_row += 1
                    continue
                self._skipped_in_a_row = 0
                return frame
            packet = self._queue.get(timeout_s)
            if packet is None:
                return None
            self._due = self._decoder_of(packet).decode(packet)

    def _decoder_of(self, packet: Packet) -> AdaptiveDecoder:
        if self._decoder is None or packet.info is not self._info:
            if self._decoder is not None:
                self._before.pictures += self._decoder.counters.pictures
                self._before.corrupt += self._decoder.counters.corrupt
            self._info = packet.info
            self._decoder = AdaptiveDecoder(packet.info, threads=self._threads)
            self._decoder.attend(self._moving)
        return self._decoder
