"""A camera over a simulated crowd: scripted detections, with what detectors do wrong, through the real parts."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tynysh.crowd.meter import CrowdMeter
from tynysh.geometry import Box
from tynysh.perception.tracker import Tracker
from tynysh.scene.crowd import CrowdState
from tynysh.scene.ground import Ground
from tynysh.scene.person import Person
from tynysh.scene.scene import Scene
from tynysh.scene.zone import Line, Zone

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 1280, 720
BODY_WIDTH_M = 0.45


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole camera `height_m` over the floor's origin, looking along +y and down by `tilt` degrees."""

    height_m: float = 7.0
    tilt: float = 40.0
    focal: float = 800.0

    @property
    def matrix(self) -> Floats:
        """(3, 4): from homogeneous metres to pixels."""
        tilt = np.radians(self.tilt)
        turn = np.array([[1, 0, 0], [0, -np.sin(tilt), -np.cos(tilt)], [0, np.cos(tilt), -np.sin(tilt)]])
        inner = np.array([[self.focal, 0, WIDTH / 2], [0, self.focal, HEIGHT / 2], [0, 0, 1]])
        return inner @ np.column_stack([turn, turn @ np.array([0.0, 0.0, -self.height_m])])

    def pixels(self, places: Floats, heights_m: Floats | float = 0.0) -> Floats:
        """(N, 2) pixels of points at `heights_m` over floor places (N, 2)."""
        points = np.column_stack([places, np.broadcast_to(heights_m, len(places)), np.ones(len(places))])
        carried = points @ self.matrix.T
        return carried[:, :2] / carried[:, 2:]

    def ground(self, error: float = 0.0) -> Ground:
        """The floor as the camera sees it, normalised."""
        to_picture = np.diag([1 / WIDTH, 1 / HEIGHT, 1.0]) @ self.matrix[:, [0, 1, 3]]
        inverse = np.linalg.inv(to_picture)
        middle = inverse @ np.array([0.5, 0.9, 1.0])
        return Ground(inverse * np.sign(middle[2]), error)

    def zone(self, name: str, left: float, near: float, right: float, far: float, **more: object) -> Zone:
        """A rectangle of the floor, metres, as a zone."""
        corners = self.pixels(np.array([[left, near], [right, near], [right, far], [left, far]]))
        polygon = tuple((float(x), float(y)) for x, y in corners / (WIDTH, HEIGHT))
        return Zone(name, polygon, **more)  # type: ignore[arg-type]

    def line(self, name: str, x0: float, y0: float, x1: float, y1: float) -> Line:
        """A line on the floor, metres."""
        (ax, ay), (bx, by) = self.pixels(np.array([[x0, y0], [x1, y1]])) / (WIDTH, HEIGHT)
        return Line(name, (float(ax), float(ay)), (float(bx), float(by)))


@dataclass(slots=True)
class Faults:
    """What the detector does wrong.

    missed: part of people missed at a look, of which `lasting` is missed for about a second. jitter: of places and
    sizes of boxes, in heights. false: boxes of nobody at a look, on average. occlusion: whether people hide each other:
    who is seen to less than 60 % is found less often, below 15 % never, and boxes that overlap by 0.65 become one.
    """

    missed: float = 0.1
    lasting: float = 0.3
    jitter: float = 0.03
    false: float = 0.5
    occlusion: bool = False


