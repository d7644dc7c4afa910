"""Which events are one happening, and what an incident amounts to."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events import an_event

from tynysh.behaviour.event import Event
from tynysh.behaviour.registry import BEHAVIOURS
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box
from tynysh.incidents.fusion import LONGEST_S, home, related, renewed_at, severity, summary
from tynysh.incidents.incident import CameraName, Incident, SiteName
from tynysh.incidents.lifecycle import State


def event(
    behaviour: Behaviour = Behaviour.FIGHT,
    start: float = 1000.0,
    end: float | None = 1010.0,
    *,
    name: str = "e",
    score: float = 0.8,
    people: int = 2,
    until: float | None = None,
    why: str | None = None,
) -> Event:
    return an_event(
        behaviour,
        start,
        end,
        id=name,
        score=score,
        people=people,
        box=Box(0.1, 0.1, 0.2, 0.2),
        zone=f"zone of {name}",
        reason=Reason(why or f"reason.{name}"),
        curve=() if until is None else ((until, score),),
    )


def incident(
    behaviours: set[Behaviour],
    start: float = 1000.0,
    end: float | None = 1010.0,
    *,
    number: int = 1,
    closed: bool = False,
) -> Incident:
    amounts = summary([event(behaviour, start, end) for behaviour in behaviours])
    return Incident(
        **vars(amounts),
        id=number,
        site=SiteName("club", "Club", "nightlife"),
        camera=CameraName("door", "Door", False),
        opened_at=start,
        state=State.RESOLVED if closed else State.NEW,
        clip="none",
        still=False,
        position=None,
        version=0,
    )


class TestHome:
    def test_a_related_event_soon_after_belongs_to_the_incident(self) -> None:
        assert home(event(Behaviour.PERSON_DOWN, 1030.0), [incident({Behaviour.FIGHT})]) == 1

    def test_after_more_than_the_gap_it_is_a_happening_of_its_own(self) -> None:
        fight = incident({Behaviour.FIGHT}, end=1010.0)
        assert home(event(start=1040.0, end=1050.0), [fight]) == 1
        assert home(event(start=1040.1, end=1050.0), [fight]) is None
        assert home(event(start=1040.1, end=1050.0), [fight], gap_s=60) == 1

    def test_an_event_that_becomes_known_late_belongs_too(self) -> None:
        assert home(event(start=960.0, end=975.0), [incident({Behaviour.FIGHT}, start=1000.0)]) == 1
        assert home(event(start=940.0, end=960.0), [incident({Behaviour.FIGHT}, start=1000.0)]) is None

    def test_an_incident_that_goes_on_takes_in_whatever_is_related_for_a_while(self) -> None:
        goes_on = [incident({Behaviour.CROWDING}, end=None)]
        assert home(event(Behaviour.CRUSH_RISK, 1000.0 + LONGEST_S), goes_on) == 1
        assert home(event(Behaviour.CRUSH_RISK, 1001.0 + LONGEST_S), goes_on) is None
        assert home(event(Behaviour.CRUSH_RISK, 9000.0), goes_on, longest_s=86_400.0) == 1

    def test_unrelated_behaviours_are_incidents_of_their_own(self) -> None:
        assert home(event(Behaviour.INTRUSION), [incident({Behaviour.FIGHT})]) is None
        assert home(event(Behaviour.CAMERA_FAULT), [incident({Behaviour.RECORDING_FAULT})]) is None

    def test_what_people_have_closed_takes_nothing_more_in(self) -> None:
        assert home(event(), [incident({Behaviour.FIGHT}, closed=True)]) is None

    def test_of_several_the_latest_is_chosen(self) -> None:
        earlier, later = (
            incident({Behaviour.FIGHT}, 1000.0, number=7),
            incident({Behaviour.FIGHT}, 1005.0, number=3),
        )
        assert home(event(), [earlier, later]) == home(event(), [later, earlier]) == 3


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0.0, 10.0)], None),
        ([(0.0, None)], None),
        ([(0.0, 10.0), (12.0, 20.0)], None),
        ([(0.0, 10.0), (20.0, 25.0)], 20.0),
        ([(0.0, 10.0), (20.0, 25.0), (40.0, None)], 40.0),
        # Something else went on all the while: nothing had paused.
        ([(0.0, None), (20.0, 25.0)], None),
        ([(0.0, 30.0), (5.0, 8.0), (20.0, 25.0)], None),
    ],
)
def test_what_begins_after_a_pause_renews_its_incident(
    spans: list[tuple[float, float | None]], expected: float | None
) -> None:
    events = [event(Behaviour.FIGHT, start, end, name=str(start)) for start, end in spans]
    assert renewed_at(events) == expected
    assert renewed_at(events[::-1]) == expected
    assert summary(events).renewed_at == expected


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_every_behaviour_is_related_to_itself(behaviour: Behaviour) -> None:
    assert related(behaviour, behaviour)


class TestSeverity:
    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            ([event(Behaviour.LOITERING)], 1),
            ([event(Behaviour.AGGRESSION)], 2),
            ([event(Behaviour.FIGHT)], 3),
            ([event(Behaviour.CRUSH_RISK)], 4),
            ([event(Behaviour.AGGRESSION), event(Behaviour.PERSON_DOWN)], 4),
            ([event(Behaviour.FIGHT, people=5)], 4),
            ([event(Behaviour.CROWDING, people=500)], 2),
            ([event(Behaviour.FIGHT, 0.0, 30.0)], 4),
            ([event(Behaviour.FIGHT, 0.0, None, until=30.0)], 4),
            ([event(Behaviour.PERSON_DOWN, 0.0, 59.0)], 3),
            ([event(Behaviour.PERSON_DOWN, 0.0, 60.0)], 4),
            ([event(Behaviour.LOITERING, 0.0, 300.0)], 2),
            ([event(Behaviour.LOITERING, 0.0, 1200.0)], 3),
            ([event(Behaviour.PERSON_DOWN, why="person_down.after_violence")], 4),
            ([event(Behaviour.AGGRESSION, why="aggression.blow_to_head")], 2),
            ([event(Behaviour.AGGRESSION, why="aggression.swing")], 3),
            ([event(Behaviour.AGGRESSION, why="aggression.kick_of_fallen")], 3),
            ([event(Behaviour.AGGRESSION, why="aggression.swing", people=5)], 4),
        ],
    )
    def test_follows_behaviour_people_duration_and_a_person_down(self, events: list, expected: int) -> None:
        assert severity(events) == expected


class TestSummary:
    def test_the_gravest_behaviour_leads_however_certain_the_others_are(self) -> None:
        summed = summary(
            [event(Behaviour.AGGRESSION, name="a", score=0.99, people=6), event(name="f", score=0.7)]
        )
        assert summed.behaviour == Behaviour.FIGHT
        assert summed.behaviours == (Behaviour.FIGHT, Behaviour.AGGRESSION)
        assert (summed.score, summed.zone, summed.reason) == (0.7, "zone of f", Reason("reason.f"))
        assert summed.people == 6

    def test_it_lasts_from_the_first_onset_to_the_last_end(self) -> None:
        summed = summary([event(start=5.0, end=9.0), event(start=2.0, end=20.0)])
        assert (summed.started_at, summed.ended_at) == (2.0, 20.0)

    def test_it_goes_on_while_one_event_holds(self) -> None:
        assert summary([event(start=5.0, end=9.0), event(start=2.0, end=None)]).ended_at is None


events = st.builds(
    event,
    st.sampled_from(sorted(BEHAVIOURS)),
    st.floats(0, 1000),
    st.none() | st.floats(1000, 2000),
    name=st.uuids().map(str),
    score=st.floats(0, 1),
    people=st.integers(0, 50),
)


@given(st.lists(events, min_size=1, max_size=8), st.randoms())
def test_the_order_in_which_events_become_known_does_not_matter(known: list, random) -> None:
    shuffled = known[:]
    random.shuffle(shuffled)
    assert summary(shuffled) == summary(known)


@given(st.lists(events, min_size=2, max_size=8), st.floats(0, 5000))
def test_severity_never_falls_as_more_becomes_known(known: list, longer: float) -> None:
    assert severity(known) >= severity(known[:-1])
    until = known[0].known_until_s + longer
    if known[0].end_s is None:
        extended = dataclasses.replace(known[0], curve=((until, known[0].score),))
    else:
        extended = dataclasses.replace(known[0], end_s=until)
    assert severity([extended, *known[1:]]) >= severity(known)
    assert 1 <= severity(known) <= 4
