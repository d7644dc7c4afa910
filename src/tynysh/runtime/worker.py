"""A worker: some of the cameras, with shared networks, one writer of events, and a link to the console."""

import asyncio
import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import Any
from zlib import crc32

import structlog
from sqlalchemy import select

from tynysh.backoff import Backoff
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.bus.link import CrowdMessage, Links, LinkServer
from tynysh.crowd.message import crowd_message
from tynysh.errors import StoreError, TynyshError
from tynysh.evidence.clip_maker import ClipMaker
from tynysh.media.camera_status import CameraState, CameraStatus
from tynysh.media.source import SourceError
from tynysh.perception.detector import Detector
from tynysh.runtime import logs
from tynysh.runtime.camera_runner import CameraRunner, Crowd, start_camera
from tynysh.runtime.crowd_history import CrowdHistory
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.event_writer import EventWriter
from tynysh.runtime.ground_memory import GroundMemory
from tynysh.runtime.housekeeping import Housekeeping
from tynysh.runtime.networks import Networks
from tynysh.runtime.place_keeper import PlaceKeeper
from tynysh.runtime.supervisor import stop_requested
from tynysh.runtime.thresholds import Thresholds
from tynysh.site.apply import stored
from tynysh.site.camera import Camera
from tynysh.site.fields import plain
from tynysh.site.site import Site
from tynysh.store.database import Database
from tynysh.store.queries import cameras, events
from tynysh.store.queries.events import Recorded
from tynysh.store.schema import CameraRow

log = structlog.get_logger(__name__)

LOOK_S = 2.0
"""How often a worker looks whether its cameras' settings changed, and writes down how they fare."""

RETRY_FIRST_S, RETRY_MOST_S = 2.0, 60.0
"""Bounds of the wait before a camera that could not be started, or broke, is started again."""

STEADY_S = 60.0
"""A camera that has run this long is no longer counted as breaking again and again."""

LINK_STOP_S = 5.0
"""The link is given this long to end its answers."""

MOST_STILLS = 200
"""Stills that may wait for their events to be durable; past that the oldest is let go."""


