"""How does the floor lie, by the people who walk over it?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt, tan

import numpy as np
from scipy.optimize import least_squares

from tynysh.crowd.camera_pose import CameraPose
from tynysh.crowd.walks import Walks, WalkSegment
from tynysh.geometry import Floats
from tynysh.scene.ground import Ground
from tynysh.scene.scene import Scene

HEIGHT_M, HEIGHT_SD_M = 1.70, 0.10
"""How tall people are, and how much they differ."""

WALK_M_S, WALK_SD = 1.34, 0.25
"""How fast people walk, and by what part they differ: 1.34 ± 0.26 m/s where nothing hinders them (Weidmann,
Transporttechnik der Fussgänger, 1993), and they dawdle, too."""

FEWEST_PEOPLE = 8
"""No floor is told before so many have walked through."""

SYSTEMATIC = 0.06
"""Relative error that more people do not take away: how a detector sets its boxes, shoes, and how tall and how fast
people are where the camera hangs."""

_WALK_MEAN_SD = 0.15
_STRETCH_SD = 0.25
_BOX_SD = 0.03
_USUAL = CameraPose(focal=1.4, tilt=0.35, roll=0.0, height=4.5).parameters
_USUAL_SD = np.array([0.45, 0.3, 0.045, 0.7])
_TILTS = np.radians(np.arange(2.0, 75.0, 6.0))
_FOCALS = (0.7, 1.0, 1.5, 2.2)
_HINT_SD = 0.07
_OUTLIER = 1.0

_CELLS = 6
_PER_CELL = 12
_REFIT = 0.15


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt of a camera.

    aspect: width of its picture over the height. error: relative standard error of lengths on the floor.
    people: how many it rests on.
    """

    camera_pose: CameraPose
    aspect: float
    error: float
    people: int

    @property
    def ground(self) -> Ground:
        """The floor."""
        return self.camera_pose.ground(self.aspect, self.error)


@dataclass(frozen=True, slots=True)
class Hints:
    """What somebody says of a camera. view: horizontal angle of view, radians. height: above the floor, metres."""

    view: float | None = None
    height: float | None = None

    def usual(self, aspect: float) -> tuple[Floats, Floats]:
        """How the camera probably hangs: parameters of `CameraPose` (4,) and their standard deviations."""
        mean, deviation = _USUAL.copy(), _USUAL_SD.copy()
        if self.view is not None:
            mean[0], deviation[0] = log(aspect / 2 / tan(self.view / 2)), _HINT_SD
        if self.height is not None:
            mean[3], deviation[3] = log(self.height), _HINT_SD
        return mean, deviation


class GroundLearner:
    """Learns a camera's camera_pose from people who walk through.

    From where feet and heads of upright people are in the picture follow the camera's tilt, focal length and height,
    by non-linear regression (Li et al., A simplified nonlinear regression method for human height estimation in video
    surveillance, EURASIP Journal on Image and Video Processing, 2015). Here people are 1.70 ± 0.10 m tall each,
    roll is estimated too, and how fast they walk helps with the focal length, which heights hardly tell where a
    camera looks ahead: people walk alike fast whichever way they go. All of it is one robust least-squares fit,
    regularised by how cameras usually hang; its standard error comes from the covariance at the optimum.

    The same scenes give the same floor. Bounded in memory: the latest stretches of walk in each part of the picture.
    """

    def __init__(self, known: Learnt | None = None, hints: Hints | None = None) -> None:
        """known: what was learnt before a restart; it holds until better is known, or people contradict it.

        hints: what the site says of the camera.
        """
        self._known = known
        self._hints = hints or Hints()
        self._begin()

    def _begin(self) -> None:
        self._walks = Walks()
        self._kept: dict[tuple[int, int], deque[WalkSegment]] = {}
        self._fresh = 0
        self._learnt = self._known
        self._ground = None if self._learnt is None else self._learnt.ground

    @property
    def learnt(self) -> Learnt | None:
        """What is known by now, however rough."""
        return self._learnt

    @property
    def segments(self) -> int:
        """How many stretches of walk it keeps."""
        return sum(map(len, self._kept.values()))

    def observe(self, scene: Scene) -> Ground | None:
        """The floor by all that was seen up to `scene`, rough as it may be; None while nothing is known."""
        aspect = scene.width / scene.height
        if self._learnt is not None and abs(self._learnt.aspect / aspect - 1) > 0.01:
            self.moved(away=True)
        for segment in self._walks.observe(scene):
            cell = (int(segment.foot[0] * _CELLS), int(segment.foot[1] * _CELLS))
            self._kept.setdefault(cell, deque(maxlen=_PER_CELL)).append(segment)
            self._fresh += 1
        if self._fresh >= max(4, _REFIT * self.segments):
            self._fresh = 0
            self._learn([segment for cell in sorted(self._kept) for segment in self._kept[cell]], aspect)
        return self._ground

    def moved(self, away: bool) -> None:  # noqa: ARG002 - it has to begin anew when the camera comes back, too
        """Forget everything: the camera looks elsewhere now."""
        self._known = None
        self._begin()

    def _learn(self, segments: Sequence[WalkSegment], aspect: float) -> None:
        found = fitted(segments, aspect, self._hints)
        if found is None:
            return
        known = self._known
        if known is not None:
            if _agree(known, found, segments) and known.error <= found.error:
                return
            self._known = None
        self._learnt, self._ground = found, found.ground


