"""The built console on a real server over a real database, a browser to look at it, and drawn video."""

import asyncio
import importlib.util
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tynysh.api.app import create_app
from tynysh.api.console import BUILT
from tynysh.api.server import ConsoleServer, configuration, listen
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box
from tynysh.media.camera_status import CameraStatus, understood
from tynysh.store import users
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.queries import cameras, clips, events
from tynysh.store.schema import CameraRow, SiteRow
from tynysh.store.users import Role
from tynysh.translations import Language

_drawn = importlib.util.spec_from_file_location("drawn", Path(__file__).with_name("drawn.py"))
drawn = importlib.util.module_from_spec(_drawn)
_drawn.loader.exec_module(drawn)

PASSWORD = "correct horse battery"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CLIP_S = 12.0
ONSET_S = 5.0


@dataclass
class Workers:
    """Stands for the workers: drawn pictures and drawn live video."""

    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    crowds: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    video: tuple[str, bytes, list[bytes]] = field(default_factory=lambda: drawn.live(20))

    async def status(self) -> Mapping[str, CameraStatus]:
        return understood(self.statuses)

    async def crowd(self, camera_id: str) -> Mapping[str, Any] | None:
        crowd = self.crowds.get(camera_id)
        return None if crowd is None else crowd | {"at": time.time()}

    async def picture(self, camera_id: str) -> bytes | None:
        working = self.statuses.get(camera_id, {}).get("state") in {"live", "degraded"}
        return drawn.jpeg(time.time() % 60) if working else None

    async def live(self, camera_id: str) -> AsyncIterator[bytes]:
        if camera_id in self.silent or self.statuses.get(camera_id, {"state": "lost"})["state"] == "lost":
            return
        mime, head, fragments = self.video
        yield mime.encode()
        yield head
        for fragment in fragments:
            yield fragment
            await asyncio.sleep(1 / drawn.FPS)


class House:
    """Two sites in Astana's time zone, five cameras, and ways to make things happen."""

    def __init__(self, folder: Path, password_hash: str) -> None:
        self.folder = folder
        self.database = Database.open(folder / "tynysh.db")
        migrate(self.database)
        self.workers = Workers()
        self._password_hash = password_hash
        self._clip = folder / "clip.mp4"
        drawn.clip(self._clip, CLIP_S)
        self._build()
        self.port = 0
        self.serve()

    def serve(self) -> None:
        """Serves the console; again on the same port after `pause`."""
        app = create_app(self.database, workers=self.workers, data_dir=self.folder)
        listening = listen("127.0.0.1", self.port)
        self.port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        started = threading.Event()
        self._server = ConsoleServer(configuration(app), app, started.set)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()
        assert started.wait(30), "the server does not start"

    def pause(self) -> None:
        """Stops serving, as when the server is restarted."""
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server does not stop"

    def _build(self) -> None:
        places = {
            "club": ("Aurora Club", "nightlife", "Abay Avenue 12", 51.1282, 71.4304),
            "park": ("Central Park", "park", None, 51.1561, 71.4197),
        }
        seen = {
            "club-door": ("club", "Entrance", 51.1283, 71.4302, False),
            "club-hall": ("club", "Main hall", 51.1281, 71.4306, False),
            "club-yard": ("club", "Yard", 51.1279, 71.4303, False),
            "park-gate": ("park", "South gate", 51.1550, 71.4190, False),
            "park-demo": ("park", "Drawn square", None, None, True),
        }
        now = time.time()
        zone = {
            "name": "Stage",
            "kind": "protected",
            "polygon": [[0.3, 0.5], [0.7, 0.5], [0.75, 0.95], [0.25, 0.95]],
        }
        with self.database.writing() as session:
            for ordinal, (key, (name, kind, address, latitude, longitude)) in enumerate(places.items()):
                settings = {
                    "time_zone": "Asia/Almaty",
                    "address": address,
                    "position": {"latitude": latitude, "longitude": longitude},
                }
                session.add(SiteRow(id=key, name=name, kind=kind, ordinal=ordinal, settings=settings))
            session.flush()
            for ordinal, (key, (site, name, latitude, longitude, simulated)) in enumerate(seen.items()):
                own: dict[str, Any] = {"zones": [zone] if key == "club-hall" else []}
                if latitude is not None:
                    own["position"] = {"latitude": latitude, "longitude": longitude}
                camera = CameraRow(
                    id=key, site_id=site, name=name, ordinal=ordinal, simulated=simulated, settings=own
                )
                session.add(camera)
                session.flush()
                state = "lost" if key == "club-yard" else "degraded" if key == "park-gate" else "live"
                worker_status = {
                    "state": state,
                    "since": now - 4000,
                    "people": 0 if state == "lost" else 3,
                    "fps": 0.0 if state == "lost" else 10.0,
                    "recording": state != "lost",
                    "counters": {"frames_read": 40_000, "frames_decoded": 12_000, "frames_analysed": 9_000},
                }
                self.workers.statuses[key] = worker_status
                status = CameraStatus(state=state, since=now - 4000)
                cameras.set_state(session, key, status, now=now)

    def happens(
        self,
        camera: str = "club-hall",
        behaviour: Behaviour = Behaviour.FIGHT,
        *,
        reason: Reason | None = None,
        clip: bool = True,
        ago_s: float = 0.0,
        people: int = 2,
        zone: str | None = None,
    ) -> int:
        """An incident that has just been decided; its id. Its clip is expected, not ready."""
        now = time.time() - ago_s
        onset = now - 3
        curve = [(onset + step / 4 - 2, min(0.94, max(0.05, step / 18))) for step in range(24)]
        event = Event(
            id=str(uuid4()),
            behaviour=behaviour,
            phase=Phase.ENDED,
            start_s=onset,
            decided_s=now - 1,
            end_s=now + 1,
            score=0.94,
            box=Box(0.38, 0.42, 0.61, 0.86),
            people=people,
            zone=zone,
            subject=zone or "",
            reason=reason,
            curve=tuple(curve),
        )
        return events.record(self.database, event, camera, now=now, clip=clip).incident_id

    def clip_is_ready(self, incident: int, *, ago_s: float = 0.0) -> None:
        """The clip's files come to lie where the worker would put them, and the console is told."""
        folder = self.folder / "evidence" / str(incident)
        folder.mkdir(parents=True)
        shutil.copy(self._clip, folder / "clip.mp4")
        (folder / "still.jpg").write_bytes(drawn.jpeg(ONSET_S + 1))
        started = time.time() - ago_s - 3 - ONSET_S
        with self.database.writing() as session:
            clips.set_ready(
                session,
                incident,
                original_path=None,
                anonymised_path=f"{incident}/clip.mp4",
                still_path=f"{incident}/still.jpg",
                started_at=started,
                ended_at=started + CLIP_S,
                bytes=self._clip.stat().st_size,
                now=time.time(),
            )

    def set_state(self, camera: str, state: str) -> None:
        """The camera's worker says that it has come to another state."""
        now = time.time()
        self.workers.statuses[camera] |= {"state": state, "since": now}
        with self.database.writing() as session:
            cameras.set_state(session, camera, CameraStatus(state=state, since=now), now=now)

    def user(
        self,
        role: Role = Role.OPERATOR,
        *,
        language: Language = "en",
        one_time: bool = False,
        sites: tuple[str, ...] = (),
    ) -> str:
        """A new account with the password of the tests; its name."""
        name = f"{role}-{uuid4().hex[:6]}"
        with self.database.writing() as session:
            users.add(
                session,
                name,
                role,
                password_hash=self._password_hash,
                now=time.time(),
                sites=sites,
                language=language,
                one_time=one_time,
            )
        return name

    def close(self) -> None:
        self.pause()
        self.database.close()


