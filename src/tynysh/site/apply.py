"""The site in the database: what a site file would change in it, changing it, and writing it out again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from tynysh.errors import SiteError
from tynysh.media.redaction import redacted, secret_written
from tynysh.site.camera import STORED, Camera
from tynysh.site.fields import plain
from tynysh.site.site import Site, SiteFile
from tynysh.site.tree import reads_as_text
from tynysh.store import record
from tynysh.store.database import Database
from tynysh.store.queries import changes, events
from tynysh.store.schema import CameraRow, SiteRow

# These have columns of their own, or stand in rows of their own.
_SITE_COLUMNS = ("id", "name", "kind", "cameras")
_CAMERA_COLUMNS = ("id", "name")


class DifferenceKind(StrEnum):
    """What becomes of a site, a camera, or one of their settings."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. what: `site pulse` or `camera pulse-door`; setting: dotted path, empty for the whole thing."""

    kind: DifferenceKind
    what: str
    setting: str = ""
    before: str | None = None
    after: str | None = None

    def words(self) -> str:
        """The change in one line."""
        if not self.setting:
            return f"{self.kind} {self.what}" + (
                f" ({self.after or self.before})" if self.after or self.before else ""
            )
        if self.kind is DifferenceKind.CHANGED:
            return f"{self.what}: {self.setting} from {self.before} to {self.after}"
        return f"{self.what}: {self.setting} {self.kind} ({self.after or self.before})"


@dataclass(frozen=True, slots=True)
class Differences:
    """All that a site file changes, in the order of the file, removals last."""

    items: tuple[Difference, ...] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(self.items)


def stored(session: Session) -> SiteFile | None:
    """The sites in force, as a site file would say them; None before the first was applied.

    Raises SiteError where what is stored is no longer understood.
    """
    sites = [
        {
            "id": site.id,
            "name": site.name,
            "kind": site.kind,
            **site.settings,
            "cameras": [{"id": camera.id, "name": camera.name, **camera.settings} for camera in cameras],
        }
        for site, cameras in _rows(session)
    ]
    if not sites:
        return None
    try:
        return SiteFile.model_validate({"sites": sites}, context=STORED)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise SiteError(
            f"The site in the database is not understood by this version of Tynysh, at {where}.",
            hint="Apply your site file again with tynysh apply, or install the analyser that it asks for.",
        ) from None


def plan(site: SiteFile, session: Session) -> Differences:
    """What applying `site` would change. Secrets show as the references that they are."""
    return _plan(site, _raw(session))


def apply(site: SiteFile, database: Database, *, now: float, user: str) -> Differences:
    """Make the database say what `site` says, in one transaction, and record that `user` did so.

    Sites and cameras that `site` does not name are taken out of force; their incidents stay. Applying twice
    changes nothing the second time.
    """
    with database.writing() as session:
        made = plan(site, session)
        if made:
            _write(site, session, now)
            record.append(
                session,
                now=now,
                user=user,
                action="site.apply",
                object="site",
                detail={"changes": [change.words() for change in made.items]},
            )
        return made


def export(session: Session) -> str:
    """The sites in force as YAML; applying it changes nothing. Raises SiteError where there is none."""
    site = stored(session)
    if site is None:
        raise SiteError(
            "There is no site in the database yet.", hint="tynysh apply SITE.YAML adds the first."
        )
    return dumped(site)


def dumped(site: SiteFile) -> str:
    """A site file's text, without the secrets that older versions let stand in addresses."""
    data = plain(site)
    for place in data["sites"]:
        for camera in place.get("cameras", ()):
            for stream in ("main", "sub"):
                if secret_written(camera.get(stream, "")):
                    camera[stream] = redacted(camera[stream])
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, writes corners on one line, and quotes what would be read as a number."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    flat = all(not isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if reads_as_text(text) else "'")


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(str, _represent_text)


def _write(site: SiteFile, session: Session, now: float) -> None:
    changes.publish(session, changes.ChangeKind.SITES, "", now=now)
    known_sites = {row.id: row for row in session.scalars(select(SiteRow))}
    known_cameras = {row.id: row for row in session.scalars(select(CameraRow))}
    for ordinal, place in enumerate(site.sites):
        row = known_sites.pop(place.id, None) or SiteRow(id=place.id)
        row.name, row.kind, row.ordinal, row.removed_at = place.name, place.kind, ordinal, None
        row.settings = _settings(place)
        session.add(row)
    session.flush()
    for place in site.sites:
        for ordinal, camera in enumerate(place.cameras):
            known = known_cameras.pop(camera.id, None)
            _write_camera(session, known or CameraRow(id=camera.id), place, camera, ordinal, now)
    for gone_site in known_sites.values():
        gone_site.removed_at = gone_site.removed_at or now
    gone = [row for row in known_cameras.values() if row.removed_at is None]
    for camera_row in gone:
        camera_row.removed_at = now
        changes.publish(session, changes.ChangeKind.CAMERA, camera_row.id, now=now)
    # Nobody else will end what their analysers began.
    events.close_orphans(session, [row.id for row in gone], now=now)


