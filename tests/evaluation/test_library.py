"""Tynysh as a library: what the README shows works as it stands there."""

import re
from pathlib import Path

import pytest
from tests.drawn_videos import write_square

import tynysh

README = Path(__file__).parents[2] / "README.md"
EXAMPLE = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    assert EXAMPLE is not None
    monkeypatch.chdir(tmp_path)
    return EXAMPLE[1]


def test_the_example_of_the_readme_prints_the_events_of_a_file(
    example: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], seen_by
) -> None:
    from tynysh.demo.simulated import ScriptedDetector

    seen_by(ScriptedDetector())
    write_square(tmp_path / "video.mp4", 10.0, 22.0)
    exec(example, {})  # noqa: S102  the README's own lines
    printed = capsys.readouterr().out.splitlines()
    assert printed
    assert all(re.fullmatch(r" +\d+\.\d s  [a-z_]+  score [01]\.\d\d, \d+ people", line) for line in printed)


def test_a_file_that_is_not_there_is_one_clear_message(example: str) -> None:
    with pytest.raises(SystemExit, match=r"video\.mp4"):
        exec(example, {})  # noqa: S102


def test_all_that_is_public_is_there_and_nothing_else() -> None:
    assert all(getattr(tynysh, name) is not None for name in tynysh.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'analyse'"):
        _ = tynysh.analyse
