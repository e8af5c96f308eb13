"""Documents that people write: YAML by its newer rules, JSON, and the lines of both."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from emulator.core.written import MOST_PLACES, read


def yaml(text: str) -> Any:
    return read("a.yaml", text.encode()).document


def wrong(text: str | bytes, name: str = "a.yaml") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(name, text if isinstance(text, bytes) else text.encode())
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "Y", "n", "ON", "2026-01-01", "1:30", "0x1f", "1_000", "="])
def test_what_older_yaml_takes_for_something_else_is_a_text(word: str) -> None:
    assert yaml(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("010", 10),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ('"7"', "7"),
        ("'true'", "true"),
        ("!!str 7", "7"),
        ("!!int '7'", 7),
        ("1s", "1s"),
        ("80%", "80%"),
        ("成功", "成功"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_a_value_means_what_it_means_in_json(text: str, value: Any) -> None:
    assert yaml(f"a: {text}") == {"a": value}


@pytest.mark.parametrize("key", ["on", "7", "null", "true", "2026-01-01"])
def test_a_key_is_a_text_whatever_it_looks_like(key: str) -> None:
    assert yaml(f"{key}: 1") == {key: 1}


def test_an_anchor_stands_for_what_it_names() -> None:
    assert yaml("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_members_may_be_taken_over_and_be_others_here() -> None:
    assert yaml("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n")["d"] == {"b": 1, "c": 3}
    assert yaml("- &x {b: 1}\n- &y {b: 2, c: 2}\n- {<<: [*x, *y]}\n")[2] == {"b": 1, "c": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n",
            "a.yaml:5#/b/c: 'c' is here already, in line 3; one of the two has to go",
        ),
        ("1: 1\n'1': 2", "a.yaml:2#/1: '1' is here already, in line 1; one of the two has to go"),
        ("a: !!python/object:os.system x", "a.yaml:1#/a: the tag !!python/object:os.system means nothing here"),
        ("a: !mine x", "a.yaml:1#/a: the tag !mine means nothing here"),
        ("a: !!set {b}", "a.yaml:1#/a: the tag !!set means nothing here"),
        ("a: !!int x", "a.yaml:1#/a: 'x' is no int"),
        ("a: 1e999", "a.yaml:1#/a: '1e999' is too large a number"),
        ("? {a: 1}\n: 2", "a.yaml:1: a key must be a text"),
        ("a: &x [*x]", "a.yaml:1#/a/0: this stands inside itself"),
        ("a: {<<: 7}", "a.yaml:1#/a/<<: << takes over members of other objects, and this is none"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: not YAML: but found another document"),
        ("a: *x", "a.yaml:1: not YAML: found undefined alias 'x'"),
        ("a: \x07", "a.yaml: not YAML: special characters are not allowed"),
        ("a: " + "[" * 100 + "]" * 100, "a.yaml: it could not be JSON: it is nested more than 64 levels deep"),
        ("[" * 600, "a.yaml: it is nested too deeply"),
        ('a: "\\ud83d"', None),
        ("a: 123456789012345678901234567890", None),
    ],
)
def test_what_is_wrong_with_yaml_is_told(text: str, said: str | None) -> None:
    (found,) = wrong(text)

    assert found == said if said is not None else found.startswith("a.yaml: it could not be JSON: ")


def test_every_key_that_is_there_twice_is_told() -> None:
    assert len(wrong("a: 1\na: 2\nb: {c: 1, c: 1}")) == 2


def test_aliases_that_stand_for_too_much_are_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 6))

    assert wrong("\n".join(lines)) == [
        f"a.yaml: it could not be JSON: it has more than {MOST_PLACES} members and elements"
    ]


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_what_is_no_utf8_is_told(name: str) -> None:
    assert wrong(b'{"a": "\xff"}', name) == [f"{name}: not UTF-8: byte 7 is invalid start byte"]


def test_a_key_that_is_there_twice_in_json_is_told() -> None:
    assert wrong('{\n"a": 1,\n"a": 2}', "a.json") == [
        "a.json:3#/a: 'a' is here already, in line 2; one of the two has to go"
    ]


@pytest.mark.parametrize("text", ['{"a": "\\ud83d\\ude00\\/"}', '{"a":\t"\x7f"}', '{"a": 1.0e2, "b": [null, true]}'])
def test_json_is_read_as_json(text: str) -> None:
    import json

    assert read("a.json", text.encode()).document == json.loads(text)


def test_a_line_is_that_of_the_key() -> None:
    written = read("a.yaml", b"a:\n  b:\n    - 1\n    -\n      c/d: 2\n")

    places = ["", "/a", "/a/b", "/a/b/0", "/a/b/1/c~1d"]
    assert [written.line(place) for place in places] == [1, 1, 2, 3, 5]


def test_what_is_missing_has_the_line_of_what_it_is_missing_in() -> None:
    assert read("a.json", b'{"a":\n{"b": 1}}').line("/a/c/d") == 1
