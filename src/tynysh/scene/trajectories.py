"""Where everybody in the picture was over the last seconds."""

from collections.abc import Mapping
from itertools import dropwhile

from tynysh.scene.scene import Feed, Scene
from tynysh.scene.trajectory import Observation, Trajectory

WINDOW_S = 4.0
LONGEST = 120
"""Observations that a trajectory keeps at most: four seconds at 30 a second."""

LATELY_S = 1.0
"""Of those not seen for longer nothing is told."""


class Trajectories:
    """The last `window_s` seconds of each track, from scenes in order of time.

    Only instants at which the person was seen count; positions that the tracker carried forward do not.
    """

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._trajectories: dict[int, Trajectory] = {}

    def observe(self, scene: Scene) -> None:
        """Take in a scene and forget what is older than the window."""
        if scene.detected and scene.feed is Feed.LIVE:
            for track in scene.seen:
                before = self._trajectories.get(track.id)
                seen = Observation(scene.time_s, track.box, track.keypoints)
                so_far = () if before is None else self._kept(scene, before)
                self._trajectories[track.id] = Trajectory((*so_far, seen)[-LONGEST:], before)
        for track_id, trajectory in list(self._trajectories.items()):
            if not self._keeps(scene, trajectory[0]):
                del self._trajectories[track_id]
                if kept := self._kept(scene, trajectory):
                    self._trajectories[track_id] = Trajectory(kept, trajectory)

    def _kept(self, scene: Scene, trajectory: Trajectory) -> tuple[Observation, ...]:
        return tuple(dropwhile(lambda one: not self._keeps(scene, one), trajectory))

    def _keeps(self, scene: Scene, observation: Observation) -> bool:
        return 0.0 <= scene.time_s - observation.time_s <= self._window_s

    def now(self, scene: Scene, within_s: float = LATELY_S) -> Mapping[int, Trajectory]:
        """Track id → trajectory, of the people seen within the last `within_s` seconds."""
        return {
            track_id: trajectory
            for track_id, trajectory in self._trajectories.items()
            if scene.time_s - trajectory.last.time_s <= within_s
        }
