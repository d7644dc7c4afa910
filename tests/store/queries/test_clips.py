"""The clips of incidents, from expected to gone."""

import pytest

from tynysh.store.database import Database
from tynysh.store.queries import changes, clips, events, incidents


@pytest.fixture
def number(city: Database, make_event) -> int:
    return events.record(city, make_event(), "door", now=1.0, clip=True).incident_id


def shown(database: Database, incident_id: int) -> tuple[str, bool, float | None]:
    with database.reading() as session:
        found = incidents.detail(session, incident_id)
    assert found is not None
    return found.clip, found.still, found.clip_started_at


def test_a_clip_becomes_ready_with_its_still_before(city: Database, number: int) -> None:
    assert shown(city, number) == ("pending", False, None)
    with city.writing() as session:
        clips.set_still(session, number, "1/still.jpg", now=2.0)
    assert shown(city, number) == ("pending", True, None)
    with city.writing() as session:
        clips.set_ready(
            session,
            number,
            original_path="1/original.mp4",
            anonymised_path="1/clip.mp4",
            started_at=990.0,
            ended_at=1020.0,
            bytes=1234,
            now=3.0,
        )
    assert shown(city, number) == ("ready", True, 990.0)
    with city.reading() as session:
        kept = clips.get(session, number)
        assert clips.pending(session) == []
        assert changes.latest(session) == 3, "each of it was told"
    assert kept == clips.StoredClip(
        number, "door", "ready", "1/original.mp4", "1/clip.mp4", "1/still.jpg", 990.0, 1020.0, 1234, None
    )


def test_a_still_does_not_let_a_clip_be_expected(city: Database, make_event) -> None:
    number = events.record(city, make_event(), "door", now=1.0, clip=False).incident_id
    with city.writing() as session:
        clips.set_still(session, number, "1/still.jpg", now=2.0)
    assert shown(city, number) == ("none", True, None)
    with city.reading() as session:
        assert clips.pending(session) == []


def test_a_clip_that_failed_says_why(city: Database, number: int) -> None:
    with city.writing() as session:
        clips.set_failed(session, number, "no recording of that time", now=2.0)
    assert shown(city, number)[0] == "failed"
    with city.reading() as session:
        kept = clips.get(session, number)
    assert kept is not None
    assert kept.detail == "no recording of that time"


def test_a_clip_whose_files_are_gone_is_none(city: Database, number: int) -> None:
    for _ in range(2):
        with city.writing() as session:
            clips.forget(session, number, now=2.0)
    assert shown(city, number) == ("none", False, None)
    with city.reading() as session:
        assert changes.latest(session) == 2
