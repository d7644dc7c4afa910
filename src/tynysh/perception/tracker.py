"""Which detection belongs to whom: ByteTrack for frames that come at irregular times."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import linear_sum_assignment

from tynysh.geometry import Box, Floats, box_array, iou_matrix
from tynysh.scene.person import Person
from tynysh.scene.track import Track


class TrackerSettings(BaseModel):
    """How detections become tracks. Lengths are relative to the person's height, so the picture's size is free."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    high_score: float = Field(
        default=0.4, ge=0, le=1, description="Detections from here on are associated first."
    )
    low_score: float = Field(default=0.1, ge=0, le=1, description="Detections below are ignored.")
    new_score: float = Field(
        default=0.45, ge=0, le=1, description="A new track needs a detection of this score."
    )
    minimum_iou: float = Field(
        default=0.1, gt=0, le=1, description="Least overlap of a track with its detection."
    )
    low_minimum_iou: float = Field(
        default=0.3, gt=0, le=1, description="The same for detections of low score."
    )
    reach: float = Field(
        default=0.5,
        ge=0,
        description="How far, in heights, someone may have gone from where the track expected them and still be "
        "taken for the same person when nothing overlaps: runners at a low detection rate. 0 switches it off.",
    )
    confirm_looks: int = Field(
        default=2, ge=1, description="Looks in a row that must find a person before they count."
    )
    carry_s: float = Field(
        default=0.8,
        ge=0,
        description="Seconds for which someone is still shown after the first look that missed them.",
    )
    unsure_s: float = Field(
        default=5.0,
        ge=0,
        description="Seconds for which detections of low score alone keep a track: someone half hidden, yes, but "
        "not a post that looks a little like a person.",
    )
    lost_s: float = Field(
        default=3.0, ge=0, description="Seconds for which a person not found can be taken up again."
    )
    duplicate_iou: float = Field(
        default=0.8, gt=0, le=1, description="Boxes that overlap more are of the same person."
    )


@dataclass(frozen=True, slots=True)
class MotionModel:
    """How people move and how well boxes are measured, relative to the height of the person (Kalman's Q and R).

    acceleration: of (centre x, centre y, width, height), in heights per second and root of a second.
    speed: standard deviation of the velocity of someone just found, in heights per second.
    measurement: standard deviation of a sure detection's box, in heights.
    sure_score: detections of a lower score weigh less: their variance is that of a sure one times
        (1 - score) / (1 - sure_score), as in the NSA Kalman filter (Du et al.: GIAOTracker, ICCV workshops 2021),
        since people half hidden get low scores and boxes around what is seen of them. 0: all weigh the same.
    fading_s: while someone is not found, their velocity falls by 1/e in so many seconds.
    """

    acceleration: tuple[float, float, float, float] = (0.4, 0.25, 0.1, 0.1)
    speed: tuple[float, float, float, float] = (0.8, 0.4, 0.05, 0.05)
    measurement: tuple[float, float, float, float] = (0.03, 0.03, 0.04, 0.04)
    sure_score: float = 0.85
    fading_s: float = 1.5

    def begin(self, box: Box, score: float) -> "BoxFilter":
        """The filter of someone found for the first time."""
        return BoxFilter(box, score, self)

    def variance(self, box: Box, score: float) -> Floats:
        """Of a detection, in square pixels."""
        doubt = max(1.0, (1 - score) / (1 - self.sure_score))
        return doubt * (max(box.height, 1.0) * np.array(self.measurement)) ** 2


class BoxFilter:
    """A Kalman filter of one box: constant velocity with white-noise acceleration, the four axes independent.

    Because the axes are independent, each covariance is a symmetric 2 x 2 matrix and the update is a division
    (Bar-Shalom, Li, Kirubarajan: Estimation with Applications to Tracking and Navigation, 2001, section 6.2).
    The process noise is integrated over the actual time step, so that steps may be of any length.
    """

    def __init__(self, box: Box, score: float, model: MotionModel) -> None:
        self._model = model
        self._place = _axes(box)
        self._velocity = np.zeros(4)
        height = max(box.height, 1.0)
        self._place_variance = model.variance(box, score)
        self._covariance = np.zeros(4)
        self._velocity_variance = (height * np.array(model.speed)) ** 2

    @property
    def velocity(self) -> tuple[float, float]:
        """Of the centre, pixels per second."""
        return (float(self._velocity[0]), float(self._velocity[1]))

    def ahead(self, seconds: float) -> Box:
        """Where the box is `seconds` after the last step: the centre goes on, the size stays."""
        place = self._place.copy()
        place[:2] += self._velocity[:2] * seconds
        return _box(place)

    def advance(self, seconds: float) -> None:
        """Predict: move the state on by `seconds`."""
        noise = (max(self._place[3], 1.0) * np.array(self._model.acceleration)) ** 2
        self._place = self._place + self._velocity * seconds
        self._place[2:] = np.maximum(self._place[2:], 1.0)
        self._place_variance = (
            self._place_variance
            + 2 * seconds * self._covariance
            + seconds**2 * self._velocity_variance
            + noise * seconds**3 / 3
        )
        self._covariance = self._covariance + seconds * self._velocity_variance + noise * seconds**2 / 2
        self._velocity_variance = self._velocity_variance + noise * seconds

    def fade(self, seconds: float) -> None:
        """Slow down over `seconds` in which the person was not found; their size stays."""
        self._velocity = self._velocity * math.exp(-seconds / self._model.fading_s)
        self._velocity[2:] = 0.0

    def correct(self, box: Box, score: float) -> None:
        """Update: take in a detection; the lower its score, the less it weighs."""
        variance = self._model.variance(box, score)
        surprise = _axes(box) - self._place
        total = self._place_variance + variance
        place_gain, velocity_gain = self._place_variance / total, self._covariance / total
        self._place = self._place + place_gain * surprise
        self._velocity = self._velocity + velocity_gain * surprise
        self._velocity_variance = self._velocity_variance - velocity_gain * self._covariance
        self._place_variance = self._place_variance * (1 - place_gain)
        self._covariance = self._covariance * (1 - place_gain)


