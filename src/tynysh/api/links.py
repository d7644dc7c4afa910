"""What the API asks of the workers: camera states, pictures and live video."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

log = structlog.get_logger(__name__)

CameraState = Literal["connecting", "live", "degraded", "lost"]


class Counters(BaseModel):
    """What has been counted on one camera since its worker started."""

    frames_read: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    frames_analysed: int = 0
    reconnects: int = 0
    timestamps_mended: int = 0


class CameraStatus(BaseModel):
    """How one camera is doing, as its worker says.

    since: Unix time at which it came to that state.
    reported_at: Unix time at which the worker said so; None when it has just been asked.
    worker: which worker owns the camera, if known.
    detail: a word for people about the state, without credentials.
    people: how many people are in the picture now. people_rough: at least so many; they cannot be told apart.
    fps: pictures a second that arrive.
    recording: whether the stream is being recorded.
    """

    model_config = ConfigDict(frozen=True)

    state: CameraState
    since: float
    reported_at: float | None = None
    worker: int | None = None
    detail: str | None = None
    people: int = 0
    people_rough: bool = False
    fps: float = 0.0
    recording: bool = False
    counters: Counters = Counters()


class Links(Protocol):
    """The way to the workers. Everything that it hands over shows people anonymised.

    No method raises for a camera that is unknown or a worker that is away: it answers with less.
    """

    async def status(self) -> Mapping[str, Mapping[str, Any]]:
        """The status of every camera whose worker answers, by camera id: the fields of `CameraStatus`."""
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
        self._latest: dict[str, CameraStatus] = {}

    async def latest(self) -> Mapping[str, CameraStatus]:
        """By camera id; without the cameras whose worker does not answer."""
        async with self._asking:
            if time.monotonic() - self._asked_at > self._fresh_s:
                self._latest = await self._ask()
                self._asked_at = time.monotonic()
            return self._latest

    async def _ask(self) -> dict[str, CameraStatus]:
        try:
            async with asyncio.timeout(self._patience_s):
                said = await self._links.status()
        except TimeoutError:
            log.warning("the workers do not answer")
            return {}
        understood: dict[str, CameraStatus] = {}
        for camera_id, status in said.items():
            try:
                understood[camera_id] = CameraStatus.model_validate(dict(status))
            except ValidationError as error:
                log.warning(
                    "a worker's status cannot be understood", camera=camera_id, faults=error.error_count()
                )
        return understood
