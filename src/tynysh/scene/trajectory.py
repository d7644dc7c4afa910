"""Where each person was over the last seconds."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import hypot
from statistics import median

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box, Floats, Point
from tynysh.scene.person import Joint, Keypoints
from tynysh.scene.scene import Feed, Scene

CONFIDENT = 0.2
"""Keypoints below this confidence are not used."""

SAME_INSTANT_S = 1e-3
LONGEST = 120
"""Observations that a trajectory keeps at most: four seconds at 30 a second."""

SHORTEST_STEP_S = 0.02
LONGEST_STEP_S = 0.45
"""A limb's speed is read from observations no closer and no further apart: a blow lasts 0.2 to 0.5 s."""

LIMBS_S = 2.5
"""Seconds over which limbs are followed: no act is looked for further back."""

PACE_S = 1.2
"""Seconds over which somebody's pace is read."""

LEAP = 5.0
"""Nobody moves faster than this, in H/s, 9 m/s: a track that does has changed from one person to another."""

_TORSO = (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.LEFT_HIP, Joint.RIGHT_HIP)
_CORE = (Joint.NOSE, Joint.HEAD, Joint.NECK, *_TORSO)
_TIPS = [Joint.LEFT_WRIST, Joint.RIGHT_WRIST, Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE]
_OTHER_SIDE = [1, 0, 3, 2]


@dataclass(frozen=True, eq=False)
class Observation:
    """One person at one instant at which it was seen: box and keypoints in pixels."""

    time_s: float
    box: Box
    keypoints: Keypoints | None = None

    def joint(self, joint: Joint) -> Point | None:
        """Where a joint is, if that is known well enough."""
        if self.keypoints is None or self.keypoints[joint, 2] < CONFIDENT:
            return None
        return float(self.keypoints[joint, 0]), float(self.keypoints[joint, 1])

    @cached_property
    def torso(self) -> Point | None:
        """Middle of shoulders and hips; None unless three of the four are known."""
        known = [place for joint in _TORSO if (place := self.joint(joint)) is not None]
        if len(known) < 3:
            return None
        return sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known)

    @cached_property
    def body(self) -> Box:
        """The box without the outer 15 % to the left and right, where there is mostly background."""
        box = self.box
        return box._replace(left=box.left + 0.15 * box.width, right=box.right - 0.15 * box.width)

    @property
    def chest(self) -> Point:
        """Where the upper body is, from the box alone: a seventh of the height below its top, in the middle."""
        return self.box.centre[0], self.box.top + 0.15 * self.box.height

    @cached_property
    def core(self) -> Box:
        """Around head and torso: from keypoints where three are known, else the upper part of the body."""
        known = [place for joint in _CORE if (place := self.joint(joint)) is not None]
        if len(known) >= 3:
            xs, ys = zip(*known, strict=True)
            return Box(min(xs), min(ys), max(xs), max(ys))
        body = self.body
        return body if body.width > body.height else body._replace(bottom=body.top + 0.6 * body.height)


@dataclass(frozen=True, slots=True, eq=False)
class Limbs:
    """How the tips of the limbs (left and right wrist, left and right ankle) move, over S steps between
    observations.

    now: (S,) which observation of the trajectory each step ends in, and `before`: in which it begins.
    speed: (S, 4) relative to the torso, pixels per second; 0 where a joint or the torso is not known well
        enough, where left and right merely changed names, and where one was taken for the other.
    """

    before: NDArray[np.intp]
    now: NDArray[np.intp]
    speed: Floats


