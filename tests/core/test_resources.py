"""Data files: the shipped ones, and the user's in front of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from emulator.core.errors import ConfigurationError, Problem
from emulator.core.resources import Resource, load, shipped, unread


def _write(folder: Path, path: str, document: Any) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(document if isinstance(document, bytes) else orjson.dumps(document))
    return file


def _problems(*folders: Path) -> list[Problem]:
    with pytest.raises(ConfigurationError) as caught:
        load("fixtures", folders)
    return list(caught.value.problems)


def test_the_shipped_files_are_found_by_their_path() -> None:
    found = load("schemas")

    assert found["emulator/plan.json"].document["title"] == "Plan"
    assert found["emulator/plan.json"].path == "emulator/plan.json"
    assert Path(found["emulator/plan.json"].origin).is_file()


def test_shipped_files_hide_nothing() -> None:
    assert {entry.hides for entry in load("schemas").values()} == {()}


def test_every_kind_of_shipped_file_has_a_folder() -> None:
    assert [shipped(kind).is_dir() for kind in ("schemas", "fixtures")] == [True, True]


def test_a_kind_that_is_not_shipped_is_a_problem() -> None:
    with pytest.raises(ConfigurationError, match="the shipped recipes are missing"):
        shipped("recipes")


def test_a_users_file_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    file = _write(tmp_path, "kingsoft/media.json", {"media": "mine"})

    found = load("fixtures", (tmp_path,))["kingsoft/media.json"]

    assert (found.document, found.origin) == ({"media": "mine"}, str(file))


def test_a_users_file_says_which_it_hides(tmp_path: Path) -> None:
    _write(tmp_path, "kingsoft/media.json", {})
    hidden = load("fixtures")["kingsoft/media.json"].origin

    assert load("fixtures", (tmp_path,))["kingsoft/media.json"].hides == (hidden,)


def test_a_users_file_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    _write(tmp_path, "kingsoft/media.json", {})
    before, after = load("fixtures"), load("fixtures", (tmp_path,))

    assert after.keys() == before.keys()
    assert after["baidu/errors.json"] == before["baidu/errors.json"]


def test_a_users_file_may_be_a_further_one(tmp_path: Path) -> None:
    _write(tmp_path, "baidu/templates/mine.json", {"a": 1})

    assert load("fixtures", (tmp_path,))["baidu/templates/mine.json"].document == {"a": 1}


def test_of_two_users_folders_the_first_counts(tmp_path: Path) -> None:
    first = _write(tmp_path / "first", "kingsoft/media.json", 1)
    second = _write(tmp_path / "second", "kingsoft/media.json", 2)

    found = load("fixtures", (tmp_path / "first", tmp_path / "second"))["kingsoft/media.json"]

    assert (found.document, found.origin) == (1, str(first))
    assert found.hides[0] == str(second)
    assert len(found.hides) == 2


def test_a_hidden_file_need_not_make_sense(tmp_path: Path) -> None:
    _write(tmp_path / "first", "kingsoft/media.json", 1)
    _write(tmp_path / "second", "kingsoft/media.json", b"{")

    assert load("fixtures", (tmp_path / "first", tmp_path / "second"))["kingsoft/media.json"].document == 1


def test_files_that_are_not_json_by_name_are_not_read(tmp_path: Path) -> None:
    _write(tmp_path, "notes.txt", b"{")
    _write(tmp_path, "kingsoft/media.json.bak", b"{")

    assert load("fixtures", (tmp_path,)).keys() == load("fixtures").keys()


def test_a_folder_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    assert _problems(tmp_path / "none") == [Problem(str(tmp_path / "none"), "", "no such folder")]


def test_a_file_in_the_place_of_a_folder_is_a_problem(tmp_path: Path) -> None:
    file = _write(tmp_path, "file.json", {})

    assert _problems(file) == [Problem(str(file), "", "no such folder")]


def test_a_file_that_is_not_json_is_a_problem_with_its_name_and_place(tmp_path: Path) -> None:
    file = _write(tmp_path, "kingsoft/media.json", b'{"a": }')

    (problem,) = _problems(tmp_path)

    assert problem.where == str(file)
    assert problem.message.startswith("not JSON: ")
    assert "line 1 column 7" in problem.message


def test_every_problem_is_told_not_only_the_first(tmp_path: Path) -> None:
    _write(tmp_path / "there", "a.json", b"")
    _write(tmp_path / "there", "b/c.json", b"\xff")

    problems = _problems(tmp_path / "none", tmp_path / "there")

    assert [Path(problem.where).name for problem in problems] == ["none", "a.json", "c.json"]


def test_a_file_that_nothing_reads_is_complained_of_with_the_nearest_name() -> None:
    resource = Resource("kingsoft/medai.json", "/home/me/kingsoft/medai.json", {})

    problem = unread(resource, ["kingsoft/media.json", "baidu/errors.json"])

    assert str(problem) == (
        "/home/me/kingsoft/medai.json: nothing reads kingsoft/medai.json; did you mean 'kingsoft/media.json'?"
    )


def test_a_file_that_is_like_no_other_is_complained_of_without_a_hint() -> None:
    assert unread(Resource("x.json", "x.json", {}), ["kingsoft/media.json"]).message == "nothing reads x.json"
