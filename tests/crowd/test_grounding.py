"""Where a camera's ground comes from."""

import numpy as np

from tynysh.crowd.calibration import CalibrationError
from tynysh.crowd.grounding import NoGround, SurveyedGround
from tynysh.scene.ground import Ground
from tynysh.scene.scene import Scene

WIDE, NARROW = Scene(0.0, 1280, 720), Scene(1.0, 640, 480)


def test_what_was_measured_holds_while_the_camera_looks_where_it_did() -> None:
    source = SurveyedGround(lambda _aspect: Ground(np.eye(3), 0.05))
    ground = source.observe(WIDE)
    assert ground is not None
    assert source.observe(WIDE) is ground
    source.moved(away=True)
    assert source.observe(WIDE) is None
    source.moved(away=False)
    assert source.observe(WIDE) is ground


def test_it_is_found_anew_for_a_picture_of_another_shape() -> None:
    asked = []

    def survey(aspect: float) -> Ground:
        asked.append(round(aspect, 2))
        return Ground(np.eye(3), 0.05)

    source = SurveyedGround(survey)
    for scene in (WIDE, WIDE, NARROW):
        source.observe(scene)
    assert asked == [1.78, 1.33]


def test_what_cannot_be_gives_no_ground_and_stops_nothing() -> None:
    def survey(_aspect: float) -> Ground:
        raise CalibrationError("No camera sees these lengths so.")

    assert SurveyedGround(survey).observe(WIDE) is None


def test_without_any_there_is_none() -> None:
    source = NoGround()
    source.moved(away=True)
    assert source.observe(WIDE) is None
    assert source.learnt is None
