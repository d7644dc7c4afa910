"""`tynysh analyze` says what happens in files, the same each time, and goes on past files that are none."""

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from tests.drawn_videos import Tynysh
from tests.runtime.street import BLURRED, HEIGHT, SEEN, WIDTH, draw, heads, left_at, write_street

from tynysh.media.encoder import ClipWriter
from tynysh.media.reader import VideoFile


def north(site: Path) -> tuple[object, ...]:
    return ("--site", site, "--camera", "north")


def test_events_come_as_json_lines(street: Path, street_site: Path, tynysh: Tynysh) -> None:
    result = tynysh("analyze", street, *north(street_site), "--json")
    assert (result.code, result.err) == (0, "")
    events = [json.loads(line) for line in result.out.splitlines()]
    (intrusion,) = [event for event in events if event["behaviour"] == "intrusion"]
    assert {"behaviour", "start_s", "end_s", "score", "box", "source"} <= set(intrusion)
    assert intrusion["source"] == str(street)
    assert 0.0 <= intrusion["start_s"] < 2.0
    assert intrusion["start_s"] <= intrusion["decided_s"] <= intrusion["end_s"] == 8.0
    assert 0.6 <= intrusion["score"] <= 1.0
    left, top, right, bottom = intrusion["box"]
    assert 0.0 <= left < right <= 1.0
    assert 0.0 <= top < bottom <= 1.0
    assert intrusion["zone"] == "gate"
    assert intrusion["reason"]["key"] == "intrusion.zone"


def test_schedules_do_not_matter_on_files_whose_clock_says_no_time_of_day(
    street: Path, street_site: Path, tynysh: Tynysh
) -> None:
    """The site watches for one minute in the week; found all the same."""
    assert "intrusion" in tynysh("analyze", street, *north(street_site), "--json").out


