"""The documents are true: their links, commands, settings, variables, messages and examples."""

import dataclasses
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from tynysh.behaviour.registry import ANALYSERS, BEHAVIOURS
from tynysh.behaviour.spec import AnalyserSpec
from tynysh.cli import app, run_command
from tynysh.errors import TynyshError
from tynysh.perception.models.manifest import manifest
from tynysh.site.yaml import parse
from tynysh.translations import LANGUAGES

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tynysh"
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
UNIT = DOCS / "examples" / "tynysh.service"
INSTALLER, TROUBLES, AUDITOR = (
    DOCS / "installer" / "README.md",
    DOCS / "installer" / "troubleshooting.md",
    DOCS / "auditor" / "README.md",
)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
# `tynysh`, or a path to it, and what follows on the line; not a folder's, user's or group's name.
CALL = re.compile(r"(?<![\w./=-])(?:/[\w/.-]*/bin/)?tynysh[ ]+((?:--)?[a-z][^|;&]*)")
VARIABLE = re.compile(r"\bTYNYSH_[A-Z_]+\b")
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return FENCED.sub("", text_of(page))


def blocks(page: Path, language: str) -> list[str]:
    return [body for name, body in FENCED.findall(text_of(page)) if name == language]


def section(page: Path, heading: str) -> str:
    """What stands under a heading, up to the next of its level or above."""
    level = heading.split(" ", maxsplit=1)[0]
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", text_of(page), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{page} has no {heading!r}"
    return found[1]


def anchors(page: Path) -> set[str]:
    """The names by which GitHub links to headings."""
    headings = re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", SPAN.sub("", prose(page)))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@cache
def commands() -> dict[tuple[str, ...], set[str]]:
    """Every command of the command line, hidden ones left out, with its options."""

    def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], set[str]]]:
        parameters = getattr(command, "params", [])
        options = {name for parameter in parameters for name in parameter.opts if name.startswith("-")}
        yield path, options | {"--help"}
        for name, child in getattr(command, "commands", {}).items():
            if not child.hidden:
                yield from walk(child, (*path, name))

    return dict(walk(typer.main.get_command(app), ()))


def calls(page: Path) -> list[str]:
    """Each `tynysh ...` that a page or unit file quotes, as its words after `tynysh`."""
    text = text_of(page)
    code = [
        line
        for language, body in FENCED.findall(text)
        if language != "python"
        for line in body.replace("\\\n", " ").splitlines()
    ]
    if page.suffix == ".md":
        code += SPAN.findall(prose(page))
        code += [line for line in prose(page).splitlines() if line.startswith("    ")]
    else:
        code += [line.partition("=")[2] for line in text.splitlines() if line.startswith("Exec")]
    return [found[1].split(" #")[0].strip() for line in code for found in CALL.finditer(line)]


