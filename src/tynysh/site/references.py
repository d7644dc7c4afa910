"""Do the parts of a site agree: is every name given once, and does every name that is used exist?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What is wrong at `location`. allowed: what could stand there; given: what stands there."""

    location: Location
    what: str
    given: str | None = None
    allowed: Sequence[str] = ()


def faults(data: Any) -> list[Disagreement]:
    """All disagreements in `data`: a site file as plain data with ids, of which any part may be misshapen."""
    return [*_unique(data), *_used(data)]


def _unique(data: Any) -> Iterator[Disagreement]:
    sites = list(_listed(data, "sites", ()))
    for key in ("id", "name"):
        yield from _once(sites, key, "site")
    cameras = [entry for at, site in sites for entry in _listed(site, "cameras", at)]
    yield from _once(cameras, "id", "camera")
    for at, site in sites:
        yield from _once(list(_listed(site, "cameras", at)), "name", "camera of this site")
    for at, camera in cameras:
        yield from _once(list(_listed(camera, "zones", at)), "name", "zone of this camera")


def _once(
    things: Iterable[tuple[Location, Mapping[str, Any]]], key: str, what: str
) -> Iterator[Disagreement]:
    seen: set[str] = set()
    for at, thing in things:
        value = thing.get(key)
        if not isinstance(value, str) or not value.strip():
            continue
        folded = value.strip().casefold()
        if folded in seen:
            yield Disagreement((*at, key), f"another {what} has the {key} {value.strip()!r} already")
        seen.add(folded)


def _used(data: Any) -> Iterator[Disagreement]:
    for at, site in _listed(data, "sites", ()):
        schedules = [name for name in _mapping(site.get("schedules")) if isinstance(name, str)]
        cameras = list(_listed(site, "cameras", at))
        everywhere = [name for where, camera in cameras for name in _names(camera, where)]
        defaults = _mapping(_mapping(site.get("defaults")).get("analysers"))
        yield from _analysers(
            defaults, (*at, "defaults", "analysers"), schedules, everywhere, "any camera here"
        )
        for where, camera in cameras:
            own = _mapping(camera.get("analysers"))
            zones = _names(camera, where)
            yield from _analysers(own, (*where, "analysers"), schedules, zones, "this camera")


def _names(camera: Mapping[str, Any], at: Location) -> list[str]:
    return [
        zone["name"].strip() for _, zone in _listed(camera, "zones", at) if isinstance(zone.get("name"), str)
    ]


def _analysers(
    analysers: Mapping[str, Any], at: Location, schedules: Sequence[str], zones: Sequence[str], owner: str
) -> Iterator[Disagreement]:
    for behaviour, settings in analysers.items():
        given = _mapping(settings)
        hours = given.get("schedule")
        if isinstance(hours, str) and hours.strip() not in schedules:
            where = (*at, behaviour, "schedule")
            yield Disagreement(where, f"the site has no schedule {hours!r}", hours, schedules)
        for index, zone in enumerate(given["zones"] if isinstance(given.get("zones"), list | tuple) else ()):
            if isinstance(zone, str) and zone.strip() not in zones:
                where = (*at, behaviour, "zones", index)
                yield Disagreement(where, f"{owner} has no zone {zone!r}", zone, zones)


def _listed(thing: Any, key: str, at: Location) -> Iterator[tuple[Location, Mapping[str, Any]]]:
    parts = _mapping(thing).get(key)
    for index, part in enumerate(parts if isinstance(parts, list | tuple) else ()):
        if isinstance(part, dict):
            yield (*at, key, index), part


def _mapping(thing: Any) -> Mapping[str, Any]:
    return thing if isinstance(thing, dict) else {}
