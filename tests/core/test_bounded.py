"""A collection that forgets its oldest finished entries, and says how many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.bounded import Bounded


def _filled(limit: int, entries: list[str], live: str = "") -> Bounded[int, str]:
    kept: Bounded[int, str] = Bounded(limit)
    for number, entry in enumerate(entries):
        kept.keep(number, entry, lambda old: old not in live)
    return kept


def test_within_the_limit_everything_is_kept() -> None:
    kept = _filled(3, ["a", "b", "c"])

    assert (list(kept), kept.created, kept.evicted) == (["a", "b", "c"], 3, 0)


def test_beyond_the_limit_the_oldest_finished_are_forgotten() -> None:
    assert list(_filled(2, list("abcdef"))) == ["e", "f"]


def test_live_entries_are_kept_and_others_make_room() -> None:
    assert list(_filled(3, list("abcdef"), live="ac")) == ["a", "c", "f"]


def test_an_entry_is_found_by_its_key_until_it_is_forgotten() -> None:
    kept = _filled(2, ["a", "b", "c"])

    assert (kept.get(0), kept.get(2)) == (None, "c")


def test_the_newest_is_never_forgotten_however_little_room_there_is() -> None:
    assert list(_filled(1, ["a", "b"], live="a")) == ["a", "b"]


def test_a_quarter_more_than_the_limit_may_be_kept() -> None:
    sizes = [len(_filled(8, ["x"] * count)) for count in (8, 9, 10, 11, 12, 13)]

    assert sizes == [8, 9, 10, 8, 9, 10]


@given(st.integers(1, 40), st.lists(st.sampled_from("ab"), max_size=120))
def test_the_count_never_lies_and_the_bound_holds_for_what_is_finished(limit: int, entries: list[str]) -> None:
    kept = _filled(limit, entries, live="a")

    assert kept.created == len(kept) + kept.evicted == len(entries)
    bound = max(limit, entries.count("a") + 1)
    assert len(kept) <= bound + bound // 4
    assert [entry for entry in kept if entry == "a"] == [entry for entry in entries if entry == "a"]
