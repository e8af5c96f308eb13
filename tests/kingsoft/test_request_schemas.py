"""The schemas of Kingsoft's operations: what clients really send is let in, and what is not says the vendor's code."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core import resources
from emulator.core.schemas import BASE, SchemaRegistry

SCHEMAS = SchemaRegistry(resources.load("schemas"))
READY = resources.load("fixtures")["kingsoft/presets.json"].document["presets"]
ACTIONS = sorted(
    schema.id.removeprefix(f"{BASE}kingsoft/").removesuffix(".request.json")
    for schema in SCHEMAS
    if schema.id.startswith(f"{BASE}kingsoft/") and schema.id.endswith(".request.json")
)
ID = "40d309d3b2bf373cd3f08e5b5e1bddf720160816"

TASK: dict[str, Any] = {
    "Preset": "preset_avop1",
    "Pipeline": "usual",
    "SrcInfo": [{"path": "/bucket/in.flv", "index": 0, "type": "video"}],
    "DstBucket": "bucket",
    "DstDir": "",
    "DstObjectKey": "out.flv",
    "DstAcl": "public-read",
    "IsTop": 0,
    "CbUrl": "",
    "CbMethod": "",
    "ExtParam": "",
}
STEP = {name: TASK[name] for name in ("Preset", "SrcInfo", "DstBucket", "DstDir", "DstObjectKey", "DstAcl", "ExtParam")}
TEMPLATE: dict[str, Any] = {
    "Preset": "preset_avop1",
    "PresetType": "avop",
    "Param": {
        "f": "flv",
        "VIDEO": {
            "vr": "13",
            "vb": "780000",
            "vcodec": "h264",
            "width": 500,
            "height": 600,
            "as": 0,
            "rotate": "0",
            "vn": 0,
        },
        "AUDIO": {"ar": "44100", "ab": "64k", "acodec": "aac", "an": 0},
    },
    "Description": "desc:preset_avop1",
}
SPAN = {"StartUnixTime": 1497542400, "EndUnixTime": 1497974400, "Granularity": 1440, "ResultType": 1}
QUEUE = {
    "PipelineName": "usual",
    "State": "Active",
    "RegularStart": "01:00:00",
    "RegularDuration": 7200,
    "Description": "low priority pipeline",
}
WAVE = {"Preset": "wave", "SrcInfo": {"path": "/b/a.mp3"}, "DstBucket": "bucket", "DstObjectKey": "a", "points": 100}
SENT: dict[str, dict[str, Any]] = {
    "Preset": TEMPLATE,
    "UpdatePreset": TEMPLATE,
    "DelPreset": {"Preset": "preset_avop1"},
    "GetPresetList": {"WithDetail": 1, "PresetType": "avop,avtrans", "Presets": "wave,hd_mp4"},
    "GetPresetDetail": {"Preset": "preset_avop1"},
    "CreateTask": TASK,
    "CreateFlowTask": {"Pipeline": "usual", "FlowData": [STEP, STEP], "IsTop": 0, "CbUrl": "", "CbMethod": ""},
    "BatchCreateTask": {"Tasks": [TASK, TASK]},
    "CreateWaveTask": WAVE,
    "DelTaskByTaskID": {"TaskID": ID},
    "TopTaskByTaskID": {"TaskID": ID},
    "GetTaskList": {"StartDate": 20170100, "EndDate": 20170112, "Marker": 0, "Limit": 50},
    "GetTaskByTaskID": {"TaskID": ID},
    "GetTaskMetaInfo": {"StartDate": 20170100, "EndDate": 20170112, "Marker": 0, "Limit": 1000},
    "FetchMetaInfo": {"SrcPath": "/bucket/in.flv"},
    "UpdatePipeline": QUEUE,
    "QueryPipeline": {"PipelineName": "usual"},
    "QueryTaskStats": {"Preset": "", "StartDate": 20170101},
    "GetMediaTransDuration": SPAN,
    "GetScreenshotNumber": SPAN,
    "GetInterfaceNumber": SPAN,
    "FetchObjectMediaProcess": TASK,
    "ListFetchObjectMediaProcess": {"StartUnixTime": 1497542400, "EndUnixTime": 1497974400, "Marker": "", "Limit": 20},
    "GetFetchObjectMediaProcess": {"ProcessTaskId": "12121212"},
}
"""A request of every action, as the vendor's SDKs have it."""


