"""Where the people of one camera were in the last minutes, for clips of it."""

import threading

from tynysh.evidence.timeline import PeopleTimeline
from tynysh.runtime.pipeline import Step


class PeopleRecord:
    """Keeps the boxes of those who are to be blurred, frame by frame; to be asked from any thread."""

    def __init__(self) -> None:
        self._timeline = PeopleTimeline()
        self._lock = threading.Lock()

    def take(self, step: Step) -> None:
        """Take in who is in a frame."""
        if step.frame is not None:
            scene = step.scene
            with self._lock:
                self._timeline.add(
                    scene.time_s, step.to_blur, still=not scene.motion.moving, looked=scene.detected
                )

    def between(self, start_s: float, end_s: float) -> PeopleTimeline:
        """Where people were in a stretch of time."""
        with self._lock:
            return self._timeline.between(start_s, end_s)
