"""How is a line of text drawn into a picture, in any of the letters that people here write?"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Drawing
from PIL import ImageDraw, ImageFont

from tynysh.media.frame import Image

# DejaVu Sans 2.37, Latin and Cyrillic letters of it: OpenCV's own fonts know ASCII alone.
FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_SIZE_PX = 15
_EDGE_PX = 2
LINE_PX = 22
"""The height of a line."""


def write_line(picture: Image, text: str, colour: tuple[int, int, int], left: int, top: int) -> None:
    """Draw `text` into `picture` (height, width, 3; `colour` is blue first) with a dark edge, cut off at its sides."""
    height, width = picture.shape[:2]
    letters, opacity = _drawn(text, colour)
    letters, opacity = (part[: height - top, : width - left] for part in (letters, opacity))
    place = picture[top : top + letters.shape[0], left : left + letters.shape[1]]
    place[:] = np.round(place + opacity * (letters - place))


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, _SIZE_PX, layout_engine=ImageFont.Layout.BASIC)


@cache
def _drawn(text: str, colour: tuple[int, int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The letters (`LINE_PX`, width, 3) and how opaque each pixel is (`LINE_PX`, width, 1)."""
    font = _font()
    drawing = Drawing.new("RGBA", (round(font.getlength(text)) + 2 * _EDGE_PX, LINE_PX))
    ImageDraw.Draw(drawing).text(
        (_EDGE_PX, _EDGE_PX), text, fill=colour, font=font, stroke_width=_EDGE_PX, stroke_fill=(0, 0, 0)
    )
    layers = np.asarray(drawing, np.float32)
    return layers[..., :3], layers[..., 3:] / np.float32(255)
