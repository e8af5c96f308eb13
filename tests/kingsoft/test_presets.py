"""Presets are made, changed, deleted and shown."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.exchange import JsonObject
from emulator.kingsoft.presets import LEGACY_TYPES, MOST, TYPES, Preset, PresetBook
from tests.support.clouds import data
from tests.support.desk import Desk

PARAM = {"f": "mp4", "VIDEO": {"vb": "900k", "height": 720}, "AUDIO": {"ab": "64k"}, "LOGOS": [[{"url": "/b/l.png"}]]}
MINE = {"Preset": "mine", "PresetType": "avtrans", "Description": "720p", "Param": PARAM}
SUCCESS = {"ErrNum": 0, "ErrMsg": "success"}
READY: list[JsonObject] = data()[1].get("kingsoft/presets.json")["presets"]


def _preset(name: str = "mine", kind: str = "avtrans", description: str = "") -> Preset:
    return Preset(name, kind, description, {}, 0, 0.0, 0.0)


def _with(**members: Any) -> Desk:
    desk = Desk()
    assert desk.call("Preset", {**MINE, **members})["ErrNum"] == 0, desk.last.reason
    return desk


def _names(desk: Desk, **query: Any) -> list[str]:
    return [preset["Preset"] for preset in desk.call("GetPresetList", **query)["PresetList"]]


def _listed(desk: Desk, name: str) -> list[tuple[str, str]]:
    rows = desk.call("GetPresetList", Presets=name)["PresetList"]
    return [(row["Preset"], row["PresetType"]) for row in rows]


# The ready ones.


def test_an_account_begins_with_the_ready_presets_in_their_order() -> None:
    assert _names(Desk()) == [preset["Preset"] for preset in READY]


@pytest.mark.parametrize("preset", READY, ids=lambda preset: preset["Preset"])
def test_a_ready_preset_could_have_been_made_by_a_client(preset: JsonObject) -> None:
    desk = Desk()
    desk.call("DelPreset", Preset=preset["Preset"])

    assert desk.call("Preset", preset) == SUCCESS


def test_the_ready_presets_are_as_old_as_the_document_that_describes_them() -> None:
    detail = Desk().call("GetPresetDetail", Preset="wave")["PresetDetail"]

    assert (detail["CreateTime"], detail["UpdateTime"]) == ("2022-02-15 00:00:00", "2022-02-15 00:00:00")


def test_a_ready_preset_can_be_deleted() -> None:
    desk = Desk()
    desk.call("DelPreset", Preset="hd_mp4")

    assert "hd_mp4" not in _names(desk)


def test_a_reset_brings_the_ready_presets_back() -> None:
    desk = Desk()
    desk.call("DelPreset", Preset="hd_mp4")
    desk.account.reset()

    assert "hd_mp4" in _names(desk)


def test_what_one_account_does_to_its_presets_another_does_not_see() -> None:
    desk = Desk("ONE")
    desk.call("Preset", MINE)
    desk.call("DelPreset", Preset="hd_mp4")
    desk.key = "TWO"

    assert _names(desk) == [preset["Preset"] for preset in READY]


# Making.


def test_making_a_preset_answers_success_and_nothing_else() -> None:
    assert Desk().call("Preset", MINE) == SUCCESS


def test_a_new_preset_is_shown_as_it_was_sent() -> None:
    assert _with().call("GetPresetDetail", Preset="mine") == {
        "PresetDetail": {
            "PresetType": "avtrans",
            "Description": "720p",
            "Param": PARAM,
            "CreateTime": "2026-01-01 08:00:00",
            "UpdateTime": "2026-01-01 08:00:00",
        },
        **SUCCESS,
    }


def test_a_name_and_type_that_are_there_are_refused() -> None:
    assert _with().call("Preset", {**MINE, "Param": {"f": "flv"}})["ErrNum"] == 1201


def test_a_refused_preset_changes_nothing() -> None:
    desk = _with()
    desk.call("Preset", {**MINE, "Param": {"f": "flv"}})

    assert desk.call("GetPresetDetail", Preset="mine")["PresetDetail"]["Param"] == PARAM


def test_a_name_may_be_used_again_for_another_type() -> None:
    desk = _with()
    desk.call("Preset", {"Preset": "mine", "PresetType": "avinfo", "Param": {}})

    assert _listed(desk, "mine") == [("mine", "avtrans"), ("mine", "avinfo")]


@pytest.mark.parametrize("name", ["a", "a" * 33, "with-dash", "with space", "模板", "a|b"])
def test_a_name_against_the_rules_is_refused(name: str) -> None:
    assert Desk().call("Preset", {**MINE, "Preset": name})["ErrNum"] == 1005


@pytest.mark.parametrize("name", ["ab", "a" * 32, "A_9"])
def test_a_name_within_the_rules_is_taken(name: str) -> None:
    assert _names(_with(Preset=name))[-1] == name


@pytest.mark.parametrize("kind", ["avsnapshop", "AVTRANS", "x"])
def test_an_unknown_type_is_refused(kind: str) -> None:
    assert Desk().call("Preset", {**MINE, "PresetType": kind})["ErrNum"] == 1015


@pytest.mark.parametrize("kind", LEGACY_TYPES)
def test_a_type_of_the_older_api_is_refused_and_the_reason_names_the_setting(kind: str) -> None:
    desk = Desk()

    assert desk.call("Preset", {**MINE, "PresetType": kind, "Param": {"f": "mp4"}})["ErrNum"] == 1015
    assert "--legacy-presets" in desk.last.reason


@pytest.mark.parametrize("kind", LEGACY_TYPES)
def test_a_type_of_the_older_api_is_taken_where_a_setting_says_so(kind: str) -> None:
    desk = Desk(legacy_presets=True)

    assert desk.call("Preset", {**MINE, "PresetType": kind, "Param": {"f": "mp4"}}) == SUCCESS


@pytest.mark.parametrize(
    "param",
    [{}, {"f": "mkv"}, {"f": "mp4", "VIDEO": {"vcodec": "vp9"}}, {"f": "mp4", "audio": {"ab": "much"}}, "f=mp4", []],
)
def test_a_param_that_does_not_fit_its_type_is_refused(param: Any) -> None:
    desk = Desk()

    assert desk.call("Preset", {**MINE, "Param": param})["ErrNum"] == 1010
    assert "Param" in desk.last.reason


@pytest.mark.parametrize("missing", ["Preset", "PresetType", "Param"])
def test_a_missing_member_is_named(missing: str) -> None:
    desk = Desk()
    document = {name: value for name, value in MINE.items() if name != missing}

    assert desk.call("Preset", document)["ErrNum"] == 1000
    assert missing in desk.last.reason


def test_a_description_may_be_left_out() -> None:
    desk = Desk()
    desk.call("Preset", {name: value for name, value in MINE.items() if name != "Description"})

    assert desk.call("GetPresetDetail", Preset="mine")["PresetDetail"]["Description"] == ""


def test_an_account_has_only_so_many_presets() -> None:
    desk = Desk()
    for number in range(MOST - len(READY)):
        assert desk.call("Preset", {**MINE, "Preset": f"mine_{number}"})["ErrNum"] == 0

    assert desk.call("Preset", MINE)["ErrNum"] == 1202


# Changing.


def test_a_changed_preset_has_nothing_left_of_before() -> None:
    desk = _with()
    desk.call("UpdatePreset", {"Preset": "mine", "PresetType": "avtrans", "Param": {"f": "flv"}})
    detail = desk.call("GetPresetDetail", Preset="mine")["PresetDetail"]

    assert (detail["Param"], detail["Description"]) == ({"f": "flv"}, "")


async def test_a_changed_preset_says_when_it_was_made_and_when_it_was_changed() -> None:
    desk = _with()
    await desk.advance(3661)
    desk.call("UpdatePreset", MINE)
    detail = desk.call("GetPresetDetail", Preset="mine")["PresetDetail"]

    assert (detail["CreateTime"], detail["UpdateTime"]) == ("2026-01-01 08:00:00", "2026-01-01 09:01:01")


def test_a_changed_preset_keeps_its_place_in_the_list() -> None:
    desk = Desk()
    desk.call("UpdatePreset", {**READY[0], "Description": "another"})

    assert _names(desk)[0] == READY[0]["Preset"]


def test_changing_one_type_leaves_the_other_of_the_same_name_alone() -> None:
    desk = _with()
    desk.call("Preset", {"Preset": "mine", "PresetType": "avinfo", "Param": {}})
    desk.call("UpdatePreset", {"Preset": "mine", "PresetType": "avinfo", "Description": "new", "Param": {}})
    rows = desk.call("GetPresetList", Presets="mine")["PresetList"]

    assert [row["Description"] for row in rows] == ["720p", "new"]


def test_a_preset_that_is_not_there_cannot_be_changed() -> None:
    desk = Desk()

    assert desk.call("UpdatePreset", {**MINE, "Preset": "hd_mp5"})["ErrNum"] == 1200
    assert "hd_mp4" in desk.last.reason


def test_a_type_that_a_name_does_not_have_cannot_be_changed() -> None:
    document = {"Preset": "mine", "PresetType": "avinfo", "Param": {}}

    assert _with().call("UpdatePreset", document)["ErrNum"] == 1200


def test_a_change_is_held_against_the_type() -> None:
    assert _with().call("UpdatePreset", {**MINE, "Param": {"f": "mkv"}})["ErrNum"] == 1010


# Deleting.


def test_a_deleted_preset_is_not_shown() -> None:
    desk = _with()

    assert desk.call("DelPreset", Preset="mine") == SUCCESS
    assert desk.call("GetPresetDetail", Preset="mine")["ErrNum"] == 1200


def test_a_deleted_preset_cannot_be_deleted_again() -> None:
    desk = _with()
    desk.call("DelPreset", Preset="mine")

    assert desk.call("DelPreset", Preset="mine")["ErrNum"] == 1200


def test_deleting_a_name_deletes_it_for_every_type() -> None:
    desk = _with()
    desk.call("Preset", {"Preset": "mine", "PresetType": "avinfo", "Param": {}})
    desk.call("DelPreset", Preset="mine")

    assert _listed(desk, "mine") == []


def test_a_name_against_the_rules_cannot_be_deleted() -> None:
    assert Desk().call("DelPreset", Preset="no-such")["ErrNum"] == 1005


# Showing.


def test_a_list_has_no_param_unless_it_is_asked_for() -> None:
    rows = _with().call("GetPresetList", WithDetail=0)["PresetList"]

    assert [row for row in rows if "Param" in row] == []


def test_a_list_has_the_param_where_it_is_asked_for() -> None:
    assert _with().call("GetPresetList", WithDetail=1)["PresetList"][-1] == {
        "Preset": "mine",
        "PresetType": "avtrans",
        "Description": "720p",
        "CreateTime": "2026-01-01 08:00:00",
        "UpdateTime": "2026-01-01 08:00:00",
        "Param": PARAM,
    }


@pytest.mark.parametrize("types", ["avinfo", "avinfo,audiowave", "avsample,avsnapshot,aiproduction"])
def test_a_list_can_be_of_some_types(types: str) -> None:
    expected = [preset["Preset"] for preset in READY if preset["PresetType"] in types.split(",")]

    assert _names(Desk(), PresetType=types) == expected


def test_a_list_can_be_of_some_names() -> None:
    assert _names(Desk(), Presets="hd_mp4,wave,unheard_of") == ["wave", "hd_mp4"]


def test_a_list_that_is_asked_for_with_empty_texts_has_everything() -> None:
    assert len(_names(Desk(), PresetType="", Presets="", WithDetail="0")) == len(READY)


def test_a_list_of_an_unknown_type_is_refused() -> None:
    assert Desk().call("GetPresetList", PresetType="avtrans,x")["ErrNum"] == 1015


def test_a_name_that_two_types_share_shows_the_older_one() -> None:
    desk = _with()
    desk.call("Preset", {"Preset": "mine", "PresetType": "avinfo", "Param": {}})

    assert desk.call("GetPresetDetail", Preset="mine")["PresetDetail"]["PresetType"] == "avtrans"


def test_a_preset_that_is_not_there_cannot_be_shown_and_the_reason_names_the_nearest() -> None:
    desk = Desk()

    assert desk.call("GetPresetDetail", Preset="hd_mp5")["ErrNum"] == 1200
    assert "hd_mp4" in desk.last.reason


def test_a_dialect_shows_the_type_as_one_sdk_has_seen_it() -> None:
    detail = Desk(dialect="docs,presettype=on").call("GetPresetDetail", Preset="wave")["PresetDetail"]

    assert (detail["Presettype"], "PresetType" in detail) == ("audiowave", False)


def test_a_dialect_shows_the_blocks_of_a_param_in_lower_case() -> None:
    desk = Desk(dialect="docs,lower_case_params=on")
    desk.call("Preset", MINE)
    lower = {"f": "mp4", "video": PARAM["VIDEO"], "audio": PARAM["AUDIO"], "logos": PARAM["LOGOS"]}

    assert desk.call("GetPresetDetail", Preset="mine")["PresetDetail"]["Param"] == lower
    assert desk.call("GetPresetList", Presets="mine", WithDetail=1)["PresetList"][0]["Param"] == lower


# The book itself.


def test_a_book_made_of_another_does_not_change_it() -> None:
    first = PresetBook([_preset()])
    second = PresetBook(first)
    second.remove("mine")

    assert (len(first), len(second)) == (1, 0)


def test_a_change_of_a_book_is_not_seen_in_those_made_of_it() -> None:
    first = PresetBook([_preset()])
    second = PresetBook(first)
    first.add(_preset("other"))

    assert (first.names(), second.names()) == (["mine", "other"], ["mine"])


def test_a_book_takes_a_name_and_type_once() -> None:
    with pytest.raises(ValueError, match="there is a preset mine of type avtrans"):
        PresetBook([_preset()]).add(_preset(description="another"))


def test_a_book_replaces_only_what_is_there() -> None:
    with pytest.raises(LookupError, match="there is no preset mine of type avinfo"):
        PresetBook([_preset()]).replace(_preset(kind="avinfo"))


def test_a_book_finds_by_name_the_one_that_was_made_first() -> None:
    book = PresetBook(_preset(kind=kind) for kind in reversed(TYPES))
    found = book.find("mine")

    assert found is not None
    assert found.type == TYPES[-1]


def test_a_name_that_two_types_share_is_named_once() -> None:
    assert PresetBook(_preset(kind=kind) for kind in TYPES).names() == ["mine"]
