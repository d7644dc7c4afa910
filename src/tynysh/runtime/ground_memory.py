"""What was learnt of the cameras' grounds, kept over restarts."""

from dataclasses import asdict
from hashlib import sha256
from typing import Any

import structlog

from tynysh.crowd.camera_pose import CameraPose
from tynysh.crowd.learning import Learnt
from tynysh.errors import StoreError
from tynysh.site.camera import Camera
from tynysh.store.database import Database
from tynysh.store.schema import SettingRow

log = structlog.get_logger(__name__)

EVERY_S = 600.0
"""What goes on being learnt is written no more often than this, seconds."""


class GroundMemory:
    """Writes what is learnt of each camera into the database when it is new, and reads it when the camera starts.

    What was learnt holds for one stream: where its address changes, nothing is remembered.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, Learnt | None] = {}
        self._due_s: dict[str, float] = {}

    def recall(self, camera: Camera) -> Learnt | None:
        """What was learnt of `camera`; what is remembered of that here, where the database is away."""
        try:
            with self._database.reading() as session:
                row = session.get(SettingRow, _key(camera))
                found = None if row is None else _read(row.value, camera)
        except StoreError as error:
            log.warning("ground.not_read", camera=camera.id, error=error.message)
            return self._kept.get(camera.id)
        self._kept[camera.id] = found
        return found

    def keep(self, camera: Camera, learnt: Learnt | None, now_s: float) -> None:
        """Write what is known of `camera` now, or take it out where it was forgotten. Raises StoreError.

        now_s: any clock that only goes forward.
        """
        kept = self._kept.get(camera.id)
        if learnt is kept or (
            learnt is not None and kept is not None and now_s < self._due_s.get(camera.id, now_s)
        ):
            return
        with self._database.writing() as session:
            row = session.get(SettingRow, _key(camera))
            if learnt is not None:
                session.merge(SettingRow(key=_key(camera), value=_written(learnt, camera)))
            elif row is not None:
                session.delete(row)
        self._kept[camera.id] = learnt
        self._due_s[camera.id] = now_s + EVERY_S


def _key(camera: Camera) -> str:
    return f"ground:{camera.id}"


def _stream(camera: Camera) -> str:
    return sha256((camera.sub or camera.main).encode()).hexdigest()[:16]


def _written(learnt: Learnt, camera: Camera) -> dict[str, Any]:
    return asdict(learnt) | {"stream": _stream(camera)}


def _read(value: Any, camera: Camera) -> Learnt | None:
    """What was written; None where it is of another stream, or of another version that wrote other things."""
    try:
        if value["stream"] != _stream(camera):
            return None
        return Learnt(CameraPose(**value["camera_pose"]), value["aspect"], value["error"], value["people"])
    except (KeyError, TypeError):
        return None
