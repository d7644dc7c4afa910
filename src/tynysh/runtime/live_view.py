"""Live video of one camera for those who watch: anonymised, encoded once for all, at no cost while nobody does."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from queue import Empty, Full, Queue

import cv2
import structlog

from tynysh.media.encoder import FragmentedEncoder
from tynysh.media.frame import Image
from tynysh.runtime.blur_gate import Shown

log = structlog.get_logger(__name__)

NOMINAL_FPS = 10.0
JPEG_QUALITY = 80
WAITING_PICTURES = 20
"""Pictures come in small bursts, each time that the detector has looked (`runtime.blur_gate`)."""

WAITING_FRAGMENTS = 60


def jpeg(picture: Image) -> bytes:
    """`picture` (blue first) as JPEG."""
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


@dataclass(eq=False)
class _Viewer:
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING_FRAGMENTS))
    started: bool = False


class LiveView:
    """Anonymised live video of one camera.

    The analysis thread hands over pictures with `show`; a thread of its own blurs and encodes them while somebody
    watches. A viewer who cannot keep up is dropped.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._pictures: Queue[Shown] = Queue(WAITING_PICTURES)
        self._viewers: set[_Viewer] = set()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"live-{name}", daemon=True)
        self._thread.start()

    @property
    def watched(self) -> bool:
        """Whether anybody is watching."""
        return bool(self._viewers)

    def show(self, shown: Shown) -> None:
        """The next picture; dropped if the last ones are still being encoded."""
        if not self._viewers:
            return
        with contextlib.suppress(Full):
            self._pictures.put_nowait(shown)

    def close(self) -> None:
        """End it for all viewers."""
        self._closed = True
        self._wanted.set()
        self._end_all()

    async def watch(self) -> AsyncGenerator[bytes, None]:
        """The MIME type, the initialisation segment, then fragments from the next key frame on."""
        viewer = _Viewer(asyncio.get_running_loop())
        with self._lock:
            if self._closed:
                return
            self._viewers.add(viewer)
        self._wanted.set()
        try:
            while (fragment := await viewer.queue.get()) is not None:
                yield fragment
        finally:
            with self._lock:
                self._viewers.discard(viewer)

    def _run(self) -> None:
        while not self._closed:
            self._wanted.wait()
            self._wanted.clear()
            if not self._viewers:
                continue
            try:
                self._encode_while_watched()
            except Exception:
                log.exception("live.failed", camera=self._name)
                self._end_all()

    def _encode_while_watched(self) -> None:
        encoder: FragmentedEncoder | None = None
        # What the last viewer did not wait for is no longer live.
        while not self._pictures.empty():
            self._pictures.get_nowait()
        try:
            while self._viewers and not self._closed:
                try:
                    shown = self._pictures.get(timeout=0.5)
                except Empty:
                    continue
                height, width = shown.picture.shape[:2]
                if encoder is None or (encoder.width, encoder.height) != (width, height):
                    encoder = self._new_encoder(encoder, (width, height))
                self._hand_out(encoder, shown.anonymised(), shown.time_s)
        finally:
            if encoder is not None:
                encoder.close()

    def _new_encoder(self, old: FragmentedEncoder | None, size: tuple[int, int]) -> FragmentedEncoder:
        if old is not None:
            # A picture of another size is another stream: viewers connect again.
            old.close()
            self._end_all()
        return FragmentedEncoder(*size, NOMINAL_FPS)

    def _hand_out(self, encoder: FragmentedEncoder, picture: Image, time_s: float) -> None:
        fragment, is_key = encoder.encode(picture, time_s)
        if not fragment:
            return
        with self._lock:
            for viewer in self._viewers:
                self._give(viewer, encoder, fragment, is_key=is_key)

    def _give(self, viewer: _Viewer, encoder: FragmentedEncoder, data: bytes, *, is_key: bool) -> None:
        if not viewer.started:
            if not is_key:
                return
            viewer.started = True
            self._put(viewer, encoder.mime.encode())
            self._put(viewer, encoder.header)
        self._put(viewer, data)

    def _put(self, viewer: _Viewer, data: bytes) -> None:
        def put() -> None:
            try:
                viewer.queue.put_nowait(data)
            except asyncio.QueueFull:
                log.info("live.slow_viewer_dropped", camera=self._name)
                self._drop(viewer)

        _call(viewer.loop, put)

    def _drop(self, viewer: _Viewer) -> None:
        with self._lock:
            self._viewers.discard(viewer)
        self._end(viewer)

    def _end_all(self) -> None:
        with self._lock:
            for viewer in self._viewers:
                self._end(viewer)
            self._viewers.clear()

    def _end(self, viewer: _Viewer) -> None:
        def end() -> None:
            while viewer.queue.full():
                viewer.queue.get_nowait()
            viewer.queue.put_nowait(None)

        _call(viewer.loop, end)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the viewer's loop has ended, and the viewer with it
        loop.call_soon_threadsafe(function)
