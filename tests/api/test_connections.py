"""Whoever opens connections and then does nothing, or little, keeps nobody out."""

import asyncio
import logging
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.api.test_server import program
from tests.servers import free_port, until
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tynysh.api.connections import ListeningSocket
from tynysh.store.users import Role

HALF_OPEN = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
HALF_DONE = [
    b"",
    HALF_OPEN,
    b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + HALF_OPEN,
]
"""Nothing, half a head, half a body, half of one that nobody reads, half a chunk, half a second head."""


@pytest.fixture
def many() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(stack: ExitStack, port: int, said: bytes = b"", address: str = "127.0.0.1") -> socket.socket:
    """A connection from that address, in which so much was said."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(address, 0))
    stack.enter_context(connection)
    connection.sendall(said)
    return connection


def ended(connection: socket.socket) -> bool:
    """Whether the server ends a connection, within the time that it has."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def test_a_flood_of_half_open_connections_leaves_the_console_answering(
    tmp_path: Path, many: ExitStack
) -> None:
    port = free_port()
    process = program(tmp_path, port, descriptors=64)
    clock_ticks = os.sysconf("SC_CLK_TCK")

    def answered(times: int) -> float:
        """Asks so often; the CPU seconds that the server has taken so far."""
        for _ in range(times):
            assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=20).status_code == 200
        return sum(map(int, Path(f"/proc/{process.pid}/stat").read_text().split()[13:15])) / clock_ticks

    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for number in range(400):
            opened(many, port, HALF_DONE[number % len(HALF_DONE)], address=f"127.0.0.{1 + number % 7}")
        before_s = answered(5)
        assert answered(5) - before_s < 1, "who waits costs nothing"
    finally:
        process.terminate()
        output, errors = process.communicate(timeout=30)
    assert (output + errors).count("\n") < 20, "no more than a line a minute"
    assert "Traceback" not in output + errors


def test_without_descriptors_who_waits_is_turned_away_and_nothing_spins(many: ExitStack) -> None:
    listening = many.enter_context(ListeningSocket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    listening.setblocking(False)
    port = listening.getsockname()[1]
    first = opened(many, port)
    kept = many.enter_context(listening.accept()[0])
    waiting = [opened(many, port) for _ in range(3)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_now()) + 1, hard))
    try:
        with suppress(OSError):
            while True:
                many.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        for _ in waiting:
            with pytest.raises(BlockingIOError):
                listening.accept()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all(ended(connection) for connection in waiting)
    kept.sendall(b"still here")
    assert first.recv(64) == b"still here"
    again = opened(many, port)
    many.enter_context(listening.accept()[0]).sendall(b"welcome")
    assert again.recv(64) == b"welcome"


@pytest.fixture(scope="module")
def impatient(make_house, quick):
    return make_house(replace(quick, head_s=0.5, body_s=0.5, unsent_s=1.0))


def test_a_head_or_a_body_that_does_not_come_ends_the_connection(impatient, many, caplog) -> None:
    halves = [opened(many, impatient.served.port, said) for said in HALF_DONE]
    assert [ended(connection) for connection in halves] == [True] * len(HALF_DONE)
    assert not [entry for entry in caplog.records if entry.levelno >= logging.ERROR]


def test_a_head_that_comes_byte_by_byte_ends_the_connection(impatient, many) -> None:
    connection = opened(many, impatient.served.port, HALF_OPEN)
    connection.settimeout(0.1)

    def dripped() -> bool:
        try:
            connection.sendall(b"X")
            return connection.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    assert until(dripped)


def test_who_takes_nothing_of_an_answer_is_ended(impatient, many) -> None:
    incident = impatient.happens()
    impatient.has_clip(incident, os.urandom(64 * 1024 * 1024))
    token = impatient.token(impatient.user())
    cookie = impatient.headers(token)["Cookie"]
    ask = f"GET /api/v1/incidents/{incident}/clip HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
    opened(many, impatient.served.port, ask.encode())
    with impatient.browser(token) as browser:
        # Its end is noticed where the clip's file is closed: the connection is gone, with all that waited for it.
        assert until(lambda: bool(open_now(f"/{incident}/clip.mp4"))), "it is being sent"
        assert until(lambda: not open_now(f"/{incident}/clip.mp4"))
        assert len(browser.get(f"/api/v1/incidents/{incident}/clip").content) == 64 * 1024 * 1024


