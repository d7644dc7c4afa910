"""The shipped detector, of which no picture is asked twice in a run of the tests."""

import pickle
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.detector import YoloxDetector, load_detector
from tynysh.scene.person import Person


class RememberedDetector:
    """What it said of pictures of real footage is kept in `folder`, which the tests' processes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def detect(self, frame: Frame) -> Sequence[Person]:
        """People on the whole picture."""
        return self.detect_parts(frame, [Box(0, 0, frame.width, frame.height)])[0]

    def detect_parts(self, frame: Frame, parts: Sequence[Box]) -> Sequence[Sequence[Person]]:
        """People on parts of the picture."""
        kept = self._folder / sha256(frame.bgr.tobytes() + repr(parts).encode()).hexdigest()
        if not kept.exists():
            found = self._detector.detect_parts(frame, parts)
            written = kept.with_suffix(f".{id(self)}")
            written.write_bytes(pickle.dumps(found))
            written.rename(kept)
        people: Sequence[Sequence[Person]] = pickle.loads(kept.read_bytes())  # noqa: S301 - our own
        return people

    @cached_property
    def _detector(self) -> YoloxDetector:
        return load_detector()
