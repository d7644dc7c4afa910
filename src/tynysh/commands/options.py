"""The options and arguments that several commands have, each declared once, and what they stand for."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tynysh.errors import UsageError
from tynysh.translations import LANGUAGES, Language

if TYPE_CHECKING:
    from tynysh.store.database import Database


def language(given: str) -> Language:
    """The language of that code. Raises UsageError."""
    for known in LANGUAGES:
        if known == given:
            return known
    raise UsageError(f"There is no language {given!r}.", hint=f"Choose one of {', '.join(LANGUAGES)}.")


Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder.", envvar="TYNYSH_DATA", show_default=False)
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="Database: a path or postgresql://USER@HOST/NAME. By default a file in the data folder.",
        envvar="TYNYSH_DATABASE",
        show_default=False,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device", help="Where networks run: CPU, GPU, NPU, AUTO (OpenVINO), ORT-CPU, CUDA, TENSORRT."
    ),
]
Video = Annotated[Path, typer.Argument(metavar="VIDEO", help="A file.")]
SiteArgument = Annotated[Path, typer.Argument(metavar="SITE.YAML", help="The site file.", show_default=False)]
SiteOption = Annotated[
    Path | None, typer.Option("--site", help="Site file: zones, limits, analysers, calibration.")
]
CameraName = Annotated[str | None, typer.Option("--camera", help="Which camera of the site, by id or name.")]
StreamNumber = Annotated[
    int | None,
    typer.Option("--stream", min=1, help="Which video stream, where files hold several: 1 is the first."),
]
Fps = Annotated[
    float | None,
    typer.Option(
        "--fps", min=0.1, max=1000, help="Pictures a second of files without times, as .h264 and .mjpeg are."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON in place of a table: one value, or one a line.")]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", help="Write the figures to this file ('-' prints them and nothing else)."),
]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Write a report page (HTML).")]
LanguageOption = Annotated[
    Language,
    typer.Option("--language", parser=language, metavar="<str>", help="Of what people read: kk, ru or en."),
]
Ask = Annotated[bool, typer.Option("--ask", help="Ask for a password in place of a one-time password.")]
Host = Annotated[str, typer.Option("--host", help="Address that the console listens on.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the console.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that share the work.")]


def group(about: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)


def open_database(data: Path | None, url: str | None) -> "AbstractContextManager[Database]":
    """The migrated database, as a context that closes it. Raises TynyshError."""
    from contextlib import closing

    from tynysh.runtime.data_folder import DataFolder
    from tynysh.store.database import Database
    from tynysh.store.migrate import migrate

    opened = Database.open(url or DataFolder.open(data).database_url)
    migrate(opened)
    return closing(opened)
