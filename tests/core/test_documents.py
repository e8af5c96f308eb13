"""JSON from outside is read strictly and within bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.documents import read_json

_documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def _nested(levels: int, start: str = "[", end: str = "]") -> str:
    return start * levels + end * levels


@given(_documents)
def test_a_document_is_read_as_it_was_written(document: object) -> None:
    assert read_json(json.dumps(document)) == document
    assert read_json(json.dumps(document).encode()) == document


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "NaN", "Infinity", "01", "// x", '"\\ud800"', "1 2"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"line \d+ column \d+"):
        read_json(text)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(ValueError, match=r"line \d+ column \d+"):
        read_json(b'"\xff"')


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
def test_sixty_four_levels_are_read(start: str, end: str) -> None:
    assert read_json(start * 64 + "1" + end * 64)


@pytest.mark.parametrize("levels", [65, 200, 1000, 100_000])
@pytest.mark.parametrize("coded", [True, False])
def test_more_levels_are_refused(levels: int, coded: bool) -> None:
    text = _nested(levels)

    with pytest.raises(ValueError, match=r"nested more than 64 levels deep|line \d+ column \d+"):
        read_json(text.encode() if coded else text)


def test_many_members_side_by_side_are_read() -> None:
    assert len(read_json("[" + ",".join(["[]"] * 10_000) + "]")) == 10_000


def test_signs_of_nesting_inside_a_text_are_no_nesting() -> None:
    text = '"' + "[{" * 1000 + '"'

    assert read_json(text) == read_json(text.encode()) == "[{" * 1000
