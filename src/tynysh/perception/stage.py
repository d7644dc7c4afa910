"""Which stages look at a camera's pictures, given what its analysers need of their scenes?"""

from collections.abc import Set as AbstractSet
from typing import Protocol

from tynysh.media.frame import Frame
from tynysh.perception.clip_classification import ClipClassification, ClipClassifier
from tynysh.perception.object_surface import ObjectSurfaces
from tynysh.perception.view.inspection import ViewInspection
from tynysh.scene.need import Need
from tynysh.scene.scene import Scene


class PictureStage(Protocol):
    """Looks at one camera's pictures in order of time, and adds to the scene what it finds; it depends on nothing else.

    Whoever comes after it is handed what was found, and no picture.
    """

    def observe(self, scene: Scene, frame: Frame | None) -> Scene:
        """`scene` with what is found in its picture; `frame` is None while the camera is lost."""
        ...


def picture_stages(needs: AbstractSet[Need], classifier: ClipClassifier) -> tuple[PictureStage, ...]:
    """New stages for one camera. classifier: of clips, shared by all cameras."""
    stages: list[PictureStage] = []
    if Need.CLIP_SCORES in needs:
        stages.append(ClipClassification(classifier))
    if needs & {Need.VIEW, Need.STEERED_VIEW}:
        stages.append(ViewInspection(steered=Need.STEERED_VIEW in needs))
    if Need.SURFACES in needs:
        stages.append(ObjectSurfaces())
    return tuple(stages)
