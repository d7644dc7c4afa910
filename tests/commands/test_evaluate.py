"""`tynysh evaluate footage` holds the live pipeline against labels, on real files, and shows what went wrong."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.drawn_videos import Finished, Tynysh
from tests.runtime.street import BLURRED, CoatDetector, pattern, write_street

from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.cli import run_command
from tynysh.errors import TynyshError
from tynysh.evaluation.footage import FootageReport
from tynysh.evaluation.jobs import Load, jobs_of, record_all_sightings
from tynysh.evaluation.labels import Label
from tynysh.evaluation.saved_sightings import SavedSightings
from tynysh.evaluation.sightings import record_sightings
from tynysh.evaluation.stills import StillCamera
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan
from tynysh.runtime.networks import Networks
from tynysh.site.yaml import load
from tynysh.translations import LANGUAGES, Language, text


def coat_networks(_device: str) -> Networks:
    """Stand-ins for the networks, to be found by other processes too."""
    return Networks(detector=CoatDetector(), pose=None)  # type: ignore[arg-type]


def broken_networks(_device: str) -> Networks:
    """Networks with which a process dies."""
    os._exit(9)


@pytest.fixture
def site(street_site: Path) -> Path:
    """The site of the street, where people who lie are looked for, too."""
    known = street_site.read_text()
    street_site.write_text(known.replace("      analysers:\n", "      analysers:\n        person_down: {}\n"))
    return street_site


@pytest.fixture(scope="module")
def videos(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The street three times, where somebody is all the time where nobody may be."""
    folder = tmp_path_factory.mktemp("videos")
    for name in ("a", "b", "c"):
        (folder / f"{name}.mp4").symlink_to(street)
    return folder


@pytest.fixture
def recordings(videos: Path, tmp_path: Path) -> Path:
    """The labels of three recordings: in the first that somebody is there is labelled, in the second nothing is said to
    happen, in the third somebody is said to lie, which is not to be seen.
    """
    labels = tmp_path / "LABELS.csv"
    labels.write_text(
        "file,start,end,behaviour,camera\n"
        f"{videos}/a.mp4,0,8,intrusion,street-north\n"
        f"{videos}/b.mp4,,,,street-north\n"
        f"{videos}/c.mp4,2,4,person_down,street-north\n"
    )
    return labels


Evaluate = Callable[..., Finished]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was seen once need not be looked at by each test."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def evaluate(recordings: Path, site: Path, kept: Path, tynysh: Tynysh) -> Evaluate:
    return lambda *more: tynysh("evaluate", "footage", recordings, "--site", site, "--resume", kept, *more)


def figures_of(result: Finished) -> dict:
    return json.loads(result.out)


def test_events_are_held_against_the_labels(evaluate: Evaluate) -> None:
    result = evaluate("--json", "-")
    assert (result.code, result.err) == (0, "")
    summary = figures_of(result)
    intrusion, down = summary["behaviours"]["intrusion"], summary["behaviours"]["person_down"]
    assert (intrusion["labelled"], intrusion["found"]) == (1, 1)
    assert (intrusion["true_events"], intrusion["false_events"]) == (1, 2), "in b and in c nobody labelled it"
    assert intrusion["precision"] == pytest.approx(1 / 3)
    assert (down["labelled"], down["found"], down["recall"]) == (1, 0, 0.0)
    assert summary["all"]["camera_hours"] == pytest.approx(3 * 8 / 3600)
    low, high = summary["all"]["false_per_camera_hour_interval"]
    assert low == pytest.approx(0.2422 / (24 / 3600), rel=1e-3), "Garwood, two events"
    assert high == pytest.approx(7.2247 / (24 / 3600), rel=1e-3)
    assert [Path(one["file"]).name for one in summary["false"]] == ["b.mp4", "c.mp4"]
    assert [Path(one["file"]).name for one in summary["missed"]] == ["c.mp4"]
    assert set(summary["cameras"]) == {"street-north"}


