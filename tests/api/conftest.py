"""A console served by a real server over a real database, with sites, cameras, users and workers that answer."""

import asyncio
import contextlib
import json
import secrets
import shutil
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog
from argon2 import PasswordHasher

from tynysh.api.app import create_app
from tynysh.api.server import ConsoleServer, configuration, listen
from tynysh.api.settings import ApiSettings
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.bus.protocol import WorkerHealth
from tynysh.geometry import Box
from tynysh.media.camera_status import CameraStatus, understood
from tynysh.store import sessions, users
from tynysh.store.database import UNHURRIED, Database, Patience
from tynysh.store.queries import cameras, clips, events
from tynysh.store.schema import CameraRow, SessionRow, SiteRow
from tynysh.store.users import Role

PASSWORD = "correct horse battery"
NOON = 1_800_000_000.0
SCRIPT = '<script>alert("x")</script>'


@pytest.fixture(scope="module", autouse=True)
def quiet_logs() -> Iterator[None]:
    """Structlog's own default draws tracebacks with all local values, which takes seconds."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """What a hash costs is the accounts' own test; here it would only take time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        sessions._nobody.cache_clear()
        yield
    sessions._nobody.cache_clear()


@pytest.fixture(scope="module")
def password_hash(quick_hashes: None) -> str:
    return users.hashed(PASSWORD)


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


def healthy(**more: Any) -> WorkerHealth:
    """What a worker of both cameras says that has nothing to complain of."""
    usual = {
        "analysed_s_ago": {"club-door": 0.5, "park-door": 0.5},
        "events_wait_s": 0.0,
        "journal_fault": None,
    }
    return WorkerHealth.model_validate(usual | more)


@dataclass
class Workers:
    """Stands for the workers: what they would say, set by the test."""

    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    crowds: dict[str, dict[str, Any]] = field(default_factory=dict)
    videos: dict[str, Callable[[], AsyncIterator[bytes]]] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)
    healths: dict[str, WorkerHealth] = field(default_factory=lambda: {"worker-0": healthy()})
    slow_s: float = 0.0
    asked: int = 0

    async def health(self, _patience_s: float) -> Mapping[str, WorkerHealth]:
        return self.healths

    async def status(self) -> Mapping[str, CameraStatus]:
        await asyncio.sleep(self.slow_s)
        self.asked += 1
        return understood(self.statuses)

    async def crowd(self, camera_id: str) -> Mapping[str, Any] | None:
        return self.crowds.get(camera_id)

    async def picture(self, camera_id: str) -> bytes | None:
        return self.pictures.get(camera_id)

    async def live(self, camera_id: str) -> AsyncIterator[bytes]:
        if camera_id in self.videos:
            try:
                async for item in self.videos[camera_id]():
                    yield item
            finally:
                self.released.append(camera_id)


class Served:
    """The application on a port of this machine, in a thread of its own."""

    def __init__(self, app: Any) -> None:
        self._listening = listen("127.0.0.1", 0)
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        started = threading.Event()
        self._server = ConsoleServer(configuration(app), app, started.set)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]})
        self._thread.start()
        assert started.wait(30), "the server does not start"

    def ask_to_stop(self) -> None:
        self._server.should_exit = True

    def stop(self) -> None:
        self.ask_to_stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server does not stop"


