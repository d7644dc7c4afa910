"""The cameras of a worker: which are its own, and how are they kept at work?"""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from zlib import crc32

import structlog

from tynysh.backoff import Backoff
from tynysh.behaviour.camera_fault import REASONS
from tynysh.behaviour.event import Event, Phase, fault_begun
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import TynyshError
from tynysh.media.camera_status import CameraState, CameraStatus
from tynysh.media.source_fault import SourceError
from tynysh.runtime.camera_runner import STUCK, CameraRunner
from tynysh.scene.fault import CameraFault
from tynysh.site.camera import Camera
from tynysh.site.fields import plain
from tynysh.site.site import Site

log = structlog.get_logger(__name__)

RETRY_MOST_S = 60.0
"""The longest wait before a camera that could not be started, or broke, is started again."""

STEADY_S = 60.0
"""A camera that has run this long is no longer counted as breaking again and again."""

MOST_HANGS = 3
HANGS_WITHIN_S = 3600.0
"""A process in which so many analyses or streams hung within that time is ended: their threads can be got rid of in no
other way.
"""


@dataclass(slots=True)
class _Planned:
    """A camera that is to be at work. settings: what, where it changes, takes a start anew. retry_at_s: when it is to
    be started again (monotonic), None while it runs; started_s: when it was last. suspect: whether it seemed
    to hang when it was last looked at; where the whole machine paused, it does so once.
    """

    site: Site
    camera: Camera
    settings: object
    backoff: Backoff
    retry_at_s: float | None = None
    started_s: float = 0.0
    suspect: bool = False


