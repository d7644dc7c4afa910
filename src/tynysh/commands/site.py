"""What `tynysh check`, `tynysh apply` and `tynysh export` do and print."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from tynysh.crowd.calibration import CalibrationError
from tynysh.crowd.surveying import from_distances
from tynysh.errors import SiteError
from tynysh.site import apply as applying
from tynysh.site.credentials import Credentials, Reference, secret
from tynysh.site.site import SiteFile
from tynysh.site.yaml import SiteFaultsError, load
from tynysh.store.database import Database
from tynysh.store.terminal import at_the_terminal

USUAL_ASPECTS = (16 / 9, 4 / 3, 5 / 4, 9 / 16)
"""Width over height of pictures, the most usual first."""


def check(path: Path, console: Console, *, environment: Mapping[str, str] = os.environ) -> int:
    """Print every fault of a site file, or what is in it; the exit code is 0 if it is right.

    Secrets that are not to be found on this machine are named, but are no fault: the file may be meant for
    another one. Raises SiteError where the file cannot be read at all.
    """
    try:
        site = load(path)
    except SiteFaultsError as error:
        _plainly(console, error.message)
        count = len(error.faults)
        _plainly(console, f"{count} {'fault' if count == 1 else 'faults'} found.")
        return error.exit_code
    for note in (*missing_secrets(site, environment), *unfitting_distances(site)):
        _plainly(console, f"Note: {note}")
    _plainly(console, f"{path} is right: {_counted(site)}.")
    return 0


def apply(path: Path, database: Database, console: Console, *, dry_run: bool = False) -> int:
    """Apply a site file and print what it changes; with `dry_run` print only. Raises SiteError."""
    site = load(path)
    if dry_run:
        with database.reading() as session:
            changes = applying.plan(site, session)
    else:
        changes = applying.apply(site, database, now=time.time(), user=at_the_terminal())
    for change in changes.items:
        _plainly(console, change.words())
    if changes:
        _plainly(
            console, "Nothing was applied: this was a dry run." if dry_run else f"Applied: {_counted(site)}."
        )
    else:
        _plainly(console, f"Nothing changes: {_counted(site)}.")
    return 0


def export(database: Database, out: Path | None = None) -> int:
    """Write the sites of the database as YAML, to `out` or else to the terminal.

    Raises SiteError where there are none, or `out` cannot be written.
    """
    with database.reading() as session:
        text = applying.export(session)
    if out is None:
        sys.stdout.write(text)
        return 0
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SiteError(
            f"The file {out} cannot be written: {(error.strerror or 'error').lower()}.",
            hint="Choose another with --out.",
        ) from None
    return 0


def missing_secrets(site: SiteFile, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """What cannot be found here of the secrets that `site` refers to, each once."""
    seen: set[Reference] = set()
    for place in site.sites:
        for credentials in (place.defaults.credentials, *(camera.credentials for camera in place.cameras)):
            for reference in _references(credentials):
                if reference in seen:
                    continue
                seen.add(reference)
                try:
                    secret(reference, environment)
                except SiteError as error:
                    yield error.message


def unfitting_distances(site: SiteFile) -> Iterator[str]:
    """The cameras whose calibration by distances fits no camera with pictures of any usual shape: such a camera runs,
    but without metres.
    """
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


def _references(credentials: Credentials | None) -> Iterator[Reference]:
    if credentials is not None:
        if isinstance(credentials.username, Reference):
            yield credentials.username
        yield credentials.password


def _counted(site: SiteFile) -> str:
    cameras = sum(len(place.cameras) for place in site.sites)
    sites = len(site.sites)
    return f"{sites} {'site' if sites == 1 else 'sites'}, {cameras} {'camera' if cameras == 1 else 'cameras'}"


def _plainly(console: Console, text: str) -> None:
    """Print without markup and without breaking lines: editors and scripts read file:line:column."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