def test_a_recording_is_not_judged_for_what_nobody_labels(
    recordings: Path, videos: Path, evaluate: Evaluate
) -> None:
    recordings.write_text(f"file,start,end,behaviour\n{videos}/c.mp4,2,4,person_down\n")
    summary = figures_of(evaluate("--json", "-", "--camera", "street-north"))
    assert summary["false"] == []
    assert [one["behaviour"] for one in summary["not_judged"]] == ["intrusion"]


def test_the_delay_is_from_the_labelled_beginning_to_the_decision(evaluate: Evaluate) -> None:
    (found,) = figures_of(evaluate("--json", "-"))["found"]
    assert found["delay_s"] == found["event"]["decided_s"] > 0.0


def test_the_events_at_another_threshold_are_those_that_the_camera_would_have_had(
    street: Path, street_site: Path
) -> None:
    """What is worked out in one pass for all thresholds is what the pipeline does where one of them is in force."""
    site = load(street_site).sites[0]
    watch = CameraPlan.of(site, site.cameras[0], scheduled=False)
    for level in (0.3, 0.6):
        analysers = {
            behaviour: settings.model_copy(update={"threshold": level})
            for behaviour, settings in watch.analysers.items()
        }
        seen = record_sightings(
            VideoFile(street), [], CameraPlan(analysers, watch.zones), coat_networks("CPU")
        )
        assert seen.events
        assert seen.levels[level] == seen.events
        assert list(seen.levels) == LEVELS.tolist()


def test_what_was_seen_is_read_back_as_it_was_kept(street: Path, street_site: Path, tmp_path: Path) -> None:
    site = load(street_site).sites[0]
    plan = CameraPlan.of(site, site.cameras[0], scheduled=False)
    seen = record_sightings(VideoFile(street), [Label(Behaviour.FIGHT, 2, 4)], plan, coat_networks("CPU"))
    SavedSightings(tmp_path).put("street", seen)
    assert SavedSightings(tmp_path).get("street") == seen
    assert seen.stills
    assert seen.scores[Behaviour.INTRUSION][4] > 0.6


def test_pictures_are_taken_of_labels_and_events_and_nobody_in_them_can_be_made_out(
    street: Path, street_site: Path
) -> None:
    site = load(street_site).sites[0]
    watch = CameraPlan.of(site, site.cameras[0], scheduled=False)
    seen = record_sightings(VideoFile(street), [Label(Behaviour.FIGHT, 5, 7)], watch, coat_networks("CPU"))
    of_label = seen.still(5, 7, 6)
    assert of_label is not None
    assert of_label.time_s == pytest.approx(6, abs=1.0)
    event = next(event for event in seen.events if event.behaviour == Behaviour.INTRUSION)
    assert seen.still(event.start_s, event.end_s, event.decided_s) is not None
    for still in seen.stills:
        picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[:2] == (still.height, still.width)
        shown = pattern(picture)
        assert shown is not None
        assert shown < BLURRED


