"""The registry lists every analyser, and each keeps the protocol."""

import string
import subprocess
import sys

import pytest
from pydantic import ValidationError
from tests.behaviour.scenes import LEFT_HALF, scene, standing, times

from tynysh.behaviour import registry
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import UsageError
from tynysh.scene.scene import Feed
from tynysh.translations import LANGUAGES, catalogue

EVERY = list(registry.ANALYSERS)


def test_the_first_behaviours_are_there() -> None:
    assert set(EVERY) >= {
        Behaviour.FIGHT,
        Behaviour.AGGRESSION,
        Behaviour.PERSON_DOWN,
        Behaviour.CROWDING,
        Behaviour.INTRUSION,
        Behaviour.LOITERING,
        Behaviour.CAMERA_FAULT,
    }


@pytest.mark.parametrize("behaviour", EVERY)
def test_every_setting_says_what_it_is(behaviour: Behaviour) -> None:
    for name, field in registry.ANALYSERS[behaviour].settings.model_fields.items():
        assert field.title, name
        assert field.description, name


@pytest.mark.parametrize("behaviour", EVERY)
def test_unknown_settings_and_values_out_of_bounds_are_refused(behaviour: Behaviour) -> None:
    settings = registry.ANALYSERS[behaviour].settings
    for wrong in (
        {"treshold": 0.5},
        {"threshold": 1.5},
        {"min_duration_s": -1},
        {"cooldown_s": float("nan")},
    ):
        with pytest.raises(ValidationError):
            settings.model_validate(wrong)


@pytest.mark.parametrize("behaviour", EVERY)
def test_scores_stay_in_bounds_and_a_lost_camera_says_nothing_of_people(behaviour: Behaviour) -> None:
    analyser = registry.create(behaviour, registry.ANALYSERS[behaviour].settings())
    assert analyser.behaviour is behaviour
    for time_s in times(0, 3):
        people = [standing(number, 100 + 60 * number + 50 * time_s, time_s) for number in range(5)]
        for signal in analyser.observe(scene(time_s, people, [LEFT_HALF])):
            assert 0.0 <= signal.score <= 1.0
            assert signal.behaviour is behaviour
            assert signal.time_s == time_s
            assert signal.reason is None or f"reason.{signal.reason.key}" in catalogue("en")
    lost = analyser.observe(scene(3.0, feed=Feed.LOST, detected=False))
    assert (behaviour is Behaviour.CAMERA_FAULT) == bool(lost)


def test_only_what_is_enabled_is_made() -> None:
    settings = registry.default_settings()
    settings[Behaviour.PERSON_DOWN] = registry.ANALYSERS[Behaviour.PERSON_DOWN].settings(enabled=False)
    made = {analyser.behaviour for analyser in registry.create_all(settings)}
    assert made == set(registry.rules(settings)) == set(settings) - {Behaviour.PERSON_DOWN}


def test_an_unknown_behaviour_is_named() -> None:
    with pytest.raises(UsageError, match="figth") as caught:
        registry.entry("figth")
    assert "fight" in (caught.value.hint or "")


def test_every_reason_fills_its_places_in_every_language() -> None:
    for language in LANGUAGES:
        for behaviour in Behaviour:
            assert f"behaviour.{behaviour}" in catalogue(language)
        for key, text in catalogue(language).items():
            if key.startswith("reason."):
                names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
                assert text.format(**dict.fromkeys(names, 1))


def test_the_list_is_read_without_loading_an_inference_engine() -> None:
    program = "import sys, tynysh.behaviour.registry; sys.exit('openvino' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