def _code(action: str, parameters: dict[str, Any]) -> Any:
    """The vendor's code for what is wrong with ``parameters``; 0 if nothing is."""
    schema = SCHEMAS.get(f"kingsoft/{action}.request.json")
    sent = schema.without_empty(parameters)
    if schema.is_valid(sent):
        return 0
    found = schema.explain(sent)
    return found.code if found.code is not None else 1000 if found.keyword == "required" else 1001


def _task(**changes: Any) -> dict[str, Any]:
    return {**TASK, **changes}


def _misfit(document: dict[str, Any], schema: str) -> str:
    """What is wrong with ``document``, in words; empty if nothing is."""
    found = SCHEMAS.get(f"kingsoft/{schema}")
    return "" if found.is_valid(document) else str(found.explain(document))


def _template(kind: str, param: Any) -> str:
    return _misfit({"PresetType": kind, "Param": param}, "preset.json")


def _avtrans(**members: Any) -> str:
    return _template("avtrans", {"f": "mp4", **members})


def test_every_action_has_a_sample_here() -> None:
    assert sorted(SENT) == ACTIONS


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_an_answer(action: str) -> None:
    assert SCHEMAS.has(f"kingsoft/{action}.response.json")


@pytest.mark.parametrize("action", ACTIONS)
def test_what_the_vendors_clients_send_is_let_in(action: str) -> None:
    assert _code(action, SENT[action]) == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_a_member_that_nobody_knows_is_let_in(action: str) -> None:
    assert _code(action, {**SENT[action], "aaa": {"bbb": [1]}}) == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_whatever_is_required_is_missed_with_the_same_code(action: str) -> None:
    required = SCHEMAS.get(f"kingsoft/{action}.request.json").document.get("required", [])
    codes = {name: _code(action, {n: v for n, v in SENT[action].items() if n != name}) for name in required}

    assert codes == dict.fromkeys(required, 1000)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_empty_text_is_as_good_as_nothing(action: str) -> None:
    schema = SCHEMAS.get(f"kingsoft/{action}.request.json").document
    optional = [name for name in schema["properties"] if name not in schema.get("required", [])]

    assert _code(action, {**SENT[action], **dict.fromkeys(optional, "")}) == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_a_zero_stands_for_the_default_of_every_optional_number(action: str) -> None:
    schema = SCHEMAS.get(f"kingsoft/{action}.request.json")
    required = schema.document.get("required", [])
    numbers = [
        name
        for name, part in schema.document["properties"].items()
        if "integer" in SCHEMAS.resolve(schema.id, part)[1].get("type", ()) and name not in required
    ]

    assert _code(action, {**SENT[action], **dict.fromkeys(numbers, 0)}) == 0


@pytest.mark.parametrize(
    "action", sorted(action for action, sent in SENT.items() if all(not isinstance(v, dict) for v in sent.values()))
)
def test_a_request_whose_values_are_all_texts_is_let_in(action: str) -> None:
    def texts(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: texts(entry) for name, entry in value.items()}
        return [texts(entry) for entry in value] if isinstance(value, list) else str(value)

    schema = SCHEMAS.get(f"kingsoft/{action}.request.json")

    assert _code(action, schema.coerced(texts(SENT[action]))) == 0