class CameraSet:
    """Starts, stops and mends cameras, each without harm to the others.

    start: opens a camera and begins to watch it, or raises. stopped: called with each that was stopped. on_event:
    told of it when a camera is not watched because its analysis hangs, and when it is again; must not block. random:
    makes waits and ids of events. retry_first_s: the first wait before a camera is started again.
    """

    def __init__(
        self,
        start: Callable[[Site, Camera], CameraRunner],
        stopped: Callable[[CameraRunner], None],
        on_event: Callable[[CameraRunner, Event], None],
        *,
        random: Random,
        retry_first_s: float,
    ) -> None:
        self._start_runner = start
        self._stopped = stopped
        self._on_event = on_event
        self._random = random
        self._retry_first_s = retry_first_s
        self._planned: dict[str, _Planned] = {}
        self._lost: dict[str, CameraStatus] = {}
        self._not_watched: dict[str, tuple[CameraRunner, Event]] = {}
        self._hangs: list[float] = []
        self.runners: dict[str, CameraRunner] = {}

    def plan(self, sites: Sequence[Site], mine: Mapping[str, tuple[Site, Camera]]) -> None:
        """Have the cameras `mine` of `sites` at work, by id, and no others. What has not changed goes on."""
        for camera_id in [known for known in self._planned if known not in mine]:
            self._stop(camera_id)
            del self._planned[camera_id]
            self._watched(camera_id)
            self._lost.pop(camera_id, None)
        # A camera has nothing to do with the others and with places, so that it need not stop when they change.
        of_sites = {site.id: plain(site, without=("cameras", "places")) for site in sites}
        for camera_id, (site, camera) in mine.items():
            settings = (of_sites[site.id], plain(camera))
            planned = self._planned.get(camera_id)
            if planned is not None and planned.settings == settings:
                planned.site, planned.camera = site, camera
                continue
            self._stop(camera_id)
            backoff = Backoff(self._retry_first_s, RETRY_MOST_S, self._random)
            self._planned[camera_id] = _Planned(site, camera, settings, backoff)
            self._start(self._planned[camera_id])

    def mend(self) -> None:
        """Start again what broke, hangs or could not be started, after a while, and at once what has times of a clock
        that was set since. Raises RuntimeError where too much hung.
        """
        now_s = time.monotonic()
        misdated = [camera_id for camera_id, runner in self.runners.items() if runner.clock_was_set]
        if misdated:
            log.warning("cameras.clock_was_set", cameras=len(misdated))
            self._stop_all(misdated)
            for camera_id in misdated:
                self._start(self._planned[camera_id])
        for camera_id, planned in self._planned.items():
            runner = self.runners.get(camera_id)
            suspect, planned.suspect = (
                planned.suspect,
                runner is not None and (runner.stuck or runner.feed_hangs),
            )
            if runner is not None and runner.analysed:
                self._watched(camera_id)
            if runner is not None and (not runner.broken or (planned.suspect and not suspect)):
                if planned.backoff.failures and now_s - planned.started_s > STEADY_S:
                    planned.backoff.reset()
            elif planned.retry_at_s is None:
                wait_s = planned.backoff.next_s()
                planned.retry_at_s = now_s + wait_s
                if runner is not None:
                    if planned.suspect:
                        self._hung(runner, now_s)
                    log.error("camera.broke", camera=camera_id, again_in_s=round(wait_s, 1))
                    self._stop(camera_id)
            elif now_s >= planned.retry_at_s:
                self._start(planned)
        self._hangs = [at_s for at_s in self._hangs if now_s - at_s < HANGS_WITHIN_S]
        if len(self._hangs) >= MOST_HANGS:
            raise RuntimeError(f"{len(self._hangs)} cameras hung within {HANGS_WITHIN_S:.0f} s")

    def statuses(self) -> dict[str, CameraStatus]:
        """How each camera is doing, by id; one that could not be started is lost until it is tried again."""
        return {**self._lost, **{known: runner.status() for known, runner in list(self.runners.items())}}

    def stop(self) -> None:
        """Stop all, at once."""
        self._stop_all(list(self.runners))

    def _stop_all(self, camera_ids: Sequence[str]) -> None:
        with ThreadPoolExecutor(max_workers=len(camera_ids) + 1, thread_name_prefix="ending") as at_once:
            for camera_id in camera_ids:
                at_once.submit(self._stop, camera_id)

    def _start(self, planned: _Planned) -> None:
        camera_id = planned.camera.id
        planned.retry_at_s, planned.started_s = None, time.monotonic()
        try:
            runner = self._start_runner(planned.site, planned.camera)
        except TynyshError as error:
            log.error("camera.not_started", camera=camera_id, error=error.message, hint=error.hint)
            self._lose(camera_id, _detail(error))
            return
        except Exception:
            # One camera that cannot be put together must not keep the others from being watched.
            log.exception("camera.not_started", camera=camera_id)
            self._lose(camera_id, "not_configured")
            return
        self._lost.pop(camera_id, None)
        self.runners[camera_id] = runner
        log.info("camera.started", camera=camera_id)

    def _hung(self, runner: CameraRunner, now_s: float) -> None:
        """A camera hangs: where its analysis does, it is told so until it is watched again. Where a stream does, its
        analysis tells that it is lost.
        """
        camera_id = runner.camera.id
        log.error("camera.hangs", camera=camera_id, for_s=round(runner.feed.unasked_s, 1))
        self._hangs.append(now_s)
        if not runner.stuck:
            return
        self._lose(camera_id, STUCK)
        if camera_id not in self._not_watched:
            begun = fault_begun(
                Behaviour.CAMERA_FAULT,
                CameraFault.NOT_WATCHED,
                REASONS[CameraFault.NOT_WATCHED],
                start_s=runner.watched_until_s,
                decided_s=time.time(),
                ids=self._random,
            )
            self._not_watched[camera_id] = (runner, begun)
            self._on_event(runner, begun)

    def _watched(self, camera_id: str) -> None:
        """A camera is watched again, or need not be any more."""
        if camera_id in self._not_watched:
            runner, begun = self._not_watched.pop(camera_id)
            self._on_event(runner, dataclasses.replace(begun, phase=Phase.ENDED, end_s=time.time()))

    def _lose(self, camera_id: str, detail: str) -> None:
        self._lost[camera_id] = CameraStatus(state=CameraState.LOST, since=time.time(), detail=detail)

    def _stop(self, camera_id: str) -> None:
        runner = self.runners.pop(camera_id, None)
        if runner is not None:
            runner.stop()
            self._stopped(runner)
            log.info("camera.stopped", camera=camera_id)


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


def _detail(error: TynyshError) -> str:
    """What people are told of a camera that cannot be started: a key of the translations, for the message may name
    places on the server and is for the log.
    """
    return error.detail if isinstance(error, SourceError) else "not_configured"
