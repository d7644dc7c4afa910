"""Is the whole picture enough to see everybody, or are people so small that it must be looked at in tiles?"""

import dataclasses
import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from tynysh.geometry import Box, areas, box_array, shared_areas
from tynysh.media.frame import Frame
from tynysh.perception.detector import INPUT_LENGTH, Detector, PartDetector, suppress
from tynysh.scene.person import Person

OVERLAP = 0.1
"""Part of the picture's width and height that neighbouring tiles share: more than people have who need tiles."""

MOST_ACROSS = 3
"""Tiles side by side, at most: each look then costs ten of the whole picture."""

FINEST_SCALE = 1.0
"""Tiles are not made so small that the network's input has more pixels than this for a pixel of the picture: that
shows nothing more of people, and makes people of traffic cones."""

SHARP_HEIGHT = 24.0
"""Height in pixels of the network's input from which nine of ten people are found (docs/developer/counting.md)."""

COUNTED_SCORE = 0.4
"""Least score of the people whose number tells whether tiles pay."""

SAME_OVERLAP = 0.5
"""Boxes of two views that overlap more, by intersection over union, are of the same person."""

COVERED = 0.6
"""Of a box found in a tile, the part within a better one from which it is a piece of the same person."""

EDGE = 0.02
"""A box that ends so near to a tile's inner edge, in tile widths, is cut by it."""

PROBE_S = 120.0
"""Seconds between two looks that find out whether tiles would pay."""

FIRST_PROBE_S, CONFIRM_S = 2.0, 2.0
"""Seconds from the camera's first look to the first probe, and from a probe that found more to the next."""

ENTER_GAIN, LEAVE_GAIN = 0.25, 0.1
"""Part of the people whom only tiles find, from which on they are used, and below which they are given up."""

ENTER_PEOPLE = 2
"""People whom only tiles find, at least, before they are used."""

GAIN_S = 30.0
"""Seconds over which the gain is averaged before tiles are given up (time constant of an exponential mean)."""


class Detection(StrEnum):
    """How the detector looks at a camera's picture."""

    AUTO = "auto"
    WHOLE = "whole"
    TILED = "tiled"


class TiledDetector:
    """Looks at one camera's pictures with a detector, as a whole or in tiles; depends on its arguments alone.

    With `Detection.AUTO` the scene decides. A probe now and then (`PROBE_S`) looks in tiles and as a whole at the
    same picture: where only the tiles find a quarter of the people, and two at least, twice within seconds, tiles
    are used from then on. Each look in tiles is one at the whole as well, so that it goes on being known what the
    tiles add; when that is less than a tenth of the people on average over `GAIN_S`, they are given up. Detectors that
    cannot look at parts, as those of drawn scenes, always see the whole.
    """

    def __init__(self, detector: Detector, detection: Detection = Detection.AUTO) -> None:
        self._detector = detector
        self._parts = (
            detector if isinstance(detector, PartDetector) and detection != Detection.WHOLE else None
        )
        self._detection = detection
        self._across = MOST_ACROSS if self._parts is not None and detection == Detection.TILED else 1
        self._probe_s: float | None = None
        self._gains = 0
        self._gain = 0.0
        self._looked_s = -math.inf

    @property
    def inferences(self) -> int:
        """How many pictures the network sees at a look, now: 1 for the whole, more with tiles."""
        return 1 if self._across == 1 else 1 + self._across**2

    def detect(self, frame: Frame) -> Sequence[Person]:
        """The people in `frame`, boxes in its pixels, best first; frames come in order of time."""
        if self._parts is None:
            return self._detector.detect(frame)
        finest = most_across(frame.width, frame.height)
        self._across = min(self._across, finest)
        if finest == 1:
            return self._detector.detect(frame)
        elapsed, self._looked_s = frame.time_s - self._looked_s, frame.time_s
        if elapsed < 0 or self._probe_s is None:
            # The first look, or the camera's clock was set back.
            self._probe_s = frame.time_s + FIRST_PROBE_S
        if self._across > 1:
            people, whole = tiled(self._parts, frame, self._across)
            self._settle(people, whole, frame, min(elapsed, GAIN_S))
            return people
        if frame.time_s < self._probe_s:
            return self._detector.detect(frame)
        people, whole = tiled(self._parts, frame, finest)
        self._judge_probe(people, whole, frame)
        # What the tiles alone saw is left out as long as the next look would not see it.
        return people if self._across > 1 else whole

    def _judge_probe(self, people: Sequence[Person], whole: Sequence[Person], frame: Frame) -> None:
        """Whether what a probe found asks for tiles."""
        found, more = _count(people), _count(people) - _count(whole)
        good = more >= max(ENTER_PEOPLE, ENTER_GAIN * found)
        self._gains = self._gains + 1 if good else 0
        self._probe_s = frame.time_s + (CONFIRM_S if self._gains == 1 else PROBE_S)
        if self._gains >= 2:
            self._across, self._gain, self._gains = wanted_across(people, frame), more / found, 0

    def _settle(
        self, people: Sequence[Person], whole: Sequence[Person], frame: Frame, elapsed_s: float
    ) -> None:
        """Whether tiles go on being worth it, and how many."""
        found = _count(people)
        if not found:
            return
        weight = 1 - math.exp(-elapsed_s / GAIN_S)
        self._gain += weight * ((found - _count(whole)) / found - self._gain)
        if self._detection == Detection.AUTO and self._gain < LEAVE_GAIN:
            self._across, self._probe_s = 1, frame.time_s + PROBE_S