def _write_camera(
    session: Session, row: CameraRow, site: Site, camera: Camera, ordinal: int, now: float
) -> None:
    values = {
        "site_id": site.id,
        "name": camera.name,
        "ordinal": ordinal,
        "simulated": camera.simulated,
        "settings": _camera_settings(camera),
        "removed_at": None,
    }
    different = any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    if different:
        changes.publish(session, changes.ChangeKind.CAMERA, camera.id, now=now)


def _settings(site: Site) -> dict[str, Any]:
    return {key: value for key, value in plain(site).items() if key not in _SITE_COLUMNS}


def _camera_settings(camera: Camera) -> dict[str, Any]:
    return {key: value for key, value in plain(camera).items() if key not in _CAMERA_COLUMNS}


def _rows(session: Session) -> list[tuple[SiteRow, list[CameraRow]]]:
    cameras: dict[str, list[CameraRow]] = {}
    for camera in session.scalars(
        select(CameraRow).where(CameraRow.removed_at.is_(None)).order_by(CameraRow.ordinal, CameraRow.id)
    ):
        cameras.setdefault(camera.site_id, []).append(camera)
    sites = session.scalars(
        select(SiteRow).where(SiteRow.removed_at.is_(None)).order_by(SiteRow.ordinal, SiteRow.id)
    )
    return [(site, cameras.get(site.id, [])) for site in sites]


@dataclass(frozen=True, slots=True)
class _Thing:
    """A site or a camera as its dotted settings, with where it stands."""

    name: str
    settings: Mapping[str, str]


def _raw(session: Session) -> dict[str, _Thing]:
    """What is stored, by `site ID` and `camera ID`, even where it is no longer a valid site."""
    things: dict[str, _Thing] = {}
    for order, (site, cameras) in enumerate(_rows(session)):
        whole = {"name": site.name, "kind": site.kind, **site.settings}
        things[f"site {site.id}"] = _thing(site.name, whole, place=str(order + 1))
        for index, camera in enumerate(cameras):
            own = {"name": camera.name, **camera.settings}
            things[f"camera {camera.id}"] = _thing(camera.name, own, place=f"{index + 1} of {site.id}")
    return things


def _plan(site: SiteFile, before: Mapping[str, _Thing]) -> Differences:
    after: dict[str, _Thing] = {}
    for order, place in enumerate(site.sites):
        whole = {"name": place.name, "kind": place.kind.value, **_settings(place)}
        after[f"site {place.id}"] = _thing(place.name, whole, place=str(order + 1))
        for index, camera in enumerate(place.cameras):
            own = {"name": camera.name, **_camera_settings(camera)}
            after[f"camera {camera.id}"] = _thing(camera.name, own, place=f"{index + 1} of {place.id}")
    found: list[Difference] = []
    for what, thing in after.items():
        if what in before:
            found += _differences(what, before[what].settings, thing.settings)
        else:
            found.append(Difference(DifferenceKind.ADDED, what, after=thing.name))
    found += [
        Difference(DifferenceKind.REMOVED, what, before=thing.name)
        for what, thing in before.items()
        if what not in after
    ]
    return Differences(tuple(found))


def _thing(name: str, settings: Mapping[str, Any], *, place: str) -> _Thing:
    return _Thing(name, {"place in the file": place, **dict(_flat(settings))})


def _differences(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for setting, value in after.items():
        if setting not in before:
            yield Difference(DifferenceKind.ADDED, what, setting, after=redacted(value))
        elif before[setting] != value:
            old, new = redacted(before[setting]), redacted(value)
            yield Difference(DifferenceKind.CHANGED, what, setting, before=old, after=new)
    for setting, value in before.items():
        if setting not in after:
            yield Difference(DifferenceKind.REMOVED, what, setting, before=redacted(value))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings by dotted path; things with names go by them, so that moving a zone in its list is no change of it."""
    for key, value in settings.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and set(value) <= {"env", "file"} and value:
            (place, where), *_ = value.items()
            yield path, f"{'environment variable' if place == 'env' else 'file'} {where}"
        elif isinstance(value, dict) and value:
            yield from _flat(value, f"{path}.")
        elif (
            isinstance(value, list)
            and value
            and all(isinstance(item, dict) and "name" in item for item in value)
        ):
            yield f"{path} in order", ", ".join(item["name"] for item in value)
            for item in value:
                yield f"{path}.{item['name']}", _shown(item)
        else:
            yield path, _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    return (
        yaml.dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
        .removesuffix("\n...\n")
        .strip()
    )
