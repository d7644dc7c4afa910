"""What was learnt of a camera's ground outlives a restart, and no change of the stream."""

import dataclasses

from tynysh.crowd.camera_pose import CameraPose
from tynysh.crowd.learning import Learnt
from tynysh.runtime.ground_memory import EVERY_S, GroundMemory
from tynysh.site.camera import Camera
from tynysh.store.database import Database
from tynysh.store.schema import SettingRow

DOOR = Camera.model_validate({"id": "door", "name": "Door", "main": "rtsp://h/main"})
ROUGH = Learnt(CameraPose(1.3, 0.35, 0.01, 5.0), 16 / 9, 0.12, 12)
BETTER = dataclasses.replace(ROUGH, error=0.08, people=40)


def test_it_is_there_after_a_restart(database: Database) -> None:
    GroundMemory(database).keep(DOOR, ROUGH, 0.0)
    assert GroundMemory(database).recall(DOOR) == ROUGH


def test_another_address_is_another_camera(database: Database) -> None:
    GroundMemory(database).keep(DOOR, ROUGH, 0.0)
    assert GroundMemory(database).recall(DOOR.model_copy(update={"main": "rtsp://h/other"})) is None


def test_better_is_written_now_and_then(database: Database) -> None:
    memory = GroundMemory(database)
    memory.keep(DOOR, ROUGH, 0.0)
    memory.keep(DOOR, BETTER, EVERY_S / 2)
    assert GroundMemory(database).recall(DOOR) == ROUGH
    memory.keep(DOOR, BETTER, EVERY_S)
    assert GroundMemory(database).recall(DOOR) == BETTER


def test_what_is_forgotten_is_taken_out_at_once(database: Database) -> None:
    memory = GroundMemory(database)
    memory.keep(DOOR, ROUGH, 0.0)
    memory.keep(DOOR, None, 1.0)
    assert GroundMemory(database).recall(DOOR) is None


def test_what_another_version_wrote_is_learnt_anew_and_keeps_no_camera_from_starting(
    database: Database,
) -> None:
    GroundMemory(database).keep(DOOR, ROUGH, 0.0)
    with database.writing() as session:
        row = session.get(SettingRow, "ground:door")
        assert row is not None
        row.value = {**row.value, "camera_pose": {**row.value["camera_pose"], "twist": 0.1}}
    assert GroundMemory(database).recall(DOOR) is None