def test_numbers_of_a_query_become_numbers() -> None:
    schema = SCHEMAS.get("kingsoft/GetTaskList.request.json")

    assert schema.coerced({"StartDate": "20170101", "Limit": "50"}) == {"StartDate": 20170101, "Limit": 50}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"Preset": "a b"}, 1005, id="template name"),
        pytest.param({"Preset": "a" * 33}, 1005, id="long template name"),
        pytest.param({"SrcInfo": []}, 1016, id="no source"),
        pytest.param({"SrcInfo": "/bucket/in.flv"}, 1016, id="source that is a text"),
        pytest.param({"SrcInfo": {}}, 1016, id="source without a path"),
        pytest.param({"SrcInfo": [{"index": 0}]}, 1016, id="sources without a path"),
        pytest.param({"SrcInfo": [{"path": "/b/a", "index": -1}]}, 1016, id="source before the first"),
        pytest.param({"SrcInfo": [{"path": "/b/a", "type": "picture"}]}, 1016, id="kind of source"),
        pytest.param({"SrcInfo": [{"path": "/b/" + "a" * 1022}]}, 1213, id="long path"),
        pytest.param({"SrcInfo": {"path": "/b/" + "a" * 1022}}, 1213, id="long path of the only source"),
        pytest.param({"SrcInfo": [{"path": "/b/a"}] * 101}, 1017, id="too many sources"),
        pytest.param({"DstBucket": "A"}, 1011, id="bucket"),
        pytest.param({"DstObjectKey": "a" * 1025}, 1014, id="long key"),
        pytest.param({"DstDir": "a" * 1025}, 1020, id="long directory"),
        pytest.param({"Pipeline": "a b"}, 1022, id="queue name"),
        pytest.param({"ExtParam": []}, 1018, id="options"),
        pytest.param({"DstAcl": "public"}, 1001, id="permission"),
        pytest.param({"IsTop": 2}, 1001, id="IsTop"),
        pytest.param({"CbMethod": "PUT"}, 1001, id="method"),
    ],
)
def test_each_member_of_a_task_has_its_code(changes: dict[str, Any], code: int) -> None:
    assert _code("CreateTask", _task(**changes)) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"Preset": "a b"}, 1005, id="template name"),
        pytest.param({"SrcInfo": [{"path": "/b/a"}] * 101}, 1017, id="too many sources"),
        pytest.param({"DstBucket": "A"}, 1011, id="bucket"),
        pytest.param({"DstObjectKey": "a" * 1025}, 1014, id="long key"),
        pytest.param({"DstDir": "a" * 1025}, 1020, id="long directory"),
        pytest.param({"ExtParam": 1}, 1018, id="options"),
    ],
)
def test_the_codes_are_the_same_for_steps_batches_and_processes(changes: dict[str, Any], code: int) -> None:
    changed = _task(**changes)

    assert [
        _code("CreateFlowTask", {"FlowData": [STEP, {**STEP, **changes}]}),
        _code("BatchCreateTask", {"Tasks": [TASK, changed]}),
        _code("FetchObjectMediaProcess", changed),
    ] == [code] * 3


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"SrcInfo": {"path": "bucket/in.mp4"}}, id="one source, no slash"),
        pytest.param({"SrcInfo": [{"path": "/b/a", "index": 7, "type": "", "aaa": 1}] * 100}, id="many sources"),
        pytest.param({"IsTop": "1"}, id="IsTop as text"),
        pytest.param({"CbMethod": "GET"}, id="GET"),
        pytest.param({"CbMethod": "post"}, id="post"),
        pytest.param({"ExtParam": {"ss": "1"}}, id="options that are parsed already"),
        pytest.param({"Preset": "first-avop|second-avlogo"}, id="chain of two templates"),
    ],
)
def test_a_task_may_be_told_in_more_than_one_way(changes: dict[str, Any]) -> None:
    assert _code("CreateTask", _task(**changes)) == 0


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"FlowData": []}, id="none"),
        pytest.param({"FlowData": [STEP] * 21}, id="many"),
        pytest.param({"FlowData": STEP}, id="one that is no list"),
        pytest.param({"FlowData": ["avtrans"]}, id="texts"),
    ],
)
def test_a_flow_task_has_one_to_twenty_steps(document: dict[str, Any]) -> None:
    assert _code("CreateFlowTask", document) == 1001


def test_a_step_without_a_template_lacks_a_parameter() -> None:
    assert _code("CreateFlowTask", {"FlowData": [{**STEP}, {n: STEP[n] for n in STEP if n != "Preset"}]}) == 1000


