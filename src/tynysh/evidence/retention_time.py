"""Which time retention takes for now, whatever the clock says: a clock that is put forward must not delete."""

import dataclasses
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The time `now` (Unix seconds) that retention goes by, at `up_s` of `boot`.

    sure: whether time servers, or a person, said so since that start. granted_s: how much of it the clock went
    forward unexplained; allowance_s: how far it still may. ahead_s: how far the clock is ahead.
    """

    now: float
    boot: str
    up_s: float
    sure: bool
    granted_s: float = 0.0
    allowance_s: float = ALLOWANCE_S
    ahead_s: float = 0.0

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
        return Reckoned(clocks.now, clocks.boot, clocks.up_s, clocks.synchronised)
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
    return Reckoned(now, clocks.boot, clocks.up_s, sure, granted_s, allowance_s, ahead_s)


def counted_to(session: Session, clocks: Clocks) -> float:
    """Up to when ages are counted: the time reckoned, or the clock's where it is behind."""
    return min(clocks.now, reckoned(_kept(session), clocks).now)


def keep(database: Database, clocks: Clocks) -> None:
    """Keep the time reckoned for after the next start, and tell of a clock that is doubted. Raises StoreError."""
    with database.writing() as session:
        before = _kept(session)
        after = reckoned(before, clocks)
        _keep(session, after)
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
    before = _kept(session)
    ahead_s = round(reckoned(before, clocks).ahead_s)
    _keep(session, Reckoned(clocks.now, clocks.boot, clocks.up_s, sure=True))
    record.append(
        session, now=clocks.now, user=user, action="clock.accept", object="clock", detail={"ahead_s": ahead_s}
    )


def _kept(session: Session) -> Reckoned | None:
    row = session.get(SettingRow, _KEY)
    return None if row is None else Reckoned(**row.value)


def _keep(session: Session, known: Reckoned) -> None:
    session.merge(SettingRow(key=_KEY, value=dataclasses.asdict(known)))
