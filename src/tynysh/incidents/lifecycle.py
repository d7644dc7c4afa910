"""What may be done to an incident in each of its states, and what comes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tynysh.errors import TynyshError


class State(StrEnum):
    """How far people have come with an incident."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    DISPATCHED = "dispatched"
    RESOLVED = "resolved"


class Verdict(StrEnum):
    """What a person found when looking: it happened, it did not, or it cannot be told."""

    TRUE = "true"
    FALSE = "false"
    UNCLEAR = "unclear"


class Action(StrEnum):
    """What a person does to an incident."""

    ACKNOWLEDGE = "acknowledge"
    VERIFY = "verify"
    DISPATCH = "dispatch"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    NOTE = "note"
    TAKE_OVER = "take_over"
    UNDO = "undo"


NOTE_LIMIT = 2000
"""The longest note, characters."""

UNDO_S = 20.0
"""How long after a step it can be taken back, seconds: the console offers it for ten, and lines are slow."""

OWNERS = frozenset({Action.VERIFY, Action.DISPATCH, Action.RESOLVE})
"""What is for whoever has the incident; others take it over first."""


@dataclass(frozen=True, slots=True)
class Handling:
    """How far the handling of an incident has come: its state, the verdict so far, and who has it."""

    state: State = State.NEW
    verdict: Verdict | None = None
    owner: str | None = None

    @property
    def closed(self) -> bool:
        """Whether people are done with it, so that what happens next is another incident."""
        return self.state is State.RESOLVED or self.verdict is Verdict.FALSE


@dataclass(frozen=True, slots=True)
class HandlingStep:
    """What one person did at one moment. verdict: what was said in this step, if anything."""

    at: float
    user: str
    action: Action
    from_state: State
    to_state: State
    verdict: Verdict | None
    note: str | None


class StepError(TynyshError):
    """A step that cannot be taken.

    key: of the translation catalogue, for the console. field: which part of the request is wrong; None where
    the request is sound and it is the incident's state that forbids it.
    """

    def __init__(self, key: str, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.field = field


def step(
    handling: Handling,
    action: Action,
    *,
    user: str,
    at: float,
    verdict: Verdict | None = None,
    note: str | None = None,
    lead: bool = False,
) -> tuple[Handling, HandlingStep]:
    """The handling after `user` does `action`, and the step for the history.

    Steps may be skipped forwards; the way back is `reopen`, which takes the verdict away, so that it is given
    anew. `verify` may be repeated to correct a verdict. `resolve` may carry a verdict. Whoever does the
    first of acknowledge, verify, dispatch or resolve owns the incident; reopening and taking over hand
    it to whoever does so. Only the owner verifies, dispatches and resolves, or a `lead` of the shift.

    `undo` is not for here: it needs what was done before, see `undone`. Raises StepError.
    """
    note = (note or "").replace("\0", "").strip() or None
    _check_request(action, verdict, note)
    _check_state(handling, action)
    if not lead and action in OWNERS and handling.owner not in {None, user}:
        raise StepError("incident.error.owned", f"{handling.owner} has the incident; take it over first.")
    after = _after(handling, action, user, verdict)
    return after, HandlingStep(at, user, action, handling.state, after.state, verdict, note)


def undone(steps: Iterable[HandlingStep], *, user: str, at: float) -> tuple[Handling, HandlingStep]:
    """The handling as it was before the last of `steps`, and the step that says so.

    Only whoever took that step takes it back, within `UNDO_S`; a note stays, and what was undone is not done
    anew by undoing. Raises StepError.
    """
    before = [Handling()]
    last: HandlingStep | None = None
    for taken in steps:
        if taken.action is Action.NOTE:
            continue
        if taken.action is Action.UNDO:
            before.pop()
        else:
            before.append(_after(before[-1], taken.action, taken.user, taken.verdict))
        last = taken
    if last is None or last.action is Action.UNDO or last.user != user or at - last.at > UNDO_S:
        raise StepError("incident.error.undo", "There is no step of yours of the last seconds to take back.")
    now, then = before[-1], before[-2]
    return then, HandlingStep(at, user, Action.UNDO, now.state, then.state, None, None)


def actions(handling: Handling) -> tuple[Action, ...]:
    """What may be done now, by somebody who may do it; undoing depends on who did what last."""
    return tuple(action for action in Action if _forbidden(handling, action) is None)


def _check_request(action: Action, verdict: Verdict | None, note: str | None) -> None:
    if action is Action.VERIFY and verdict is None:
        raise StepError("incident.error.verdict_missing", "Verifying needs a verdict.", field="verdict")
    if verdict is not None and action not in {Action.VERIFY, Action.RESOLVE}:
        raise StepError(
            "incident.error.verdict_unexpected", f"A verdict cannot be given with {action}.", field="verdict"
        )
    if action is Action.NOTE and note is None:
        raise StepError("incident.error.note_missing", "The note is empty.", field="note")
    if note is not None and len(note) > NOTE_LIMIT:
        raise StepError(
            "incident.error.note_long", f"A note has at most {NOTE_LIMIT} characters.", field="note"
        )


def _check_state(handling: Handling, action: Action) -> None:
    forbidden = _forbidden(handling, action)
    if forbidden is not None:
        raise StepError(*forbidden)


def _forbidden(handling: Handling, action: Action) -> tuple[str, str] | None:
    """Key and words of why `action` cannot be taken now."""
    if action is Action.NOTE:
        return None
    if action is Action.UNDO:
        return ("incident.error.undo", "Undoing goes by the steps that were taken.")
    if action is Action.REOPEN:
        if handling.state is not State.RESOLVED:
            return ("incident.error.not_resolved", "Only a resolved incident can be reopened.")
        return None
    if handling.state is State.RESOLVED:
        return ("incident.error.resolved", "The incident is resolved; reopen it first.")
    if action is Action.TAKE_OVER and handling.owner is None:
        return ("incident.error.unowned", "Nobody has the incident yet; acknowledge it.")
    if action is Action.ACKNOWLEDGE and handling.state is not State.NEW:
        return ("incident.error.acknowledged", f"The incident is {handling.state} already.")
    if action is Action.DISPATCH:
        if handling.state is State.DISPATCHED:
            return ("incident.error.dispatched", "Somebody has been sent already.")
        if handling.verdict is Verdict.FALSE:
            return (
                "incident.error.false",
                "The incident was verified false; verify it anew before sending anybody.",
            )
    return None


def _after(handling: Handling, action: Action, user: str, verdict: Verdict | None) -> Handling:
    owner = handling.owner or user
    match action:
        case Action.NOTE | Action.UNDO:
            return handling
        case Action.TAKE_OVER:
            return Handling(handling.state, handling.verdict, user)
        case Action.ACKNOWLEDGE:
            return Handling(State.ACKNOWLEDGED, handling.verdict, owner)
        case Action.VERIFY:
            state = State.DISPATCHED if handling.state is State.DISPATCHED else State.VERIFIED
            return Handling(state, verdict, owner)
        case Action.DISPATCH:
            return Handling(State.DISPATCHED, handling.verdict, owner)
        case Action.RESOLVE:
            return Handling(State.RESOLVED, verdict or handling.verdict, owner)
        case Action.REOPEN:
            return Handling(State.ACKNOWLEDGED, None, user)
