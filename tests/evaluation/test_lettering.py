"""Names are legible in annotated videos, in Kazakh, Russian and English, and cut off where they are too long."""

import cv2
import numpy as np
import pytest
from PIL import ImageFont

from tynysh.evaluation.lettering import FONT, LINE_PX, write_line
from tynysh.translations import LANGUAGES, catalogue

LETTERS = "ABCXYZabcxyz0123456789 АБВЯабвяЁё ӘәҒғҚқҢңӨөҰұҮүҺһІі «»—–„“№₸!?().,:;-_/"


def written(text: str, *, width: int = 600) -> np.ndarray:
    picture = np.full((LINE_PX, width, 3), 90, np.uint8)
    write_line(picture, text, (60, 60, 230), 6, 0)
    return picture


def has_glyph(letter: str) -> bool:
    font = ImageFont.truetype(FONT, 15, layout_engine=ImageFont.Layout.BASIC)
    missing = bytes(font.getmask("\u4e2d"))
    return letter == " " or bytes(font.getmask(letter)) != missing


def test_every_letter_that_people_here_write_has_a_shape() -> None:
    told = {letter for language in LANGUAGES for word in catalogue(language).values() for letter in word}
    absent = {letter for letter in {*LETTERS, *told} if not has_glyph(letter)}
    assert absent <= {"\n", "\u00a0"}


@pytest.mark.parametrize("name", ["Көгал", "Қақпа", "Вход №1", "Gate"])
def test_a_name_is_drawn_as_itself(name: str) -> None:
    assert not np.array_equal(written(name), written("?" * len(name)))
    reds = cv2.inRange(written(name), (40, 40, 180), (90, 90, 255))
    assert np.count_nonzero(reds) > 20 * len(name) / 2, "in its colour"


def test_a_long_name_ends_at_the_pictures_side() -> None:
    assert written("Ұзын атау " * 40, width=100).shape == (LINE_PX, 100, 3)
