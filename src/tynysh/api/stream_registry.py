"""Which streams are open, and whether the sessions behind them still stand."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from tynysh.api.errors import ApiError
from tynysh.api.principal import Principal
from tynysh.errors import StoreError
from tynysh.store.users import User

log = structlog.get_logger(__name__)

# While the database does not answer nobody knows whether a session still stands: after so long, it does not.
UNSURE_S = 30.0


@dataclass(eq=False)
class Stream:
    """One open stream. `ended` is set when it must end; stopping: because the server stops, not its session."""

    principal: Principal
    kind: str
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False


class StreamRegistry:
    """Ends streams whose session ended, expired, was disabled or changed its rights; and all at shut-down.

    standing: the users of those sessions that still stand among the ones of the given token hashes; called in a
        thread. It counts as activity: who listens is not idle.
    """

    def __init__(
        self,
        standing: Callable[[Collection[str]], Mapping[str, User]],
        *,
        every_s: float,
        per_session: int,
    ) -> None:
        self._standing = standing
        self._every_s = every_s
        self._per_session = per_session
        self._streams: set[Stream] = set()
        self._closed = False

    def open(self, kind: str) -> int:
        """How many streams of a kind are open."""
        return sum(stream.kind == kind for stream in self._streams)

    @asynccontextmanager
    async def streaming(self, principal: Principal, kind: str) -> AsyncIterator[Stream]:
        """Registers a stream for as long as the block runs."""
        if self._closed:
            raise ApiError(503, "shutting_down", headers={"Retry-After": "2"})
        same = [
            one
            for one in self._streams
            if (one.kind, one.principal.token_hash) == (kind, principal.token_hash)
        ]
        if len(same) >= self._per_session:
            raise ApiError(429, "too_many_streams", headers={"Retry-After": "5"})
        stream = Stream(principal, kind)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def end_session(self, token_hash: str) -> None:
        """Ends the streams of a session at once."""
        for stream in self._streams:
            if stream.principal.token_hash == token_hash:
                stream.ended.set()

    def close(self) -> None:
        """Ends all streams and lets none begin."""
        self._closed = True
        for stream in self._streams:
            stream.stopping = True
            stream.ended.set()

    async def run(self) -> None:
        """Looks again and again until cancelled."""
        sure_at = time.monotonic()
        while True:
            await asyncio.sleep(self._every_s)
            looked_at = frozenset(self._streams)
            if not looked_at:
                sure_at = time.monotonic()
                continue
            try:
                hashes = {stream.principal.token_hash for stream in looked_at}
                standing: Mapping[str, User] = await asyncio.to_thread(self._standing, hashes)
                sure_at = time.monotonic()
            except Exception as error:  # without this task ended sessions would keep their streams
                if isinstance(error, StoreError):
                    log.warning("sessions of open streams cannot be checked", error=error.message)
                else:
                    log.exception("checking the sessions of open streams failed")
                    await asyncio.sleep(1.0)
                if time.monotonic() - sure_at < UNSURE_S:
                    continue
                standing = {}
            for stream in looked_at:
                user = standing.get(stream.principal.token_hash)
                if (
                    user is None
                    or Principal(user, stream.principal.token_hash).rights != stream.principal.rights
                ):
                    stream.ended.set()
