"""Which public report does each test of this folder try again, and what does the page about them have to say?

`python -m tests.field.reports docs/developer/field-cases.md` writes the page's tables anew.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = re.compile(r"([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)?#(\d+)")
AREAS = {
    "streams": "What cameras send",
    "sites": "Names, passwords, addresses, zones",
    "recording": "Recordings, clips, disks",
    "times": "Clocks, light, rates, files",
    "hosts": "Machines and containers",
    "browsers": "What browsers ask for",
    "console": "What browsers do",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A test. said: what was reported. sources: repository and number of each thread that its docstring names."""

    area: str
    test: str
    said: str
    sources: tuple[tuple[str, str], ...]

    @property
    def row(self) -> str:
        """Its line of the page's table."""
        links = ", ".join(
            f"[{repository}#{number}](https://github.com/{repository}/issues/{number})"
            for repository, number in self.sources
        )
        return f"| {self.said} | {links} | {self.test.removeprefix('test_').replace('_', ' ')} |"


def cases() -> Iterator[Case]:
    """All of them, by area."""
    for area in AREAS:
        path = Path(__file__).with_name(f"test_{area}.py")
        for item in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name.startswith("test_"):
                said = " ".join((ast.get_docstring(item) or "").split())
                yield Case(area, item.name, _without_sources(said), tuple(_sources(said)))


def tables() -> str:
    """The tables of the page, one an area."""
    known = list(cases())
    return "\n".join(
        f"## {title}\n`tests/field/test_{area}.py`\n\n| reported | where | what holds |\n|---|---|---|\n"
        + "".join(f"{case.row}\n" for case in known if case.area == area)
        for area, title in AREAS.items()
    )


def rewritten(page: str) -> str:
    """The page with its tables, which begin with its first heading below the title, as they ought to be."""
    return page[: page.index("\n## ") + 1] + tables()


def _sources(said: str) -> Iterator[tuple[str, str]]:
    repository = ""
    for match in SOURCE.finditer(said):
        repository = match[1] or repository
        yield repository, match[2]


def _without_sources(said: str) -> str:
    bare = SOURCE.sub("", said)
    bare = re.sub(r":?(\s*,|\s+and|\s+in)*\s*(?=[.,]|$)", "", bare)
    return re.sub(r"\s+([.,])", r"\1", bare).strip(" .,:;") + "."


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(rewritten(target.read_text(encoding="utf-8")), encoding="utf-8")
