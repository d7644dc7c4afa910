"""A drawn street along which somebody walks, whose head is a pattern too fine to survive blurring."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.scene.person import Person

WIDTH, HEIGHT, FPS = 320, 240, 10
TOP, HEAD, FEET = 80, 24, 160
ACROSS = 32
SEEN, BLURRED = 60.0, 45.0
"""A head that can be made out shows more pattern than `SEEN`, one that is blurred less than `BLURRED`."""

COAT = (220, 40, 40)
"""Blue first. Nothing else in the street is of this colour."""


def left_at(time_s: float) -> int:
    """Where the walker's left side is: to and fro, without leaving the picture."""
    way = WIDTH - ACROSS - 40
    return 20 + abs((int(time_s * 40) + way) % (2 * way) - way)


@cache
def _wall() -> NDArray[np.uint8]:
    bricks = np.random.default_rng(5).integers(120, 170, (12, 16))
    return np.repeat(np.kron(bricks, np.ones((20, 20)))[:, :, None], 3, axis=2).astype(np.uint8)


def draw(time_s: float, *, empty: bool = False) -> NDArray[np.uint8]:
    """The picture (height, width, 3), blue first, at `time_s`."""
    noise = np.random.default_rng(round(abs(time_s) * FPS)).integers(0, 6, (HEIGHT, WIDTH, 1))
    picture = (_wall() + noise).astype(np.uint8)
    if not empty:
        left = left_at(time_s)
        rows, columns = np.mgrid[0:HEAD, 0:ACROSS]
        checks = np.where((rows // 4 + columns // 4) % 2, 240, 10).astype(np.uint8)
        picture[TOP : TOP + HEAD, left : left + ACROSS] = checks[:, :, None]
        picture[TOP + HEAD : FEET, left : left + ACROSS] = COAT
    return picture


def write_street(
    path: Path,
    *,
    seconds: float = 6.0,
    empty: bool = False,
    lag_s: float = 0.0,
    rows: tuple[int, int] = (0, HEIGHT),
) -> Path:
    """Encode the street, or the `rows` of it, as it was `lag_s` ago into `path`, a key frame each second."""
    top, bottom = rows
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, bottom - top, "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "16"}
        for number in range(round(seconds * FPS)):
            picture = np.ascontiguousarray(draw(number / FPS - lag_s, empty=empty)[top:bottom])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def coat(picture: NDArray[np.uint8]) -> Box | None:
    """Where the walker's coat is, pixels; None where nobody walks."""
    blue, green, red = (picture[:, :, channel].astype(int) for channel in range(3))
    seen = (blue > 150) & (green < 110) & (red < 110)
    if np.count_nonzero(seen) < 200:
        return None
    rows, columns = np.nonzero(seen)
    # Robust against single pixels of other colours at the edges.
    left, right = np.percentile(columns, [2, 98])
    top, bottom = np.percentile(rows, [2, 98])
    return Box(float(left), float(top), float(right) + 1, float(bottom) + 1)


class CoatDetector:
    """Sees people by their coats, in place of a network, which would take no drawing for a person."""

    def detect(self, frame: Frame) -> Sequence[Person]:
        """The walker, head and all."""
        found = coat(frame.bgr)
        return [] if found is None else [Person(found._replace(top=found.top - HEAD - 2), 0.9)]


def pattern(picture: NDArray[np.uint8]) -> float | None:
    """How much of its pattern (standard deviation) the walker's head shows; None where nobody walks."""
    found = coat(picture)
    if found is None:
        return None
    top, left = max(0, int(found.top) - HEAD + 4), int(found.left) + 4
    return float(picture[top : int(found.top) - 4, left : int(found.right) - 4].std())


def patterns(pictures: Iterable[NDArray[np.uint8]]) -> list[float]:
    """`pattern` of all pictures that show the walker."""
    return [seen for picture in pictures if (seen := pattern(picture)) is not None]


def heads(video: Path) -> list[float]:
    """`patterns` of a file."""
    return patterns(frame.bgr for frame in VideoFile(video).frames())
