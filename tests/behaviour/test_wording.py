"""Behaviours and reasons are said in words, in every language, also of analysers that are not installed."""

import pytest

from tynysh.behaviour import wording
from tynysh.behaviour.registry import BEHAVIOURS
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.translations import LANGUAGES, Language


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_that_are_words_are_translated_too(language: Language) -> None:
    values = {"people": 9, "speed": 3.2, "from": "left", "to": "away"}
    sentence = wording.why(language, Reason("crowd_run.metres", values))
    expected = {"en": "away from the camera", "ru": "от камеры", "kk": "камерадан әрі қарай"}
    assert expected[language] in sentence
    assert "left " not in sentence or language == "en"


def test_names_that_are_no_words_stay() -> None:
    assert "“left”" in wording.why("en", Reason("intrusion.zone", {"zone": "left", "people": 1}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_installed_has_a_plain_name_and_reason(language: Language) -> None:
    assert wording.name(language, Behaviour("platform_edge")) == "Platform edge"
    assert wording.why(language, Reason("platform_edge.train_near", {"seconds": 3})) == "Train near"
    assert wording.why(language, Reason("fight.of_another_version")) == "Of another version"


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_the_words_of_tynysh_are_in_its_catalogue(behaviour: Behaviour) -> None:
    assert all(f"behaviour.{behaviour}" not in texts for texts in wording.added().values())
