"""A worker: some of the cameras, with shared networks, one writer of events, and a name on the bus."""

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random, SystemRandom

import structlog
from sqlalchemy import select

from tynysh.bus.protocol import WorkerHealth
from tynysh.bus.workers import Workers
from tynysh.errors import StoreError, TynyshError
from tynysh.evidence.clip_maker import ClipMaker
from tynysh.periodic import Pulse
from tynysh.runtime import logs
from tynysh.runtime.camera_runner import HANG_S, CameraRunner, start_camera
from tynysh.runtime.camera_set import CameraSet, share
from tynysh.runtime.clip_cameras import ClipCamera
from tynysh.runtime.crowd_history import CrowdHistory
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.event_delivery import EventDelivery
from tynysh.runtime.event_journal import EventJournal
from tynysh.runtime.ground_memory import GroundMemory
from tynysh.runtime.housekeeping import Housekeeping
from tynysh.runtime.known_sites import KnownSites
from tynysh.runtime.networks import Networks
from tynysh.runtime.notices import Notices
from tynysh.runtime.place_keeper import PlaceKeeper
from tynysh.runtime.state_record import StateRecord
from tynysh.runtime.supervisor import stop_requested
from tynysh.runtime.thresholds import Thresholds
from tynysh.runtime.worker_answers import WorkerAnswers
from tynysh.site.apply import stored
from tynysh.site.camera import Camera
from tynysh.site.site import Site
from tynysh.store.database import SERVING, Database
from tynysh.store.queries.changes import ChangeKind
from tynysh.store.schema import CameraRow

log = structlog.get_logger(__name__)


HOUSEKEEPING_S = 3600.0
"""A round of housekeeping that takes longer hangs: it may have very many files to delete."""

MISSING_S = 20.0
"""A database file that was deleted is put back after so long: whoever moves another one there is given the time."""

EVENTS_STOP_S = 5.0
"""Events that are neither in the database nor in the journal are given so long at the end."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds: between two rounds of a worker, between two times that it writes down its cameras' figures, the first
    wait before a camera that broke is started again, how long analysis may be about one picture before it hangs, and
    how long the worker's threads may be about one thing: longer than any answer of a database takes.
    """

    round_s: float = 2.0
    figures_s: float = 10.0
    retry_first_s: float = 2.0
    hang_s: float = HANG_S
    patience_s: float = 300.0


def serve_cameras(number: int, of: int, device: str) -> None:
    """Be worker `number` of `of`, until told to stop or until the supervisor is gone."""
    logs.configure()
    os.umask(0o077)
    stop = stop_requested()
    folder = DataFolder.open()
    database = Database.open(folder.database_url, patience=SERVING, there=False)
    networks = Networks.load(device)
    # While the cameras connect, who waits for nothing.
    threading.Thread(target=networks.warm_up, name="warm-up", daemon=True).start()
    worker = Worker(number, of, folder, database, networks, SystemRandom())
    code = 1
    try:
        worker.run(stop)
        code = 0
    except TynyshError:
        raise
    except Exception:
        log.exception("worker.broke")
    finally:
        database.close()
    # What is still in a network or a codec would be unwound there by the interpreter's end, and abort the process.
    sys.stderr.flush()
    os._exit(code)


