"""What is due for deletion, and what stays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tynysh.crowd.minutes import Measure, Minutes, Series, SeriesKind
from tynysh.evidence.due import Bounds, Footage, cameras_of, clips_of, due, forget_history
from tynysh.incidents.lifecycle import Action, Verdict
from tynysh.store.database import Database
from tynysh.store.queries import clips, crowd_history, events, incidents
from tynysh.store.schema import SiteRow

DAY = 86_400.0
NOW = 1000 * DAY


def footage(ref: int, days_ago: float, *, gigabytes: float = 1.0, needed: bool = False, spent: bool = False):
    return Footage(ref, NOW - days_ago * DAY, int(gigabytes * 1e9), needed, spent)


def test_what_is_older_than_the_days_is_due_oldest_first() -> None:
    kept = [footage(1, 6.9), footage(2, 7.1), footage(3, 30)]
    assert due(kept, Bounds(days=7), now=NOW) == [3, 2]


def test_beyond_the_room_the_oldest_gives_way() -> None:
    kept = [footage(1, 1, gigabytes=2), footage(2, 2, gigabytes=2), footage(3, 3, gigabytes=2)]
    assert due(kept, Bounds(days=7, gigabytes=4.5), now=NOW) == [3]
    assert due(kept, Bounds(days=7, gigabytes=1), now=NOW) == [3, 2, 1]


def test_what_led_to_nothing_gives_way_first_and_goes_sooner() -> None:
    kept = [footage(1, 1, spent=True), footage(2, 2), footage(3, 3)]
    assert due(kept, Bounds(days=180, gigabytes=2), now=NOW) == [1]
    assert due([footage(1, 8, spent=True), footage(2, 8)], Bounds(days=180, spent_days=7), now=NOW) == [1]


def test_what_is_needed_does_not_give_way_to_newer_footage_but_goes_when_its_days_are_over() -> None:
    kept = [footage(1, 100, needed=True), footage(2, 1)]
    assert due(kept, Bounds(days=180, gigabytes=1), now=NOW) == [2]
    assert due([footage(1, 181, needed=True)], Bounds(days=180), now=NOW) == [1]


footages = st.lists(
    st.builds(
        footage,
        st.just(0),
        st.floats(0, 400),
        gigabytes=st.floats(0, 5),
        needed=st.booleans(),
        spent=st.booleans(),
    ),
    max_size=20,
).map(lambda items: [Footage(i, f.ended_at, f.bytes, f.needed, f.spent) for i, f in enumerate(items)])


@given(footages, st.floats(1, 365), st.none() | st.floats(0.1, 50))
def test_bounds_hold_after_deletion_as_far_as_what_is_needed_allows(kept, days, gigabytes) -> None:
    gone = set(due(kept, Bounds(days, gigabytes, spent_days=7), now=NOW))
    left = [item for item in kept if item.ref not in gone]
    assert all(NOW - item.ended_at <= days * DAY for item in left)
    if gigabytes is not None and any(item.bytes and not item.needed for item in left):
        assert sum(item.bytes for item in left) <= gigabytes * 1e9
    again = due(left, Bounds(days, gigabytes, spent_days=7), now=NOW)
    assert again == [], "nothing more is due at once"


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
        assert forget_history(session, now=now) > 60
    with city.reading() as session:
        left = {
            owner: crowd_history.read(session, Series(SeriesKind.ZONE, owner, "picture"), 0, 2**31 - 1).at
            for owner in ("door", "gate")
        }
    assert len(left["gate"]) == 100, "another site keeps its own for 400 days"
    assert 30 <= len(left["door"]) <= 37, "whole weeks go"
