"""The language of an answer follows what the browser asks for."""

import pytest

from tynysh.api.language import language_of


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, "en"),
        ("", "en"),
        ("kk", "kk"),
        ("kk-KZ, ru;q=0.8", "kk"),
        ("de, ru;q=0.8, en;q=0.3", "ru"),
        ("ru;q=0.1, kk;q=0.9", "kk"),
        ("RU-ru", "ru"),
        ("kk;q=0", "en"),
        ("kk;q=nonsense", "en"),
        (";;;,,,q=", "en"),
        ("x" * 10_000 + ",kk", "en"),
    ],
)
def test_the_language_is_the_best_that_we_speak(asked: str | None, given: str) -> None:
    assert language_of(asked) == given
