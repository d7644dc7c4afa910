"""What becomes another with a camera is told at once, its figures now and then, and they hold nobody up."""

from typing import Any

import pytest

from tynysh.media.camera_status import CameraStatus, Counters
from tynysh.runtime.state_record import StateRecord
from tynysh.store.database import Database
from tynysh.store.queries import cameras, changes
from tynysh.store.queries.changes import ChangeKind


def kept(database: Database, camera_id: str = "door") -> CameraStatus:
    with database.reading() as session:
        found = cameras.camera(session, camera_id)
    assert found is not None
    assert found.status is not None
    return found.status


def published(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(change.kind, change.ref) for change in changes.since(session, 0)]


def doing(state: str = "live", people: int = 0, **more: Any) -> CameraStatus:
    return CameraStatus(state=state, since=5.0, people=people, **more)


def test_another_state_is_kept_and_told_at_once_and_figures_in_their_time(city: Database) -> None:
    record = StateRecord(city, figures_s=10)
    record.keep({"door": doing(people=1), "gate": doing()}, now=100.0)
    assert published(city) == [("camera", "door"), ("camera", "gate")]
    record.keep({"door": doing(people=2), "gate": doing("lost", detail="media.fault.refused")}, now=102.0)
    assert kept(city).people == 1
    assert (kept(city, "gate").state, kept(city, "gate").detail) == ("lost", "media.fault.refused")
    assert published(city)[2:] == [("camera", "gate")]
    record.keep({"door": doing(people=3, counters=Counters(frames_read=7))}, now=110.0)
    assert (kept(city).people, kept(city).counters.frames_read) == (3, 7)
    assert len(published(city)) == 3, "figures are not told of"


def test_a_state_that_is_no_longer_on_record_is_kept_anew(city: Database) -> None:
    """As where a database of before was put back."""
    record = StateRecord(city, figures_s=10)
    record.keep({"door": doing()}, now=100.0)
    with city.writing() as session:
        cameras.set_state(session, "door", doing("lost"), now=101.0)
    record.keep({"door": doing()}, now=102.0)
    assert kept(city).state == "live"
    assert published(city) == [("camera", "door")] * 3


def test_a_clock_that_was_put_back_keeps_no_figures_from_being_kept(city: Database) -> None:
    record = StateRecord(city, figures_s=10)
    record.keep({"door": doing()}, now=1000.0)
    record.keep({"door": doing(people=2)}, now=500.0)
    assert kept(city).people == 2


def test_figures_neither_wait_for_writers_nor_hold_them_up(city: Database) -> None:
    if city.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    record = StateRecord(city, figures_s=0)
    record.keep({"door": doing()}, now=100.0)
    with city.writing() as session:
        changes.publish(session, ChangeKind.INCIDENT, 1, now=101.0)
        record.keep({"door": doing(people=4)}, now=101.0)
        assert kept(city).people == 4
    with city.unordered() as session:
        cameras.set_figures(session, {"door": doing(people=5)}, now=102.0)
        with city.writing() as another:
            changes.publish(another, ChangeKind.INCIDENT, 2, now=102.0)
    assert kept(city).people == 5


def test_what_is_written_beside_the_writers_cannot_be_told_of(city: Database) -> None:
    with pytest.raises(RuntimeError), city.unordered() as session:
        changes.publish(session, ChangeKind.CAMERA, "door", now=1.0)
    assert published(city) == []
