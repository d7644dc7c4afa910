"""The reference of site.yaml is complete."""

from pathlib import Path

from tynysh.site.reference import rewritten

PAGE = Path(__file__).parents[2] / "docs" / "installer" / "site.md"


def test_the_page_says_what_the_schema_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == rewritten(page), "run: python -m tynysh.site.reference docs/installer/site.md"
