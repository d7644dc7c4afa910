"""Which pictures may be shown, and what in them is to be blurred: none before the detector looked again."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tynysh.evidence.anonymised import concealed, scaled_size
from tynysh.evidence.timeline import newcomers
from tynysh.geometry import Box
from tynysh.media.frame import Frame, Image

WIDTH = 640
"""Pictures that are shown are at most this wide, pixels."""

MOST_HELD = 15
"""Frames that wait for a look at most; past that the oldest is shown blurred as a whole."""

Released = tuple[Frame, Sequence[Box] | None]
"""A frame and the boxes (0..1) to blur in it; None: blur all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture that any thread may look at: converted once, in memory of its own.

    picture: (height, width, 3), blue first, read-only; nobody is blurred in it yet. people: see `Released`.
    time_s: see `Frame`.
    """

    picture: Image
    people: Sequence[Box] | None
    time_s: float

    @classmethod
    def of(cls, frame: Frame, people: Sequence[Box] | None) -> "Shown":
        """`frame` at the size at which pictures are shown; for the thread that decoded it."""
        picture = frame.bgr_resized(*scaled_size(frame, WIDTH)).copy()
        picture.flags.writeable = False
        return cls(picture, people, frame.time_s)

    def anonymised(self) -> Image:
        """A new picture with the people blurred."""
        return concealed(self.picture, self.people)


class BlurGate:
    """Holds frames back until it is known who is in them.

    Between two looks of the detector somebody may have come whom nobody knows yet. While something moves, frames
    therefore wait for the next look, a fraction of a second, and whoever that finds anew is blurred in them too.
    """

    def __init__(self) -> None:
        self._held: deque[tuple[Frame, Mapping[int, Box]]] = deque()

    def add(self, frame: Frame, boxes: Mapping[int, Box], *, sure: bool, all_frames: bool) -> list[Released]:
        """The frames that may be shown now, in order of time.

        boxes: who is known to be, or may be, in `frame`, by track id. sure: whether the detector looked at it, or
        nothing moves. all_frames: whether every frame is wanted; if not, only those that are sure are shown.
        """
        if sure:
            released: list[Released] = [
                (held, [*earlier.values(), *newcomers(boxes, earlier).values()])
                for held, earlier in self._held
            ]
            self._held.clear()
            return [*released, (frame, list(boxes.values()))]
        if not all_frames:
            self._held.clear()
            return []
        self._held.append((frame, boxes))
        if len(self._held) > MOST_HELD:
            oldest, _ = self._held.popleft()
            return [(oldest, None)]
        return []
