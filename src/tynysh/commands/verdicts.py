"""`tynysh export-verdicts`: what operators decided, as a labelled set of clips."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from tynysh.commands.options import Data, DatabaseUrl, LanguageOption, open_database
from tynysh.commands.output import say


def export_verdicts(
    folder: Annotated[Path, Argument(metavar="FOLDER", help="A new or an empty folder.")],
    since: Annotated[
        str | None, Option("--since", help="Only incidents from this date on, as 2026-11-22 (UTC).")
    ] = None,
    site: Annotated[str | None, Option("--site", help="Only incidents of this site, by id.")] = None,
    language: LanguageOption = "en",
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Write what operators decided as a labelled set of anonymised clips, for evaluation and training."""
    from datetime import UTC, datetime

    from tynysh.evaluation import verdicts
    from tynysh.runtime.data_folder import DataFolder
    from tynysh.store.terminal import at_the_terminal

    options = verdicts.ExportOptions(
        folder, None if since is None else verdicts.unix_time(since), site, language, user=at_the_terminal()
    )
    with open_database(data, database) as opened:
        exported = verdicts.export(opened, DataFolder.open(data).evidence, options, now=datetime.now(UTC))
    true = sum(bool(clip.recording.labels) for clip in exported.clips)
    say(
        f"{len(exported.clips)} clips are in {folder}: {true} with a happening, "
        f"{len(exported.clips) - true} in which nothing happens."
    )
    for line in verdicts.describe(exported.left_out):
        say(line)