def fitted(segments: Sequence[WalkSegment], aspect: float, hints: Hints) -> Learnt | None:
    """The camera pose that explains `segments` best; None if too few people have walked, or nothing explains them."""
    if len({segment.person for segment in segments}) < FEWEST_PEOPLE:
        return None
    fit = _Fit(segments, aspect, hints)
    start = fit.start()
    if start is None:
        return None
    best = least_squares(
        fit.residuals, start, loss="soft_l1", f_scale=_OUTLIER, x_scale=[0.1, 0.05, 0.02, 0.1, 0.1]
    )
    camera_pose = CameraPose.of(best.x)
    if not fit.possible(camera_pose):
        return None
    error = sqrt(fit.length_variance(best.x, fit.covariance(best.x, np.asarray(best.jac))) + SYSTEMATIC**2)
    return Learnt(camera_pose, aspect, error, fit.people)


class _Fit:
    """Stretches of walk as arrays, and how far from the expected they are under some camera_pose.

    Parameters (5,): those of `CameraPose`, and the logarithm of the mean walking speed.
    """

    def __init__(self, segments: Sequence[WalkSegment], aspect: float, hints: Hints) -> None:
        self.aspect = aspect
        self._usual, self._usual_sd = hints.usual(aspect)
        self.feet = np.array([segment.foot for segment in segments])
        self.heads = np.array([segment.head for segment in segments])
        self.seen = self.feet[:, 1] - self.heads[:, 1]
        self.begins = np.array([segment.begin for segment in segments])
        self.ends = np.array([segment.end for segment in segments])
        self.seconds = np.array([segment.seconds for segment in segments])
        _, self.walker, self.counts = np.unique(
            [segment.person for segment in segments], return_inverse=True, return_counts=True
        )
        self.people = len(self.counts)

    def start(self) -> Floats | None:
        """The best of a coarse grid over tilt and focal length, by the median; None if none is possible."""
        best, least = None, np.inf
        for tilt in _TILTS:
            for focal in _FOCALS:
                tall = self.heights(CameraPose(focal, float(tilt), 0.0, 1.0))
                if not (np.isfinite(tall) & (tall > 0)).all():
                    continue
                height = HEIGHT_M / float(np.median(tall))
                parameters = np.append(CameraPose(focal, float(tilt), 0.0, height).parameters, log(WALK_M_S))
                residuals = self.residuals(parameters)
                cost = float(np.minimum(np.abs(residuals), 3 * _OUTLIER).sum())
                if cost < least:
                    best, least = parameters, cost
        return best

    def residuals(self, parameters: Floats) -> Floats:
        """In standard deviations: heights, speeds, and the camera_pose itself against the usual."""
        camera_pose = CameraPose.of(parameters)
        # Of what is seen, not of what it would mean: else camera poses win under which differences mean little.
        expected = camera_pose.body_heights(self.feet, HEIGHT_M, self.aspect)
        tall = self._per_person(_log(self.seen / expected), HEIGHT_SD_M / HEIGHT_M, _BOX_SD)
        speed = self._per_person(_log(self.speeds(camera_pose)) - parameters[4], WALK_SD, _STRETCH_SD)
        usual = (parameters[:4] - self._usual) / self._usual_sd
        return np.concatenate([tall, speed, usual, [(parameters[4] - log(WALK_M_S)) / _WALK_MEAN_SD]])

    def heights(self, camera_pose: CameraPose) -> Floats:
        """Metres (N,)."""
        return camera_pose.heights(self.feet, self.heads, self.aspect)

    def speeds(self, camera_pose: CameraPose) -> Floats:
        """Metres per second (N,)."""
        ground = camera_pose.ground(self.aspect, 0.0)
        way = ground.metres(self.ends) - ground.metres(self.begins)
        return np.asarray(np.hypot(*way.T) / self.seconds)

    def possible(self, camera_pose: CameraPose) -> bool:
        """Whether everybody stands on the floor in front of the camera."""
        return bool(
            np.isfinite(self.heights(camera_pose)).all() and np.isfinite(self.speeds(camera_pose)).all()
        )

    def covariance(self, parameters: Floats, slopes: Floats) -> Floats:
        """Of the parameters (5, 5), at the optimum, where `slopes` are of the robust residuals.

        The wider, by its trace, of what the model expects and of what people say by their disagreement: the sandwich
        over clusters, which holds also where a person's deviations hang together (Liang and Zeger, 1986).
        """
        expected = np.linalg.inv(slopes.T @ slopes)
        number = len(self.feet)
        pull = _robust(self.residuals(parameters))[:, None] * slopes
        scores = np.zeros((self.people, slopes.shape[1]))
        np.add.at(scores, self.walker, pull[:number] + pull[number : 2 * number])
        among = scores.T @ scores * self.people / (self.people - 1)
        given = slopes[2 * number :]
        seen = expected @ (among + given.T @ given) @ expected
        return np.asarray(max(expected, seen, key=np.trace))

    def length_variance(self, parameters: Floats, covariance: Floats) -> float:
        """Of the logarithm of lengths on the floor: along and across the view, where people walk."""
        ahead, aside = np.array([0.0, 0.01]), np.array([0.01 / self.aspect, 0.0])
        here = np.concatenate([self.feet, self.feet])
        there = np.concatenate([self.feet + ahead, self.feet + aside])

        def lengths(at: Floats) -> Floats:
            ground = CameraPose.of(at).ground(self.aspect, 0.0)
            return _log(np.hypot(*(ground.metres(there) - ground.metres(here)).T))

        step = 1e-4
        slopes = np.stack(
            [
                (lengths(parameters + step * unit) - lengths(parameters - step * unit)) / (2 * step)
                for unit in np.eye(len(parameters))
            ],
            axis=1,
        )
        return float(np.einsum("ij,jk,ik->i", slopes, covariance, slopes).mean())

    def _per_person(self, deviations: Floats, between: float, within: float) -> Floats:
        """Deviations (N,) that share a part (standard deviation `between`) within each person, made independent."""
        means = np.bincount(self.walker, deviations) / self.counts
        shrunk = 1 - within / np.sqrt(within**2 + self.counts * between**2)
        return np.asarray((deviations - (shrunk * means)[self.walker]) / within)


def _log(values: Floats) -> Floats:
    """Logarithms; what cannot be, as feet above the horizon, is very wrong but finite, so that a fit turns back."""
    return np.log(np.where(np.isfinite(values) & (values > 1e-3), values, 1e-3))


def _robust(residuals: Floats) -> Floats:
    """Residuals as scipy's soft_l1 loss scales them beside the slopes it returns."""
    squares = (residuals / _OUTLIER) ** 2
    first, second = (1 + squares) ** -0.5, -0.5 * (1 + squares) ** -1.5
    scale = np.sqrt(np.maximum(first + 2 * second * squares, np.finfo(float).eps))
    return np.asarray(residuals * first / scale)


def _agree(one: Learnt, other: Learnt, segments: Sequence[WalkSegment]) -> bool:
    """Whether two floors give the same lengths where people walk, within three standard errors."""
    fit = _Fit(segments, other.aspect, Hints())
    first, second = fit.speeds(one.camera_pose), fit.speeds(other.camera_pose)
    if not np.isfinite(first).all():
        return False
    apart = float(np.median(np.abs(np.log(first / second))))
    return apart <= 3 * sqrt(one.error**2 + other.error**2)
