"""`tynysh check`, `apply` and `export`: site files, and the sites of the database."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from tynysh.commands.options import Data, DatabaseUrl, SiteArgument, open_database
from tynysh.commands.output import say, say_if_heard, warn, write

if TYPE_CHECKING:
    from tynysh.site.credentials import CredentialSource, Reference
    from tynysh.site.site import SiteFile
    from tynysh.store.database import Database

USUAL_ASPECTS = (16 / 9, 4 / 3, 5 / 4, 9 / 16)
"""Width over height of pictures, the most usual first."""


def check(site: SiteArgument) -> int:
    """Find every mistake in a site file, each with its line and column."""
    from tynysh.site.time_zones import differing
    from tynysh.site.yaml import SiteFaultsError, load

    try:
        found = load(site)
    except SiteFaultsError as error:
        say(error.message)
        count = len(error.faults)
        say(f"{count} {'fault' if count == 1 else 'faults'} found.")
        return error.exit_code
    # Secrets and videos that are not on this machine are no fault: the file may be meant for another one.
    zones = differing((each.time_zone for each in found.sites), datetime.now(UTC))
    secrets = (*missing_secrets(found), *exposed_secrets(found))
    for note in (*secrets, *missing_files(found), *unfitting_distances(found), *zones):
        say(f"Note: {note}")
    say(f"{site} is right: {_counted(found)}.")
    return 0


def apply(
    site: SiteArgument,
    data: Data = None,
    database: DatabaseUrl = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show what would change, and change nothing.")] = False,
) -> None:
    """Make the database say what a site file says; shows what changes."""
    with open_database(data, database) as opened:
        apply_to(opened, site, dry_run=dry_run)


def apply_to(database: "Database", path: Path, *, dry_run: bool = False) -> None:
    """Apply a site file and print what it changes; with `dry_run` print only. Raises SiteError."""
    from tynysh.site import apply as applying
    from tynysh.site.credentials import COMMON, exposed
    from tynysh.site.yaml import load
    from tynysh.store.terminal import at_the_terminal

    site = load(path)
    if dry_run:
        with database.reading() as session:
            changes = applying.plan(site, session)
    else:
        changes = applying.apply(site, database, now=time.time(), user=at_the_terminal())
    for sentence in (exposed(path, COMMON), *exposed_secrets(site)):
        if sentence:
            warn(sentence)
    # What is applied is so whether anybody reads it or not, and `run` goes on; a dry run is there to be read.
    tell = say if dry_run else say_if_heard
    for change in changes.items:
        tell(change.words())
    if not changes:
        tell(f"Nothing changes: {_counted(site)}.")
    else:
        tell("Nothing was applied: this was a dry run." if dry_run else f"Applied: {_counted(site)}.")


def export(
    data: Data = None,
    database: DatabaseUrl = None,
    out: Annotated[Path | None, Option("--out", "-o", help="File to write; else it is printed.")] = None,
) -> None:
    """Write the sites of the database as YAML; applying that changes nothing."""
    from tynysh.errors import SiteError
    from tynysh.site import apply as applying

    with open_database(data, database) as opened, opened.reading() as session:
        text = applying.export(session)
    if out is None:
        write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SiteError(
            f"The file {out} cannot be written: {(error.strerror or 'error').lower()}.",
            hint="Choose another with --out.",
        ) from None


def missing_secrets(site: "SiteFile", environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """What cannot be found here of the secrets that `site` refers to, each once."""
    from tynysh.errors import SiteError
    from tynysh.site.credentials import secret

    for reference in _all_references(site):
        try:
            secret(reference, environment)
        except SiteError as error:
            yield error.message


def exposed_secrets(site: "SiteFile") -> Iterator[str]:
    """The files with secrets that others may read or change, each in a sentence."""
    from tynysh.site.credentials import exposed

    for reference in _all_references(site):
        if reference.file is not None and (sentence := exposed(Path(reference.file))):
            yield sentence


def missing_files(site: "SiteFile") -> Iterator[str]:
    """The cameras whose address is a path at which nothing lies on this machine."""
    from tynysh.media.source_spec import SourceKind, SourceSpec

    for place in site.sites:
        for camera in place.cameras:
            for address in filter(None, (camera.main, camera.sub)):
                if not address.startswith("/") and not address.lower().startswith("file:"):
                    continue
                spec = SourceSpec.parse(address)
                if spec.kind is SourceKind.FILE and not Path(spec.address).exists():
                    yield f"Camera {camera.id}: there is no file or folder {spec.address} here."


def unfitting_distances(site: "SiteFile") -> Iterator[str]:
    """The cameras whose calibration by distances fits no camera with pictures of any usual shape: such a camera runs,
    but without metres.
    """
    from tynysh.crowd.calibration import CalibrationError
    from tynysh.crowd.surveying import from_distances

    for place in site.sites:
        for camera in place.cameras:
            if isinstance(camera.calibration, str) or camera.calibration.distances is None:
                continue
            why = ""
            for aspect in USUAL_ASPECTS:
                try:
                    from_distances(camera.calibration.known_distances, aspect)
                    break
                except CalibrationError as error:
                    why = f"Camera {camera.id} has no metres: {error.message} {error.hint}"
            else:
                yield why


def _all_references(site: "SiteFile") -> "Iterable[Reference]":
    """Where the secrets of `site` are, each once."""
    return dict.fromkeys(
        reference
        for place in site.sites
        for credentials in (place.defaults.credentials, *(camera.credentials for camera in place.cameras))
        for reference in _references(credentials)
    )


def _references(credentials: "CredentialSource | None") -> "Iterator[Reference]":
    from tynysh.site.credentials import Reference

    if credentials is not None:
        if isinstance(credentials.username, Reference):
            yield credentials.username
        yield credentials.password


def _counted(site: "SiteFile") -> str:
    cameras = sum(len(place.cameras) for place in site.sites)
    sites = len(site.sites)
    return f"{sites} {'site' if sites == 1 else 'sites'}, {cameras} {'camera' if cameras == 1 else 'cameras'}"
