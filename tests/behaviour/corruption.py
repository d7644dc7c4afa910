"""Ways to spoil a picture, and ways to disturb it that are no fault: functions of a BGR picture, the seconds since they
began, and a source of randomness.
"""

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np

Image = np.ndarray
Spoil = Callable[[Image, float, np.random.Generator], Image]


def noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    return np.clip(image + rng.normal(0.0, sigma, image.shape), 0, 255).astype(np.uint8)


def hand(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A hand on the lens within half a second: dim skin, out of focus, with a little light at a corner."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    shade = 60.0 + 25.0 * columns / width + 10.0 * np.sin(rows / height * 5.0)
    skin = np.stack([shade * 0.6, shade * 0.8, shade * 1.3], axis=-1)
    reach = min(1.0, t / 0.5) * width
    edge = np.clip((reach - columns) / (0.06 * width), 0.0, 1.0)[..., None]
    return noisy(image * (1.0 - edge) + skin * edge, 2.0, rng)


def cloth(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A grey cloth close to the lens, let down in a second."""
    height, width = image.shape[:2]
    rows = np.mgrid[0:height, 0:width][0]
    folds = 110.0 + 12.0 * np.sin(np.arange(width) / width * 14.0)
    fabric = np.broadcast_to(folds[None, :, None], image.shape)
    edge = np.clip((min(1.0, t) * 1.1 * height - rows) / (0.05 * height), 0.0, 1.0)[..., None]
    return noisy(image * (1.0 - edge) + fabric * edge, 2.5, rng)


def sprayed(image: Image, t: float, rng: np.random.Generator) -> Image:
    """Blobs of paint that grow over most of the picture in a second and a half and stay."""
    height, width = image.shape[:2]
    paint = np.zeros((height, width), np.float32)
    places = np.random.default_rng(7)
    for _ in range(14):
        x, y = places.uniform(0.05, 0.95) * width, places.uniform(0.05, 0.95) * height
        radius = int(places.uniform(0.12, 0.22) * width * min(1.0, t / 1.5))
        cv2.circle(paint, (int(x), int(y)), max(1, radius), 1.0, -1)
    paint = cv2.GaussianBlur(paint, (0, 0), 0.012 * width)[..., None]
    return noisy(image * (1.0 - paint) + np.array([40.0, 45.0, 50.0]) * paint, 1.5, rng)


def thinly_sprayed(image: Image, t: float, rng: np.random.Generator) -> Image:
    """Thin grey paint all over within a second: a sixth of the light comes through."""
    paint = 0.85 * min(1.0, t)
    return noisy(image * (1.0 - paint) + 75.0 * paint, 1.5, rng)


def plastic_bag(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A milky bag over the camera: wrinkles, and blurred light from behind."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    wrinkles = 18.0 * np.sin(columns / width * 23.0 + rows / height * 11.0) + 12.0 * np.sin(
        rows / height * 31.0
    )
    behind = cv2.GaussianBlur(image, (0, 0), 0.03 * width)
    return noisy(0.45 * behind + 95.0 + wrinkles[..., None], 2.0, rng)


def condensation(image: Image, t: float, rng: np.random.Generator) -> Image:
    """The dome mists over in two seconds."""
    share = min(1.0, t / 2.0)
    blurred = cv2.GaussianBlur(image, (0, 0), max(0.3, 0.02 * image.shape[1] * share))
    return noisy(blurred * (1.0 - 0.7 * share) + 200.0 * 0.7 * share, 1.5, rng)


def shifted(share: float) -> Spoil:
    """The camera was knocked aside by that share of the width; what comes into view is the picture's own mirror."""

    def spoil(image: Image, t: float, rng: np.random.Generator) -> Image:
        height, width = image.shape[:2]
        matrix = np.array([[1.0, 0.0, share * width], [0.0, 1.0, 0.3 * share * height]])
        return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)

    return spoil


def turned(degrees: float, scale: float = 1.0) -> Spoil:
    """The camera was turned about its axis, or zoomed."""

    def spoil(image: Image, t: float, rng: np.random.Generator) -> Image:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
        return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)

    return spoil


def defocused(share: float) -> Spoil:
    """Blurred with a sigma of that share of the width, reached in a second."""

    def spoil(image: Image, t: float, rng: np.random.Generator) -> Image:
        return cv2.GaussianBlur(image, (0, 0), max(0.3, share * image.shape[1] * min(1.0, t)))

    return spoil


def dark(image: Image, t: float, rng: np.random.Generator) -> Image:
    return noisy(image * 0.06, 2.0, rng)