class Desk:
    """A browser's page on the console, with all that it complained of and asked others for."""

    def __init__(self, context: BrowserContext, house: House) -> None:
        self.house = house
        self.faults: list[str] = []
        self.outside: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._see)

    def _hear(self, message: Any) -> None:
        # Chromium writes each refused request to the console; being signed out, or not ready, is no fault.
        expected = "Failed to load resource" in message.text and any(
            code in message.text for code in ("401", "404")
        )
        if message.type in {"error", "warning"} and not expected:
            self.faults.append(f"{message.type}: {message.text}")

    def _see(self, request: Any) -> None:
        own = (self.house.url, self.house.url.replace("http", "ws"), "blob:", "data:")
        if not request.url.startswith(own):
            self.outside.append(request.url)

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.goto(self.house.url)
        self.page.locator("input[name=name]").fill(name)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("button[type=submit]").click()

    def is_clean(self) -> None:
        """Nothing broke the Content-Security-Policy, nothing failed, nobody outside was asked."""
        assert self.faults == []
        assert self.outside == []


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """What a hash costs is the accounts' own test; here it would only take time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, quick_hashes: None) -> Iterator[House]:
    if not (BUILT / "index.html").is_file():
        pytest.skip("the console is not built: make console")
    house = House(tmp_path_factory.mktemp("data"), users.hashed(PASSWORD))
    yield house
    house.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: make browser")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    # The language is the account's own; the browser's is one that the console does not speak.
    context = browser.new_context(locale="de-DE", viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def desk(context: BrowserContext, house: House) -> Desk:
    return Desk(context, house)


@pytest.fixture
def phone(browser: Browser, house: House) -> Iterator[Desk]:
    """The console on a phone of narrow build, in Russian as the phone is."""
    screen = {"width": 390, "height": 780}
    context = browser.new_context(viewport=screen, is_mobile=True, has_touch=True, locale="ru-RU")
    yield Desk(context, house)
    context.close()
