"""/updates: what changes, as it changes, as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from starlette.types import Receive, Scope, Send

from tynysh.api.authentication import requires
from tynysh.api.context import Context, Services
from tynysh.api.feed import Behind, Listener, Update
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal

router = APIRouter(tags=["updates"])

_RETRY_MS = 2000
_FAREWELL_S = 1.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would hold events back.
    (b"x-accel-buffering", b"no"),
]


class UpdateStream(Response):
    """The stream of one browser: what it missed, then what comes, with comments while nothing does."""

    media_type = "text/event-stream"

    def __init__(self, services: Context, principal: Principal, after: int | None) -> None:
        super().__init__()
        self._services = services
        self._principal = principal
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Streams until the browser leaves, falls behind, or its session ends."""
        services = self._services
        async with services.streams.streaming(self._principal, "updates") as stream:
            with services.feed.listening(self._principal) as listener:
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                left = await self._stream(listener, stream.ended, receive, send)
        if not left:
            # A browser that does not read cannot take a farewell either.
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(_FAREWELL_S):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, listener: Listener, ended: asyncio.Event, receive: Receive, send: Send) -> bool:
        """Whether it was the browser that left."""

        async def write() -> None:
            async for chunk in self._chunks(listener):
                await send({"type": "http.response.body", "body": chunk.encode(), "more_body": True})

        async def leave() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        leaving = asyncio.create_task(leave())
        writing = asyncio.create_task(write())
        others = [asyncio.create_task(ended.wait()), asyncio.create_task(listener.too_slow.wait())]
        tasks = [leaving, writing, *others]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if writing in done and leaving not in done:
            writing.result()
        return leaving in done

    async def _chunks(self, listener: Listener) -> AsyncIterator[str]:
        feed = self._services.feed
        # Registered before: what comes from now on waits in the queue, so nothing falls between the two.
        until = feed.last_sent
        yield f"retry: {_RETRY_MS}\n: tynysh\n\n"
        if self._after is not None:
            try:
                async for update in feed.missed(self._after, until, self._principal):
                    yield _event(update)
            except Behind:
                yield f"id: {until}\nevent: reload\ndata: {{}}\n\n"
        # An id without data makes no event, but is what the browser resumes from.
        yield f"id: {until}\n\n"
        while True:
            try:
                async with asyncio.timeout(self._services.settings.keep_alive_s):
                    update = await listener.waiting.get()
            except TimeoutError:
                # While nothing waits, all up to here has been sent, or was not for this user.
                if listener.waiting.empty():
                    yield f": alive\nid: {feed.last_sent}\n\n"
            else:
                yield _event(update)


def _event(update: Update) -> str:
    number = "" if update.id is None else f"id: {update.id}\n"
    return f"{number}event: {update.kind}\ndata: {update.data}\n\n"


@router.get(
    "/updates",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "`incident`, `camera`, `reload` events."}
    },
)
async def updates(
    principal: Annotated[Principal, Depends(requires(Permission.INCIDENTS_READ))],
    services: Services,
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="Resume after this id.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**63 - 1)] = None,
) -> UpdateStream:
    """Changes of incidents and cameras, from `Last-Event-ID` or `after` on, else from now on.

    `reload` says that too much was missed: load the lists anew. A browser that reads too slowly is cut off, and
    resumes from the last id that it got.
    """
    # A browser that reconnects repeats the address it began with; the header is newer.
    return UpdateStream(services, principal, after if last_event_id is None else last_event_id)
