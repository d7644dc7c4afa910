"""A recorded clip with the people in it blurred: what operators are shown."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from tynysh.evidence.timeline import PeopleTimeline
from tynysh.geometry import Box
from tynysh.media.encoder import ClipWriter
from tynysh.media.frame import Frame, Image
from tynysh.media.reader import VideoFile
from tynysh.perception.anonymiser import anonymise
from tynysh.perception.detector import Detector
from tynysh.perception.tracker import Tracker
from tynysh.perception.unmatched import unmatched_detections
from tynysh.scene.person import Person

MOST_WIDTH = 960
LOOK_INTERVAL_S = 0.2
ENOUGH = 0.98
"""A timeline that covers this part of a clip is enough; the rest is blurred as a whole."""


def scaled_size(frame: Frame, most_width: int) -> tuple[int, int]:
    """Width and height of `frame` at most `most_width` wide, even, as H.264 in 4:2:0 needs them."""
    scale = min(1.0, most_width / frame.width)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
    return width, height


def blurred(frame: Frame, people: Sequence[Box] | None, size: tuple[int, int]) -> Image:
    """`frame` at `size` (width, height) with `people` (boxes in 0..1) blurred; all of it if they are unknown."""
    return concealed(frame.bgr_resized(*size), people)


def concealed(picture: Image, people: Sequence[Box] | None) -> Image:
    """A copy of `picture` with `people` (boxes in 0..1) blurred; all of it if they are unknown."""
    height, width = picture.shape[:2]
    known = None if people is None else [Person(box.scaled(width, height), score=1.0) for box in people]
    return anonymise(picture.copy(), known)


def write_anonymised(
    original: Path, out: Path, *, people_at: Callable[[float], Sequence[Box] | None], detector: Detector
) -> None:
    """Write `original` to `out` (MP4, H.264) with the people blurred.

    people_at: the people's boxes (0..1) at seconds since the original's start, None where unknown; if it leaves
    too much unknown, `detector` looks itself. What stays unknown is blurred as a whole. Raises MediaError.
    """
    video = VideoFile(original)
    times = video.frame_times
    known = sum(people_at(float(time_s)) is not None for time_s in times)
    if known < ENOUGH * len(times):
        found = look_for_people(VideoFile(original), detector)
        people_at = _either(people_at, found.at)
    with ExitStack() as stack:
        writer: ClipWriter | None = None
        for frame in video.frames():
            size = scaled_size(frame, MOST_WIDTH)
            if writer is None:
                writer = stack.enter_context(ClipWriter(out, *size, video.fps))
            writer.write(blurred(frame, people_at(frame.time_s), size), frame.time_s)


def look_for_people(video: VideoFile, detector: Detector) -> PeopleTimeline:
    """Where people are or may be in `video`, looked for five times a second."""
    people = PeopleTimeline(keep_s=float("inf"))
    tracker = Tracker()
    due_s = 0.0
    unsure = count(-1, -1)
    for frame in video.frames():
        if frame.time_s < due_s:
            continue
        due_s = frame.time_s + LOOK_INTERVAL_S
        persons = detector.detect(frame)
        tracks = tracker.update(persons, frame.time_s)
        boxes = {track.id: track.box for track in tracks}
        boxes.update(zip(unsure, unmatched_detections(persons, tracks), strict=False))
        across, down = 1 / frame.width, 1 / frame.height
        people.add(frame.time_s, {known: box.scaled(across, down) for known, box in boxes.items()})
    return people


def _either(
    first: Callable[[float], Sequence[Box] | None], second: Callable[[float], Sequence[Box] | None]
) -> Callable[[float], Sequence[Box] | None]:
    def both(time_s: float) -> Sequence[Box] | None:
        one, other = first(time_s), second(time_s)
        if one is None or other is None:
            return one if other is None else other
        return [*one, *other]

    return both
