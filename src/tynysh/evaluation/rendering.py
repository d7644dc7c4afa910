"""A video with what was found drawn on it, and the people blurred."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import cv2

from tynysh.behaviour import wording
from tynysh.behaviour.event import Event
from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.analysis import VideoAnalysis
from tynysh.evaluation.lettering import LINE_PX, write_line
from tynysh.evidence.anonymised import blurred, scaled_size
from tynysh.geometry import Box
from tynysh.media.encoder import ClipWriter
from tynysh.media.frame import Image
from tynysh.media.reader import VideoFile
from tynysh.translations import Language

PERSON_COLOUR = (200, 200, 200)
EVENT_COLOURS = {
    Behaviour.FIGHT: (60, 60, 230),
    Behaviour.AGGRESSION: (60, 120, 240),
    Behaviour.PERSON_DOWN: (200, 60, 200),
    Behaviour.CROWDING: (0, 190, 240),
    Behaviour.INTRUSION: (230, 160, 40),
    Behaviour.LOITERING: (200, 200, 60),
    Behaviour.CAMERA_FAULT: (160, 160, 160),
}
MOST_WIDTH = 1280


def render(video: VideoFile, analysis: VideoAnalysis, out: Path, language: Language = "en") -> None:
    """Write `video` to `out` (MP4, H.264) with people blurred and boxed and events named in `language`.

    A picture at a time when nobody looked for people is blurred as a whole: what cannot be anonymised is not
    shown. Raises MediaError where the video cannot be read or `out` cannot be written.
    """
    with ExitStack() as stack:
        writer: ClipWriter | None = None
        for frame in video.frames():
            video.set_active(True)
            width, height = size = scaled_size(frame, MOST_WIDTH)
            if writer is None:
                writer = stack.enter_context(ClipWriter(out, width, height, video.fps))
            people = analysis.people.at(frame.time_s)
            picture = blurred(frame, people, size)
            for box in people or ():
                _rectangle(picture, box.scaled(width, height), PERSON_COLOUR, 1)
            _draw_events(picture, analysis.events, frame.time_s, language)
            writer.write(picture, frame.time_s)


def _draw_events(picture: Image, events: Sequence[Event], time_s: float, language: Language) -> None:
    height, width = picture.shape[:2]
    line = 0
    for event in events:
        if not event.start_s <= time_s <= (float("inf") if event.end_s is None else event.end_s):
            continue
        colour = EVENT_COLOURS.get(event.behaviour, PERSON_COLOUR)
        if event.box is not None:
            _rectangle(picture, event.box.scaled(width, height), colour, 2)
        name = wording.name(language, event.behaviour)
        label = f"{name} {event.score:.2f}" + (f" ({event.zone})" if event.zone else "")
        if (line + 1) * LINE_PX <= height:
            write_line(picture, label, colour, 6, line * LINE_PX)
        line += 1


def _rectangle(picture: Image, box: Box, colour: tuple[int, int, int], thickness: int) -> None:
    corners = ((round(box.left), round(box.top)), (round(box.right), round(box.bottom)))
    cv2.rectangle(picture, *corners, colour, thickness)
