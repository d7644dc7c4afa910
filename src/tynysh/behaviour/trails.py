"""Where each person was over the last seconds."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from tynysh.behaviour.scene import Feed, Scene
from tynysh.geometry import Box
from tynysh.perception.person import Keypoints

SAME_INSTANT_S = 1e-3
LONGEST = 120
"""Glimpses that a trail keeps at most: four seconds at 30 a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """One person at one instant at which it was seen: box and keypoints in pixels."""

    time_s: float
    box: Box
    keypoints: Keypoints | None = None


Trail = tuple[Glimpse, ...]
"""One person's glimpses, in order of time."""


class Trails:
    """The last `window_s` seconds of each track, from scenes in order of time.

    Only instants at which the person was seen count; positions that the tracker carried forward do not.
    """

    def __init__(self, window_s: float = 4.0) -> None:
        self._window_s = window_s
        self._glimpses: dict[int, deque[Glimpse]] = {}

    def observe(self, scene: Scene) -> None:
        """Take in a scene and forget what is older than the window."""
        if scene.detected and scene.feed is Feed.LIVE:
            for track in scene.tracks:
                if scene.time_s - track.seen_s > SAME_INSTANT_S:
                    continue
                trail = self._glimpses.setdefault(track.id, deque(maxlen=LONGEST))
                trail.append(Glimpse(scene.time_s, track.box, track.keypoints))
        for track_id, trail in list(self._glimpses.items()):
            while trail and not 0.0 <= scene.time_s - trail[0].time_s <= self._window_s:
                trail.popleft()
            if not trail:
                del self._glimpses[track_id]

    def now(self, scene: Scene, within_s: float = 1.0) -> Mapping[int, Trail]:
        """Track id → trail, of the people seen within the last `within_s` seconds."""
        return {
            track_id: tuple(trail)
            for track_id, trail in self._glimpses.items()
            if scene.time_s - trail[-1].time_s <= within_s
        }
