"""A worker: some of the cameras, with shared networks, one writer of events, and a link to the console."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import structlog

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import StoreError, TynyshError
from tynysh.evidence.clip_maker import ClipMaker
from tynysh.perception.detector import Detector
from tynysh.runtime import logs
from tynysh.runtime.camera_runner import CameraRunner, start_camera
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.event_writer import Entry, EventWriter
from tynysh.runtime.link import CameraStatus, LinkServer
from tynysh.runtime.networks import Networks
from tynysh.runtime.supervisor import stop_requested
from tynysh.site.apply import stored
from tynysh.site.schema import Camera, Site, plain
from tynysh.store.database import Database
from tynysh.store.queries import cameras, events
from tynysh.store.queries.cameras import CameraState
from tynysh.store.queries.events import Recorded

log = structlog.get_logger(__name__)

LOOK_S = 2.0
"""How often a worker looks whether its cameras' settings changed, and writes down how they fare."""


def serve_cameras(number: int, of: int, device: str, scripted: Callable[[], Detector]) -> None:
    """Be worker `number` of `of`, until told to stop or until the supervisor is gone.

    scripted: makes the detector of a simulated camera.
    """
    logs.configure()
    stop = stop_requested()
    folder = DataFolder.open()
    database = Database.open(folder.database_url)
    worker = Worker(number, of, folder, database, Networks.load(device), SystemRandom(), scripted)
    try:
        worker.run(stop)
    finally:
        database.close()


class Worker:
    """Runs the cameras that fall to it: those whose place in the order of ids, modulo `of`, is `number`."""

    def __init__(
        self,
        number: int,
        of: int,
        folder: DataFolder,
        database: Database,
        networks: Networks,
        random: Random,
        scripted: Callable[[], Detector],
    ) -> None:
        self.number = number
        self._of = of
        self._folder = folder
        self._database = database
        self._networks = networks
        self._random = random
        self._scripted = scripted
        self._runners: dict[str, CameraRunner] = {}
        self._settings: dict[str, Any] = {}
        self._stills: dict[str, bytes] = {}
        self._writer = EventWriter(database, self._written, random=random)
        self._clips = ClipMaker(database, folder.evidence, networks.detector, self._runners)
        self._link = LinkThread(folder.run / f"worker-{number}.sock", self)

    @property
    def runners(self) -> dict[str, CameraRunner]:
        """The cameras at work, by id."""
        return self._runners

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        self._writer.start()
        self._clips.start()
        self._link.start()
        try:
            first = True
            while first or not stop.wait(LOOK_S):
                with contextlib.suppress(StoreError):
                    # A database that is away is told of where events wait for it; cameras go on.
                    self._look(first=first)
                    first = False
                if first and stop.wait(LOOK_S):
                    return
        finally:
            self._end()

    def _look(self, *, first: bool) -> None:
        with self._database.reading() as session:
            sites = stored(session)
        mine = share([] if sites is None else sites.sites, self.number, self._of)
        if first:
            with self._database.writing() as session:
                events.close_orphans(session, list(mine), now=time.time())
        for camera_id in [known for known in self._runners if known not in mine]:
            self._stop_camera(camera_id)
        for camera_id, (site, camera) in mine.items():
            said = (plain(site) | {"cameras": None}, plain(camera))
            if self._settings.get(camera_id) != said:
                self._stop_camera(camera_id)
                self._start_camera(site, camera)
                self._settings[camera_id] = said
        self._write_states()

    def _start_camera(self, site: Site, camera: Camera) -> None:
        try:
            runner = start_camera(
                site,
                camera,
                self._networks,
                self._folder.recordings,
                heard=self._heard,
                random=self._random,
                scripted=self._scripted,
            )
        except TynyshError as error:
            log.error("camera.not_started", camera=camera.id, error=error.message, hint=error.hint)
            with self._database.writing() as session:
                lost = CameraState(state="lost", since=time.time(), detail=error.message)
                cameras.set_state(session, camera.id, lost, now=time.time())
            return
        self._runners[camera.id] = runner
        log.info("camera.started", camera=camera.id)

    def _stop_camera(self, camera_id: str) -> None:
        self._settings.pop(camera_id, None)
        runner = self._runners.pop(camera_id, None)
        if runner is not None:
            runner.stop()
            log.info("camera.stopped", camera=camera_id)

    def _write_states(self) -> None:
        now = time.time()
        with self._database.writing() as session:
            for camera_id, runner in self._runners.items():
                status = runner.status()
                state = CameraState(
                    state=status["state"],
                    since=status["since"],
                    detail=status["detail"],
                    people=status["people"],
                    fps=status["fps"],
                    recording=status["recording"],
                    counters=status["counters"],
                )
                cameras.set_state(session, camera_id, state, now=now)

    def _heard(self, runner: CameraRunner, event: Event) -> None:
        """An event of a camera, in the camera's own thread."""
        if event.phase is Phase.BEGUN:
            # Taken now, while it shows what happened; kept only if the event opens an incident.
            still = runner.picture()
            if still is not None:
                self._stills[event.id] = still
        clip = runner.recorded and event.behaviour is not Behaviour.RECORDING_FAULT
        self._writer.put(Entry(runner.camera.id, event, clip))

    def _written(self, entry: Entry, recorded: Recorded) -> None:
        """An event is durable; in the writer's thread."""
        still = self._stills.pop(entry.event.id, None)
        if recorded.opened:
            log.info(
                "incident.opened",
                incident=recorded.incident_id,
                camera=entry.camera_id,
                behaviour=entry.event.behaviour.value,
                delay_s=round(time.time() - entry.event.start_s, 2),
            )
            if still is not None:
                try:
                    self._clips.keep_still(recorded.incident_id, still)
                except TynyshError as error:
                    log.warning("still.not_kept", incident=recorded.incident_id, error=error.message)

    def _end(self) -> None:
        for camera_id in list(self._runners):
            self._stop_camera(camera_id)
        lost = self._writer.stop()
        if lost:
            log.error("events.lost", count=lost)
        self._clips.stop()
        self._link.stop()


def share(sites: Sequence[Site], number: int, of: int) -> dict[str, tuple[Site, Camera]]:
    """The enabled cameras that fall to worker `number` of `of`, by id."""
    enabled = sorted(
        ((site, camera) for site in sites for camera in site.cameras if camera.enabled),
        key=lambda pair: pair[1].id,
    )
    return {camera.id: (site, camera) for place, (site, camera) in enumerate(enabled) if place % of == number}


class LinkThread:
    """Serves a worker's link on an event loop of its own."""

    def __init__(self, path: Path, worker: Worker) -> None:
        self._path = path
        self._worker = worker
        self._loop = asyncio.new_event_loop()
        self._server = LinkServer(path, self)
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """End all answers."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(5.0)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5.0)

    def status(self) -> dict[str, CameraStatus]:
        """How each camera fares."""
        return {
            camera_id: {**runner.status(), "worker": self._worker.number, "reported_at": time.time()}
            for camera_id, runner in list(self._worker.runners.items())
        }

    async def picture(self, camera_id: str) -> bytes | None:
        """The latest picture, anonymised."""
        runner = self._worker.runners.get(camera_id)
        return None if runner is None else await asyncio.to_thread(runner.picture)

    async def live(self, camera_id: str) -> AsyncGenerator[bytes, None]:
        """Live video, anonymised."""
        runner = self._worker.runners.get(camera_id)
        if runner is None:
            return
        async with contextlib.aclosing(runner.live.watch()) as fragments:
            async for fragment in fragments:
                yield fragment

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.start())
        self._loop.run_forever()
