"""How does a log get out of the process, if its disk is full, or its reader slow or gone?"""

import atexit
import contextlib
import io
import os
import queue
import threading
import time
from collections.abc import Callable

_WAITING = 5000
_ROUND_S = 1.0
_END_S = 2.0


class LogStream(io.TextIOBase):
    """Writes lines to a descriptor in a thread of its own. What cannot be written is lost, and its lines counted:
    nobody waits for a log, and no error of it ends anything.

    descriptor: where to. each_round: called about once a second, in that thread. lost_line: makes the line that says
    how many were lost, once it can be written.

    lost: how many are lost and not told of yet.
    """

    def __init__(
        self, descriptor: int, *, each_round: Callable[[], object], lost_line: Callable[[int], str]
    ) -> None:
        self._descriptor = descriptor
        self._each_round = each_round
        self._lost_line = lost_line
        self._waiting: queue.Queue[str | None] = queue.Queue(_WAITING)
        self.lost = 0
        self._cut = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.end)

    def write(self, text: str) -> int:
        """Have `text` written, which ends a line; never blocks, never raises."""
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self.lost += 1
        return len(text)

    def end(self) -> None:
        """Write what waits, for two seconds at most."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(_END_S)

    def _run(self) -> None:
        round_s = time.monotonic()
        while True:
            try:
                text = self._waiting.get(timeout=_ROUND_S)
            except queue.Empty:
                text = ""
            if text is None:
                return
            if text:
                self._put(text)
            if time.monotonic() - round_s >= _ROUND_S:
                round_s = time.monotonic()
                self._each_round()

    def _put(self, text: str) -> None:
        lost = self.lost
        told = self._lost_line(lost) if lost else ""
        if self._written(("\n" if self._cut else "") + told + text):
            self.lost -= lost
        else:
            self.lost += 1

    def _written(self, text: str) -> bool:
        remaining = text.encode("utf-8", "backslashreplace")
        try:
            while remaining:
                remaining = remaining[os.write(self._descriptor, remaining) :]
                self._cut = bool(remaining)
        except OSError:
            return False
        return True
