"""What happens in which recording, according to people who looked: LABELS.csv, read and written."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tynysh.behaviour.registry import ANALYSERS
from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.csv_input import Faults, ListError, Row, rows

COLUMNS = ("file", "start", "end", "behaviour")
CAMERA = "camera"

_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,9}):(\d{1,2}(?:\.\d+)?)", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(?:\.\d*)?|\.\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Label:
    """A happening: what, and from when to when, seconds since the recording's start. where: file:line."""

    behaviour: Behaviour
    start_s: float
    end_s: float
    where: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file with all that happens in it; nothing, if `labels` is empty. A folder is its files one after the other.

    path: as written; file: where it lies. camera: as given, else after its folder, else after its name.
    own_camera: the camera as given, or None. where: its first line in the list, as file:line.
    """

    path: str
    file: Path
    camera: str
    labels: tuple[Label, ...]
    where: str
    own_camera: str | None = None


def seconds(given: str) -> float:
    """Seconds, `M:SS` or `H:MM:SS`, with or without decimals, as seconds. Raises ValueError.

    >>> seconds("2:05.5"), seconds("1:00:00"), seconds("7,5")
    (125.5, 3600.0, 7.5)
    """
    given = given.replace(",", ".")
    if _SECONDS.fullmatch(given):
        return float(given)
    parts = _CLOCK.fullmatch(given)
    if parts is None:
        raise ValueError(given)
    hours, minutes, rest = int(parts[1] or 0), int(parts[2]), float(parts[3])
    if rest >= 60.0 or (parts[1] is not None and minutes >= 60):
        raise ValueError(given)
    return 3600.0 * hours + 60.0 * minutes + rest


def clock(time_s: float) -> str:
    """`M:SS.s`, from an hour on `H:MM:SS`, as `seconds` reads it.

    >>> clock(125.5), clock(3600.0)
    ('2:05.5', '1:00:00')
    """
    hours, rest = divmod(time_s, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{int(hours)}:{int(minutes):02}:{int(secs):02}" if hours else f"{int(minutes)}:{secs:04.1f}"


def read_labels(path: Path) -> list[Recording]:
    """The recordings of a LABELS.csv, in the order in which they are first named; each once, with all its labels.

    A row has file (relative to the list's folder), start, end and behaviour, and perhaps camera; one without start,
    end and behaviour says that nothing happens in the file. Raises ListError with all faults.
    """
    faults = Faults()
    known: dict[Path, Recording] = {}
    quiet: dict[Path, str] = {}
    for row in rows(path, COLUMNS):
        name = row.get("file")
        file = path.parent / name
        if not name:
            faults.add(row.at("file"), "there is no file.")
            continue
        if file not in known and faults.add_if_missing(row.at("file"), file, folders=True):
            continue
        before = known.get(file)
        given = row.get(CAMERA) or None
        if before is not None and given and before.own_camera and given != before.own_camera:
            faults.add(
                row.at(CAMERA), f"the camera is {given!r}, but {before.own_camera!r} in {before.where}."
            )
        given = (before.own_camera if before else None) or given
        if not any(row.get(column) for column in COLUMNS[1:]):
            quiet.setdefault(file, row.where)
            labels: tuple[Label, ...] = ()
        else:
            label = _label(row, faults)
            labels = (label,) if label is not None else ()
        known[file] = Recording(
            path=before.path if before else name,
            file=file,
            camera=given or _usual_camera(name),
            labels=(*(before.labels if before else ()), *labels),
            where=before.where if before else row.where,
            own_camera=given,
        )
    for file, where in quiet.items():
        if known[file].labels:
            faults.add(
                where,
                f"nothing happens in {known[file].path}, and yet {known[file].labels[0].where} labels it.",
            )
    faults.raise_if_any()
    if not known:
        raise ListError(f"{path} lists no files.", hint=f"The first line is {','.join(COLUMNS)}.")
    return list(known.values())


def labels_csv(recordings: Sequence[Recording]) -> str:
    """The text of a LABELS.csv that `read_labels` reads back as `recordings`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, CAMERA])
    for recording in recordings:
        for label in recording.labels:
            times = (f"{label.start_s:.3f}", f"{label.end_s:.3f}")
            writer.writerow([recording.path, *times, label.behaviour, recording.camera])
        if not recording.labels:
            writer.writerow([recording.path, "", "", "", recording.camera])
    return text.getvalue()


def _label(row: Row, faults: Faults) -> Label | None:
    """The label of a row; None where it has faults, which are added."""
    times: list[float] = []
    for column in ("start", "end"):
        given = row.get(column)
        try:
            times.append(seconds(given))
        except ValueError:
            what = f"{column} is {given!r}, and must be" if given else f"there is no {column}: it must be"
            faults.add(row.at(column), f"{what} seconds or H:MM:SS.")
    given = row.get("behaviour").lower()
    if given not in ANALYSERS:
        what = f"there is no behaviour {given!r}" if given else "there is no behaviour"
        faults.add(row.at("behaviour"), f"{what}: choose of {', '.join(ANALYSERS)}.")
        return None
    if len(times) < 2:
        return None
    start_s, end_s = times
    if end_s <= start_s:
        faults.add(row.at("end"), f"it ends at {end_s:g} s, not after its start at {start_s:g} s.")
        return None
    return Label(Behaviour(given), start_s, end_s, row.where)


def _usual_camera(name: str) -> str:
    """The folder that a file lies in, by its name; the file's own name where it lies beside the list."""
    path = Path(name)
    return path.parent.name or path.stem
