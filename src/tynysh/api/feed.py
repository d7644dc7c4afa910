"""What has changed, told to every open browser: one reader of the change table, one bounded queue a browser."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tynysh.api import models
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.errors import StoreError
from tynysh.incidents.incident import Incident
from tynysh.periodic import repeat
from tynysh.store.database import Database
from tynysh.store.queries import cameras, changes, incidents
from tynysh.store.queries.changes import Change, ChangeKind

log = structlog.get_logger(__name__)

PAGE = 500
FARTHEST_BACK = 5000
"""How many changes behind a browser may be and still be brought up to date step by step."""

_PERMISSION = {ChangeKind.INCIDENT: Permission.INCIDENTS_READ, ChangeKind.CAMERA: Permission.CAMERAS_READ}


@dataclass(frozen=True, slots=True)
class Update:
    """A change as browsers are told of it. id: its number in the change table, None where it is not in there, and so
    none to resume from. data: the incident or camera as JSON, as it is now.
    """

    id: int | None
    kind: ChangeKind
    site_id: str
    data: str

    def concerns(self, principal: Principal) -> bool:
        """Whether that user may be told."""
        return principal.may(_PERMISSION[self.kind]) and principal.sees(self.site_id)


@dataclass(eq=False)
class Listener:
    """One browser that listens. too_slow: set when its queue was full; it must resume from the last id it got."""

    principal: Principal
    waiting: asyncio.Queue[Update]
    too_slow: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, update: Update) -> None:
        """Queues what concerns the user."""
        if not update.concerns(self.principal):
            return
        try:
            self.waiting.put_nowait(update)
        except asyncio.QueueFull:
            self.too_slow.set()


class Behind(Exception):  # noqa: N818  not a fault: an answer
    """Who left off there cannot be brought up to date step by step, and must load everything anew."""


class ChangeFeed:
    """Reads the change table in one task and tells all listeners.

    `last_sent` is the number of the last change that was told; all before it have been told too, for the table's
    numbers have no gaps.
    """

    def __init__(self, database: Database, *, poll_s: float, queue: int) -> None:
        self._database = database
        self._poll_s = poll_s
        self._queue = queue
        self._listeners: set[Listener] = set()
        self._started = False
        self.last_sent = 0

    async def start(self) -> None:
        """Begins with what is newest now, or when the database answers."""
        try:
            self.last_sent = await asyncio.to_thread(self._latest)
            self._started = True
        except StoreError as error:
            log.warning("the change feed waits for the database", error=error.message)

    async def run(self) -> None:
        """Reads and tells until cancelled."""
        await repeat("change feed", self._catch_up, every_s=self._poll_s)

    @contextmanager
    def listening(self, principal: Principal) -> Iterator[Listener]:
        """Registers a listener for as long as the block runs. It is told everything after `last_sent`."""
        listener = Listener(principal, asyncio.Queue(self._queue))
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def tell(self, update: Update) -> None:
        """Tells all listeners whom it concerns."""
        for listener in self._listeners:
            listener.tell(update)

    async def missed(self, after: int, until: int, principal: Principal) -> AsyncIterator[Update]:
        """What changed above `after` up to `until`, each thing once, as it is now. Raises Behind at the start."""
        if after > until or until - after > FARTHEST_BACK:
            raise Behind
        if after < until and await asyncio.to_thread(self._oldest) > after + 1:
            raise Behind
        while after < until:
            page = await asyncio.to_thread(self._since, after)
            page = [change for change in page if change.id <= until]
            if not page:
                return
            for update in await self._updates(page):
                if update.concerns(principal):
                    yield update
            after = page[-1].id

    async def _catch_up(self) -> None:
        if not self._started:
            await self.start()
            # What they would have been told before, nobody knows: they load everything anew.
            for listener in self._listeners:
                listener.too_slow.set()
            return
        while await self._step() == PAGE:
            pass

    async def _step(self) -> int:
        page = await asyncio.to_thread(self._since, self.last_sent)
        if page:
            updates = await self._updates(page) if self._listeners else []
            # No other task runs between telling and moving on, so a listener sees each change once.
            for update in updates:
                self.tell(update)
            self.last_sent = page[-1].id
        return len(page)

    async def _updates(self, page: Sequence[Change]) -> list[Update]:
        # What changed many times is told once, with the number of its last change.
        last = {(change.kind, change.ref): change.id for change in page}
        return await asyncio.to_thread(self._load, last)

    def _load(self, last: dict[tuple[ChangeKind, str], int]) -> list[Update]:
        updates: list[Update] = []
        with self._database.reading() as session:
            found = _incidents(session, [ref for kind, ref in last if kind is ChangeKind.INCIDENT])
            for (kind, ref), number in last.items():
                with _left_out(kind, ref):
                    if kind is ChangeKind.INCIDENT and (incident := found.get(ref)) is not None:
                        data = models.Incident.model_validate(incident).model_dump_json()
                        updates.append(Update(number, kind, incident.site.id, data))
                    if kind is ChangeKind.CAMERA and (camera := cameras.camera(session, ref)) is not None:
                        # The worker has just recorded it with the change: asking the worker could only be staler.
                        data = models.Camera.model_validate(camera).model_dump_json()
                        updates.append(Update(number, kind, camera.site.id, data))
        return sorted(updates, key=lambda update: update.id or 0)

    def _latest(self) -> int:
        with self._database.reading() as session:
            return changes.latest(session)

    def _oldest(self) -> int:
        with self._database.reading() as session:
            return changes.oldest(session)

    def _since(self, after: int) -> Sequence[Change]:
        with self._database.reading() as session:
            return changes.since(session, after, limit=PAGE)


def _incidents(session: Session, refs: Sequence[str]) -> dict[str, Incident]:
    """The incidents that can be loaded, all at once, or one by one where one of them cannot."""
    try:
        return {
            str(number): one for number, one in incidents.many(session, [int(ref) for ref in refs]).items()
        }
    except SQLAlchemyError:
        raise
    except Exception:  # noqa: BLE001  whatever a row holds, the others are told
        found: dict[str, Incident] = {}
        for ref in refs:
            with _left_out(ChangeKind.INCIDENT, ref):
                if (one := incidents.get(session, int(ref))) is not None:
                    found[ref] = one
        return found


@contextmanager
def _left_out(kind: ChangeKind, ref: str) -> Iterator[None]:
    """What cannot be told is logged and left out; that the database does not answer is raised."""
    try:
        yield
    except (SQLAlchemyError, StoreError):
        raise
    except Exception:
        log.exception("a change cannot be told", kind=kind, ref=ref)
