"""What a site file says, or everything that is wrong with it, each as file:line:column."""

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tynysh.errors import SiteError
from tynysh.site import addresses, references
from tynysh.site.identifiers import with_identifiers
from tynysh.site.references import Location
from tynysh.site.site import SiteFile
from tynysh.site.tree import BEGINNING, Flaw, Mark, Tree, read

_MOST_NAMED = 12
_MOST_TOLD = 200
_LONGEST = 300
_UNREAD = "cannot be read"
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}
# What stands here may be a secret that somebody wrote into the wrong place: it is not repeated.
_SECRET_PLACES = {"credentials", "username", "password", "main", "sub"}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong. line and column count from 1; path: which part, as `sites[0].cameras[1].main`."""

    line: int
    column: int
    path: str
    what: str
    allowed: tuple[str, ...] = ()
    nearest: str | None = None

    def words(self) -> str:
        """The fault in one line, without its place in the file."""
        text = _cut(f"{self.path}: {self.what}" if self.path else self.what)
        if self.nearest is not None:
            text += f"; did you mean {self.nearest!r}?"
        if self.allowed:
            shown = ", ".join(self.allowed[:_MOST_NAMED])
            more = f" and {len(self.allowed) - _MOST_NAMED} more" if len(self.allowed) > _MOST_NAMED else ""
            text += f"{'' if self.nearest else ';'} allowed: {shown}{more}"
        return text


class SiteFaultsError(SiteError):
    """A site file is wrong: all its faults, in the order of the file."""

    def __init__(self, path: Path, faults: Sequence[Mistake]) -> None:
        lines = [f"{path}:{fault.line}:{fault.column}: {fault.words()}" for fault in faults[:_MOST_TOLD]]
        if len(faults) > _MOST_TOLD:
            lines.append(f"and {len(faults) - _MOST_TOLD} more")
        super().__init__("\n".join(lines))
        self.path = path
        self.faults = tuple(faults)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def load(path: Path) -> SiteFile:
    """The sites of a file, relative paths in it made absolute.

    Raises SiteFaultsError with every fault that can be found in one run, or SiteError where the file cannot be
    read.
    """
    try:
        if path.is_dir():
            raise SiteError(f"{path} is a folder, not a site file.", hint="Give the YAML file itself.")
        content = path.read_bytes()
    except OSError as error:
        raise SiteError(
            f"The site file {path} {_UNREAD}: {(error.strerror or 'error').lower()}.",
            hint="Is the path right? docs/installer/site.md says what stands in a site file.",
        ) from None
    return parse(content, path)


def parse(content: bytes, path: Path) -> SiteFile:
    """The sites that `content` describes; `path` is its file, for messages and relative paths."""
    tree = read(content)
    faults = [_of_flaw(flaw) for flaw in tree.flaws]
    site: SiteFile | None = None
    if tree.data is None:
        if not faults:
            faults.append(Mistake(1, 1, "", "the file is empty; it needs `sites:` with a list of sites"))
    elif not isinstance(tree.data, dict):
        kind = "a list" if isinstance(tree.data, list) else "a single value"
        mark = tree.values[()]
        what = f"the file holds {kind}; it needs `sites:` with a list of sites below it"
        faults.append(Mistake(mark.line, mark.column, "", what))
    else:
        faults += _disagreements(tree)
        faults += _homeless(tree)
        mistaken = _mistaken_addresses(tree, path.absolute().parent)
        faults += mistaken
        flawed = {flaw.mark for flaw in tree.flaws} | {Mark(told.line, told.column) for told in mistaken}
        try:
            site = SiteFile.model_validate(tree.data)
        except ValidationError as error:
            faults += [
                _of_detail(tree, detail)
                for detail in error.errors(include_url=False)
                # What could not even be read is missing here, and has been told of.
                if not _echo(detail) and _place(tree, detail["loc"], at_key=False)[0] not in flawed
            ]
    if site is not None:
        faults += _truths(tree, site)
    if faults or site is None:
        raise SiteFaultsError(path, sorted(set(faults)))
    return anchored(site, path.absolute().parent)


def anchored(site: SiteFile, folder: Path) -> SiteFile:
    """The same with relative paths of streams and secrets taken from `folder`."""
    data = site.model_dump(by_alias=True, exclude_defaults=True)
    for place in data["sites"]:
        _anchor_credentials(place.get("defaults", {}), folder)
        for camera in place.get("cameras", ()):
            for stream in ("main", "sub"):
                if stream in camera:
                    camera[stream] = _anchored_address(camera[stream], folder)
            _anchor_credentials(camera, folder)
    return SiteFile.model_validate(data)


def _anchor_credentials(part: dict[str, Any], folder: Path) -> None:
    if "authority" in (trust := part.get("trust", {})):
        trust["authority"] = str(folder / Path(trust["authority"]).expanduser())
    for secret in part.get("credentials", {}).values():
        if isinstance(secret, dict) and "file" in secret:
            secret["file"] = str(folder / Path(secret["file"]).expanduser())


def _anchored_address(address: str, folder: Path) -> str:
    if re.match(r"^[A-Za-z][A-Za-z0-9+.-]+:", address):
        return address
    return str(folder / Path(address).expanduser())


def _homeless(tree: Tree) -> list[Mistake]:
    """The paths that begin with a `~name` that is nobody's."""
    found = []
    for location, mark, given in _texts(tree):
        if location[-1] in {"main", "sub", "file", "authority"}:
            try:
                Path(given).expanduser()
            except RuntimeError:
                what = "begins with the home folder of a user who does not exist; write the path in full"
                found.append(Mistake(mark.line, mark.column, _path(location), what))
    return found