def test_the_same_file_says_the_same_twice_to_the_letter(
    square: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    result, tracks = [], []
    for number in range(2):
        out = tmp_path / f"square-{number}.txt"
        result.append(tynysh("analyze", square, "--json", "--tracks", out))
        tracks.append(out.read_text())
    assert result[0] == result[1]
    assert tracks[0] == tracks[1] != ""


@pytest.mark.parametrize(
    ("language", "word", "heading"),
    [("en", "Intrusion", "behaviour"), ("ru", "Проникновение", "событие"), ("kk", "Рұқсатсыз кіру", "оқиға")],
)
def test_people_get_a_table_in_their_language(
    language: str, word: str, heading: str, street: Path, street_site: Path, tynysh: Tynysh
) -> None:
    result = tynysh("analyze", street, *north(street_site), "--language", language)
    assert result.code == 0
    (row,) = [line for line in result.out.splitlines() if "street.mp4" in line]
    assert word in row
    assert heading in result.out.splitlines()[0]
    assert "0:08.0" in row
    assert "gate" in row
    assert "intrusion" not in row, "no key stands where a text should"


def test_nothing_found_is_said(street: Path, street_site: Path, tynysh: Tynysh) -> None:
    result = tynysh("analyze", street, "--site", street_site, "--camera", "street-south")
    assert (result.code, result.out.strip()) == (0, "No events.")
    assert tynysh("analyze", street, "--site", street_site, "--camera", "street-south", "--json").out == ""


def test_tracks_are_written_for_every_frame_of_the_video(
    street: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    out = tmp_path / "tracks.txt"
    assert tynysh("analyze", street, "--json", "--tracks", out).code == 0
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert all(len(row) == 10 and row[7:] == ["-1", "-1", "-1"] for row in rows)
    (identity,) = {row[1] for row in rows}
    assert int(identity) > 0
    assert [int(row[0]) for row in rows] == list(range(1, 81)), "frames from 1, each once, without a gap"
    for row in rows:
        frame, left, width, score = int(row[0]), float(row[2]), float(row[4]), float(row[6])
        assert left + width / 2 == pytest.approx(left_at((frame - 1) / 10) + 16, abs=12)
        assert 0.0 < score <= 1.0


def test_tracks_of_several_people_keep_their_order_and_their_frames(
    square: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    out = tmp_path / "tracks.txt"
    assert tynysh("analyze", square, "--json", "--tracks", out).code == 0
    rows = [line.split(",") for line in out.read_text().splitlines()]
    frames = [int(row[0]) for row in rows]
    assert frames == sorted(frames)
    assert set(frames) <= set(range(1, 121))
    by_track: dict[str, list[int]] = {}
    for row in rows:
        by_track.setdefault(row[1], []).append(int(row[0]))
    assert len(by_track) > 1
    for frames in by_track.values():
        assert all(later - earlier == 1 for earlier, later in pairwise(frames))


def test_the_rendered_video_decodes_and_nobody_in_it_can_be_made_out(
    street: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    out = tmp_path / "rendered.mp4"
    assert tynysh("analyze", street, "--json", "--render", out).code == 0
    rendered = VideoFile(out)
    assert (rendered.frame_count, rendered.duration_s) == (80, pytest.approx(8.0, abs=0.1))
    assert min(heads(street)) > SEEN
    shown = heads(out)
    assert len(shown) > 70
    assert max(shown) < BLURRED
    assert [path.name for path in tmp_path.iterdir()] == ["rendered.mp4"]


@pytest.mark.parametrize("option", ["--render", "--tracks", "--counts"])
def test_outputs_for_one_video_are_refused_for_several(option: str, street: Path, tynysh: Tynysh) -> None:
    result = tynysh("analyze", street, street, option, "out")
    assert result.code == 2
    assert "one video at a time" in result.err


@pytest.mark.parametrize("option", ["--render", "--tracks", "--counts"])
def test_what_cannot_be_written_is_found_out_before_the_work(
    option: str, street: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    for out in (tmp_path, tmp_path / "nowhere" / "out"):
        result = tynysh("analyze", street, option, out)
        assert result.code == 2
        assert str(out) in result.err
        assert result.out == ""


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        ((), "street-north, street-south"),
        (("--camera", "east"), "street-north, street-south"),
    ],
)
def test_a_camera_that_the_site_does_not_tell_apart_is_asked_for(
    choice: tuple[str, ...], problem: str, street: Path, street_site: Path, tynysh: Tynysh
) -> None:
    result = tynysh("analyze", street, "--site", street_site, *choice)
    assert result.code == 2
    assert problem in result.err


def test_a_camera_without_a_site_is_refused(street: Path, tynysh: Tynysh) -> None:
    result = tynysh("analyze", street, "--camera", "north")
    assert result.code == 2
    assert "--site" in result.err


def test_the_camera_whose_stream_is_the_file_is_meant(
    street: Path, street_site: Path, tynysh: Tynysh
) -> None:
    street_site.write_text(street_site.read_text().replace("rtsp://127.0.0.1:9/north", str(street)))
    assert "intrusion" in tynysh("analyze", street, "--site", street_site, "--json").out


def test_a_site_with_mistakes_is_told_before_any_video_is_read(
    street: Path, street_site: Path, tynysh: Tynysh
) -> None:
    street_site.write_text(street_site.read_text().replace("kind: street", "kind: streat"))
    result = tynysh("analyze", street, "--site", street_site)
    assert result.code == 3
    assert "streat" in result.err


def test_a_bad_video_among_others_is_told_and_the_others_go_on(
    street: Path, street_site: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    result = tynysh("analyze", bad, street, *north(street_site), "--json")
    assert result.code == 4
    assert "bad.mp4" in result.err
    assert [json.loads(line)["source"] for line in result.out.splitlines()] == [str(street)]


def test_of_a_truncated_video_what_is_left_is_analysed_and_the_rest_is_told(
    street_site: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    whole = write_street(tmp_path / "whole.avi", seconds=8)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    result = tynysh("analyze", cut, *north(street_site), "--json")
    assert result.code == 4
    assert "cut.avi" in result.err
    (event,) = [json.loads(line) for line in result.out.splitlines()]
    assert 3.0 < event["end_s"] < 6.0


def test_a_folder_is_one_video(street: Path, street_site: Path, tmp_path: Path, tynysh: Tynysh) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.mp4").write_bytes(street.read_bytes())
    result = tynysh("analyze", folder, *north(street_site), "--json")
    assert result.code == 0
    assert max(json.loads(line)["end_s"] for line in result.out.splitlines()) == pytest.approx(16.0, abs=0.2)


def test_a_reader_that_leaves_early_hears_no_complaint(street: Path, street_site: Path) -> None:
    """As `tynysh analyze ... | head -0`, with the real networks."""
    command = [sys.executable, "-m", "tynysh", "analyze", str(street), "--site", str(street_site)]
    process = subprocess.Popen(
        [*command, "--camera", "north"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    process.stdout.close()
    _, result = process.communicate(timeout=120)
    assert b"Traceback" not in result
    assert process.returncode == 141


NAMES = ["12:30:00 gate.mp4", "cam1:gate.mp4", "Қақпа «1».mp4", "Ворота.mp4".encode("cp1251")]


def on_a_terminal(encoding: str, *arguments: object) -> "subprocess.CompletedProcess[bytes]":
    """A command as a shell runs it where the terminal has that encoding."""
    return subprocess.run(
        [sys.executable, "-m", "tynysh", *map(os.fspath, arguments)],  # type: ignore[arg-type]
        capture_output=True,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "200"},
        check=False,
    )


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos whose lens is covered, under every name that a shell can give."""
    folder = tmp_path_factory.mktemp("dark")
    noise = np.random.default_rng(0).normal(0, 3, (40, 240, 320, 3))
    for name in NAMES[:1]:
        with ClipWriter(folder / os.fsdecode(name), 320, 240, 8) as clip:
            for number in range(120):
                light = 130.0 if number < 40 else 3.0
                clip.write(np.clip(light + noise[number % 40], 0, 255).astype(np.uint8), number / 8)
    for name in NAMES[1:]:
        shutil.copy(folder / os.fsdecode(NAMES[0]), folder / os.fsdecode(name))
    return folder


@pytest.mark.parametrize("encoding", ["utf-8:strict", "cp1251"])
def test_any_name_that_a_shell_can_give_is_told_in_json(dark: Path, encoding: str) -> None:
    files = [str(dark / os.fsdecode(name)) for name in NAMES]
    result = on_a_terminal(encoding, "analyze", *files, "--json")
    assert (result.returncode, result.stderr) == (0, b"")
    told = [json.loads(line)["source"] for line in result.stdout.decode().splitlines()]
    assert list(dict.fromkeys(told)) == files


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8:strict", ["Қақпа «1».mp4", "Камера ақауы"]),
        ("cp1251", ["Какпа «1».mp4", "Ворота.mp4", "Камера акауы"]),
    ],
)
def test_any_name_that_a_shell_can_give_is_told_in_a_table(
    dark: Path, encoding: str, shown: list[str]
) -> None:
    result = on_a_terminal(
        encoding, "analyze", *(dark / os.fsdecode(name) for name in NAMES), "--language", "kk"
    )
    assert (result.returncode, result.stderr) == (0, b"")
    printed = result.stdout.decode(encoding.partition(":")[0], "surrogateescape")
    assert all(os.fsdecode(word) in printed for word in shown)
    assert "Ворота.mp4".encode("cp1251") in result.stdout


def test_names_that_are_no_text_go_through_lists_figures_and_pages(dark: Path, tmp_path: Path) -> None:
    lines = [b"%s,5,14,camera_fault" % os.fsencode(name) for name in NAMES if name != NAMES[2]]
    (dark / "labels.csv").write_bytes(b"\n".join([b"file,start,end,behaviour", *lines]))
    figures, page = tmp_path / "figures.json", tmp_path / "page.html"
    result = on_a_terminal(
        "cp1251", "evaluate", "footage", dark / "labels.csv", "--json", figures, "--report", page
    )
    assert (result.returncode, result.stderr) == (0, b"")
    found = json.loads(figures.read_text("utf-8"))["found"]
    assert sorted(os.fsencode(one["file"]) for one in found) == sorted(line.split(b",")[0] for line in lines)
    assert page.stat().st_size > 0


def test_a_rendered_video_may_have_a_colon_in_its_name(dark: Path, tmp_path: Path) -> None:
    out = tmp_path / "12:30 out.mp4"
    assert on_a_terminal("utf-8", "analyze", dark / NAMES[0], "--render", out).returncode == 0
    assert VideoFile(out).frame_count == 120


def test_files_that_cannot_be_decoded_or_were_cut_end_with_4_and_say_how_much(
    square: Path, tmp_path: Path, tynysh: Tynysh
) -> None:
    cut = tmp_path / "square-cut.mkv"
    with av.open(str(square)) as old, av.open(str(cut), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 4])
    result = tynysh("analyze", cut)
    assert result.code == 4
    assert "of 12.0 seconds can be read" in result.err


@pytest.mark.parametrize(
    ("rate", "language", "said"),
    [
        (3, "en", "too few to judge fights"),
        (3, "ru", "слишком мало"),
        (3, "kk", "тым аз"),
        (8, "en", ""),
    ],
)
def test_too_few_pictures_a_second_to_judge_fights_are_said(
    tmp_path: Path, tynysh: Tynysh, rate: int, language: str, said: str
) -> None:
    path = tmp_path / "slow.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(4 * rate):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(draw(number / rate), format="bgr24")))
        container.mux(stream.encode(None))
    result = tynysh("analyze", path, "--language", language)
    assert result.code == 0
    assert said in result.err
    assert bool(result.err) == bool(said)
