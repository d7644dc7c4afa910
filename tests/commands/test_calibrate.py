"""`tynysh calibrate` on real video: PETS 2009 S2.L1, whose camera was surveyed."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.remembered import RememberedDetector

from tynysh.commands.calibrate import calibrate
from tynysh.crowd.camera_pose import CameraPose
from tynysh.errors import UsageError
from tynysh.perception.detector import Detector
from tynysh.scene.ground import Ground

# The published calibration of view 1 (Tsai's model), put into ours: 7.07 m above the floor, 16.5° down, leaning -3.1°,
# focal length 1190 of 576 pixels.
SURVEYED = CameraPose(focal=2.066, tilt=np.radians(16.5), roll=np.radians(-3.1), height=7.07)
ASPECT = 768 / 576


@pytest.mark.footage
def test_the_floor_of_real_video_is_learnt_to_what_is_told(
    vtest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    square_detector: RememberedDetector,
    seen_by: Callable[[Detector], None],
) -> None:
    seen_by(square_detector)
    assert calibrate(vtest, grid=tmp_path / "grid.png") == 0
    output = capsys.readouterr().out
    error = int(re.search(r"lengths on the floor: (\d+)%", output)[1]) / 100
    assert error <= 0.15
    assert "alarms in metres on" in output
    corners = re.findall(r"at: \[([\d.]+), ([\d.]+)\], metres: \[([-\d.]+), ([-\d.]+)\]", output)
    assert len(corners) == 4
    at, metres = np.split(np.array(corners, dtype=float), 2, axis=1)
    true = SURVEYED.ground(ASPECT, 0.0).metres(at)
    first, second = np.triu_indices(4, 1)
    ratios = np.hypot(*(metres[first] - metres[second]).T) / np.hypot(*(true[first] - true[second]).T)
    assert np.sqrt(np.mean(np.log(ratios) ** 2)) < 3 * error
    picture = cv2.imread(str(tmp_path / "grid.png"))
    assert picture.shape == (576, 768, 3)


@pytest.mark.footage
def test_what_the_site_measured_is_checked(
    vtest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = np.array([[0.2, 0.9], [0.8, 0.9], [0.75, 0.5], [0.25, 0.5]])
    metres = SURVEYED.ground(ASPECT, 0.0).metres(at)
    points = ", ".join(
        f"{{at: [{x}, {y}], metres: [{across:.2f}, {ahead:.2f}]}}"
        for (x, y), (across, ahead) in zip(at.tolist(), metres.tolist(), strict=True)
    )
    site = tmp_path / "site.yaml"
    site.write_text(
        "sites:\n  - name: Campus\n    kind: park\n    time_zone: Europe/London\n    cameras:\n"
        f"      - name: View 1\n        main: {vtest}\n        calibration: {{points: [{points}]}}\n",
        encoding="utf-8",
    )
    assert calibrate(vtest, site) == 0
    output = capsys.readouterr().out
    assert "Measured points: off by 0.00%" in output
    assert "alarms in metres on" in output


def test_a_grid_that_cannot_be_a_picture_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no picture"):
        calibrate(tmp_path / "none.avi", grid=tmp_path / "grid.pdf")


def test_the_threshold_is_where_alarms_in_metres_begin() -> None:
    assert Ground(np.eye(3), 0.15).trusted
    assert not Ground(np.eye(3), 0.16).trusted
