"""What do the workers say, whichever of them a camera belongs to?"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Any

import structlog
from pydantic import ValidationError

from tynysh.bus.protocol import (
    Bus,
    BusError,
    CrowdRequest,
    CrowdsRequest,
    HealthRequest,
    LiveRequest,
    PeopleRequest,
    PictureRequest,
    Request,
    RequestRefusedError,
    StatusRequest,
    StopRequest,
    WorkerHealth,
    ask_all,
)
from tynysh.media.camera_status import CameraStatus, understood

SOON_S = 2.0
"""Who is asked together with the others is given so long: one that hangs must not make all seem to."""

log = structlog.get_logger(__name__)

CrowdMessage = Mapping[str, Any]
"""What a worker says of the crowd on one camera: `crowd.message.crowd_message`, and `opened_at`, Unix time from which
its lines are counted.
"""


class Workers:
    """Asks all workers on a bus. Everything that it hands over shows people anonymised.

    No method raises for a camera that is unknown or a worker that is away: it answers with less.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._homes: dict[str, str] = {}

    async def status(self) -> Mapping[str, CameraStatus]:
        """The status of every camera whose worker answers, by camera id."""
        answers = {
            name: understood(found or {})
            for name, found in (await self._ask_everyone(StatusRequest())).items()
        }
        self._homes = {camera_id: name for name, found in answers.items() for camera_id in found}
        return {camera_id: status for found in answers.values() for camera_id, status in found.items()}

    async def health(self, patience_s: float) -> Mapping[str, WorkerHealth]:
        """How every worker is doing that answers within `patience_s`, by name."""

        async def ask(name: str) -> WorkerHealth | None:
            try:
                async with asyncio.timeout(patience_s):
                    answer = await self._answer(name, HealthRequest())
                return None if answer is None else WorkerHealth.model_validate_json(answer)
            except (TimeoutError, ValidationError):
                return None

        names = await self._bus.names()
        answers = await asyncio.gather(*map(ask, names))
        return {name: answer for name, answer in zip(names, answers, strict=True) if answer is not None}

    async def crowd(self, camera_id: str) -> CrowdMessage | None:
        """What is known of the crowd on a camera now; None where nothing is."""
        found: CrowdMessage | None = _loaded(await self._ask(CrowdRequest(camera=camera_id)))
        return found

    async def crowds(self) -> dict[str, CrowdMessage]:
        """The same of every camera of which some worker knows something, without maps, by camera id."""
        answers = await self._ask_everyone(CrowdsRequest())
        return {camera_id: crowd for found in answers.values() for camera_id, crowd in (found or {}).items()}

    async def picture(self, camera_id: str) -> bytes | None:
        """The latest anonymised picture as JPEG; None where there is none."""
        return await self._ask(PictureRequest(camera=camera_id)) or None

    async def people(self, camera_id: str, start_s: float, end_s: float) -> Any:
        """Where people were from `start_s` to `end_s` (Unix seconds), as `PeopleTimeline.samples`; None where nobody
        can say.
        """
        # Asked for once a clip, by processes that ask for nothing else: the camera may long be another worker's.
        await self.status()
        return _loaded(await self._ask(PeopleRequest(camera=camera_id, start_s=start_s, end_s=end_s)))

    async def live(self, camera_id: str) -> AsyncGenerator[bytes, None]:
        """The MIME type as ASCII, the initialisation segment, then fragments (`LiveRequest`).

        Ends when the camera has no live video (any more); closing it releases the worker.
        """
        home = await self._home(camera_id)
        if home is not None:
            try:
                async with contextlib.aclosing(
                    self._bus.ask(home, LiveRequest(camera=camera_id))
                ) as messages:
                    async for message in messages:
                        yield message
            except BusError as error:
                _log(error)

    async def stop(self, names: Collection[str]) -> set[str]:
        """Ask those of `names` that are on the bus to end; who heard it."""
        reached: set[str] = set()
        for name in set(names) & set(await self._bus.names()):
            try:
                await ask_all(self._bus, name, StopRequest())
            except BusError as error:
                _log(error)
            else:
                reached.add(name)
        return reached

    async def answers(self, name: str) -> bool:
        """Whether `name` says how it is, or refuses to: one that answers nothing has no rounds any more."""
        try:
            return bool(await ask_all(self._bus, name, StatusRequest()))
        except BusError as error:
            return isinstance(error, RequestRefusedError)

    async def _home(self, camera_id: str) -> str | None:
        if camera_id not in self._homes:
            await self.status()
        return self._homes.get(camera_id)

    async def _ask(self, request: CrowdRequest | PictureRequest | PeopleRequest) -> bytes | None:
        """The one message that the camera's worker answers; None where it does not."""
        home = await self._home(request.camera)
        return None if home is None else await self._answer(home, request)

    async def _ask_everyone(self, request: Request) -> dict[str, Any]:
        names = await self._bus.names()
        answers = await asyncio.gather(*(self._soon(name, request) for name in names))
        return {name: _loaded(answer) for name, answer in zip(names, answers, strict=True)}

    async def _soon(self, name: str, request: Request) -> bytes | None:
        try:
            async with asyncio.timeout(SOON_S):
                return await self._answer(name, request)
        except TimeoutError:
            return None

    async def _answer(self, name: str, request: Request) -> bytes | None:
        try:
            return next(iter(await ask_all(self._bus, name, request)), None)
        except BusError as error:
            _log(error)
            return None


def _log(error: BusError) -> None:
    """Who does not understand is of another version; who cannot be asked may be back soon."""
    if isinstance(error, RequestRefusedError):
        log.warning("worker.refused", error=error.message)
    else:
        log.debug("worker.silent", error=error.message)


def _loaded(message: bytes | None) -> Any:
    return None if message is None else json.loads(message)
