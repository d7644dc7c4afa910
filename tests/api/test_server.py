"""Serving: ports in use, stopping with streams open, and nothing left behind."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.servers import free_port
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tynysh.api.server import PortError, listen


def test_a_port_in_use_is_one_clear_message() -> None:
    taken = listen("127.0.0.1", 0)
    port = taken.getsockname()[1]
    with pytest.raises(PortError) as caught:
        listen("127.0.0.1", port)
    taken.close()
    assert str(port) in caught.value.message
    assert caught.value.hint
    assert "--port" in caught.value.hint
    listen("127.0.0.1", port).close()


@pytest.mark.parametrize(
    ("host", "port"), [("203.0.113.77", 0), ("no.such.name.invalid", 0), ("127.0.0.1", 99999)]
)
def test_an_address_that_cannot_be_had_is_one_clear_message(host: str, port: int) -> None:
    with pytest.raises(PortError) as caught:
        listen(host, port)
    assert host in caught.value.message


SERVING = """
    import logging
    import sys
    from pathlib import Path
    from tynysh.api.app import create_app
    from tynysh.api.server import serve
    from tynysh.errors import TynyshError
    from tynysh.runtime import logs
    from tynysh.store.database import Database
    from tynysh.store.migrate import migrate

    logs.configure(level=logging.WARNING)

    class Away:
        async def status(self): return {}
        async def health(self, patience_s): return {}
        async def picture(self, camera_id): return None
        async def live(self, camera_id):
            return
            yield b""

    folder = Path(sys.argv[1])
    database = Database.open(folder / "tynysh.db")
    migrate(database)
    app = create_app(database, workers=Away(), data_dir=folder)
    try:
        serve(app, port=int(sys.argv[2]), ready=lambda: print("ready", flush=True))
    except TynyshError as error:
        print(error.message)
        sys.exit(error.exit_code)
    print("stopped", flush=True)
"""


def program(folder: Path, port: int, *, descriptors: int | None = None) -> subprocess.Popen[str]:
    def limit() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVING), str(folder), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=limit,  # noqa: PLW1509  of a child that is a program of its own at once
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_with_a_page_open(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    process = program(tmp_path, port)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # A connection that a browser keeps for later.
        with socket.create_connection(("127.0.0.1", port)) as kept:
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert kept.recv(4096).startswith(b"HTTP/1.1 200")
            process.send_signal(number)
            output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert output.endswith("stopped\n")
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_port_in_use_ends_the_program_without_a_traceback(tmp_path: Path) -> None:
    taken = listen("127.0.0.1", 0)
    port = taken.getsockname()[1]
    process = program(tmp_path, port)
    output, errors = process.communicate(timeout=60)
    taken.close()
    assert process.returncode == PortError.exit_code
    assert f"port {port}" in output
    assert "Traceback" not in output + errors


async def test_it_stops_with_streams_open(make_house) -> None:
    house = make_house()

    async def endless() -> AsyncIterator[bytes]:
        yield b"video/mp4"
        while True:
            yield b"fragment"
            await asyncio.sleep(0.01)

    house.workers.videos["club-door"] = endless
    token = house.token(house.user())
    given = {**house.headers(token), "Origin": house.url}
    live = f"ws://127.0.0.1:{house.served.port}/api/v1/cameras/club-door/live"
    async with house.updates(token) as updates, connect(live, additional_headers=given, proxy=None) as video:
        await updates.ready()
        await video.recv()
        stopping = asyncio.create_task(asyncio.to_thread(house.served.stop))
        await updates.end()
        with pytest.raises(ConnectionClosed):
            while True:
                await video.recv()
        assert video.close_code == 1012, "not 4401: whoever watches stays signed in"
        await stopping
    assert house.workers.released == ["club-door"]
