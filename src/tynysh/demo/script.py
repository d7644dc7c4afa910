"""Who does what, when and where on the simulated square: a loop of ninety seconds that shows every behaviour."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

import numpy as np

from tynysh.behaviour.signal import Behaviour
from tynysh.demo.figure import BodyAction, joints, pose
from tynysh.geometry import Box, Floats, Point
from tynysh.scene.person import Keypoints, Person
from tynysh.scene.zone import Zone

WIDTH, HEIGHT = 640, 360
FPS = 10
LOOP_S = 90.0
SEED = 26

DARK_FROM_S, DARK_UNTIL_S = 79.0, 87.0
"""When the lens is covered."""

ZONES = (
    Zone("gate", ((0.83, 0.53), (0.995, 0.53), (0.995, 0.68), (0.83, 0.68)), kind="protected"),
    Zone("monument", ((0.08, 0.60), (0.27, 0.60), (0.29, 0.71), (0.06, 0.71)), kind="protected"),
    Zone("door", ((0.33, 0.53), (0.68, 0.53), (0.72, 0.75), (0.29, 0.75)), kind="area"),
)


@dataclass(frozen=True, slots=True)
class ScriptedAction:
    """One action of one figure: from when to when, and from where to where its feet go (pixels).

    facing: 1 to the right, -1 to the left; 0 for the way that it goes.
    """

    action: BodyAction
    start_s: float
    end_s: float
    begin: Point
    end: Point
    facing: int = 0

    def at(self, time_s: float) -> Point:
        """Where the feet are."""
        share = (time_s - self.start_s) / (self.end_s - self.start_s)
        return (
            self.begin[0] + share * (self.end[0] - self.begin[0]),
            self.begin[1] + share * (self.end[1] - self.begin[1]),
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """One figure: a look (ordinal of its clothes) and what it does, without gaps; outside its parts it is not there."""

    look: int
    actions: tuple[ScriptedAction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPerson:
    """One figure at one instant: skeleton (26, 2) in pixels, feet (pixels), height in pixels, and its look."""

    actor: int
    look: int
    skeleton: Floats
    foot: Point
    height: float
    lies: bool


@dataclass(frozen=True, slots=True)
class Episode:
    """A behaviour that the script shows, and the seconds of the loop in which its event may begin and hold."""

    behaviour: Behaviour
    start_s: float
    end_s: float


def body_height_at(foot_y: float) -> float:
    """How tall, in pixels, somebody is whose feet are at `foot_y`."""
    return 58.0 + (foot_y - 190.0) * 0.36


class Script:
    """The people of a loop, as they are and as a detector would report them.

    >>> [episode.behaviour for episode in SQUARE.episodes][:2]
    ['intrusion', 'fight']
    """

    def __init__(
        self,
        actors: Sequence[Actor],
        episodes: Sequence[Episode],
        *,
        seed: int = SEED,
    ) -> None:
        self.actors = tuple(actors)
        self.episodes = tuple(episodes)
        self._seed = seed

    def figures_at(self, time_s: float) -> list[DrawnPerson]:
        """The figures at a time of the loop, the farthest first; none while the lens is covered."""
        time_s %= LOOP_S
        found = [
            _figure(number, actor, action, time_s)
            for number, actor in enumerate(self.actors)
            for action in actor.actions
            if action.start_s <= time_s < action.end_s
        ]
        return sorted(found, key=lambda figure: figure.foot[1])

    def people_at(self, time_s: float) -> list[Person]:
        """What a person detector with pose might find: with jitter, misses and wavering certainty.

        The same time gives the same people, whatever was asked before.
        """
        time_s %= LOOP_S
        if DARK_FROM_S <= time_s < DARK_UNTIL_S:
            return []
        people = []
        for figure in self.figures_at(time_s):
            chance = np.random.default_rng((self._seed, figure.actor, round(time_s * 1000)))
            missed = chance.random() < (0.2 if figure.lies else 0.03)
            person = _detected(figure, chance)
            if not missed and person is not None:
                people.append(person)
        return sorted(people, key=lambda person: -person.score)


def _figure(number: int, actor: Actor, action: ScriptedAction, time_s: float) -> DrawnPerson:
    foot = action.at(time_s)
    height = body_height_at(foot[1])
    travelled = hypot(foot[0] - action.begin[0], foot[1] - action.begin[1]) / height
    facing = action.facing or (1 if action.end[0] >= action.begin[0] else -1)
    skeleton = joints(pose(action.action, time_s - action.start_s, travelled))
    placed = np.empty_like(skeleton)
    placed[:, 0] = foot[0] + facing * height * skeleton[:, 0]
    placed[:, 1] = foot[1] - height * skeleton[:, 1]
    return DrawnPerson(
        number, actor.look, placed, foot, height, action.action in {BodyAction.LIE, BodyAction.FALL}
    )


def _detected(figure: DrawnPerson, chance: np.random.Generator) -> Person | None:
    """The figure as a detector reports it; None if too little of it is in the picture."""
    height = figure.height
    left, top = figure.skeleton.min(axis=0)
    right, bottom = figure.skeleton.max(axis=0)
    whole = Box(
        float(left - 0.06 * height), float(top - 0.03 * height), float(right + 0.06 * height), float(bottom)
    )
    edges = np.array(whole) + chance.normal(0.0, 0.012 * height, 4)
    box = Box(*(float(edge) for edge in edges)).clipped(WIDTH, HEIGHT)
    if box.area < 0.4 * whole.area:
        return None
    keypoints: Keypoints = np.empty((26, 3), dtype=np.float32)
    keypoints[:, :2] = figure.skeleton + chance.normal(0.0, 0.008 * height, (26, 2))
    keypoints[:, 2] = chance.uniform(0.65, 0.95, 26)
    return Person(box, float(chance.uniform(0.7, 0.95)), keypoints)


def _way(
    start_s: float, speed: float, *places: Point, action: BodyAction = BodyAction.WALK
) -> Iterator[ScriptedAction]:
    """Go along `places` from `start_s` on, at `speed` body heights per second."""
    for begin, end in pairwise(places):
        height = body_height_at((begin[1] + end[1]) / 2)
        end_s = start_s + hypot(end[0] - begin[0], end[1] - begin[1]) / height / speed
        yield ScriptedAction(action, start_s, end_s, begin, end)
        start_s = end_s


def _stay(action: BodyAction, start_s: float, end_s: float, place: Point, facing: int) -> ScriptedAction:
    return ScriptedAction(action, start_s, end_s, place, place, facing)


def _move(
    action: BodyAction, start_s: float, end_s: float, begin: Point, end: Point, facing: int = 0
) -> ScriptedAction:
    return ScriptedAction(action, start_s, end_s, begin, end, facing)


def _stroller(look: int, start_s: float, *places: Point, speed: float = 0.75) -> Actor:
    return Actor(look, tuple(_way(start_s, speed, *places)))


def _intruder() -> Actor:
    return Actor(
        0,
        (
            _move(BodyAction.WALK, 1.0, 4.5, (655.0, 330.0), (582.0, 226.0)),
            _stay(BodyAction.STAND, 4.5, 9.0, (582.0, 226.0), 1),
            _move(BodyAction.WALK, 9.0, 12.5, (582.0, 226.0), (660.0, 320.0)),
        ),
    )


def _fighters() -> tuple[Actor, Actor]:
    door, left, right = (330.0, 196.0), (300.0, 262.0), (338.0, 262.0)
    one = Actor(
        1,
        (
            _move(BodyAction.WALK, 8.0, 10.5, door, left),
            _stay(BodyAction.STAND, 10.5, 12.0, left, 1),
            _stay(BodyAction.STRIKE, 12.0, 18.4, left, 1),
            _move(BodyAction.FALL, 18.4, 19.2, left, (288.0, 262.0), 1),
            _stay(BodyAction.LIE, 19.2, 35.0, (288.0, 262.0), 1),
            _stay(BodyAction.RISE, 35.0, 36.5, (288.0, 262.0), 1),
            _stay(BodyAction.STAND, 36.5, 37.5, (288.0, 262.0), 1),
            *_way(37.5, 0.7, (288.0, 262.0), (-30.0, 300.0)),
        ),
    )
    other = Actor(
        2,
        (
            _move(BodyAction.WALK, 8.8, 11.0, door, right),
            _stay(BodyAction.STAND, 11.0, 12.3, right, -1),
            _stay(BodyAction.STRIKE, 12.3, 18.7, right, -1),
            _stay(BodyAction.STAND, 18.7, 19.5, right, -1),
            *_way(19.5, 0.9, right, (660.0, 300.0)),
        ),
    )
    return one, other


def _loiterer() -> Actor:
    return Actor(
        3,
        (
            *_way(21.0, 0.8, (-25.0, 255.0), (118.0, 243.0)),
            _stay(
                BodyAction.STAND, _arrival(21.0, 0.8, (-25.0, 255.0), (118.0, 243.0)), 45.0, (118.0, 243.0), 1
            ),
            *_way(45.0, 0.8, (118.0, 243.0), (-30.0, 258.0)),
        ),
    )


def _arrival(start_s: float, speed: float, *places: Point) -> float:
    """When a way that begins at `start_s` ends."""
    return [action.end_s for action in _way(start_s, speed, *places)][-1]


def _attack() -> tuple[Actor, Actor]:
    victim_at, attacker_at = (392.0, 322.0), (436.0, 322.0)
    came_s = _arrival(44.0, 0.85, (670.0, 318.0), attacker_at)
    attacker = Actor(
        4,
        (
            *_way(44.0, 0.85, (670.0, 318.0), attacker_at),
            _stay(BodyAction.STAND, came_s, 49.0, attacker_at, -1),
            _stay(BodyAction.STRIKE, 49.0, 50.6, attacker_at, -1),
            _stay(BodyAction.KICK, 50.6, 51.4, attacker_at, -1),
            *_way(51.4, 1.75, attacker_at, (-35.0, 316.0), action=BodyAction.RUN),
        ),
    )
    stood_s = _arrival(44.0, 0.85, (-30.0, 330.0), victim_at)
    victim = Actor(
        5,
        (
            *_way(44.0, 0.85, (-30.0, 330.0), victim_at),
            _stay(BodyAction.STAND, stood_s, 51.0, victim_at, 1),
            *_way(51.0, 1.75, victim_at, (-35.0, 316.0), action=BodyAction.RUN),
        ),
    )
    return attacker, victim


def _crowd() -> Iterator[Actor]:
    """Eight people who gather before the door, and go."""
    spots = ((228, 222), (276, 214), (324, 219), (372, 213), (420, 221), (252, 250), (312, 254), (384, 251))
    for number, spot in enumerate(spots):
        place = (float(spot[0]), float(spot[1]))
        from_left = number % 2 == 0
        edge = (-25.0 if from_left else 665.0, 275.0 + 6.0 * number)
        start_s = 53.5 + 0.4 * number
        there_s = _arrival(start_s, 0.9, edge, place)
        yield Actor(
            6 + number,
            (
                *_way(start_s, 0.9, edge, place),
                _stay(BodyAction.STAND, there_s, 69.0 + 0.3 * number, place, 1 if from_left else -1),
                *_way(69.0 + 0.3 * number, 0.95, place, (edge[0], edge[1] + 10.0)),
            ),
        )


SQUARE = Script(
    actors=(
        _stroller(14, 0.0, (40.0, 338.0), (680.0, 330.0)),
        _stroller(15, 0.0, (430.0, 285.0), (-40.0, 300.0)),
        _intruder(),
        *_fighters(),
        _loiterer(),
        _stroller(16, 23.0, (675.0, 345.0), (-40.0, 335.0)),
        _stroller(17, 33.0, (-30.0, 345.0), (680.0, 338.0)),
        _stroller(18, 33.2, (-55.0, 325.0), (680.0, 318.0)),
        *_attack(),
        *_crowd(),
        _stroller(19, 87.4, (330.0, 198.0), (330.0, 230.0)),
    ),
    episodes=(
        Episode(Behaviour.INTRUSION, 3.0, 12.5),
        Episode(Behaviour.FIGHT, 11.5, 21.0),
        Episode(Behaviour.AGGRESSION, 11.5, 21.0),
        Episode(Behaviour.PERSON_DOWN, 18.4, 38.0),
        Episode(Behaviour.LOITERING, 21.0, 52.0),
        Episode(Behaviour.AGGRESSION, 48.5, 57.0),
        Episode(Behaviour.CROWDING, 55.0, 78.0),
        Episode(Behaviour.CAMERA_FAULT, DARK_FROM_S - 0.5, DARK_UNTIL_S + 1.5),
    ),
)
"""The script of the demo's simulated camera."""