def _mistaken_addresses(tree: Tree, folder: Path) -> list[Mistake]:
    """The addresses, and what belongs to them, that cannot be meant as they stand, and are no paths from `folder`."""
    found = []
    for location, mark, given in _texts(tree):
        of_stream = location[-1] in {"main", "sub"}
        what = addresses.mistake(given) if of_stream else addresses.unfilled(given)
        if what is not None and not os.path.lexists(folder / given):
            found.append(Mistake(mark.line, mark.column, _path(location), what))
    return found


def _texts(tree: Tree) -> Iterator[tuple[Location, Mark, str]]:
    """The addresses of streams, the names of accounts, and the paths and variables of secrets, each with its place."""
    for location, mark in tree.values.items():
        match location:
            case ("sites", int(), "cameras", int(), "main" | "sub"):
                pass
            case (
                (*_, "credentials", "username") | (*_, "credentials", _, "file") | (*_, "trust", "authority")
            ):
                pass
            case _:
                continue
        # Of a key that stands there twice only one value is kept, and that is told of itself.
        given = _part(tree.data, location)
        if isinstance(given, str):
            yield location, mark, given.strip()


def _truths(tree: Tree, site: SiteFile) -> list[Mistake]:
    """Where `true` or `false` stands for a number: pydantic would take them for 1 and 0."""
    read = site.model_dump(by_alias=True)
    return [
        Mistake(mark.line, mark.column, _path(location), f"needs a number, not {str(given).lower()}")
        for location, mark in tree.values.items()
        if isinstance(given := _part(tree.data, location), bool)
        and isinstance(taken := _part(read, location), int | float)
        and not isinstance(taken, bool)
    ]


def _part(data: Any, location: Location) -> Any:
    """What stands at `location` of plain data; None where nothing does."""
    for step in location:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return None
    return data


def _echo(detail: ErrorDetails) -> bool:
    """Whether an error only follows from others that are told of themselves."""
    if detail["type"] == "too_short":
        # Pydantic counts the right entries alone.
        return bool(len(detail["input"]) >= detail["ctx"]["min_length"])
    if detail["type"] == "missing" and detail["loc"][-1] == "id":
        # It would have been made from the name, had that been right.
        return True
    return detail["type"] == "references"


def _of_flaw(flaw: Flaw) -> Mistake:
    return Mistake(flaw.mark.line, flaw.mark.column, "", flaw.what)


def _disagreements(tree: Tree) -> list[Mistake]:
    found = references.faults(with_identifiers(tree.data))
    repeated = {fault.location[:-1] for fault in found if fault.location[-1] == "name"}
    return [
        _of_disagreement(tree, fault)
        for fault in found
        # Who gave a name twice need not hear that the id made of it is there twice, too.
        if fault.location in tree.values or not any(fault.location[: len(at)] == at for at in repeated)
    ]


def _of_disagreement(tree: Tree, found: references.Disagreement) -> Mistake:
    mark, location = _place(tree, found.location, at_key=False)
    allowed = tuple(dict.fromkeys(found.allowed))
    return Mistake(
        mark.line, mark.column, _path(location), found.what, allowed, _nearest(found.given, allowed)
    )


