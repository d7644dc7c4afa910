"""The examples in docstrings are true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
WITH_EXAMPLES = [
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(SOURCE.rglob("*.py"))
    if "\n>>> " in path.read_text(encoding="utf-8").replace("    ", "")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_of_docstrings_run_and_say_what_is_written(module: str) -> None:
    assert doctest.testmod(import_module(module)).failed == 0
