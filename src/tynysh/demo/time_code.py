"""Which picture of the loop is this? A row of light and dark squares along the picture's lower edge says it.

Thereby the scripted detector knows from the picture alone whom to report, however the picture reached it: live,
delayed, recorded, or from the middle of the loop.
"""

import numpy as np

from tynysh.media.frame import Image

CELL = 8
"""Side of a square, pixels: a block of H.264, so that it survives compression."""

LEFT, BOTTOM = 8, 4
BITS = 12
DARK, LIGHT = 70, 200
LEAST_CONTRAST = 60


def write_time_code(picture: Image, number: int) -> None:
    """Draw `number` (0 to 4095) into a picture (height, width, 3): light, dark, twelve bits, and their parity."""
    cells = [True, False, *_bits(number), _parity(number)]
    top = picture.shape[0] - BOTTOM - CELL
    for place, light in enumerate(cells):
        left = LEFT + place * CELL
        picture[top : top + CELL, left : left + CELL] = LIGHT if light else DARK


def read_time_code(luma: Image) -> int | None:
    """The number in a picture's brightness (height, width); None if there is none, as with a covered lens."""
    top = luma.shape[0] - BOTTOM - CELL
    count = BITS + 3
    if top < 0 or luma.shape[1] < LEFT + count * CELL:
        return None
    strip = luma[top : top + CELL, LEFT : LEFT + count * CELL].astype(np.float64)
    levels = strip.reshape(CELL, count, CELL)[2:6, :, 2:6].mean(axis=(0, 2))
    if levels[0] - levels[1] < LEAST_CONTRAST:
        return None
    lights = levels > (levels[0] + levels[1]) / 2
    number = sum(1 << bit for bit in range(BITS) if lights[2 + bit])
    return number if bool(lights[-1]) == _parity(number) else None


def _bits(number: int) -> list[bool]:
    return [bool(number >> bit & 1) for bit in range(BITS)]


def _parity(number: int) -> bool:
    """Odd, so that a strip of one brightness is never valid."""
    return number.bit_count() % 2 == 0
