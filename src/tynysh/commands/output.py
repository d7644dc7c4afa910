"""How commands print: lines that scripts can read, errors, and tables that are never cut."""

import codecs
import io
import json
import os
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from tynysh.errors import TynyshError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

LONGEST_WORD = 24
"""Words up to so many characters stay whole in a table; longer ones, as paths are, may be folded."""

_NEAREST = str.maketrans("ӘәҒғҚқҢңӨөҰұҮүҺһІі", "АаГгКкНнОоУуУуХхИи")
"""Kazakh letters as terminals show them that know Russian only."""

_GAP = 3
"""Characters between two columns of a table."""


def _spelt_out(error: UnicodeError) -> tuple[str | bytes, int]:
    """A file's name that is no text, as it is on disk; in place of other characters that an encoding lacks, the nearest
    of its letters, or their numbers.
    """
    if isinstance(error, UnicodeEncodeError):
        with suppress(UnicodeEncodeError):
            return codecs.lookup_error("surrogateescape")(error)
        nearest = error.object[error.start : error.end].translate(_NEAREST)
        with suppress(UnicodeEncodeError):
            nearest.encode(sys.stdout.encoding)
            return nearest, error.end
        return codecs.backslashreplace_errors(error)
    raise error


def take_any_name() -> None:
    """Let the standard output take whatever a shell can give as a name, whatever encoding the terminal has."""
    codecs.register_error("spelt_out", _spelt_out)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="spelt_out")


def json_text(value: Any, *, encoding: str | None = None, indent: int | None = None) -> str:
    """`value` as JSON for a reader of that encoding, by default the standard output's: in letters as they are where it
    is UTF-8, else, and where a file's name is no text, spelt out in ASCII, which reads back as the same.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        if codecs.lookup(encoding or sys.stdout.encoding or "ascii").name == "utf-8":
            text.encode()
            return text
    except UnicodeEncodeError:
        pass
    return json.dumps(value, indent=indent)


def write(text: str) -> None:
    """Write `text` as it is to the standard output. Raises BrokenPipeError."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Without the number of the error, which typer would take for its own matter.
        raise BrokenPipeError from None


def say(line: str) -> None:
    """Print a line as it is, however narrow the terminal: editors and scripts read file:line:column."""
    write(f"{line}\n")


def say_if_heard(line: str) -> None:
    """Print a line of a command that goes on whether anybody can read it or not."""
    try:
        say(line)
    except OSError:
        reader_has_gone()


def report(error: TynyshError) -> None:
    """Print an error, and what to do about it, to the standard error; the exit code tells it too."""
    hint = f"\n  {error.hint}" if error.hint else ""
    _print_aside(f"error: {error.message}{hint}")


def warn(sentence: str) -> None:
    """Print what a person should know, though all goes on, to the standard error."""
    _print_aside(f"warning: {sentence}")


def note(what: str) -> None:
    """Print to the standard error what should be known, and is no error."""
    _print_aside(f"note: {what}")


def _print_aside(text: str) -> None:
    """Print to the standard error; where nobody reads it, all goes on."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def reader_has_gone() -> None:
    """Nothing more can be said to who read the standard output, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence["str | Text"] | None], *, right: Collection[int] = ()
) -> None:
    """Print a table of text that is no markup. rows: None draws a line across. right: the columns set to the right.

    Where the reader is no terminal, it is as wide as it must be, and nothing is folded. On a terminal cells are folded
    into its width; where not even whole words fit side by side, each row becomes lines of `heading: cell`.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = Console(highlight=False, emoji=False)
    cells = [
        [Text(cell) if isinstance(cell, str) else cell for cell in row or ()] for row in (headings, *rows)
    ]
    columns = zip(*filter(None, cells), strict=True)
    spans = [[cell.__rich_measure__(terminal, terminal.options) for cell in column] for column in columns]
    widths = [max(span.maximum for span in column) for column in spans]
    least = [min(LONGEST_WORD, max(span.minimum for span in column)) for column in spans]
    room = terminal.width - _GAP * (len(headings) - 1)
    if not terminal.is_terminal:
        terminal.width = sum(widths) + _GAP * len(headings)
    elif sum(least) > room:
        records = [_record(cells[0], row) for row in cells[1:] if row]
        _print(terminal, Text("\n\n").join(records))
        return
    else:
        while sum(widths) > room:
            widest = max((at for at, width in enumerate(widths) if width > least[at]), key=widths.__getitem__)
            widths[widest] -= 1
    table = Table(show_edge=False)
    for at, (heading, width) in enumerate(zip(cells[0], widths, strict=True)):
        justify: Literal["left", "right"] = "right" if at in right else "left"
        table.add_column(heading, justify=justify, width=width, overflow="fold")
    for row in cells[1:]:
        if row:
            table.add_row(*row)
        else:
            table.add_section()
    _print(terminal, table)


def _record(headings: Sequence["Text"], row: Sequence["Text"]) -> "Text":
    from rich.text import Text

    named = zip(headings, row, strict=True)
    return Text("\n").join(
        Text.assemble((f"{heading.plain}: ", "bold"), cell) for heading, cell in named if cell
    )


def _print(terminal: "Console", what: "Table | Text") -> None:
    with terminal.capture() as printed:
        terminal.print(what, overflow="fold")
    write(printed.get())
