"""Where one person was over the last seconds, and how the body and its limbs moved."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import atan2, degrees, fsum, hypot, sqrt
from statistics import median
from typing import NamedTuple

from tynysh.geometry import Box, Point
from tynysh.scene.person import Joint, Keypoints

CONFIDENT = 0.2
"""Keypoints below this confidence are not used."""

SHORTEST_STEP_S = 0.02
LONGEST_STEP_S = 0.45
"""A limb's speed is read from observations no closer and no further apart: a blow lasts 0.2 to 0.5 s."""

LIMBS_S = 2.5
"""Seconds over which limbs are followed: no act is looked for further back."""

NEAREST_S = 0.3
"""An observation further from an instant does not tell where somebody was then."""

PACE_S = 1.2
"""Seconds over which somebody's pace is read."""

DRIVEN_S = 0.5
STEADY = 0.35
"""Seconds before and after an instant, and speed in H/s, by which it is told whether a body is driven."""

LEAP = 5.0
"""Nobody moves faster than this, in H/s, 9 m/s: a track that does has changed from one person to another."""

_TORSO = (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.LEFT_HIP, Joint.RIGHT_HIP)
_CORE = (Joint.NOSE, Joint.HEAD, Joint.NECK, *_TORSO)
TIPS = (Joint.LEFT_WRIST, Joint.RIGHT_WRIST, Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE)
"""The tips of the limbs, in the order of `LimbStep.speeds`."""

_OTHER_SIDE = (1, 0, 3, 2)

ARMS = ((Joint.LEFT_SHOULDER, Joint.LEFT_WRIST), (Joint.RIGHT_SHOULDER, Joint.RIGHT_WRIST))

WIDE = 60.0
"""Degrees about the shoulder within one step, from which an arm is swung."""


class Arm(NamedTuple):
    """An outstretched or bent arm, pixels. sure: how well the wrist is known."""

    shoulder: Point
    wrist: Point
    sure: float

    @property
    def way(self) -> Point:
        """From the shoulder to the wrist."""
        return self.wrist[0] - self.shoulder[0], self.wrist[1] - self.shoulder[1]


@dataclass(frozen=True, eq=False)
class Observation:
    """One person at one instant at which it was seen: box and keypoints in pixels."""

    time_s: float
    box: Box
    keypoints: Keypoints | None = None

    def joint(self, joint: Joint) -> Point | None:
        """Where a joint is, if that is known well enough."""
        if self.keypoints is None:
            return None
        x, y, confidence = self._joints[joint]
        return None if confidence < CONFIDENT else (x, y)

    def confidence(self, joint: Joint) -> float:
        """How well a joint is known, in [0, 1]."""
        return 0.0 if self.keypoints is None else self._joints[joint][2]

    @cached_property
    def _joints(self) -> list[list[float]]:
        # Read once: single elements of an array cost ten times as much.
        return [] if self.keypoints is None else self.keypoints.tolist()

    def _known(self, joints: Iterable[Joint]) -> list[Point]:
        """Where those of `joints` are that are known well enough."""
        if self.keypoints is None:
            return []
        places = [self._joints[joint] for joint in joints]
        return [(x, y) for x, y, confidence in places if confidence >= CONFIDENT]

    @cached_property
    def centre(self) -> Point:
        """The middle of the box."""
        return self.box.centre

    @cached_property
    def length(self) -> float:
        """The box's longer side."""
        return max(self.box.width, self.box.height)

    @cached_property
    def torso(self) -> Point | None:
        """Middle of shoulders and hips; None unless three of the four are known."""
        known = self._known(_TORSO)
        if len(known) < 3:
            return None
        return sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known)

    @cached_property
    def body(self) -> Box:
        """The box without the outer 15 % to the left and right, where there is mostly background."""
        box = self.box
        return box._replace(left=box.left + 0.15 * box.width, right=box.right - 0.15 * box.width)

    @cached_property
    def chest(self) -> Point:
        """Where the upper body is, from the box alone: a seventh of the height below its top, in the middle."""
        return self.box.centre[0], self.box.top + 0.15 * self.box.height

    @cached_property
    def core(self) -> Box:
        """Around head and torso: from keypoints where three are known, else the upper part of the body."""
        known = self._known(_CORE)
        if len(known) >= 3:
            xs, ys = zip(*known, strict=True)
            return Box(min(xs), min(ys), max(xs), max(ys))
        body = self.body
        return body if body.width > body.height else body._replace(bottom=body.top + 0.6 * body.height)

    @cached_property
    def arms(self) -> list["Arm | None"]:
        """The left and the right arm, where shoulder and wrist are known."""
        known = [(self.joint(shoulder), self.joint(wrist)) for shoulder, wrist in ARMS]
        return [
            None if shoulder is None or wrist is None else Arm(shoulder, wrist, self.confidence(ends[1]))
            for ends, (shoulder, wrist) in zip(ARMS, known, strict=True)
        ]

    @cached_property
    def tips(self) -> list[tuple[float, float, float]]:
        """`TIPS` relative to the torso, which must be known, and how surely."""
        torso = self.torso or (0.0, 0.0)
        places = (self._joints[tip] for tip in TIPS)
        return [(x - torso[0], y - torso[1], confidence) for x, y, confidence in places]

    @cached_property
    def hands(self) -> list[Point]:
        """Where the wrists are, those that are known."""
        return self._known((Joint.LEFT_WRIST, Joint.RIGHT_WRIST))


