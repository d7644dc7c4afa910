"""Events are kept once, joined into incidents, and told of in the feed."""

import dataclasses
import threading
from random import Random

import numpy as np
import pytest

from tynysh.behaviour.event import Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.errors import StoreError
from tynysh.geometry import Box
from tynysh.incidents.incident import IncidentDetail
from tynysh.incidents.lifecycle import Action, State, Verdict
from tynysh.store.database import Database
from tynysh.store.queries import changes, clips, events, incidents
from tynysh.store.queries.events import MOST_SAMPLES, close_orphans, record, thinned
from tynysh.store.schema import SiteRow


def feed(database: Database) -> list[tuple[int, str, str]]:
    with database.reading() as session:
        return [(change.id, change.kind.value, change.ref) for change in changes.since(session, 0)]


def detail(database: Database, incident_id: int) -> IncidentDetail:
    with database.reading() as session:
        found = incidents.detail(session, incident_id)
    assert found is not None
    return found


def act(database: Database, incident_id: int, action: Action, **more) -> None:
    with database.writing() as session:
        incidents.take_step(session, incident_id, action, user="aigerim", now=2000.0, **more)


def test_a_new_event_opens_an_incident_and_is_told(city: Database, make_event) -> None:
    event = make_event(zone="floor", people=3)
    recorded = record(city, event, "door", now=1001.5)
    assert recorded.opened
    found = detail(city, recorded.incident_id)
    assert found.site.id == "pulse"
    assert found.camera.id == "door"
    assert (found.behaviour, found.state) == (Behaviour.FIGHT, State.NEW)
    assert (found.opened_at, found.started_at) == (1001.5, 1000.0)
    assert found.ended_at is None
    assert (found.people, found.zone, found.score) == (3, "floor", 0.8)
    assert found.box == Box(0.1, 0.2, 0.3, 0.4)
    assert found.reason == Reason("fight.network", {"score": 0.8})
    assert [kept.id for kept in found.events] == [event.id]
    assert found.events[0].curve == ((1000.0, 0.5), (1001.0, 0.8))
    assert feed(city) == [(1, "incident", str(recorded.incident_id))]


def test_saying_the_same_again_changes_nothing(city: Database, make_event) -> None:
    event = make_event()
    first = record(city, event, "door", now=1001.0)
    again = record(city, event, "door", now=1009.0)
    assert again == events.RecordedEvent(first.incident_id, opened=False, changed=False)
    assert len(feed(city)) == 1
    assert len(detail(city, first.incident_id).events) == 1


def test_an_event_grows_and_ends_in_its_incident(city: Database, make_event) -> None:
    event = make_event()
    number = record(city, event, "door", now=1001.0).incident_id
    grown = dataclasses.replace(event, phase=Phase.UPDATED, score=0.95, people=5)
    assert record(city, grown, "door", now=1005.0).changed
    assert detail(city, number).severity == 4, "five people fight"
    ended = dataclasses.replace(grown, phase=Phase.ENDED, end_s=1012.0)
    record(city, ended, "door", now=1013.0)
    found = detail(city, number)
    assert (found.score, found.ended_at) == (0.95, 1012.0)
    assert len(feed(city)) == 3


def test_severity_rises_while_a_fight_goes_on_though_its_score_stays_the_same(city: Database) -> None:
    rule = Rule(on=0.5, off=0.3, min_duration_s=0.0, cooldown_s=0.0, release_s=1.0)
    maker = EventMaker({Behaviour.FIGHT: rule}, ids=Random(1))
    severities: dict[float, int] = {}
    for time_s in (1000.0 + second for second in range(45)):
        for event in maker.observe([Signal(Behaviour.FIGHT, time_s, 0.8, people=2)], time_s):
            number = record(city, event, "door", now=time_s).incident_id
            severities[time_s] = detail(city, number).severity
    assert severities[1000.0] == 3
    assert min(time_s for time_s, level in severities.items() if level == 4) == pytest.approx(1030, abs=10)


