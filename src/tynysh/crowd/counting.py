"""How many people are in each place, how sure is that, and when can it not be told?"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tynysh.crowd.occlusion import OccludedArea, Occlusion
from tynysh.crowd.track_stitching import take_up
from tynysh.geometry import Box, areas, box_array, contains_each, iou_matrix, shared_areas
from tynysh.scene.crowd import PICTURE, Estimate
from tynysh.scene.person import Person
from tynysh.scene.places import foot
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone

COUNTED_SCORE = 0.4
"""Least score, on average over `SCORE_S`, of a track that counts; and of a detection that is no track yet. People
half hidden score low for a moment, a post that looks a little like a person all the time."""

SCORE_S = 1.5
"""Seconds over which a track's score is averaged (time constant of an exponential mean)."""

GONE_INSIDE = 0.75
"""Whoever was not found, and of whose box less than this part should still be in the picture, has walked out."""

SAME_PERSON_IOU = 0.3
"""A detection that overlaps a track more than this is of the same person."""

COVERED = 0.6
"""A detection of which more than this part lies within a track is of a part of the same person."""

WALK = 1.0
"""How far people walk in a second, in their heights: 1.4 m/s (Weidmann, 1993) at 1.70 m, and a little more."""

SPREAD_S = 2.0
"""Seconds of looks whose disagreement widens the band."""

ROUGH_MISSED = 0.15
"""From this expected part of missed people on a count is `rough`."""

ROUGH_PEOPLE = 1.0
"""With fewer missed people than this it never is."""

ROUGH_HIDDEN = 0.2
"""From this expected part of people hidden behind those who are seen on a count is `rough`."""

SMALL_HEIGHT = 20.0
"""People who are lower than this in the network's input, in pixels, are small."""

Z95 = 1.96
"""Half the width of a 95 % band, in standard deviations."""

# How sure is one of those counted to be there: measured on vtest.avi (docs/developer/counting.md), as all that follows.
_SEEN, _NEW, _CARRIED = 0.99, 0.9, 0.7

# Part of people found, be it with a low score, by their height in pixels of the network's input.
_HEIGHTS = (4.0, 6.0, 10.0, 14.0, 18.0, 24.0, 36.0)
_FOUND = (0.15, 0.19, 0.66, 0.89, 0.93, 0.96, 0.99)

