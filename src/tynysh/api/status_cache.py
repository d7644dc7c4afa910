"""How are the cameras doing now, as far as the API knows?"""

import asyncio
import math
import time
from collections.abc import Mapping

import structlog

from tynysh.bus.workers import Workers
from tynysh.media.camera_status import CameraState, CameraStatus

log = structlog.get_logger(__name__)


class StatusCache:
    """The latest status of all cameras, asked for at most once a second however many want to know."""

    def __init__(self, workers: Workers, *, fresh_s: float = 1.0, patience_s: float = 3.0) -> None:
        self._workers = workers
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._asking = asyncio.Lock()
        self._asked_at = -math.inf
        self._latest: Mapping[str, CameraStatus] = {}

    async def latest(self) -> Mapping[str, CameraStatus]:
        """By camera id; without the cameras whose worker does not answer."""
        async with self._asking:
            if time.monotonic() - self._asked_at > self._fresh_s:
                self._latest = await self._ask()
                self._asked_at = time.monotonic()
            return self._latest

    async def _ask(self) -> Mapping[str, CameraStatus]:
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._workers.status()
        except TimeoutError:
            log.warning("the workers do not answer")
            return {}


def current(reported: CameraStatus | None, recorded: CameraStatus | None) -> CameraStatus | None:
    """How a camera is doing now.

    reported: what its worker answers. recorded: what its worker last wrote down. Where it does not answer, what is on
    record cannot be trusted to be so still: a camera that has reported before is then `lost`, with the detail
    `worker_silent`.
    """
    if reported is not None or recorded is None:
        return reported
    silent = {
        "state": CameraState.LOST,
        "detail": "worker_silent",
        "people": 0,
        "fps": 0.0,
        "recording": False,
    }
    return recorded.model_copy(update=silent)
