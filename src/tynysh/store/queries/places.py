"""The places of sites, with how many people are in them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tynysh.incidents.incident import CameraName, SiteName
from tynysh.scene.crowd import Estimate
from tynysh.store.database import must_be_writing
from tynysh.store.queries.incidents import camera_name, site_name
from tynysh.store.schema import CameraRow, PlaceOccupancyRow, SiteRow


@dataclass(frozen=True, slots=True)
class Gate:
    """A line of a camera through which people come in."""

    camera: CameraName
    line: str


@dataclass(frozen=True, slots=True)
class PlaceOccupancy:
    """How many people are in a place of a site. at: Unix seconds of `count`; both are None while nothing is known.

    rough: people cannot be told apart, so that `count` is a guess from below.
    """

    site: SiteName
    name: str
    capacity: int | None
    area_m2: float | None
    gates: tuple[Gate, ...]
    at: float | None
    count: Estimate | None
    rough: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """How many people are in a place, and what counting goes on from. at: Unix seconds. memory: JSON."""

    at: float
    count: Estimate | None
    memory: Mapping[str, Any]


def places(session: Session, *, only: Collection[str] | None = None) -> Sequence[PlaceOccupancy]:
    """The places of the sites in force, in the order of the site file; `only` confines to some sites."""
    query = select(SiteRow).where(SiteRow.removed_at.is_(None)).order_by(SiteRow.ordinal, SiteRow.id)
    if only is not None:
        query = query.where(SiteRow.id.in_(only))
    return [place for site in session.scalars(query) for place in _of(session, site)]


def _of(session: Session, site: SiteRow) -> Iterator[PlaceOccupancy]:
    listed = site.settings.get("places", [])
    if not listed:
        return
    known = settled(session, site.id)
    rows = session.scalars(
        select(CameraRow).where(CameraRow.site_id == site.id, CameraRow.removed_at.is_(None))
    )
    cameras = {key: row for row in rows for key in (row.name, row.id)}
    for place in listed:
        gates = [(cameras.get(gate["camera"]), gate["line"]) for gate in place.get("gates", [])]
        now = known.get(place["name"])
        yield PlaceOccupancy(
            site=site_name(site),
            name=place["name"],
            capacity=place.get("capacity"),
            area_m2=place.get("area_m2"),
            gates=tuple(Gate(camera_name(camera), line) for camera, line in gates if camera is not None),
            at=None if now is None else now.at,
            count=None if now is None else now.count,
            rough=now is not None and bool(now.memory.get("rough", False)),
        )


def settled(session: Session, site_id: str) -> dict[str, Settled]:
    """What was last settled of the places of a site, by name."""
    rows = session.scalars(select(PlaceOccupancyRow).where(PlaceOccupancyRow.site_id == site_id))
    return {
        row.name: Settled(
            row.at,
            None if row.settled["count"] is None else Estimate(*row.settled["count"]),
            row.settled["memory"],
        )
        for row in rows
    }


def settle(session: Session, site_id: str, name: str, found: Settled) -> None:
    """Keep how many people are in a place. Needs a session of `Database.writing`."""
    must_be_writing(session)
    row = session.get(PlaceOccupancyRow, (site_id, name))
    if row is None:
        row = PlaceOccupancyRow(site_id=site_id, name=name)
        session.add(row)
    count = found.count
    row.at = found.at
    row.settled = {
        "count": None if count is None else [count.value, count.low, count.high],
        "memory": dict(found.memory),
    }
