"""What a site says of a camera comes into its pipeline."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tynysh.behaviour.signal import Behaviour
from tynysh.crowd.grounding import NoGround, SurveyedGround
from tynysh.crowd.learning import GroundLearner
from tynysh.runtime.camera_plan import CameraPlan
from tynysh.scene.scene import Scene
from tynysh.site.yaml import parse

SITE = """\
sites:
  - name: Flame
    kind: monument
    time_zone: Asia/Almaty
    position: {latitude: 43.24, longitude: 76.89}
    country_holidays: KZ
    schedules:
      dark: {from: sunset, to: sunrise, except_holidays: true}
    cameras:
      - name: North
        main: rtsp://10.0.0.1/main
        position: {latitude: 43.24, longitude: 76.89, height: 4.5, field_of_view: 90}
        CALIBRATION
        lines: [{name: Path, from: [0.1, 0.5], to: [0.9, 0.5]}]
        zones:
          - {name: square, polygon: [[0, 0.5], [1, 0.5], [1, 1], [0, 1]], area_m2: 120, capacity: 200}
        analysers:
          intrusion: {zones: [square], schedule: dark}
"""
POINTS = (
    "calibration: {points: [{at: [0.2, 0.8], metres: [0, 0]}, {at: [0.8, 0.8], metres: [4, 0]}, "
    "{at: [0.7, 0.5], metres: [4, 8]}, {at: [0.3, 0.5], metres: [0, 8]}]}"
)


def watch(calibration: str = "calibration: automatic") -> CameraPlan:
    read = parse(SITE.replace("CALIBRATION", calibration).encode(), Path("/somewhere/site.yaml")).sites[0]
    return CameraPlan.of(read, read.cameras[0], scheduled=True)


def test_lines_and_zones_come_with_what_is_said_of_them() -> None:
    found = watch()
    assert [(line.name, line.begin, line.end) for line in found.lines] == [("Path", (0.1, 0.5), (0.9, 0.5))]
    assert [(zone.name, zone.area_m2, zone.capacity) for zone in found.zones] == [("square", 120, 200)]


@pytest.mark.parametrize(
    ("calibration", "source"),
    [("calibration: automatic", GroundLearner), ("calibration: off", NoGround), (POINTS, SurveyedGround)],
)
def test_the_ground_comes_from_where_the_site_says(calibration: str, source: type) -> None:
    assert isinstance(watch(calibration).ground_source(), source)


def test_measured_points_give_metres() -> None:
    ground = watch(POINTS).ground_source().observe(Scene(0.0, 1280, 720))
    assert ground is not None
    assert ground.trusted
    assert ground.metres_at((0.8, 0.8)) == pytest.approx((4.0, 0.0), abs=1e-6)


def test_what_is_said_of_the_camera_helps_to_learn() -> None:
    hints = watch().hints
    assert hints.height == 4.5
    assert hints.view == pytest.approx(np.pi / 2)


@pytest.mark.parametrize(
    ("local", "expected"),
    [("2026-11-22T20:00", True), ("2026-11-22T12:00", False), ("2026-12-16T20:00", False)],
)
def test_hours_go_by_the_sun_and_the_holidays_of_the_site(local: str, expected: bool) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Asia/Almaty")).timestamp()
    assert watch().on_duty(Behaviour.INTRUSION, at) is expected
    assert watch().on_duty(Behaviour.FIGHT, at)
