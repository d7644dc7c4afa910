"""The console hears what the workers have to say, and a dead worker harms nobody."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

from tynysh.bus.protocol import (
    LiveRequest,
    PeopleRequest,
    PictureRequest,
    Request,
    StatusRequest,
    StopRequest,
)
from tynysh.bus.sockets import SocketBus
from tynysh.bus.workers import Workers


class Worker:
    """Answers for some cameras."""

    def __init__(self, *cameras: str) -> None:
        self.cameras = cameras
        self.viewers = 0
        self.stopped = False

    async def answer(self, request: Request) -> AsyncGenerator[bytes, None]:
        match request:
            case StatusRequest():
                yield json.dumps(
                    {camera: {"state": "live", "since": 1.0} for camera in self.cameras}
                ).encode()
            case PictureRequest(camera=camera):
                yield camera.encode() if camera in self.cameras else b""
            case PeopleRequest():
                yield json.dumps([request.start_s, request.end_s]).encode()
            case StopRequest():
                self.stopped = True
            case LiveRequest(camera=camera):
                self.viewers += 1
                try:
                    yield b"video/mp4"
                    for number in range(1_000_000):
                        yield f"{camera} {number}".encode()
                        await asyncio.sleep(0.001)
                finally:
                    self.viewers -= 1


async def test_what_all_workers_say_is_joined_and_each_is_asked_for_its_own_cameras(tmp_path: Path) -> None:
    bus = SocketBus(tmp_path)
    workers = Workers(bus)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bus.serve("worker-0", Worker("gate", "square").answer))
        await stack.enter_async_context(bus.serve("worker-1", Worker("park").answer))
        assert set(await workers.status()) == {"gate", "square", "park"}
        assert await workers.picture("park") == b"park"
        assert await workers.picture("nowhere") is None
        assert await workers.people("gate", 2.0, 3.0) == [2.0, 3.0]
    assert await bus.names() == []


async def test_a_worker_that_died_is_passed_over_and_replaced(tmp_path: Path) -> None:
    bus = SocketBus(tmp_path)
    workers = Workers(bus)
    async with bus.serve("worker-0", Worker("gate").answer):
        assert await workers.picture("gate") == b"gate"
    (tmp_path / "worker-0.sock").touch()
    assert await bus.names() == ["worker-0"], "it died without leaving"
    assert await workers.status() == {}
    assert await workers.picture("gate") is None
    async with bus.serve("worker-0", Worker("gate").answer):
        assert set(await workers.status()) == {"gate"}


async def test_live_video_flows_and_ends_when_the_viewer_leaves(tmp_path: Path) -> None:
    bus, worker = SocketBus(tmp_path), Worker("gate")
    async with bus.serve("worker-0", worker.answer):
        received = []
        stream = Workers(bus).live("gate")
        async for message in stream:
            received.append(message)
            if len(received) == 5:
                break
        await stream.aclose()
        assert received[0] == b"video/mp4"
        assert received[1:] == [f"gate {number}".encode() for number in range(4)]
        async with asyncio.timeout(5):
            while worker.viewers:
                await asyncio.sleep(0.01)


async def test_those_that_are_told_to_stop_hear_it_and_the_others_are_named(tmp_path: Path) -> None:
    bus, worker = SocketBus(tmp_path), Worker("gate")
    async with bus.serve("worker-0", worker.answer):
        (tmp_path / "worker-1.sock").touch()
        assert await Workers(bus).stop(["console", "worker-0", "worker-1"]) == {"worker-0"}
    assert worker.stopped


async def test_a_worker_of_another_version_is_passed_over(tmp_path: Path) -> None:
    """It refuses; another that understands is heard."""
    bus = SocketBus(tmp_path)

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = json.dumps({"refused": "version 2 knows no such request"}).encode()
        writer.write(len(head).to_bytes(4) + head)
        writer.close()

    server = await asyncio.start_unix_server(refuse, path=tmp_path / "worker-0.sock")
    async with server, bus.serve("worker-1", Worker("park").answer):
        assert set(await Workers(bus).status()) == {"park"}
