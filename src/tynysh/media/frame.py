"""A frame: one decoded picture with its time."""

from functools import cached_property
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_LUMA_FIRST = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray"}


class Frame:
    """One decoded picture. Pixel formats are converted only when asked for, and only once.

    time_s: seconds on the stream's mended clock: since the beginning for a file,
        Unix time (UTC) for a camera.
    index: the ordinal of the picture in its source, from 0, counting those that were not decoded.
    width, height: pixels.
    """

    def __init__(self, picture: av.VideoFrame | Image, *, time_s: float, index: int) -> None:
        self.time_s = time_s
        self.index = index
        self._picture = picture
        if isinstance(picture, av.VideoFrame):
            self.width, self.height = picture.width, picture.height
        else:
            self.height, self.width = picture.shape[:2]

    @cached_property
    def luma(self) -> Image:
        """Brightness (height, width), a view of the decoder's own memory where the format allows."""
        picture = self._picture
        if not isinstance(picture, av.VideoFrame):
            return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]
        if picture.format.name in _LUMA_FIRST:
            plane: Any = picture.planes[0]
            rows = np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)
            return rows[: self.height, : self.width]
        return picture.to_ndarray(format="gray")  # type: ignore[return-value]

    @cached_property
    def bgr(self) -> Image:
        """Colour (height, width, 3), blue first, at full size."""
        if not isinstance(self._picture, av.VideoFrame):
            return self._picture
        return self._picture.to_ndarray(format="bgr24")  # type: ignore[return-value]

    def bgr_resized(self, width: int, height: int) -> Image:
        """Colour (height, width, 3), blue first, converted and scaled in one pass."""
        if not isinstance(self._picture, av.VideoFrame):
            return cv2.resize(self._picture, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
        scaled = self._picture.reformat(width=width, height=height, format="bgr24", interpolation="AREA")
        return scaled.to_ndarray()  # type: ignore[return-value]
