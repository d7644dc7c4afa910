"""What is due for deletion: what is too old, or too much, and not still needed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from tynysh.crowd.minutes import MINUTE_S
from tynysh.incidents.lifecycle import State, Verdict
from tynysh.site.retention import Retention
from tynysh.store.queries import crowd_history
from tynysh.store.schema import CameraRow, ClipRow, IncidentRow, SiteRow

_DAY_S = 86_400.0
_GIGABYTE = 1e9

Ref = TypeVar("Ref")


@dataclass(frozen=True, slots=True)
class Footage(Generic[Ref]):
    """Something that takes room: `ref` tells its owner which. ended_at: Unix seconds of its last picture.

    needed: whether it must not give way to newer footage, as the clip of an incident that nobody has resolved.
        When its days are over it goes all the same: people who were filmed can rely on that.
    spent: whether it led to nothing, and goes with what is only recorded.
    """

    ref: Ref
    ended_at: float
    bytes: int
    needed: bool = False
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much. spent_days: for footage that led to nothing. gigabytes: None for no bound."""

    days: float
    gigabytes: float | None = None
    spent_days: float | None = None


def due(footage: Sequence[Footage[Ref]], bounds: Bounds, *, now: float) -> list[Ref]:
    """What is to be deleted now, oldest first.

    First what is older than the days allow; then, while the rest takes more room than allowed, the oldest, what
    led to nothing before anything else, and never what is needed.
    """
    ordered = sorted(footage, key=lambda item: item.ended_at)
    old = [item for item in ordered if now - item.ended_at > _days(item, bounds) * _DAY_S]
    gone = {id(item) for item in old}
    kept = [item for item in ordered if id(item) not in gone]
    if bounds.gigabytes is not None:
        room = bounds.gigabytes * _GIGABYTE
        taken = sum(item.bytes for item in kept)
        for item in sorted(kept, key=lambda item: not item.spent):
            if taken <= room:
                break
            if not item.needed and item.bytes > 0:
                gone.add(id(item))
                taken -= item.bytes
    return [item.ref for item in ordered if id(item) in gone]


def _days(item: Footage[Ref], bounds: Bounds) -> float:
    if item.spent and bounds.spent_days is not None:
        return min(bounds.days, bounds.spent_days)
    return bounds.days


def clips_of(session: Session, site_id: str) -> Sequence[Footage[int]]:
    """The clips of a site's incidents, by incident number.

    Needed are those of incidents that nobody has resolved yet; what was verified false led to nothing.
    """
    rows = session.scalars(
        select(ClipRow)
        .join(IncidentRow)
        .options(joinedload(ClipRow.incident))
        .where(IncidentRow.site_id == site_id, ClipRow.state != "pending")
        .order_by(ClipRow.incident_id)
    )
    return [
        Footage(
            ref=row.incident_id,
            ended_at=row.ended_at or row.incident.ended_at or row.incident.started_at,
            bytes=row.bytes,
            needed=row.incident.state != State.RESOLVED and row.incident.verdict != Verdict.FALSE,
            spent=row.incident.verdict == Verdict.FALSE,
        )
        for row in rows
    ]


def cameras_of(session: Session, site_id: str) -> Collection[str]:
    """The ids of all cameras that a site ever had: their recordings count, also of those since removed."""
    return session.scalars(
        select(CameraRow.id).where(CameraRow.site_id == site_id).order_by(CameraRow.id)
    ).all()


def forget_history(session: Session, *, now: float) -> int:
    """Delete the crowd figures of all sites whose time is over, by their sites' retention; how many blocks went.

    Sites and cameras that are no longer in force count too. Needs a session of `Database.writing`.
    """
    gone = 0
    for site in session.scalars(select(SiteRow).order_by(SiteRow.id)):
        kept = Retention.model_validate(site.settings.get("retention", {}))
        owners = {site.id, *cameras_of(session, site.id)}
        gone += crowd_history.forget(
            session, owners, before=int((now - kept.history.days * _DAY_S) // MINUTE_S)
        )
    return gone
