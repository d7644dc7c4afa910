"""Reasons are told in words, in every language."""

import pytest

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.evaluation.listing import reason_text
from tynysh.translations import LANGUAGES, Language


def event(reason: Reason | None) -> Event:
    return Event("id", Behaviour.CROWD_RUN, Phase.BEGUN, 1.0, 2.0, None, 0.8, None, 9, None, "", reason)


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_that_are_words_are_translated_too(language: Language) -> None:
    values = {"people": 9, "speed": 3.2, "from": "left", "to": "away"}
    told = reason_text(event(Reason("crowd_run.metres", values)), language)
    expected = {"en": "away from the camera", "ru": "от камеры", "kk": "камерадан әрі қарай"}
    assert expected[language] in told
    assert "left " not in told or language == "en"


def test_names_that_are_no_words_stay_and_no_reason_is_empty() -> None:
    zone = Reason("intrusion.zone", {"zone": "left", "people": 1})
    assert "“left”" in reason_text(event(zone), "en")
    assert reason_text(event(None), "en") == ""
