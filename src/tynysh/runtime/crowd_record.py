"""The crowd on one camera: now, and minute by minute."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from tynysh.crowd.minutes import MinuteMeter, Minutes, Series
from tynysh.runtime.pipeline import Step
from tynysh.scene.crowd import CrowdState
from tynysh.scene.ground import Ground


@dataclass(frozen=True, slots=True)
class CurrentCrowd:
    """What is known of the crowd on a camera now, and where its floor is, if that is known."""

    state: CrowdState
    ground: Ground | None


class CrowdRecord:
    """Keeps what was measured of the crowd; to be asked from any thread.

    now: None before the first look of the detector and while the camera is lost.
    """

    def __init__(self, camera_id: str) -> None:
        self.now: CurrentCrowd | None = None
        self._minutes = MinuteMeter(camera_id)
        self._lock = threading.Lock()

    def take(self, step: Step) -> None:
        """Take in the crowd of a frame, or that there is no picture of one."""
        scene = step.scene
        if step.frame is None:
            self.now = None
            with self._lock:
                self._minutes.pause(scene.time_s)
        elif scene.crowd is not None:
            self.now = CurrentCrowd(scene.crowd, scene.ground)
            with self._lock:
                self._minutes.observe(scene.crowd, scene.time_s)

    def take_minutes(self, before: int) -> Mapping[Series, Minutes]:
        """What the crowd was like in the minutes before `before` (Unix time in minutes); each is given once."""
        with self._lock:
            return self._minutes.take(before)
