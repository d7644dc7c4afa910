"""Sites and cameras as people see them, and how each camera status."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from tynysh.store.database import must_be_writing
from tynysh.store.queries import changes
from tynysh.store.queries.incidents import GeoPosition, Place, position
from tynysh.store.schema import CameraRow, CameraStateRow, SiteRow


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site with the number of its cameras."""

    id: str
    name: str
    kind: str
    address: str | None
    position: GeoPosition | None
    time_zone: str
    cameras: int


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a camera status. state: connecting, live, degraded or lost. since: Unix seconds."""

    state: str
    since: float
    detail: str | None = None
    people: int = 0
    fps: float = 0.0
    recording: bool = False
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera with how it status; `status` is None until its worker has spoken."""

    id: str
    name: str
    site: Place
    site_kind: str
    simulated: bool
    position: GeoPosition | None
    zones: Sequence[Mapping[str, Any]]
    lines: Sequence[Mapping[str, Any]]
    status: CameraState | None


def sites(session: Session, *, only: Collection[str] | None = None) -> Sequence[SiteView]:
    """The sites in force, in the order of the site file; `only` confines to some."""
    counted = session.execute(
        select(CameraRow.site_id, func.count())
        .where(CameraRow.removed_at.is_(None))
        .group_by(CameraRow.site_id)
    )
    counts = dict(counted.tuples().all())
    query = select(SiteRow).where(SiteRow.removed_at.is_(None)).order_by(SiteRow.ordinal, SiteRow.id)
    if only is not None:
        query = query.where(SiteRow.id.in_(only))
    return [_site(row, counts.get(row.id, 0)) for row in session.scalars(query)]


def cameras(session: Session, *, only: Collection[str] | None = None) -> Sequence[CameraView]:
    """The cameras in force, in the order of the site file; `only` confines to those of some sites."""
    query = (
        select(CameraRow, CameraStateRow)
        .join(SiteRow)
        .outerjoin(CameraStateRow, CameraStateRow.camera_id == CameraRow.id)
        # Each site once: its settings are large where it has many places.
        .options(selectinload(CameraRow.site))
        .where(CameraRow.removed_at.is_(None))
        .order_by(SiteRow.ordinal, SiteRow.id, CameraRow.ordinal, CameraRow.id)
    )
    if only is not None:
        query = query.where(CameraRow.site_id.in_(only))
    return [_camera(camera, state) for camera, state in session.execute(query).tuples()]


def camera(session: Session, camera_id: str) -> CameraView | None:
    """One camera in force; None if there is none of that id."""
    row = session.get(CameraRow, camera_id, options=[joinedload(CameraRow.site)])
    if row is None or row.removed_at is not None:
        return None
    return _camera(row, session.get(CameraStateRow, camera_id))


def set_state(session: Session, camera_id: str, state: CameraState, *, now: float) -> bool:
    """Keep how a camera status; tells the feed, and returns True, only where the state is another than before.

    Needs a session of `Database.writing`.
    """
    must_be_writing(session)
    row = session.get(CameraStateRow, camera_id)
    changed = row is None or (row.state, row.detail) != (state.state, state.detail)
    if row is None:
        row = CameraStateRow(camera_id=camera_id)
        session.add(row)
    row.state, row.since, row.detail = state.state, state.since, state.detail
    row.people, row.fps, row.recording = state.people, state.fps, state.recording
    row.counters = dict(state.counters)
    row.updated_at = now
    if changed:
        changes.publish(session, changes.ChangeKind.CAMERA, camera_id, now=now)
    return changed


def _site(row: SiteRow, count: int) -> SiteView:
    place = row.settings.get("position")
    return SiteView(
        id=row.id,
        name=row.name,
        kind=row.kind,
        address=row.settings.get("address"),
        position=None if place is None else GeoPosition(place["latitude"], place["longitude"]),
        time_zone=row.settings["time_zone"],
        cameras=count,
    )


def _camera(row: CameraRow, state: CameraStateRow | None) -> CameraView:
    return CameraView(
        id=row.id,
        name=row.name,
        site=Place(row.site_id, row.site.name),
        site_kind=row.site.kind,
        simulated=row.simulated,
        position=position(row),
        zones=row.settings.get("zones", []),
        lines=row.settings.get("lines", []),
        status=None
        if state is None
        else CameraState(
            state=state.state,
            since=state.since,
            detail=state.detail,
            people=state.people,
            fps=state.fps,
            recording=state.recording,
            counters=state.counters,
        ),
    )