def glare(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A strong light straight into the lens: the picture is washed out."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    far = np.hypot((columns / width - 0.5), (rows / height - 0.5))
    return noisy(image * 1.2 + (420.0 * np.exp(-((far / 0.55) ** 2)))[..., None], 2.0, rng)


def over_exposed(image: Image, t: float, rng: np.random.Generator) -> Image:
    return noisy(image * 3.0 + 110.0, 2.0, rng)


def colour_bars(image: Image, t: float, rng: np.random.Generator) -> Image:
    """The upper part of the test card of SMPTE, with the usual two rows below."""
    height, width = image.shape[:2]
    levels = [(180, 180, 180), (16, 180, 180), (180, 180, 16), (16, 180, 16), (180, 16, 180), (16, 16, 180)]
    levels.append((180, 16, 16))
    card = np.empty_like(image)
    for number, level in enumerate(levels):
        left, right = number * width // 7, (number + 1) * width // 7
        card[: 2 * height // 3, left:right] = level
        card[2 * height // 3 : 3 * height // 4, left:right] = levels[-1 - number]
        card[3 * height // 4 :, left:right] = (8 + 28 * number,) * 3
    return card


def upright_bars(image: Image, t: float, rng: np.random.Generator) -> Image:
    """Eight bars from top to bottom, sent over an analogue line with its noise."""
    columns = np.arange(image.shape[1]) * 8 // image.shape[1]
    levels = np.array([235.0, 210.0, 170.0, 150.0, 105.0, 80.0, 45.0, 16.0])[columns]
    return noisy(np.broadcast_to(levels[None, :, None], image.shape), 3.0, rng)


def level_bars(image: Image, t: float, rng: np.random.Generator) -> Image:
    """Six bars from side to side."""
    rows = np.arange(image.shape[0]) * 6 // image.shape[0]
    levels = np.array([230, 190, 140, 100, 60, 20], np.uint8)[rows]
    return np.broadcast_to(levels[:, None, None], image.shape).copy()


def slate(image: Image, t: float, rng: np.random.Generator) -> Image:
    """What a recorder shows for a camera that it has lost."""
    card = np.full_like(image, 96)
    height, width = image.shape[:2]
    size = width / 400
    cv2.putText(card, "NO SIGNAL", (width // 5, height // 2), 0, size, (230, 230, 230), max(1, int(2 * size)))
    return card


def scenery(height: int, width: int, seed: int) -> Image:
    """A drawn scene with edges at all scales."""
    rng = np.random.default_rng(seed)
    scene = np.full((height, width, 3), 120.0)
    scene += np.linspace(40, -40, height)[:, None, None]
    for _ in range(60):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(width // 40, width // 5), rng.integers(height // 40, height // 4)
        colour = rng.uniform(30, 220) + rng.uniform(-20, 20, 3)
        cv2.rectangle(scene, (int(x), int(y)), (int(x + w), int(y + h)), tuple(map(float, colour)), -1)
    fine = cv2.GaussianBlur(rng.normal(0, 22, (height, width)).astype(np.float32), (0, 0), 1.2)
    return np.clip(scene + fine[..., None], 0, 255).astype(np.uint8)


def other_scene(image: Image, t: float, rng: np.random.Generator) -> Image:
    return noisy(scenery(*image.shape[:2], seed=99), 3.0, rng)


FAULTS: Mapping[str, Spoil] = {
    "hand": hand,
    "cloth": cloth,
    "sprayed": sprayed,
    "thinly sprayed": thinly_sprayed,
    "plastic bag": plastic_bag,
    "condensation": condensation,
    "shifted a tenth": shifted(0.1),
    "shifted a third": shifted(0.3),
    "turned by 10": turned(10.0),
    "turned by 30": turned(30.0),
    "turned by 60": turned(60.0),
    "zoomed in": turned(0.0, 1.5),
    "zoomed out": turned(0.0, 0.65),
    "defocused a little": defocused(0.004),
    "defocused much": defocused(0.02),
    "dark": dark,
    "glare": glare,
    "over-exposed": over_exposed,
    "colour bars": colour_bars,
    "upright bars": upright_bars,
    "level bars": level_bars,
    "slate": slate,
    "other scene": other_scene,
}


def lamp(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A lamp that goes off and on every four seconds and lights one side more than the other."""
    if int(t / 4.0) % 2:
        return image
    side = np.linspace(0.3, 0.75, image.shape[1])[None, :, None]
    return noisy(image * side, 1.5, rng)


def headlights(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A car turns in every five seconds: its light sweeps over the picture in two."""
    phase = (t % 5.0) / 2.0
    if phase > 1.0:
        return image
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    far = np.hypot(columns / width - phase, rows / height - 0.6)
    return np.clip(image * 1.1 + (380.0 * np.exp(-((far / 0.28) ** 2)))[..., None], 0, 255).astype(np.uint8)


def full_beam(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A car turns before the camera every six seconds and for not quite three blinds it."""
    part = (t % 6.0) / 2.8
    if part > 1.0:
        return image
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    far = np.hypot(columns / width - (0.3 + 0.4 * part), rows / height - 0.5)
    return np.clip(image + (900.0 * np.exp(-((far / 0.4) ** 2)))[..., None], 0, 255).astype(np.uint8)


def dusk(image: Image, t: float, rng: np.random.Generator) -> Image:
    """Light falls to a quarter over two minutes, and the gain's noise rises."""
    share = min(1.0, t / 120.0)
    return noisy(image * (1.0 - 0.75 * share), 1.0 + 5.0 * share, rng)


def rain(image: Image, t: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    streaks = np.zeros((height, width), np.float32)
    for _ in range(max(20, width * height // 1500)):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.line(streaks, (x, y), (x + width // 200, y + height // 22), 1.0, 1)
    return np.clip(image * 0.85 + 18.0 + 70.0 * streaks[..., None], 0, 255).astype(np.uint8)


def lorry(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A lorry drives by close to the camera in nine seconds, a new one each fifteen."""
    height, width = image.shape[:2]
    part = (t % 15.0) / 9.0
    if part > 1.0:
        return image
    length = int(0.9 * width)
    left = int(-length + part * (width + length))
    side = np.full((int(0.75 * height), length, 3), 170.0)
    side[:: max(8, height // 30)] -= 45.0
    cv2.rectangle(side, (int(0.82 * length), 10), (length - 10, height // 4), (60.0, 50.0, 45.0), -1)
    cv2.putText(side, "TRANSPORT", (length // 8, height // 3), 0, width / 350, (60.0, 60.0, 160.0), 4)
    for wheel in (0.15, 0.3, 0.85):
        cv2.circle(side, (int(wheel * length), side.shape[0] - height // 14), height // 12, (35.0,) * 3, -1)
    shown = image.astype(np.float32)
    begin, end = max(0, left), min(width, left + length)
    if end > begin:
        shown[height // 8 : height // 8 + side.shape[0], begin:end] = side[:, begin - left : end - left]
    return noisy(shown, 2.0, rng)


def insects(image: Image, t: float, rng: np.random.Generator) -> Image:
    """Moths about the lamp of the camera: bright, blurred, everywhere for a moment."""
    height, width = image.shape[:2]
    shown = np.zeros((height, width), np.float32)
    for _ in range(4):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.circle(shown, (x, y), int(rng.integers(width // 60, width // 14)), 1.0, -1)
    shown = cv2.GaussianBlur(shown, (0, 0), width / 100)[..., None]
    return np.clip(image * (1 - shown) + 235.0 * shown, 0, 255).astype(np.uint8)


def night_gain(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A dark street through a sensor at its highest gain."""
    return noisy(image * 0.45, 11.0, rng)


def compressed(image: Image, t: float, rng: np.random.Generator) -> Image:
    """A stronger compression from one moment to the next."""
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 22])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def exposure(image: Image, t: float, rng: np.random.Generator) -> Image:
    """The camera's exposure hunts."""
    return np.clip(image * (1.0 + 0.45 * np.sin(t * 1.3)) + 12.0, 0, 255).astype(np.uint8)


def shaken(share: float) -> Spoil:
    """A mast in the wind: that share of the width to and fro."""

    def spoil(image: Image, t: float, rng: np.random.Generator) -> Image:
        height, width = image.shape[:2]
        step = share * width * np.sin(t * 5.0)
        matrix = np.array([[1.0, 0.0, step], [0.0, 1.0, step / 3]])
        return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)

    return spoil


HARMLESS: Mapping[str, Spoil] = {
    "nothing": lambda image, t, rng: image,
    "lamp": lamp,
    "headlights": headlights,
    "full beam": full_beam,
    "dusk": dusk,
    "rain": rain,
    "lorry": lorry,
    "insects": insects,
    "night gain": night_gain,
    "compressed": compressed,
    "exposure": exposure,
    "shaken": shaken(0.005),
    "shaken in a storm": shaken(0.015),
}


def drawn(
    seconds: float,
    *,
    fps: float = 10.0,
    width: int = 640,
    height: int = 360,
    seed: int = 1,
    gain: float = 1.0,
) -> Iterator[tuple[float, Image]]:
    """A drawn square with people-like blobs that walk, and a sensor's noise."""
    rng = np.random.default_rng(seed)
    ground = scenery(height, width, seed) * gain
    for number in range(int(seconds * fps)):
        t = number / fps
        shown = ground.copy()
        for person in range(4):
            x = (0.13 + 0.24 * person + 0.05 * t * (1 if person % 2 else -1)) % 1.0 * width
            y = (0.45 + 0.12 * person) * height
            size = (width // 60, height // 10)
            cv2.ellipse(shown, (int(x), int(y)), size, 0, 0, 360, (50.0 * gain,) * 3, -1)
        yield t, noisy(shown, 2.5, rng)