def test_no_picture_is_taken_before_it_is_known_who_is_in_it(street: Path, street_site: Path) -> None:
    """A detector that never looks again leaves nothing to be shown, for all the movement in it."""
    from tynysh.runtime.pipeline import Step
    from tynysh.scene.motion import Motion
    from tynysh.scene.scene import Scene

    camera = StillCamera([Label(Behaviour.FIGHT, 0, 8)])
    for frame in VideoFile(street).frames():
        motion = Motion(moving=True, level=0.5)
        scene = Scene(frame.time_s, frame.width, frame.height, detected=False, motion=motion)
        camera.take(Step(scene=scene, frame=frame, to_blur={}, signals=(), events=(), swept_alarms={}))
    assert camera.stills() == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone_and_shows_what_went_wrong(
    language: Language, evaluate: Evaluate, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    result = evaluate("--report", out, "--language", language)
    assert result.code == 0
    html = out.read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in html
    assert text(language, "evaluation.footage.title") in html
    assert html.count("data:image/jpeg;base64,") == 3, "one missed, two false"
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|<script|<link|<img|url\(|\bsrc=|style=|javascript:|\bon\w+=", html)
    assert not re.search(r"evaluation\.\w|behaviour\.\w|\{\w+\}", html.partition("</style>")[2]), (
        "no key is left as it is"
    )
    assert text(language, "behaviour.intrusion") in result.out
    assert text(language, "evaluation.footage.table_recall") in result.out


def test_names_cannot_break_the_page_or_the_table(
    recordings: Path, street: Path, evaluate: Evaluate, tmp_path: Path
) -> None:
    evil = "<img onerror=x>[red]"
    (recordings.parent / f"{evil}.mp4").symlink_to(street)
    recordings.write_text(f"file,start,end,behaviour\n{evil}.mp4,2,4,person_down\n")
    out = tmp_path / "report.html"
    result = evaluate("--report", out, "--camera", "street-north")
    assert result.code == 0
    assert "<img" not in out.read_text()
    assert "&lt;img onerror=x&gt;[red]" in out.read_text()


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(
    recordings: Path, evaluate: Evaluate
) -> None:
    (recordings.parent / "bad.mp4").write_bytes(b"no video at all")
    recordings.write_text(recordings.read_text() + "bad.mp4,,,,street-north\n")
    result = evaluate("--json", "-")
    assert result.code == 4
    assert f"{recordings}:5: " in result.err
    summary = figures_of(result)
    assert summary["files"] == 3
    assert [one["file"] for one in summary["unread"]] == ["bad.mp4"]


def test_nothing_to_read_is_an_error(tmp_path: Path, tynysh: Tynysh) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    (tmp_path / "LABELS.csv").write_text("file,start,end,behaviour\nbad.mp4,,,\n")
    result = tynysh("evaluate", "footage", tmp_path / "LABELS.csv")
    assert result.code == 4
    assert "None of the files" in result.err


def test_labels_that_cannot_be_judged_are_told_and_left_out(
    recordings: Path, videos: Path, evaluate: Evaluate
) -> None:
    recordings.write_text(
        f"file,start,end,behaviour,camera\n{videos}/a.mp4,0,8,intrusion,street-north\n"
        f"{videos}/a.mp4,1,2,crowding,street-north\n{videos}/a.mp4,9,10,intrusion,street-north\n"
    )
    result = evaluate("--json", "-")
    assert result.code == 3
    assert f"{recordings}:3: This camera is not watched for it" in result.err
    assert f"{recordings}:4: It begins after the end of the file" in result.err
    summary = figures_of(result)
    assert summary["all"]["labelled"] == 1
    assert [one["why"] for one in summary["set_aside"]] == ["not_watched", "after_end"]


def test_faults_of_the_list_are_told_before_any_work(
    recordings: Path, videos: Path, evaluate: Evaluate
) -> None:
    recordings.write_text(f"file,start,end,behaviour\n{videos}/a.mp4,5,2,fight\n")
    result = evaluate()
    assert result.code == 3
    assert f"{recordings}:2:3: it ends at 2 s" in result.err


def test_cameras_that_the_site_does_not_have_are_told_with_their_lines(
    recordings: Path, videos: Path, evaluate: Evaluate
) -> None:
    recordings.write_text(
        f"file,start,end,behaviour,camera\n{videos}/a.mp4,,,,east\n{videos}/b.mp4,,,,street-north\n"
        f"{videos}/c.mp4,,,,west\n"
    )
    result = evaluate()
    assert result.code == 3
    assert f"{recordings}:2: The site has no camera called 'east'" in result.err
    assert f"{recordings}:4: The site has no camera called 'west'" in result.err
    assert evaluate("--camera", "street-north").code == 0


@pytest.mark.parametrize("option", ["--report", "--json"])
def test_what_cannot_be_written_is_found_out_before_the_work(
    option: str, evaluate: Evaluate, tmp_path: Path
) -> None:
    result = evaluate(option, tmp_path / "nowhere" / "out")
    assert result.code == 2
    assert result.out == ""


class Blind:
    """A detector that must not be asked."""

    def detect(self, frame: object) -> list[object]:
        raise AssertionError("looked again")


def evaluated(recordings: Path, site: Path, resume: Path | None, load: Load, *, workers: int = 1) -> dict:
    """What the recordings come to."""
    jobs = jobs_of(recordings, site, None, "CPU")
    done = record_all_sightings(jobs, SavedSightings(resume), "CPU", workers=workers, load_networks=load)
    seen = {job.key: outcome.sightings for job, outcome in done}
    return FootageReport.of([(job.recording, seen[job.key]) for job in jobs], tolerance_s=2.0).as_json()


def test_a_later_run_goes_on_from_what_is_kept_and_new_labels_are_judged_at_once(
    recordings: Path, site: Path, tmp_path: Path
) -> None:
    def blind(_device: str) -> Networks:
        return Networks(detector=Blind(), pose=None)  # type: ignore[arg-type]

    kept = tmp_path / "kept"
    first = evaluated(recordings, site, kept, coat_networks)
    assert evaluated(recordings, site, kept, blind) == first
    recordings.write_text(recordings.read_text().replace("b.mp4,,,", "b.mp4,0,8,intrusion"))
    corrected = evaluated(recordings, site, kept, blind)
    assert corrected["behaviours"]["intrusion"]["found"] == 2
    for file in kept.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        file.write_text(file.read_text()[:100])
    assert evaluated(recordings, site, kept, coat_networks) == corrected, "what is not whole is made anew"


def test_several_processes_come_to_the_same(recordings: Path, site: Path) -> None:
    both = [evaluated(recordings, site, None, coat_networks, workers=workers) for workers in (1, 2)]
    assert both[0] == both[1]


def test_a_process_that_dies_is_told(recordings: Path, site: Path) -> None:
    with pytest.raises(TynyshError, match="ended unexpectedly"):
        evaluated(recordings, site, None, broken_networks, workers=2)


def alive(group: int) -> list[str]:
    """The processes of a group, but for those that have ended and that nobody has asked after."""
    found = []
    for about in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name stands in brackets and may hold anything.
            state, _, of = about.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                found.append((about.parent / "cmdline").read_text())
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_it_and_leaves_no_process_behind(workers: int, site: Path, tmp_path: Path) -> None:
    """What was done before is kept."""
    write_street(tmp_path / "short.mp4", seconds=2)
    write_street(tmp_path / "long.mp4", seconds=120)
    (tmp_path / "long2.mp4").symlink_to(tmp_path / "long.mp4")
    names = ("short", "long", "long2")
    rows = "".join(f"{name}.mp4,,,,street-north\n" for name in names)
    (tmp_path / "LABELS.csv").write_text(f"file,start,end,behaviour,camera\n{rows}")
    asking = (
        "import sys\nfrom tests.commands.test_evaluate import coat_networks\n"
        "from tynysh.runtime.networks import Networks\n"
        "from tynysh.cli import run_command\n"
        "if __name__ == '__main__':\n"
        "    Networks.load = coat_networks\n"
        "    sys.exit(run_command(sys.argv[1:]))\n"
    )
    script = tmp_path / "ask.py"
    script.write_text(asking)
    kept = tmp_path / "kept"
    options = ["--site", site, "--workers", str(workers), "--resume", kept]
    process = subprocess.Popen(
        [sys.executable, script, "evaluate", "footage", tmp_path / "LABELS.csv", *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    until = time.monotonic() + 60
    while not list(kept.glob("*.json")) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert len(list(kept.iterdir())) == 1
    until = time.monotonic() + 30
    while (left := alive(process.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left


@pytest.mark.footage
def test_real_recordings_are_judged_with_the_shipped_networks(
    footage: Path, vtest: Path, tmp_path: Path
) -> None:
    fights = footage / "fights"
    if not fights.is_dir():
        pytest.skip("TYNYSH_FOOTAGE has no fights")
    (tmp_path / "LABELS.csv").write_text(
        "file,start,end,behaviour,camera\n"
        f"{fights}/fight/fi049.mp4,0,2,fight,bar\n{fights}/noFight/nofi090.mp4,,,,yard\n"
    )
    out = tmp_path / "out.json"
    outputs = ["--json", str(out), "--report", str(tmp_path / "out.html")]
    assert run_command(["evaluate", "footage", str(tmp_path / "LABELS.csv"), *outputs]) == 0
    summary = json.loads(out.read_text())
    assert (summary["all"]["found"], summary["all"]["false_events"]) == (1, 0)
    assert 0.0 < summary["all"]["delay_median_s"] < 2.0
