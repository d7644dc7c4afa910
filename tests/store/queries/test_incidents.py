"""Incidents as people see them, and the steps that they take."""

import pytest

from tynysh.behaviour.signal import Behaviour
from tynysh.geometry import GeoPosition
from tynysh.incidents.lifecycle import Action, State, StepError, Verdict
from tynysh.store.database import Database
from tynysh.store.queries import changes, events, incidents
from tynysh.store.queries.incidents import Filter


@pytest.fixture
def numbers(city: Database, make_event) -> list[int]:
    """Six incidents: fights at the door of Pulse, an intrusion and a fight at the park's gate, in turns."""
    made = []
    for i in range(6):
        camera = "gate" if i % 2 else "door"
        behaviour = Behaviour.INTRUSION if i == 3 else Behaviour.FIGHT
        event = make_event(behaviour, 1000.0 * i, 1000.0 * i + 5)
        made.append(events.record(city, event, camera, now=1000.0 * i + 6).incident_id)
    return made


def page(database: Database, only: Filter = Filter(), **more) -> incidents.Page:  # noqa: B008  immutable
    with database.reading() as session:
        return incidents.page(session, only, **more)


def ids(found: incidents.Page) -> list[int]:
    return [incident.id for incident in found.items]


def act(
    database: Database, incident_id: int, action: Action, user: str = "aigerim", now: float = 9000.0, **more
):
    with database.writing() as session:
        return incidents.take_step(session, incident_id, action, user=user, now=now, **more)


def test_pages_lead_from_the_newest_to_the_oldest(city: Database, numbers: list[int]) -> None:
    first = page(city, limit=4)
    assert ids(first) == numbers[:1:-1]
    second = page(city, before=first.next, limit=4)
    assert ids(second) == numbers[1::-1]
    assert second.next is None


def test_a_page_that_is_just_full_is_the_last(city: Database, numbers: list[int]) -> None:
    assert page(city, limit=6).next is None


def test_incidents_are_found_by_site_state_and_behaviour(city: Database, numbers: list[int]) -> None:
    act(city, numbers[0], Action.ACKNOWLEDGE)
    act(city, numbers[1], Action.RESOLVE)
    assert ids(page(city, Filter(site="park"))) == [numbers[5], numbers[3], numbers[1]]
    assert ids(page(city, Filter(behaviour=Behaviour.INTRUSION))) == [numbers[3]]
    assert ids(page(city, Filter(state=State.ACKNOWLEDGED))) == [numbers[0]]
    assert numbers[1] not in ids(page(city, Filter(open=True)))
    assert len(ids(page(city, Filter(open=True)))) == 5


def test_an_incident_is_found_by_each_of_its_behaviours(city: Database, make_event) -> None:
    events.record(city, make_event(Behaviour.FIGHT, 10.0, 15.0), "door", now=1.0)
    number = events.record(city, make_event(Behaviour.PERSON_DOWN, 16.0, 20.0), "door", now=1.0).incident_id
    assert ids(page(city, Filter(behaviour=Behaviour.PERSON_DOWN))) == [number]


def test_a_venue_sees_its_own_sites_only(city: Database, numbers: list[int]) -> None:
    assert ids(page(city, Filter(sites={"pulse"}))) == [numbers[4], numbers[2], numbers[0]]
    assert ids(page(city, Filter(sites=set()))) == []
    assert ids(page(city, Filter(site="park", sites={"pulse"}))) == []


def test_an_incident_shows_where_it_is(city: Database, numbers: list[int]) -> None:
    with city.reading() as session:
        found = incidents.get(session, numbers[0])
    assert found is not None
    assert found.position == GeoPosition(43.2, 76.9), "of the site, where the camera has none"
    assert (found.site.name, found.camera.name, found.camera.simulated) == ("Pulse", "Door", False)
    assert found.clip == "none"
    assert not found.still


def test_what_does_not_exist_is_not_found(city: Database) -> None:
    with city.reading() as session:
        assert incidents.get(session, 99) is None
        assert incidents.detail(session, 99) is None
        assert incidents.many(session, [99]) == {}
    assert act(city, 99, Action.ACKNOWLEDGE) is None


def test_steps_are_kept_with_who_and_when(city: Database, numbers: list[int]) -> None:
    act(city, numbers[0], Action.ACKNOWLEDGE, now=9001.0)
    act(
        city,
        numbers[0],
        Action.VERIFY,
        user="bolat",
        now=9002.0,
        verdict=Verdict.TRUE,
        note="two men",
        lead=True,
    )
    found = act(city, numbers[0], Action.RESOLVE, now=9003.0)
    assert found is not None
    assert found.state is State.RESOLVED
    assert (found.owner, found.verdict) == ("aigerim", Verdict.TRUE)
    assert found.actions == (Action.REOPEN, Action.NOTE)
    steps = [(step.at, step.user, step.action, step.from_state, step.to_state) for step in found.steps]
    assert steps == [
        (9001.0, "aigerim", Action.ACKNOWLEDGE, State.NEW, State.ACKNOWLEDGED),
        (9002.0, "bolat", Action.VERIFY, State.ACKNOWLEDGED, State.VERIFIED),
        (9003.0, "aigerim", Action.RESOLVE, State.VERIFIED, State.RESOLVED),
    ]
    assert found.steps[1].note == "two men"


def test_each_step_is_told_in_the_feed(city: Database, numbers: list[int]) -> None:
    with city.reading() as session:
        before = changes.latest(session)
    act(city, numbers[2], Action.NOTE, note="seen")
    with city.reading() as session:
        published = changes.since(session, before)
    assert [(change.id, change.ref) for change in published] == [(before + 1, str(numbers[2]))]


def test_a_refused_step_leaves_no_trace(city: Database, numbers: list[int]) -> None:
    act(city, numbers[0], Action.RESOLVE)
    with city.reading() as session:
        before = changes.latest(session)
    with pytest.raises(StepError):
        act(city, numbers[0], Action.DISPATCH)
    with city.reading() as session:
        found = incidents.detail(session, numbers[0])
        assert found is not None
        assert len(found.steps) == 1
        assert changes.latest(session) == before


def test_a_step_needs_a_session_that_is_alone_in_writing(city: Database, numbers: list[int]) -> None:
    with city.reading() as session, pytest.raises(RuntimeError, match="writing"):
        incidents.take_step(session, numbers[0], Action.ACKNOWLEDGE, user="a", now=1.0)
