"""Buckets and objects that are there, and those that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.core.errors import ApiError
from emulator.kingsoft.world import World
from tests.support.clouds import data

FILM = {"duration": 12.5, "rotate": "0"}
DOCUMENT: dict[str, Any] = {
    "buckets": {
        "films": {"objects": {"in/a.mp4": FILM, "in/b.mp4": {}}},
        "anything": {"open": True, "objects": {"known.mp4": FILM}},
        "empty": {},
        "shanghai": {"region": "cn-shanghai-2", "accessible": False, "policy": False, "open": True},
        "beijing": {"region": "cn-beijing-7", "open": True},
        "closed": {"accessible": False, "policy": False, "open": True},
        "ungranted": {"policy": False, "open": True},
    }
}
WORLD = World.of(DOCUMENT)
UNUSABLE = [("nowhere", 1011), ("", 1011), ("shanghai", 1012), ("closed", 1013), ("ungranted", 1212)]


def _refusal(asked: Callable[[str], object], argument: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        asked(argument)
    return caught.value


def test_the_document_here_fits_its_schema() -> None:
    assert data()[0].get("kingsoft/world.json").is_valid(DOCUMENT)


def test_a_world_knows_what_it_was_made_of() -> None:
    assert WORLD.document is DOCUMENT


@pytest.mark.parametrize("path", ["/films/in/a.mp4", "films/in/a.mp4"])
def test_an_object_is_found_with_and_without_the_first_slash(path: str) -> None:
    assert WORLD.source(path) == FILM


def test_an_object_of_which_nothing_is_said_is_there() -> None:
    assert WORLD.source("/films/in/b.mp4") is None


def test_every_object_of_an_open_bucket_is_there() -> None:
    assert WORLD.source("/anything/at/all.mp4") is None


def test_an_open_bucket_may_describe_some_objects() -> None:
    assert WORLD.source("/anything/known.mp4") == FILM


@pytest.mark.parametrize(
    "path", ["/films/in/c.mp4", "/films/in", "/films//in/a.mp4", "/empty/a", "/films", "/anything/"]
)
def test_an_object_that_is_not_there_is_refused(path: str) -> None:
    assert _refusal(WORLD.source, path).code == 1210


def test_the_nearest_object_is_named() -> None:
    assert "did you mean 'in/a.mp4'" in _refusal(WORLD.source, "/films/in/a.mp3").reason


def test_no_nearest_object_is_looked_for_among_very_many() -> None:
    crowd = World.of({"buckets": {"films": {"objects": {f"{number}.mp4": {} for number in range(1001)}}}})

    assert "did you mean" not in _refusal(crowd.source, "/films/1.mp3").reason


def test_the_nearest_bucket_is_named() -> None:
    assert "did you mean 'films'" in _refusal(WORLD.target, "film").reason


@pytest.mark.parametrize(("bucket", "code"), UNUSABLE)
def test_a_bucket_that_cannot_be_used_is_no_source(bucket: str, code: int) -> None:
    assert _refusal(WORLD.source, f"/{bucket}/a.mp4").code == code


@pytest.mark.parametrize(("bucket", "code"), UNUSABLE)
def test_a_bucket_that_cannot_be_used_is_no_target(bucket: str, code: int) -> None:
    assert _refusal(WORLD.target, bucket).code == code


@pytest.mark.parametrize("bucket", ["films", "empty", "anything", "beijing"])
def test_a_bucket_that_can_be_used_is_a_target(bucket: str) -> None:
    WORLD.target(bucket)
