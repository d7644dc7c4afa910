"""A reverse proxy that shows the console below a path, as nginx does of which `proxy_pass` ends in a slash."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PREFIX = "/tynysh"


@contextmanager
def below_a_path(port: int) -> Iterator[str]:
    """The address below which a proxy shows what listens on `port`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    served = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(lambda reader, writer: _serve(reader, writer, port), "127.0.0.1", 0), loop
    ).result(30)
    try:
        yield f"http://127.0.0.1:{served.sockets[0].getsockname()[1]}{PREFIX}/"
    finally:
        asyncio.run_coroutine_threadsafe(_close(served), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _close(served: asyncio.Server) -> None:
    served.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """One connection: its first request without the prefix, and then all bytes both ways."""
    try:
        line, _, headers = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        method, path, version = line.split(b" ")
        if not path.startswith(f"{PREFIX}/".encode()):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if b"upgrade: websocket" not in headers.lower():
            headers = headers.replace(b"Connection: keep-alive", b"Connection: close")
        behind, to_behind = await asyncio.open_connection("127.0.0.1", port)
        to_behind.write(b" ".join((method, path.removeprefix(PREFIX.encode()), version)) + b"\r\n" + headers)
        await asyncio.gather(_pass(reader, to_behind), _pass(behind, writer))
    except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
