"""How the simulated square looks: a calm evening, plainly marked as a simulation."""

from functools import cache
from math import pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.demo.script import DARK_FROM_S, DARK_UNTIL_S, FPS, HEIGHT, LOOP_S, WIDTH, DrawnPerson, Script
from tynysh.demo.time_code import write_time_code
from tynysh.geometry import Floats
from tynysh.media.frame import Image
from tynysh.scene.person import Joint

Colour = tuple[int, int, int]
"""Blue, green, red."""

HORIZON = 188
FADE_S = 0.4

_COATS: tuple[Colour, ...] = (
    (92, 84, 176),
    (160, 110, 60),
    (70, 130, 190),
    (150, 95, 130),
    (60, 90, 170),
    (130, 140, 90),
    (170, 140, 80),
)
_TROUSERS: tuple[Colour, ...] = ((84, 62, 52), (70, 70, 78), (60, 78, 96))
_SKIN: Colour = (138, 168, 205)

_LEFT_ARM = (Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST)
_RIGHT_ARM = (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)
_LEFT_LEG = (Joint.LEFT_HIP, Joint.LEFT_KNEE, Joint.LEFT_ANKLE, Joint.LEFT_BIG_TOE)
_RIGHT_LEG = (Joint.RIGHT_HIP, Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE, Joint.RIGHT_BIG_TOE)

# OpenCV's letters are Latin only: strokes in a cell of 4 x 6.
_LETTERS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "С": (((4, 1), (3, 0), (1, 0), (0, 1), (0, 5), (1, 6), (3, 6), (4, 5)),),
    "И": (((0, 0), (0, 6), (4, 0), (4, 6)),),
    "М": (((0, 6), (0, 0), (2, 3), (4, 0), (4, 6)),),
    "У": (((0, 0), (2, 3.4)), ((4, 0), (1.2, 6), (0, 6))),
    "Л": (((0, 6), (1, 5), (1.6, 0), (4, 0), (4, 6)),),
    "Я": (((4, 6), (4, 0), (1, 0), (0, 1), (0, 2.2), (1, 3.2), (4, 3.2)), ((2, 3.2), (0, 6))),
    "Ц": (((0, 0), (0, 6), (4.3, 6), (4.3, 7.2)), ((3.4, 0), (3.4, 6))),
    "S": (((4, 1), (3, 0), (1, 0), (0, 1), (0, 2), (1, 3), (3, 3), (4, 4), (4, 5), (3, 6), (1, 6), (0, 5)),),
    "I": (((2, 0), (2, 6)),),
    "M": (((0, 6), (0, 0), (2, 3), (4, 0), (4, 6)),),
    "U": (((0, 0), (0, 5), (1, 6), (3, 6), (4, 5), (4, 0)),),
    "L": (((0, 0), (0, 6), (4, 6)),),
    "A": (((0, 6), (2, 0), (4, 6)), ((0.8, 4), (3.2, 4))),
    "T": (((0, 0), (4, 0)), ((2, 0), (2, 6))),
    "E": (((4, 0), (0, 0), (0, 6), (4, 6)), ((0, 3), (3, 3))),
    "D": (((0, 0), (0, 6), (2.5, 6), (4, 4.5), (4, 1.5), (2.5, 0), (0, 0)),),
    " ": (),
    "·": (((1.8, 3), (2.2, 3)),),
}


