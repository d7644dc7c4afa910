"""`--counts` writes how many people are where, once a second, as everything else has it."""

import csv
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.crowd.composites import read_counts
from tests.drawn_videos import Tynysh
from tests.remembered import RememberedDetector

from tynysh.evaluation.analysis import analyse_video
from tynysh.evaluation.counts import COLUMNS, CountLog
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Step
from tynysh.scene.crowd import PICTURE, CrowdState, Estimate, PlaceCrowd
from tynysh.scene.scene import Scene


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def step(time_s: float, *places: PlaceCrowd) -> Step:
    crowd = CrowdState(time_s, places) if places else None
    return Step(
        Scene(time_s, 100, 100, crowd=crowd), frame=None, to_blur={}, signals=(), events=(), swept_alarms={}
    )


def people(number: float, name: str = PICTURE, density: float | None = None) -> PlaceCrowd:
    return PlaceCrowd(
        name,
        Estimate(number, number - 1, number + 1.5),
        density=None if density is None else Estimate(density, density, density),
    )


def test_each_second_has_what_was_last_known() -> None:
    log = CountLog()
    for time_s, number in ((0.0, 1), (0.8, 2), (1.0, 3), (1.2, 4), (4.5, 5)):
        log.observe(step(time_s, people(number)))
    found = rows(log.text(6.2))
    assert [row["time_s"] for row in found] == ["0", "1", "2", "3", "4", "5", "6"]
    assert [row["count"] for row in found] == ["1", "3", "4", "4", "4", "5", "5"]


def test_before_anything_was_known_the_first_figures_stand() -> None:
    log = CountLog()
    log.observe(step(1.4))
    log.observe(step(1.6, people(2)))
    assert [row["count"] for row in rows(log.text(3.0))] == ["2", "2", "2"]


def test_zones_follow_the_picture_and_density_is_empty_where_it_is_not_known() -> None:
    log = CountLog()
    log.observe(step(0.0, people(12), people(2, "The square, north", density=0.12345)))
    whole, zone = rows(log.text(0.5))
    assert tuple(whole) == COLUMNS
    assert whole == {
        "time_s": "0",
        "zone": "picture",
        "count": "12",
        "low": "11",
        "high": "13.5",
        "density": "",
    }
    assert (zone["zone"], zone["density"]) == ("The square, north", "0.123")


def test_a_video_in_which_nothing_was_analysed_has_only_the_heading() -> None:
    assert CountLog().text(10.0) == "time_s,zone,count,low,high,density\n"


def test_the_command_writes_every_second_of_the_picture_and_of_each_zone(
    street: Path, street_site: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    out = tmp_path / "counts.csv"
    result = tynysh("analyze", street, "--site", street_site, "--camera", "north", "--json", "--counts", out)
    assert result.code == 0
    found = rows(out.read_text())
    assert [(row["time_s"], row["zone"]) for row in found] == [
        (str(second), zone) for second in range(8) for zone in ("picture", "gate")
    ]
    assert {row["count"] for row in found} == {"1"}


def test_two_outputs_cannot_be_one_file(street: Path, tmp_path: Path, tynysh: Tynysh) -> None:
    out = tmp_path / "out"
    result = tynysh("analyze", street, "--counts", out, "--tracks", out)
    assert result.code == 2
    assert "same file" in result.err


@pytest.mark.footage
@pytest.mark.slow
def test_the_square_is_counted_to_half_a_person(vtest: Path, square_detector: RememberedDetector) -> None:
    """Against counts by eye; the band is to hold nine in ten of them."""
    networks = Networks(detector=square_detector, pose=None)  # type: ignore[arg-type]
    log = CountLog()
    pipeline = build_pipeline(CameraPlan(analysers={}), networks, ids=Random(0))
    video = analyse_video(VideoFile(vtest), pipeline, on_step=log.observe)
    counted = {
        int(row["time_s"]): row for row in rows(log.text(video.duration_s)) if row["zone"] == "picture"
    }
    assert list(counted) == list(range(80))
    truth = {frame // 10: known.people for frame, known in read_counts().items()}
    assert len(truth) == 40
    errors = [abs(float(counted[second]["count"]) - number) for second, number in truth.items()]
    held = [
        float(counted[second]["low"]) <= number <= float(counted[second]["high"])
        for second, number in truth.items()
    ]
    assert np.mean(errors) <= 0.5
    assert np.mean(held) >= 0.9
