"""Crowds whose truth is known: calm ones, and such as run or are crushed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tests.crowd.filming import Floats
from tests.crowd.social_force import Crowd, scattered


@dataclass(frozen=True, slots=True)
class Scenario:
    """crowd: makes the people, on the floor under the camera, metres. steer: sets what they want at a time, given the
    time and the crowd. seconds: how long it lasts. begins_s: when what is to be found begins; None in calm ones.
    """

    crowd: Callable[[], Crowd]
    steer: Callable[[float, Crowd], None]
    seconds: float = 16.0
    begins_s: float | None = None


def _at(number: int, width: float, depth: float, left: float, near: float, seed: int) -> Floats:
    return scattered(number, width, depth, seed) + np.array([left, near])


def _headings(number: int, speed: float, seed: int, *, spread: float = 0.15) -> Floats:
    """Walkers in all directions."""
    random = np.random.default_rng(seed)
    angles = random.uniform(0, 2 * np.pi, number)
    speeds = random.normal(speed, spread * speed, number)
    return speeds[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])


def _keep(_time_s: float, _crowd: Crowd) -> None:
    """Everybody goes on as they do."""


def _seek(crowd: Crowd, x: float, y: float, speed: float) -> None:
    towards = np.array([x, y]) - crowd.places
    crowd.wanted = speed * towards / np.maximum(np.linalg.norm(towards, axis=1), 0.3)[:, None]


def walking() -> Scenario:
    """People who cross a square in all directions."""
    return Scenario(lambda: Crowd(_at(24, 14, 12, -7, 6, 1), _headings(24, 1.3, 2)), _keep)


def two_way_corridor() -> Scenario:
    """A corridor 4 m wide at 1.2 persons/m², half of the people going each way."""

    def crowd() -> Crowd:
        places = _at(58, 12, 4, -6, 8, 3)
        ways = np.where(np.random.default_rng(4).random(58) < 0.5, 1.2, -1.2)
        return Crowd(
            places, np.column_stack([ways, np.zeros(58)]), walls=[(-9, 7.8, 9, 7.8), (-9, 12.2, 9, 12.2)]
        )

    def steer(_time_s: float, crowd: Crowd) -> None:
        out = np.abs(crowd.places[:, 0]) > 8
        crowd.places[out, 0] *= -0.99

    return Scenario(crowd, steer)


def waiting_crowd() -> Scenario:
    """Eighty who stand before a stage, about 2.5 persons/m²."""
    return Scenario(lambda: Crowd(_at(80, 8, 4, -4, 8, 5), np.zeros((80, 2)), noise=0.15), _keep, 12.0)


def bottleneck_queue() -> Scenario:
    """Eighty who leave through a door 1.2 m wide without haste."""

    def crowd() -> Crowd:
        return Crowd(
            _at(80, 7, 7, -3.5, 9.5, 6),
            np.zeros((80, 2)),
            walls=[(-8, 8, -0.7, 8), (0.7, 8, 8, 8)],
            noise=0.1,
        )

    def steer(_time_s: float, crowd: Crowd) -> None:
        through = crowd.places[:, 1] < 8.2
        near = np.hypot(crowd.places[:, 0], crowd.places[:, 1] - 8) < 3.0
        _seek(crowd, 0.0, 7.6, 0.7)
        # Nobody pushes: those farther back stand until there is room.
        crowd.wanted[~near & ~through] *= 0.35
        crowd.wanted[through] = (0.0, -1.2)

    return Scenario(crowd, steer)


def bus_stop() -> Scenario:
    """Twenty people on a pavement, of whom five run for a bus."""

    def crowd() -> Crowd:
        wanted = _headings(20, 1.2, 8)
        wanted[8:] = 0.0
        return Crowd(_at(20, 14, 8, -7, 7, 7), wanted)

    def steer(time_s: float, crowd: Crowd) -> None:
        if time_s >= 6.0:
            crowd.wanted[8:13] = (3.6, 0.3)

    return Scenario(crowd, steer)


def group_for_a_bus() -> Scenario:
    """Six friends alone on the pavement who all run for a bus."""

    def steer(time_s: float, crowd: Crowd) -> None:
        if time_s >= 6.0:
            crowd.wanted[:] = (3.6, 0.2)

    return Scenario(lambda: Crowd(_at(6, 3, 3, -7, 8, 9), np.zeros((6, 2))), steer)


def joggers() -> Scenario:
    """Twelve joggers who come through, past four walkers."""

    def crowd() -> Crowd:
        places = np.vstack([_at(12, 5, 4, -22, 8, 10), _at(4, 10, 6, -5, 7, 11)])
        wanted = np.vstack([np.tile([3.0, 0.0], (12, 1)), _headings(4, 1.2, 12)])
        return Crowd(places, wanted)

    return Scenario(crowd, _keep)


def runner() -> Scenario:
    """One who starts to run through a square of walkers."""

    def steer(time_s: float, crowd: Crowd) -> None:
        if time_s >= 6.0:
            crowd.wanted[0] = (3.8, 0.0)

    return Scenario(lambda: Crowd(_at(24, 14, 12, -7, 6, 13), _headings(24, 1.3, 14)), steer)


def flight_apart() -> Scenario:
    """Thirty walkers who flee from a point in all directions."""

    def steer(time_s: float, crowd: Crowd) -> None:
        if time_s >= 6.0:
            away = crowd.places - np.array([0.0, 12.0])
            crowd.wanted = 3.8 * away / np.maximum(np.linalg.norm(away, axis=1), 0.1)[:, None]

    return Scenario(lambda: Crowd(_at(30, 12, 10, -6, 7, 15), _headings(30, 1.2, 16)), steer, 12.0, 6.0)


def flight_one_way() -> Scenario:
    """Forty who stand and then all run to the right."""

    def steer(time_s: float, crowd: Crowd) -> None:
        if time_s >= 6.0:
            crowd.wanted = np.tile([3.8, 0.0], (len(crowd.places), 1))

    return Scenario(lambda: Crowd(_at(40, 10, 9, -8, 7, 17), np.zeros((40, 2))), steer, 11.0, 6.0)


def flight_towards() -> Scenario:
    """Twenty-five who walk along a street, turn round and run towards the camera."""

    def steer(time_s: float, crowd: Crowd) -> None:
        if time_s >= 6.0:
            crowd.wanted = np.tile([0.0, -3.8], (len(crowd.places), 1))

    return Scenario(lambda: Crowd(_at(25, 8, 8, -4, 9, 18), np.tile([0.0, 0.8], (25, 1))), steer, 10.0, 6.0)


def flight_staggered() -> Scenario:
    """Fifty of whom ever more run, all within three seconds."""

    def steer(time_s: float, crowd: Crowd) -> None:
        delay = np.random.default_rng(20).uniform(0, 3, len(crowd.places))
        crowd.wanted[time_s - 6.0 >= delay] = (-3.6, 0.6)

    return Scenario(lambda: Crowd(_at(50, 12, 9, -4, 7, 19), _headings(50, 0.9, 21)), steer, 12.0, 6.0)


def press(number: int, speed: float, seed: int) -> Scenario:
    """So many who push towards a barrier, ever more from the second second on: a pressure that somebody must bear."""

    def crowd() -> Crowd:
        pen = [(-5, 8, 5, 8), (-5, 8, -5, 20), (5, 8, 5, 20)]
        return Crowd(_at(number, 8, 8, -4, 8.2, seed), np.zeros((number, 2)), walls=pen)

    def steer(time_s: float, crowd: Crowd) -> None:
        _seek(crowd, 0.0, 8.3, speed * min(1.0, max(0.0, time_s - 2.0) / 4.0))

    return Scenario(crowd, steer, 12.0)


def press_at_a_stage() -> Scenario:
    """A hundred and thirty."""
    return press(130, 1.0, 1)


def press_at_a_gate() -> Scenario:
    """A hundred, in greater haste."""
    return press(100, 1.2, 2)


def turbulence() -> Scenario:
    """A crowd of about four a square metre that stands, and is thrown to and fro from the sixth second on."""

    def crowd() -> Crowd:
        pen = [(-2.6, 7.8, 2.6, 7.8), (-2.6, 13.0, 2.6, 13.0), (-2.6, 7.8, -2.6, 13.0), (2.6, 7.8, 2.6, 13.0)]
        made = Crowd(_at(100, 5.0, 5.0, -2.5, 7.9, 23), np.zeros((100, 2)), walls=pen)
        made.walk(3.0)
        return made

    def steer(time_s: float, crowd: Crowd) -> None:
        if time_s >= 6.0:
            x, y = crowd.places.T
            across, along = (
                np.sin(2 * np.pi * (x / 4 + 0.4 * time_s)),
                np.sin(2 * np.pi * (y / 5 - 0.3 * time_s)),
            )
            crowd.wanted = 1.2 * np.column_stack([across, along])

    return Scenario(crowd, steer, 12.0, 6.0)


def calm_throng() -> Scenario:
    """A crowd of about four a square metre that stands."""
    return Scenario(turbulence().crowd, _keep, 12.0)


CALM = (
    walking,
    two_way_corridor,
    waiting_crowd,
    calm_throng,
    bottleneck_queue,
    bus_stop,
    group_for_a_bus,
    joggers,
    runner,
)
RUNS = (flight_apart, flight_one_way, flight_towards, flight_staggered)
CRUSHES = (press_at_a_stage, press_at_a_gate, turbulence)
