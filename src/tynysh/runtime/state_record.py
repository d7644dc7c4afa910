"""How cameras are doing, on its way into the database."""

from collections.abc import Mapping

from tynysh.media.camera_status import CameraStatus
from tynysh.store.database import Database
from tynysh.store.queries import cameras


class StateRecord:
    """Keeps the states of a worker's cameras: what becomes another at once, in turn with other writers, for the feed
    tells of it; figures every `figures_s` seconds, beside them. Live figures go over the bus.
    """

    def __init__(self, database: Database, figures_s: float) -> None:
        self._database = database
        self._figures_s = figures_s
        self._figures_at = -float("inf")

    def keep(self, statuses: Mapping[str, CameraStatus], *, now: float) -> None:
        """Keep `statuses`, by camera id, as they are at `now` (Unix seconds). Raises StoreError."""
        with self._database.reading() as session:
            changed = cameras.changed(session, statuses)
        if changed:
            with self._database.writing() as session:
                for camera_id, status in changed.items():
                    cameras.set_state(session, camera_id, status, now=now)
        if not 0.0 <= now - self._figures_at < self._figures_s:
            with self._database.unordered() as session:
                cameras.set_figures(session, statuses, now=now)
            self._figures_at = now