def serve_cameras(number: int, of: int, device: str, scripted: Callable[[], Detector]) -> None:
    """Be worker `number` of `of`, until told to stop or until the supervisor is gone.

    scripted: makes the detector of a simulated camera.
    """
    logs.configure()
    os.umask(0o077)
    stop = stop_requested()
    folder = DataFolder.open()
    database = Database.open(folder.database_url)
    networks = Networks.load(device)
    networks.warm_up()
    worker = Worker(number, of, folder, database, networks, SystemRandom(), scripted)
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
        self._retries: dict[str, _Retry] = {}
        self._orphans_closed = False
        self._stills: dict[str, bytes] = {}
        self._stills_lock = threading.Lock()
        self._writer = EventWriter(database, self._written, random=random)
        self._clips = ClipMaker(database, folder.evidence, networks.detector, self._runners)
        self._grounds = GroundMemory(database)
        self._housekeeping = Housekeeping(database, folder, self._clips)
        self._history = CrowdHistory(database)
        self._places = PlaceKeeper(database, Links(folder.run))
        self._thresholds = Thresholds(database)
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
        if self.number == 0:
            self._housekeeping.start()
            self._places.start()
        try:
            first = True
            while not stop.wait(0.0 if first else LOOK_S):
                try:
                    self._look()
                except TynyshError as error:
                    if first and not isinstance(error, StoreError):
                        raise
                    # Cameras go on; events wait. Whatever was not written is written at the next look.
                    log.warning("worker.cannot_look", error=error.message)
                    if first and stop.wait(LOOK_S):
                        return
                else:
                    first = False
                self._check_threads()
        finally:
            self._end()

    def _look(self) -> None:
        with self._database.reading() as session:
            sites = stored(session)
        given = [] if sites is None else sites.sites
        mine = share(given, self.number, self._of)
        if not self._orphans_closed:
            # Once: where something further down fails, the next look must not end what began since.
            self._close_orphans(mine, given)
            self._orphans_closed = True
        for camera_id in [known for known in self._settings if known not in mine]:
            self._stop_camera(camera_id)
            self._retries.pop(camera_id, None)
        # A camera has nothing to do with the others and with places, so that it need not stop when they change.
        sites_said = {site.id: plain(site, without=("cameras", "places")) for site in given}
        for camera_id, (site, camera) in mine.items():
            said = (sites_said[site.id], plain(camera))
            if self._settings.get(camera_id) != said:
                self._stop_camera(camera_id)
                self._retries[camera_id] = _Retry(Backoff(RETRY_FIRST_S, RETRY_MOST_S, self._random))
                self._start_camera(site, camera)
                self._settings[camera_id] = said
            else:
                self._mend(site, camera, self._retries[camera_id])
        self._write_states()
        self._history.keep(self._runners.values(), now=time.time())
        self._thresholds.keep(self._runners.values(), now=time.time())
        for runner in self._runners.values():
            self._grounds.keep(runner.camera, runner.learnt, time.monotonic())

    def _close_orphans(self, mine: Collection[str], given: Sequence[Site]) -> None:
        """End the events that a worker before this one left open; the first worker also those of cameras that
        nobody runs any more.
        """
        with self._database.writing() as session:
            orphaned = set(mine)
            if self.number == 0:
                run = {camera.id for site in given for camera in site.cameras if camera.enabled}
                orphaned |= set(session.scalars(select(CameraRow.id))) - run
            events.close_orphans(session, sorted(orphaned), now=time.time())

    def _mend(self, site: Site, camera: Camera, retry: "_Retry") -> None:
        """Start a camera again that broke or could not be started, after a while."""
        now = time.monotonic()
        runner = self._runners.get(camera.id)
        if runner is not None and not runner.broken:
            if retry.backoff.failures and now - retry.started_s > STEADY_S:
                retry.backoff.reset()
            return
        if retry.at_s is None:
            wait_s = retry.backoff.next_s()
            retry.at_s = now + wait_s
            if runner is not None:
                log.error("camera.broke", camera=camera.id, again_in_s=round(wait_s, 1))
                self._stop_runner(camera.id)
        elif now >= retry.at_s:
            self._start_camera(site, camera)

    def _check_threads(self) -> None:
        """A worker without one of its threads is of no use: end, and be started anew."""
        for thread in (self._writer.thread, self._clips.thread, self._link.thread):
            if not thread.is_alive():
                raise RuntimeError(f"the thread {thread.name} has ended")

    def _start_camera(self, site: Site, camera: Camera) -> None:
        retry = self._retries[camera.id]
        retry.at_s, retry.started_s = None, time.monotonic()
        try:
            runner = start_camera(
                site,
                camera,
                self._networks,
                self._folder.recordings,
                heard=self._heard,
                random=self._random,
                scripted=self._scripted,
                learnt=self._grounds.recall(camera),
            )
        except TynyshError as error:
            log.error("camera.not_started", camera=camera.id, error=error.message, hint=error.hint)
            self._write_lost(camera.id, _told(error))
            return
        except Exception:
            # One camera that cannot be put together must not keep the others from being watched.
            log.exception("camera.not_started", camera=camera.id)
            self._write_lost(camera.id, "not_configured")
            return
        self._runners[camera.id] = runner
        log.info("camera.started", camera=camera.id)

    def _write_lost(self, camera_id: str, detail: str) -> None:
        """A camera that could not be started is lost until it is tried again."""
        with self._database.writing() as session:
            lost = CameraStatus(state=CameraState.LOST, since=time.time(), detail=detail)
            cameras.set_state(session, camera_id, lost, now=time.time())

    def _stop_camera(self, camera_id: str) -> None:
        self._settings.pop(camera_id, None)
        self._stop_runner(camera_id)

    def _stop_runner(self, camera_id: str) -> None:
        runner = self._runners.pop(camera_id, None)
        if runner is not None:
            runner.stop()
            self._history.gather(runner)
            log.info("camera.stopped", camera=camera_id)

    def _write_states(self) -> None:
        now = time.time()
        with self._database.writing() as session:
            for camera_id, runner in self._runners.items():
                cameras.set_state(session, camera_id, runner.status(), now=now)

    def _heard(self, runner: CameraRunner, event: Event) -> None:
        """An event of a camera, in the camera's own thread."""
        if event.phase is Phase.BEGUN:
            # Taken now, while it shows what happened; kept only if the event opens an incident.
            still = runner.picture()
            if still is not None:
                with self._stills_lock:
                    self._stills[event.id] = still
                    if len(self._stills) > MOST_STILLS:
                        self._stills.pop(next(iter(self._stills)))
        clip = runner.recorded and event.behaviour is not Behaviour.RECORDING_FAULT
        self._writer.put(runner.camera.id, event, clip=clip)

    def _written(self, camera_id: str, event: Event, recorded: Recorded) -> None:
        """An event is durable; in the writer's thread."""
        with self._stills_lock:
            still = self._stills.pop(event.id, None)
        if recorded.opened:
            log.info(
                "incident.opened",
                incident=recorded.incident_id,
                camera=camera_id,
                behaviour=str(event.behaviour),
                delay_s=round(time.time() - event.start_s, 2),
            )
            if still is not None:
                try:
                    self._clips.keep_still(recorded.incident_id, still)
                except TynyshError as error:
                    log.warning("still.not_kept", incident=recorded.incident_id, error=error.message)

    def _end(self) -> None:
        """End everything within the time that the supervisor gives: all cameras at once, then what they gave."""
        self._housekeeping.stop()
        self._places.stop()
        with ThreadPoolExecutor(max_workers=len(self._runners) + 1, thread_name_prefix="ending") as at_once:
            at_once.submit(self._clips.stop)
            for camera_id in list(self._runners):
                at_once.submit(self._stop_camera, camera_id)
        try:
            self._history.write()
        except TynyshError as error:
            log.error("crowd_history.lost", error=error.message)
        lost = self._writer.stop()
        if lost:
            log.error("events.lost", count=lost)
        self._link.stop()


