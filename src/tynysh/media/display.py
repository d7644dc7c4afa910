"""How are a stream's pictures to be shown: stretched, turned, mirrored?"""

import struct
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

_ONE = 1 << 16
_LEAST_STRETCH = Fraction(1, 100)
_WIDEST = 4
# Containers that can say how pictures are to be turned, by FFmpeg's names.
_TURNING = {"mov", "matroska"}


@dataclass(frozen=True, slots=True)
class Display:
    """What players do to a decoded picture: it is stretched, then mirrored along its diagonal, then along its axes.

    aspect: the width of a sample over its height; the height stays, the width follows.
    transposed: rows become columns. reversed_x, reversed_y: then left becomes right, top becomes bottom.
    """

    aspect: Fraction = Fraction(1)
    transposed: bool = False
    reversed_x: bool = False
    reversed_y: bool = False

    @classmethod
    def of(cls, stream: VideoStream) -> "Display":
        """What the container of an open stream, and its codec's header, say."""
        aspect = stream.sample_aspect_ratio or Fraction(1)
        # Next to 1 it is a rounding error, and far from it nonsense.
        if abs(aspect - 1) < _LEAST_STRETCH or not Fraction(1, _WIDEST) <= aspect <= _WIDEST:
            aspect = Fraction(1)
        turning = _TURNING.intersection(stream.container.format.name.split(","))
        return cls.of_matrix(_matrix_of(stream) if turning else None, aspect)

    @classmethod
    def of_matrix(cls, matrix: tuple[int, ...] | None, aspect: Fraction) -> "Display":
        """Of a display matrix (nine numbers, see FFmpeg's display.h) the quarter turns and mirrorings nearest to it.

        >>> Display.of_matrix((0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30), Fraction(1))  # a quarter turn clockwise
        Display(aspect=Fraction(1, 1), transposed=True, reversed_x=True, reversed_y=False)
        """
        if matrix is None:
            return cls(aspect)
        a, b, _, c, d = matrix[:5]
        transposed = abs(a) + abs(d) < abs(b) + abs(c)
        across, down = (c, b) if transposed else (a, d)
        return cls(aspect, transposed, across < 0, down < 0)

    @property
    def turns(self) -> bool:
        """Whether pictures are turned or mirrored."""
        return self.transposed or self.reversed_x or self.reversed_y

    @property
    def matrix(self) -> tuple[int, ...]:
        """The display matrix."""
        across, down = -_ONE if self.reversed_x else _ONE, -_ONE if self.reversed_y else _ONE
        first = (0, down, 0, across, 0) if self.transposed else (across, 0, 0, 0, down)
        return (*first, 0, 0, 0, 1 << 30)

    def stretched(self, width: int, height: int) -> tuple[int, int]:
        """The size of a picture of `width` and `height` pixels with square samples, not turned yet."""
        return max(1, round(width * self.aspect)), height

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The width and height at which a decoded picture of `width` and `height` pixels is shown."""
        across, down = self.stretched(width, height)
        return (down, across) if self.transposed else (across, down)

    def turned(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`picture` (height, width, ...), whose samples are square, as it is shown."""
        shown = cv2.transpose(picture) if self.transposed else picture
        if self.reversed_x or self.reversed_y:
            # OpenCV's codes: 0 top and bottom, 1 left and right, -1 both.
            shown = cv2.flip(shown, -1 if self.reversed_x and self.reversed_y else int(self.reversed_x))
        return shown  # type: ignore[return-value]


AS_IT_IS = Display()


def _matrix_of(stream: VideoStream) -> tuple[int, ...] | None:
    """The display matrix of a stream; None where it has none.

    PyAV does not show it, but copies it: it is read from the track header (`tkhd`, ISO/IEC 14496-12, 8.3.2) of an MP4
    of the same stream.
    """
    buffer = BytesIO()
    try:
        with av.open(buffer, "w", format="mp4", options={"movflags": "empty_moov+frag_custom"}) as container:
            container.add_stream_from_template(stream, opaque=True)
            container.start_encoding()
            header = buffer.getvalue()
    except (av.FFmpegError, OSError, ValueError):
        return None
    at = header.find(b"tkhd") + 4
    start = at + 4 + (32 if header[at] else 20) + 16
    return struct.unpack(">9i", header[start : start + 36])
