"""The three languages say the same things."""

import json
import string
from importlib.resources import files

import pytest

from tynysh.translations import LANGUAGES, catalogue, text


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_language_has_the_keys_and_places_of_english(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert english, "the catalogue is empty"
    assert sorted(other) == sorted(english)
    assert {key: places(other[key]) for key in english} == {key: places(english[key]) for key in english}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_given_twice_and_no_text_is_empty(language: str) -> None:
    seen: dict[str, str] = {}
    for room in files("tynysh.translations").joinpath(language).iterdir():
        for key, value in json.loads(room.read_text(encoding="utf-8")).items():
            assert key not in seen, f"{key} stands in {seen[key]} and {room.name}"
            assert value.strip(), f"{key} is empty"
            seen[key] = room.name


def test_places_are_filled() -> None:
    assert "{" not in text("en", "reason.crowding.count", people=12, limit=10)
