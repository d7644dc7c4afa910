"""A recorded clip with the people in it blurred: what operators are shown."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tynysh.evidence.look import look_for_people
from tynysh.geometry import Box
from tynysh.media.encoder import ClipWriter
from tynysh.media.frame import Frame, Image
from tynysh.media.reader import VideoFile
from tynysh.perception.anonymiser import anonymise
from tynysh.perception.detector import Detector
from tynysh.scene.person import Person

MOST_WIDTH = 960
ENOUGH = 0.98
"""A timeline that covers this part of a clip is enough; the rest is blurred as a whole."""

REST_EVERY = 50
"""Frames that are written between two rests."""


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
    original: Path,
    out: Path,
    *,
    detector: Detector,
    people_at: Callable[[float], Sequence[Box] | None] | None = None,
    ways: Callable[[float, float], Sequence[Box]] | None = None,
    rest: Callable[[], object] = lambda: None,
) -> None:
    """Write `original` to `out` (MP4, H.264) with the people blurred.

    people_at: the boxes (0..1) of the people in these very pictures at seconds since the original's start, None where
    unknown. If it leaves too much unknown, or nothing is known of these pictures, `detector` looks for itself (see
    `look_for_people`, also for `ways`). What stays unknown is blurred as a whole. rest: called between looks and
    now and then while writing, to let others work; what it raises ends the work. Raises MediaError.
    """
    video = VideoFile(original)
    times = video.frame_times
    known = 0 if people_at is None else sum(people_at(float(time_s)) is not None for time_s in times)
    if people_at is None or known < ENOUGH * len(times):
        found = look_for_people(VideoFile(original), detector, ways=ways, rest=rest)
        people_at = found.at if people_at is None else _either(people_at, found.at)
    with ExitStack() as stack:
        writer: ClipWriter | None = None
        for number, frame in enumerate(video.frames()):
            if number % REST_EVERY == REST_EVERY - 1:
                rest()
            size = scaled_size(frame, MOST_WIDTH)
            if writer is None:
                writer = stack.enter_context(ClipWriter(out, *size, video.fps))
            writer.write(blurred(frame, people_at(frame.time_s), size), frame.time_s)


def _either(
    first: Callable[[float], Sequence[Box] | None], second: Callable[[float], Sequence[Box] | None]
) -> Callable[[float], Sequence[Box] | None]:
    def both(time_s: float) -> Sequence[Box] | None:
        one, other = first(time_s), second(time_s)
        if one is None or other is None:
            return one if other is None else other
        return [*one, *other]

    return both
