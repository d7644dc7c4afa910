"""Which places are blind now, since when, and what does that hide?"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tynysh.behaviour.fault import CameraFault
from tynysh.behaviour.registry import ANALYSERS, default_settings
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.store.queries import cameras
from tynysh.store.queries.cameras import CameraState, CameraView
from tynysh.store.queries.incidents import Place, Source, loaded_reason
from tynysh.store.schema import CameraRow, EventRow, SiteRow


@dataclass(frozen=True, slots=True)
class FaultNow:
    """A fault that holds. since: Unix seconds. incident: the number of its incident; None while there is none yet.

    kind: a `CameraFault`, as text: an event's subject of another version is carried as it is.
    """

    kind: str
    blinds: bool
    since: float
    incident: int | None
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class HiddenZone:
    """A zone that goes unseen. seen_by: the sighted cameras of the site that have a zone of the same name."""

    name: str
    kind: str
    seen_by: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class FaultyCamera:
    """A camera with what is wrong with it, and what that hides.

    since: of the earliest fault that blinds it; None where none does. zones, behaviours: what goes unseen; empty where
    the camera is not blind.
    """

    camera: Source
    since: float | None
    faults: tuple[FaultNow, ...]
    zones: tuple[HiddenZone, ...]
    behaviours: tuple[Behaviour, ...]

    @property
    def blind(self) -> bool:
        """Whether it cannot be relied on to see."""
        return self.since is not None


@dataclass(frozen=True, slots=True)
class SiteSight:
    """What a site's cameras see and do not see.

    cameras: how many are in force and switched on. faulty: those with a fault, the blind ones first, the longest blind
    first. seeing: those that give pictures and have no fault that blinds them. since: from when on nothing at all was
    seen, Unix seconds; None while some camera sees, or has not yet said.
    """

    site: Place
    kind: str
    cameras: int
    faulty: tuple[FaultyCamera, ...]
    seeing: tuple[Source, ...]

    @property
    def blind(self) -> int:
        """How many cameras are blind."""
        return sum(camera.blind for camera in self.faulty)

    @property
    def since(self) -> float | None:
        """From when on the whole site was unseen; None if it is not."""
        if not self.cameras or self.blind < self.cameras:
            return None
        return max(camera.since for camera in self.faulty if camera.since is not None)


def recorded(camera: CameraView) -> CameraState | None:
    """How a camera fared when its worker last wrote it down."""
    return camera.status


def sites(
    session: Session,
    *,
    only: Collection[str] | None = None,
    status: Callable[[CameraView], CameraState | None] = recorded,
) -> Sequence[SiteSight]:
    """All sites in the order of the site file, also those of which everything is seen.

    A camera has the faults of its open `camera_fault` events; one that is lost and has no event of it yet, or is not
    watched for faults, has the fault `lost` since it was. `only` confines to some sites. `status` tells how a camera
    status now.
    """
    settings = _settings(session)
    faults = _open_faults(session)
    by_site = {
        site_id: list(group)
        for site_id, group in groupby(cameras.cameras(session, only=only), lambda one: one.site.id)
    }
    found: list[SiteSight] = []
    for site in cameras.sites(session, only=only):
        mine = [one for one in by_site.get(site.id, []) if settings[one.id][1].get("enabled", True)]
        states = {one.id: status(one) for one in mine}
        held = {one.id: _faults(states[one.id], faults.get(one.id, ())) for one in mine}
        seeing = [
            one
            for one in mine
            if (state := states[one.id]) is not None
            and state.state in {"live", "degraded"}
            and not any(fault.blinds for fault in held[one.id])
        ]
        faulty = [_faulty(one, held[one.id], seeing, settings[one.id]) for one in mine if held[one.id]]
        faulty.sort(key=lambda one: (not one.blind, one.since or one.faults[0].since))
        found.append(
            SiteSight(
                site=Place(site.id, site.name),
                kind=site.kind,
                cameras=len(mine),
                faulty=tuple(faulty),
                seeing=tuple(_source(one) for one in seeing),
            )
        )
    return found


_Settings = Mapping[str, Any]


def _settings(session: Session) -> dict[str, tuple[_Settings, _Settings]]:
    """What is set for each camera, by its id: the site's settings and its own."""
    rows = session.execute(select(SiteRow.id, SiteRow.settings)).tuples()
    of_sites: dict[str, _Settings] = dict(rows.all())
    query = select(CameraRow.id, CameraRow.site_id, CameraRow.settings)
    return {camera_id: (of_sites[site], own) for camera_id, site, own in session.execute(query).tuples()}


def _open_faults(session: Session) -> dict[str, list[FaultNow]]:
    """The faults that hold, by camera, the earliest first."""
    rows = session.execute(
        select(
            EventRow.camera_id, EventRow.subject, EventRow.started_at, EventRow.incident_id, EventRow.reason
        )
        .where(EventRow.behaviour == Behaviour.CAMERA_FAULT, EventRow.ended_at.is_(None))
        .order_by(EventRow.started_at, EventRow.id)
    )
    found: dict[str, list[FaultNow]] = {}
    for camera_id, subject, started_at, incident_id, reason in rows.tuples():
        fault = FaultNow(subject, _blinds(subject), started_at, incident_id, loaded_reason(reason))
        found.setdefault(camera_id, []).append(fault)
    return found


def _blinds(subject: str) -> bool:
    """Whether a fault blinds; one that is not known is taken to."""
    return subject not in set(CameraFault) or CameraFault(subject).blinds


def _faults(state: CameraState | None, events: Sequence[FaultNow]) -> tuple[FaultNow, ...]:
    lost = state is not None and state.state == "lost"
    if not lost or state is None or any(fault.kind == CameraFault.LOST for fault in events):
        return tuple(events)
    unsaid = FaultNow(CameraFault.LOST, True, state.since, None, Reason("camera_fault.lost"))
    return tuple(sorted((*events, unsaid), key=lambda fault: fault.since))


def _faulty(
    camera: CameraView,
    faults: tuple[FaultNow, ...],
    seeing: Sequence[CameraView],
    settings: tuple[_Settings, _Settings],
) -> FaultyCamera:
    since = min((fault.since for fault in faults if fault.blinds), default=None)
    if since is None:
        return FaultyCamera(_source(camera), None, faults, (), ())
    zones = tuple(
        HiddenZone(
            zone["name"],
            zone.get("kind", "area"),
            tuple(
                _source(one) for one in seeing if any(other["name"] == zone["name"] for other in one.zones)
            ),
        )
        for zone in camera.zones
    )
    return FaultyCamera(_source(camera), since, faults, zones, _watched(*settings))


def _watched(site: _Settings, camera: _Settings) -> tuple[Behaviour, ...]:
    """What the camera is watched for, apart from its own faults: as `Site.effective` has it, by name alone."""
    defaults = site.get("defaults", {}).get("analysers")
    chosen: dict[str, _Settings] = (
        {behaviour: {} for behaviour in default_settings()} if defaults is None else dict(defaults)
    )
    chosen |= camera.get("analysers") or {}
    return tuple(
        behaviour
        for behaviour, spec in ANALYSERS.items()
        if not spec.technical and behaviour in chosen and chosen[behaviour].get("enabled", True)
    )


def _source(camera: CameraView) -> Source:
    return Source(camera.id, camera.name, camera.simulated)
