"""Who else gets a camera's packets, and what is lost to one that is slow?"""

import time
from collections import deque
from collections.abc import Callable
from threading import Condition

from tynysh.media.packet import Packet


class PacketQueue:
    """Packets for one reader in another thread. Bounded: when full, all that waits is dropped and counted, and the
    queue begins again at the next key frame, so that what the reader gets can always be decoded.

    capacity_s: seconds of video that may wait. capacity_bytes: their size. monotonic: seconds that never go back.

    on_dropped: told, in the writer's thread, whenever something was dropped; to be set by the reader.
    """

    def __init__(
        self,
        *,
        capacity_s: float = 10.0,
        capacity_bytes: int = 32 * 2**20,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dropped = 0
        self.on_dropped: Callable[[], object] | None = None
        self._capacity_s = capacity_s
        self._capacity_bytes = capacity_bytes
        self._monotonic = monotonic
        self._waiting: deque[Packet] = deque()
        self._came: deque[float] = deque()
        self._bytes = 0
        self._needs_key = True
        self._overflowed = False
        self._closed = False
        self._changed = Condition()

    @property
    def closed(self) -> bool:
        """Whether no more packets will come."""
        return self._closed

    @property
    def backlog_s(self) -> float:
        """Seconds of video that wait."""
        with self._changed:
            if not self._waiting:
                return 0.0
            return self._waiting[-1].decode_time_s - self._waiting[0].decode_time_s

    @property
    def waited_s(self) -> float:
        """Seconds since the oldest that waits came; 0 where nothing does."""
        with self._changed:
            return self._monotonic() - self._came[0] if self._came else 0.0

    def put(self, packet: Packet) -> None:
        """Add a packet; never blocks."""
        dropped = self.dropped
        self._put(packet)
        if self.dropped != dropped and self.on_dropped is not None:
            self.on_dropped()

    def _put(self, packet: Packet) -> None:
        with self._changed:
            if self._closed:
                return
            if self._needs_key and not packet.is_key:
                self.dropped += self._overflowed
                return
            self._needs_key = self._overflowed = False
            self._waiting.append(packet)
            self._came.append(self._monotonic())
            self._bytes += packet.size
            span = packet.decode_time_s - self._waiting[0].decode_time_s
            if self._bytes > self._capacity_bytes or span > self._capacity_s:
                self._overflow()
            self._changed.notify()

    def _overflow(self) -> None:
        last_key = next((i for i in range(len(self._waiting) - 1, 0, -1) if self._waiting[i].is_key), None)
        keep = 0 if last_key is None else len(self._waiting) - last_key
        while len(self._waiting) > keep:
            self._bytes -= self._waiting.popleft().size
            self._came.popleft()
            self.dropped += 1
        self._needs_key = self._overflowed = keep == 0

    def get(self, timeout_s: float) -> Packet | None:
        """The next packet; None if none came in time or the queue is closed and empty."""
        with self._changed:
            if not self._waiting and not self._closed:
                self._changed.wait(timeout_s)
            if not self._waiting:
                return None
            packet = self._waiting.popleft()
            self._came.popleft()
            self._bytes -= packet.size
            return packet

    def close(self) -> None:
        """No more packets; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
