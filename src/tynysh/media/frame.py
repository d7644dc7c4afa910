"""A frame: one decoded picture with its time."""

import threading
from functools import cached_property
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.media.display import AS_IT_IS, Display

Image = NDArray[np.uint8]

_LUMA_FIRST = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray"}


class Frame:
    """One decoded picture, of the thread that decoded it alone. Pixel formats are converted only when asked for.

    PyAV's pictures must not be touched by two threads: each keeps a scaler, which works without the GIL. All arrays
    are read-only, and views of the picture's memory; what another thread is to see is copied (`runtime.blur_gate`).
    Asked by another thread, a picture of PyAV raises RuntimeError.

    time_s: seconds on the stream's mended clock: since the beginning for a file,
        Unix time (UTC) for a camera.
    index: the ordinal of the picture in its source, from 0, counting those that were not decoded.
    width, height: pixels, as it is shown: `display` is applied here, and nowhere else.
    """

    def __init__(
        self, picture: av.VideoFrame | Image, *, time_s: float, index: int, display: Display = AS_IT_IS
    ) -> None:
        self.time_s = time_s
        self.index = index
        self._thread = threading.get_ident()
        self._display = display
        if isinstance(picture, av.VideoFrame):
            self._picture: av.VideoFrame | Image = picture
            self.width, self.height = display.size(picture.width, picture.height)
        else:
            self._picture = _read_only(picture.view())
            self.height, self.width = picture.shape[:2]

    @cached_property
    def luma(self) -> Image:
        """Brightness (height, width), a view of the decoder's own memory where the format allows."""
        picture = self._own()
        if not isinstance(picture, av.VideoFrame):
            return _read_only(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        if picture.format.name in _LUMA_FIRST:
            plane: Any = picture.planes[0]
            rows = np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)
            luma: Image = rows[: picture.height, : picture.width]
        else:
            luma = _converted(picture, format="gray")
        size = self._display.stretched(picture.width, picture.height)
        if size[0] != picture.width:
            luma = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        return _read_only(self._display.turned(luma))

    @cached_property
    def bgr(self) -> Image:
        """Colour (height, width, 3), blue first, at full size."""
        picture = self._own()
        if not isinstance(picture, av.VideoFrame):
            return picture
        width, height = self._display.stretched(picture.width, picture.height)
        return _read_only(
            self._display.turned(_converted(picture, width=width, height=height, format="bgr24"))
        )

    def bgr_resized(self, width: int, height: int) -> Image:
        """Colour (height, width, 3), blue first, converted and scaled in one pass."""
        picture = self._own()
        if not isinstance(picture, av.VideoFrame):
            return _read_only(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
        across, down = (height, width) if self._display.transposed else (width, height)
        small = _converted(picture, width=across, height=down, format="bgr24", interpolation="AREA")
        return _read_only(self._display.turned(small))

    def _own(self) -> av.VideoFrame | Image:
        if isinstance(self._picture, av.VideoFrame) and threading.get_ident() != self._thread:
            raise RuntimeError(
                "a decoded picture was asked for by another thread than the one that decoded it"
            )
        return self._picture


def _converted(picture: av.VideoFrame, **wanted: Any) -> Image:
    # The scaler's own threads would live for one picture, and cost as much again as the scaling.
    converted: Any = picture.reformat(**wanted, threads=1).to_ndarray()
    image: Image = converted
    return image


def _read_only(array: Any) -> Image:
    array.flags.writeable = False
    read_only: Image = array
    return read_only
