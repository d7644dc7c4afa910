"""What does a worker answer on the bus?"""

import asyncio
import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from tynysh.bus.protocol import (
    Bus,
    CrowdRequest,
    CrowdsRequest,
    HealthRequest,
    LiveRequest,
    PeopleRequest,
    PictureRequest,
    Request,
    StatusRequest,
    StopRequest,
    WorkerHealth,
)
from tynysh.crowd.message import crowd_message
from tynysh.runtime.camera_runner import CameraRunner

STOP_S = 5.0
"""The answers under way are given this long to end."""


class WorkerAnswers:
    """A worker on the bus, as `worker-NUMBER`, with an event loop of its own.

    runners: its cameras at work, by id. health: how it is doing. stop: called when the worker is asked to end. alive:
    whether its rounds go on; where they do not, it gives no sign of life here either.
    """

    def __init__(
        self,
        bus: Bus,
        number: int,
        runners: Mapping[str, CameraRunner],
        health: Callable[[], WorkerHealth],
        stop: Callable[[], None],
        *,
        alive: Callable[[], bool],
    ) -> None:
        self._bus = bus
        self._number = number
        self._runners = runners
        self._health = health
        self._stop_worker = stop
        self._alive = alive
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self.thread = threading.Thread(target=self._run, name="bus", daemon=True)

    def start(self) -> None:
        """Be on the bus."""
        self.thread.start()

    def stop(self) -> None:
        """Leave it, and end all answers."""
        if self.thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self.thread.join(STOP_S)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        async with self._bus.serve(f"worker-{self._number}", self.answer):
            await self._stopping.wait()

    async def answer(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The messages that answer `request` (`bus.protocol`)."""
        match request:
            case StatusRequest():
                if self._alive():
                    yield _json(self._status())
            case HealthRequest():
                yield self._health().model_dump_json().encode()
            case CrowdRequest():
                yield _json(self._crowd(request.camera, with_map=True))
            case CrowdsRequest():
                crowds = {known: self._crowd(known, with_map=False) for known in list(self._runners)}
                yield _json({known: crowd for known, crowd in crowds.items() if crowd is not None})
            case PictureRequest():
                runner = self._runners.get(request.camera)
                picture = None if runner is None else await asyncio.to_thread(runner.picture)
                yield picture or b""
            case PeopleRequest():
                runner = self._runners.get(request.camera)
                yield await asyncio.to_thread(_people, runner, request)
            case LiveRequest():
                runner = self._runners.get(request.camera)
                if runner is not None:
                    async with contextlib.aclosing(runner.live.watch()) as fragments:
                        async for fragment in fragments:
                            yield fragment
            case StopRequest():
                self._stop_worker()

    def _status(self) -> dict[str, Any]:
        reported = {"worker": self._number, "reported_at": time.time()}
        return {
            camera_id: runner.status().model_copy(update=reported).model_dump(mode="json")
            for camera_id, runner in list(self._runners.items())
        }

    def _crowd(self, camera_id: str, *, with_map: bool) -> dict[str, Any] | None:
        runner = self._runners.get(camera_id)
        crowd = None if runner is None else runner.crowd()
        if runner is None or crowd is None:
            return None
        state = crowd.state if with_map else dataclasses.replace(crowd.state, density_map=None)
        return {**crowd_message(state, crowd.ground), "opened_at": runner.opened_at}


def _people(runner: CameraRunner | None, request: PeopleRequest) -> bytes:
    return _json(None if runner is None else runner.people_between(request.start_s, request.end_s).samples)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
