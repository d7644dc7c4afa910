"""Which anonymised pictures show what is judged in a recording?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tynysh.behaviour.event import Phase
from tynysh.evaluation.labels import Label
from tynysh.evidence.anonymised import blurred, scaled_size
from tynysh.runtime.blur_gate import BlurGate
from tynysh.runtime.live_view import jpeg
from tynysh.runtime.pipeline import Step

STILL_WIDTH = 640
MOST_STILLS = 60
"""Pictures of events that are kept of one recording at most, those of the highest scores; of labels as many."""

NEAR_S = 1.0
"""A picture may be taken so long after it was asked for: until the detector has looked."""


@dataclass(frozen=True, slots=True)
class Still:
    """An anonymised picture of `time_s`: JPEG of `width` x `height` pixels."""

    __pydantic_config__: ClassVar = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    time_s: float
    width: int
    height: int
    jpeg: bytes


class StillCamera:
    """Takes anonymised pictures: of labels at half of their time, of events at their highest score.

    A picture waits until it is known who is in it, as live pictures do (`runtime.blur_gate`); if that takes longer than
    `NEAR_S`, it is not taken: what cannot be anonymised is not shown.
    """

    def __init__(self, labels: Sequence[Label]) -> None:
        self._blur_gate = BlurGate()
        halves = [(label.start_s + label.end_s) / 2 for label in labels]
        # Evenly over all of them, where they are too many.
        thin = max(1, -(-len(halves) // MOST_STILLS))
        self._due = sorted(halves)[::thin]
        self._of_labels: list[Still] = []
        self._wanted: dict[str, tuple[float, float]] = {}
        self._best: dict[str, float] = {}
        self._of_events: dict[str, tuple[float, Still]] = {}

    def take(self, step: Step) -> None:
        """See one step, and take the pictures that are due."""
        scene = step.scene
        for event in step.events:
            if event.phase is not Phase.ENDED and event.score > self._best.get(event.id, 0.0):
                self._best[event.id] = event.score
                self._wanted[event.id] = (scene.time_s, event.score)
            elif event.phase is Phase.ENDED:
                self._best.pop(event.id, None)
        if step.frame is None:
            return
        sure = scene.detected or not scene.motion.moving
        for frame, people in self._blur_gate.add(step.frame, step.to_blur, sure=sure, all_frames=False):
            while self._due and self._due[0] < scene.time_s - NEAR_S:
                self._due.pop(0)
            of_label = bool(self._due) and self._due[0] <= scene.time_s
            wanted = {
                event: score
                for event, (since_s, score) in self._wanted.items()
                if scene.time_s - since_s <= NEAR_S
            }
            self._wanted.clear()
            if not of_label and not wanted:
                return
            size = scaled_size(frame, STILL_WIDTH)
            still = Still(frame.time_s, *size, jpeg(blurred(frame, people, size)))
            if of_label:
                self._due = [due for due in self._due if due > scene.time_s]
                self._of_labels.append(still)
            self._of_events.update((event, (score, still)) for event, score in wanted.items())
            if len(self._of_events) > MOST_STILLS:
                del self._of_events[min(self._of_events, key=lambda event: self._of_events[event][0])]

    def stills(self) -> tuple[Still, ...]:
        """All that were taken and are kept, in order of time."""
        by_time = {still.time_s: still for still in self._of_labels}
        by_time.update((still.time_s, still) for _, still in self._of_events.values())
        return tuple(by_time[time_s] for time_s in sorted(by_time))
