"""Which time retention takes for now, whatever the clock says: a clock that is put forward must not delete."""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from sqlalchemy.orm import Session

from tynysh.evidence.due import DAY_S
from tynysh.store import record
from tynysh.store.database import Database
from tynysh.store.schema import SettingRow

log = structlog.get_logger(__name__)

ALLOWANCE_S = DAY_S / 2
"""How far the clock may go forward unexplained. It grows back half as fast as time goes by, so that no more than a
day is deleted in a day by mistake.
"""
TOLD_S = 3600.0
_MOST_MISDATED = 20
_SLACK_S = 120.0
_KEY = "retention:clock"


@dataclass(frozen=True, slots=True)
class Clocks:
    """What a machine's clocks say.

    now: Unix seconds, as anybody may have set them. up_s: seconds since the machine was started, which nobody can
    set; boot: which start that was. synchronised: whether `now` is as time servers say.
    """

    now: float
    boot: str
    up_s: float
    synchronised: bool


class Misdated(NamedTuple):
    """Dates `from_s` to `to_s` (Unix seconds) that a clock showed in `boot` before it was set, by `by_s` in all."""

    from_s: float
    to_s: float
    by_s: float
    boot: str


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The time `now` (Unix seconds) that retention goes by, at `up_s` of `boot`, when the clock said `clock_s`.

    sure: whether time servers, or a person, said so since that start. granted_s: how much of it the clock went
    forward unexplained; allowance_s: how far it still may. ahead_s: how far the clock is ahead. set_s: what the clock
    said first since the start, or since it was set. misdated: what was dated by a clock that was set since.
    """

    now: float
    boot: str
    up_s: float
    sure: bool
    granted_s: float = 0.0
    allowance_s: float = ALLOWANCE_S
    ahead_s: float = 0.0
    clock_s: float = 0.0
    set_s: float = 0.0
    misdated: tuple[Misdated, ...] = ()

    @property
    def counted_to(self) -> float:
        """Up to when ages are counted: this time, or the clock's where it is behind."""
        return min(self.clock_s, self.now)

    def dated(self, date_s: float) -> float:
        """The date, by the clock as it is now, of what was dated `date_s` when it was made."""
        for span in reversed(self.misdated):
            if span.from_s - _SLACK_S <= date_s <= span.to_s + _SLACK_S:
                return date_s + span.by_s
        return date_s

    @property
    def doubted(self) -> bool:
        """Whether the clock is so far ahead that a person should know."""
        return self.ahead_s > TOLD_S


def reckoned(before: Reckoned | None, clocks: Clocks) -> Reckoned:
    """The time to go by now, after `before`; None where nothing is known yet, and the clock is believed.

    While the machine runs, as much time goes by as is measured. A clock that says more is believed within the
    allowance, or where time servers say so that had not been heard since the machine was started: so it is after a
    long stop. Servers that contradict themselves and the time measured are not believed, nor is a clock without
    servers that says more than the allowance: then time goes on as it is measured, until the clock is right again or
    somebody confirms it.
    """
    if before is None:
        return _agreed(clocks, sure=clocks.synchronised)
    measured = before.boot == clocks.boot
    passed_s = max(0.0, clocks.up_s - before.up_s) if measured else 0.0
    sure = measured and before.sure
    now = before.now + passed_s
    granted_s, allowance_s = before.granted_s, min(ALLOWANCE_S, before.allowance_s + passed_s / 2)
    ahead_s = clocks.now - now
    if clocks.synchronised and (not sure or ahead_s < 0):
        now = clocks.now
        granted_s = 0.0
    elif ahead_s <= allowance_s:
        # What was believed unexplained is taken back by a clock that is set back, what was measured is not.
        changed_s = max(ahead_s, -granted_s)
        now = max(clocks.now, now - granted_s)
        granted_s += changed_s
        allowance_s = min(ALLOWANCE_S, allowance_s - changed_s)
    ahead_s = max(0.0, clocks.now - now)
    sure = sure or clocks.synchronised
    set_s, misdated = (
        _misdated(before, clocks, passed_s) if measured else (_started_s(clocks), before.misdated)
    )
    return Reckoned(
        now, clocks.boot, clocks.up_s, sure, granted_s, allowance_s, ahead_s, clocks.now, set_s, misdated
    )


