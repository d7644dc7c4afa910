"""Live video from a worker to one browser, through a buffer that cannot grow."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from tynysh.api.stream_registry import Stream

ENDED = 1000
SERVER_STOPS = 1012
TOO_SLOW = 1013
SESSION_ENDED = 4401
NO_VIDEO = 4404

_FAREWELL_S = 1.0


async def relay(
    websocket: WebSocket, source: AsyncIterator[bytes], *, stream: Stream, most_bytes: int
) -> None:
    """Sends `source` (see `bus.workers.Workers.live`) to an accepted WebSocket until either ends, and closes both.

    Closes with 1000 when the camera's video ended, 4404 when there was none, 4401 when its session ended, 1012
    when the server stops, and 1013 when the browser takes so little that more than `most_bytes` wait: live
    pictures that are late are no use, so it is dropped and may come back.
    """
    waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
    held = 0
    begun = False

    async def read() -> int:
        nonlocal held
        async for item in source:
            held += len(item)
            if held > most_bytes:
                return TOO_SLOW
            waiting.put_nowait(item)
        waiting.put_nowait(None)
        # The sender still has what is waiting, and says when it is done.
        return await asyncio.Future[int]()

    async def send() -> int:
        nonlocal held, begun
        while (item := await waiting.get()) is not None:
            if begun:
                await websocket.send_bytes(item)
            else:
                await websocket.send_text(json.dumps({"mime": item.decode("ascii", errors="replace")}))
                begun = True
            held -= len(item)
        return ENDED if begun else NO_VIDEO

    async def leave() -> int:
        # Nothing is expected from the browser but its leaving.
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass
        return ENDED

    async def end() -> int:
        await stream.ended.wait()
        return SERVER_STOPS if stream.stopping else SESSION_ENDED

    tasks = [asyncio.create_task(step()) for step in (leave, end, read, send)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        failed = next((task.exception() for task in done if task.exception() is not None), None)
        code = next((task.result() for task in tasks if task in done and task.exception() is None), ENDED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
    # A browser that does not read cannot take a farewell either.
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(_FAREWELL_S):
            await websocket.close(code)
    if failed is not None and not isinstance(failed, (WebSocketDisconnect, RuntimeError)):
        raise failed