@pytest.mark.parametrize(
    ("action", "changes", "code"),
    [
        pytest.param("Preset", {"Preset": "a"}, 1005, id="short name"),
        pytest.param("Preset", {"Preset": 12}, 1005, id="name that is a number"),
        pytest.param("Preset", {"PresetType": "avsnapshop"}, 1015, id="type as a heading spells it"),
        pytest.param("Preset", {"Param": []}, 1010, id="Param that is a list"),
        pytest.param("Preset", {"Kshd": 2}, 1001, id="Kshd"),
        pytest.param("UpdatePreset", {"PresetType": "AVTRANS"}, 1015, id="type in capitals"),
        pytest.param("DelPreset", {"Preset": "a-b"}, 1005, id="name to delete"),
        pytest.param("GetPresetDetail", {"Preset": "a" * 33}, 1005, id="name to show"),
        pytest.param("GetPresetList", {"PresetType": "avtrans,av"}, 1015, id="one of several types"),
        pytest.param("GetPresetList", {"Presets": "wave,,info"}, 1005, id="one of several names"),
        pytest.param("GetPresetList", {"WithDetail": "yes"}, 1001, id="WithDetail"),
        pytest.param("GetTaskByTaskID", {"TaskID": "123"}, 1009, id="id to show"),
        pytest.param("DelTaskByTaskID", {"TaskID": ID.upper()}, 1009, id="id to delete"),
        pytest.param("TopTaskByTaskID", {"TaskID": 7}, 1009, id="id to move"),
        pytest.param("GetTaskMetaInfo", {"TaskID": "123"}, 1009, id="id to look into"),
        pytest.param("GetTaskList", {"Limit": -1}, 1001, id="Limit"),
        pytest.param("GetTaskList", {"StartDate": "2017-01-01"}, 1001, id="day with hyphens"),
        pytest.param("GetTaskList", {"TaskStatus": "done"}, 1001, id="state"),
        pytest.param("FetchMetaInfo", {"SrcPath": "/b/" + "a" * 1022}, 1213, id="long path"),
        pytest.param("FetchMetaInfo", {"SrcPath": 1}, 1016, id="path that is a number"),
        pytest.param("UpdatePipeline", {"PipelineName": "a b"}, 1022, id="queue to change"),
        pytest.param("UpdatePipeline", {"State": 1}, 1024, id="state of a queue"),
        pytest.param("UpdatePipeline", {"RegularStart": "24:00:00"}, 1001, id="start of the window"),
        pytest.param("UpdatePipeline", {"RegularDuration": "86401"}, 1001, id="length of the window"),
        pytest.param("QueryPipeline", {"PipelineName": "队列"}, 1022, id="queue to show"),
        pytest.param("GetInterfaceNumber", {"Granularity": "day"}, 1001, id="Granularity"),
        pytest.param("GetFetchObjectMediaProcess", {"ProcessTaskId": "a b"}, 1009, id="id of a process"),
    ],
)
def test_each_parameter_has_its_code(action: str, changes: dict[str, Any], code: int) -> None:
    assert _code(action, {**SENT[action], **changes}) == code


@pytest.mark.parametrize("value", [0, 5, "5", "1440"])
def test_the_granularity_is_a_number_or_its_text(value: Any) -> None:
    assert _code("GetScreenshotNumber", {"Granularity": value}) == 0


@given(st.integers(-10, 100_000))
def test_a_number_and_its_text_have_the_same_range(seconds: int) -> None:
    codes = {_code("UpdatePipeline", {**QUEUE, "RegularDuration": value}) for value in (seconds, str(seconds))}

    assert codes == {0 if 0 <= seconds <= 86400 else 1001}


# Templates.


@pytest.mark.parametrize("kind", ["avtrans", "avop"])
def test_the_param_of_the_vendors_sample_fits(kind: str) -> None:
    assert _template(kind, TEMPLATE["Param"]) == ""


@pytest.mark.parametrize("kind", ["avinfo", "audiowave", "aiproduction", "avsample", "avsnapshot", "avlogo"])
def test_most_types_need_no_member(kind: str) -> None:
    assert _template(kind, {}) == ""


def test_transcoding_needs_a_container() -> None:
    assert _template("avtrans", {}).startswith("/Param/f: f is required but missing")


def test_members_that_nobody_knows_are_let_in() -> None:
    assert _avtrans(VIDEO={"new": 1}, new={"a": []}) == ""


@pytest.mark.parametrize("name", ["VIDEO", "video"])
def test_the_video_is_looked_at_in_either_case(name: str) -> None:
    assert _avtrans(**{name: {"vcodec": "vp9"}}).startswith(f"/Param/{name}/vcodec: 'vp9' is none of")


@pytest.mark.parametrize("name", ["AUDIO", "audio"])
def test_the_audio_is_looked_at_in_either_case(name: str) -> None:
    assert _avtrans(**{name: {"acodec": "opus"}}).startswith(f"/Param/{name}/acodec: 'opus' is none of")


@pytest.mark.parametrize("name", ["LOGOS", "logos"])
def test_the_logos_are_looked_at_in_either_case(name: str) -> None:
    assert _avtrans(**{name: [{"url": "/b/a.png"}]}).startswith(f"/Param/{name}/0")