def _agreed(clocks: Clocks, *, sure: bool, misdated: tuple[Misdated, ...] = ()) -> Reckoned:
    """The time that the clock says."""
    set_s = _started_s(clocks)
    return Reckoned(
        clocks.now, clocks.boot, clocks.up_s, sure, clock_s=clocks.now, set_s=set_s, misdated=misdated
    )


def _started_s(clocks: Clocks) -> float:
    """When the machine was started, by its clock as it is now."""
    return clocks.now - clocks.up_s if clocks.boot else clocks.now


def _misdated(before: Reckoned, clocks: Clocks, passed_s: float) -> tuple[float, tuple[Misdated, ...]]:
    """What the clock said first since it was set, and what it dated wrongly before that; `passed_s` is measured."""
    if not before.boot or not before.clock_s:
        return _started_s(clocks), before.misdated
    went_to_s = before.clock_s + passed_s
    by_s = clocks.now - went_to_s
    # A clock that was ahead will show those dates again, and then they are right.
    known = [span for span in before.misdated if span.by_s > 0 or clocks.now < span.from_s - DAY_S]
    if abs(by_s) <= TOLD_S:
        return before.set_s, tuple(known)
    known = [span._replace(by_s=span.by_s + by_s * (span.boot == clocks.boot)) for span in known]
    known.append(Misdated(before.set_s, went_to_s, by_s, clocks.boot))
    wrong = tuple(span for span in known if abs(span.by_s) > TOLD_S)
    return clocks.now - passed_s, wrong[-_MOST_MISDATED:]


def known(session: Session, clocks: Clocks) -> Reckoned:
    """The time to go by now."""
    return reckoned(kept(session), clocks)


def keep(database: Database, clocks: Clocks) -> None:
    """Keep the time reckoned for after the next start, and tell of a clock that was set, or is doubted. Raises
    StoreError.
    """
    with database.writing() as session:
        before = kept(session)
        after = reckoned(before, clocks)
        _keep(session, after)
        if before and after.set_s != before.set_s and after.boot == before.boot and not after.doubted:
            by_s = round(after.clock_s - before.clock_s - (after.up_s - before.up_s))
            log.warning("retention.clock_was_set", by_s=by_s)
            detail = {"by_s": by_s}
            record.append(
                session, now=clocks.now, user="retention", action="clock.set", object="clock", detail=detail
            )
        if after.doubted and not (before and before.doubted):
            detail = {"ahead_s": round(after.ahead_s)}
            record.append(
                session, now=clocks.now, user="retention", action="clock.doubt", object="clock", detail=detail
            )
    if after.doubted:
        log.error(
            "retention.clock_put_forward",
            days=round(after.ahead_s / DAY_S, 1),
            hint="deleting goes on at a day per day; set the clock right, or confirm it with tynysh accept-clock",
        )


def accept(session: Session, clocks: Clocks, *, user: str) -> None:
    """Go by the clock from now on, by the word of `user`. Needs a session of `Database.writing`."""
    before = reckoned(kept(session), clocks)
    ahead_s = round(before.ahead_s)
    _keep(session, _agreed(clocks, sure=True, misdated=before.misdated))
    record.append(
        session, now=clocks.now, user=user, action="clock.accept", object="clock", detail={"ahead_s": ahead_s}
    )


def kept(session: Session) -> Reckoned | None:
    """The time as it was reckoned last; None before the first time."""
    row = session.get(SettingRow, _KEY)
    if row is None:
        return None
    misdated = tuple(Misdated(*span) for span in row.value.get("misdated", ()))
    return Reckoned(**row.value | {"misdated": misdated})


def _keep(session: Session, known: Reckoned) -> None:
    session.merge(SettingRow(key=_KEY, value=dataclasses.asdict(known)))