@dataclass(slots=True)
class Film:
    """Turns places into scenes."""

    lens: Lens
    faults: Faults = field(default_factory=Faults)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    _hidden_until_s: dict[int, float] = field(default_factory=dict)

    def persons(self, time_s: float, places: Floats, heights_m: Floats) -> list[Person]:
        """What the detector finds of people at `places` (N, 2), metres."""
        faults, random = self.faults, self.random
        front = np.flatnonzero(places[:, 1] > 0.5)
        feet, heads = self.lens.pixels(places[front]), self.lens.pixels(places[front], heights_m[front])
        tall = feet[:, 1] - heads[:, 1]
        wide = tall * BODY_WIDTH_M / 1.7
        boxes = np.column_stack([feet[:, 0] - wide / 2, heads[:, 1], feet[:, 0] + wide / 2, feet[:, 1]])
        inside = (feet[:, 0] > 0) & (feet[:, 0] < WIDTH) & (feet[:, 1] > 0) & (feet[:, 1] < HEIGHT)
        front, boxes, tall = front[inside], boxes[inside], tall[inside]
        shown = visible(boxes) if faults.occlusion else np.ones(len(boxes))
        chance = (1 - faults.missed) * np.clip((shown - 0.15) / 0.45, 0.0, 1.0)
        found: list[Person] = []
        for index, who in enumerate(front.tolist()):
            if time_s < self._hidden_until_s.get(who, -1.0):
                continue
            if random.random() >= chance[index]:
                if random.random() < faults.lasting * 0.2:
                    self._hidden_until_s[who] = time_s + 1.0
                continue
            shift = random.normal(0.0, faults.jitter * tall[index], 4)
            score = float(np.clip(0.45 + 0.45 * shown[index] + random.normal(0.0, 0.05), 0.1, 0.99))
            found.append(Person(Box(*(boxes[index] + shift)), score))
        for _ in range(random.poisson(faults.false)):
            x, y, size = random.uniform(0, WIDTH), random.uniform(100, HEIGHT), random.uniform(60, 140)
            found.append(Person(Box(x, y - size, x + 0.3 * size, y), float(random.uniform(0.2, 0.6))))
        return suppressed(found) if faults.occlusion else found


def visible(boxes: Floats) -> Floats:
    """The part of each box that none nearer to the camera (lower feet) covers, on a coarse raster."""
    scale = 8.0
    owner = np.full((int(HEIGHT / scale) + 1, int(WIDTH / scale) + 1), -1)
    rounded = np.clip(np.round(boxes / scale), 0, [owner.shape[1], owner.shape[0]] * 2).astype(int)
    for index in np.argsort(boxes[:, 3]):
        left, top, right, bottom = rounded[index]
        owner[top : max(bottom, top + 1), left : max(right, left + 1)] = index
    whole = np.maximum(rounded[:, 2] - rounded[:, 0], 1) * np.maximum(rounded[:, 3] - rounded[:, 1], 1)
    return np.bincount(owner[owner >= 0], minlength=len(boxes)) / whole


def suppressed(persons: list[Person], iou: float = 0.65) -> list[Person]:
    """Without boxes that overlap a better one too much, as detectors give them."""
    kept: list[Person] = []
    for person in sorted(persons, key=lambda one: -one.score):
        if all(person.box.iou(other.box) < iou for other in kept):
            kept.append(person)
    return kept


@dataclass(slots=True)
class Watching:
    """The real tracker and meter behind a film."""

    film: Film
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    ground: Ground | None = None
    tracker: Tracker = field(default_factory=Tracker)
    meter: CrowdMeter = field(default_factory=CrowdMeter)

    def look(self, time_s: float, places: Floats, heights_m: Floats) -> Scene:
        """The scene at `time_s`, its crowd measured."""
        persons = self.film.persons(time_s, places, heights_m)
        scene = Scene(
            time_s=time_s,
            width=WIDTH,
            height=HEIGHT,
            tracks=self.tracker.update(persons, time_s),
            zones=self.zones,
            lines=self.lines,
            ground=self.ground,
        )
        crowd = self.meter.observe(scene, persons)
        object.__setattr__(scene, "crowd", crowd)
        return scene


def looks(seconds: float, rate_hz: float = 5.0) -> Iterator[float]:
    """Times of looks."""
    for index in range(round(seconds * rate_hz)):
        yield index / rate_hz


def crowd_of(scene: Scene) -> CrowdState:
    """The crowd that was measured."""
    assert scene.crowd is not None
    return scene.crowd
