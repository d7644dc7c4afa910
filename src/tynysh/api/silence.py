"""Which cameras does no worker answer for any more? Every browser is told, though nobody can write it down."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from tynysh.api import models
from tynysh.api.feed import ChangeFeed, Update
from tynysh.api.status_cache import StatusCache, current
from tynysh.periodic import repeat
from tynysh.store.database import Database
from tynysh.store.queries import cameras
from tynysh.store.queries.changes import ChangeKind

LOOK_S = 1.0


class SilenceWatch:
    """Asks the workers each second, and tells of cameras that begin or cease to be answered for.

    A worker that hangs or is dead leaves the last that it wrote down in the database, as if all were well.
    """

    def __init__(self, database: Database, statuses: StatusCache, feed: ChangeFeed) -> None:
        self._database = database
        self._statuses = statuses
        self._feed = feed
        self._answering: frozenset[str] | None = None

    async def run(self) -> None:
        """Looks until cancelled."""
        await repeat("silence", self._look, every_s=LOOK_S)

    async def _look(self) -> None:
        """Raises StoreError; the next time makes up for it."""
        answering = frozenset(await self._statuses.latest())
        if self._answering is not None and answering != self._answering:
            for update in await asyncio.to_thread(self._load, answering ^ self._answering, answering):
                self._feed.tell(update)
        self._answering = answering

    def _load(self, changed: Collection[str], answering: Collection[str]) -> list[Update]:
        with self._database.reading() as session:
            found = [cameras.camera(session, camera_id) for camera_id in sorted(changed)]
        return [
            Update(
                None,
                ChangeKind.CAMERA,
                camera.site.id,
                models.Camera.model_validate(
                    camera if camera.id in answering else replace(camera, status=current(None, camera.status))
                ).model_dump_json(),
            )
            for camera in found
            if camera is not None
        ]