class Worker:
    """Runs the cameras that fall to worker `number` of `of` (`camera_set.share`)."""

    def __init__(
        self,
        number: int,
        of: int,
        folder: DataFolder,
        database: Database,
        networks: Networks,
        random: Random,
        rhythm: Rhythm = Rhythm(),
    ) -> None:
        self._number = number
        self._of = of
        self._folder = folder
        self._database = database
        self._networks = networks
        self._random = random
        self._rhythm = rhythm
        self._mine: Mapping[str, tuple[Site, Camera]] | None = None
        self._run_by_any: set[str] = set()
        self._orphans_closed = False
        self._pulse = Pulse()
        self._workers = Workers(folder.bus)
        self._clip_cameras: dict[str, ClipCamera] = {}
        self._clips = ClipMaker(database, folder.evidence, networks.detector, self._clip_cameras)
        self._events = EventDelivery(database, EventJournal(folder.journal, number), self._clips, random, of)
        self._cameras = CameraSet(
            self._start_camera,
            self._camera_stopped,
            self._events.put,
            random=random,
            retry_first_s=rhythm.retry_first_s,
        )
        self._known_sites = KnownSites(folder.known_sites)
        self._notices = Notices(database, {ChangeKind.SITES, ChangeKind.THRESHOLDS})
        self._states = StateRecord(database, rhythm.figures_s)
        self._history = CrowdHistory(database)
        self._thresholds = Thresholds(database)
        self._grounds = GroundMemory(database)
        self._housekeeping = Housekeeping(
            database, folder, self._clips, partial(self._events.writer.put, clip=False), random
        )
        self._places = PlaceKeeper(database, self._workers)

    @property
    def runners(self) -> dict[str, CameraRunner]:
        """The cameras at work, by id."""
        return self._cameras.runners

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, here or over the bus."""
        writer = self._events.writer
        answers = WorkerAnswers(
            self._folder.bus,
            self._number,
            self.runners,
            self._health,
            stop.set,
            alive=lambda: self._pulse.busy_s < self._rhythm.patience_s,
        )
        threads = (writer.thread, writer.journal_thread, self._clips.thread, answers.thread)
        writer.start()
        self._clips.start()
        answers.start()
        if self._number == 0:
            self._housekeeping.start()
            self._places.start()
        try:
            begun = False
            while not stop.is_set():
                self._pulse.beat()
                begun = self._attempt_round(begun=begun)
                for thread in threads:
                    if not thread.is_alive():
                        # A worker without one of them is of no use: it ends, and is started anew.
                        raise RuntimeError(f"the thread {thread.name} has ended")
                self._miss_who_hangs()
                self._pulse.rest()
                stop.wait(self._rhythm.round_s)
        finally:
            self._end()
            answers.stop()

    def _miss_who_hangs(self) -> None:
        """Raises RuntimeError where a thread hangs, which ends the worker. Who misses a camera is `CameraSet`, and a
        worker whose rounds hang, or that answers nobody, the supervisor.
        """
        patience_s = self._rhythm.patience_s
        watched = [
            ("event-writer", self._events.writer.pulse, patience_s),
            ("clips", self._clips.thread.pulse, patience_s),
            *((thread.name, thread.pulse, HOUSEKEEPING_S) for thread in self._housekeeping.threads),
            ("places", self._places.thread.pulse, patience_s),
        ]
        for name, pulse, most_s in watched:
            if pulse.busy_s > most_s:
                raise RuntimeError(f"the thread {name} hangs")

    def _attempt_round(self, *, begun: bool) -> bool:
        """Do a round; whether any has been done so far. Raises what no waiting mends: TynyshError of the first one,
        unless the database is away.
        """
        try:
            self._round(time.time())
        except TynyshError as error:
            if not begun and not isinstance(error, StoreError):
                raise
            # Cameras go on; events wait. Whatever was not written is written in the next round.
            log.warning("worker.round_put_off", error=error.message)
            return begun
        return True

    def _round(self, now: float) -> None:
        """Mend what broke, which needs no database; take up what has changed; and write down how things are."""
        self._cameras.mend()
        self._pulse.beat()
        file = self._database.file
        if self._number == 0 and file is not None:
            file.put_back(MISSING_S)
        try:
            with self._notices.news(now) as news:
                if ChangeKind.SITES in news:
                    self._plan()
                if ChangeKind.THRESHOLDS in news:
                    self._thresholds.tune(self.runners.values())
        except StoreError:
            if self._mine is None:
                self._plan_as_before()
            raise
        self._pulse.beat()
        if not self._orphans_closed:
            self._close_orphans(now)
        self._states.keep(self._cameras.statuses(), now=now)
        self._history.keep(self.runners.values(), now=now)
        self._thresholds.keep(self.runners.values(), now=now)
        for runner in self.runners.values():
            self._grounds.keep(runner.camera, runner.learnt, time.monotonic())

    def _health(self) -> WorkerHealth:
        runners = dict(self.runners)
        return WorkerHealth(
            analysed_s_ago={
                camera_id: runners[camera_id].analysed_s_ago if camera_id in runners else None
                for camera_id in self._mine or ()
            },
            events_wait_s=self._events.writer.waits_s,
            journal_fault=self._events.writer.journal_fault,
        )

    def _plan(self) -> None:
        with self._database.reading() as session:
            found = stored(session)
        if found is not None:
            self._known_sites.keep(found)
        elif self._mine:
            # No site is ever taken out of force without another: somebody put an empty database in its place.
            raise StoreError("The database holds no site any more.")
        self._watch(() if found is None else found.sites)

    def _plan_as_before(self) -> None:
        """The database is away at the start: watch what was watched before."""
        known = self._known_sites.recall()
        if known is not None:
            log.error("worker.sites_as_before", sites=len(known.sites))
            self._watch(known.sites)

    def _watch(self, sites: Sequence[Site]) -> None:
        self._mine = share(sites, self._number, self._of)
        self._run_by_any = {camera.id for site in sites for camera in site.cameras if camera.enabled}
        self._cameras.plan(sites, self._mine)

    def _close_orphans(self, now: float) -> None:
        """End the events that a worker before this one left open; the first worker also those of cameras that
        nobody runs any more.
        """
        with self._database.writing() as session:
            orphaned = set(self._mine or ())
            if self._number == 0:
                orphaned |= set(session.scalars(select(CameraRow.id))) - self._run_by_any
            self._events.close_orphans(session, orphaned, now=now)
        self._events.orphans_closed()
        self._orphans_closed = True

    def _start_camera(self, site: Site, camera: Camera) -> CameraRunner:
        runner = start_camera(
            site,
            camera,
            self._networks,
            self._folder.recordings,
            on_event=self._events.put,
            random=self._random,
            learnt=self._grounds.recall(camera),
            hang_s=self._rhythm.hang_s,
        )
        self._clip_cameras[camera.id] = ClipCamera(site, camera, runner.recordings, self._workers)
        return runner

    def _camera_stopped(self, runner: CameraRunner) -> None:
        self._clip_cameras.pop(runner.camera.id, None)
        self._history.gather(runner)

    def _end(self) -> None:
        """End everything within the time that the supervisor gives: all cameras at once, then what they gave."""
        self._housekeeping.stop()
        self._places.stop()
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="ending") as at_once:
            at_once.submit(self._clips.stop)
            at_once.submit(self._cameras.stop)
        try:
            self._history.write()
        except TynyshError as error:
            log.error("crowd_history.lost", error=error.message)
        lost = self._events.writer.stop(EVENTS_STOP_S)
        if lost:
            log.error("events.lost", count=lost)