def _told_crowd(runner: CameraRunner, crowd: Crowd, *, with_map: bool) -> CrowdMessage:
    state = crowd.state if with_map else dataclasses.replace(crowd.state, density_map=None)
    return {**crowd_message(state, crowd.ground), "opened_at": runner.opened_at}


def _told(error: TynyshError) -> str:
    """What people are told of a camera that cannot be started: a key of the translations, for the message may name
    places on the server and is for the log.
    """
    return f"media.fault.{error.fault}" if isinstance(error, SourceError) else "not_configured"


@dataclass(slots=True)
class _Retry:
    """When a camera is to be started again (`at_s`, monotonic; None while it runs), and when it was last."""

    backoff: Backoff
    at_s: float | None = None
    started_s: float = 0.0


def share(sites: Sequence[Site], number: int, of: int) -> dict[str, tuple[Site, Camera]]:
    """The enabled cameras that fall to worker `number` of `of`, by id: as many to each as may be, and in such a way
    that one that comes or goes moves few others.

    Rendezvous hashing with bounded loads: each camera goes to the worker that it likes best and that has room
    (Thaler and Ravishankar, IEEE/ACM Transactions on Networking 6, 1998; Mirrokni et al., SODA 2018).
    """
    enabled = sorted(
        ((site, camera) for site in sites for camera in site.cameras if camera.enabled),
        key=lambda pair: pair[1].id,
    )
    room = [-(-len(enabled) // of)] * of
    mine: dict[str, tuple[Site, Camera]] = {}
    for site, camera in enabled:
        liking = sorted(range(of), key=lambda worker: crc32(f"{worker} {camera.id}".encode()))
        chosen = next(worker for worker in liking if room[worker])
        room[chosen] -= 1
        if chosen == number:
            mine[camera.id] = (site, camera)
    return mine


class LinkThread:
    """Serves a worker's link on an event loop of its own."""

    def __init__(self, path: Path, worker: Worker) -> None:
        self._path = path
        self._worker = worker
        self._loop = asyncio.new_event_loop()
        self._server = LinkServer(path, self)
        self.thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        """Listen."""
        self.thread.start()

    def stop(self) -> None:
        """End all answers."""
        if self.thread.is_alive():
            deadline_s = time.monotonic() + LINK_STOP_S
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(LINK_STOP_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self.thread.join(max(0.0, deadline_s - time.monotonic()))

    def status(self) -> dict[str, CameraStatus]:
        """How each camera is doing."""
        said = {"worker": self._worker.number, "reported_at": time.time()}
        return {
            camera_id: runner.status().model_copy(update=said)
            for camera_id, runner in list(self._worker.runners.items())
        }

    def crowd(self, camera_id: str) -> CrowdMessage | None:
        """What is known of the crowd on a camera now."""
        runner = self._worker.runners.get(camera_id)
        crowd = None if runner is None else runner.crowd()
        return None if runner is None or crowd is None else _told_crowd(runner, crowd, with_map=True)

    def crowds(self) -> dict[str, CrowdMessage]:
        """The same of all cameras, without maps."""
        found = {
            camera_id: (runner, runner.crowd()) for camera_id, runner in list(self._worker.runners.items())
        }
        return {
            camera_id: _told_crowd(runner, crowd, with_map=False)
            for camera_id, (runner, crowd) in found.items()
            if crowd is not None
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
