"""What does analysis see next, and what is skipped when it cannot keep up?"""

import time
from collections.abc import Callable, Iterator

from tynysh.media.decoder import AdaptiveDecoder, DecoderCounters
from tynysh.media.frame import Frame
from tynysh.media.packet import Packet, StreamInfo
from tynysh.media.subscription import PacketQueue

_SKIPPED_IN_A_ROW = 100
_CAUGHT_UP = 0.25


class FrameMailbox:
    """Frames of a live camera for one analysing thread; decoding happens there, when a frame is asked for.

    What waits is compressed, so memory stays small. Where analysis falls behind by more than `max_lag_s`, frames
    are decoded but not handed on until a quarter of that is left, so that what is seen is seen soon; where even
    decoding falls behind, the queue goes on from its latest key frame. Both are counted in `dropped`.

    max_lag_s: seconds of video that may wait, for as many seconds, before frames are skipped
    (what comes in a burst, as at the beginning of a connection, is not late yet). capacity_s: seconds of video that
    may wait before even decoding is given up; more than the usual interval between key frames. monotonic: seconds
    that never go back.
    asked_at: when (monotonic) it was last asked for a frame or went on to the next packet, None before the first time:
    of long ago, the analysing thread hangs, in decoding or in what it does with a frame.
    """

    def __init__(
        self,
        *,
        max_lag_s: float = 1.5,
        capacity_s: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = PacketQueue(capacity_s=capacity_s, monotonic=monotonic)
        self.asked_at: float | None = None
        self._monotonic = monotonic
        self._max_lag_s = max_lag_s
        self._decoder: AdaptiveDecoder | None = None
        self._info: StreamInfo | None = None
        self._moving = True
        self._due: Iterator[Frame] = iter(())
        self._skipped = 0
        self._skipped_in_a_row = 0
        self._catching_up = False
        self._before = DecoderCounters()

    @property
    def dropped(self) -> int:
        """Pictures that analysis did not get for lack of time."""
        return self._skipped + self._queue.dropped

    @property
    def counters(self) -> DecoderCounters:
        """What decoding came to since the beginning."""
        return self._before + self._decoder.counters if self._decoder else self._before

    def put(self, packet: Packet) -> None:
        """Add a packet; never blocks."""
        self._queue.put(packet)

    def close(self) -> None:
        """No more packets will come."""
        self._queue.close()

    def set_active(self, moving: bool) -> None:
        """Tell whether something moves (see `AdaptiveDecoder.set_active`); called by the analysing thread."""
        self._moving = moving
        if self._decoder is not None:
            self._decoder.set_active(moving)

    def get(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if what came in `timeout_s` gave none."""
        deadline = self._monotonic() + timeout_s
        while True:
            self.asked_at = self._monotonic()
            for frame in self._due:
                if self._behind() and self._skipped_in_a_row < _SKIPPED_IN_A_ROW:
                    self._skipped += 1
                    self._skipped_in_a_row += 1
                    continue
                self._skipped_in_a_row = 0
                return frame
            packet = self._queue.get(max(0.0, deadline - self.asked_at))
            if packet is None:
                return None
            self._due = self._decoder_of(packet).decode(packet)

    def _behind(self) -> bool:
        lag_s = min(self._queue.backlog_s, self._queue.waited_s)
        self._catching_up = lag_s > self._max_lag_s * (_CAUGHT_UP if self._catching_up else 1.0)
        return self._catching_up

    def _decoder_of(self, packet: Packet) -> AdaptiveDecoder:
        if self._decoder is None or packet.info is not self._info:
            if self._decoder is not None:
                self._before = self._before + self._decoder.counters
            self._info = packet.info
            self._decoder = AdaptiveDecoder(packet.info)
            self._decoder.set_active(self._moving)
        return self._decoder