class LimbStep(NamedTuple):
    """How the tips of the limbs move from one observation to the next, both with a known torso.

    speeds: of `TIPS`, relative to the torso, pixels per second; 0 where a joint is not known well enough, where left
    and right merely changed names, and where one was taken for the other. fastest: the highest of them.
    """

    before: Observation
    now: Observation
    speeds: tuple[float, ...]
    fastest: float


class WideTurn(NamedTuple):
    """An arm that turns about its shoulder by `degrees`, more than `WIDE`, from one observation to the next.

    shortest: the distance from the shoulder to the wrist, before or after; length: how far the wrist came, pixels.
    """

    now: Observation
    arm: Arm
    degrees: float
    shortest: float
    length: float
    step_s: float
    sure: float


class Trajectory:
    """One person's observations, in order of time; at least one. What is read from it is read once.

    limbs, wide_turns: how the limbs moved over the last `LIMBS_S`, step by step. posed: whether joints were ever known.
    """

    def __init__(self, observations: Iterable[Observation], before: "Trajectory | None" = None) -> None:
        """before: the same person's trajectory a moment ago: how they moved then is known already."""
        self._observations = tuple(observations)
        since_s = max(self._observations[0].time_s, self.last.time_s - LIMBS_S)
        self.limbs: list[LimbStep] = []
        self.wide_turns: list[WideTurn] = []
        self._hops: list[float] = [0.0]
        self.posed: bool = self.last.keypoints is not None
        known = 1
        if before is not None:
            known = len(self) - (self.last is not before.last)
            self.limbs = [step for step in before.limbs if step.before.time_s >= since_s]
            self.wide_turns = [turn for turn in before.wide_turns if turn.now.time_s - turn.step_s >= since_s]
            self._hops = before._hops[len(before) - known :]
            self.posed |= before.posed
        for index in range(known, len(self)):
            self._move(index, since_s)
        # What was read of instants that are over stays so.
        self._velocities: dict[tuple[float, float], Point | None] = {
            span: velocity
            for span, velocity in (() if before is None else before._velocities.items())
            if since_s <= span[0] and before is not None and span[1] <= before.last.time_s
        }
        self._unrest: dict[float, tuple[float | None, float]] = {}
        self._jitters: dict[float, float] = {}

    def _move(self, index: int, since_s: float) -> None:
        """Take in how the limbs came to an observation."""
        now, last = self._observations[index], self._observations[index - 1]
        across, down = now.centre[0] - last.centre[0], now.centre[1] - last.centre[1]
        self._hops.append(hypot(across, down) / max(now.time_s - last.time_s, 1e-9))
        if now.keypoints is None:
            return
        for back in range(index - 1, -1, -1):
            before = self._observations[back]
            step_s = now.time_s - before.time_s
            if step_s > LONGEST_STEP_S or before.time_s < since_s:
                break
            if step_s < SHORTEST_STEP_S and before.torso is not None:
                break
            if back == index - 1 and step_s >= SHORTEST_STEP_S:
                self.wide_turns += _wide_turns(before, now)
            if before.torso is not None and now.torso is not None:
                self.limbs.append(_limb_step(before, now))
                break

    @cached_property
    def fastest(self) -> float:
        """How fast a tip of a limb moved at most, of `limbs`."""
        return max((step.fastest for step in self.limbs), default=0.0)

    @cached_property
    def _at(self) -> dict[float, Observation]:
        return {observation.time_s: observation for observation in self._observations}

    @cached_property
    def _times(self) -> list[float]:
        return [observation.time_s for observation in self._observations]

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
        return self._observations[bisect_left(self._times, time_s) :]

    def nearest(self, time_s: float) -> Observation | None:
        """The observation nearest in time, if within `NEAREST_S`."""
        if (seen := self._at.get(time_s)) is not None:
            return seen
        after = bisect_left(self._times, time_s)
        if after == len(self._times) or (
            after > 0 and time_s - self._times[after - 1] <= self._times[after] - time_s
        ):
            after -= 1
        return self._observations[after] if abs(self._times[after] - time_s) <= NEAREST_S else None

    @cached_property
    def body_height(self) -> float:
        """The body's length in the picture, H, pixels: upper quartile of the boxes' longer sides.

        The longer side, so that somebody who falls keeps their body_height; a quartile, so that a raised arm or a
        box that two people share does not count.
        """
        lengths = sorted([observation.length for observation in self._observations])
        return max(1.0, lengths[int(0.75 * (len(lengths) - 1))])

    def velocity(self, start_s: float, end_s: float) -> Point | None:
        """Mean velocity (x, y), pixels per second, over the observations from `start_s` to `end_s`, by least
        squares.

        Of the middle of the torso where pose is known throughout, else of the box. None with fewer than three
        observations or over less than 0.15 s.
        """
        span = (start_s, end_s)
        if span not in self._velocities:
            self._velocities[span] = self._velocity(*span)
        return self._velocities[span]

    def _velocity(self, start_s: float, end_s: float) -> Point | None:
        times = self._times
        observations = self._observations[bisect_left(times, start_s) : bisect_right(times, end_s)]
        if len(observations) < 3 or observations[-1].time_s - observations[0].time_s < 0.15:
            return None
        places = [torso for observation in observations if (torso := observation.torso) is not None]
        if len(places) < len(observations):
            places = [observation.centre for observation in observations]
        middle_s = sum([observation.time_s for observation in observations]) / len(observations)
        offsets = [observation.time_s - middle_s for observation in observations]
        spread = sum([offset * offset for offset in offsets])
        return (
            sum([offset * x for offset, (x, _) in zip(offsets, places, strict=True)]) / spread,
            sum([offset * y for offset, (_, y) in zip(offsets, places, strict=True)]) / spread,
        )

    @cached_property
    def pace(self) -> Point | None:
        """Velocity over the last `PACE_S`; None if hardly that much is known."""
        now_s = self.last.time_s
        if now_s - self._observations[0].time_s < 0.75 * PACE_S:
            return None
        return self.velocity(now_s - PACE_S, now_s)

    @cached_property
    def runs(self) -> bool:
        """Whether the pace is that of somebody who runs: more than one H/s."""
        # A mean velocity is no higher than the highest between two looks: most people need no reckoning.
        first = bisect_left(self._times, self.last.time_s - PACE_S)
        if not self.posed and 1.001 * max(self._hops[first + 1 :], default=0.0) < self.body_height:
            return False
        return self.pace is not None and speed(self.pace) > self.body_height

    def unrest(self, since_s: float) -> tuple[float | None, float]:
        """How much the upper body's velocity across the picture changes from look to look since `since_s` (median,
        pixels per second), and how fast it gets anywhere (pixels per second).

        Up and down does not count: people jump and bob.

        The changes are None with fewer than three steps between looks, or where it leapt (`LEAP`).
        """
        if since_s not in self._unrest:
            self._unrest[since_s] = self._unrest_since(since_s)
        return self._unrest[since_s]

    def _unrest_since(self, since_s: float) -> tuple[float | None, float]:
        observations = self.since(since_s)
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
    def steady(self) -> set[float]:
        """Looks of the last two seconds at which the body was not driven: over the half second after it did not move,
        or not otherwise than over the half second before, by more than 0.35 H/s; or it is not known.
        """
        return {
            one.time_s
            for one in self.since(self.last.time_s - LIMBS_S + DRIVEN_S)
            if self._steady(one.time_s)
        }

    def _steady(self, at_s: float) -> bool:
        before, after = self.velocity(at_s - DRIVEN_S, at_s), self.velocity(at_s, at_s + DRIVEN_S)
        if before is None or after is None:
            return True
        change = hypot(after[0] - before[0], after[1] - before[1])
        return min(speed(after), change) <= STEADY * self.body_height

    def jitter(self, since_s: float) -> float:
        """Standard deviation of the box's height since `since_s`, pixels."""
        if since_s not in self._jitters:
            heights = [one.box.height for one in self.since(since_s)]
            mean = fsum(heights) / len(heights)
            self._jitters[since_s] = sqrt(fsum([(height - mean) ** 2 for height in heights]) / len(heights))
        return self._jitters[since_s]