class House:
    """Two sites with a camera each, a server, and ways to make things happen."""

    def __init__(self, database: Database, folder: Path, password_hash: str, settings: ApiSettings) -> None:
        self.database = database
        self.data_dir = folder
        self.clock = Clock()
        self.workers = Workers()
        self._password_hash = password_hash
        # What may stand for the parameters of paths; filled by `full_house`.
        self.values: dict[str, Mapping[str, str]] = {
            MISSING: defaultdict(lambda: "nothing", incident_id="99999999")
        }
        self._build()
        console = folder / "console"
        (console / "assets").mkdir(parents=True)
        (console / "index.html").write_text("<!doctype html><title>Tynysh</title>")
        (console / "assets" / "index-a1b2c3.js").write_text("export {};")
        (console / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        (folder / "secret.txt").write_text("secret")
        self.app = create_app(
            database,
            workers=self.workers,
            data_dir=folder,
            clock=self.clock,
            settings=settings,
            console=console,
        )
        self.served = Served(self.app)
        self.url = self.served.url

    def _build(self) -> None:
        with self.database.writing() as session:
            for ordinal, site in enumerate(("club", "park")):
                place = {"latitude": 51.1, "longitude": 71.4}
                session.add(
                    SiteRow(
                        id=site,
                        name=SCRIPT if site == "club" else "Park",
                        kind="nightlife" if site == "club" else "park",
                        ordinal=ordinal,
                        settings={"time_zone": "Asia/Almaty", "address": "Abay 1", "position": place},
                    )
                )
                session.flush()
                zone = {"name": "Stage", "kind": "protected", "polygon": [[0, 0], [1, 0], [1, 1]]}
                session.add(
                    CameraRow(
                        id=f"{site}-door",
                        site_id=site,
                        name=f"{site} door",
                        ordinal=0,
                        settings={"zones": [zone]},
                    )
                )

    def happens(
        self,
        camera: str = "club-door",
        behaviour: Behaviour = Behaviour.FIGHT,
        *,
        clip: bool = False,
        apart_s: float = 200.0,
    ) -> int:
        """An incident of its own on that camera; its id."""
        self.clock.now += apart_s
        now = self.clock.now
        event = Event(
            id=str(uuid4()),
            behaviour=behaviour,
            phase=Phase.ENDED,
            start_s=now - 5,
            decided_s=now - 3,
            end_s=now - 1,
            score=0.9,
            box=Box(0.1, 0.2, 0.3, 0.4),
            people=2,
            zone="Stage",
            subject="",
            reason=Reason("reason.fight.network", {"score": 0.9}),
            curve=((now - 5, 0.2), (now - 3, 0.9)),
        )
        return events.record(self.database, event, camera, now=now, clip=clip).incident_id

    def has_clip(self, incident: int, video: bytes, still: bytes = b"\xff\xd8still\xff\xd9") -> None:
        folder = self.data_dir / "evidence" / str(incident)
        folder.mkdir(parents=True)
        (folder / "clip.mp4").write_bytes(video)
        (folder / "original.mp4").write_bytes(b"ORIGINAL WITH FACES")
        (folder / "still.jpg").write_bytes(still)
        with self.database.writing() as session:
            clips.set_ready(
                session,
                incident,
                original_path=f"{incident}/original.mp4",
                anonymised_path=f"{incident}/clip.mp4",
                still_path=f"{incident}/still.jpg",
                started_at=self.clock.now - 10,
                ended_at=self.clock.now + 10,
                bytes=len(video),
                now=self.clock.now,
            )

    def set_state(self, camera: str, state: str) -> None:
        """The camera's worker records another state."""
        with self.database.writing() as session:
            status = CameraStatus(state=state, since=self.clock.now, fps=10.0)
            cameras.set_state(session, camera, status, now=self.clock.now)

    def user(self, role: Role = Role.OPERATOR, *, sites: tuple[str, ...] = (), one_time: bool = False) -> str:
        """A new account of that role with the password of the tests; its name."""
        name = f"{role}-{secrets.token_hex(4)}"
        with self.database.writing() as session:
            users.add(
                session,
                name,
                role,
                password_hash=self._password_hash,
                now=self.clock.now,
                sites=sites,
                one_time=one_time,
            )
        return name

    def token(self, name: str) -> str:
        """A session of that user, as if signed in just now."""
        token = secrets.token_urlsafe()
        now = self.clock.now
        with self.database.writing() as session:
            session.add(
                SessionRow(
                    token_hash=sessions.token_hash(token),
                    user_id=users.find(session, name).id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + sessions.LIFETIME_S,
                )
            )
        return token

    def signed_in(
        self, role: Role = Role.OPERATOR, *, sites: tuple[str, ...] = (), one_time: bool = False
    ) -> httpx.Client:
        """A browser in which a new user of that role is signed in."""
        return self.browser(self.token(self.user(role, sites=sites, one_time=one_time)))

    def venue(self, *sites: str) -> httpx.Client:
        """A browser of a venue's own security."""
        return self.signed_in(Role.VENUE, sites=sites or ("club",))

    def browser(self, token: str | None = None) -> httpx.Client:
        """A client that knows that session, with its CSRF token on all requests."""
        return httpx.Client(base_url=self.url, headers=self.headers(token), timeout=20)

    def headers(self, token: str | None) -> dict[str, str]:
        if token is None:
            return {}
        return {"Cookie": f"tynysh_session={token}", "X-CSRF-Token": sessions.csrf(token)}

    @contextlib.asynccontextmanager
    async def updates(
        self, token: str, *, query: str = "", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator["Updates"]:
        """An open stream of updates."""
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=20) as client,
            client.stream(
                "GET", f"/api/v1/updates{query}", headers={**self.headers(token), **(headers or {})}
            ) as response,
        ):
            assert response.status_code == 200, await response.aread()
            yield Updates(response)

    def close(self) -> None:
        self.served.stop()
        self.database.close()


