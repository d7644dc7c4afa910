"""A package of others, installed by pip, is an analyser like Tynysh's own; without it what it found stays readable."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect
from tests.console.conftest import BUILT, Desk, browser, context
from tests.drawn_videos import street
from tests.runtime.street import FPS

from tynysh.translations import LANGUAGES, Language

__all__ = ["browser", "context", "street"]

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("platform_edge")
SITE = """
sites:
  - name: Station
    kind: street
    time_zone: Asia/Almaty
    cameras:
      - name: platform
        main: rtsp://127.0.0.1:9/platform
        lines: [{name: yellow, from: [0, 0.2], to: [1, 0.2]}]
        analysers:
          platform_edge: {limit_s: 2, lines: [yellow]}
"""
NAMES: dict[Language, str] = {"en": "At the edge", "ru": "На краю", "kk": "Шетінде"}
RESPONSES: dict[Language, str] = {
    "en": "Warn the train driver.",
    "ru": "Предупредите машиниста.",
    "kk": "Машинистке ескертіңіз.",
}
WHY: dict[Language, str] = {
    "en": "Beyond “yellow”",
    "ru": "За линией «yellow»",
    "kk": "«yellow» сызығынан әрі",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has installed the package."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
    subprocess.run(
        [*pip, "--no-build-isolation", "--no-deps", "--target", str(folder), str(SOURCE)],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def surroundings(package: Path | None) -> dict[str, str]:
    paths = [str(ROOT), *([] if package is None else [str(package)])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}


def run(package: Path | None, *arguments: object, program: tuple[str, ...] = ("tynysh",)) -> tuple[int, str]:
    """A command of Tynysh beside `package`: its exit code and all that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *program, *map(str, arguments)],
        cwd=ROOT,
        env=surroundings(package),
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def python(package: Path, program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=surroundings(package),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout


def test_it_passes_the_check_of_authors(package: Path) -> None:
    python(
        package,
        "from tynysh_platform_edge import SPEC, PlatformEdgeSettings as Settings;"
        "from tynysh.behaviour.checking import check_analyser;"
        "check_analyser(SPEC, Settings(), Settings(lines=('line',), limit_s=1))",
    )


def test_a_site_file_may_ask_for_it_and_its_settings_are_checked(package: Path, site: Path) -> None:
    assert run(package, "check", site) == (0, f"{site} is right: 1 site, 1 camera.\n")
    site.write_text(SITE.replace("limit_s: 2", "limit_s: 0").replace("lines: [yellow]}", "lines: [white]}"))
    code, out = run(package, "check", site)
    assert code == 3
    assert f"{site}:11:36" in out
    assert "has no line 'white'" in out


def test_without_it_a_site_file_that_asks_for_it_is_wrong(site: Path) -> None:
    code, out = run(None, "check", site)
    assert code == 3
    assert f"{site}:11:11" in out
    assert "platform_edge" in out


def test_videos_are_analysed_by_it(package: Path, site: Path, street: Path) -> None:
    drawn = ("tests.plugins.beside", "command")
    code, out = run(package, "analyze", street, "--site", site, "--json", program=drawn)
    assert code == 0
    (event,) = [json.loads(line) for line in out.splitlines()]
    assert event["behaviour"] == "platform_edge"
    assert event["reason"]["key"] == "platform_edge.beyond"
    assert event["reason"]["values"]["line"] == "yellow"
    assert 2.0 - 1 / FPS <= event["decided_s"] - event["start_s"] < 3.0
    code, out = run(package, "analyze", street, "--site", site, "--language", "kk", program=drawn)
    assert code == 0
    assert NAMES["kk"] in out
    assert WHY["kk"] in out


def test_the_reference_of_the_site_file_has_it(package: Path) -> None:
    reference = python(package, "from tynysh.site.reference import reference; print(reference())")
    _, part = reference.split("### `analysers.platform_edge`")
    assert (
        "| `limit_s` | Seconds that one may stand beyond the line. | number (at least 1, at most 600) | `5` |"
        in part
    )


def test_a_broken_package_is_one_error_at_start_that_names_it(tmp_path: Path, site: Path) -> None:
    dist_info = tmp_path / "broken" / "tynysh_broken-0.3.dist-info"
    dist_info.mkdir(parents=True)
    (dist_info / "METADATA").write_text("Metadata-Version: 2.1\nName: tynysh-broken\nVersion: 0.3\n")
    (dist_info / "entry_points.txt").write_text("[tynysh.analysers]\nbroken = nowhere:SPEC\n")
    code, out = run(dist_info.parent, "check", site)
    assert code == 8
    first, second = out.splitlines()
    assert first == (
        "error: The analyser 'broken' of the package tynysh-broken 0.3 cannot be used: "
        "ModuleNotFoundError: No module named 'nowhere'."
    )
    assert "pip uninstall" in second
    assert run(dist_info.parent, "--help")[0] == 0


@contextmanager
def console(folder: Path, package: Path | None) -> Iterator[Any]:
    """The console over the house in `folder`, beside `package`."""
    arguments = [sys.executable, "-m", "tests.plugins.beside", "console", str(folder)]
    with subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=surroundings(package),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield SimpleNamespace(**json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(30)
    assert process.returncode == 0


@pytest.mark.browser
def test_the_console_has_its_words_and_without_it_a_plain_name(
    package: Path, context: BrowserContext, tmp_path: Path
) -> None:
    if not (BUILT / "index.html").is_file():
        pytest.skip("the console is not built: make console")
    with console(tmp_path, package) as house:
        for language in LANGUAGES:
            desk, row = signed_in(context, house, language)
            expect(row).to_contain_text(NAMES[language])
            row.locator("a").click()
            detail = desk.page.locator("article.incident")
            expect(detail).to_contain_text(RESPONSES[language])
            expect(detail).to_contain_text(WHY[language])
            context.clear_cookies()
    with console(tmp_path, None) as house:
        desk, row = signed_in(context, house, "en")
        expect(row).to_contain_text("Platform edge")
        row.locator("a").click()
        detail = desk.page.locator("article.incident")
        expect(detail).to_contain_text("Platform edge + Intrusion")
        expect(detail).to_contain_text("Beyond")
        desk.page.keyboard.press("a")
        expect(detail.locator(".standing")).to_contain_text("Acknowledged")


def signed_in(context: BrowserContext, house: Any, language: Language) -> tuple[Desk, Any]:
    """A desk at which somebody of that language sits, and the row of the incident."""
    desk = Desk(context, house)
    desk.sign_in(house.users[language])
    row = desk.page.locator(f"[data-incident='{house.incident}']")
    expect(row).to_be_visible()
    return desk, row
