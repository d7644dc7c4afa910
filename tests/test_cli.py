"""Bad input gets one clear message and an exit code, never a traceback."""

import errno
import logging
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest
import structlog
from sqlalchemy import text

from tynysh.cli import run_command
from tynysh.store.database import Database
from tynysh.store.migrate import migrate

SITE = """
sites:
  - name: Club
    kind: nightlife
    time_zone: Asia/Almaty
    cameras:
      - name: door
        main: rtsp://127.0.0.1:9/door
"""


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TYNYSH_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("TYNYSH_DATABASE", raising=False)
    handlers = list(logging.root.handlers)
    yield
    # `run` sends all logs to the standard error of its test, which ends with it.
    logging.root.handlers[:] = handlers
    structlog.reset_defaults()


def short_video(path: Path, codec: str = "libx264", pictures: int = 20) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(pictures):
            picture = np.full((48, 64, 3), number * 5, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run_command(list(arguments))
    output = capsys.readouterr()
    assert code != 0
    assert "Traceback" not in output.out + output.err
    return code, output.out + output.err


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.mp4", b""), ("text.mp4", b"This is no video at all.\n" * 100), ("noise.avi", os.urandom(4096))],
)
def test_a_file_that_is_no_video_is_refused_by_name(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for command in ("analyze", "bench"):
        code, output = failed(capsys, command, str(path))
        assert code == 4
        assert name in output
        assert len(output.strip().splitlines()) <= 3


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = failed(capsys, "analyze", str(tmp_path / "nowhere.mp4"))
    assert code == 4
    assert "nowhere.mp4" in output


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = short_video(tmp_path / "secret.mp4")
    path.chmod(0)
    # The administrator may read everything, so it is somebody else who asks.
    asking = """
        import os, sys
        from tynysh.cli import run_command
        run_command(["analyze", "nowhere.mp4"])  # has everything imported that only the administrator may read
        if os.getuid() == 0:
            os.setuid(65534)
        sys.exit(run_command(["analyze", sys.argv[1]]))
    """
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(asking), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 4
    assert "secret.mp4" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_codec_without_decoder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = short_video(tmp_path / "strange.avi", codec="mpeg4")
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZZZ"))
    for command in ("analyze", "bench"):
        code, output = failed(capsys, command, str(path))
        assert code == 4
        assert "strange.avi" in output
        assert "decoder" in output


def test_a_video_cut_off_before_its_index_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = short_video(tmp_path / "whole.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    code, output = failed(capsys, "analyze", str(path))
    assert code == 4
    assert "cut.mp4" in output


def test_a_folder_without_videos_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nothing").mkdir()
    code, output = failed(capsys, "analyze", str(tmp_path / "nothing"))
    assert code == 4
    assert "nothing" in output


def test_a_site_that_is_a_list_is_told_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("- name: Club\n- name: Park\n")
    code, output = failed(capsys, "check", str(site))
    assert code == 3
    assert f"{site}:1:1" in output


def test_every_mistake_in_a_site_is_found_in_one_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace("nightlife", "nightlive").replace("name: door", "nmae: door"))
    code, output = failed(capsys, "check", str(site))
    assert code == 3
    assert f"{site}:4:11" in output
    assert "nightlife" in output
    assert f"{site}:7:9" in output
    assert "name" in output


def test_a_right_site_is_applied_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    assert run_command(["check", str(site)]) == 0
    assert run_command(["apply", str(site)]) == 0
    assert "added" in capsys.readouterr().out
    assert run_command(["apply", str(site)]) == 0
    assert "added" not in capsys.readouterr().out
    out = tmp_path / "export.yaml"
    assert run_command(["export", "--out", str(out)]) == 0
    assert run_command(["apply", str(out)]) == 0
    assert "added" not in capsys.readouterr().out


def test_a_database_of_a_newer_version_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "newer.db"
    with closing(Database.open(path)) as database:
        migrate(database)
        with database.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = 'ffff_from_the_future'"))
    code, output = failed(capsys, "users", "list", "--database", str(path))
    assert code == 6
    assert "newer" in output


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear database,\n" * 200)
    code, output = failed(capsys, "users", "list", "--database", str(path))
    assert code == 6
    assert "not a database" in output
    assert path.read_text().startswith("Dear")


def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, output = failed(
        capsys, "users", "list", "--database", "postgresql://tynysh:hunter2@127.0.0.1:9/tynysh"
    )
    assert code == 6
    assert "127.0.0.1" in output
    assert "hunter2" not in output


def test_a_port_in_use_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = failed(capsys, "run", str(site), "--port", str(port))
    assert code == 7
    assert str(port) in output
    assert "--port" in output


def test_a_missing_model_without_network_says_what_to_do(tmp_path: Path) -> None:
    video = short_video(tmp_path / "short.mp4")
    environment = {
        **os.environ,
        "TYNYSH_CACHE": str(tmp_path / "cache"),
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_INDEX": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    environment.pop("TYNYSH_MODELS", None)
    finished = subprocess.run(
        [sys.executable, "-m", "tynysh", "analyze", str(video)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 5
    assert "Traceback" not in finished.stderr
    assert "yolox" in finished.stderr.lower()
    assert "--from" in finished.stderr or "TYNYSH_MODELS" in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze"],
        ["anlayze", "x.mp4"],
        ["analyze", "x.mp4", "--language", "fr"],
        ["users", "add", "someone", "--role", "emperor"],
        ["run", "--port", "99999"],
        ["models", "verify", "no-such-model"],
        ["models", "pull", "no-such-model"],
        ["demo", "--seconds", "soon"],
    ],
)
def test_a_wrong_call_is_told_in_few_lines(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    _, output = failed(capsys, *arguments)
    assert 0 < len(output.strip().splitlines()) <= 6


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tynysh 0.")


def test_a_video_without_a_picture_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "blank.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    code, output = failed(capsys, "bench", str(path))
    assert code == 4
    assert "blank.mp4" in output


@pytest.mark.parametrize(
    ("variable", "arguments", "code"),
    [
        ("TYNYSH_DATA", ("users", "list"), 1),
        ("TYNYSH_CACHE", ("models", "list"), 5),
        ("TYNYSH_MODELS", ("models", "list"), 5),
        ("TYNYSH_CACHE", ("demo", "--headless"), 5),
    ],
)
def test_nobodys_home_folder_is_told(
    variable: str,
    arguments: tuple[str, ...],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "~no-such-user/here")
    found, output = failed(capsys, *arguments)
    assert found == code
    assert "~no-such-user is nobody's home folder" in output


def test_nobodys_home_in_a_site_is_told_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace("rtsp://127.0.0.1:9/door", "~no-such-user/door.mp4"))
    code, output = failed(capsys, "check", str(site))
    assert code == 3
    assert f"{site}:8:15" in output


def test_what_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/some/where")

    monkeypatch.setattr("tynysh.perception.models.cache.Models", full)
    code, output = failed(capsys, "models", "list")
    assert (code, output) == (1, "error: /some/where: No space left on device\n")


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    asking = "import sys, tynysh.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True).stdout
    heavy = {
        "av",
        "cv2",
        "jinja2",
        "numpy",
        "openvino",
        "pydantic",
        "scipy",
        "sqlalchemy",
        "fastapi",
        "rich.console",
    }
    assert not heavy & set(loaded.split())
