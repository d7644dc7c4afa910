"""What the API asks of the workers: camera states, pictures and live video."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import structlog

from tynysh.media.camera_status import CameraState, CameraStatus

log = structlog.get_logger(__name__)


class Links(Protocol):
    """The way to the workers. Everything that it hands over shows people anonymised.

    No method raises for a camera that is unknown or a worker that is away: it answers with less.
    """

    async def status(self) -> Mapping[str, CameraStatus]:
        """The status of every camera whose worker answers, by camera id."""
        ...

    async def crowd(self, camera_id: str) -> Mapping[str, Any] | None:
        """What is known of the crowd on a camera now (`crowd.message.crowd_message`); None if nothing is."""
        ...

    async def picture(self, camera_id: str) -> bytes | None:
        """The latest anonymised picture as JPEG; None if there is none."""
        ...

    def live(self, camera_id: str) -> AsyncIterator[bytes]:
        """Anonymised live video.

        The first item is the media type as ASCII (`video/mp4; codecs="avc1.42c01e"`), the second the
        initialisation segment, each further one a fragment. Ends when the camera has no live video (any more);
        closing the iterator releases the worker.
        """
        ...


class StatusCache:
    """The latest status of all cameras, asked for at most once a second however many want to know."""

    def __init__(self, links: Links, *, fresh_s: float = 1.0, patience_s: float = 3.0) -> None:
        self._links = links
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
                return await self._links.status()
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