def test_what_people_would_not_see_is_kept_but_not_told(city: Database, make_event) -> None:
    event = make_event()
    number = record(city, event, "door", now=1001.0).incident_id
    longer = dataclasses.replace(event, phase=Phase.UPDATED, curve=(*event.curve, (1002.0, 0.7)))
    assert not record(city, longer, "door", now=1003.0).changed
    assert len(detail(city, number).events[0].curve) == 3
    assert len(feed(city)) == 1


def test_an_update_that_comes_after_the_end_is_left_aside(city: Database, make_event) -> None:
    event = make_event(end_s=1010.0)
    number = record(city, event, "door", now=1011.0).incident_id
    late = dataclasses.replace(event, phase=Phase.UPDATED, end_s=None, score=0.9)
    assert not record(city, late, "door", now=1012.0).changed
    assert detail(city, number).ended_at == 1010.0


def test_related_events_soon_after_each_other_are_one_incident(city: Database, make_event) -> None:
    first = record(city, make_event(Behaviour.AGGRESSION, 1000.0, 1005.0), "door", now=1006.0)
    second = record(city, make_event(Behaviour.PERSON_DOWN, 1020.0, 1030.0), "door", now=1031.0)
    third = record(city, make_event(Behaviour.FIGHT, 1061.0, 1065.0), "door", now=1066.0)
    assert second == events.RecordedEvent(first.incident_id, opened=False, changed=True)
    assert third.opened, "31 s after the last: another happening"
    found = detail(city, first.incident_id)
    assert found.behaviours == (Behaviour.PERSON_DOWN, Behaviour.AGGRESSION)
    assert found.severity == 4
    assert found.ended_at == 1030.0


def test_a_site_may_join_what_is_further_apart(city: Database, make_event) -> None:
    with city.writing() as session:
        site = session.get_one(SiteRow, "pulse")
        site.settings = site.settings | {"joining": {"gap_s": 120.0}}
    for camera, joined in (("door", True), ("gate", False)):
        first = record(city, make_event(end_s=1005.0), camera, now=1006.0)
        second = record(city, make_event(start_s=1105.0), camera, now=1106.0)
        assert (second.incident_id == first.incident_id) is joined


def test_another_camera_is_another_incident(city: Database, make_event) -> None:
    first = record(city, make_event(), "door", now=1001.0)
    second = record(city, make_event(), "floor", now=1001.0)
    assert first.incident_id != second.incident_id


@pytest.mark.parametrize(("action", "verdict"), [(Action.RESOLVE, None), (Action.VERIFY, Verdict.FALSE)])
def test_what_follows_a_closed_incident_is_a_new_one(
    city: Database, make_event, action: Action, verdict
) -> None:
    event = make_event()
    first = record(city, event, "door", now=1001.0)
    act(city, first.incident_id, action, verdict=verdict)
    second = record(city, make_event(start_s=1005.0), "door", now=1006.0)
    assert second.opened
    ended = dataclasses.replace(event, phase=Phase.ENDED, end_s=1010.0)
    assert record(city, ended, "door", now=1011.0).incident_id == first.incident_id, (
        "its own event still ends in it"
    )
    closed = detail(city, first.incident_id)
    assert closed.ended_at == 1010.0
    assert closed.state is (State.RESOLVED if action is Action.RESOLVE else State.VERIFIED)


def test_a_clip_is_expected_in_the_same_moment_if_wanted(city: Database, make_event) -> None:
    with_clip = record(city, make_event(), "door", now=1001.0, clip=True).incident_id
    without = record(city, make_event(), "floor", now=1001.0).incident_id
    assert detail(city, with_clip).clip == "pending"
    assert detail(city, without).clip == "none"
    with city.reading() as session:
        assert [clip.incident_id for clip in clips.pending(session)] == [with_clip]


