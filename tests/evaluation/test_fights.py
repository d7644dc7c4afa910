"""Labelled clips in, honest figures out; what is wrong with the list is told by line."""

import json
import re
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest

from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.fight import FightAnalyser, FightSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.signals import SignalMaker
from tynysh.cli import run_command
from tynysh.evaluation.csv_input import ListError
from tynysh.evaluation.fight_report import page
from tynysh.evaluation.fights import LabelledClip, Report, ScoredClip, evaluate, read_clips
from tynysh.perception.clip_classification import ClipClassification
from tynysh.perception.schedule import DetectionSchedule
from tynysh.perception.tiling import TiledDetector
from tynysh.runtime.perception import Perception
from tynysh.runtime.pipeline import Pipeline
from tynysh.translations import LANGUAGES


class Brightness:
    """Takes bright pictures for fights."""

    def probability(self, pictures: np.ndarray, people: int = 2) -> float:
        return float(pictures.mean()) / 255.0


class Nobody:
    """A detector that sees no one."""

    def detect(self, frame: object) -> list[object]:
        return []


def pipeline() -> Pipeline:
    settings = FightSettings()
    return Pipeline(
        Perception(
            TiledDetector(Nobody()),  # type: ignore[arg-type]
            DetectionSchedule(),
            pose=None,
            stages=[ClipClassification(Brightness())],
        ),
        SignalMaker([FightAnalyser(settings)]),
        EventMaker({Behaviour.FIGHT: Rule.of(settings)}, ids=Random(0)),
    )


def film(path: Path, brightness: int) -> None:
    """Two seconds of a square that moves."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(50):
            picture = np.full((240, 320, 3), brightness, np.uint8)
            x = 20 + 20 * (index % 10)
            picture[80:160, x : x + 60] = 128
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name, brightness in {"a": 250, "b": 220, "c": 30, "d": 5}.items():
        film(tmp_path / f"{name}.mp4", brightness)
    (tmp_path / "clips.csv").write_text("path,fight\na.mp4,1\nb.mp4,1\nc.mp4,0\nd.mp4,0\n")
    return tmp_path / "clips.csv"


def report_of(*scored: tuple[bool, float], threshold: float = 0.5) -> Report:
    return Report(
        tuple(
            ScoredClip(LabelledClip(f"{k}.mp4", Path(f"{k}.mp4"), fight, None, f"clips.csv:{k + 2}"), score)
            for k, (fight, score) in enumerate(scored)
        ),
        threshold,
    )


def test_each_clip_is_scored_by_the_analyser_in_a_pipeline(clips: Path) -> None:
    report = evaluate(read_clips(clips), pipeline)
    bright, light, dim, dark = report.scores
    assert bright > light > 0.6
    assert 0.4 > dim > dark > 0.0
    assert report.as_json()["auc"] == 1.0


def test_clips_do_not_influence_each_other(clips: Path) -> None:
    rows = read_clips(clips)
    assert list(evaluate(rows, pipeline).scores) == list(evaluate(rows[::-1], pipeline).scores[::-1])


def test_the_figures_have_the_agreed_keys() -> None:
    figures = report_of((True, 0.9), (True, 0.3), (False, 0.2), (False, 0.6)).as_json()
    assert figures["n"] == 4
    assert figures["accuracy"] == 0.5
    assert figures["auc"] == 0.75
    assert figures["threshold"] == 0.5
    assert figures["clips"][0]["path"] == "0.mp4"
    assert figures["clips"][0]["score"] == 0.9
    low, high = figures["accuracy_interval"]
    assert low < 0.5 < high
    json.dumps(figures, allow_nan=False)


def test_one_class_gives_no_auc_and_says_why() -> None:
    figures = report_of((True, 0.9), (True, 0.3)).as_json()
    assert figures["auc"] is None
    assert figures["average_precision"] is None
    assert "one class" in figures["note"]


def test_every_faulty_row_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "here.mp4").write_bytes(b"")
    listing = tmp_path / "clips.csv"
    listing.write_text("path,fight\nhere.mp4,yes\nmissing.mp4,1\n,0\n")
    with pytest.raises(ListError) as caught:
        read_clips(listing)
    first, second, third = caught.value.message.splitlines()
    assert first.startswith(f"{listing}:2: fight is 'yes'")
    assert second.startswith(f"{listing}:3: there is no file")
    assert third.startswith(f"{listing}:4: there is no path")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", ":1: there is no column path and no column fight"),
        (b"path,label\na,1\n", ":1: there is no column fight"),
        (b"path,fight\n", "lists no clips"),
        (b"\xff\xfe\x00", "not a CSV file in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    listing = tmp_path / "clips.csv"
    listing.write_bytes(content)
    with pytest.raises(ListError, match=re.escape(problem)):
        read_clips(listing)


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="cannot be read"):
        read_clips(tmp_path / "none.csv")


def test_a_clip_that_is_no_video_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    listing = tmp_path / "clips.csv"
    listing.write_text("path,fight\nbad.mp4,1\n")
    with pytest.raises(ListError, match=re.escape("clips.csv:2")):
        evaluate(read_clips(listing), pipeline)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone(language: str) -> None:
    report = report_of((True, 0.9), (True, 0.3), (False, 0.2), (False, 0.6))
    html = page(report, language=language)  # type: ignore[arg-type]
    assert html.count("<svg") == 3
    assert "1.mp4" in html
    assert not re.search(r"https?:|<script|<link|url\(|src=", html)


def test_names_of_clips_cannot_break_the_page() -> None:
    clip = LabelledClip("<img onerror=x>.mp4", Path("x"), fight=True, source=None, row="clips.csv:2")
    html = page(Report((ScoredClip(clip, 0.1),), 0.5))
    assert "<img" not in html
    assert "&lt;img" in html


@pytest.mark.footage
def test_the_command_judges_the_shipped_model_and_writes_its_files(
    tmp_path: Path, footage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = footage / "fights"
    if not folder.is_dir():
        pytest.skip("TYNYSH_FOOTAGE has no fights")
    listing = tmp_path / "clips.csv"
    rows = [f"{folder}/fight/fi005.mp4,1,a", f"{folder}/noFight/nofi005.mp4,0,b"]
    listing.write_text("\n".join(["path,fight,source_video", *rows]) + "\n")
    outputs = ["--json", str(tmp_path / "out.json"), "--report", str(tmp_path / "out.html")]
    assert run_command(["evaluate", "fights", str(listing), *outputs]) == 0
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["n"] == 2
    assert figures["accuracy"] == 1.0
    assert "accuracy" in capsys.readouterr().out
    assert "<svg" in (tmp_path / "out.html").read_text()
