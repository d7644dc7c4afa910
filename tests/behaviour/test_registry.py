"""What is installed is found by its entry points, strictly; every analyser can be set and made."""

import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from tynysh.behaviour import registry
from tynysh.behaviour.fight import SPEC as FIGHT
from tynysh.behaviour.registry import ANALYSERS, BEHAVIOURS, GROUP
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.spec import AnalyserSpec, Severity, Words
from tynysh.errors import AnalyserError, UsageError
from tynysh.scene.need import Need

OURS = tuple(entry_points(group=GROUP))


class Foreign(EntryPoint):
    """An entry point of a package `theirs`, that leads to what the test says."""

    leads_to: Any

    def __init__(self, name: str, leads_to: Any) -> None:
        super().__init__(name, "theirs:SPEC", GROUP)
        vars(self).update(leads_to=leads_to, dist=SimpleNamespace(name="theirs", version="1.2"))

    def load(self) -> Any:
        if isinstance(self.leads_to, Exception):
            raise self.leads_to
        return self.leads_to


class OtherThreshold(AnalyserSettings):
    threshold: str = "high"  # type: ignore[assignment]


class Unbearable(AnalyserSettings):
    threshold: float = 7.0


def spec(**changes: Any) -> AnalyserSpec:
    words = Words("Queue", "Open a till.", {"long": "People: {people}"})
    values: dict[str, Any] = {
        "id": Behaviour("queue"),
        "settings": AnalyserSettings,
        "factory": lambda _settings: None,
        "family": "queue",
        "rank": 55,
        "severity": Severity(1),
        "words": {"en": words, "ru": words, "kk": words},
    }
    return AnalyserSpec(**(values | changes))


def test_the_behaviours_of_tynysh_are_there_the_gravest_first() -> None:
    assert list(BEHAVIOURS) == [
        "crush_risk",
        "fight",
        "person_down",
        "crowd_run",
        "aggression",
        "intrusion",
        "crowding",
        "recording_fault",
        "camera_fault",
        "loitering",
    ]
    assert set(BEHAVIOURS) - set(ANALYSERS) == {Behaviour.RECORDING_FAULT}


def test_a_package_of_others_takes_its_place_by_rank() -> None:
    found = list(registry.load([*OURS, Foreign("queue", spec())]))
    assert found.index(Behaviour("queue")) == found.index(Behaviour.AGGRESSION) + 1


@pytest.mark.parametrize(
    ("leads_to", "why"),
    [
        (ModuleNotFoundError("No module named 'theirs'"), "ModuleNotFoundError: No module named 'theirs'"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError"),
        (object(), "no AnalyserSpec but of type object"),
        (spec(id=Behaviour("Queue!")), "the id 'Queue!' is not lower-case"),
        (spec(id=Behaviour("line")), "its id is 'line', and its entry point must be named the same"),
        (spec(words={"en": Words("Queue", "Open a till.")}), "no words in kk, ru"),
        (
            spec(words=spec().words | {"ru": Words("Очередь", "Откройте кассу.", {"long": "Людей: {n}"})}),
            "the reasons in ru have other keys or places",
        ),
        (spec(words=spec().words | {"kk": Words("", "", spec().words["en"].reasons)}), "is empty in kk"),
        (spec(severity=Severity(1, grave_reasons=frozenset({"jam"}))), "no words for the reason jam"),
        (spec(severity=Severity(5)), "the severity 5 is not"),
        (spec(settings=dict), "are no AnalyserSettings"),
        (spec(settings=OtherThreshold), "the setting threshold clashes"),
        (spec(settings=Unbearable), "the settings do not hold as they are by default: threshold"),
        (spec(needs=frozenset({"frame"})), "scenes do not provide frame"),
    ],
)
def test_a_broken_package_is_one_error_that_names_it(leads_to: Any, why: str) -> None:
    with pytest.raises(AnalyserError, match=r"'queue' of the package theirs 1\.2 cannot be used") as caught:
        registry.load([*OURS, Foreign("queue", leads_to)])
    assert why in caught.value.message
    assert "\n" not in caught.value.message


def test_two_packages_may_not_have_the_same_behaviour() -> None:
    with pytest.raises(
        AnalyserError, match=r"'fight' of the package theirs 1.2 .* tynysh .* has one of the same"
    ):
        registry.load([*OURS, Foreign("fight", FIGHT)])


def test_an_installation_older_than_its_source_is_told() -> None:
    with pytest.raises(AnalyserError, match="not registered") as caught:
        registry.load([])
    assert "pip install" in (caught.value.hint or "")


@pytest.mark.parametrize("behaviour", ANALYSERS)
def test_unknown_settings_and_values_out_of_bounds_are_refused(behaviour: Behaviour) -> None:
    settings = ANALYSERS[behaviour].settings
    for wrong in (
        {"treshold": 0.5},
        {"threshold": 1.5},
        {"min_duration_s": -1},
        {"cooldown_s": float("nan")},
    ):
        with pytest.raises(ValidationError):
            settings.model_validate(wrong)


def test_only_what_is_enabled_is_made_and_needed() -> None:
    settings = registry.default_settings()
    settings[Behaviour.PERSON_DOWN] = ANALYSERS[Behaviour.PERSON_DOWN].settings(enabled=False)
    made = {analyser.behaviour for analyser in registry.create_all(settings)}
    assert made == set(registry.rules(settings)) == set(settings) - {Behaviour.PERSON_DOWN}
    only = {Behaviour.CROWDING: settings[Behaviour.PERSON_DOWN], Behaviour.CRUSH_RISK: AnalyserSettings()}
    assert Need.POSE in registry.needs(settings)
    assert Need.POSE not in registry.needs(only)


def test_an_unknown_analyser_is_named() -> None:
    with pytest.raises(UsageError, match="figth") as caught:
        registry.create(Behaviour("figth"), AnalyserSettings())
    assert "fight" in (caught.value.hint or "")


def test_the_list_is_read_without_loading_an_inference_engine() -> None:
    program = "import sys, tynysh.behaviour.registry; sys.exit('openvino' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_help_needs_no_analyser() -> None:
    program = (
        "import sys; from tynysh.cli import run_command; run_command(['--help']);"
        "sys.exit('tynysh.behaviour.registry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode == 0
