"""The page about the field's reports tells of all of them, each with its source."""

from pathlib import Path

from tests.field.reports import cases, rewritten

PAGE = Path(__file__).parents[2] / "docs" / "developer" / "field-cases.md"


def test_each_case_has_a_source_and_says_what_was_reported() -> None:
    known = list(cases())
    assert len(known) >= 40
    assert not [case.test for case in known if not case.sources or not case.said.strip(".")]
    assert all(repository for case in known for repository, _ in case.sources)


def test_the_page_tells_of_all_cases() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == rewritten(page), "python -m tests.field.reports docs/developer/field-cases.md"
