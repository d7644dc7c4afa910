"""Which of the languages an answer is written in."""

from tynysh.translations import LANGUAGES, Language


def language_of(accept_language: str | None) -> Language:
    """The best of our languages for an `Accept-Language` header (RFC 9110, section 12.5.4); English otherwise."""
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept_language or "")[:200].split(","):
        tag, _, weight = part.strip().partition(";")
        language = next((known for known in LANGUAGES if tag.lower().split("-")[0] == known), None)
        if language is None:
            continue
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            quality = 0.0
        if quality > best[0]:
            best = (quality, language)
    return best[1]
