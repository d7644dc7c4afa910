"""No secret reaches a log, nothing that happens to a log ends or stops who writes it, and it does not repeat itself."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.servers import free_port, until

from tynysh.media.redaction import redacted
from tynysh.runtime.log_repeats import Repeats
from tynysh.runtime.log_stream import LogStream
from tynysh.runtime.logs import mask_secrets


@pytest.mark.parametrize(
    "text",
    [
        "opening rtsp://operator:hunter2@10.0.0.7:554/stream1",
        "rtsps://operator:hunter2@camera/stream?password=hunter2&channel=1",
        "GET http://camera/video.cgi?user=operator&pwd=hunter2",
        "postgresql+pg8000://tynysh:hunter2@db/tynysh",
    ],
)
def test_credentials_in_urls_are_masked(text: str) -> None:
    masked = redacted(text)
    assert "hunter2" not in masked
    assert "operator" not in masked
    assert "://" in masked


def test_values_under_telling_names_are_masked_at_any_depth() -> None:
    event = {
        "event": "x",
        "password": "hunter2",
        "camera": {"credentials": {"a": "hunter2"}, "urls": ["rtsp://u:hunter2@h"]},
    }
    assert "hunter2" not in str(mask_secrets(None, "info", event))


def test_everything_else_is_left_alone() -> None:
    event = {"event": "camera.live", "camera": "gate", "fps": 25.0, "ratio": "12:30@noon"}
    assert mask_secrets(None, "info", dict(event)) == event


def process(code: str, **streams: Any) -> subprocess.Popen[bytes]:
    """A process that runs `code` after its logs were configured."""
    program = "from tynysh.runtime import logs\nlogs.configure(json_lines=True)\n" + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", program], **streams)


MUCH = """
    import logging, structlog
    log = structlog.get_logger("x")
    for number in range(4_000):
        log.error("child.died", number=number)
        logging.getLogger("uvicorn").error("away %d", number)
        log.info("heard", number=number)
    raise SystemExit(7)
"""


def test_a_full_disk_ends_nobody_who_logs() -> None:
    with Path("/dev/full").open("wb") as full:
        assert process(MUCH, stderr=full).wait(60) == 7


def test_a_reader_who_has_gone_ends_nobody_who_logs() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = process(MUCH, stderr=writer)
    os.close(writer)
    assert ended.wait(60) == 7


def test_a_reader_who_does_not_read_keeps_nobody_waiting() -> None:
    reader, writer = os.pipe()
    ended = process(MUCH, stderr=writer)
    assert ended.wait(60) == 7
    os.close(writer)
    os.close(reader)


def test_a_process_without_a_standard_error_goes_on() -> None:
    shell = 'exec "$0" -c "$1" 2>&-'
    program = "from tynysh.runtime import logs; logs.configure(); import structlog, logging\n"
    program += "structlog.get_logger().error('x'); logging.error('y'); raise SystemExit(7)"
    assert (
        subprocess.run(["sh", "-c", shell, sys.executable, program], check=False, timeout=60).returncode == 7
    )


def test_the_last_words_of_a_process_are_written() -> None:
    said = process(
        "import structlog; structlog.get_logger().error('the end', url='rtsp://u:hunter2@h')", stderr=-1
    )
    line = json.loads(said.communicate(timeout=60)[1])
    assert (line["event"], line["level"]) == ("the end", "error")
    assert "hunter2" not in line["url"]


def lines_of(written: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines()]


def test_what_was_lost_is_counted_when_lines_can_be_written_again(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("ab") as file:
        target = os.dup(file.fileno())
    full = os.open("/dev/full", os.O_WRONLY)
    kept = os.dup(target)
    os.dup2(full, target)
    stream = LogStream(target, each_round=lambda: None, lost_line=lambda number: f"{number} lost\n")
    stream.write("one\n")
    stream.write("two\n")
    assert until(lambda: stream.lost == 2)
    os.dup2(kept, target)
    stream.write("three\n")
    stream.end()
    assert said.read_text() == "2 lost\nthree\n"


def test_accept_errors_by_the_hundred_thousand_are_a_few_lines() -> None:
    said = process(
        """
        import asyncio
        loop = asyncio.new_event_loop()
        for number in range(10_000):
            try:
                raise OSError(24, "Too many open files")
            except OSError as error:
                context = {"message": "socket.accept() out of system resource", "exception": error}
                loop.call_exception_handler(context)
        """,
        stderr=-1,
    )
    lines = lines_of(said.communicate(timeout=60)[1])
    assert [line["level"] for line in lines] == ["error"] * 3


def test_the_same_is_told_three_times_and_then_counted() -> None:
    repeats = Repeats()
    away = {"level": "warning", "event": "camera.away", "camera": "gate", "again_in_s": 3}
    told = [repeats.is_new(away | {"again_in_s": number}, number / 10) for number in range(50)]
    assert told == [True] * 3 + [False] * 47
    assert repeats.due(59.0) == []
    (line,) = repeats.due(60.0)
    assert line["repeated"] == "47 times"
    assert (line["event"], line["camera"]) == ("camera.away", "gate")
    assert repeats.is_new({"level": "warning", "event": "camera.away", "camera": "market"}, 61.0)


def test_thirty_dead_cameras_are_told_each_and_then_summed_up_ever_more_rarely() -> None:
    repeats = Repeats()
    told = 0
    for minute in range(24 * 60):
        for camera in range(30):
            text = f"rtsp://10.0.0.{camera}/live cannot be reached"
            told += repeats.is_new({"level": "warning", "event": text}, minute * 60.0 + camera)
        summed = repeats.due(minute * 60.0 + 59.0)
        assert len(summed) <= 1
        assert all(len(line["about"]) == 30 for line in summed)
        told += len(summed)
    assert 30 <= told <= 30 * 3 + 2 + 24


def test_different_happenings_are_all_told() -> None:
    repeats = Repeats()
    assert all(
        repeats.is_new({"level": "info", "event": "event.told", "incident": number}, 1.0)
        for number in range(5000)
    )


def test_what_stopped_is_told_anew_when_it_comes_back() -> None:
    repeats = Repeats()
    line = {"level": "error", "event": "events.not_written"}
    assert [repeats.is_new(line, 0.0) for _ in range(4)] == [True, True, True, False]
    assert len(repeats.due(60.0)) == 1
    assert repeats.due(700.0) == []
    assert repeats.is_new(line, 800.0)


def test_an_installation_whose_log_cannot_be_written_runs_on(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("sites:\n  - name: Market\n    kind: market\n    time_zone: Asia/Almaty\n")
    port = free_port()
    command = [sys.executable, "-m", "tynysh", "run", site, "--data", tmp_path / "data", f"--port={port}"]
    with Path("/dev/full").open("wb") as full:
        running = subprocess.Popen(command, stdout=full, stderr=full)
    try:
        for _ in range(2):
            assert until(lambda: answers(port), 60)
        assert running.poll() is None
    finally:
        running.kill()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success
    except httpx.HTTPError:
        return False