def test_numbers_may_be_those_of_arrays(city: Database, make_event) -> None:
    event = make_event(
        score=np.float32(0.5),
        people=np.int64(4),
        box=Box(*np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)),
        reason=Reason("r", {"level": np.float32(0.25), "n": np.int64(3), "where": "Ә\0"}),
    )
    found = detail(city, record(city, event, "door", now=1001.0).incident_id)
    assert (found.score, found.people) == (0.5, 4)
    assert found.reason == Reason("r", {"level": 0.25, "n": 3, "where": "Ә"})


def test_an_event_of_an_unknown_camera_is_refused(city: Database, make_event) -> None:
    with pytest.raises(StoreError, match="Camera 'cellar' is not in the database"):
        record(city, make_event(), "cellar", now=1001.0)
    assert feed(city) == []


class TestOrphans:
    def test_end_when_they_were_last_known_to_hold(self, city: Database, make_event) -> None:
        left_open = make_event(curve=((1000.0, 0.5), (1042.0, 0.9)))
        number = record(city, left_open, "door", now=1043.0).incident_id
        other = record(city, make_event(), "gate", now=1043.0).incident_id
        with city.writing() as session:
            assert close_orphans(session, ["door", "floor"], now=5000.0) == [left_open.id]
        assert detail(city, number).ended_at == 1042.0
        assert detail(city, other).ended_at is None, "that camera's worker lives"
        assert feed(city)[-1][2] == str(number)

    def test_are_closed_once(self, city: Database, make_event) -> None:
        record(city, make_event(), "door", now=1001.0)
        for expected in (1, 0):
            with city.writing() as session:
                assert len(close_orphans(session, ["door"], now=5000.0)) == expected

    def test_live_on_if_their_worker_does(self, city: Database, make_event) -> None:
        event = make_event()
        number = record(city, event, "door", now=1001.0).incident_id
        with city.writing() as session:
            close_orphans(session, ["door"], now=1002.0)
        record(city, dataclasses.replace(event, phase=Phase.UPDATED, score=0.9), "door", now=1003.0)
        assert detail(city, number).ended_at is None


def test_a_long_curve_is_thinned_without_losing_its_peak_or_its_end() -> None:
    curve = [(float(i), 0.2) for i in range(20_000)]
    curve[7777] = (7777.0, 0.99)
    kept = thinned(curve)
    assert len(kept) <= MOST_SAMPLES
    assert [7777.0, 0.99] in kept
    assert kept[-1] == [19_999.0, 0.2]
    assert kept == sorted(kept)
    assert thinned(curve[:5]) == [[float(i), 0.2] for i in range(5)]


def test_writers_at_once_lose_no_event_and_no_change(city: Database, make_event) -> None:
    def write(camera: str, base: float) -> None:
        for number in range(10):
            record(
                city,
                make_event(start_s=base + 1000.0 * number, end_s=base + 1000.0 * number + 5),
                camera,
                now=1.0,
            )

    threads = [
        threading.Thread(target=write, args=(camera, base))
        for base, camera in enumerate(["door", "door", "floor", "gate"])
    ]
    seen: list[int] = []

    def read() -> None:
        # A reader that goes on from the last number it saw, as browsers do.
        while len(seen) < 40 and any(thread.is_alive() for thread in threads):
            with city.reading() as session:
                seen.extend(change.id for change in changes.since(session, seen[-1] if seen else 0))

    reader = threading.Thread(target=read)
    for thread in [*threads, reader]:
        thread.start()
    for thread in [*threads, reader]:
        thread.join()
    with city.reading() as session:
        seen.extend(change.id for change in changes.since(session, seen[-1] if seen else 0))
    assert seen == list(range(1, 41)), "numbered without gaps, and none was missed on the way"
    with city.reading() as session:
        page = incidents.page(session, incidents.Filter(), limit=100)
    assert len(page.items) == 30, "the two writers of one camera saw the same happenings"
