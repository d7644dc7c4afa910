"""A track: the same person over a few seconds on one camera."""

from dataclasses import dataclass

from tynysh.geometry import Box, Point
from tynysh.scene.person import Keypoints

SAME_INSTANT_S = 1e-3
"""Times this close are of one picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Where one person is at one instant.

    id: unique on the camera while the process lives; means nothing elsewhere.
    box: in pixels, as filtered by the tracker.
    score: of the latest detection.
    velocity: (x, y) of the box's centre, pixels per second.
    born_s: stream time at which the track began.
    seen_s: stream time of the latest detection that the track rests on.
    keypoints: of this instant, where pose was estimated.
    turned: whether the person was found in the turned picture alone, and so lies (`perception.turned`).
    fixed_since_s: since when nothing there has moved, where that is so for so long that it is rather a thing than a
        person (`perception.standstill`); the same value as long as it does not move, whatever its track is called.
    """

    id: int
    box: Box
    score: float
    velocity: Point
    born_s: float
    seen_s: float
    keypoints: Keypoints | None = None
    turned: bool = False
    fixed_since_s: float | None = None

    def seen(self, time_s: float) -> bool:
        """Whether the detector found the person at `time_s`; else the track is carried forward."""
        return time_s - self.seen_s < SAME_INSTANT_S
