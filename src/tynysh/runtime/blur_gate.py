"""Which pictures may be shown, and what in them is to be blurred: none before the detector looked again."""

from collections import deque
from collections.abc import Mapping, Sequence

from tynysh.evidence.timeline import newcomers
from tynysh.geometry import Box
from tynysh.media.frame import Frame

MOST_HELD = 15
"""Frames that wait for a look at most; past that the oldest is shown blurred as a whole."""

Released = tuple[Frame, Sequence[Box] | None]
"""A frame and the boxes (0..1) to blur in it; None: blur all of it."""


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
