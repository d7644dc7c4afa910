"""Requests and answers go over sockets that only the service's own user may use, and nonsense harms nobody."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tynysh.bus.protocol import BusError, CrowdRequest, LiveRequest, Request, StatusRequest, ask_all
from tynysh.bus.sockets import PATH_LIMIT, SocketBus, socket_folder


async def two(request: Request) -> AsyncGenerator[bytes, None]:
    """Two messages, one of them empty; breaks for the crowd of a camera, and never ends live."""
    yield b""
    if isinstance(request, CrowdRequest):
        raise ZeroDivisionError
    yield request.ask.encode()
    if isinstance(request, LiveRequest):
        await asyncio.Event().wait()


async def test_an_answer_comes_whole_or_is_an_error(tmp_path: Path) -> None:
    bus = SocketBus(tmp_path / "run")
    async with bus.serve("hall", two):
        assert (tmp_path / "run" / "hall.sock").stat().st_mode & 0o077 == 0
        assert (tmp_path / "run").stat().st_mode & 0o077 == 0
        assert await bus.names() == ["hall"]
        assert await ask_all(bus, "hall", StatusRequest()) == [b"", b"status"]
        with pytest.raises(BusError):
            await ask_all(bus, "hall", CrowdRequest(camera="gate"))
        assert await ask_all(bus, "hall", StatusRequest()) == [b"", b"status"], "it is none the worse for it"
    with pytest.raises(BusError):
        await ask_all(bus, "hall", StatusRequest())


async def test_who_leaves_the_bus_ends_its_answers(tmp_path: Path) -> None:
    bus = SocketBus(tmp_path)
    async with contextlib.AsyncExitStack() as on_the_bus:
        await on_the_bus.enter_async_context(bus.serve("hall", two))
        async with contextlib.aclosing(bus.ask("hall", LiveRequest(camera="gate"))) as live:
            assert await anext(live) == b""
            assert await anext(live) == b"live"
            await on_the_bus.aclose()
            with pytest.raises(BusError):
                await anext(live)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\n",
        b"[]\n",
        b'{"ask": "everything"}\n',
        b'{"ask": "picture"}\n',
        b'{"ask": "status", "version": 2}\n',
        b"\xff\xfe\n",
    ],
)
async def test_a_request_that_is_not_understood_is_refused(tmp_path: Path, nonsense: bytes) -> None:
    bus = SocketBus(tmp_path)
    async with bus.serve("hall", two):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "hall.sock")
        writer.write(nonsense)
        reply = await reader.read()
        writer.close()
        assert reply[4:].startswith(b'{"refused": "version 1 knows no such request (')
        assert await ask_all(bus, "hall", StatusRequest()) == [b"", b"status"]


async def test_a_request_without_an_end_is_not_read(tmp_path: Path) -> None:
    bus = SocketBus(tmp_path)
    async with bus.serve("hall", two):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "hall.sock")
        writer.write(b"x" * 10_000)
        assert await reader.read() == b""
        writer.close()
        assert await ask_all(bus, "hall", StatusRequest()) == [b"", b"status"]


async def test_fields_that_are_not_known_are_passed_over(tmp_path: Path) -> None:
    bus = SocketBus(tmp_path)
    async with bus.serve("hall", two):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "hall.sock")
        writer.write(b'{"ask": "status", "version": 1, "since": 17}\n')
        assert (await reader.read())[4:6] == b"{}"
        writer.close()


def test_the_path_of_a_socket_is_never_too_long(tmp_path: Path) -> None:
    assert socket_folder(Path("/srv/tynysh")) == Path("/srv/tynysh/run")
    deep = tmp_path / ("deep" * 25)
    assert len(bytes(socket_folder(deep) / "worker-63.sock")) <= PATH_LIMIT
    assert socket_folder(deep) == socket_folder(deep)
    assert socket_folder(deep) != socket_folder(tmp_path / ("e" * 100))
