"""Footage goes when its site no longer keeps it, and not before."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.crowd.minutes import Measure, Minutes, Series, SeriesKind
from tynysh.evidence.retention import (
    Deleted,
    cameras_of,
    clips_of,
    delete_beyond_room,
    delete_due,
    forget_history,
)
from tynysh.incidents.lifecycle import Action, Verdict
from tynysh.media.segment import segment_path, segments
from tynysh.site.apply import apply
from tynysh.site.site import SiteFile
from tynysh.store.database import Database
from tynysh.store.queries import clips, crowd_history, events, incidents
from tynysh.store.schema import AuditEntryRow, SiteRow

DAY = 86_400.0
NOW = 1_790_000_000.0
MEGABYTE = 10**6


class Place:
    """An installation whose site keeps recordings for two days, and evidence for ten."""

    def __init__(self, root: Path, database: Database) -> None:
        self.recordings, self.evidence = root / "recordings", root / "evidence"
        self.database = database
        self.apply("north", "south")

    def apply(self, *cameras: str, **kept: dict[str, object]) -> None:
        kept = {"recordings": {"days": 2}, "evidence": {"days": 10}, **kept}
        site = {
            "name": "Street",
            "kind": "street",
            "time_zone": "Asia/Almaty",
            "retention": kept,
            "cameras": [{"name": name, "id": name, "main": "rtsp://127.0.0.1/1"} for name in cameras],
        }
        apply(SiteFile.model_validate({"sites": [site]}), self.database, now=1.0, user="installer")

    def record(self, camera_id: str, *days_ago: float, bytes: int = MEGABYTE) -> None:  # noqa: A002
        folder = self.recordings / camera_id
        folder.mkdir(parents=True, exist_ok=True)
        for ago in days_ago:
            path = segment_path(folder, NOW - ago * DAY)
            path.write_bytes(b"\0" * bytes)
            os.utime(path, (NOW - ago * DAY, NOW - ago * DAY))

    def recorded(self, camera_id: str) -> list[float]:
        """How many days ago each segment that is left began."""
        return [round((NOW - one.start_s) / DAY, 2) for one in segments(self.recordings / camera_id)]

    def incident(self, days_ago: float, verdict: Verdict | None = None) -> int:
        at = NOW - days_ago * DAY
        event = Event(
            id=f"00000000-0000-4000-8000-{round(days_ago * 1000):012d}",
            behaviour=Behaviour.FIGHT,
            phase=Phase.ENDED,
            start_s=at,
            decided_s=at + 1,
            end_s=at + 5,
            score=0.9,
            box=None,
            people=2,
            zone=None,
            subject="",
            reason=None,
        )
        number = events.record(self.database, event, "north", now=at, clip=True).incident_id
        folder = self.evidence / str(number)
        folder.mkdir(parents=True)
        for name in ("original.mp4", "clip.mp4", "still.jpg"):
            (folder / name).write_bytes(b"\0" * 1000)
        with self.database.writing() as session:
            clips.set_ready(
                session,
                number,
                original_path=f"{number}/original.mp4",
                anonymised_path=f"{number}/clip.mp4",
                started_at=at - 10,
                ended_at=at + 20,
                bytes=2000,
                now=at,
            )
            if verdict is not None:
                incidents.take_step(session, number, Action.VERIFY, user="a", now=at + 60, verdict=verdict)
        return number

    def delete_due(self, counted_to: float = NOW) -> Deleted:
        return delete_due(
            self.database, recordings=self.recordings, evidence=self.evidence, now=NOW, counted_to=counted_to
        )

    def clip(self, number: int) -> str:
        with self.database.reading() as session:
            found = incidents.get(session, number)
        assert found is not None, "the incident itself stays"
        return found.clip


@pytest.fixture
def place(tmp_path: Path, database: Database) -> Place:
    return Place(tmp_path, database)


def test_recordings_go_when_their_days_are_over(place: Place) -> None:
    place.record("north", 5, 3, 2.5, 1, 0.5)
    place.record("south", 1)
    assert place.delete_due() == Deleted(segments=2, bytes=2 * MEGABYTE)
    # The segment that began two and a half days ago went on until one day ago.
    assert place.recorded("north") == [2.5, 1, 0.5]
    assert place.recorded("south") == [1]
    assert place.delete_due() == Deleted()


def test_recordings_of_cameras_that_were_taken_out_go_too_to_the_last(place: Place) -> None:
    place.record("south", 5, 3)
    place.apply("north")
    assert place.delete_due().segments == 2
    assert place.recorded("south") == []


def test_the_oldest_of_all_cameras_gives_way_where_room_is_bounded(place: Place) -> None:
    place.apply("north", "south", recordings={"days": 2, "gigabytes": 0.003})
    place.record("north", 1.5, 1.0, 0.5)
    place.record("south", 1.2, 0.7)
    assert place.delete_due() == Deleted(segments=2, bytes=2 * MEGABYTE)
    assert (place.recorded("north"), place.recorded("south")) == ([1.0, 0.5], [0.7])


def test_what_is_being_written_is_left_alone(place: Place) -> None:
    place.apply("north", recordings={"days": 2, "gigabytes": 0.001})
    place.record("north", 0.5, 0.0, bytes=5 * MEGABYTE)
    assert place.delete_due().segments == 1
    assert place.recorded("north") == [0.0]


def test_ages_are_those_at_the_time_reckoned_and_the_record_has_the_clocks(place: Place) -> None:
    place.record("north", 5, 4.5, 1)
    number = place.incident(11)
    assert place.delete_due(NOW - 3 * DAY) == Deleted()
    assert place.delete_due(NOW - 0.5 * DAY) == Deleted(segments=1, clips=1, bytes=MEGABYTE + 2000)
    assert place.clip(number) == "none"
    with place.database.reading() as session:
        entry = session.scalars(select(AuditEntryRow).where(AuditEntryRow.action == "clip.delete")).one()
    assert entry.at == NOW


def test_nothing_of_the_future_is_deleted_and_room_is_kept_by_the_order_of_recordings(place: Place) -> None:
    place.record("north", -200, -201)
    place.record("south", 1)
    assert place.delete_due() == Deleted()
    place.apply("north", "south", recordings={"days": 2, "gigabytes": 0.002})
    assert place.delete_due().segments == 1
    assert place.recorded("south") == [], "the oldest first, whatever the clock says"


def test_other_files_beside_recordings_are_left_alone(place: Place) -> None:
    place.record("north", 5, 4)
    (place.recordings / "north" / "notes.txt").write_text("mine")
    place.delete_due()
    assert (place.recordings / "north" / "notes.txt").exists()


def test_clips_go_with_their_days_false_ones_with_the_recordings_and_it_is_on_record(place: Place) -> None:
    old, false, true = place.incident(11), place.incident(3, Verdict.FALSE), place.incident(3.5, Verdict.TRUE)
    assert place.delete_due() == Deleted(clips=2, bytes=4000)
    assert [place.clip(number) for number in (old, false, true)] == ["none", "none", "ready"]
    assert sorted(folder.name for folder in place.evidence.iterdir()) == [str(true)]
    with place.database.reading() as session:
        kept = session.scalars(select(AuditEntryRow).where(AuditEntryRow.action == "clip.delete")).all()
    assert {(entry.user, entry.object) for entry in kept} == {
        ("retention", f"incident:{old}"),
        ("retention", f"incident:{false}"),
    }
    assert place.delete_due() == Deleted()


def test_a_deletion_that_was_interrupted_is_finished(place: Place) -> None:
    """Killed after the files went and before the database was told."""
    number = place.incident(11)
    for file in (place.evidence / str(number)).iterdir():
        file.unlink()
    (place.evidence / str(number)).rmdir()
    assert place.delete_due().clips == 1
    assert place.clip(number) == "none"


def test_what_cannot_be_deleted_is_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.record("north", 5, 3, 1)
    number = place.incident(11)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    unlink: Callable[..., None] = Path.unlink
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", refuse)
        patched.setattr(Path, "unlink", refuse)
        assert place.delete_due() == Deleted()
    assert Path.unlink is unlink
    assert place.clip(number) == "ready"
    assert place.delete_due() == Deleted(segments=1, clips=1, bytes=MEGABYTE + 2000)


def test_room_is_kept_often_of_recordings_alone_and_where_it_is_bounded(place: Place) -> None:
    place.record("north", 5, 1.0, 0.5)
    number = place.incident(11)
    assert delete_beyond_room(place.database, recordings=place.recordings, counted_to=NOW) == Deleted()
    place.apply("north", recordings={"days": 2, "gigabytes": 0.001})
    assert delete_beyond_room(place.database, recordings=place.recordings, counted_to=NOW).segments == 2
    assert place.recorded("north") == [0.5]
    assert place.clip(number) == "ready"


def test_clips_are_told_by_what_became_of_their_incidents(city: Database, make_event) -> None:
    numbers = [
        events.record(
            city, make_event(start_s=1000.0 * i, end_s=1000.0 * i + 5), camera, now=1.0, clip=True
        ).incident_id
        for i, camera in enumerate(["door", "door", "floor", "gate", "door"])
    ]
    with city.writing() as session:
        for number in numbers[:4]:
            clips.set_ready(
                session,
                number,
                original_path=f"{number}/original.mp4",
                anonymised_path=f"{number}/clip.mp4",
                started_at=990.0,
                ended_at=1020.0 + number,
                bytes=5_000_000,
                now=2.0,
            )
        incidents.take_step(session, numbers[1], Action.VERIFY, user="a", now=3.0, verdict=Verdict.FALSE)
        incidents.take_step(session, numbers[2], Action.RESOLVE, user="a", now=3.0, verdict=Verdict.TRUE)
    with city.reading() as session:
        found = {item.ref: item for item in clips_of(session, "pulse")}
    assert sorted(found) == numbers[:3], "of the site's own, and not those still to be cut"
    assert (found[numbers[0]].needed, found[numbers[0]].spent) == (True, False)
    assert (found[numbers[1]].needed, found[numbers[1]].spent) == (False, True)
    assert (found[numbers[2]].needed, found[numbers[2]].spent) == (False, False)
    assert found[numbers[0]].ended_at == 1020.0 + numbers[0]
    assert found[numbers[0]].bytes == 5_000_000


def test_recordings_of_removed_cameras_count_too(city: Database) -> None:
    with city.reading() as session:
        assert cameras_of(session, "pulse") == ["door", "floor"]


def test_figures_by_minute_go_when_their_sites_time_is_over(city: Database) -> None:
    with city.writing() as session:
        session.get(SiteRow, "pulse").settings = {"time_zone": "UTC", "retention": {"history": {"days": 30}}}
        for owner in ("door", "gate"):
            figures = np.ones((100, len(Measure)))
            days = Minutes(29_000_000 + 1440 * np.arange(100), figures)
            crowd_history.write(session, {Series(SeriesKind.ZONE, owner, "picture"): days})
    now = 60.0 * (29_000_000 + 1440 * 100)
    with city.writing() as session:
        assert forget_history(session, counted_to=now) > 60
    with city.reading() as session:
        left = {
            owner: crowd_history.read(session, Series(SeriesKind.ZONE, owner, "picture"), 0, 2**31 - 1).at
            for owner in ("door", "gate")
        }
    assert len(left["gate"]) == 100, "another site keeps its own for 400 days"
    assert 30 <= len(left["door"]) <= 37, "whole weeks go"
