"""For how long was a camera watched, and what would other thresholds have raised meanwhile?"""

import threading
from dataclasses import dataclass, field

from tynysh.behaviour.events import LONGEST_GAP_S
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import Counts
from tynysh.runtime.pipeline import Step


@dataclass(slots=True)
class Watched:
    """seconds: for how long a camera was watched. swept_alarms: what other thresholds would have raised."""

    seconds: float = 0.0
    swept_alarms: dict[Behaviour, Counts] = field(default_factory=dict)


class WatchRecord:
    """Adds up what was watched, until it is taken; from any thread."""

    def __init__(self) -> None:
        self._watched = Watched()
        self._until_s: float | None = None
        self._lock = threading.Lock()

    def take(self, step: Step) -> None:
        """Take in a frame that was analysed, and what was counted at it."""
        time_s = step.scene.time_s
        with self._lock:
            if step.frame is not None:
                if self._until_s is not None and 0.0 <= time_s - self._until_s <= LONGEST_GAP_S:
                    self._watched.seconds += time_s - self._until_s
                self._until_s = time_s
            counted = self._watched.swept_alarms
            for behaviour, counts in step.swept_alarms.items():
                counted[behaviour] = counted.get(behaviour, 0) + counts

    def take_watched(self) -> Watched:
        """What was watched since the last call."""
        with self._lock:
            watched, self._watched = self._watched, Watched()
        return watched
