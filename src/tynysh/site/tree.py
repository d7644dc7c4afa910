"""YAML as plain data, with the place in the text of every part of it."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from tynysh.site.references import Location

LARGEST_BYTES = 4 * 1024 * 1024
MOST_NODES = 200_000
"""After aliases are followed: a few lines of them can stand for billions."""
DEEPEST = 30
_LARGEST_NUMBER = 2**63
_NO_NUMBER = "not a number that can be used"

_EXPLAINED = (
    ("found duplicate anchor", "an anchor of that name was set before"),
    ("found undefined alias", "there is no anchor of that name before this"),
    ("character '\\t' that cannot start", "a tab; indent with spaces"),
    ("cannot start any token", "this character cannot begin a value; put the text in quotes"),
    ("mapping values are not allowed here", "a second `:`, or wrong indentation; put text with `: ` in quotes"),
    ("could not find expected ':'", "the `:` after a key is missing"),
    ("while scanning a quoted scalar", "a quote is not closed"),
    ("but found '<stream end>'", "a bracket is not closed"),
    ("expected <block end>", "wrong indentation: this does not line up with what is above it"),
    ("expected ',' or", "a comma or the closing bracket is missing"),
    ("expected the node content", "a value is missing before this"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text, both from 1."""

    line: int
    column: int


BEGINNING = Mark(1, 1)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the YAML itself, and where."""

    mark: Mark
    what: str


@dataclass(slots=True)
class Tree:
    """Plain data, and where each part stands: `keys` of a mapping's key, `values` of the value. Keys are locations."""

    data: Any = None
    keys: dict[Location, Mark] = field(default_factory=dict)
    values: dict[Location, Mark] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """SafeLoader with the plain values of YAML 1.2: `22:00` is no number, `no` is no boolean, no dates."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        [*"-+0123456789."],
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def read(content: bytes) -> Tree:
    """What `content` says. Flaws are in the tree; where the YAML cannot be understood at all, there is no data."""
    tree = Tree()
    text = _text(content, tree)
    if text is None:
        return tree
    try:
        root = _compose(text)
    except yaml.MarkedYAMLError as error:
        begun = "quoted scalar" in (error.context or "")
        mark = (error.context_mark if begun else error.problem_mark) or error.context_mark
        tree.flaws.append(Flaw(_mark(mark) if mark else BEGINNING, _explained(error)))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark_ = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        tree.flaws.append(Flaw(mark_, "a character that text does not hold; is this a text file?"))
    except RecursionError:
        tree.flaws.append(Flaw(BEGINNING, f"nested deeper than {DEEPEST} levels"))
    else:
        if root is None:
            tree.flaws.append(Flaw(BEGINNING, "the file is empty; it needs `sites:` with a list of sites"))
        else:
            tree.data = _Builder(tree).build(root)
    return tree


def reads_as_text(word: str) -> bool:
    """Whether `word`, written without quotes, is read as text and not as a number, a truth or nothing."""
    resolvers = _Loader.yaml_implicit_resolvers.get(word[:1], [])
    return not any(pattern.match(word) for _, pattern in resolvers)


def _text(content: bytes, tree: Tree) -> str | None:
    if len(content) > LARGEST_BYTES:
        tree.flaws.append(Flaw(BEGINNING, f"the file is larger than {LARGEST_BYTES // 1024 // 1024} MiB"))
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        mark = Mark(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        tree.flaws.append(Flaw(mark, "not text in UTF-8; is this a site file?"))
        return None


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    except (ValueError, OverflowError) as error:
        # PyYAML lets pass what Python says of `"\\UFFFFFFFF"` and of a version of five thousand digits.
        raise yaml.MarkedYAMLError(problem=_NO_NUMBER, problem_mark=loader.get_mark()) from error
    finally:
        loader.dispose()


class _TooMuch(Exception):  # noqa: N818  a way out of the recursion, told as a flaw
    pass


class _Builder:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._nodes = 0
        self._loader = _Loader("")

    def build(self, root: yaml.Node) -> Any:
        try:
            return self._value(root, ())
        except _TooMuch:
            return None

    def _value(self, node: yaml.Node, at: Location) -> Any:
        mark = _mark(node.start_mark)
        self._tree.values[at] = mark
        self._nodes += 1
        if len(at) > DEEPEST:
            self._stop(mark, f"nested deeper than {DEEPEST} levels, or an alias that holds itself")
        if self._nodes > MOST_NODES:
            self._stop(mark, f"more than {MOST_NODES} values once aliases are followed")
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self._value(item, (*at, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, mark)
        self._flaw(mark, "tags such as `!!set` are not understood here; remove the tag")
        return None

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = _mark(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._flaw(mark, "a key must be a word")
                continue
            key = key_node.value
            if not self._is_text(key, mark):
                continue
            where = (*at, key)
            if key in built:
                self._flaw(
                    mark, f"the key {key!r} stands here twice, first in line {self._tree.keys[where].line}"
                )
                continue
            self._tree.keys[where] = mark
            built[key] = self._value(value_node, where)
        return built

    def _scalar(self, node: yaml.ScalarNode, mark: Mark) -> Any:
        if node.tag == "tag:yaml.org,2002:str":
            return node.value if self._is_text(node.value, mark) else None
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return node.value.lower() == "true"
                case "int":
                    number = int(node.value, 0) if node.value[:2] in {"0o", "0x"} else int(node.value)
                    if abs(number) < _LARGEST_NUMBER:
                        return number
                case "float":
                    return self._loader.construct_yaml_float(node)
                case _:
                    self._flaw(mark, "tags such as `!!binary` are not understood here; remove the tag")
                    return None
        except ValueError:
            pass
        self._flaw(mark, f"{_NO_NUMBER}: {node.value[:20]!r}")
        return None

    def _is_text(self, value: str, mark: Mark) -> bool:
        """Whether this can be written down: half a character, as the escape of a surrogate gives, cannot."""
        try:
            value.encode()
        except UnicodeEncodeError:
            self._flaw(mark, "a character that text does not hold: an escape from `\\uD800` to `\\uDFFF`")
            return False
        return True

    def _flaw(self, mark: Mark, what: str) -> None:
        self._tree.flaws.append(Flaw(mark, what))

    def _stop(self, mark: Mark, what: str) -> None:
        self._flaw(mark, what)
        raise _TooMuch


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _explained(error: yaml.MarkedYAMLError) -> str:
    message = f"{error.context or ''} {error.problem or ''}"
    if "expected a single document" in message:
        return "a second document begins here (`---`); a site file is one"
    return next((plain for words, plain in _EXPLAINED if words in message), message.strip())
