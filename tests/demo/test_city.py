"""The demo city runs as a newcomer sees it: from the command to incidents in the API, and ends on Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

START_S = 90
INCIDENT_S = 60


@dataclass
class City:
    """A running demo: its process, an API client that is signed in, and its log."""

    process: subprocess.Popen[str]
    client: httpx.Client
    log: Path

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/api/v1{path}")
        answer.raise_for_status()
        return answer.json()

    def incidents(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/incidents")["items"]
        return items


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(what: Any, seconds: float) -> Any:
    """What `what` returns, once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.3)


@contextmanager
def running_city(tmp_path: Path, *options: str, footage: Path) -> Iterator[City]:
    log = tmp_path / "demo.log"
    port = free_port()
    environment = {**os.environ, "TYNYSH_FOOTAGE": str(footage)}
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tynysh",
                "demo",
                "--headless",
                f"--port={port}",
                f"--data={tmp_path / 'city'}",
                *options,
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        found = until(
            lambda: (
                process.poll() is not None
                or re.search(r"Sign in\s+name (\S+), password (\S+)", log.read_text())
            ),
            START_S,
        )
        assert isinstance(found, re.Match), log.read_text()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client:
            answer = client.post("/api/v1/session", json={"name": found[1], "password": found[2]})
            answer.raise_for_status()
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield City(process, client, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def children(log: Path, name: str) -> list[int]:
    """The process ids that the supervisor started under `name`, in order."""
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    started = [entry for entry in map(json.loads, lines) if entry.get("event") == "child.started"]
    return [entry["pid"] for entry in started if entry["child"] == name]


@pytest.mark.slow
def test_without_any_video_the_simulated_camera_still_shows_incidents(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    with running_city(tmp_path, footage=nothing) as city:
        assert "SIMULATED" in city.log.read_text()
        (camera,) = city.get("/cameras")
        assert camera["simulated"] is True

        incident = until(city.incidents, INCIDENT_S)[0]
        assert incident["camera"]["simulated"] is True

        picture = city.client.get(f"/api/v1/cameras/{camera['id']}/picture")
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.content[:2] == b"\xff\xd8"

        def crowd() -> dict[str, Any]:
            return city.get(f"/cameras/{camera['id']}/crowd")

        until(lambda: any(place["count"] > 0 for place in crowd()["places"]), 30)
        assert {place["name"] for place in crowd()["places"]} >= {"picture", "door"}
        assert {line["name"] for line in crowd()["lines"]} == {"west side", "east side"}
        until(lambda: city.get("/places")[0]["count"] is not None, 20)

        metrics = city.client.get("/metrics").text
        assert "tynysh" in metrics

        # A worker that is killed is restarted, and what was reported stays.
        (first,) = children(city.log, "worker-0")
        os.kill(first, signal.SIGKILL)
        until(lambda: len(children(city.log, "worker-0")) == 2, 30)
        assert incident["id"] in {known["id"] for known in city.incidents()}
        until(lambda: city.get("/cameras")[0]["state"] == "live", 60)

        clip = until(
            lambda: city.client.get(f"/api/v1/incidents/{incident['id']}/clip").status_code == 200, 60
        )
        assert clip

        city.process.send_signal(signal.SIGINT)
        assert city.process.wait(30) == 0
        assert "Traceback" not in city.log.read_text()


@pytest.mark.slow
@pytest.mark.footage
def test_real_video_over_rtsp_raises_incidents(tmp_path: Path, footage: Path) -> None:
    with running_city(tmp_path, "--seconds=80", footage=footage) as city:
        cameras = city.get("/cameras")
        real = {camera["id"] for camera in cameras if not camera["simulated"]}
        assert real, "no camera shows real video"
        incident = until(
            lambda: next((one for one in city.incidents() if one["camera"]["id"] in real), None), INCIDENT_S
        )
        assert incident["behaviour"] in {"fight", "aggression", "crowding", "intrusion", "person_down"}
        until(lambda: all(camera["state"] == "live" for camera in city.get("/cameras")), 20)
        assert city.process.wait(120) == 0
        assert "Traceback" not in city.log.read_text()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    finished = subprocess.run(
        [sys.executable, "-m", "tynysh", "demo", "--headless", f"--data={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 1
    assert "something other than a demo" in finished.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_nothing_of_the_demo_outlives_it_however_it_ends(tmp_path: Path) -> None:
    program = "import sys, time; from pathlib import Path; from tynysh.demo.city import rtsp_server\n"
    program += "with rtsp_server(Path(sys.argv[1])) as port: print(port, flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        port = int(demo.stdout.readline())
        demo.kill()
    deadline = time.monotonic() + 20
    while answers(port):
        assert time.monotonic() < deadline, "the cameras' server is still there"
        time.sleep(0.05)
