"""Scenes built by hand: people as boxes, or as drawn skeletons where pose matters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from tynysh.behaviour import registry
from tynysh.behaviour.analyser import Analyser
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.demo.figure import BodyAction, BodyPose, joints, pose
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.clip_classification import ClipClassifier, FightClassifier
from tynysh.perception.stage import picture_stages
from tynysh.scene.clip import ClipScore
from tynysh.scene.person import Keypoints
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track
from tynysh.scene.trajectories import Trajectories
from tynysh.scene.zone import Zone

WIDTH, HEIGHT = 1000, 600
H = 100.0
SUSPICIOUS_LOOK = ClipScore(0.0, 0.5, Box(0.0, 0.0, 1.0, 1.0))
"""What the network says where there may be violence: without it, aggression is not told."""

LEFT_HALF = Zone("left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)), kind="protected")


def standing(track_id: int, x: float, time_s: float, **changes: object) -> Track:
    """Somebody upright, `H` tall, with the feet at (x, 400)."""
    return boxed(track_id, Box(x - 18, 400 - H, x + 18, 400), time_s, **changes)


def boxed(track_id: int, box: Box, time_s: float, **changes: object) -> Track:
    values: dict[str, object] = {
        "id": track_id,
        "box": box,
        "score": 0.9,
        "velocity": (0.0, 0.0),
        "born_s": 0.0,
        "seen_s": time_s,
    }
    return Track(**(values | changes))  # type: ignore[arg-type]


def posed(
    track_id: int,
    action: BodyAction,
    x: float,
    time_s: float,
    *,
    begun_s: float = 0.0,
    facing: int = 1,
    travelled=0.0,
) -> Track:
    """Somebody with a skeleton, `time_s - begun_s` seconds into an action."""
    return drawn(track_id, pose(action, time_s - begun_s, travelled), x, time_s, facing=facing)


def drawn(
    track_id: int,
    stance: BodyPose,
    x: float,
    time_s: float,
    *,
    facing: int = 1,
    lift: float = 0.0,
    tall: float = H,
) -> Track:
    """Somebody in a pose of the test's own, `lift` body heights off the ground."""
    skeleton = joints(stance)
    keypoints: Keypoints = np.ones((26, 3), dtype=np.float32) * 0.9
    keypoints[:, 0] = x + facing * tall * skeleton[:, 0]
    keypoints[:, 1] = 400 - tall * (skeleton[:, 1] + lift)
    left, top = keypoints[:, :2].min(axis=0)
    right, bottom = keypoints[:, :2].max(axis=0)
    return boxed(track_id, Box(left - 6, top - 3, right + 6, bottom), time_s, keypoints=keypoints)


def scene(
    time_s: float, tracks: Sequence[Track] = (), zones: Sequence[Zone] = (), **changes: object
) -> Scene:
    values: dict[str, object] = {
        "time_s": time_s,
        "width": WIDTH,
        "height": HEIGHT,
        "tracks": tuple(tracks),
        "zones": tuple(zones),
    }
    return Scene(**(values | changes))  # type: ignore[arg-type]


def times(start_s: float, end_s: float, step_s: float = 0.1) -> list[float]:
    return [round(start_s + step_s * step, 3) for step in range(round((end_s - start_s) / step_s))]


Shown = tuple[Scene, Frame | None]
"""A scene and its picture; None while the camera is lost."""


class Looking:
    """An analyser behind the stages that look at pictures for it."""

    def __init__(
        self, behaviour: Behaviour, settings: AnalyserSettings, classifier: ClipClassifier | None = None
    ) -> None:
        self._analyser = registry.create(behaviour, settings)
        self._stages = picture_stages(registry.needs({behaviour: settings}), classifier or FightClassifier())
        self._trajectories = Trajectories()

    def observe(self, scene: Scene, frame: Frame | None) -> Sequence[Signal]:
        scene = with_trajectories(scene, self._trajectories)
        for stage in self._stages:
            scene = stage.observe(scene, frame)
        return self._analyser.observe(scene)

    def watch(self, shown: Iterable[Shown]) -> list[Signal]:
        """All signals, in order."""
        return [signal for scene, frame in shown for signal in self.observe(scene, frame)]


def watch(analyser: Analyser, scenes: Iterable[Scene]) -> list[Signal]:
    """All signals, in order."""
    return [signal for one in followed(scenes) for signal in analyser.observe(one)]


def followed(scenes: Iterable[Scene]) -> Iterator[Scene]:
    """The scenes, with where people were before, as a pipeline gives them to analysers."""
    trajectories = Trajectories()
    return (with_trajectories(one, trajectories) for one in scenes)


def with_trajectories(scene: Scene, trajectories: Trajectories) -> Scene:
    """The scene, with where its people were before according to `trajectories`, which then know of it too."""
    trajectories.observe(scene)
    return replace(scene, trajectories=trajectories.now(scene))


def scores(signals: Iterable[Signal]) -> list[float]:
    return [signal.score for signal in signals]
