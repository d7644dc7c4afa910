"""Which places are blind now, since when, and what does that hide?"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tynysh.behaviour.registry import ANALYSERS, default_settings
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.incidents.incident import CameraName, SiteName
from tynysh.media.camera_status import CameraState, CameraStatus
from tynysh.scene.fault import CameraFault
from tynysh.store.queries import cameras
from tynysh.store.queries.cameras import RegisteredCamera
from tynysh.store.queries.incidents import loaded_reason
from tynysh.store.schema import CameraRow, EventRow, SiteRow


@dataclass(frozen=True, slots=True)
class OpenFault:
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
    seen_by: tuple[CameraName, ...]


@dataclass(frozen=True, slots=True)
class FaultyCamera:
    """A camera with what is wrong with it, and what that hides.

    since: of the earliest fault that blinds it; None where none does. zones, behaviours: what goes unseen; empty where
    the camera is not blind.
    """

    camera: CameraName
    since: float | None
    faults: tuple[OpenFault, ...]
    zones: tuple[HiddenZone, ...]
    behaviours: tuple[Behaviour, ...]

    @property
    def blind(self) -> bool:
        """Whether it cannot be relied on to see."""
        return self.since is not None


@dataclass(frozen=True, slots=True)
class Blindness:
    """What a site's cameras see and do not see.

    cameras: how many are in force and switched on. faulty: those with a fault, the blind ones first, the longest blind
    first. seeing: those that give pictures and have no fault that blinds them. since: from when on nothing at all was
    seen, Unix seconds; None while some camera sees, or has not yet said.
    """

    site: SiteName
    cameras: int
    faulty: tuple[FaultyCamera, ...]
    seeing: tuple[CameraName, ...]

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


def sites(
    session: Session,
    *,
    only: Collection[str] | None = None,
    status: Callable[[RegisteredCamera], CameraStatus | None] = attrgetter("status"),
) -> Sequence[Blindness]:
    """All sites in the order of the site file, also those of which everything is seen.

    A camera has the faults of its open `camera_fault` events; one that is lost and has no event of it yet, or is not
    watched for faults, has the fault `lost` since it was. `only` confines to some sites. `status` tells how a camera
    is doing now; else it is what its worker last wrote down.
    """
    settings = _settings(session)
    faults = _open_faults(session)
    by_site = {
        site_id: list(group)
        for site_id, group in groupby(cameras.cameras(session, only=only), lambda one: one.site.id)
    }
    found: list[Blindness] = []
    for site in cameras.sites(session, only=only):
        mine = [one for one in by_site.get(site.id, []) if settings[one.id][1].get("enabled", True)]
        states = {one.id: status(one) for one in mine}
        held = {one.id: _faults(states[one.id], faults.get(one.id, ())) for one in mine}
        seeing = [
            one
            for one in mine
            if (state := states[one.id]) is not None
            and state.state in {CameraState.LIVE, CameraState.DEGRADED}
            and not any(fault.blinds for fault in held[one.id])
        ]
        faulty = [_faulty(one, held[one.id], seeing, settings[one.id]) for one in mine if held[one.id]]
        faulty.sort(key=lambda one: (not one.blind, one.since or one.faults[0].since))
        found.append(
            Blindness(
                site=site,
                cameras=len(mine),
                faulty=tuple(faulty),
                seeing=tuple(seeing),
            )
        )
    return found


_Settings = Mapping[str, Any]


def _settings(session: Session) -> dict[str, tuple[_Settings, _Settings]]:
    """What is set for each camera, by its id: the site's settings and its own."""
    rows = session.execute(select(SiteRow.id, SiteRow.settings))
    of_sites: dict[str, _Settings] = dict(rows.all())
    query = select(CameraRow.id, CameraRow.site_id, CameraRow.settings)
    return {camera_id: (of_sites[site], own) for camera_id, site, own in session.execute(query)}


def _open_faults(session: Session) -> dict[str, list[OpenFault]]:
    """The faults that hold, by camera, the earliest first."""
    rows = session.execute(
        select(
            EventRow.camera_id, EventRow.subject, EventRow.started_at, EventRow.incident_id, EventRow.reason
        )
        .where(EventRow.behaviour == Behaviour.CAMERA_FAULT, EventRow.ended_at.is_(None))
        .order_by(EventRow.started_at, EventRow.id)
    )
    found: dict[str, list[OpenFault]] = {}
    for camera_id, subject, started_at, incident_id, reason in rows:
        fault = OpenFault(subject, _blinds(subject), started_at, incident_id, loaded_reason(reason))
        found.setdefault(camera_id, []).append(fault)
    return found


def _blinds(subject: str) -> bool:
    """Whether a fault blinds; one that is not known is taken to."""
    return subject not in set(CameraFault) or CameraFault(subject).blinds


def _faults(status: CameraStatus | None, known: Sequence[OpenFault]) -> tuple[OpenFault, ...]:
    if (
        status is None
        or status.state is not CameraState.LOST
        or {CameraFault.LOST, CameraFault.NOT_WATCHED} & {one.kind for one in known}
    ):
        return tuple(known)
    lost = OpenFault(CameraFault.LOST, True, status.since, None, Reason("camera_fault.lost"))
    return tuple(sorted((*known, lost), key=lambda fault: fault.since))


def _faulty(
    camera: RegisteredCamera,
    faults: tuple[OpenFault, ...],
    seeing: Sequence[RegisteredCamera],
    settings: tuple[_Settings, _Settings],
) -> FaultyCamera:
    since = min((fault.since for fault in faults if fault.blinds), default=None)
    if since is None:
        return FaultyCamera(camera, None, faults, (), ())
    zones = tuple(
        HiddenZone(
            zone["name"],
            zone.get("kind", "area"),
            tuple(one for one in seeing if any(other["name"] == zone["name"] for other in one.zones)),
        )
        for zone in camera.zones
    )
    return FaultyCamera(camera, since, faults, zones, _watched(*settings))


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
