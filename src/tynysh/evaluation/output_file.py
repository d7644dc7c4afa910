"""Files that commands write where they are told to: found out to be possible before the long work, not after."""

import os
from pathlib import Path

from tynysh.errors import UsageError
from tynysh.media.video_files import is_folder


def check_writable(out: Path | None) -> None:
    """Raise UsageError where no file `out` can be written."""
    if out is None:
        return
    folder = out.absolute().parent
    if is_folder(out) or not is_folder(folder) or not os.access(folder, os.W_OK | os.X_OK):
        why = "its folder does not exist, or is closed to you"
        raise UsageError(
            f"{out} cannot be written: {'it is a folder' if is_folder(out) else why}.",
            hint="Name a file in a folder that exists.",
        )


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8. Raises UsageError where it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