def draw(script: Script, time_s: float) -> Image:
    """The picture (HEIGHT, WIDTH, 3), blue first, at a time of the loop; the same time gives the same picture."""
    time_s %= LOOP_S
    picture = _square().copy()
    _flame(picture, time_s)
    for figure in script.figures_at(time_s):
        _figure(picture, figure)
    write_time_code(picture, round(time_s * FPS))
    cover = _cover(time_s)
    if cover > 0.0:
        picture = cv2.convertScaleAbs(picture, alpha=1.0 - cover, beta=6.0 * cover)  # type: ignore[assignment]
        # The sensor's noise is all that a covered lens shows.
        picture[::2, ::2] += np.random.default_rng(round(time_s * FPS)).integers(
            0, 3, (HEIGHT // 2, WIDTH // 2, 3), dtype=np.uint8
        )
    return picture


def _cover(time_s: float) -> float:
    """How far the lens is covered, in [0, 1]."""
    closing = (time_s - DARK_FROM_S + FADE_S) / FADE_S
    opening = (DARK_UNTIL_S + FADE_S - time_s) / FADE_S
    return 0.97 * min(1.0, max(0.0, min(closing, opening)))


@cache
def _square() -> Image:
    """Everything that does not move."""
    picture: Image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture[:HORIZON] = _gradient((112, 84, 70), (150, 142, 158), HORIZON)
    picture[HORIZON:] = _gradient((98, 98, 104), (132, 134, 140), HEIGHT - HORIZON)
    _houses(picture)
    _paving(picture)
    _club(picture)
    _gate(picture)
    _monument(picture)
    _label(picture)
    return picture


def _gradient(top: Colour, bottom: Colour, rows: int) -> NDArray[np.uint8]:
    share = np.linspace(0.0, 1.0, rows)[:, None, None]
    colours: NDArray[np.float64] = (1 - share) * np.array(top) + share * np.array(bottom)
    return colours.astype(np.uint8)


def _houses(picture: Image) -> None:
    for left, right, top, shade in (
        (0, 96, 96, 74),
        (96, 190, 124, 82),
        (470, 560, 104, 78),
        (560, 640, 130, 84),
    ):
        cv2.rectangle(picture, (left, top), (right, HORIZON), (shade + 10, shade, shade - 4), -1)
        for x in range(left + 10, right - 12, 22):
            for y in range(top + 10, HORIZON - 22, 22):
                lit = (x * 7 + y * 13) % 5 == 0
                cv2.rectangle(picture, (x, y), (x + 9, y + 12), (120, 190, 226) if lit else (92, 80, 74), -1)


def _paving(picture: Image) -> None:
    line = (112, 113, 119)
    for row in range(7):
        y = HORIZON + round((HEIGHT - HORIZON) * (row / 7) ** 1.5)
        cv2.line(picture, (0, y), (WIDTH, y), line, 1, cv2.LINE_AA)
    for x in range(-600, WIDTH + 601, 80):
        cv2.line(picture, (WIDTH // 2 + (x - WIDTH // 2) // 2, HORIZON), (x, HEIGHT), line, 1, cv2.LINE_AA)


def _club(picture: Image) -> None:
    cv2.rectangle(picture, (190, 70), (470, HORIZON + 4), (78, 62, 66), -1)
    cv2.rectangle(picture, (190, 70), (470, 80), (96, 80, 84), -1)
    glow = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    cv2.ellipse(glow, (330, 222), (120, 34), 0, 0, 360, 1.0, -1)
    glow = cv2.GaussianBlur(glow, (0, 0), 18)[:, :, None]  # type: ignore[assignment]
    lit = picture + glow * np.array([18.0, 44.0, 62.0], dtype=np.float32)
    picture[:] = np.clip(lit, 0, 255).astype(np.uint8)
    cv2.rectangle(picture, (306, 118), (354, HORIZON + 4), (60, 120, 168), -1)
    cv2.rectangle(picture, (311, 123), (349, HORIZON + 4), (110, 186, 228), -1)
    cv2.rectangle(picture, (266, 90), (394, 110), (60, 40, 120), -1)
    cv2.putText(picture, "AURORA", (282, 106), cv2.FONT_HERSHEY_DUPLEX, 0.6, (200, 190, 250), 1, cv2.LINE_AA)
    for x in (215, 250, 400, 435):
        cv2.rectangle(picture, (x - 10, 120), (x + 10, 152), (116, 150, 190), -1)


def _gate(picture: Image) -> None:
    cv2.rectangle(picture, (534, 150), (540, 212), (60, 58, 62), -1)
    cv2.rectangle(picture, (628, 150), (634, 212), (60, 58, 62), -1)
    for x in range(546, 628, 9):
        cv2.line(picture, (x, 156), (x, 208), (74, 72, 76), 2, cv2.LINE_AA)
    for y in (160, 182, 206):
        cv2.line(picture, (538, y), (630, y), (74, 72, 76), 2, cv2.LINE_AA)
    corners = np.array([[531, 191], [637, 191], [637, 245], [531, 245]], dtype=np.int32)
    cv2.polylines(picture, [corners], True, (90, 160, 200), 1, cv2.LINE_AA)


def _monument(picture: Image) -> None:
    cv2.ellipse(picture, (112, 232), (74, 22), 0, 0, 360, (120, 120, 128), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (112, 226), (58, 16), 0, 0, 360, (146, 146, 152), -1, cv2.LINE_AA)
    stele = np.array([[98, 222], [126, 222], [118, 92], [106, 92]], dtype=np.int32)
    cv2.fillPoly(picture, [stele], (150, 152, 160), cv2.LINE_AA)
    cv2.fillPoly(picture, [stele[[1, 2, 3]]], (134, 136, 146), cv2.LINE_AA)


def _flame(picture: Image, time_s: float) -> None:
    """The fire before the monument: it never stands still."""
    lean = 2.0 * sin(2 * pi * time_s * 1.3) + sin(2 * pi * time_s * 3.1)
    height = 13.0 + 2.5 * sin(2 * pi * time_s * 2.3)
    for width, tall, colour in ((5.0, height, (60, 150, 240)), (3.0, 0.6 * height, (150, 220, 255))):
        tip = (140 + lean, 224 - tall)
        shape = np.array([(140 - width, 224), tip, (140 + width, 224)])
        cv2.fillPoly(picture, [np.round(shape).astype(np.int32)], colour, cv2.LINE_AA)


def _label(picture: Image) -> None:
    words, size = "SIMULATED · СИМУЛЯЦИЯ", 2.6
    advance = 6.2 * size
    width = round(advance * len(words)) + 16
    cv2.rectangle(picture, (WIDTH // 2 - width // 2, 12), (WIDTH // 2 + width // 2, 44), (40, 40, 44), -1)
    left = WIDTH / 2 - advance * len(words) / 2 + 4
    for number, letter in enumerate(words):
        for stroke in _LETTERS[letter]:
            places = [(left + advance * number + x * size, 20 + y * size) for x, y in stroke]
            cv2.polylines(
                picture, [np.round(places).astype(np.int32)], False, (120, 220, 250), 2, cv2.LINE_AA
            )


def _figure(picture: Image, figure: DrawnPerson) -> None:
    """A person of simple limbs, without a face."""
    coat, trousers = _COATS[figure.look % len(_COATS)], _TROUSERS[figure.look % len(_TROUSERS)]
    darker: Colour = (round(0.8 * coat[0]), round(0.8 * coat[1]), round(0.8 * coat[2]))
    thick = max(2, round(0.075 * figure.height))
    at = figure.skeleton
    middle, half = float(at[:, 0].mean()), float(np.ptp(at[:, 0])) / 2
    shadow = (round(middle), round(figure.foot[1]))
    axes = (round(half + 0.08 * figure.height), max(2, round(0.05 * figure.height)))
    cv2.ellipse(picture, shadow, axes, 0, 0, 360, (84, 84, 90), -1, cv2.LINE_AA)
    _limb(picture, at, _RIGHT_ARM, darker, thick)
    _limb(picture, at, _RIGHT_LEG, trousers, thick)
    _limb(picture, at, _LEFT_LEG, trousers, thick)
    _limb(picture, at, (Joint.NECK, Joint.HIP), coat, round(2.0 * thick))
    _limb(picture, at, _LEFT_ARM, coat, thick)
    head = (at[Joint.HEAD] + at[Joint.NECK]) / 2
    centre = (round(float(head[0])), round(float(head[1])))
    cv2.circle(picture, centre, max(2, round(0.072 * figure.height)), _SKIN, -1, cv2.LINE_AA)


def _limb(picture: Image, at: Floats, chain: tuple[Joint, ...], colour: Colour, thick: int) -> None:
    places = np.round(at[list(chain)]).astype(np.int32)
    cv2.polylines(picture, [places], False, colour, thick, cv2.LINE_AA)
