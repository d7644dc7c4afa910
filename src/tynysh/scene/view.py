"""Whether the camera shows the view that it is there for."""

from dataclasses import dataclass

from tynysh.scene.fault import CameraFault


@dataclass(frozen=True, slots=True)
class View:
    """What is the matter with the picture.

    fault: what the last comparison with the usual view found; None where nothing is the matter.
    other_scene: whether a wrong picture is a scene, and no colour bars or slate.
    dimmed: whether the picture has less contrast than the view usually has.
    compared: whether that comparison was made at this instant.
    same_since_s: since when the same picture has come over and over; None while it changes.
    noisy: whether the camera's pictures usually change all over, as a sensor's noise makes them.
    """

    fault: CameraFault | None = None
    other_scene: bool = False
    dimmed: bool = False
    compared: bool = True
    same_since_s: float | None = None
    noisy: bool = False
