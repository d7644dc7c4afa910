"""Which connections are kept: how many in all and of one address, and how long each may keep the console waiting."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from errno import EMFILE, ENFILE
from itertools import chain
from typing import Any

import h11
import structlog
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from tynysh.api.settings import ApiSettings
from tynysh.store.sessions import network_of

log = structlog.get_logger(__name__)

_AT_ONCE = 8
# What the console needs besides: its database, its files, and those connections that wait to be refused.
_OTHER_DESCRIPTORS = 96
_SLUGGISH_S = 5.0
_TOLD_EVERY_S = 60.0
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class ListeningSocket(socket.socket):
    """Accepts a few connections at a time, so that room is made for them, and none where descriptors are used up.

    There asyncio (3.11) would try once for each that waits, and log as often. The one that waits longest is let in on
    a descriptor that is kept for it, and turned away.
    """

    _turn = 0
    _spare: int | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises BlockingIOError where none waits, or others shall have their turn first."""
        self._turn = (self._turn + 1) % _AT_ONCE
        if self._turn == 0:
            raise BlockingIOError
        try:
            if self._spare is None:
                self._spare = os.open(os.devnull, os.O_RDONLY)
            return super().accept()
        except OSError as error:
            if error.errno not in {EMFILE, ENFILE}:
                raise
        if self._spare is None:
            # Another thread was quicker to take it. Who waits is announced at once again: not as fast as we can.
            time.sleep(0.05)
        else:
            self._let_go()
            with suppress(OSError):
                super().accept()[0].close()
        raise BlockingIOError

    def close(self) -> None:
        """Listens no more."""
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None


class _Limited(asyncio.Protocol):
    """What is asked of a connection, whatever is spoken over it."""

    kept: "Connections"
    transport: asyncio.Transport
    client: tuple[str, int] | None
    _taken_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins, or what is spoken over it changes."""
        super().connection_made(transport)
        self._taken_at = time.monotonic()
        self.kept.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self.kept.leave(self)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """The browser took most of what waited for it."""
        self._taken_at = time.monotonic()
        super().resume_writing()

    def _unsent_s(self, now: float) -> float:
        """For how long the browser has taken nothing of what waits for it."""
        if self.transport.get_write_buffer_size() == 0:
            self._taken_at = now
        return now - self._taken_at

    def overdue(self, now: float) -> bool:
        """Whether the browser has kept us waiting for too long."""
        return self._unsent_s(now) > self.kept.settings.unsent_s

    def idle(self, now: float) -> bool:
        """Whether it makes way for others, since it is the browser's turn."""
        return self._unsent_s(now) > _SLUGGISH_S

    def end(self) -> None:
        """Close the connection; what was not taken is lost."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


class LimitedWebSocket(_Limited, WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket, which itself asks for signs of life."""

    async def send(self, message: ASGISendEvent) -> None:
        """What the application says."""
        await super().send(message)
        # It was refused with an answer. Uvicorn (0.54) takes that for a handshake left undone, and logs a fault.
        self.handshake_complete = self.handshake_complete or self.close_sent


class LimitedHttp(_Limited, H11Protocol):
    """Uvicorn's HTTP, which has no limit for how long a head or a body may take."""

    _awaited: tuple[object, object] = (None, None)
    _awaited_since = 0.0

    def overdue(self, now: float) -> bool:
        """Whether a head, a body, or the taking of an answer takes too long."""
        state, settings = self.conn.their_state, self.kept.settings
        # Each request has a cycle of its own.
        if self._awaited != (state, self.cycle):
            self._awaited, self._awaited_since = (state, self.cycle), now
        limit_s = settings.head_s if state is h11.IDLE else settings.body_s
        waits = state in {h11.IDLE, h11.SEND_BODY}
        return super().overdue(now) or (waits and now - self._awaited_since > limit_s)

    def idle(self, now: float) -> bool:
        """Whether there is no whole request to answer."""
        return self.conn.their_state in {h11.IDLE, h11.SEND_BODY} or super().idle(now)


class Connections:
    """All that are open, by address, the oldest first.

    Where there are too many, the oldest makes way that has no whole request to be answered, of the address that has
    most of them: so a flood of connections that ask for nothing keeps nobody out. Only where all are at work is who
    comes refused.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Each may need a second descriptor: of a clip, or of a worker's live video.
        self._most = min(settings.connections, max(16, (descriptors - _OTHER_DESCRIPTORS) // 2))
        self._most_of_one = max(8, self._most // 2)
        self._by_address: dict[str, dict[asyncio.Transport, _Limited]] = {}
        self._number = 0
        self._made_way = self._refused = 0
        self._told_at = -_TOLD_EVERY_S

    @property
    def protocols(self) -> tuple[type[LimitedHttp], type[LimitedWebSocket]]:
        """What uvicorn is to speak, so that it is counted here."""
        named = {"kept": self}
        return type("Http", (LimitedHttp,), named), type("WebSocket", (LimitedWebSocket,), named)

    def enter(self, connection: _Limited) -> None:
        """Keep a connection, and end another one, or itself, where there are too many."""
        same = self._by_address.setdefault(_address(connection), {})
        self._number += connection.transport not in same
        same[connection.transport] = connection
        proxy = connection.client is not None and self.settings.trusts(connection.client[0])
        if len(same) > self._most_of_one and not proxy:
            self._make_room(same.values(), connection)
        elif self._number > self._most:
            crowds = sorted(self._by_address.values(), key=len, reverse=True)
            self._make_room(chain.from_iterable(crowd.values() for crowd in crowds), connection)

    def leave(self, connection: _Limited) -> None:
        """Forget a connection."""
        address = _address(connection)
        same = self._by_address.get(address, {})
        if same.pop(connection.transport, None) is not None:
            self._number -= 1
        if not same:
            self._by_address.pop(address, None)

    def end_overdue(self) -> None:
        """End those that keep us waiting for too long; to be called every second."""
        now = time.monotonic()
        for connection in [one for one in self._all() if one.overdue(now)]:
            connection.end()
        if (self._made_way or self._refused) and now - self._told_at >= _TOLD_EVERY_S:
            log.warning(
                "connections.limited", made_way=self._made_way, refused=self._refused, open=self._number
            )
            self._made_way, self._refused, self._told_at = 0, 0, now

    def end_idle(self) -> None:
        """End those that have nothing to be answered: the server stops."""
        now = time.monotonic()
        for connection in [one for one in self._all() if one.idle(now)]:
            connection.end()

    def _all(self) -> Iterator[_Limited]:
        return chain.from_iterable(same.values() for same in self._by_address.values())

    def _make_room(self, others: Iterable[_Limited], newcomer: _Limited) -> None:
        now = time.monotonic()
        idle = next((one for one in others if one is not newcomer and one.idle(now)), None)
        if idle is None:
            self._refused += 1
            newcomer.transport.write(_FULL)
        else:
            self._made_way += 1
        ending = idle or newcomer
        self.leave(ending)
        ending.end()


def _address(connection: _Limited) -> str:
    return network_of(connection.client[0]) if connection.client else ""