def open_now(name: str = "") -> list[int]:
    """Our descriptors of files whose names end so."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(descriptor.readlink()).endswith(name):
                found.append(int(descriptor.name))
    return found


async def test_who_takes_nothing_of_live_video_is_ended(impatient) -> None:
    async def endless():
        yield b"video/mp4"
        while True:
            yield bytes(1024 * 1024)
            await asyncio.sleep(0.01)

    impatient.workers.videos["club-door"] = endless
    given = {**impatient.headers(impatient.token(impatient.user())), "Origin": impatient.url}
    live = f"ws://127.0.0.1:{impatient.served.port}/api/v1/cameras/club-door/live"
    async with connect(live, additional_headers=given, proxy=None, max_size=None, max_queue=1) as video:
        await video.recv()
        video.transport.pause_reading()
        assert await asyncio.to_thread(until, lambda: "club-door" in impatient.workers.released)
        assert await asyncio.to_thread(until, lambda: not impatient.app.state.context.streams.open("live"))
        video.transport.abort()


def test_one_address_takes_no_more_than_its_part(make_house, quick, many) -> None:
    house = make_house(replace(quick, connections=64))
    greedy = [opened(many, house.served.port, HALF_OPEN, "127.0.0.2") for _ in range(40)]
    mine = opened(many, house.served.port, b"", "127.0.0.3")
    assert ended(greedy[0]), "the oldest makes way"
    for connection in greedy[-4:]:
        connection.sendall(b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200"), "those that came last are kept"
    mine.sendall(HALF_OPEN + b"\r\n")
    assert mine.recv(4096).startswith(b"HTTP/1.1 200"), "those of others are not touched"


def test_behind_a_trusted_proxy_each_browser_counts_and_not_the_proxy(make_house, quick, many) -> None:
    house = make_house(replace(quick, connections=64, trusted_proxies=("127.0.0.1",), requests_per_address=3))
    ask = HALF_OPEN + b"X-Forwarded-For: 203.0.113.%d\r\n\r\n"
    kept = [opened(many, house.served.port, ask % number) for number in range(40)]
    assert all(connection.recv(4096).startswith(b"HTTP/1.1 200") for connection in kept)
    token = house.token(house.user())

    def updates(address: str) -> bytes:
        head = f"GET /api/v1/updates HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n"
        connection = opened(many, house.served.port)
        connection.sendall(f"{head}Cookie: {house.headers(token)['Cookie']}\r\n\r\n".encode())
        return connection.recv(12)

    assert [updates("203.0.113.7") for _ in range(4)] == [b"HTTP/1.1 200"] * 3 + [b"HTTP/1.1 429"]
    assert updates("203.0.113.8") == b"HTTP/1.1 200"


def test_many_addresses_with_one_connection_each_make_way_too(make_house, quick, many) -> None:
    house = make_house(replace(quick, connections=24))
    cookie = house.headers(house.token(house.user()))["Cookie"]
    ask = f"GET /api/v1/updates HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
    desk = [opened(many, house.served.port, ask.encode()) for _ in range(8)]
    assert all(stream.recv(12) == b"HTTP/1.1 200" for stream in desk)
    for number in range(40):
        opened(many, house.served.port, HALF_OPEN, f"127.0.1.{1 + number}")
    another = opened(many, house.served.port, HALF_OPEN + b"\r\n", "127.0.0.2")
    assert another.recv(12) == b"HTTP/1.1 200"
    assert house.app.state.context.streams.open("updates") == 8


def test_where_all_are_at_work_who_comes_is_told_so(make_house, quick, many) -> None:
    house = make_house(replace(quick, connections=16, streams_per_session=50))
    cookie = house.headers(house.token(house.user()))["Cookie"]
    ask = f"GET /api/v1/updates HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
    streams = [opened(many, house.served.port, ask.encode()) for _ in range(8)]
    assert all(stream.recv(12) == b"HTTP/1.1 200" for stream in streams)
    assert opened(many, house.served.port).recv(12) == b"HTTP/1.1 503"
    assert opened(many, house.served.port, HALF_OPEN + b"\r\n", "127.0.0.2").recv(12) == b"HTTP/1.1 200"
    streams.pop().close()
    assert until(lambda: house.app.state.context.streams.open("updates") == 7)
    assert opened(many, house.served.port, HALF_OPEN + b"\r\n").recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("why", ["signed out", "role", "camera", "origin", "invalid", "path"])
async def test_a_refused_websocket_is_a_line_and_no_fault(house, caplog, why: str) -> None:
    token = house.token(house.user(Role.ANALYST if why == "role" else Role.OPERATOR))
    given = {} if why == "signed out" else house.headers(token)
    given["Origin"] = "http://evil.example" if why == "origin" else house.url
    camera = {"camera": "none", "invalid": "x" * 70}.get(why, "club-door")
    path = "nothing" if why == "path" else f"cameras/{camera}/live"
    live = f"ws://127.0.0.1:{house.served.port}/api/v1/{path}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(live, additional_headers=given, proxy=None):
            pass
    assert 400 <= refused.value.response.status_code < 500
    async with asyncio.timeout(20), httpx.AsyncClient() as client:
        await client.get(f"{house.url}/healthz")
    assert not [entry for entry in caplog.records if entry.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (b"GET /healthz?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\na: " + b"b" * 40_000 + b"\r\n\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n", b"413"),
    ],
    ids=["query", "headers", "a header", "body"],
)
def test_no_request_is_larger_than_it_need_be(house, many, ask: bytes, status: bytes) -> None:
    assert opened(many, house.served.port, ask).recv(4096).startswith(b"HTTP/1.1 " + status)
