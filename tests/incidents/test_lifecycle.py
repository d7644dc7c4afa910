"""What may be done to an incident, and what comes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tynysh.incidents.lifecycle import (
    NOTE_LIMIT,
    UNDO_S,
    Action,
    Handling,
    HandlingStep,
    State,
    StepError,
    Verdict,
    actions,
    step,
    undone,
)
from tynysh.translations import LANGUAGES, catalogue

ORDER = list(State)


def done(handling: Handling, action: Action, user: str = "aigerim", **more) -> Handling:
    return step(handling, action, user=user, at=100.0, **more)[0]


def test_the_usual_way_goes_through_every_state() -> None:
    handling = Handling()
    handling = done(handling, Action.ACKNOWLEDGE)
    assert handling == Handling(State.ACKNOWLEDGED, None, "aigerim")
    handling = done(handling, Action.VERIFY, verdict=Verdict.TRUE)
    assert handling == Handling(State.VERIFIED, Verdict.TRUE, "aigerim")
    handling = done(handling, Action.DISPATCH, user="bolat", lead=True)
    assert handling == Handling(State.DISPATCHED, Verdict.TRUE, "aigerim")
    assert done(handling, Action.RESOLVE) == Handling(State.RESOLVED, Verdict.TRUE, "aigerim")


def test_a_step_says_who_did_what_and_when() -> None:
    _, taken = step(
        Handling(), Action.VERIFY, user="aigerim", at=5.5, verdict=Verdict.UNCLEAR, note="  dark "
    )
    assert (taken.user, taken.at, taken.action) == ("aigerim", 5.5, Action.VERIFY)
    assert (taken.from_state, taken.to_state) == (State.NEW, State.VERIFIED)
    assert (taken.verdict, taken.note) == (Verdict.UNCLEAR, "dark")


def test_whoever_acts_first_owns_the_incident() -> None:
    handling = done(Handling(), Action.VERIFY, user="bolat", verdict=Verdict.TRUE)
    assert done(handling, Action.DISPATCH, user="aigerim", lead=True).owner == "bolat"


def test_a_note_changes_nothing_and_is_possible_always() -> None:
    for state in State:
        handling = Handling(state, None, None)
        assert done(handling, Action.NOTE, note="seen") == handling


def test_reopening_takes_the_verdict_away_and_hands_the_incident_over() -> None:
    resolved = Handling(State.RESOLVED, Verdict.FALSE, "aigerim")
    assert done(resolved, Action.REOPEN, user="bolat") == Handling(State.ACKNOWLEDGED, None, "bolat")


def test_a_verdict_can_be_corrected_even_after_somebody_was_sent() -> None:
    sent = Handling(State.DISPATCHED, Verdict.TRUE, "aigerim")
    assert done(sent, Action.VERIFY, verdict=Verdict.FALSE) == Handling(
        State.DISPATCHED, Verdict.FALSE, "aigerim"
    )


def test_an_incident_can_be_resolved_with_a_verdict_at_once() -> None:
    assert done(Handling(), Action.RESOLVE, verdict=Verdict.FALSE) == Handling(
        State.RESOLVED, Verdict.FALSE, "aigerim"
    )


@pytest.mark.parametrize(
    ("handling", "action", "key"),
    [
        (Handling(State.ACKNOWLEDGED, None, "a"), Action.ACKNOWLEDGE, "acknowledged"),
        (Handling(State.RESOLVED), Action.ACKNOWLEDGE, "resolved"),
        (Handling(State.RESOLVED), Action.RESOLVE, "resolved"),
        (Handling(State.DISPATCHED), Action.DISPATCH, "dispatched"),
        (Handling(State.VERIFIED, Verdict.FALSE, "a"), Action.DISPATCH, "false"),
        (Handling(State.VERIFIED, Verdict.TRUE, "a"), Action.REOPEN, "not_resolved"),
    ],
)
def test_what_the_state_forbids_is_refused_with_its_reason(
    handling: Handling, action: Action, key: str
) -> None:
    with pytest.raises(StepError) as caught:
        step(handling, action, user="aigerim", at=1.0)
    assert caught.value.key == f"incident.error.{key}"
    assert caught.value.field is None
    assert action not in actions(handling)


@pytest.mark.parametrize(
    ("action", "more", "field"),
    [
        (Action.VERIFY, {}, "verdict"),
        (Action.ACKNOWLEDGE, {"verdict": Verdict.TRUE}, "verdict"),
        (Action.NOTE, {}, "note"),
        (Action.NOTE, {"note": "  \0 "}, "note"),
        (Action.ACKNOWLEDGE, {"note": "x" * (NOTE_LIMIT + 1)}, "note"),
    ],
)
def test_an_incomplete_request_is_refused_with_the_field(action: Action, more: dict, field: str) -> None:
    with pytest.raises(StepError) as caught:
        step(Handling(), action, user="aigerim", at=1.0, **more)
    assert caught.value.field == field


def test_every_refusal_has_its_words_in_all_languages() -> None:
    for language in LANGUAGES:
        known = catalogue(language)
        for key in (
            "acknowledged",
            "changed",
            "dispatched",
            "false",
            "key",
            "not_resolved",
            "owned",
            "resolved",
            "undo",
            "unowned",
        ):
            assert f"incident.error.{key}" in known
        for key in ("verdict_missing", "verdict_unexpected", "note_missing", "note_long"):
            assert f"incident.error.{key}" in known


requests = st.tuples(
    st.sampled_from(Action),
    st.none() | st.sampled_from(Verdict),
    st.none() | st.text(max_size=20),
    st.sampled_from("abc"),
)


@given(st.lists(requests, max_size=12))
def test_whatever_people_try_the_incident_stays_sound(tried: list) -> None:
    handling, history = Handling(), []
    for action, verdict, note, user in tried:
        possible = action in actions(handling)
        try:
            after, taken = step(handling, action, user=user, at=1.0, verdict=verdict, note=note)
        except StepError as error:
            # What is offered fails only for what is missing in the request, or because it is another's.
            assert not possible or error.field is not None or error.key == "incident.error.owned"
            continue
        assert possible
        assert (taken.from_state, taken.to_state) == (handling.state, after.state)
        if action is not Action.REOPEN:
            assert ORDER.index(after.state) >= ORDER.index(handling.state), "only reopening leads back"
        if action is not Action.NOTE:
            assert after.owner is not None
        if after.state is State.VERIFIED:
            assert after.verdict is not None
        handling = after
        history.append(taken)
    replayed = State.NEW
    for taken in history:
        assert taken.from_state is replayed
        replayed = taken.to_state
    assert replayed is handling.state, "the history leads to where the incident stands"
    if history and history[-1].action is not Action.NOTE:
        before, _ = undone(history, user=history[-1].user, at=1.0)
        assert before.state is history[-1].from_state, "what was done last is undone"


def test_only_the_owner_or_a_lead_decides() -> None:
    mine = done(Handling(), Action.ACKNOWLEDGE)
    for action, more in [
        (Action.VERIFY, {"verdict": Verdict.TRUE}),
        (Action.DISPATCH, {}),
        (Action.RESOLVE, {}),
    ]:
        with pytest.raises(StepError) as caught:
            done(mine, action, user="bolat", **more)
        assert caught.value.key == "incident.error.owned"
        assert done(mine, action, user="bolat", lead=True, **more).owner == "aigerim"
    taken = done(mine, Action.TAKE_OVER, user="bolat")
    assert taken == Handling(State.ACKNOWLEDGED, None, "bolat")
    assert done(taken, Action.DISPATCH, user="bolat").state is State.DISPATCHED
    assert done(mine, Action.NOTE, user="bolat", note="seen too") == mine


def test_what_nobody_has_is_not_taken_over() -> None:
    assert Action.TAKE_OVER not in actions(Handling())
    with pytest.raises(StepError) as caught:
        done(Handling(), Action.TAKE_OVER)
    assert caught.value.key == "incident.error.unowned"


def history(*wanted: tuple[Action, str, float]) -> list[HandlingStep]:
    handling, steps = Handling(), []
    for action, user, at in wanted:
        verdict = Verdict.FALSE if action is Action.VERIFY else None
        note = "seen" if action is Action.NOTE else None
        handling, taken = step(handling, action, user=user, at=at, verdict=verdict, note=note, lead=True)
        steps.append(taken)
    return steps


def test_ones_last_step_can_be_taken_back_for_some_seconds() -> None:
    steps = history((Action.ACKNOWLEDGE, "a", 10.0), (Action.VERIFY, "a", 20.0), (Action.NOTE, "b", 21.0))
    before, taken = undone(steps, user="a", at=20.0 + UNDO_S)
    assert before == Handling(State.ACKNOWLEDGED, None, "a")
    assert (taken.action, taken.from_state, taken.to_state) == (
        Action.UNDO,
        State.VERIFIED,
        State.ACKNOWLEDGED,
    )
    assert undone(history((Action.ACKNOWLEDGE, "a", 1.0)), user="a", at=2.0)[0] == Handling()


@pytest.mark.parametrize(
    ("user", "at"), [("b", 21.0), ("a", 20.5 + UNDO_S)], ids=["of somebody else", "too late"]
)
def test_nothing_else_can_be_taken_back(user: str, at: float) -> None:
    steps = history((Action.ACKNOWLEDGE, "a", 10.0), (Action.VERIFY, "a", 20.0))
    with pytest.raises(StepError) as caught:
        undone(steps, user=user, at=at)
    assert caught.value.key == "incident.error.undo"


def test_what_was_taken_back_is_not_taken_back_again() -> None:
    steps = history((Action.ACKNOWLEDGE, "a", 10.0), (Action.VERIFY, "a", 20.0))
    _, undo = undone(steps, user="a", at=21.0)
    with pytest.raises(StepError):
        undone([*steps, undo], user="a", at=22.0)
    # But a step after it is: it leads to where the undoing led.
    _, again = step(Handling(State.ACKNOWLEDGED, None, "a"), Action.DISPATCH, user="a", at=23.0)
    assert undone([*steps, undo, again], user="a", at=24.0)[0] == Handling(State.ACKNOWLEDGED, None, "a")
