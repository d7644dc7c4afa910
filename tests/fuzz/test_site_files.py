"""Whatever stands in a site file, the answer is its sites or a list of faults that people can read."""

from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from tests.fuzz.effort import in_time, try_all
from tests.fuzz.memory import within
from tests.site.test_yaml import EXAMPLE, RIGHT

from tynysh.errors import SiteError
from tynysh.site.site import SiteFile
from tynysh.site.yaml import SiteFaultsError, parse

PATH = Path("/somewhere/site.yaml")
LONGEST_MESSAGE = 200_000
WHOLE = [RIGHT, EXAMPLE.read_text()]

ODD = [
    *("~", "null", "true", "no", "[]", "{}", "[[[]]]", "{a: {a: {}}}", "-", "?", ":", "|", ">", "%", "@", "`", "---"),
    *("0", "-1", "1e999", "-1e999", ".nan", ".inf", "0x" + "f" * 5000, "0o7", "9" * 5000, "9" * 400, "1_0", "١٢"),
    *('"\\0"', '"\\uD800"', '"\\U00110000"', '"\\UFFFFFFFF"', '"\\x80"', "\0", "\x07", "\x85", "\u2028", "\ufeff"),
    *("&a [*a]", "&a x", "*a", "*nothing", "<<", "!!python/object:os.system x", "!!binary aGk=", "!<!%ff> x", "! x"),
    *("2024-01-01", "25:61", "x" * 5000, "'", '"', "# x", "\t", "\r", "\n", "\r\n\r\n", "[" * 200, "{a: " * 200),
    *("../../etc/passwd", "~nobody-at-all/x", "/dev/zero", "rtsp://[::1/x", "rtsp://a℀b/", "http://:99999/", "${X}"),
    *("%YAML " + "9" * 5000 + ".1", "%TAG ! %%%", "? [1, 2]\n: 3", "sites: []", "sites:\n  - *a"),
]  # fmt: skip


def words_of(text: str) -> SearchStrategy[str]:
    """The file with some of its words, lines and characters replaced, removed or doubled."""
    lines = text.splitlines(keepends=True)

    @st.composite
    def mutated(draw: st.DrawFn) -> str:
        kept = list(lines)
        for _ in range(draw(st.integers(1, 4))):
            place = draw(st.integers(0, len(kept) - 1))
            line = kept[place]
            match draw(st.sampled_from(["value", "word", "insert", "remove", "double", "indent", "move"])):
                case "value":
                    key, mark, _ = line.partition(": ")
                    kept[place] = f"{key}{mark}{draw(st.sampled_from(ODD))}\n"
                case "word":
                    cut = draw(st.integers(0, len(line)))
                    kept[place] = line[:cut] + draw(st.sampled_from(ODD)) + line[cut:]
                case "insert":
                    cut = draw(st.integers(0, len(line)))
                    kept[place] = line[:cut] + draw(st.text(max_size=6)) + line[cut:]
                case "remove":
                    kept[place] = ""
                case "double":
                    kept[place] = line * draw(st.integers(2, 3))
                case "indent":
                    kept[place] = " " * draw(st.integers(1, 5)) + line
                case "move":
                    kept.insert(draw(st.integers(0, len(kept))), line)
        return "".join(kept)

    return mutated()


ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1251", "koi8-r"]
FILES = st.one_of(
    st.builds(
        lambda text, code: text.encode(code, "replace" if code in {"cp1251", "koi8-r"} else "surrogatepass"),
        st.one_of(*map(words_of, WHOLE)),
        st.sampled_from(ENCODINGS),
    ),
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
)


def answer(content: bytes) -> SiteFile | SiteFaultsError:
    """What is made of a file, which must be one of two things."""
    try:
        site = parse(content, PATH)
    except SiteFaultsError as error:
        assert error.faults
        assert len(error.message) < LONGEST_MESSAGE
        error.message.encode()
        lines = (
            content.count(b"\n") + content.count(b"\r") + content.count(b"\x85") + content.count(b"\xa8") + 2
        )
        assert all(1 <= fault.line <= lines and fault.column >= 1 for fault in error.faults)
        return error
    again = SiteFile.model_validate_json(site.model_dump_json(by_alias=True))
    assert again == site
    return site


@pytest.mark.torture
def test_a_site_file_is_right_or_told_what_is_wrong_with_it() -> None:
    try_all(answer, FILES, examples=150)


BOMBS = {
    "a level for each letter": "[" * 50_000,
    "maps in maps": "{a: " * 50_000,
    "deeper with each line": "".join(f"{' ' * depth}a:\n" for depth in range(2000)),
    "lists in lists": "- " * 50_000,
    "an alias in itself": "a: &a [*a]\n",
    "nine to the twelfth": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    "keys of keys": "".join(f"k{n}: 1\n" for n in range(4_000)),
    "one line": 'sites: "' + "x" * 1_000_000 + '"',
    "a long name": RIGHT.replace("name: Door", f"name: {'x' * 1_000_000}"),
    "too large": "# x\n" * 2_000_000,
}


def test_a_bomb_costs_neither_time_nor_memory() -> None:
    with within(300 * 2**20):
        for bomb in BOMBS.values():
            with in_time(60):
                assert isinstance(answer(bomb.encode()), SiteError)


@pytest.mark.parametrize(
    "text",
    [
        RIGHT.replace("name: Door", 'name: "\\U00110000"'),
        RIGHT.replace("name: Door", 'name: "\\UFFFFFFFF"'),
        RIGHT.replace("limit: 20", f"limit: 0x{'f' * 5000}"),
        RIGHT.replace("limit: 20", f"limit: {'9' * 400}"),
        f"%YAML {'9' * 5000}.1\n---\n{RIGHT}",
    ],
)
def test_a_number_beyond_all_measure_is_told_where_it_stands(text: str) -> None:
    error = answer(text.encode())
    assert isinstance(error, SiteFaultsError)
    (fault,) = error.faults
    assert "not a number that can be used" in fault.what
    assert fault.line == next(
        n for n, line in enumerate(text.splitlines(), 1) if "\\U" in line or "fff" in line or "999" in line
    )
    assert fault.column > 1


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Asia/Almaty", '"\\uD800"', 4),
        ("name: Door", 'name: "D\\uDFFFr"', 8),
        ("kind:", '"\\uD800": 1\n    kind:', 3),
    ],
)
def test_half_a_character_is_told_where_it_stands(old: str, new: str, line: int) -> None:
    error = answer(RIGHT.replace(old, new, 1).encode())
    assert isinstance(error, SiteFaultsError)
    assert [(fault.line, "a character that text does not hold" in fault.what) for fault in error.faults] == [
        (line, True)
    ]


def test_whatever_stands_in_the_place_of_a_value_is_right_or_told() -> None:
    lines = RIGHT.splitlines()
    places = [number for number, line in enumerate(lines) if ": " in line]
    for number, odd in enumerate(ODD):
        for place in (places[number % len(places)], places[(5 * number + 3) % len(places)]):
            key, mark, _ = lines[place].partition(": ")
            text = "\n".join([*lines[:place], f"{key}{mark}{odd}", *lines[place + 1 :]])
            answer(text.encode("utf-8", "surrogatepass"))


def test_thousands_of_faults_are_told_briefly() -> None:
    error = answer(BOMBS["keys of keys"].encode())
    assert isinstance(error, SiteFaultsError)
    assert len(error.faults) > 4_000
    assert error.message.endswith(f"and {len(error.faults) - 200} more")
