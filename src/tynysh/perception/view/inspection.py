"""The stage that tells of each picture whether the camera shows the view that it is there for."""

from dataclasses import replace

from tynysh.media.frame import Frame
from tynysh.perception.view.health import HEALTHY, PictureHealth
from tynysh.perception.view.stillness import Stillness
from tynysh.scene.scene import Scene

COMPARE_S, EARLY_S = 0.6, 0.06
"""Pictures are compared with the usual view so often, or by so much sooner, for they do not come exactly then; whether
they stand still, is seen on each."""


class ViewInspection:
    """Adds `View` to the scenes of one camera. steered: whether the camera is steered (PTZ)."""

    def __init__(self, *, steered: bool = False) -> None:
        self._health = PictureHealth(steered=steered)
        self._stillness = Stillness()
        self._compared_s = float("-inf")
        self._view = HEALTHY

    def observe(self, scene: Scene, frame: Frame | None) -> Scene:
        """`scene` with what is the matter with its picture."""
        if frame is None:
            self._stillness.forget()
            return scene
        keys = None if scene.stream is None else scene.stream.keys
        self._stillness.observe(frame.luma, scene.time_s, keys=keys, overlay=scene.motion.overlay)
        due = not 0.0 <= scene.time_s - self._compared_s < COMPARE_S - EARLY_S
        if due:
            self._compared_s = scene.time_s
            self._view = self._health.observe(frame.luma, scene.time_s)
        view = replace(
            self._view,
            compared=due,
            same_since_s=self._stillness.since_s,
            noisy=self._stillness.noisy,
        )
        return replace(scene, view=view)
