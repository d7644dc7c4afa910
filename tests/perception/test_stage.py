"""Pictures are looked at where an analyser needs what they show, and behaviours are handed none."""

import subprocess
import sys

import pytest

from tynysh.perception.clip_classification import ClipClassification, FightClassifier
from tynysh.perception.object_surface import ObjectSurfaces
from tynysh.perception.stage import picture_stages
from tynysh.perception.view.inspection import ViewInspection
from tynysh.scene.need import Need


@pytest.mark.parametrize(
    ("needs", "kinds"),
    [
        ({Need.POSE}, []),
        ({Need.CLIP_SCORES}, [ClipClassification]),
        ({Need.STEERED_VIEW}, [ViewInspection]),
        (set(Need), [ClipClassification, ViewInspection, ObjectSurfaces]),
    ],
)
def test_a_camera_has_the_stages_that_its_analysers_need(needs: set[Need], kinds: list[type]) -> None:
    assert [type(stage) for stage in picture_stages(needs, FightClassifier())] == kinds


def test_behaviours_know_neither_pictures_nor_networks_nor_what_looks_at_them() -> None:
    program = (
        "import sys, tynysh.behaviour.registry; "
        "sys.exit(any(name in sys.modules for name in ('cv2', 'openvino', 'tynysh.media.frame', 'tynysh.perception')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
