"""Sites and cameras as people see them, and how each camera is doing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from tynysh.geometry import GeoPosition
from tynysh.incidents.incident import CameraName, SiteName
from tynysh.media.camera_status import CameraStatus
from tynysh.store.database import must_be_writing
from tynysh.store.queries import changes
from tynysh.store.queries.incidents import position, site_name
from tynysh.store.schema import CameraRow, CameraStateRow, SiteRow


@dataclass(frozen=True, slots=True)
class RegisteredSite(SiteName):
    """A site in force, with the number of its cameras."""

    address: str | None
    position: GeoPosition | None
    time_zone: str
    cameras: int


@dataclass(frozen=True, slots=True)
class RegisteredCamera(CameraName):
    """A camera in force, with how it is doing: `status` is None until its worker has spoken.

    zones, lines: as in the site schema.
    """

    site: SiteName
    position: GeoPosition | None
    zones: Sequence[Mapping[str, Any]]
    lines: Sequence[Mapping[str, Any]]
    status: CameraStatus | None


def sites(session: Session, *, only: Collection[str] | None = None) -> Sequence[RegisteredSite]:
    """The sites in force, in the order of the site file; `only` confines to some."""
    counted = session.execute(
        select(CameraRow.site_id, func.count())
        .where(CameraRow.removed_at.is_(None))
        .group_by(CameraRow.site_id)
    )
    counts = dict(counted.all())
    query = select(SiteRow).where(SiteRow.removed_at.is_(None)).order_by(SiteRow.ordinal, SiteRow.id)
    if only is not None:
        query = query.where(SiteRow.id.in_(only))
    return [_site(row, counts.get(row.id, 0)) for row in session.scalars(query)]


def cameras(session: Session, *, only: Collection[str] | None = None) -> Sequence[RegisteredCamera]:
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
    return [_camera(camera, state) for camera, state in session.execute(query)]


def camera(session: Session, camera_id: str) -> RegisteredCamera | None:
    """One camera in force; None if there is none of that id."""
    row = session.get(CameraRow, camera_id, options=[joinedload(CameraRow.site)])
    if row is None or row.removed_at is not None:
        return None
    return _camera(row, session.get(CameraStateRow, camera_id))


def set_state(session: Session, camera_id: str, status: CameraStatus, *, now: float) -> bool:
    """Keep how a camera is doing; tells the feed, and returns True, only where its state is another than before.

    Needs a session of `Database.writing`.
    """
    must_be_writing(session)
    row = session.get(CameraStateRow, camera_id)
    changed = row is None or (row.state, row.detail) != (status.state, status.detail)
    if row is None:
        row = CameraStateRow(camera_id=camera_id)
        session.add(row)
    for name, value in status.model_dump(mode="json", include=_KEPT).items():
        setattr(row, name, value)
    row.updated_at = now
    if changed:
        changes.publish(session, changes.ChangeKind.CAMERA, camera_id, now=now)
    return changed


def changed(session: Session, statuses: Mapping[str, CameraStatus]) -> dict[str, CameraStatus]:
    """Those of `statuses`, by camera id, whose state is another than what is kept (`set_state`)."""
    query = select(CameraStateRow.camera_id, CameraStateRow.state, CameraStateRow.detail)
    kept = {
        camera_id: (state, detail)
        for camera_id, state, detail in session.execute(query.where(CameraStateRow.camera_id.in_(statuses)))
    }
    return {
        camera_id: status
        for camera_id, status in statuses.items()
        if kept.get(camera_id) != (status.state, status.detail)
    }


def set_figures(session: Session, statuses: Mapping[str, CameraStatus], *, now: float) -> None:
    """Keep the figures of cameras, by id, whose state is kept already. A session of `Database.unordered` will do."""
    rows = [
        {"camera_id": camera_id, "updated_at": now, **status.model_dump(mode="json", include=_FIGURES)}
        # In one order for all, so that two processes never wait for each other.
        for camera_id, status in sorted(statuses.items())
    ]
    if rows:
        session.execute(update(CameraStateRow), rows)


_FIGURES = {"since", "people", "fps", "recording", "counters"}
_KEPT = {"state", "detail", *_FIGURES}


def _site(row: SiteRow, count: int) -> RegisteredSite:
    return RegisteredSite(
        id=row.id,
        name=row.name,
        kind=row.kind,
        address=row.settings.get("address"),
        position=position(row),
        time_zone=row.settings["time_zone"],
        cameras=count,
    )


def _camera(row: CameraRow, state: CameraStateRow | None) -> RegisteredCamera:
    return RegisteredCamera(
        id=row.id,
        name=row.name,
        simulated=row.simulated,
        site=site_name(row.site),
        position=position(row),
        zones=row.settings.get("zones", []),
        lines=row.settings.get("lines", []),
        status=None if state is None else CameraStatus.model_validate(state),
    )
