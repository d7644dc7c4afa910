"""Events and happenings are paired fairly: one for one, and by rules that can be said aloud."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.labels import Label
from tynysh.evaluation.matching import EARLY_S, Matching, match

FIGHT, AGGRESSION, DOWN = Behaviour.FIGHT, Behaviour.AGGRESSION, Behaviour.PERSON_DOWN


def fight(start_s: float, end_s: float) -> Label:
    return Label(FIGHT, start_s, end_s)


def aggression(start_s: float, end_s: float) -> Label:
    return Label(AGGRESSION, start_s, end_s)


def test_an_event_in_the_time_of_a_happening_is_of_it() -> None:
    assert match([fight(10, 20)], [fight(12, 25)]) == Matching(((0, 0),), (), frozenset(), (), ())


def test_events_may_miss_a_happening_by_the_tolerance_and_no_more() -> None:
    for event in (fight(21.9, 24), fight(5, 8.1)):
        assert match([fight(10, 20)], [event], tolerance_s=2).pairs
    for event in (fight(22.1, 24), fight(5, 7.9)):
        found = match([fight(10, 20)], [event], tolerance_s=2)
        assert (found.missed, found.false) == ((0,), (0,))


def test_one_happening_cut_into_two_events_is_no_false_alert() -> None:
    found = match([fight(0, 60)], [fight(1, 20), fight(30, 59)])
    assert found.pairs == ((0, 1),), "the event that shows more of it"
    assert (found.repeats, found.false, found.missed) == ((0,), (), ())


def test_one_event_over_two_happenings_finds_one_of_them() -> None:
    found = match([fight(0, 10), fight(14, 30)], [fight(0, 30)])
    assert found.pairs == ((1, 0),)
    assert (found.missed, found.standing) == ((0,), {0}), "missed, but an alert was up"


def test_as_many_happenings_are_found_as_can_be() -> None:
    """The first event has more of the second happening, but only the first event can be of the first."""
    found = match([fight(0, 10), fight(12, 30)], [fight(8, 28), fight(27, 32)])
    assert found.pairs == ((0, 0), (1, 1))


def test_another_behaviour_does_not_count() -> None:
    found = match([fight(0, 10)], [Label(DOWN, 0, 10)])
    assert (found.pairs, found.missed, found.false) == ((), (0,), (0,))


def test_aggression_over_a_fight_and_fight_over_an_aggression_count() -> None:
    assert match([fight(0, 10)], [aggression(1, 3)]).pairs == ((0, 0),)
    assert match([aggression(0, 10)], [fight(1, 3)]).pairs == ((0, 0),)


def test_the_same_behaviour_goes_before_a_related_one() -> None:
    found = match([fight(0, 10)], [aggression(0, 10), fight(8, 9)])
    assert found.pairs == ((0, 1),)
    assert (found.repeats, found.false) == ((0,), ()), "the aggression is part of the fight"


def test_an_alert_that_stood_long_before_is_not_about_it() -> None:
    found = match([fight(100, 110)], [fight(100 - EARLY_S - 1, 200)])
    assert (found.missed, found.standing, found.false) == ((0,), {0}, (0,))
    assert match([fight(100, 110)], [fight(100 - EARLY_S + 1, 200)]).pairs


def test_nothing_in_nothing_out() -> None:
    assert match([], []) == Matching((), (), frozenset(), (), ())
    assert match([], [fight(0, 1)]).false == (0,)
    assert match([fight(0, 1)], []).missed == (0,)


stretches = st.lists(
    st.builds(
        lambda behaviour, start_s, length_s: Label(behaviour, start_s, start_s + length_s),
        st.sampled_from([FIGHT, AGGRESSION, DOWN]),
        st.integers(0, 120).map(float),
        st.integers(1, 40).map(float),
    ),
    max_size=7,
)


@settings(max_examples=300, deadline=None)
@given(labels=stretches, events=stretches)
def test_everything_is_counted_once_and_nothing_is_paired_that_may_not_be(
    labels: list[Label], events: list[Label]
) -> None:
    found = match(labels, events, tolerance_s=2)
    paired_labels, paired_events = [list(side) for side in zip(*found.pairs, strict=True)] or ([], [])
    assert sorted([*paired_labels, *found.missed]) == list(range(len(labels)))
    assert sorted([*paired_events, *found.repeats, *found.false]) == list(range(len(events)))
    assert found.standing <= set(found.missed)
    for label, event in ((labels[a], events[b]) for a, b in found.pairs):
        assert {event.behaviour, label.behaviour} in ({event.behaviour}, {FIGHT, AGGRESSION})
        assert min(label.end_s, event.end_s) + 2 >= max(label.start_s, event.start_s)
    # What was missed has no event left that could be its own, and a false alert no happening that it could be of.
    for place in found.missed:
        for other in (*found.repeats, *found.false):
            assert not match([labels[place]], [events[other]], tolerance_s=2).pairs
    for place in found.false:
        assert not any(match([label], [events[place]], tolerance_s=2).pairs for label in labels)


@settings(max_examples=100, deadline=None)
@given(labels=stretches, shift=st.integers(0, 1000).map(float))
def test_perfect_events_find_everything_whenever_it_happens(labels: list[Label], shift: float) -> None:
    moved = [Label(one.behaviour, one.start_s + shift, one.end_s + shift) for one in labels]
    found = match(moved, moved)
    assert len(found.pairs) == len(labels)
    assert not found.missed
    assert not found.false
