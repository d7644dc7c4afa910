"""The bus on one machine: a Unix socket for each name, in a folder that only the service's own user may enter.

One request a connection: a line of JSON. The answer is a series of messages, each a length of four bytes (big-endian)
and that many bytes, ended by an empty length `END`. The first is a head in JSON: `{}`, or `{"refused": "why"}` and
nothing more.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError

from tynysh.bus.protocol import ANSWER_S, VERSION, Answer, BusError, Request, RequestRefusedError

log = structlog.get_logger(__name__)

PATH_LIMIT = 100
"""Unix sockets take paths of about this many bytes at most."""

REQUEST_LIMIT = 4096
MESSAGE_LIMIT = 16 * 1024 * 1024
END = 0xFFFF_FFFF
_LENGTH = struct.Struct(">I")
_REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
_LONGEST_NAME = "worker-00"


def socket_folder(root: Path) -> Path:
    """The folder of the sockets of the installation in `root`; elsewhere if the path would be too long for them."""
    inside = root / "run"
    if len(os.fsencode(inside / f"{_LONGEST_NAME}.sock")) <= PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tynysh-{os.getuid()}-{digest}"


class SocketBus:
    """The bus of the sockets in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.asynccontextmanager
    async def serve(self, name: str, answer: Answer) -> AsyncIterator[None]:
        """Be on the bus under `name`; a socket left over by a dead process is replaced."""
        path = self._path(name)
        answers: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(_serve(answer, reader, writer))
            answers.add(task)
            task.add_done_callback(answers.discard)

        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(accept, path=path, limit=REQUEST_LIMIT)
        path.chmod(0o600)
        try:
            yield
        finally:
            server.close()
            for task in list(answers):
                task.cancel()
            await asyncio.gather(*answers, return_exceptions=True)
            path.unlink(missing_ok=True)

    async def names(self) -> Sequence[str]:
        """The names of the sockets there are."""
        return sorted(path.stem for path in self._folder.glob("*.sock"))

    async def ask(self, name: str, request: Request) -> AsyncGenerator[bytes, None]:
        """The messages of the answer. Raises BusError, RequestRefusedError."""
        try:
            async with _connected(self._path(name)) as (reader, writer):
                async with asyncio.timeout(ANSWER_S):
                    writer.write(request.model_dump_json().encode() + b"\n")
                    await writer.drain()
                    head = json.loads(await _received(reader) or b"{}")
                if "refused" in head:
                    raise RequestRefusedError(f"{name} does not answer this: {head['refused']}.")
                while (message := await _received(reader)) is not None:
                    yield message
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            raise BusError(f"{name} cannot be asked: {error or type(error).__name__}.") from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sock"


async def _serve(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        line = await asyncio.wait_for(reader.readline(), ANSWER_S)
        request = _understood(line)
        if isinstance(request, str):
            log.warning("bus.refused", why=request)
            await _send(writer, json.dumps({"refused": request}).encode())
        else:
            await _send(writer, b"{}")
            await _forward(answer, request, reader, writer)
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        log.debug("bus.broken", error=str(error))
    except Exception:
        log.exception("bus.answer_broke")
    finally:
        writer.close()


def _understood(line: bytes) -> Request | str:
    """The request; in words why it is none."""
    try:
        return _REQUEST.validate_json(line)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        return f"version {VERSION} knows no such request ({where}: {fault['msg']})"


async def _forward(
    answer: Answer, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    async def forward() -> None:
        async with contextlib.aclosing(answer(request)) as messages:
            async for message in messages:
                await _send(writer, message)
        writer.write(_LENGTH.pack(END))
        await writer.drain()

    # Who asked says nothing more: its side ends only when it leaves, even while no message comes.
    sending = asyncio.create_task(forward())
    leaving = asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


@contextlib.asynccontextmanager
async def _connected(path: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(_LENGTH.pack(len(message)) + message)
    await writer.drain()


async def _received(reader: asyncio.StreamReader) -> bytes | None:
    """The next message; None at the answer's end."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length == END:
        return None
    if length > MESSAGE_LIMIT:
        raise EOFError(f"a message of {length} bytes")
    return await reader.readexactly(length)
