"""Which streams are open, and whether the sessions behind them still stand."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tynysh.api.errors import ApiError
from tynysh.api.principal import Principal
from tynysh.periodic import repeat
from tynysh.store.users import User

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

    valid_users: the users of those sessions that still stand among the ones of the given token hashes; called in a
        thread. It counts as activity: who listens is not idle.
    """

    def __init__(
        self,
        valid_users: Callable[[Collection[str]], Mapping[str, User]],
        *,
        every_s: float,
        per_session: int,
    ) -> None:
        self._valid_users = valid_users
        self._every_s = every_s
        self._per_session = per_session
        self._streams: set[Stream] = set()
        self._closed = False
        self._sure_at = time.monotonic()

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
        await repeat("open streams", self._end_revoked, every_s=self._every_s)

    async def _end_revoked(self) -> None:
        open_streams = frozenset(self._streams)
        valid_users: Mapping[str, User] = {}
        try:
            if open_streams:
                hashes = {stream.principal.token_hash for stream in open_streams}
                valid_users = await asyncio.to_thread(self._valid_users, hashes)
            self._sure_at = time.monotonic()
        except Exception:
            if time.monotonic() - self._sure_at >= UNSURE_S:
                _end_all_but(valid_users, open_streams)
            raise
        _end_all_but(valid_users, open_streams)


def _end_all_but(valid_users: Mapping[str, User], streams: Collection[Stream]) -> None:
    """End the streams whose session does not stand, or whose user's rights changed."""
    for stream in streams:
        token_hash = stream.principal.token_hash
        user = valid_users.get(token_hash)
        if user is None or Principal(user, token_hash).rights != stream.principal.rights:
            stream.ended.set()
