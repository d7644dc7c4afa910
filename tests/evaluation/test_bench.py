"""`tynysh bench` says what a second of video costs, under names that stay."""

import json
import time
from pathlib import Path

import pytest
from tests.drawn_videos import Tynysh

from tynysh.evaluation.bench import decode_alone
from tynysh.runtime.meter import CpuMeter


def test_figures_come_as_json(street: Path, street_site: Path, tynysh: Tynysh) -> None:
    result = tynysh("bench", street, "--site", street_site, "--camera", "north", "--json")
    assert (result.code, result.err) == (0, "")
    figures = json.loads(result.out)
    assert figures["video_s"] == pytest.approx(8.0, abs=0.01)
    assert figures["decode_cpu_ms_per_video_s"] > 0.0
    stages = figures["stages"]
    assert {"decode", "motion", "detector", "tracker", "behaviour", "other"} <= set(stages)
    assert sum(stages.values()) == pytest.approx(figures["total_cpu_ms_per_video_s"], abs=0.2)
    assert 50 < figures["peak_rss_mb"] < 8000
    assert figures["calls"]["motion"] == 80
    assert 1 <= figures["calls"]["detector"] <= 80
    assert figures["events"] >= 1
    assert 0.0 < figures["onset_to_event_s"]["median"] <= figures["onset_to_event_s"]["max"] < 8.0


def test_figures_come_as_a_table(street: Path, tynysh: Tynysh) -> None:
    result = tynysh("bench", street)
    assert result.code == 0
    for name in ("detector", "decoding alone", "in all", "peak memory"):
        assert name in result.out


def test_decoding_alone_knows_the_length_of_the_video(street: Path) -> None:
    cpu_s, length_s = decode_alone(street)
    assert cpu_s > 0
    assert length_s == pytest.approx(8.0, abs=0.01)


def test_a_stage_is_charged_for_its_cpu_time_and_not_for_waiting() -> None:
    meter = CpuMeter()
    with meter.stage("waiting"):
        time.sleep(0.1)
    with meter.stage("working"):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
    with pytest.raises(ZeroDivisionError), meter.stage("working"):
        raise ZeroDivisionError
    assert meter.cpu_s["waiting"] < 0.05 <= meter.cpu_s["working"]
    assert meter.calls == {"waiting": 1, "working": 2}