def tiled(detector: PartDetector, frame: Frame, across: int) -> tuple[Sequence[Person], Sequence[Person]]:
    """The people that a look at the whole and at `across` x `across` tiles finds, and those of the whole alone."""
    picture = Box(0, 0, frame.width, frame.height)
    if across == 1:
        people = detector.detect(frame)
        return people, people
    parts = tiles(frame.width, frame.height, across)
    whole, *found = detector.detect_parts(frame, [picture, *parts])
    return merged(whole, parts, found, picture), whole


def most_across(width: int, height: int) -> int:
    """How many tiles side by side a picture of `width` x `height` pixels is sharp enough for; 1 for none."""
    longer = max(width, height)
    for across in range(MOST_ACROSS, 1, -1):
        if FINEST_SCALE * longer * _part(across) >= INPUT_LENGTH:
            return across
    return 1


def wanted_across(people: Sequence[Person], frame: Frame) -> int:
    """How many tiles side by side show three quarters of `people` at `SHARP_HEIGHT` or more, as far as can be."""
    finest = most_across(frame.width, frame.height)
    heights = [person.box.height for person in people if person.score >= COUNTED_SCORE]
    small = float(np.quantile(heights, 0.25))
    whole = small * INPUT_LENGTH / max(frame.width, frame.height)
    return next((n for n in range(2, finest) if whole / _part(n) >= SHARP_HEIGHT), finest)


def tiles(width: int, height: int, across: int) -> list[Box]:
    """`across` x `across` tiles that cover a picture of `width` x `height` pixels, in rows; neighbours overlap.

    They have the shape of the picture, so that the network for the whole takes them too.
    """
    part = _part(across)
    starts = [n * (1 - part) / (across - 1) for n in range(across)]
    return [
        Box(
            round(x * width),
            round(y * height),
            min(width, round((x + part) * width)),
            min(height, round((y + part) * height)),
        )
        for y in starts
        for x in starts
    ]


def merged(
    whole: Sequence[Person], parts: Sequence[Box], found: Sequence[Sequence[Person]], picture: Box
) -> list[Person]:
    """Each person once, of those found in the `whole` picture and in its `parts`, best first.

    Who is cut by the inner edge of a part is seen better by its neighbour or in the whole, and is taken from the
    part only where none of those knows of them. Of the others non-maximum suppression keeps the best box.
    """
    sharpest = max((person.input_scale or 0.0 for people in found for person in people), default=None)
    large = [
        person for person in whole if _seen_height(person) >= SHARP_HEIGHT and person.score >= COUNTED_SCORE
    ]
    clear: list[Person] = []
    cut: list[Person] = []
    for part, people in zip(parts, found, strict=True):
        for person in people:
            (cut if _touches(person.box, part, picture) else clear).append(person)
    clear = _best([*whole, *_not_within(clear, large)])
    people = _best([*clear, *_not_within(cut, clear)])
    return [dataclasses.replace(person, input_scale=sharpest) for person in people] if sharpest else people


def _seen_height(person: Person) -> float:
    """The height of `person` in pixels of the network's input."""
    return person.box.height * (person.input_scale or 1.0)


def _not_within(people: Sequence[Person], others: Sequence[Person]) -> list[Person]:
    """Those of `people` of whom less than `COVERED` lies in any one of `others`."""
    boxes, known = (box_array([person.box for person in group]) for group in (people, others))
    shared = shared_areas(boxes, known) / np.maximum(areas(boxes), 1.0)[:, None]
    return [
        person for person, part in zip(people, shared.max(axis=1, initial=0.0), strict=True) if part < COVERED
    ]


def _best(people: list[Person]) -> list[Person]:
    boxes = box_array([person.box for person in people])
    scores = np.array([person.score for person in people], dtype=np.float32)
    return [people[n] for n in suppress(boxes, scores, SAME_OVERLAP)]


def _touches(box: Box, part: Box, picture: Box) -> bool:
    """Whether `box` ends at an edge of `part` that is not one of the picture's."""
    near = EDGE * part.width
    return any(
        abs(side - edge) <= near and abs(edge - border) > near
        for side, edge, border in zip(box, part, picture, strict=True)
    )


def _part(across: int) -> float:
    """The part of the picture's width, and of its height, that one of `across` tiles has."""
    return (1 + (across - 1) * OVERLAP) / across


def _count(people: Sequence[Person]) -> int:
    return sum(person.score >= COUNTED_SCORE for person in people)
