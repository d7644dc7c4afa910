"""The cameras of a worker: which are its own, and how are they kept at work?"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from zlib import crc32

import structlog

from tynysh.backoff import Backoff
from tynysh.errors import TynyshError
from tynysh.media.camera_status import CameraState, CameraStatus
from tynysh.media.source_fault import SourceError
from tynysh.runtime.camera_runner import CameraRunner
from tynysh.site.camera import Camera
from tynysh.site.fields import plain
from tynysh.site.site import Site

log = structlog.get_logger(__name__)

RETRY_MOST_S = 60.0
"""The longest wait before a camera that could not be started, or broke, is started again."""

STEADY_S = 60.0
"""A camera that has run this long is no longer counted as breaking again and again."""


@dataclass(slots=True)
class _Planned:
    """A camera that is to be at work. settings: what, where it changes, takes a start anew. retry_at_s: when it is to
    be started again (monotonic), None while it runs; started_s: when it was last.
    """

    site: Site
    camera: Camera
    settings: object
    backoff: Backoff
    retry_at_s: float | None = None
    started_s: float = 0.0


class CameraSet:
    """Starts, stops and mends cameras, each without harm to the others.

    start: opens a camera and begins to watch it, or raises. stopped: called with each that was stopped. retry_first_s:
    the first wait before a camera is started again.
    """

    def __init__(
        self,
        start: Callable[[Site, Camera], CameraRunner],
        stopped: Callable[[CameraRunner], None],
        *,
        random: Random,
        retry_first_s: float,
    ) -> None:
        self._start_runner = start
        self._stopped = stopped
        self._random = random
        self._retry_first_s = retry_first_s
        self._planned: dict[str, _Planned] = {}
        self._lost: dict[str, CameraStatus] = {}
        self.runners: dict[str, CameraRunner] = {}

    def plan(self, sites: Sequence[Site], mine: Mapping[str, tuple[Site, Camera]]) -> None:
        """Have the cameras `mine` of `sites` at work, by id, and no others. What has not changed goes on."""
        for camera_id in [known for known in self._planned if known not in mine]:
            self._stop(camera_id)
            del self._planned[camera_id]
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
        """Start again what broke or could not be started, after a while."""
        now_s = time.monotonic()
        for camera_id, planned in self._planned.items():
            runner = self.runners.get(camera_id)
            if runner is not None and not runner.broken:
                if planned.backoff.failures and now_s - planned.started_s > STEADY_S:
                    planned.backoff.reset()
            elif planned.retry_at_s is None:
                wait_s = planned.backoff.next_s()
                planned.retry_at_s = now_s + wait_s
                if runner is not None:
                    log.error("camera.broke", camera=camera_id, again_in_s=round(wait_s, 1))
                    self._stop(camera_id)
            elif now_s >= planned.retry_at_s:
                self._start(planned)

    def statuses(self) -> dict[str, CameraStatus]:
        """How each camera is doing, by id; one that could not be started is lost until it is tried again."""
        return {**self._lost, **{known: runner.status() for known, runner in list(self.runners.items())}}

    def stop(self) -> None:
        """Stop all, at once."""
        with ThreadPoolExecutor(max_workers=len(self.runners) + 1, thread_name_prefix="ending") as at_once:
            for camera_id in list(self.runners):
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
    return f"media.fault.{error.fault}" if isinstance(error, SourceError) else "not_configured"
