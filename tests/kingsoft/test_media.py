"""What sources are taken to hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.ids import Draw
from emulator.kingsoft import media
from tests.support.clouds import data


def test_a_drawn_description_is_the_same_for_the_same_meaning() -> None:
    assert media.drawn(Draw(7, "a")) == media.drawn(Draw(7, "a")) != media.drawn(Draw(7, "b"))


@given(st.integers())
def test_a_drawn_description_fits_the_schema_of_described_sources(meaning: int) -> None:
    schema = data()[0].get("kingsoft/media.json")

    assert schema.is_valid({"$schema": schema.id, "media": media.drawn(Draw(meaning))})
