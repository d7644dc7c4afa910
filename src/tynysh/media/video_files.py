"""Which video files are there, and may they be read?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from natsort import natsorted, ns

from tynysh.media.source_fault import SourceError, SourceFault

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".flv", ".wmv"}
    | {".3gp", ".asf", ".ogv", ".h264", ".264", ".h265", ".265", ".hevc", ".mjpg", ".mjpeg", ".dav", ".vob"}
)


def is_folder(path: Path) -> bool:
    """Whether `path` is a folder, as far as we may know: not where a folder above it is closed to us."""
    try:
        return path.is_dir()
    except OSError:
        return False


@contextmanager
def permitted(path: Path) -> Iterator[None]:
    """A context in which a file or folder that we may not read, or cannot, is a SourceError that says so."""
    try:
        yield
    except PermissionError:
        raise SourceError(
            SourceFault.NOT_PERMITTED,
            f"{path}: may not be read",
            hint="Check the permissions of the file and of its folders.",
        ) from None
    except OSError as error:
        raise SourceError(
            SourceFault.BROKEN,
            f"{path}: cannot be read: {error.strerror}",
            hint="Is the name right, and the disk or share that it lies on there?",
        ) from None


def files_of(folder: Path) -> list[Path]:
    """The video files of a folder in natural order (`clip2` before `clip10`); raises SourceError if none."""
    with permitted(folder):
        files = [
            entry for entry in folder.iterdir() if entry.is_file() and entry.suffix.lower() in VIDEO_SUFFIXES
        ]
    if not files:
        raise SourceError(
            SourceFault.EMPTY,
            f"{folder} holds no video files",
            hint="Give a folder with .mp4, .avi or .mkv files.",
        )
    return natsorted(files, key=lambda entry: entry.name, alg=ns.IGNORECASE)
