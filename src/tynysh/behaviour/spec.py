"""What is declared of an analyser: all that the rest of Tynysh needs to know of it, in one place."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from pydantic import ValidationError

from tynysh.behaviour.analyser import Analyser
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.scene.need import Need
from tynysh.translations import LANGUAGES, Language, catalogue

AFTER_VIOLENCE = "after_violence"
"""The reason, after the behaviour's id, of what came right after violence."""


@dataclass(frozen=True, slots=True)
class Words:
    """What people read of a behaviour, in one language.

    name: what was noticed. response: what an operator should do. reasons: why, by the part of `Reason.key` after the
    behaviour's id; its places are the reason's values and `{lasted_s}`, the seconds that the event has lasted.
    """

    name: str
    response: str
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Severity:
    """How much a behaviour matters, and what makes it weigh more: `incidents.fusion.severity` adds it up.

    level: 1 low, 2 moderate, 3 high, 4 critical. long_s: from how many seconds on an event weighs one step more, and
    two from four times as long; None where it is brief by nature. many: from how many people on it weighs one step
    more. grave_reasons: reasons that weigh one step more, by the part of the key after the behaviour's id.
    after_violence: whether it weighs one step more beside violence, or right after it in the same place.
    """

    level: int
    long_s: float | None = None
    many: int | None = None
    grave_reasons: frozenset[str] = frozenset()
    after_violence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyserSpec:
    """The declaration of one analyser, found by the entry point of its id in the group `tynysh.analysers`.

    id: of the behaviour that it notices. settings: its settings model. factory: an analyser of one camera from an
    instance of `settings`; None where Tynysh notices the behaviour without looking at scenes.
    family: events of one family on one camera may be sides of one happening.
    rank: the behaviour of the lowest rank names an incident. Tynysh's own have 10, 20, … 100; 55 comes in between.
    needs: what scenes must carry beyond what every camera's do, or a function of the settings that says it; it is
    found only for cameras of which some analyser asks.
    by_default: whether a camera has it without being told; so it needs no zones.
    budgeted: whether its score is how sure it is, so that its threshold may be learnt within an alarm budget. The
    others' scores measure what is the case (how long, how many), and their limits are the site's to set.
    violent: an act of violence: who goes down after it was struck perhaps, and one may be taken for another.
    technical: a fault of the equipment, and no act of people.
    words: what people read, in every language.
    """

    id: Behaviour
    settings: type[AnalyserSettings]
    factory: Callable[..., Analyser] | None
    family: str
    rank: int
    severity: Severity
    words: Mapping[Language, Words]
    needs: frozenset[Need] | Callable[[Any], frozenset[Need]] = frozenset()
    by_default: bool = False
    budgeted: bool = False
    violent: bool = False
    technical: bool = False

    def needed(self, settings: AnalyserSettings) -> frozenset[Need]:
        """What the scenes of an analyser with these settings must carry."""
        return self.needs(settings) if callable(self.needs) else self.needs

    def faults(self) -> Iterator[str]:
        """What is wrong with the declaration, each in a few words; nothing where it is right."""
        if not re.fullmatch(Behaviour.PATTERN, self.id):
            yield f"the id {self.id!r} is not lower-case letters, digits and _, 2 to 30 of them"
        if not 1 <= self.severity.level <= 4:
            yield f"the severity {self.severity.level} is not 1, 2, 3 or 4"
        yield from self._faulty_settings()
        yield from self._faulty_words()

    def _faulty_settings(self) -> Iterator[str]:
        if AnalyserSettings not in getattr(self.settings, "__mro__", ()):
            yield f"the settings {self.settings!r} are no AnalyserSettings"
            return
        fields = self.settings.model_fields
        for name, common in AnalyserSettings.model_fields.items():
            if fields[name].annotation != common.annotation:
                yield f"the setting {name} clashes with that of every analyser: it is of another type"
        for name, info in fields.items():
            if not info.title or not info.description:
                yield f"the setting {name} has no title or no description"
        try:
            usual = self.settings().model_dump()
            self.settings.model_validate(usual)
            AnalyserSettings.model_validate({name: usual[name] for name in AnalyserSettings.model_fields})
            needs = self.needed(self.settings())
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            yield f"the settings do not hold as they are by default: {'.'.join(map(str, first['loc']))}: {first['msg']}"
            return
        if unknown := {str(need) for need in needs} - set(Need):
            yield f"scenes do not provide {', '.join(sorted(unknown))}"

    def _faulty_words(self) -> Iterator[str]:
        if missing := [language for language in LANGUAGES if language not in self.words]:
            yield f"there are no words in {', '.join(missing)}"
            return
        english = self.words["en"].reasons
        expected = self.severity.grave_reasons | ({AFTER_VIOLENCE} if self.severity.after_violence else set())
        if unworded := expected - set(english):
            yield f"there are no words for the reason {', '.join(sorted(unworded))}"
        for language in LANGUAGES:
            words = self.words[language]
            if not words.name.strip() or not words.response.strip():
                yield f"the name or the response is empty in {language}"
            if {key: places(text) for key, text in words.reasons.items()} != {
                key: places(text) for key, text in english.items()
            }:
                yield f"the reasons in {language} have other keys or places than those in en"


def places(template: str) -> set[str]:
    """The names of the `{places}` of a text."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def shipped(behaviour: str) -> dict[Language, Words]:
    """The words of one of Tynysh's own behaviours, from the translation catalogue."""
    prefix = f"reason.{behaviour}."
    return {
        language: Words(
            texts[f"behaviour.{behaviour}"],
            texts[f"response.{behaviour}"],
            {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)},
        )
        for language, texts in ((language, catalogue(language)) for language in LANGUAGES)
    }
