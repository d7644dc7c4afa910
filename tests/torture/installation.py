"""A real installation under torture: `tynysh run`, kept running as systemd would, and whoever watches its console."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
import yaml
from sqlalchemy import select
from tests.servers import free_port
from tests.torture.visits import FOLDER, ROUND_S, WALK_S, install, write_videos

from tynysh.bus.workers import Workers
from tynysh.media.camera_status import CameraState, CameraStatus
from tynysh.runtime.data_folder import DataFolder
from tynysh.store import sessions, users
from tynysh.store.database import Database
from tynysh.store.schema import ClipRow, EventRow, SessionRow
from tynysh.store.users import Role

SHIFTED = """
import os, time
from pathlib import Path

_file, _true = Path(os.environ["TYNYSH_TORTURE_FOLDER"], "clock"), time.time


def shifted():
    try:
        return _true() + float(_file.read_text() or 0.0)
    except OSError:
        return _true()


time.time = shifted
"""
"""Python's own hook at start, `sitecustomize`: the clock of each process is ahead by what stands in a file."""


def wall_s() -> float:
    """Unix time that no test sets."""
    return time.clock_gettime(time.CLOCK_REALTIME)


@dataclass(frozen=True, order=True)
class Told:
    """An event as it stands in the database: Unix times, the last None while it holds."""

    camera: str
    behaviour: str
    start_s: float
    end_s: float | None

    def covers(self, camera: str, visit_s: float) -> bool:
        """Whether it tells of a visit to a camera that began then, or that the camera did not see it; what holds from
        one visit to the next tells of both.
        """
        return (
            self.camera == camera
            and self.behaviour in {"intrusion", "camera_fault"}
            and self.start_s < visit_s + WALK_S + 1.0
            and (self.end_s is None or self.end_s > visit_s - 1.0)
        )


class Installation:
    """`tynysh run` on a folder of its own, started again whenever it ends, until `close`."""

    def __init__(self, root: Path, cameras: Sequence[str], url: str | None = None) -> None:
        self.cameras = tuple(cameras)
        self.folder = DataFolder.open(root / "data")
        self.control = root / "control"
        self.log = root / "log"
        self.url = url or self.folder.database_url
        self.port = free_port()
        self.server_folder: Path | None = None
        self.small_disk = False
        self.supervisors: list[subprocess.Popen[bytes]] = []
        self._root = root
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep_running, name="systemd")
        self._workers = Workers(self.folder.bus)
        self.control.mkdir()
        write_videos(self.control)
        install(self.control)
        (self.control / "sitecustomize.py").write_text(SHIFTED)
        (root / "site.yaml").write_text(yaml.safe_dump(self._site()))

    def _site(self) -> dict[str, Any]:
        zone = {"name": "gate", "kind": "protected", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}
        quiet: dict[str, Any] = {kind: {"enabled": False} for kind in ("fight", "aggression", "person_down")}
        watched = quiet | {"intrusion": {"zones": ["gate"], "cooldown_s": 0}, "camera_fault": {}}
        cameras = [
            {"name": name, "id": name, "main": f"visits:{name}", "zones": [zone], "analysers": watched}
            for name in self.cameras
        ]
        street = {"name": "Street", "kind": "street", "time_zone": "Asia/Almaty", "cameras": cameras}
        return {"sites": [street | {"clip": {"before_s": 2, "after_s": 2}}]}

    @property
    def environment(self) -> dict[str, str]:
        """That of all of its processes."""
        path = [self.control, Path(__file__).parents[2], os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            FOLDER: str(self.control),
            "TYNYSH_DATA": str(self.folder.root),
            "TYNYSH_DATABASE": self.url,
            "PYTHONPATH": os.pathsep.join(map(str, filter(None, path))),
        }

    def command(self) -> list[str]:
        """What is run."""
        return [sys.executable, "-m", "tynysh", "run", str(self._root / "site.yaml"), f"--port={self.port}"]

    def start(self) -> None:
        """Begin."""
        self._keeper.start()

    def _keep_running(self) -> None:
        with self.log.open("ab") as log:
            while not self._stopping.is_set():
                process = subprocess.Popen(
                    self.command(), env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
                self.supervisors.append(process)
                process.wait()
                self._stopping.wait(0.1)

    def close(self) -> None:
        """End it in good order."""
        self._stopping.set()
        while self._keeper.is_alive():
            with contextlib.suppress(ProcessLookupError):
                self.supervisors[-1].send_signal(signal.SIGTERM)
            self._keeper.join(30)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log that tell of `event`."""
        return [
            json.loads(line)
            for line in self.log.read_text(errors="replace").splitlines()
            if line.startswith("{") and f'"event": "{event}"' in line
        ]

    def processes(self) -> dict[int, str]:
        """Its processes that there are, by id, with their part: `run`, `serve-console`, `serve-cameras`."""
        found: dict[int, str] = {}
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"TYNYSH_DATA={self.folder.root}".encode() in (path / "environ").read_bytes().split(b"\0"):
                    words = (path / "cmdline").read_bytes().split(b"\0")
                    if b"tynysh" in words:
                        found[int(path.name)] = words[words.index(b"tynysh") + 1].decode()
        return found

    def statuses(self) -> dict[str, CameraStatus]:
        """What the workers say of the cameras."""
        return dict(asyncio.run(self._workers.status()))

    def console_answers(self) -> bool:
        """Whether it serves."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=3.0, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code < 500

    def is_well(self, before: dict[str, int] | None = None) -> bool:
        """Whether the console serves and all cameras are live, with pictures analysed beyond those of `before`."""
        now = self.statuses()
        return (
            set(now) == set(self.cameras)
            and all(status.state is CameraState.LIVE and status.recording for status in now.values())
            and (before is None or self._went_on(before, now))
            and self.console_answers()
        )

    def _went_on(self, before: dict[str, int], now: dict[str, CameraStatus]) -> bool:
        return all(now[name].counters.frames_analysed != before.get(name) for name in self.cameras)

    def wait_until_well(self, within_s: float) -> float:
        """Wait; the seconds that it took. Raises TimeoutError."""
        began_s = time.monotonic()
        before = {name: status.counters.frames_analysed for name, status in self.statuses().items()}
        while not self.is_well(before):
            if time.monotonic() - began_s > within_s:
                raise TimeoutError(f"not well after {within_s:.0f} s: {self.statuses()}")
            time.sleep(0.1)
        return time.monotonic() - began_s

    def token(self) -> tuple[str, str]:
        """A session of a new operator, and its CSRF token."""
        database, name, token = Database.open(self.url), f"op-{secrets.token_hex(4)}", secrets.token_urlsafe()
        now = wall_s()
        with database.writing() as session:
            users.add(session, name, Role.ADMIN, password_hash="-", now=now, one_time=False)
            session.flush()
            session.add(
                SessionRow(
                    token_hash=sessions.token_hash(token),
                    user_id=users.find(session, name).id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + sessions.LIFETIME_S,
                )
            )
        database.close()
        return token, sessions.csrf(token)

    def events(self) -> dict[str, Told]:
        """The events in the database, by id."""
        database = Database.open(self.url)
        with database.reading() as session:
            found = {
                row.id: Told(row.camera_id, str(row.behaviour), row.started_at, row.ended_at)
                for row in session.scalars(select(EventRow))
            }
        database.close()
        return found

    def clips(self) -> dict[str, int]:
        """How many clips are in which state; `broken` are those said to be ready that do not play to their end, or
        whose original, which has what the camera sent, is no video.
        """
        database = Database.open(self.url)
        with database.reading() as session:
            rows = session.scalars(select(ClipRow)).all()
        database.close()
        counts: dict[str, int] = {"broken": 0}
        for clip in rows:
            counts[clip.state] = counts.get(clip.state, 0) + 1
            if clip.state == "ready":
                shown, original = clip.anonymised_path or "", clip.original_path or ""
                whole = plays(self.folder.evidence / shown) and holds_video(self.folder.evidence / original)
                counts["broken"] += not whole
        return counts


def plays(path: Path) -> bool:
    """Whether a video can be decoded to its end and holds pictures."""
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0)) > 0
    except (av.FFmpegError, OSError):
        return False


