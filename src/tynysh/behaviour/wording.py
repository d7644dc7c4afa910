"""How is a behaviour, and why it was noticed, said in a language?"""

from tynysh.behaviour.registry import BEHAVIOURS, spec_of
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.translations import LANGUAGES, Language, catalogue


def name(language: Language, behaviour: Behaviour) -> str:
    """What a behaviour is called; its id made readable where its analyser is not installed."""
    words = spec_of(behaviour).words.get(language)
    return _plain(behaviour) if words is None else words.name


def why(language: Language, reason: Reason) -> str:
    """A reason in words. Values may be words of the catalogue themselves, such as a side of the picture."""
    behaviour, _, key = reason.key.partition(".")
    words = spec_of(Behaviour(behaviour)).words.get(language)
    if words is None or key not in words.reasons:
        return _plain(key or behaviour)
    texts = catalogue(language)
    values = {name: texts.get(f"{name}.{value}", value) for name, value in reason.values.items()}
    return words.reasons[key].format(**values)


def added() -> dict[Language, dict[str, str]]:
    """The texts that installed packages add to the catalogue: language → key → text, the keys as the catalogue's."""
    return {
        language: {
            key: text
            for behaviour, spec in BEHAVIOURS.items()
            for key, text in {
                f"behaviour.{behaviour}": spec.words[language].name,
                f"response.{behaviour}": spec.words[language].response,
                **{f"reason.{behaviour}.{key}": text for key, text in spec.words[language].reasons.items()},
            }.items()
            if key not in catalogue(language)
        }
        for language in LANGUAGES
    }


def _plain(key: str) -> str:
    """`platform_edge` as `Platform edge`."""
    return key.rsplit(".", maxsplit=1)[-1].replace("_", " ").capitalize()
