"""The link between the console and a worker: camera states, crowds, pictures and live video over a Unix socket.

One request a connection: a line of JSON `{"ask": "status" | "crowd" | "crowds" | "picture" | "live", "camera": id}`.
The answer is a series of messages, each a length of four bytes (big-endian) and that many bytes; the connection's end
ends it.
The socket lies in a folder that only the service's own user may enter.
"""

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import structlog

from tynysh.media.camera_status import CameraStatus, understood

log = structlog.get_logger(__name__)

ASK_LIMIT = 4096
MESSAGE_LIMIT = 16 * 1024 * 1024
ANSWER_TIMEOUT_S = 5.0
_LENGTH = struct.Struct(">I")

CrowdMessage = Mapping[str, Any]
"""What a worker says of the crowd on one camera: `crowd.message.crowd_message`, and `opened_at`, Unix time from which
its lines are counted.
"""


class LinkSource(Protocol):
    """What a worker can be asked for. Called on the link's event loop: nothing here may block for long."""

    def status(self) -> dict[str, CameraStatus]:
        """The status of each of the worker's cameras, by camera id."""
        ...

    def crowd(self, camera_id: str) -> CrowdMessage | None:
        """What is known of the crowd on a camera now; None where nothing is."""
        ...

    def crowds(self) -> dict[str, CrowdMessage]:
        """The same of each of the worker's cameras of which something is known, without maps, by camera id."""
        ...

    async def picture(self, camera_id: str) -> bytes | None:
        """The latest picture, anonymised, as JPEG; None where there is none."""
        ...

    def live(self, camera_id: str) -> AsyncGenerator[bytes, None]:
        """The MIME type as text, the initialisation segment, then anonymised fragments."""
        ...


class LinkServer:
    """Serves one worker's link."""

    def __init__(self, path: Path, source: LinkSource) -> None:
        self._path = path
        self._source = source
        self._server: asyncio.Server | None = None
        self._answers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; a socket left over by a dead worker is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, path=self._path, limit=ASK_LIMIT)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening and end all answers."""
        if self._server is not None:
            self._server.close()
        for answer in list(self._answers):
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = asyncio.create_task(self._serve(reader, writer))
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ask = json.loads(await asyncio.wait_for(reader.readline(), ANSWER_TIMEOUT_S))
            match ask:
                case {"ask": "status"}:
                    status = {key: one.model_dump(mode="json") for key, one in self._source.status().items()}
                    await _send(writer, json.dumps(status).encode())
                case {"ask": "crowd", "camera": str(camera_id)}:
                    await _send(writer, json.dumps(self._source.crowd(camera_id)).encode())
                case {"ask": "crowds"}:
                    await _send(writer, json.dumps(self._source.crowds()).encode())
                case {"ask": "picture", "camera": str(camera_id)}:
                    await _send(writer, await self._source.picture(camera_id) or b"")
                case {"ask": "live", "camera": str(camera_id)}:
                    await self._serve_live(camera_id, reader, writer)
                case _:
                    log.warning("link.unknown_ask")
        except (OSError, ValueError, TimeoutError) as error:
            log.debug("link.broken", error=str(error))
        finally:
            writer.close()

    async def _serve_live(
        self, camera_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async def forward() -> None:
            async with contextlib.aclosing(self._source.live(camera_id)) as fragments:
                async for fragment in fragments:
                    await _send(writer, fragment)

        # The viewer says nothing more: its side ends only when it leaves, even while no fragment comes.
        sending = asyncio.create_task(forward())
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)


class Links:
    """Asks all the workers whose sockets lie in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._homes: dict[str, Path] = {}

    async def status(self) -> dict[str, CameraStatus]:
        """The status of every camera that some worker answers for, by camera id."""
        sockets = sorted(self._folder.glob("worker-*.sock"))
        answers = await asyncio.gather(*(self._status_of(path) for path in sockets))
        self._homes = {
            camera_id: path for path, answer in zip(sockets, answers, strict=True) for camera_id in answer
        }
        return {camera_id: status for answer in answers for camera_id, status in answer.items()}

    async def picture(self, camera_id: str) -> bytes | None:
        """The latest picture of a camera, anonymised, as JPEG; None where there is none."""
        home = await self._home(camera_id)
        if home is None:
            return None
        with contextlib.suppress(OSError, TimeoutError, EOFError):
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                async with _asking(home, {"ask": "picture", "camera": camera_id}) as reader:
                    return await _receive(reader) or None
        return None

    async def crowd(self, camera_id: str) -> CrowdMessage | None:
        """What is known of the crowd on a camera now; None where nothing is, or its worker does not answer."""
        home = await self._home(camera_id)
        if home is None:
            return None
        answer: CrowdMessage | None = await _answer(home, {"ask": "crowd", "camera": camera_id})
        return answer

    async def crowds(self) -> dict[str, CrowdMessage]:
        """The same of every camera of which some worker knows something, without maps, by camera id."""
        sockets = sorted(self._folder.glob("worker-*.sock"))
        answers = await asyncio.gather(*(_answer(path, {"ask": "crowds"}) for path in sockets))
        return {camera_id: said for answer in answers for camera_id, said in (answer or {}).items()}

    async def live(self, camera_id: str) -> AsyncIterator[bytes]:
        """The MIME type as text, the initialisation segment, then fragments; ends when the worker ends it."""
        home = await self._home(camera_id)
        if home is None:
            return
        with contextlib.suppress(OSError, EOFError):
            async with _asking(home, {"ask": "live", "camera": camera_id}) as reader:
                while True:
                    yield await _receive(reader)

    async def _home(self, camera_id: str) -> Path | None:
        if camera_id not in self._homes:
            await self.status()
        return self._homes.get(camera_id)

    async def _status_of(self, path: Path) -> dict[str, CameraStatus]:
        return understood(await _answer(path, {"ask": "status"}) or {})


async def _answer(path: Path, ask: dict[str, str]) -> Any:
    """The worker's answer as JSON; None where it gives none."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S), _asking(path, ask) as reader:
            return json.loads(await _receive(reader))
    except (OSError, TimeoutError, EOFError, ValueError):
        return None


@contextlib.asynccontextmanager
async def _asking(path: Path, ask: dict[str, str]) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(json.dumps(ask).encode() + b"\n")
        await writer.drain()
        yield reader
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(_LENGTH.pack(len(message)) + message)
    await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MESSAGE_LIMIT:
        raise EOFError
    return await reader.readexactly(length)
