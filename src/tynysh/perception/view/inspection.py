"""The stage that tells of each picture whether the camera shows the view that it is there for."""

from dataclasses import replace

from tynysh.media.frame import Frame
from tynysh.perception.view.health import HEALTHY, Condition, PictureHealth
from tynysh.perception.view.stillness import Stillness
from tynysh.scene.scene import Scene
from tynysh.scene.view import View

COMPARE_S = 0.6
"""Pictures are compared with the usual view so often; whether they stand still, is seen on each."""


class ViewInspection:
    """Adds `View` to the scenes of one camera. steered: whether the camera is steered (PTZ)."""

    def __init__(self, *, steered: bool = False) -> None:
        self._health = PictureHealth(steered=steered)
        self._stillness = Stillness()
        self._compared_s = float("-inf")
        self._condition: Condition = HEALTHY

    def observe(self, scene: Scene, frame: Frame | None) -> Scene:
        """`scene` with what is the matter with its picture."""
        if frame is None:
            self._stillness.forget()
            return scene
        keys = None if scene.stream is None else scene.stream.keys
        self._stillness.observe(frame.luma, scene.time_s, keys=keys)
        due = not 0.0 <= scene.time_s - self._compared_s < 0.9 * COMPARE_S
        if due:
            self._compared_s = scene.time_s
            self._condition = self._health.observe(frame.luma, scene.time_s)
        view = View(
            fault=self._condition.fault,
            other_scene=self._condition.other_scene,
            dimmed=self._health.dimmed,
            compared=due,
            same_since_s=self._stillness.since_s,
            noisy=self._stillness.noisy,
        )
        return replace(scene, view=view)
