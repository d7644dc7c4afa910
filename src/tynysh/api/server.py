"""Serving the application on a port until told to stop."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import cast

import structlog
import uvicorn
from fastapi import FastAPI

from tynysh.api.connections import Connections, LimitedHttp, ListeningSocket
from tynysh.api.guard import LONGEST_HEAD
from tynysh.errors import TynyshError

log = structlog.get_logger(__name__)

_GRACE_S = 5
_BACKLOG = 512
# A browser that takes nothing for so long is gone (RFC 5482); without it, what it was sent would wait for ever.
_UNSENT_MS = 30_000


class PortError(TynyshError):
    """The address cannot be listened on."""

    exit_code = 7


class ConsoleServer(uvicorn.Server):
    """Uvicorn, ending open streams before it waits for connections, and returning instead of dying by signal."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._connections = cast("type[LimitedHttp]", config.http).kept
        self._application = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, and says so."""
        await super().startup(sockets)
        if self._ready is not None:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Every tenth of a second: whether to stop."""
        if counter % 10 == 0:
            self._connections.end_overdue()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends all streams and whoever asks for nothing, then everything."""
        self._application.state.context.streams.close()
        self._connections.end_idle()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops on SIGINT and SIGTERM. Uvicorn would raise the signal again afterwards; stopping is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0 for any free one). Raises PortError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = ListeningSocket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNSENT_MS)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise PortError(
            f"The console cannot listen on {host} port {port}: {reason}.",
            hint="Is another Tynysh running? Stop it, or choose another port with --port.",
        ) from None
    return listening


def serve(
    app: FastAPI,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve `app` (of `create_app`) until SIGINT, SIGTERM, or the end of the world.

    ready: called when connections are accepted. Raises PortError where the port is taken.
    """
    listening = listen(host, port)
    try:
        ConsoleServer(configuration(app), app, ready).run(sockets=[listening])
    finally:
        listening.close()


def configuration(app: FastAPI) -> uvicorn.Config:
    """How uvicorn serves: one process, forwarding headers left to the guard, small limits, no log of its own.

    The guard logs each request without its query; uvicorn's loggers stay for faults.
    """
    http, web_socket = Connections(app.state.context.settings).protocols
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=http,
        ws=web_socket,
        ws_max_size=4096,
        ws_max_queue=4,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        backlog=_BACKLOG,
    )
