"""The people in a frame."""

from collections.abc import Sequence
from typing import Protocol

from tynysh.media.frame import Frame
from tynysh.perception.person import Person


class Detector(Protocol):
    """Finds people. Implementations are shared between cameras and threads."""

    def detect(self, frame: Frame) -> Sequence[Person]:
        """The people in `frame`, boxes in its pixels, best first; blocks until they are known."""
        ...