def speed(velocity: Point) -> float:
    """Its length."""
    return hypot(*velocity)


def direction(begin: Point, end: Point) -> Point:
    """The unit vector from `begin` to `end`; (0, 0) where they are one.

    >>> direction((1.0, 1.0), (4.0, 5.0))
    (0.6, 0.8)
    """
    x, y = end[0] - begin[0], end[1] - begin[1]
    length = hypot(x, y)
    return (x / length, y / length) if length > 0.0 else (0.0, 0.0)


def along(vector: Point, heading: Point) -> float:
    """How far a vector goes in the direction of a unit vector.

    >>> along((3.0, 4.0), heading=(0.0, 1.0))
    4.0
    """
    return vector[0] * heading[0] + vector[1] * heading[1]


def angle(one: Point, other: Point) -> float:
    """Degrees between two vectors; 0 where one has no length.

    >>> angle((1.0, 0.0), (0.0, 2.0))
    90.0
    """
    across = one[0] * other[1] - one[1] * other[0]
    return degrees(abs(atan2(across, one[0] * other[0] + one[1] * other[1])))


def _limb_step(before: Observation, now: Observation) -> LimbStep:
    came_from, reached = before.tips, now.tips
    step_s = now.time_s - before.time_s
    moved = [_distance(one, other) for one, other in zip(reached, came_from, strict=True)]
    across = [_distance(one, came_from[side]) for one, side in zip(reached, _OTHER_SIDE, strict=True)]
    speeds = []
    for tip, side in enumerate(_OTHER_SIDE):
        sure = min(reached[tip][2], came_from[tip][2]) >= CONFIDENT
        swapped = max(across[tip], across[side]) < 0.5 * moved[tip]
        merged = _distance(reached[tip], reached[side]) < 0.25 * moved[tip]
        speeds.append(moved[tip] / step_s if sure and not swapped and not merged else 0.0)
    return LimbStep(before, now, tuple(speeds), max(speeds))


def _wide_turns(before: Observation, now: Observation) -> Iterator[WideTurn]:
    for drawn, thrown in zip(before.arms, now.arms, strict=True):
        if drawn is None or thrown is None:
            continue
        back, out = drawn.way, thrown.way
        if (turn := angle(back, out)) > WIDE:
            yield WideTurn(
                now,
                thrown,
                turn,
                min(hypot(*back), hypot(*out)),
                hypot(out[0] - back[0], out[1] - back[1]),
                now.time_s - before.time_s,
                min(drawn.sure, thrown.sure),
            )


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    across, down = one[0] - other[0], one[1] - other[1]
    return sqrt(across * across + down * down)