def _of_detail(tree: Tree, detail: ErrorDetails) -> Mistake:
    kind, location = detail["type"], detail["loc"]
    mark, place = _place(tree, location, at_key=kind == "extra_forbidden")
    what, allowed, given = _explained(detail, _secret(location))
    if kind == "missing":
        what = f"the key {location[-1]!r} is missing"
    elif len(place) < len(location) and location[-1] == "id":
        what = "the name gives no id; add one, as `id: main-gate`"
    return Mistake(mark.line, mark.column, _path(place), what, tuple(allowed), _nearest(given, allowed))


def _explained(detail: ErrorDetails, secret: bool) -> tuple[str, Sequence[str], str | None]:
    """What is wrong, what is allowed, and what was given if that may be compared and repeated."""
    context = detail.get("ctx", {})
    given = detail["input"] if isinstance(detail["input"], str) and not secret else None
    match detail["type"]:
        case "extra_forbidden":
            key = str(detail["loc"][-1])
            return f"unknown key {key!r}", _keys_at(detail["loc"][:-1]), key
        case "missing":
            return "", (), None
        case "enum" | "literal_error":
            allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            return f"{_shown(detail['input'], secret)} is not known", allowed, given
        case "url_scheme":
            return (
                f"{context['given']}: is no kind of video source",
                context["allowed"],
                f"{context['given']}:",
            )
        case "time_zone":
            names = context["names"]
            close = difflib.get_close_matches(str(context["given"]), names, 1, 0.6)
            problem = f"{context['given']!r} is not a time zone; write an IANA name as {context['example']!r}"
            return problem + (f"; did you mean {close[0]!r}?" if close else ""), (), None
        case "country":
            return f"{context['given']!r} {detail['msg']}", context["names"], given
        case "string_pattern_mismatch" if detail["loc"][-1] == "id":
            return (
                f"{_shown(detail['input'], secret)} is not an id; allowed are a-z, 0-9 and '-' between them",
                (),
                None,
            )
        case "string_pattern_mismatch" if detail["loc"][-1] == "env":
            return "is not the name of an environment variable: letters, digits and '_'", (), None
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"needs keys with values below it, not {_shown(detail['input'], secret)}", (), None
        case "tuple_type" | "list_type":
            return f"needs a list, not {_shown(detail['input'], secret)}", (), None
        case "too_short" | "too_long":
            least, most = context.get("min_length"), context.get("max_length")
            bound = f"at least {least}" if least is not None else f"at most {most}"
            return f"has {len(detail['input'])} entries; it needs {bound}", (), None
        case "string_type":
            return f"needs text, not {_shown(detail['input'], secret)}; put it in quotes", (), None
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            words, bound = _BOUNDS[detail["type"]]
            return (
                f"{_shown(detail['input'], secret)} does not do; it must be {words} {context[bound]:g}",
                (),
                None,
            )
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{_shown(detail['input'], secret)} is not a whole number", (), None
        case "float_parsing" | "float_type" | "finite_number":
            return f"{_shown(detail['input'], secret)} is not a number", (), None
        case "bool_parsing" | "bool_type":
            return f"{_shown(detail['input'], secret)} is neither true nor false", ("true", "false"), None
        case _:
            message = detail["msg"]
            return message[:1].lower() + message[1:], (), None


def _shown(value: Any, secret: bool) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list | tuple):
        return "a list"
    if secret:
        return "what is given"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…'"


def _secret(location: Location) -> bool:
    return any(part in _SECRET_PLACES for part in location)


def _place(tree: Tree, location: Location, *, at_key: bool) -> tuple[Mark, Location]:
    """The mark of the part of the file that is nearest to pydantic's `location`, and that part.

    Pydantic's locations hold parts that the file does not: tags of unions, keys that are missing or derived.
    """
    at: Location = ()
    for part in location:
        if (*at, part) in tree.values:
            at = (*at, part)
    marks = tree.keys if at_key and at in tree.keys else tree.values
    if marks is tree.values and len(at) < len(location) and at in tree.keys:
        marks = tree.keys
    return marks.get(at, BEGINNING), at


def _path(location: Location) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _nearest(given: str | None, allowed: Sequence[str]) -> str | None:
    if given is None:
        return None
    by_folded = {name.casefold(): name for name in allowed}
    found = difflib.get_close_matches(given.strip().casefold(), by_folded, 1, 0.6)
    return by_folded[found[0]] if found else None


def _keys_at(location: Location) -> Sequence[str]:
    """The keys that the model at `location` knows."""
    part: Any = SiteFile
    for step in location:
        if isinstance(step, int):
            continue
        model = _model_in(part)
        if model is not None:
            known = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
            part = known.get(step, part)
    model = _model_in(part)
    return [] if model is None else [info.alias or name for name, info in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)