def fault_of(call: str) -> str | None:
    """What is wrong with a quoted call, if anything."""
    words = call.split()
    path: tuple[str, ...] = ()
    for word in words:
        if (*path, word) not in commands():
            break
        path = (*path, word)
    groups = {known[:-1] for known in commands() if known}
    following = words[len(path)] if len(words) > len(path) else None
    if path in groups and following is not None and not following.startswith("-"):
        return f"there is no command {' '.join((*path, following))!r}"
    options = {word.split("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word)}
    unknown = options - commands()[path]
    return f"{' '.join(path) or 'tynysh'} has no option {', '.join(sorted(unknown))}" if unknown else None


@EACH_PAGE
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@EACH_PAGE
def test_no_page_has_places_left_to_fill(page: Path) -> None:
    assert not re.findall(r"@[A-Z_]+@|\bTODO\b|\bTBD\b", text_of(page))


@pytest.mark.parametrize("page", [*PAGES, UNIT], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_quoted_command_exists_with_its_options(page: Path) -> None:
    faults = {call: fault for call in calls(page) if (fault := fault_of(call))}
    assert not faults


def test_commands_and_options_that_do_not_exist_would_be_noticed() -> None:
    assert fault_of("anlayze x.mp4") == "there is no command 'anlayze'"
    assert fault_of("users rename aigerim") == "there is no command 'users rename'"
    assert fault_of("run site.yaml --wrokers 2") == "run has no option --wrokers"
    assert fault_of("users add aigerim --role admin") is None
    assert len([call for page in PAGES for call in calls(page)]) > 30
    assert calls(UNIT) == ["run /etc/tynysh/site.yaml"]


def test_options_named_without_their_command_exist() -> None:
    known = set().union(*commands().values())
    pages = [page for page in PAGES if page.parent.name in {"installer", "auditor", "operator"}]
    named = {
        option
        for page in pages
        for span in SPAN.findall(prose(page))
        if span.startswith("--")
        for option in re.findall(r"(?<!\S)--[a-z-]+", span)
    }
    assert len(named) > 10
    assert not named - known


def test_every_command_is_documented() -> None:
    shown = [call.split() for page in PAGES for call in calls(page)]
    leaves = [path for path in commands() if path and not any(other[:-1] == path for other in commands())]
    missing = [path for path in leaves if not any(tuple(words[: len(path)]) == path for words in shown)]
    assert not missing


def test_the_table_of_variables_is_that_of_the_code() -> None:
    used = {name for file in SOURCE.rglob("*.py") for name in VARIABLE.findall(text_of(file))}
    table = set(
        re.findall(r"^\| `(TYNYSH_[A-Z_]+)` \|", section(INSTALLER, "## Environment variables"), re.MULTILINE)
    )
    assert table == used


@pytest.mark.parametrize("page", [*PAGES, UNIT], ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_variable_that_nothing_reads(page: Path) -> None:
    sources = [*SOURCE.rglob("*.py"), ROOT / "console" / "vite.config.ts"]
    known = {name for file in sources for name in VARIABLE.findall(text_of(file))} | {"TYNYSH_NAME"}
    assert not set(VARIABLE.findall(text_of(page))) - known


def test_every_analyser_is_documented_with_its_settings() -> None:
    page = DOCS / "installer" / "site.md"
    common = section(page, "### Any analyser: `analysers.BEHAVIOUR`")
    for behaviour, spec in ANALYSERS.items():
        own = section(page, f"### `analysers.{behaviour}`")
        missing = [name for name in spec.settings.model_fields if f"| `{name}` |" not in common + own]
        assert not missing, behaviour
    behaviours = section(DOCS / "developer" / "analysers.md", "## Behaviours")
    assert all(f"`{behaviour}`" in behaviours for behaviour in ANALYSERS)


def test_the_analyser_that_is_shown_is_the_one_that_is_tested() -> None:
    page, package = DOCS / "developer" / "analysers.md", ROOT / "tests" / "plugins" / "platform_edge"
    module, test = blocks(page, "python")
    assert module == text_of(package / "tynysh_platform_edge.py")
    assert blocks(page, "toml") == [text_of(package / "pyproject.toml")]
    namespace: dict[str, Any] = {}
    exec(compile(module, "tynysh_platform_edge", "exec"), namespace)  # noqa: S102 - our own page
    example = ModuleType("tynysh_platform_edge")
    vars(example).update(namespace)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, example.__name__, example)
        exec(compile(test, "test", "exec"), namespace)  # noqa: S102
        namespace["test_it_keeps_what_tynysh_relies_on"]()


def test_every_field_of_the_declaration_is_explained() -> None:
    table = section(DOCS / "developer" / "analysers.md", "## What is declared")
    assert all(f"`{field.name}`" in table for field in dataclasses.fields(AnalyserSpec))
    assert all(f"{behaviour} {spec.rank}" in table for behaviour, spec in BEHAVIOURS.items())


def test_the_example_site_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", str(DOCS / "examples" / "site.yaml")]) == 0
    assert "is right" in capsys.readouterr().out


@EACH_PAGE
def test_sites_that_a_page_shows_are_right(page: Path, tmp_path: Path) -> None:
    for body in blocks(page, "yaml"):
        if body.startswith("sites:"):
            assert parse(body.encode(), tmp_path / "site.yaml").sites


def test_camera_addresses_that_are_shown_are_accepted(tmp_path: Path) -> None:
    addresses = re.findall(r"`(rtsp://HOST\S*)`", section(INSTALLER, "### Addresses"))
    assert len(addresses) > 6
    cameras = "".join(
        f"      - name: camera {number}\n        main: {address.replace('HOST', '10.0.0.1')}\n"
        for number, address in enumerate(addresses)
    )
    site = f"sites:\n  - name: A\n    kind: street\n    time_zone: UTC\n    cameras:\n{cameras}"
    assert len(parse(site.encode(), tmp_path / "site.yaml").sites[0].cameras) == len(addresses)


def test_the_three_languages_are_named() -> None:
    names = {"en": "English", "ru": "Russian", "kk": "Kazakh"}
    assert set(names) == set(LANGUAGES)
    for page in (ROOT / "README.md", INSTALLER):
        assert "Kazakh, Russian and English" in text_of(page), page
    assert all(f"`{code}`" in text_of(INSTALLER) for code in names)


@cache
def all_translations() -> str:
    """All texts of the code, with adjoining string literals joined."""
    python = "\n".join(text_of(file) for file in SOURCE.rglob("*.py"))
    joined = re.sub(r"\"\s*\n\s*f?\"", "", python).replace("\\'", "'")
    return joined + "\n".join(text_of(file) for file in (SOURCE / "translations" / "en").glob("*.json"))


def test_every_message_that_is_explained_is_one_that_is_given() -> None:
    cells = re.findall(r"^\| `([^`]+)` \|", text_of(TROUBLES), re.MULTILINE)
    assert len(cells) > 50
    words = all_translations()
    pieces = {piece.strip(" '") for cell in cells for piece in cell.split("…")}
    assert not [piece for piece in sorted(pieces) if piece not in words]


def test_every_exit_code_is_explained() -> None:
    def family(error: type[TynyshError]) -> Iterator[type[TynyshError]]:
        yield error
        for child in error.__subclasses__():
            yield from family(child)

    import tynysh.api.server  # noqa: F401 - brings the error of its own with it

    listed = set(re.findall(r"^\| (\d+) \|", section(TROUBLES, "## Exit codes"), re.MULTILINE))
    assert {str(error.exit_code) for error in family(TynyshError)} <= listed


def test_model_cards_say_what_the_manifest_says() -> None:
    for name, card in (("yolox-tiny-person", "person-detector.md"), ("rtmpose-s-26", "pose.md")):
        model, text = manifest().find(name), text_of(DOCS / "models" / card)
        for fact in (model.name, model.licence, model.file, model.sha256, f"{model.size:,}"):
            assert fact in text, f"{card}: {fact}"


def test_figures_on_the_model_cards_stand_in_the_measurements() -> None:
    measured = text_of(DOCS / "developer" / "perception.md")
    for card in ("person-detector.md", "pose.md"):
        figures = re.findall(r"\d+\.\d+", section(DOCS / "models" / card, "## Measured"))
        assert figures
        assert not [figure for figure in figures if figure not in measured], card