class Desk:
    """Somebody at the console, who is told by push: what of, and when (seconds, monotonic)."""

    def __init__(self, installation: Installation) -> None:
        self.told: list[tuple[float, str, dict[str, Any]]] = []
        self.lines_lost: list[float] = []
        token, csrf = installation.token()
        self._headers = {"Cookie": f"tynysh_session={token}", "X-CSRF-Token": csrf}
        self._url = f"http://127.0.0.1:{installation.port}/api/v1/updates"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="desk", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            # As the console: what has said nothing for 3.5 s is lost.
            with (
                contextlib.suppress(httpx.HTTPError),
                httpx.Client(timeout=3.5, trust_env=False) as client,
                client.stream("GET", self._url, headers=self._headers) as stream,
            ):
                self._read(stream.iter_lines())
            self.lines_lost.append(time.monotonic())
            self._stopping.wait(0.2)

    def _read(self, lines: Iterator[str]) -> None:
        name = ""
        for line in lines:
            if self._stopping.is_set():
                return
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                self.told.append((time.monotonic(), name, json.loads(line[6:])))

    def first_word(self, since_s: float, camera: str | None) -> tuple[float, str] | None:
        """How long after `since_s` this desk was first told that something is the matter (with `camera`), and how."""
        words = [(at, "line lost") for at in self.lines_lost if camera is None]
        for at, name, said in list(self.told):
            if name == "camera" and said["state"] != "live" and camera in {None, said["id"]}:
                words.append((at, f"camera {said['state']}"))
            if (
                name == "incident"
                and said["behaviour"].endswith("_fault")
                and camera in {None, said["camera"]["id"]}
            ):
                words.append((at, f"incident {said['behaviour']}"))
        later = sorted(word for word in words if word[0] >= since_s)
        return (later[0][0] - since_s, later[0][1]) if later else None

    def close(self) -> None:
        """Leave."""
        self._stopping.set()
        self._thread.join(10)


def holds_video(path: Path) -> bool:
    """Whether a file is a video with packets in it."""
    try:
        with av.open(str(path)) as container:
            return sum(1 for packet in container.demux(video=0) if packet.size) > 0
    except (av.FFmpegError, OSError):
        return False


def visits_between(start_s: float, end_s: float) -> list[float]:
    """When (Unix time) visits began that were wholly within a time."""
    first = int(start_s // ROUND_S) + 1
    starts = (number * ROUND_S for number in range(first, int(end_s // ROUND_S) + 1))
    return [start for start in starts if start + WALK_S <= end_s]
