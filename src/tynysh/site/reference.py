"""The reference of site.yaml, written from the schema, so that it cannot fall behind it."""

import sys
from collections.abc import Iterator
from datetime import date, time
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tynysh.behaviour.registry import ANALYSERS
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.site.analysers import AnalysersBase
from tynysh.site.calibration import Calibration, KnownDistance, KnownPoint
from tynysh.site.camera import Camera, Defaults
from tynysh.site.credentials import CredentialSource, Reference
from tynysh.site.incidents import ClipLength, Joining
from tynysh.site.places import Place, PlaceGate, PlaceView
from tynysh.site.positions import CameraPosition, GeoPosition
from tynysh.site.retention import Retention, RetentionDays, RetentionLimit
from tynysh.site.schedule import Schedule, SunMoment
from tynysh.site.site import Site, SiteFile
from tynysh.site.trust import Trust
from tynysh.site.zones import Line, Zone

BEGIN = "<!-- written by: python -m tynysh.site.reference docs/installer/site.md -->"
END = "<!-- end of what is written -->"

_PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", SiteFile),
    ("A site: `sites[]`", Site),
    ("A camera: `sites[].cameras[]`", Camera),
    ("A zone: `sites[].cameras[].zones[]`", Zone),
    ("A line: `sites[].cameras[].lines[]`", Line),
    ("What was measured: `sites[].cameras[].calibration`", Calibration),
    ("A known point: `points[]`", KnownPoint),
    ("A known distance: `distances[]`", KnownDistance),
    ("Credentials: `credentials`", CredentialSource),
    ("Where a secret is found: `username`, `password`", Reference),
    ("What a camera is trusted with: `trust`", Trust),
    ("Hours: `sites[].schedules.NAME`", Schedule),
    ("A place of a site: `sites[].places[]`", Place),
    ("A gate: `sites[].places[].gates[]`", PlaceGate),
    ("A view: `sites[].places[].views[]`", PlaceView),
    ("Where a site is: `sites[].position`", GeoPosition),
    ("Where a camera is: `sites[].cameras[].position`", CameraPosition),
    ("Defaults for cameras: `sites[].defaults`", Defaults),
    ("Retention: `sites[].retention`", Retention),
    ("How long: `recordings`, `evidence`", RetentionLimit),
    ("How long: `history`", RetentionDays),
    ("Clips of incidents: `sites[].clip`", ClipLength),
    ("When events are one incident: `sites[].joining`", Joining),
)

_WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true`, `false`",
    time: "`HH:MM`",
    date: "`YYYY-MM-DD`",
    SunMoment: "by the sun",
}


def reference() -> str:
    """All keys of site.yaml as Markdown tables: what each means, what is allowed, what holds if it is left out."""
    sections = [_section(title, part) for title, part in _PARTS]
    sections.append(_section("Any analyser: `analysers.BEHAVIOUR`", AnalyserSettings))
    for behaviour, spec in ANALYSERS.items():
        own = {
            name: info
            for name, info in spec.settings.model_fields.items()
            if name not in AnalyserSettings.model_fields
            or info.default != AnalyserSettings.model_fields[name].default
        }
        usual = "; a camera has it without being told" if spec.by_default else ""
        title = f"`analysers.{behaviour}`"
        intro = f"What any analyser has, with these settings of its own or other usual values{usual}."
        sections.append(
            "\n".join([f"### {title}", "", intro, "", *_table(own)])
            if own
            else f"### {title}\n\nNothing of its own{usual}."
        )
    return "\n\n".join(sections) + "\n"


def _section(title: str, part: type[BaseModel]) -> str:
    about = (part.__doc__ or "").split("\n\n", 1)[0].strip()
    return "\n".join([f"### {title}", "", " ".join(about.split()), "", *_table(part.model_fields)])


def _table(fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield "| key | what it means | allowed | if left out |"
    yield "|---|---|---|---|"
    for name, info in fields.items():
        meaning = (info.description or "").replace("|", "\\|")
        yield f"| `{info.alias or name}` | {meaning} | {_allowed(info)} | {_usual(name, info)} |"


def _usual(name: str, info: FieldInfo) -> str:
    if info.is_required():
        return "made from the name" if name == "id" else "**required**"
    value = info.default
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, BaseModel):
        values = value.model_dump(mode="json", by_alias=True, exclude_none=True)
        return f"`{yaml.safe_dump(values, default_flow_style=True, sort_keys=False, width=10_000).strip()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{_number(value)}`" if isinstance(value, int | float) else f"`{value}`"


def _allowed(info: FieldInfo) -> str:
    bounds = _bounds(info.metadata)
    return " ".join(part for part in (_kind(info.annotation), bounds) if part)


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        return " ".join(part for part in (_kind(inner), _bounds(metadata)) if part)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if origin is tuple:
        arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
        if Ellipsis in get_args(annotation):
            return f"list of: {_kind(arguments[0])}"
        return f"[{', '.join(_kind(argument) for argument in arguments)}]"
    if origin is dict:
        return f"name: {_kind(get_args(annotation)[1])}"
    if origin is not None:
        kinds = [_kind(argument) for argument in get_args(annotation) if argument is not NoneType]
        return " or ".join(dict.fromkeys(kinds))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, AnalysersBase):
        return "behaviour: settings"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "see below"
    return _WORDS.get(annotation, f"`{annotation}`")


def _bounds(metadata: Any) -> str:
    words: list[str] = []
    for bound in metadata:
        match bound:
            case Ge(ge=value):
                words.append(f"at least {_number(value)}")
            case Gt(gt=value):
                words.append(f"more than {_number(value)}")
            case Le(le=value):
                words.append(f"at most {_number(value)}")
            case Lt(lt=value):
                words.append(f"less than {_number(value)}")
            case MinLen(min_length=value):
                words.append(f"{value} or more")
            case MaxLen(max_length=value):
                words.append(f"{value} at most")
            case FieldInfo():
                words.append(_bounds(bound.metadata).strip("()"))
            case _:
                pass
    return f"({', '.join(word for word in words if word)})" if any(words) else ""


def _number(value: Any) -> str:
    return f"{value:g}" if value < 1_000_000 else f"{value:.0f}"


def rewritten(page: str) -> str:
    """`page` with the part between its two marks written anew."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
