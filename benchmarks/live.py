"""Four RTSP cameras at once on one machine: frames dropped, seconds from onset to console, memory, CPU.

    python benchmarks/live.py VIDEO [VIDEO ...] [--cameras 4] [--seconds 120] [--workers 1]

The videos are played in a loop by a real RTSP server at 10 pictures a second; a client of the console's live updates
notes when each incident arrives. An onset is the time at which the behaviour began, by the event's own account.
Memory is proportional set size: what processes share is counted once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from tynysh.demo.city import free_port, rtsp_server
from tynysh.media.encoder import ClipWriter
from tynysh.media.reader import VideoFile
from tynysh.store import users
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.users import Role

FPS = 10.0
SETTLE_S = 10.0
COUNTED = ("frames_read", "frames_analysed", "frames_dropped")
PASSWORD = users.one_time_password()


def make_loop(video: Path, out: Path, begin: float) -> None:
    """`video` at 10 pictures a second, H.264 with a key frame a second, begun at part `begin` (0..1) of it.

    So cameras that show the same video do not see the same at the same time.
    """
    reader = VideoFile(video)
    with ClipWriter(out, reader.width, reader.height, FPS) as writer:
        count = 0
        for after in (True, False):
            due_s = 0.0
            for frame in VideoFile(video).frames():
                if frame.time_s + 1e-3 >= due_s:
                    due_s += 1.0 / FPS
                    if (frame.time_s >= begin * reader.duration_s) is after:
                        writer.write(frame, count / FPS)
                        count += 1


def site(names: Sequence[str], port: int) -> dict[str, Any]:
    cameras = [
        {
            "name": f"camera {number}",
            "main": f"rtsp://127.0.0.1:{port}/{name}?play_count=0",
            "zones": [
                {
                    "name": "ground",
                    "kind": "protected",
                    "polygon": [[0.3, 0.45], [0.7, 0.45], [0.7, 0.9], [0.3, 0.9]],
                }
            ],
            "analysers": {"intrusion": {"zones": ["ground"], "cooldown_s": 1}},
        }
        for number, name in enumerate(names)
    ]
    # Each event is an incident of its own, so that the arrival of each can be timed.
    site = {
        "name": "Bench",
        "kind": "street",
        "time_zone": "UTC",
        "joining": {"gap_s": 0},
        "cameras": cameras,
    }
    return {"sites": [site]}


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if children.exists():
        for child in children.read_text().split():
            yield from tree(int(child))


def memory_mb(pid: int) -> float:
    """Proportional set size of a process and all below it, MiB."""
    total = 0
    for process in tree(pid):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cpu_s(pid: int) -> float:
    """CPU time of a process and all below it, seconds."""
    ticks = 0
    for process in tree(pid):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def listen(
    client: httpx.Client, arrivals: dict[str, tuple[float, dict[str, Any]]], stop: threading.Event
) -> None:
    """Note when each event is first seen on the live updates."""
    with client.stream("GET", "/api/v1/updates", timeout=None) as stream:
        for line in stream.iter_lines():
            if stop.is_set():
                return
            if line.startswith("data:"):
                message = json.loads(line.removeprefix("data:"))
                if "behaviour" in message:
                    arrivals.setdefault(f"{message['id']}", (time.time(), message))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(
            json.dumps(
                measure(given.videos, given.cameras, given.seconds, given.workers, Path(place)), indent=2
            )
        )


def measure(
    videos: Sequence[Path], cameras: int, seconds: float, workers: int, folder: Path
) -> dict[str, Any]:
    """Run the cameras and collect the figures."""
    loops = folder / "loops"
    loops.mkdir()
    for number in range(cameras):
        make_loop(videos[number % len(videos)], loops / f"{number}.mp4", number / cameras)
    with rtsp_server(loops) as port:
        names = [f"{number}.mp4" for number in range(cameras)]
        site_file = folder / "site.yaml"
        site_file.write_text(yaml.safe_dump(site(names, port)))
        data = folder / "data"
        with closing(Database.open(f"sqlite:///{data / 'tynysh.db'}")) as database:
            migrate(database)
            with database.writing() as session:
                users.add(
                    session,
                    "bench",
                    Role.ADMIN,
                    password_hash=users.hashed(PASSWORD),
                    now=time.time(),
                    one_time=False,
                )
        console = free_port()
        with (folder / "log").open("w") as log:
            service = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tynysh",
                    "run",
                    str(site_file),
                    f"--data={data}",
                    f"--port={console}",
                    f"--workers={workers}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            return watch(service.pid, f"http://127.0.0.1:{console}", seconds)
        except httpx.HTTPError as error:
            raise SystemExit(f"{error}\n{(folder / 'log').read_text()[-4000:]}") from None
        finally:
            service.terminate()
            service.wait(30)


def watch(pid: int, address: str, seconds: float) -> dict[str, Any]:
    """Watch a running service for `seconds` after all its cameras are live."""
    with httpx.Client(base_url=address, timeout=10, trust_env=False) as client:
        deadline = time.monotonic() + 60
        while True:
            try:
                client.post(
                    "/api/v1/session", json={"name": "bench", "password": PASSWORD}
                ).raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        while not all(camera["state"] == "live" for camera in client.get("/api/v1/cameras").json()):
            time.sleep(0.5)
        arrivals: dict[str, tuple[float, dict[str, Any]]] = {}
        stop = threading.Event()
        threading.Thread(target=listen, args=(client, arrivals, stop), daemon=True).start()
        # What starting costs is not what running costs.
        time.sleep(SETTLE_S)
        before = totals(client)
        began, cpu_before, peak = time.time(), cpu_s(pid), 0.0
        while time.time() - began < seconds:
            time.sleep(1.0)
            peak = max(peak, memory_mb(pid))
        spent = cpu_s(pid) - cpu_before
        stop.set()
        after = totals(client)
        delays = []
        for arrived, incident in arrivals.values():
            if arrived < began:
                continue
            (first, *_) = client.get(f"/api/v1/incidents/{incident['id']}").json()["events"]
            started = datetime.fromisoformat(first["started_at"]).timestamp()
            decided = datetime.fromisoformat(first["decided_at"]).timestamp()
            delays.append(
                {
                    "behaviour": first["behaviour"],
                    "onset_s": arrived - started,
                    "decided_s": arrived - decided,
                }
            )
    prompt = sorted(
        delay["onset_s"] for delay in delays if delay["behaviour"] in {"intrusion", "fight", "aggression"}
    )
    delivered = sorted(delay["decided_s"] for delay in delays)
    return {
        "seconds": seconds,
        **{name: after[name] - before[name] for name in COUNTED},
        "frames_dropped_at_start": before["frames_dropped"],
        "cpu_ms_per_second": round(1000 * spent / seconds),
        "peak_memory_mb": round(peak),
        "incidents": len(delays),
        "onset_to_console_s": quantiles(prompt),
        "decision_to_console_s": quantiles(delivered),
    }


def totals(client: httpx.Client) -> dict[str, int]:
    """The counters of all cameras together."""
    counters = [camera["counters"] for camera in client.get("/api/v1/cameras").json()]
    return {name: sum(count[name] for count in counters) for name in COUNTED}


def quantiles(values: Sequence[float]) -> dict[str, float | int | None]:
    """Median and 95th percentile of sorted values."""
    if not values:
        return {"n": 0, "median": None, "p95": None}
    return {
        "n": len(values),
        "median": round(values[len(values) // 2], 2),
        "p95": round(values[min(len(values) - 1, round(0.95 * len(values)))], 2),
    }


if __name__ == "__main__":
    main()