class Trajectory:
    """One person's observations, in order of time; at least one."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        self._observations = tuple(observations)

    def __len__(self) -> int:
        return len(self._observations)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._observations)

    def __getitem__(self, index: int) -> Observation:
        return self._observations[index]

    @property
    def last(self) -> Observation:
        """The latest observation."""
        return self._observations[-1]

    def since(self, time_s: float) -> tuple[Observation, ...]:
        """The observations from `time_s` on."""
        return self._observations[bisect_left(self._observations, time_s, key=_time_of) :]

    def nearest(self, time_s: float) -> Observation | None:
        """The observation nearest in time, if within 0.3 s."""
        after = bisect_left(self._observations, time_s, key=_time_of)
        nearest = min(
            self._observations[max(0, after - 1) : after + 1],
            key=lambda observation: abs(observation.time_s - time_s),
        )
        return nearest if abs(nearest.time_s - time_s) <= 0.3 else None

    @cached_property
    def body_height(self) -> float:
        """The body's length in the picture, H, pixels: upper quartile of the boxes' longer sides.

        The longer side, so that somebody who falls keeps their body_height; a quartile, so that a raised arm or a
        box that two people share does not count.
        """
        lengths = sorted(
            max(observation.box.width, observation.box.height) for observation in self._observations
        )
        return max(1.0, lengths[int(0.75 * (len(lengths) - 1))])

    def velocity(self, start_s: float, end_s: float) -> Point | None:
        """Mean velocity (x, y), pixels per second, over the observations from `start_s` to `end_s`, by least
        squares.

        Of the middle of the torso where pose is known throughout, else of the box. None with fewer than three
        observations or over less than 0.15 s.
        """
        observations = [
            observation for observation in self._observations if start_s <= observation.time_s <= end_s
        ]
        if len(observations) < 3 or observations[-1].time_s - observations[0].time_s < 0.15:
            return None
        torsos = [torso for observation in observations if (torso := observation.torso) is not None]
        places = (
            torsos
            if len(torsos) == len(observations)
            else [observation.box.centre for observation in observations]
        )
        middle_s = sum(observation.time_s for observation in observations) / len(observations)
        offsets = [observation.time_s - middle_s for observation in observations]
        spread = sum(offset * offset for offset in offsets)
        return (
            sum(offset * x for offset, (x, _) in zip(offsets, places, strict=True)) / spread,
            sum(offset * y for offset, (_, y) in zip(offsets, places, strict=True)) / spread,
        )

    @cached_property
    def pace(self) -> Point | None:
        """Velocity over the last `PACE_S`; None if hardly that much is known."""
        now_s = self.last.time_s
        if now_s - self._observations[0].time_s < 0.75 * PACE_S:
            return None
        return self.velocity(now_s - PACE_S, now_s)

    def unrest(self, since_s: float) -> tuple[float | None, float]:
        """How much the upper body's velocity across the picture changes from look to look since `since_s` (median,
        pixels per second), and how fast it gets anywhere (pixels per second).

        Up and down does not count: people jump and bob.

        The changes are None with fewer than three steps between looks, or where it leapt (`LEAP`).
        """
        observations = recent(self, since_s)
        steps = [
            (now.time_s - before.time_s, now.chest[0] - before.chest[0], now.chest[1] - before.chest[1])
            for before, now in pairwise(observations)
            if SHORTEST_STEP_S <= now.time_s - before.time_s <= LONGEST_STEP_S
        ]
        if len(steps) < 3:
            return None, 0.0
        velocities = [(x / step_s, y / step_s) for step_s, x, y in steps]
        if max(speed(velocity) for velocity in velocities) > LEAP * self.body_height:
            return None, 0.0
        changes = [abs(now - before) for (before, _), (now, _) in pairwise(velocities)]
        first, last = observations[0], observations[-1]
        way = hypot(last.chest[0] - first.chest[0], last.chest[1] - first.chest[1])
        return float(median(changes)), way / (last.time_s - first.time_s)

    @cached_property
    def limbs(self) -> Limbs:
        """How fast the limbs move, over the last `LIMBS_S`."""
        since_s = self.last.time_s - LIMBS_S
        posed = [
            index
            for index, observation in enumerate(self._observations)
            if observation.time_s >= since_s and observation.torso is not None
        ]
        steps = [
            (before, now)
            for before, now in pairwise(posed)
            if SHORTEST_STEP_S <= self[now].time_s - self[before].time_s <= LONGEST_STEP_S
        ]
        if not steps:
            return Limbs(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros((0, 4)))
        before, now = np.array(steps, dtype=np.intp).T
        tips = np.zeros((len(self), 4, 3))
        for index in posed:
            observation = self[index]
            if observation.keypoints is not None and observation.torso is not None:
                tips[index] = observation.keypoints[_TIPS]
                tips[index, :, :2] -= observation.torso
        step_s = np.array([self[b].time_s - self[a].time_s for a, b in steps])[:, None]
        reached, came_from = tips[now], tips[before]
        sure = np.minimum(reached[:, :, 2], came_from[:, :, 2]) >= CONFIDENT
        places, places_before = reached[:, :, :2], came_from[:, :, :2]
        moved = np.linalg.norm(places - places_before, axis=2)
        across = np.linalg.norm(places - places_before[:, _OTHER_SIDE], axis=2)
        swapped = np.maximum(across, across[:, _OTHER_SIDE]) < 0.5 * moved
        merged = np.linalg.norm(places - places[:, _OTHER_SIDE], axis=2) < 0.25 * moved
        return Limbs(before, now, np.where(sure & ~swapped & ~merged, moved / step_s, 0.0))


def recent(trajectory: Trajectory, since_s: float) -> tuple[Observation, ...]:
    """The observations from `since_s` on."""
    return trajectory.since(since_s)


def speed(velocity: Point) -> float:
    """Its length."""
    return hypot(*velocity)


def _time_of(observation: Observation) -> float:
    return observation.time_s


class Trajectories:
    """The last `window_s` seconds of each track, from scenes in order of time.

    Only instants at which the person was seen count; positions that the tracker carried forward do not.
    """

    def __init__(self, window_s: float = 4.0) -> None:
        self._window_s = window_s
        self._observations: dict[int, deque[Observation]] = {}

    def observe(self, scene: Scene) -> None:
        """Take in a scene and forget what is older than the window."""
        if scene.detected and scene.feed is Feed.LIVE:
            for track in scene.tracks:
                if scene.time_s - track.seen_s > SAME_INSTANT_S:
                    continue
                trajectory = self._observations.setdefault(track.id, deque(maxlen=LONGEST))
                trajectory.append(Observation(scene.time_s, track.box, track.keypoints))
        for track_id, trajectory in list(self._observations.items()):
            while trajectory and not 0.0 <= scene.time_s - trajectory[0].time_s <= self._window_s:
                trajectory.popleft()
            if not trajectory:
                del self._observations[track_id]

    def now(self, scene: Scene, within_s: float = 1.0) -> Mapping[int, Trajectory]:
        """Track id → trajectory, of the people seen within the last `within_s` seconds."""
        return {
            track_id: Trajectory(trajectory)
            for track_id, trajectory in self._observations.items()
            if scene.time_s - trajectory[-1].time_s <= within_s
        }
