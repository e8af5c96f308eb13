"""Queries and forms: what was sent is what is read, however large."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.forms import LARGE, read_form, read_query

PADDING = b"A" * LARGE


def _small(value: bytes) -> str:
    ((_, text),) = read_form(b"k=" + value)
    return text


def _large(value: bytes) -> str:
    """``value`` as it is read behind so much padding that it goes the quick way."""
    ((_, text),) = read_form(b"k=" + PADDING + value)
    assert text.startswith("A" * LARGE)
    return text[LARGE:]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("a=1", [("a", "1")]),
        ("a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=x", [("", "x")]),
        ("a=1&&b=2", [("a", "1"), ("b", "2")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=x+y", [("a", "x y")]),
        ("a=x%2By", [("a", "x+y")]),
        ("a=%E4%BD%A0", [("a", "你")]),
        ("%E4%BD%A0=a", [("你", "a")]),
        ("a=%e4%bd%a0", [("a", "你")]),
        ("a=1;b=2", [("a", "1;b=2")]),
        ("a=%26%3D", [("a", "&=")]),
        ("a=%zz", [("a", "%zz")]),
        ("a=100%", [("a", "100%")]),
        ("a=%ff", [("a", "\ufffd")]),
        ("a=%2525", [("a", "%25")]),
        ("a=%00", [("a", "\x00")]),
    ],
)
def test_a_query_and_a_form_are_read_alike(text: str, pairs: list[tuple[str, str]]) -> None:
    assert list(read_query(text)) == pairs
    assert read_form(text.encode()) == pairs


def test_bytes_that_are_no_utf_8_become_replacement_characters() -> None:
    assert read_form(b"a=x\xffy") == [("a", "x\ufffdy")]


def test_chinese_that_was_not_encoded_is_read() -> None:
    assert read_form("a=你好".encode()) == [("a", "你好")]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"+",
        b"%2B",
        b"%zz",
        b"%",
        b"%%",
        b"%4",
        b"%%41",
        b"%4x",
        b"%\n",
        b"%\r\nB",
        b"%3D%3d",
        b"=",
        b"a=b",
        b"==",
        b"\n",
        b" \n",
        b"+\n",
        b"\r\n",
        b"\xff",
        b"%ff",
        b"%e4%bd",
        b"%e4%bd%a0",
        b"\xe4%bd%a0",
        b"\xe4\xbd\xa0",
        b"_",
        b";",
        b"\x00",
        b"#",
    ],
)
def test_a_large_value_is_read_as_a_small_one_is(value: bytes) -> None:
    assert _large(value) == _small(value)


_parts = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"%", b"+", b"=", b"%zz", b"%4", b"%41", b"%C3%A9", b"%ff", b"\xff", b"\r\n", b"AA==", b" "]),
)


@given(st.lists(_parts, max_size=12).map(b"".join).map(lambda value: value.replace(b"&", b"")))
def test_any_large_value_is_read_as_a_small_one_is(value: bytes) -> None:
    assert _large(value) == _small(value)


@given(st.text(max_size=20))
def test_the_name_of_a_large_value_is_read_as_of_a_small_one(name: str) -> None:
    encoded = name.encode("utf-8", "replace").replace(b"&", b"").replace(b"=", b"")
    small = [key for key, _ in read_form(encoded + b"=x")]

    assert [key for key, _ in read_form(encoded + b"=" + PADDING)] == small


def test_a_large_value_stands_in_its_place_among_the_others() -> None:
    names = [name for name, _ in read_form(b"a=1&image=" + PADDING + b"&b=2&c")]

    assert names == ["a", "image", "b", "c"]


def test_base64_that_was_encoded_comes_back_as_it_was() -> None:
    ((_, value),) = read_form(b"image=" + PADDING + b"%2B%2F%3D%3D")

    assert value == "A" * LARGE + "+/=="


def test_base64_whose_plus_was_forgotten_to_be_encoded_comes_with_spaces() -> None:
    ((_, value),) = read_form(b"image=" + PADDING + b"a+b")

    assert value.endswith("a b")


def test_many_small_values_make_no_large_one() -> None:
    pairs = read_form(b"&".join(b"k%d=%%41" % number for number in range(20_000)))

    assert (len(pairs), pairs[-1]) == (20_000, ("k19999", "A"))