# The same by how many others were found around them, be it with a low score.
_NEIGHBOURS = (4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_SHOWN = (1.0, 0.92, 0.8, 0.62, 0.5, 0.4)

# Part of the unsure detections that are people: those in a crowd mostly are, and small ones among small people.
_SMALL, _REAL_IF_SMALL = (12.0, 16.0, 22.0, 28.0), (0.9, 0.7, 0.4, 0.1)
_CROWDED, _REAL_IF_CROWDED = (1.0, 2.0, 3.0, 4.0), (0.1, 0.4, 0.8, 1.0)

MISPLACED = 0.5
"""Heights by which the feet of one and the same person may be placed differently at two looks."""


@dataclass(slots=True)
class _TrackScore:
    """What is remembered of a track: its average score, and the look that it was last found by."""

    score: float
    seen_s: float


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who may be there.

    box: in pixels. counts: whether they are counted. chance: that they are there, in [0, 1]. found: the part of people
    like them whom the detector finds, be it with a low score.
    """

    box: Box
    counts: bool
    chance: float
    found: float


@dataclass(slots=True)
class _RecentCounts:
    """Counts of one place at the looks of the last seconds: (time_s, people)."""

    looks: deque[tuple[float, int]] = field(default_factory=deque)

    def spread(self, time_s: float, people: int) -> float:
        """Take in a count; the variance of those of the last `SPREAD_S` about a straight line through them."""
        self.looks.append((time_s, people))
        while self.looks[0][0] < time_s - SPREAD_S:
            self.looks.popleft()
        if len(self.looks) < 4:
            return 0.0
        times, counts = np.array(self.looks).T
        times = times - times.mean()
        slope = float((times * counts).sum() / max(float((times**2).sum()), 1e-9))
        return float(np.mean((counts - counts.mean() - slope * times) ** 2))


class Counter:
    """Counts people by where their feet are, in the whole picture and in each zone, look by look.

    Counted are the tracks whose score is `COUNTED_SCORE` or more on average over `SCORE_S`, without those who have
    walked out of the picture since they were last found; and whoever the detector found that is no track yet: a
    track needs a second look, the door of a place does not wait for it. Somebody found where a track that was not
    found may have walked is that track.

    The band. Downwards: each one counted is there with a probability that was measured, so that the variance of their
    sum is that of a Poisson binomial distribution. Upwards: one person found stands for 1 / r people where the
    detector finds the part r of them, be it with a low score, by their size and by how many are around them (the
    estimator of Horvitz and Thompson, 1952), with the variance of a geometric distribution, (1 - r) / r²; and unsure
    detections are people with the probability that was measured, by size and crowd too. To both comes how much the
    looks of the last seconds disagree. The count itself is not raised by those expected to be missed; it is rough
    where they are more than a seventh of all.

    Hidden people (`crowd.occlusion`): where those who are seen hide so much of the floor that a fifth of all are
    expected behind them, the count is rough, and the band goes up to what the hidden floor can hold: all of it where a
    third or more of all are expected to be hidden, in proportion where fewer are.
    """

    def __init__(self) -> None:
        self._track_scores: dict[int, _TrackScore] = {}
        self._recent: dict[str, _RecentCounts] = {}
        self._occlusion = Occlusion()

    def observe(self, scene: Scene, persons: Sequence[Person]) -> Mapping[str, tuple[Estimate, bool]]:
        """How many people are in the picture and in each zone at `scene`, and whether that is rough.

        persons: what the detector found at this instant. Called at each look, in order of time.
        """
        present = self._present(scene, persons)
        places = {PICTURE: present}
        for zone in scene.zones:
            places[zone.name] = [one for one in present if zone.contains(foot(scene, one.box))]
        self._recent = {name: self._recent.get(name, _RecentCounts()) for name in places}
        shown = [one.box for one in present if one.counts]
        hidden = self._occlusion.observe(scene.ground, scene.width, scene.height, shown)
        behind = {PICTURE: _behind(hidden, None)}
        behind.update((zone.name, _behind(hidden, zone)) for zone in scene.zones)
        return {
            name: self._estimate(name, scene.time_s, people, behind[name]) for name, people in places.items()
        }

    def _present(self, scene: Scene, persons: Sequence[Person]) -> list[Presence]:
        self._remember(scene)
        sure = [track for track in scene.tracks if self._track_scores[track.id].score >= COUNTED_SCORE]
        seen = [track for track in sure if track.seen(scene.time_s)]
        carried = [
            track
            for track in sure
            if not track.seen(scene.time_s) and _inside(track.box, scene) >= GONE_INSIDE
        ]
        others = _not_among(persons, sure)
        new = [person for person in others if person.score >= COUNTED_SCORE]
        for person in new:
            take_up(carried, [person], partial(_walked, time_s=scene.time_s))
        counted = [
            *((track.box, _SEEN) for track in seen),
            *((track.box, _CARRIED) for track in carried),
            *((person.box, _NEW) for person in new),
        ]
        unsure = [person.box for person in others if person.score < COUNTED_SCORE]
        boxes = [*(box for box, _ in counted), *unsure]
        around, scale = crowd_around(boxes, persons), input_scale(persons)
        found = found_part(boxes, around, scale)
        real = real_part(boxes, around, scale, sure=len(counted))
        return [
            Presence(box, True, counted[n][1], found[n])
            if n < len(counted)
            else Presence(box, False, real[n], found[n])
            for n, box in enumerate(boxes)
        ]

    def _remember(self, scene: Scene) -> None:
        track_scores = {}
        for track in scene.tracks:
            remembered = self._track_scores.get(track.id) or _TrackScore(track.score, track.seen_s)
            if track.seen_s > remembered.seen_s:
                weight = 1 - math.exp((remembered.seen_s - track.seen_s) / SCORE_S)
                remembered.score += weight * (track.score - remembered.score)
                remembered.seen_s = track.seen_s
            track_scores[track.id] = remembered
        self._track_scores = track_scores

    def _estimate(
        self, name: str, time_s: float, people: Sequence[Presence], behind: tuple[float, float]
    ) -> tuple[Estimate, bool]:
        hidden, room = behind
        counted = [one for one in people if one.counts]
        unsure = [one for one in people if not one.counts]
        number = len(counted)
        spread = self._recent[name].spread(time_s, number)
        missed = sum(1 / one.found - 1 for one in counted) + sum(one.chance / one.found for one in unsure)
        below = sum(one.chance * (1 - one.chance) for one in counted)
        above = sum(one.chance * (1 - one.chance) for one in unsure)
        unseen = sum((1 - one.found) / one.found**2 * (1.0 if one.counts else one.chance) for one in people)
        low = math.floor(number - Z95 * math.sqrt(below + spread) + 0.5)
        part = hidden / max(number + hidden, 1e-9)
        high = math.ceil(number + missed + Z95 * math.sqrt(above + spread + unseen) - 0.5)
        rough = missed >= max(ROUGH_PEOPLE, ROUGH_MISSED * (number + missed))
        if hidden >= ROUGH_PEOPLE and part >= ROUGH_HIDDEN:
            rough = True
            high = max(high, math.ceil(number + min(1.0, 3 * part) * room))
        return Estimate(number, min(max(0, low), number), max(high, number)), rough


def _behind(hidden: OccludedArea | None, zone: Zone | None) -> tuple[float, float]:
    """How many people are expected to be hidden in a zone (None: in the picture), and how many can be."""
    if hidden is None:
        return 0.0, 0.0
    if zone is None:
        return float(hidden.expected.sum()), float(hidden.room.sum())
    inside = contains_each(zone.polygon, hidden.middles)
    return float(hidden.expected[inside].sum()), float(hidden.room[inside].sum())


def input_scale(persons: Sequence[Person]) -> float | None:
    """Pixels of the network's input for a pixel of the picture, at this look; None for drawn people."""
    scales = [person.input_scale for person in persons if person.input_scale is not None]
    return float(np.median(scales)) if scales else None


def found_part(boxes: Sequence[Box], around: Sequence[int], scale: float | None) -> list[float]:
    """For each of `boxes` the part of people like them whom the detector finds, be it with a low score.

    around: how many others there are close to each. scale: pixels of the network's input for a pixel of the boxes;
    None if size does not matter.
    """
    heights = np.array([box.height for box in boxes])
    by_size = np.interp(heights * scale, _HEIGHTS, _FOUND) if scale is not None else np.ones(len(boxes))
    by_crowd = np.interp(around, _NEIGHBOURS, _SHOWN)
    return [float(part) for part in by_size * by_crowd]


def real_part(boxes: Sequence[Box], around: Sequence[int], scale: float | None, *, sure: int) -> list[float]:
    """For each of `boxes`, if it was found with a low score, the part of such that are people; else as in `found_part`.

    The first `sure` of `boxes` are of people who count: small things are people where people are small.
    """
    heights = np.array([box.height for box in boxes]) * (scale or math.inf)
    small = float(np.mean(heights[:sure] < SMALL_HEIGHT)) if sure else 0.0
    if_small = min(1.0, 2 * small) * np.interp(heights, _SMALL, _REAL_IF_SMALL)
    if_crowded = np.interp(around, _CROWDED, _REAL_IF_CROWDED)
    return [float(part) for part in np.maximum(if_small, if_crowded)]


def crowd_around(boxes: Sequence[Box], persons: Sequence[Person]) -> list[int]:
    """How many others the detector saw, or thought it saw, with their feet within a height of those of each box.

    Unsure detections (`persons` of any score) are taken in: where people hide each other most of them are real.
    """
    here, there = box_array(boxes), box_array([person.box for person in persons])
    feet, others = _feet(here), _feet(there)
    distance = np.hypot(*(feet[:, None] - others[None]).transpose(2, 0, 1))
    height = np.maximum((here[:, 3] - here[:, 1])[:, None], (there[:, 3] - there[:, 1])[None])
    near = (distance < height) & (iou_matrix(here, there) < SAME_PERSON_IOU)
    return [int(number) for number in near.sum(axis=1)]


def _feet(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the people of `boxes` (N, 4) touch the ground, (N, 2) pixels."""
    return np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])


def _not_among(persons: Sequence[Person], tracks: Sequence[Track]) -> list[Person]:
    """Those of `persons` who are none of the `tracks`, each once."""
    found, known = box_array([person.box for person in persons]), box_array([track.box for track in tracks])
    part = shared_areas(found, known) / np.maximum(areas(found), 1.0)[:, None]
    same: NDArray[np.bool_] = (iou_matrix(found, known) >= SAME_PERSON_IOU) | (part > COVERED)
    return [
        person
        for person, is_known in zip(persons, np.any(same, axis=1).tolist(), strict=True)
        if not is_known
    ]


def _inside(box: Box, scene: Scene) -> float:
    """The part of `box` that is in the picture."""
    return box.clipped(scene.width, scene.height).area / max(box.area, 1e-6)


def _walked(track: Track, person: Person, time_s: float) -> float | None:
    """How far somebody found at `time_s` is from where `track` was last found, pixels; None if too far to be they."""
    height = max(track.box.height, person.box.height)
    far = math.dist(track.box.foot, person.box.foot)
    return far if far <= (MISPLACED + WALK * (time_s - track.seen_s)) * height else None
