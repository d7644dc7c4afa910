"""Files that commands write where they are told to: found out to be possible before the long work, not after."""

import os
from pathlib import Path
from typing import Any

from tynysh.commands.output import json_text, write
from tynysh.errors import UsageError

PRINTED = Path("-")
"""In place of a file: the standard output, on which nothing else is then printed."""


def check_writable(*outputs: Path | None) -> None:
    """Raise UsageError where one of the files cannot be written; None is none."""
    from tynysh.media.video_files import is_folder

    for out in outputs:
        if out is None or out == PRINTED:
            continue
        folder = out.absolute().parent
        if is_folder(out) or not is_folder(folder) or not os.access(folder, os.W_OK | os.X_OK):
            why = "its folder does not exist, or is closed to you"
            raise UsageError(
                f"{out} cannot be written: {'it is a folder' if is_folder(out) else why}.",
                hint="Name a file in a folder that exists.",
            )


def write_file(path: Path, content: str | bytes) -> None:
    """Write `content`, text in UTF-8 but for files' names. Raises UsageError where it cannot be written."""
    try:
        path.write_bytes(content.encode(errors="surrogateescape") if isinstance(content, str) else content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write `figures` as JSON to a file, or print them. Raises UsageError."""
    if path == PRINTED:
        write(json_text(figures, indent=2) + "\n")
    else:
        write_file(path, json_text(figures, encoding="utf-8", indent=2) + "\n")
