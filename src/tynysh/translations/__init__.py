"""The translation catalogue: every text that people read, in Kazakh, Russian and English."""

import json
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue(language: Language) -> dict[str, str]:
    """All texts of `language`: key to text, from every room's file."""
    texts: dict[str, str] = {}
    for room in sorted(files(__name__).joinpath(language).iterdir(), key=lambda entry: entry.name):
        if room.name.endswith(".json"):
            texts.update(json.loads(room.read_text(encoding="utf-8")))
    return texts


def text(language: Language, key: str, **values: object) -> str:
    """The text of `key` with its places filled; raises KeyError if there is no such text or place.

    >>> text("en", "behaviour.fight")
    'Fight'
    """
    return catalogue(language)[key].format(**values)