class _Tracklet:
    """One person in the making: unnumbered until confirmed."""

    def __init__(self, person: Person, time_s: float, model: MotionModel) -> None:
        self.filter = model.begin(person.box, person.score)
        self.person = person
        self.born_s = time_s
        self.seen_s = time_s
        self.sure_s = time_s
        self.looks = 1
        self.missed = 0
        self.missed_s = math.inf
        self.id: int | None = None

    def take(self, person: Person, time_s: float, *, sure: bool) -> None:
        self.filter.correct(person.box, person.score)
        self.person = person
        self.seen_s = time_s
        if sure:
            self.sure_s = time_s
        self.looks += 1
        self.missed = 0

    def miss(self, time_s: float, seconds: float) -> None:
        if not self.missed:
            self.missed_s = time_s
        self.missed += 1
        self.filter.fade(seconds)


class Tracker:
    """Follows the people of one camera from detections (ByteTrack: Zhang et al., ECCV 2022).

    Detections of high score are associated with the tracks by the overlap of boxes (assignment of greatest total
    overlap), then those of low score with the tracks that are left; a detection of high score that is left begins
    a track, which counts from `confirm_looks` looks on. Three differences from the paper: time is in seconds, so
    the detector may look at any rate; tracks not yet confirmed are associated together with the others; and, in a
    last step, what is left of both is joined if it is near by and of like size (`reach`), since at few looks a
    second a runner's boxes do not overlap.

    Somebody who is not found is given up after `lost_s`, but never before a second look has missed them.

    >>> tracker = Tracker()
    >>> tracker.update([Person(Box(10, 10, 40, 100), 0.9)], time_s=0.0)
    ()
    >>> [track.id for track in tracker.update([Person(Box(12, 10, 42, 100), 0.9)], time_s=0.2)]
    [1]
    """

    def __init__(self, settings: TrackerSettings | None = None, model: MotionModel | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._model = model or MotionModel()
        self._next_id = 1
        self._tracklets: list[_Tracklet] = []
        self._time_s: float | None = None

    @property
    def unsure(self) -> bool:
        """Whether a further look soon would settle something: someone new, or someone just lost."""
        return any(tracklet.id is None or tracklet.missed for tracklet in self._tracklets)

    def update(self, persons: Sequence[Person], time_s: float) -> tuple[Track, ...]:
        """The tracks at `time_s`, at which the detector looked and found `persons`.

        Times must not run backwards: a time before the last is taken as the last.
        """
        settings = self._settings
        time_s, elapsed = self._step(time_s)
        found = [person for person in persons if person.score >= settings.low_score and person.box.area > 0]
        found = _distinct(found, settings.duplicate_iou)
        high = [person for person in found if person.score >= settings.high_score]
        low = [person for person in found if person.score < settings.high_score]

        tracklets, high = self._associate(self._tracklets, high, time_s, settings.minimum_iou)
        unsure = [tracklet for tracklet in tracklets if time_s - tracklet.sure_s > settings.unsure_s]
        tracklets = [tracklet for tracklet in tracklets if time_s - tracklet.sure_s <= settings.unsure_s]
        tracklets, _ = self._associate(tracklets, low, time_s, settings.low_minimum_iou)
        tracklets += unsure
        if settings.reach > 0:
            tracklets, high = self._associate_near(tracklets, high, time_s)
        for tracklet in tracklets:
            tracklet.miss(time_s, elapsed)
        self._tracklets += [
            _Tracklet(person, time_s, self._model) for person in high if person.score >= settings.new_score
        ]
        self._tracklets = self._without_copies([t for t in self._tracklets if self._alive(t, time_s)])
        for tracklet in self._tracklets:
            if tracklet.id is None and tracklet.looks >= settings.confirm_looks:
                tracklet.id = self._next_id
                self._next_id += 1
        return self._tracks(time_s)

    def predict(self, time_s: float) -> tuple[Track, ...]:
        """The tracks carried forward to `time_s`, at which the detector did not look; changes nothing."""
        return self._tracks(time_s if self._time_s is None else max(time_s, self._time_s))

    def _step(self, time_s: float) -> tuple[float, float]:
        if self._time_s is None:
            self._time_s = time_s
        elapsed = max(0.0, time_s - self._time_s)
        self._time_s += elapsed
        for tracklet in self._tracklets:
            tracklet.filter.advance(elapsed)
        return self._time_s, elapsed

    def _associate(
        self, tracklets: list[_Tracklet], persons: list[Person], time_s: float, minimum_iou: float
    ) -> tuple[list[_Tracklet], list[Person]]:
        """Give persons to tracklets by overlap; what is left of both."""
        overlap = iou_matrix(
            box_array([tracklet.filter.ahead(0.0) for tracklet in tracklets]),
            box_array([person.box for person in persons]),
        )
        return _match(tracklets, persons, overlap, minimum_iou, self._settings.high_score, time_s)

    def _associate_near(
        self, tracklets: list[_Tracklet], persons: list[Person], time_s: float
    ) -> tuple[list[_Tracklet], list[Person]]:
        """Give persons to tracklets near by, seen at the look before, whose heights agree within a third."""
        recent = [tracklet for tracklet in tracklets if not tracklet.missed]
        nearness = np.zeros((len(recent), len(persons)), dtype=np.float32)
        for row, tracklet in enumerate(recent):
            expected = tracklet.filter.ahead(0.0)
            for column, person in enumerate(persons):
                heights = sorted((expected.height, person.box.height))
                distance = np.hypot(
                    expected.centre[0] - person.box.centre[0], expected.centre[1] - person.box.centre[1]
                )
                if heights[0] > 0.75 * heights[1]:
                    nearness[row, column] = max(0.0, 1 - distance / (self._settings.reach * heights[1]))
        left, persons = _match(recent, persons, nearness, 1e-3, self._settings.high_score, time_s)
        return left + [tracklet for tracklet in tracklets if tracklet.missed], persons

    def _alive(self, tracklet: _Tracklet, time_s: float) -> bool:
        if tracklet.id is None:
            return tracklet.missed == 0
        return tracklet.missed < 2 or time_s - tracklet.seen_s <= self._settings.lost_s

    def _without_copies(self, tracklets: list[_Tracklet]) -> list[_Tracklet]:
        """Of two tracklets in the same place, one of them lost, the one that was followed for longer."""
        boxes = box_array([tracklet.filter.ahead(0.0) for tracklet in tracklets])
        overlap = iou_matrix(boxes, boxes)
        dropped: set[int] = set()
        for a, b in np.argwhere(np.triu(overlap > self._settings.duplicate_iou, 1)):
            one, other = tracklets[a], tracklets[b]
            if bool(one.missed) != bool(other.missed):
                shorter = a if one.seen_s - one.born_s < other.seen_s - other.born_s else b
                dropped.add(int(shorter))
        return [tracklet for index, tracklet in enumerate(tracklets) if index not in dropped]

    def _tracks(self, time_s: float) -> tuple[Track, ...]:
        last_s = time_s if self._time_s is None else self._time_s
        return tuple(
            Track(
                id=tracklet.id,
                box=tracklet.filter.ahead(time_s - last_s),
                score=tracklet.person.score,
                velocity=tracklet.filter.velocity,
                born_s=tracklet.born_s,
                seen_s=tracklet.seen_s,
                keypoints=tracklet.person.keypoints if tracklet.seen_s == time_s else None,
            )
            for tracklet in self._tracklets
            if tracklet.id is not None
            and (not tracklet.missed or time_s - tracklet.missed_s <= self._settings.carry_s)
        )


def _match(
    tracklets: list[_Tracklet],
    persons: list[Person],
    likeness: NDArray[np.float32],
    minimum: float,
    sure_score: float,
    time_s: float,
) -> tuple[list[_Tracklet], list[Person]]:
    """Assign with the greatest total likeness (tracklets x persons), update, and return what is left of both."""
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    taken_rows, taken_columns = set(), set()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if likeness[row, column] >= minimum:
            tracklets[row].take(persons[column], time_s, sure=persons[column].score >= sure_score)
            taken_rows.add(row)
            taken_columns.add(column)
    return (
        [tracklet for row, tracklet in enumerate(tracklets) if row not in taken_rows],
        [person for column, person in enumerate(persons) if column not in taken_columns],
    )


def _distinct(persons: list[Person], iou: float) -> list[Person]:
    """`persons`, best first, without those that overlap a better one by more than `iou`."""
    persons = sorted(persons, key=lambda person: -person.score)
    boxes = box_array([person.box for person in persons])
    copies = np.triu(iou_matrix(boxes, boxes) > iou, 1)
    kept: list[int] = []
    for index in range(len(persons)):
        if not copies[kept, index].any():
            kept.append(index)
    return [persons[index] for index in kept]


def _axes(box: Box) -> Floats:
    return np.array([*box.centre, box.width, box.height])


def _box(place: Floats) -> Box:
    x, y, width, height = place.tolist()
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