@pytest.mark.parametrize(
    "rate", [100000, 10000000, "", "0", "780000", "500k", "900KB", "10000k", "1m", "1.5M", "0.1mb"]
)
def test_a_bit_rate_of_video_has_a_unit_or_none(rate: Any) -> None:
    assert _avtrans(VIDEO={"vb": rate}) == ""


@pytest.mark.parametrize(
    "rate", [0, 99999, 10000001, "99999", "10000001", "99k", "11m", "0.05m", "1g", "k", "-1", "1e6"]
)
def test_a_bit_rate_of_video_has_a_range(rate: Any) -> None:
    assert _avtrans(VIDEO={"vb": rate}).startswith("/Param/VIDEO/vb: ")


@pytest.mark.parametrize("rate", [20000, 320000, "", "20000", "64k", "128KB", "320k", "0.064m", "0.32M"])
def test_a_bit_rate_of_audio_has_a_unit_or_none(rate: Any) -> None:
    assert _avtrans(AUDIO={"ab": rate}) == ""


@pytest.mark.parametrize("rate", [19999, 320001, "19999", "320001", "19k", "321k", "1m", "0.01m", "0.321m", "loud"])
def test_a_bit_rate_of_audio_has_a_range(rate: Any) -> None:
    assert _avtrans(AUDIO={"ab": rate}).startswith("/Param/AUDIO/ab: ")


@pytest.mark.parametrize(
    ("part", "name", "good", "bad"),
    [
        ("VIDEO", "vr", [1, 25, 120, "25", "29.97", "120"], [121, -1, "121", "120.5", "fast"]),
        ("VIDEO", "rotate", [0, 90, "360", "auto", ""], [361, "361", "-90", "left"]),
        ("VIDEO", "width", [0, 1280, "1280", ""], [-1, "wide", 8193]),
        ("VIDEO", "as", [0, 1, "1", ""], [2, "yes"]),
        ("AUDIO", "ar", [8000, 96000, "44100", ""], [7999, "96001", "high"]),
        ("AUDIO", "channels", [0, 2, "2"], [-1, 9]),
        ("AUDIO", "an", [0, "1"], [2]),
    ],
)
def test_members_of_the_streams_have_their_range(part: str, name: str, good: list[Any], bad: list[Any]) -> None:
    fits = {value: _avtrans(**{part: {name: value}}) == "" for value in [*good, *bad]}

    assert fits == {**dict.fromkeys(good, True), **dict.fromkeys(bad, False)}


@pytest.mark.parametrize(
    ("kind", "param"),
    [
        pytest.param("avtrans", {"f": "mp4", "intelligentSwitch": 3}, id="enlarging"),
        pytest.param("avtrans", {"f": "mp4", "segment_time": -1}, id="pieces"),
        pytest.param("avtrans", {"f": "mp4", "segfile_acl": "public"}, id="permission of the pieces"),
        pytest.param("avtrans", {"f": "mp4", "zdParams": {"video_tpye": 4}}, id="kind of video"),
        pytest.param("avsample", {"interval": "often"}, id="interval"),
        pytest.param("avsample", {"spriteflag": 2}, id="sprites"),
        pytest.param("avsnapshot", {"f": "a picture"}, id="format of the picture"),
        pytest.param("aiproduction", {"function_name": "script"}, id="production"),
        pytest.param("avop", {"VIDEO": []}, id="video of the older interface"),
        pytest.param("avinfo", [], id="list"),
    ],
)
def test_what_is_wrong_with_a_template_has_one_code(kind: str, param: Any) -> None:
    violation = SCHEMAS.get("kingsoft/preset.json").explain({"PresetType": kind, "Param": param})

    assert violation.code == 1010


def test_a_type_that_nobody_knows_has_its_own_code() -> None:
    assert SCHEMAS.get("kingsoft/preset.json").explain({"PresetType": "av", "Param": {}}).code == 1015


@pytest.mark.parametrize("preset", READY, ids=lambda preset: str(preset["Preset"]))
def test_a_ready_template_could_have_been_made_by_a_client(preset: dict[str, Any]) -> None:
    assert (_code("Preset", preset), _template(preset["PresetType"], preset["Param"])) == (0, "")


def test_no_two_ready_templates_have_name_and_type_in_common() -> None:
    named = Counter((preset["Preset"], preset["PresetType"]) for preset in READY)

    assert max(named.values()) == 1


