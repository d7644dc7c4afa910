"""Where is everybody in a clip? Found by looking at the clip itself."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import count

import numpy as np
from scipy.optimize import linear_sum_assignment

from tynysh.evidence.timeline import SAME_PLACE, PeopleTimeline
from tynysh.geometry import Box, areas, box_array, shared_areas
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.perception.detector import Detector, PartDetector
from tynysh.perception.tiling import most_across, tiled
from tynysh.perception.tracker import Tracker
from tynysh.perception.unmatched import unmatched_detections
from tynysh.scene.person import Person

LOOK_INTERVAL_S = 0.2
TILED_EVERY = 5
"""One look of so many is in tiles too, where the picture is sharp enough: for those whom the whole does not show."""

CARRY_S = 1.0
"""For so long before the first and after the last look that found somebody they are taken to be there still."""

SPEED = 1.5
"""Heights per second that somebody may have gone from where they were seen, or from the way between two looks."""

MOST_WAY = 0.75
"""Heights that a box is widened by at most, to either side."""

LAG_S = 3.0
"""Of two streams of a camera, one may lag the other by this much; most do by 0.2 to 3 s."""

_SAME_PERSON = 0.2
"""Part of a person's box that lies on the way of somebody of the other stream from which they may be the same."""


def look_for_people(
    video: VideoFile,
    detector: Detector,
    *,
    ways: Callable[[float, float], Sequence[Box]] | None = None,
    rest: Callable[[], object] = lambda: None,
) -> PeopleTimeline:
    """Where people are or may be in `video` (boxes in 0..1), looked for five times a second.

    Whom a look misses is put in from the looks before and after it.

    ways: the ways, in 0..1, of those whom another stream of the camera saw all the while between two times of the
    clip. Who was there for `LAG_S` before and after a look is in its picture too, however much the streams differ;
    if the look knows nobody in their place, all of their way is given. rest: called after each look.
    """
    looks: list[tuple[float, Mapping[int, Box]]] = []
    tracker, unsure = Tracker(), count(-1, -1)
    due_s, across, down = 0.0, 1.0, 1.0
    for frame in video.frames():
        if frame.time_s < due_s:
            continue
        # A tenth of tolerance for jitter.
        due_s = frame.time_s + 0.9 * LOOK_INTERVAL_S
        persons = _persons(frame, detector, in_tiles=len(looks) % TILED_EVERY == 0)
        tracks = tracker.update(persons, frame.time_s)
        boxes = {track.id: track.box for track in tracks if track.seen_s == frame.time_s}
        boxes.update(zip(unsure, unmatched_detections(persons, tracks), strict=False))
        looks.append((frame.time_s, boxes))
        across, down = 1 / frame.width, 1 / frame.height
        rest()
    people = PeopleTimeline(keep_s=float("inf"))
    for (time_s, _), filled in zip(looks, with_the_missed(looks), strict=True):
        found = {known: box.scaled(across, down) for known, box in filled.items()}
        if ways is not None:
            others = unaccounted(ways(time_s - LAG_S, time_s + LAG_S), list(found.values()))
            found.update(zip(unsure, others, strict=False))
        people.add(time_s, found)
    return people


def with_the_missed(looks: Sequence[tuple[float, Mapping[int, Box]]]) -> list[dict[int, Box]]:
    """Everybody of each look: those whom it saw, and with a margin those who were seen before and after it, or within
    `CARRY_S` of it. Nobody is carried to where that look saw somebody.

    looks: their times, in order, and the boxes of those whom each saw, by id, in pixels.
    """
    times = [time_s for time_s, _ in looks]
    seen: dict[int, list[int]] = defaultdict(list)
    for number, (_, boxes) in enumerate(looks):
        for known in boxes:
            seen[known].append(number)
    filled = [dict(boxes) for _, boxes in looks]
    for known, numbers in seen.items():
        first = bisect_left(times, times[numbers[0]] - CARRY_S)
        last = bisect_right(times, times[numbers[-1]] + CARRY_S)
        for number in sorted(set(range(first, last)).difference(numbers)):
            place = bisect_left(numbers, number)
            # The looks that found them before and after, or the one next to it.
            near = [looks[found] for found in numbers[max(0, place - 1) : place + 1]]
            sides = zip(*(boxes[known] for _, boxes in near), strict=True)
            box = Box(*(float(np.interp(times[number], [at_s for at_s, _ in near], side)) for side in sides))
            if len(near) == 2 or all(box.iou(there) < SAME_PLACE for there in looks[number][1].values()):
                way = box.height * min(MOST_WAY, SPEED * min(abs(times[number] - at_s) for at_s, _ in near))
                filled[number][known] = Box(
                    box.left - way, box.top - way / 2, box.right + way, box.bottom + way / 2
                )
    return filled


def unaccounted(ways: Sequence[Box], people: Sequence[Box]) -> list[Box]:
    """Those of `ways` on which none of `people` is, each of whom stands for one way at most."""
    boxes = box_array(people)
    shared = shared_areas(boxes, box_array(ways)) / np.maximum(areas(boxes), 1e-9)[:, None]
    rows, columns = linear_sum_assignment(shared, maximize=True)
    known = set(columns[shared[rows, columns] >= _SAME_PERSON].tolist())
    return [way for number, way in enumerate(ways) if number not in known]


def _persons(frame: Frame, detector: Detector, *, in_tiles: bool) -> Sequence[Person]:
    if in_tiles and isinstance(detector, PartDetector):
        return tiled(detector, frame, most_across(frame.width, frame.height))[0]
    return detector.detect(frame)
