"""Do the parts of a site agree: is every name given once, and does every name that is used exist?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tynysh.site.schedule import Day, SunEvent

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
        yield from _once(list(_listed(camera, "lines", at)), "name", "line of this camera")
    for at, site in sites:
        yield from _once(list(_listed(site, "places", at)), "name", "place of this site")


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
        everywhere = {
            key: [name for where, camera in cameras for name in _names(camera, where, key)]
            for key in ("zones", "lines")
        }
        yield from _hours(site, at)
        yield from _places(site, at)
        defaults = _mapping(_mapping(site.get("defaults")).get("analysers"))
        yield from _analysers(
            defaults, (*at, "defaults", "analysers"), schedules, everywhere, "any camera here"
        )
        for where, camera in cameras:
            own = _mapping(camera.get("analysers"))
            names = {key: _names(camera, where, key) for key in ("zones", "lines")}
            yield from _analysers(own, (*where, "analysers"), schedules, names, "this camera")


def _names(thing: Mapping[str, Any], at: Location, key: str = "zones") -> list[str]:
    return [part["name"].strip() for _, part in _listed(thing, key, at) if isinstance(part.get("name"), str)]


def _hours(site: Mapping[str, Any], at: Location) -> Iterator[Disagreement]:
    """What schedules ask of their site."""
    for name, hours in _mapping(site.get("schedules")).items():
        given, where = _mapping(hours), (*at, "schedules", name)
        for key in ("from", "to"):
            moment = given.get(key)
            if isinstance(moment, str) and moment.startswith(tuple(SunEvent)) and not site.get("position"):
                what = f"{moment!r} needs the site's `position`: {{latitude: …, longitude: …}}"
                yield Disagreement((*where, key), what)
        if site.get("holidays") or site.get("country_holidays"):
            continue
        what = "the site names no holidays; give it `holidays: [2026-12-16]` or `country_holidays: KZ`"
        days = given.get("days")
        for index, day in enumerate(days if isinstance(days, list | tuple) else ()):
            if day == Day.HOLIDAY:
                yield Disagreement((*where, "days", index), what)
        if given.get("except_holidays") is True:
            yield Disagreement((*where, "except_holidays"), what)


def _places(site: Mapping[str, Any], at: Location) -> Iterator[Disagreement]:
    """Gates and views speak of cameras, and of lines and zones on them."""
    cameras = [camera for _, camera in _listed(site, "cameras", at)]
    known = [
        camera[key].strip()
        for key in ("name", "id")
        for camera in cameras
        if isinstance(camera.get(key), str)
    ]
    for where, place in _listed(site, "places", at):
        for list_of, key, of_camera in (("gates", "line", "lines"), ("views", "zone", "zones")):
            for spot, part in _listed(place, list_of, where):
                given, name = part.get("camera"), part.get(key)
                if not isinstance(given, str):
                    continue
                seen = [
                    camera for camera in cameras if given.strip() in (camera.get("id"), camera.get("name"))
                ]
                if not seen:
                    yield Disagreement((*spot, "camera"), f"the site has no camera {given!r}", given, known)
                    continue
                names = _names(seen[0], (), of_camera)
                if isinstance(name, str) and name.strip() not in names:
                    yield Disagreement((*spot, key), f"camera {given!r} has no {key} {name!r}", name, names)


def _analysers(
    analysers: Mapping[str, Any],
    at: Location,
    schedules: Sequence[str],
    names: Mapping[str, Sequence[str]],
    owner: str,
) -> Iterator[Disagreement]:
    for behaviour, settings in analysers.items():
        given = _mapping(settings)
        hours = given.get("schedule")
        if isinstance(hours, str) and hours.strip() not in schedules:
            where = (*at, behaviour, "schedule")
            yield Disagreement(where, f"the site has no schedule {hours!r}", hours, schedules)
        for key, known in names.items():
            for index, name in enumerate(given[key] if isinstance(given.get(key), list | tuple) else ()):
                if isinstance(name, str) and name.strip() not in known:
                    what = f"{owner} has no {key.removesuffix('s')} {name!r}"
                    yield Disagreement((*at, behaviour, key, index), what, name, known)


def _listed(thing: Any, key: str, at: Location) -> Iterator[tuple[Location, Mapping[str, Any]]]:
    parts = _mapping(thing).get(key)
    for index, part in enumerate(parts if isinstance(parts, list | tuple) else ()):
        if isinstance(part, dict):
            yield (*at, key, index), part


def _mapping(thing: Any) -> Mapping[str, Any]:
    return thing if isinstance(thing, dict) else {}
