"""Report pages from their templates: one file each, no scripts, nothing loaded from elsewhere, fit to be printed."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tynysh.behaviour import wording
from tynysh.evaluation.labels import clock
from tynysh.translations import Language, text

PlotPoint = tuple[float, float]
"""(across, up), each in [0, 1] of a plot's square."""

_TEMPLATES = Environment(
    loader=PackageLoader("tynysh.evaluation"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "clock": clock,
    "base64": lambda picture: base64.b64encode(picture).decode(),
    # With its folder a file's name tells it apart in most lists.
    "short": lambda path: "/".join(Path(path).parts[-2:]),
}


def render(name: str, values: Mapping[str, Any], *, language: Language) -> str:
    """The page of the template `name`.html with `values`, in the style of page.css and, if there is one, `name`.css.

    Templates have `say(key, **places)` for the page's own texts and `behaviour(behaviour)` for a behaviour's name;
    `number`, `percent` and `between` for figures, in which None is a dash.
    The page's own policy lets it load and run nothing: its one style sheet is named by its hash, and pictures must be
    in the page itself (`data:`).
    """
    sheets = [sheet for sheet in ("page.css", f"{name}.css") if sheet in _TEMPLATES.list_templates(["css"])]
    sheet = "".join(_TEMPLATES.get_template(sheet).render() for sheet in sheets)

    def say(key: str, **places: object) -> str:
        return text(language, f"evaluation.{name}.{key}", **places)

    def number(value: float | None, digits: int = 2) -> str:
        shown = "–" if value is None else f"{value:.{digits}f}"
        return shown if language == "en" else shown.replace(".", ",")

    return _TEMPLATES.get_template(f"{name}.html").render(
        values,
        language=language,
        sheet=Markup(sheet),  # noqa: S704 - our own
        seal=base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode(),
        say=say,
        behaviour=lambda behaviour: wording.name(language, behaviour),
        number=number,
        percent=_percent,
        between=_between,
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


def _between(interval: tuple[float, float] | None, form: Callable[[float], str]) -> str:
    """Both ends of an interval; empty where there is none."""
    return "" if interval is None else f"{form(interval[0])} – {form(interval[1])}"