def test_a_ready_template_of_every_current_type_is_there() -> None:
    assert {preset["PresetType"] for preset in READY} == {
        "avtrans",
        "avsample",
        "avsnapshot",
        "avinfo",
        "audiowave",
        "aiproduction",
    }


# Answers.


@pytest.mark.parametrize("action", ACTIONS)
def test_an_error_is_an_answer_of_every_action(action: str) -> None:
    assert _misfit({"ErrNum": 1000, "ErrMsg": "缺少参数"}, f"{action}.response.json") == ""


@pytest.mark.parametrize("action", ACTIONS)
def test_an_answer_has_no_member_that_is_not_documented(action: str) -> None:
    document = {"ErrNum": 0, "ErrMsg": "success", "RequestId": "a"}

    assert "'RequestId' is not known here" in _misfit(document, f"{action}.response.json")


INFO: dict[str, Any] = {
    "TaskID": ID,
    "IsFlow": 0,
    "Preset": "hd_mp4",
    "SrcInfo": [{"path": "/b/a.mp4", "index": 0, "type": "video"}],
    "DstBucket": "bucket",
    "DstDir": "",
    "DstObjectKey": "a.mp4",
    "DstAcl": "public-read",
    "IsTop": "0",
    "CbUrl": "",
    "CbMethod": "POST",
    "ExtParam": "",
    "TaskStatus": "succ",
    "ErrorCode": "0",
    "ErrorMsg": "",
    "CreateTime": "2022-02-15 16:15:13",
}


def _shown(**changes: Any) -> str:
    answer = {"TaskInfo": {**INFO, **changes}, "ErrNum": 0, "ErrMsg": "success"}
    return _misfit(answer, "GetTaskByTaskID.response.json")


def test_a_task_of_one_step_is_shown() -> None:
    assert _shown() == ""


def test_a_task_of_one_step_has_a_source() -> None:
    assert _shown(SrcInfo=[]).startswith("/TaskInfo/SrcInfo")


def test_a_task_of_one_step_has_no_steps() -> None:
    assert _shown(FlowData=[STEP]).startswith("/TaskInfo/FlowData")


def test_a_flow_task_is_shown_with_its_steps() -> None:
    assert _shown(IsFlow=1, Preset="", SrcInfo=[], DstBucket="", DstObjectKey="", FlowData=[STEP, STEP]) == ""


def test_a_flow_task_has_steps() -> None:
    assert "FlowData is required but missing" in _shown(IsFlow=1)


@pytest.mark.parametrize("name", ["PresetType", "Presettype"])
def test_the_type_of_a_template_has_been_spelt_in_two_ways(name: str) -> None:
    moment = "2022-02-15 16:15:13"
    shown = {name: "avtrans", "Description": "", "Param": {"f": "mp4"}, "CreateTime": moment, "UpdateTime": moment}
    answer = {"PresetDetail": shown, "ErrNum": 0, "ErrMsg": "success"}

    assert _misfit(answer, "GetPresetDetail.response.json") == ""


# Worlds.


def test_a_bucket_needs_no_member() -> None:
    assert _misfit({"buckets": {"bucket": {}}}, "world.json") == ""


def test_an_object_holds_a_described_medium_or_anything() -> None:
    objects = {"a/b.mp4": {}, "c.mp3": {"duration": 1.5, "rotate": "0"}}
    bucket = {"region": "cn-shanghai-2", "accessible": False, "policy": False, "open": True, "objects": objects}

    assert _misfit({"buckets": {"bucket": bucket}}, "world.json") == ""


@pytest.mark.parametrize(
    ("bucket", "explanation"),
    [
        pytest.param({"objekts": {}}, "did you mean 'objects'?", id="member"),
        pytest.param({"objects": {"/a": {}}}, "'/a' does not match", id="key with a slash in front"),
        pytest.param({"objects": {"a": {"duration": 1}}}, "rotate is required but missing", id="half a description"),
        pytest.param({"policy": "no"}, "'no' is no boolean", id="text"),
    ],
)
def test_a_slip_in_a_world_is_explained(bucket: dict[str, Any], explanation: str) -> None:
    assert explanation in _misfit({"buckets": {"bucket": bucket}}, "world.json")


def test_a_bucket_is_named_as_the_store_names_it() -> None:
    assert "does not match" in _misfit({"buckets": {"My_Bucket": {}}}, "world.json")
