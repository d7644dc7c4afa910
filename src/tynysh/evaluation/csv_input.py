"""What does a list of videos (CSV) say, and what is wrong with it, by line and column?"""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tynysh.errors import TynyshError

MOST_FAULTS = 20
LARGEST_BYTES = 64 * 2**20
_MOST_SHOWN = 300


class ListError(TynyshError):
    """A list of videos, or a video in it, cannot be used; every fault is listed as file:line[:column]."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: what its cells say, stripped, by the names of the header.

    where: the line, as file:line. columns: each cell's place, from 1, by the names of the header.
    """

    cells: Mapping[str, str]
    where: str
    columns: Mapping[str, int] = field(repr=False)

    def get(self, name: str) -> str:
        """The cell of column `name`; empty where there is none."""
        return self.cells.get(name, "")

    def at(self, name: str) -> str:
        """Where the cell of column `name` stands, as file:line:column; the column counts cells, from 1."""
        return f"{self.where}:{self.columns[name]}" if name in self.columns else self.where


class Faults:
    """What is wrong with a list, gathered so that all of it is told at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, where: str, what: str) -> None:
        """Add one fault."""
        self.found.append(f"{where}: {what if len(what) <= _MOST_SHOWN else what[:_MOST_SHOWN] + '…'}")

    def add_if_missing(self, where: str, file: Path, *, folders: bool) -> bool:
        """Add that there is no such `file`, nor (where `folders` do) a folder; whether that was so."""
        try:
            there = file.exists() if folders else file.is_file()
        except OSError as error:
            self.add(where, f"{error.strerror}: {file}")
            return True
        if not there:
            self.add(where, f"there is no file {file}.")
        return not there

    def raise_if_any(self) -> None:
        """Raise ListError with the first `MOST_FAULTS` of them."""
        if self.found:
            hidden = len(self.found) - MOST_FAULTS
            more = [f"and {hidden} more."] if hidden > 0 else []
            raise ListError("\n".join([*self.found[:MOST_FAULTS], *more]))


def _is_text(value: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in value)


def rows(path: Path, required: Sequence[str]) -> Iterator[Row]:
    """The rows of a CSV in UTF-8 whose first line names its columns, empty ones left out.

    Cells are parted by commas, or by semicolons or tabs where the first line has those and no comma, as spreadsheets
    write them where the comma is the decimal sign.

    What is not in UTF-8 may only name files, whose names are whatever they are on disk.

    Raises ListError where the file cannot be read, is no such CSV, or lacks one of the `required` columns.
    """
    wanted = ",".join(required)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ListError(
            f"{path} cannot be read: {error.strerror}.", hint=f"Name a CSV with {wanted}."
        ) from error
    text = content.decode("utf-8-sig", errors="surrogateescape")
    if len(content) > LARGEST_BYTES:
        raise ListError(
            f"{path} is larger than {LARGEST_BYTES // 2**20} MiB.", hint=f"Name a CSV with {wanted}."
        )
    first = io.StringIO(text, newline="").readline()
    if not _is_text(first):
        raise ListError(f"{path} is not a CSV file in UTF-8.")
    mark = "," if "," in first else ";" if ";" in first else "\t" if "\t" in first else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        header = [name.strip() for name in next(lines, [])]
        missing = [name for name in required if name not in header]
        if missing:
            raise ListError(
                f"{path}:1: there is no column {' and no column '.join(missing)}.",
                hint=f"The first line is {wanted}.",
            )
        columns = {name: place for place, name in enumerate(header, start=1)}
        twice = [name for name in required if header.count(name) > 1]
        if twice:
            raise ListError(f"{path}:1: there are two columns {twice[0]}.", hint="Remove one.")
        for values in lines:
            if any(not os.path.lexists(path.parent / value) for value in values if not _is_text(value)):
                raise ListError(
                    f"{path}:{lines.line_num} is neither UTF-8 nor the name of a file.",
                    hint="Save the list as CSV in UTF-8.",
                )
            if any(value.strip() for value in values):
                cells = dict(zip(header, (value.strip() for value in values), strict=False))
                yield Row(cells, f"{path}:{lines.line_num}", columns)
    except csv.Error as error:
        raise ListError(
            f"{path}:{lines.line_num}: {error}.", hint="Is a quotation mark not closed before this line?"
        ) from error