class Updates:
    """What arrives on a stream of server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.last_id: str | None = None
        self.comments = 0

    async def next(self) -> tuple[str, Any]:
        """The next event's name and data."""
        name, data = "message", ""
        async with asyncio.timeout(20):
            async for line in self._lines:
                if line.startswith("id: "):
                    self.last_id = line[4:]
                elif line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    data += line[6:]
                elif line.startswith(":"):
                    self.comments += 1
                elif not line and data:
                    return name, json.loads(data)
                elif not line:
                    name = "message"
        raise EOFError

    async def ready(self) -> None:
        """Waits until the stream has caught up, and knows where it is."""
        async with asyncio.timeout(20):
            while self.last_id is None:
                line = await anext(self._lines)
                if line.startswith("id: "):
                    self.last_id = line[4:]

    async def end(self) -> None:
        """Waits for the server to end the stream."""
        async with asyncio.timeout(20):
            async for _ in self._lines:
                pass


@pytest.fixture(scope="session")
def quick() -> ApiSettings:
    return ApiSettings(poll_s=0.02, watch_s=0.05, keep_alive_s=0.3)


@pytest.fixture(scope="module")
def make_house(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, password_hash: str, quick: ApiSettings
) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(
        settings: ApiSettings = quick, *, url: str | None = None, patience: Patience = UNHURRIED
    ) -> House:
        folder = tmp_path_factory.mktemp("data")
        if url is None:
            shutil.copy(sqlite_template, folder / "tynysh.db")
        house = House(
            Database.open(url or folder / "tynysh.db", patience=patience), folder, password_hash, settings
        )
        houses.append(house)
        return house

    yield make
    for house in houses:
        house.served.ask_to_stop()
    for house in houses:
        house.close()


@pytest.fixture(scope="module")
def house(make_house: Callable[..., House]) -> House:
    return make_house()


OWN, OTHER, MISSING = "own", "other", "missing"


@pytest.fixture(scope="module")
def full_house(make_house: Callable[..., House]) -> House:
    """A house in which there is something at every address: of a venue's own site, and of the other."""
    house = make_house()
    for which, site in ((OWN, "club"), (OTHER, "park")):
        incident = house.happens(f"{site}-door")
        house.has_clip(incident, b"video")
        house.workers.pictures[f"{site}-door"] = b"\xff\xd8\xff\xd9"
        house.workers.videos[f"{site}-door"] = short_video
        with house.database.writing() as session:
            row = session.get_one(SiteRow, site)
            hall = {"name": f"{site} hall", "views": [{"camera": f"{site} door"}]}
            row.settings = {**row.settings, "places": [hall]}
        house.values[which] = {
            "incident_id": str(incident),
            "camera_id": f"{site}-door",
            "site_id": site,
            "name": f"{site} hall",
            "path": "nothing",
        }
    return house


async def short_video() -> AsyncIterator[bytes]:
    yield b"video/mp4"
    yield b"picture"
