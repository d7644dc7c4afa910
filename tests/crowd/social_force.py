"""People who walk as the social-force model has it: trajectories whose truth is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

STEP_S = 0.05
RELAXATION_S = 0.5
REPULSION = 2.0
REPULSION_RANGE_M = 0.2
CONTACT = 60.0
BODY_RADIUS_M = 0.2
WALL = 6.0
WALL_RANGE_M = 0.15
REACH_M = 1.6
BEHIND = 0.7


@dataclass(slots=True)
class Crowd:
    """N people on a floor, in metres, who want to walk at `wanted` (N, 2), m/s.

    Social forces of Helbing and Molnár (Physical Review E 51, 4282, 1995) with the contact force of Helbing, Farkas and
    Vicsek (Nature 407, 487, 2000): dv/dt = (wanted - v) / τ + Σ A exp((2r - d) / B) n (less for those behind)
    + k max(0, 2r - d) n + walls, by Euler steps of `STEP_S`.

    walls: segments (x, y, x, y). period: the floor repeats after so many metres along x, where it is given; along y too
    where two are given.
    """

    places: Floats
    wanted: Floats
    walls: Sequence[tuple[float, float, float, float]] = ()
    period: tuple[float, ...] = ()
    noise: float = 0.05
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    velocity: Floats = field(init=False)
    heights_m: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.velocity = self.wanted.copy()
        self.heights_m = self.random.normal(1.70, 0.07, len(self.places))

    def walk(self, seconds: float) -> None:
        """Let time go on."""
        for _ in range(round(seconds / STEP_S)):
            self._step()

    def _step(self) -> None:
        force = (self.wanted - self.velocity) / RELAXATION_S + self._from_people() + self._from_walls()
        force += self.random.normal(0.0, self.noise / np.sqrt(STEP_S), self.places.shape)
        self.velocity = self.velocity + STEP_S * force
        speed = np.linalg.norm(self.velocity, axis=1)
        fastest = 1.3 * np.maximum(np.linalg.norm(self.wanted, axis=1), 0.5)
        self.velocity *= np.minimum(1.0, fastest / np.maximum(speed, 1e-9))[:, None]
        self.places = self.places + STEP_S * self.velocity
        for axis, length in enumerate(self.period):
            self.places[:, axis] %= length

    def _from_people(self) -> Floats:
        box = [*self.period, *([1e6] * (2 - len(self.period)))] if self.period else None
        offset = (
            0.0
            if not self.period
            else np.array([0.0 if axis < len(self.period) else 5e5 for axis in range(2)])
        )
        pairs = cKDTree(self.places + offset, boxsize=box).query_pairs(REACH_M, output_type="ndarray")
        force = np.zeros_like(self.places)
        if not len(pairs):
            return force
        one, other = pairs.T
        apart = self.places[one] - self.places[other]
        for axis, length in enumerate(self.period):
            apart[:, axis] -= length * np.round(apart[:, axis] / length)
        distance = np.maximum(np.linalg.norm(apart, axis=1), 1e-6)
        normal = apart / distance[:, None]
        gap = 2 * BODY_RADIUS_M - distance
        social = REPULSION * np.exp(gap / REPULSION_RANGE_M)
        contact = CONTACT * np.maximum(gap, 0.0)
        for who, sign in ((one, 1.0), (other, -1.0)):
            ahead = np.sum(-sign * normal * self.wanted[who], axis=1)
            heed = np.where(ahead >= 0.0, 1.0, BEHIND)
            np.add.at(force, who, (sign * (heed * social + contact))[:, None] * normal)
        return force

    def _from_walls(self) -> Floats:
        force = np.zeros_like(self.places)
        for x0, y0, x1, y1 in self.walls:
            start, along = np.array([x0, y0]), np.array([x1 - x0, y1 - y0])
            share = np.clip((self.places - start) @ along / (along @ along), 0.0, 1.0)
            away = self.places - start - share[:, None] * along
            distance = np.maximum(np.linalg.norm(away, axis=1), 1e-6)
            gap = BODY_RADIUS_M - distance
            strength = WALL * np.exp(gap / WALL_RANGE_M) + 2 * CONTACT * np.maximum(gap, 0.0)
            force += (np.minimum(strength, 60.0) / distance)[:, None] * away
        return force


def scattered(number: int, width_m: float, depth_m: float, seed: int) -> Floats:
    """So many places in a rectangle, about evenly: jittered, none closer than people can stand."""
    random = np.random.default_rng(seed)
    step = np.sqrt(width_m * depth_m / number)
    columns = max(1, round(width_m / step))
    rows = -(-number // columns)
    grid = np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5), axis=-1).reshape(-1, 2)
    grid = grid[random.permutation(len(grid))[:number]] * (width_m / columns, depth_m / rows)
    jitter = random.uniform(-0.3, 0.3, grid.shape) * (width_m / columns, depth_m / rows)
    return grid + jitter


Steer = Callable[[float, Crowd], None]
"""What people want at a time: sets `wanted`."""
