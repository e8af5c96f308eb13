"""What is posted to clients: every form that the vendor documents, in every dialect."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.callbacks import CallbackOrder
from emulator.core.errors import ErrorTable
from emulator.core.tasks import Ending, Phase, Plan, Retry, Step, Task, Timeline
from emulator.kingsoft.callbacks import HEADERS, output_of, owed
from emulator.kingsoft.dialects import PROFILES, SWITCHES, Dialect, parse
from emulator.kingsoft.work import Job, Work
from tests.support.shapes import misfits

ROOT = Path(__file__).parents[2]
GOLDENS = ROOT / "tests" / "data" / "kingsoft-callbacks"
ERRORS = ErrorTable("kingsoft", json.loads((ROOT / "fixtures" / "kingsoft" / "errors.json").read_text("utf-8")))
TASK_ID = "92e3745751aee5662f9f06ff3f03076920160914"
SEED = 7
DOCS = PROFILES["docs"]
SAMPLES = parse("docs,stream_bit_rate=string,format_bit_rate=absent,r_frame_rate=decimal")
"""The types of the documents inside the samples' strings."""

FILM: dict[str, Any] = {
    "duration": 43.0,
    "rotate": "0",
    "video": {"codec": "h264", "width": 1280, "height": 720, "frame_rate": "30000/1001", "bit_rate": 500_000},
    "audio": {"codec": "aac", "channels": 2, "sample_rate": 44_100, "bit_rate": 64_000},
}
INNER = ("metainfo", "outMediainfo", "segmentsinfo", "thumnailsinfo")


def job(kind: str, key: str = "out/a.mp4", source: str = "/src-bucket/a.mp4", **param: Any) -> Job:
    """A step that takes one film from ``source`` to ``key``."""
    parameters = {"Preset": "p", "SrcInfo": [{"path": source}], "DstBucket": "dst-bucket", "DstObjectKey": key}
    return Job(kind, parameters, (FILM,), param, {})


TRANSCODE = job("avtrans", f="mp4")
SEGMENTS = job("avtrans", "out/list.m3u8", f="mp4", segment_time=10)
SAMPLE = Job(
    "avsample", {**job("avsample", "a.jpg").parameters, "DstDir": "out/pictures"}, (FILM,), {"interval": 10}, {}
)
SPRITES = Job("avsample", SAMPLE.parameters, (FILM,), {"interval": 2, "spriteflag": 1, "spritew": 3, "spriteh": 3}, {})
SNAPSHOT = job("avsnapshot", "out/a.jpg")
INFO = Job("avinfo", {"Preset": "p", "SrcInfo": [{"path": "/src-bucket/a.mp4"}]}, (FILM,), {}, {})
WAVE = job("audiowave", "wave/a.json")
JOBS = (TRANSCODE, SEGMENTS, SAMPLE, SPRITES, SNAPSHOT, INFO, WAVE)
COVER = job("avsnapshot", "out/b.jpg", "/dst-bucket/out/a.mp4")


def work(*jobs: Job, flow: bool = False, dialect: Dialect = DOCS, stop: bool = True, progress: str = "") -> Work:
    return Work(jobs, flow, dialect, "" if flow else jobs[0].type, progress, stop)


def task(done: Work, *, fails: int = 0, at: str = "run", url: str = "http://client/end") -> Task:
    """A task that has done, or was to do, that work."""
    ending = Ending.of({"fail": fails, "at": at}) if fails else Ending()
    timeline = Timeline.of(Plan(ending=ending), 1000.0)
    given = {"CbUrl": url} if url else {}
    return Task(TASK_ID, "kingsoft", "kingsoft.CreateTask", "any", given, timeline, Retry(), done)


def ended(*jobs: Job, fails: int = 0, at: str = "run", **how: Any) -> Any:
    """The body that is posted at the end."""
    return ended_task(task(work(*jobs, **how), fails=fails, at=at))


def ended_task(of: Task) -> Any:
    (order,) = owed(of, of.timeline.last(), ERRORS, SEED)
    return json.loads(order.body)


def progressed(status: Any, percent: int, *jobs: Job, **how: Any) -> Any:
    """The body that is posted on the way."""
    of = task(work(*jobs, progress="http://client/progress", **how))
    (order,) = owed(of, Step(1001.0, Phase(status, percent)), ERRORS, SEED)
    return json.loads(order.body)


def dialect(text: str) -> dict[str, Any]:
    return {"dialect": parse(text)}


def item(of: Any) -> Any:
    (found,) = of["Details"]["items"]
    return found


def opened(document: Any) -> Any:
    """``document`` with the documents inside its strings in their place."""
    if isinstance(document, dict):
        return {
            name: opened(json.loads(member)) if name in INNER and member else opened(member)
            for name, member in document.items()
        }
    return [opened(entry) for entry in document] if isinstance(document, list) else document


# The vendor's own samples


def _seed(name: str) -> Any:
    return json.loads((GOLDENS / f"seed-{name}.json").read_text("utf-8"))


def _shape(document: Any) -> Any:
    """Keys, nesting and types; of a list, the shapes of its entries, each once."""
    if isinstance(document, dict):
        return {name: _shape(member) for name, member in document.items()}
    if isinstance(document, list):
        shapes = [_shape(entry) for entry in document]
        return [shape for index, shape in enumerate(shapes) if shape not in shapes[:index]]
    return type(document).__name__


def _sampled(text: str) -> Dialect:
    return SAMPLES.revised(dict(part.split("=") for part in text.split(",")))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("progress", lambda: progressed("running", 5, TRANSCODE)),
        (
            "segments",
            lambda: ended(SEGMENTS, dialect=_sampled("segment_list_name=segmenglisttype,segment_duration=4")),
        ),
        ("avtrans", lambda: ended(TRANSCODE, dialect=_sampled("itmes=on,snapshot_num=always"))),
        (
            "flow",
            lambda: ended(TRANSCODE, job("avtrans", "b.flv", "/dst-bucket/out/a.mp4"), flow=True, dialect=SAMPLES),
        ),
    ],
)
def test_a_callback_has_the_keys_the_nesting_and_the_types_of_the_vendors_sample(
    name: str, body: Callable[[], Any]
) -> None:
    assert _shape(opened(body())) == _shape(opened(_seed(name)))


def test_a_callback_of_old_users_has_the_keys_of_the_vendors_sample() -> None:
    sample = _seed("legacy")
    body = progressed("running", 5, TRANSCODE, **dialect("legacy"))

    assert {**body, "details": {}} == {**sample, "details": {}}


def test_the_callback_of_an_information_task_has_the_shape_of_the_vendors_sample_around_its_document() -> None:
    sample, body = _seed("avinfo"), ended(INFO, **dialect("ks3"))

    assert _shape(body) == _shape(sample)


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_probed_stream_has_all_that_the_vendors_sample_has(kind: str) -> None:
    def stream(body: Any) -> Any:
        streams = opened(item(body))["metainfo"]["streams"]
        return _shape(next(entry for entry in streams if entry["codec_type"] == kind))

    sample, body = stream(_seed("avinfo")), stream(ended(INFO))

    assert {name: body.get(name) for name in sample} == sample


def test_a_probed_file_has_the_shape_of_the_vendors_sample() -> None:
    sample, body = (opened(item(found))["metainfo"]["format"] for found in (_seed("avinfo"), ended(INFO)))

    assert _shape(body) == _shape(sample)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("progress", "progress"),
        ("segments", "task"),
        ("avtrans", "task"),
        ("avinfo", "task"),
        ("flow", "flow"),
    ],
)
def test_the_vendors_sample_fits_the_schema(name: str, schema: str) -> None:
    assert misfits(f"kingsoft/callback.{schema}.json", _seed(name)) == []


# Golden files of every form

FORMS: dict[str, tuple[str, Callable[[], Any]]] = {
    "progress-transcoding": ("progress", lambda: progressed("running", 40, TRANSCODE)),
    "progress-uploading": ("progress", lambda: progressed("uploading", 50, TRANSCODE)),
    "progress-legacy": ("legacy.progress", lambda: progressed("running", 40, TRANSCODE, **dialect("legacy"))),
    "avtrans": ("task", lambda: ended(TRANSCODE)),
    "avtrans-real-2020": ("task", lambda: ended(TRANSCODE, **dialect("real-2020"))),
    "avtrans-legacy": ("legacy.task", lambda: ended(TRANSCODE, **dialect("legacy"))),
    "avtrans-ks3": ("task", lambda: ended(TRANSCODE, **dialect("ks3"))),
    "segments": ("task", lambda: ended(SEGMENTS)),
    "avsample": ("task", lambda: ended(SAMPLE)),
    "sprites": ("task", lambda: ended(SPRITES)),
    "avsnapshot": ("task", lambda: ended(SNAPSHOT)),
    "avinfo": ("task", lambda: ended(INFO)),
    "avinfo-real-2020": ("task", lambda: ended(INFO, **dialect("real-2020"))),
    "avinfo-ks3": ("task", lambda: ended(INFO, **dialect("ks3"))),
    "wave": ("task", lambda: ended(WAVE)),
    "failure": ("task", lambda: ended(TRANSCODE, fails=3150)),
    "failure-legacy": ("legacy.task", lambda: ended(TRANSCODE, fails=3150, **dialect("legacy"))),
    "flow": ("flow", lambda: ended(TRANSCODE, COVER, flow=True)),
    "flow-legacy": ("legacy.flow", lambda: ended(TRANSCODE, COVER, flow=True, **dialect("legacy"))),
    "flow-failure": ("flow", lambda: ended(TRANSCODE, COVER, SAMPLE, flow=True, fails=2337, at="50%")),
    "flow-failure-goes-on": (
        "flow",
        lambda: ended(TRANSCODE, COVER, SAMPLE, flow=True, stop=False, fails=2337, at="50%"),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_callback_is_what_its_golden_file_says(name: str) -> None:
    """To write the golden files anew, after a change that is meant: ``EMULATOR_GOLDENS=write``."""
    path, body = GOLDENS / f"{name}.json", FORMS[name][1]()
    if os.environ.get("EMULATOR_GOLDENS") == "write":
        path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", "utf-8")

    assert body == json.loads(path.read_text("utf-8"))


def test_every_golden_file_belongs_to_a_form_or_a_sample() -> None:
    found = {path.stem for path in GOLDENS.glob("*.json")}

    assert {name for name in found if not name.startswith("seed-")} == set(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_a_callback_fits_its_schema_and_so_do_the_documents_in_its_strings(name: str) -> None:
    schema, body = FORMS[name]

    assert misfits(f"kingsoft/callback.{schema}.json", body()) == []


dialects = st.builds(
    Dialect, **{name: st.sampled_from(values) for name, values in SWITCHES.items() if name != "envelope"}
)


@given(st.sampled_from(JOBS), dialects, st.sampled_from([0, 2032]))
def test_the_end_of_a_task_fits_its_schema_in_every_dialect(kind: Job, chosen: Dialect, fails: int) -> None:
    assert misfits("kingsoft/callback.task.json", ended(kind, dialect=chosen, fails=fails)) == []


@given(st.lists(st.sampled_from(JOBS), min_size=1, max_size=4), dialects, st.sampled_from([0, 2032]), st.booleans())
def test_the_end_of_a_flow_task_fits_its_schema_in_every_dialect(
    jobs: list[Job], chosen: Dialect, fails: int, stop: bool
) -> None:
    body = ended(*jobs, flow=True, dialect=chosen, fails=fails, at="50%", stop=stop)

    assert misfits("kingsoft/callback.flow.json", body) == []


@given(st.sampled_from(JOBS), dialects)
def test_the_documents_in_strings_are_compact(kind: Job, chosen: Dialect) -> None:
    texts = [text for name, text in item(ended(kind, dialect=chosen)).items() if name in INNER]

    assert texts == [json.dumps(json.loads(text), separators=(",", ":")) for text in texts]


# Whether and where


def _orders(of: Task, step: Step | None = None) -> tuple[CallbackOrder, ...]:
    return owed(of, step or of.timeline.last(), ERRORS, SEED)


@pytest.mark.parametrize("fails", [0, 3150])
def test_the_end_is_posted_to_the_address_that_the_client_gave(fails: int) -> None:
    (order,) = _orders(task(work(TRANSCODE), fails=fails, url="http://client/end"))

    assert (order.method, order.url, order.headers) == ("POST", "http://client/end", HEADERS)
    assert order.event == ("failed" if fails else "succeeded")


@pytest.mark.parametrize("fails", [0, 3150])
def test_who_gave_no_address_is_owed_no_callback(fails: int) -> None:
    assert _orders(task(work(TRANSCODE), fails=fails, url="")) == ()


def test_progress_is_posted_to_its_own_address() -> None:
    of = task(work(TRANSCODE, progress="http://client/progress"))

    (order,) = _orders(of, Step(1001.0, Phase("running", 5)))

    assert (order.event, order.url) == ("progress", "http://client/progress")


def test_who_did_not_ask_for_progress_gets_none() -> None:
    assert _orders(task(work(TRANSCODE)), Step(1001.0, Phase("running", 5))) == ()


@pytest.mark.parametrize("status", ["queued", "vanished"])
def test_a_task_that_waits_or_is_gone_owes_nothing(status: Any) -> None:
    of = task(work(TRANSCODE, progress="http://client/progress"))

    assert _orders(of, Step(1001.0, Phase(status))) == ()


# Single tasks


def test_a_success_has_no_message_and_one_item() -> None:
    body = ended(WAVE)

    assert body == {
        "TaskID": TASK_ID,
        "Status": 3,
        "Type": "audiowave",
        "Details": {"errnum": 0, "bucket": "dst-bucket", "items": [{"dstpath": "wave/a.json"}]},
    }


def test_a_failure_has_the_codes_text_and_no_items() -> None:
    assert ended(TRANSCODE, fails=3164) == {
        "TaskID": TASK_ID,
        "Status": 4,
        "Type": "avtrans",
        "Details": {
            "errnum": 3164,
            "errmsg": "Trans Internal Error: Http Request 404 Not Found",
            "bucket": "dst-bucket",
            "items": [],
        },
    }


def test_the_type_is_what_the_work_says() -> None:
    of = task(Work((WAVE,), False, DOCS, "wave"))

    assert ended_task(of)["Type"] == "wave"


def test_an_information_task_has_neither_bucket_nor_path() -> None:
    body = ended(INFO)

    assert (body["Details"]["bucket"], item(body)["dstpath"], set(item(body))) == ("", "", {"dstpath", "metainfo"})


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (TRANSCODE, {"outMediainfo"}),
        (SEGMENTS, {"segmentlisttype", "segmentsinfo"}),
        (SAMPLE, set()),
        (SPRITES, {"thumnailsinfo"}),
        (SNAPSHOT, set()),
        (INFO, {"metainfo"}),
        (WAVE, set()),
    ],
)
def test_an_item_has_the_members_of_its_type(kind: Job, members: set[str]) -> None:
    assert set(item(ended(kind))) == {"dstpath"} | members


@pytest.mark.parametrize(
    ("kind", "number"), [(TRANSCODE, None), (SEGMENTS, None), (SNAPSHOT, 1), (INFO, None), (WAVE, None)]
)
def test_the_number_of_pictures_comes_with_screenshots(kind: Job, number: int | None) -> None:
    assert ended(kind)["Details"].get("snapshotNum") == number


def test_the_number_of_sampled_pictures_is_that_of_the_output() -> None:
    assert ended(SAMPLE)["Details"]["snapshotNum"] == output_of(task(work(SAMPLE)), 0, SEED).snapshots


# What a dialect changes


def _details(text: str, kind: Job = TRANSCODE, fails: int = 0) -> Any:
    return ended(kind, fails=fails, dialect=parse(text))["Details"]


@pytest.mark.parametrize(("text", "errmsg"), [("docs", None), ("errmsg=empty", ""), ("errmsg=success", "success")])
def test_the_message_of_a_success_is_up_to_the_dialect(text: str, errmsg: str | None) -> None:
    assert _details(text).get("errmsg") == errmsg


def test_the_message_of_a_failure_is_not() -> None:
    assert _details("errmsg=success", fails=2032)["errmsg"] == "HTTP download file fail"


@pytest.mark.parametrize("fails", [0, 2032])
def test_a_final_callback_may_have_an_empty_progress(fails: int) -> None:
    details = _details("final_progress=on", fails=fails)

    assert (details["status"], details["progress"]) == ("", 0)


@pytest.mark.parametrize(
    ("text", "members"),
    [("docs", {"items": []}), ("failure_items=null", {"items": None}), ("failure_items=absent", {})],
)
def test_the_items_of_a_failure_are_up_to_the_dialect(text: str, members: dict[str, Any]) -> None:
    details = _details(text, fails=2032)

    assert {name: member for name, member in details.items() if name == "items"} == members


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("snapshot_num=avsample", SNAPSHOT, None),
        ("snapshot_num=always", TRANSCODE, 0),
        ("snapshot_num=always", SNAPSHOT, 1),
    ],
)
def test_who_has_a_number_of_pictures_is_up_to_the_dialect(text: str, kind: Job, number: int | None) -> None:
    assert _details(text, kind).get("snapshotNum") == number


def test_a_failure_has_no_number_of_pictures() -> None:
    assert "snapshotNum" not in _details("docs", SAMPLE, fails=2337)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("docs", {"segmentlisttype"}),
        ("segment_list_name=segmenglisttype", {"segmenglisttype"}),
        ("segment_list_name=both", {"segmentlisttype", "segmenglisttype"}),
    ],
)
def test_the_spelling_of_the_list_type_is_up_to_the_dialect(text: str, names: set[str]) -> None:
    found = item(ended(SEGMENTS, dialect=parse(text)))

    assert {name: member for name, member in found.items() if name.endswith("type")} == dict.fromkeys(names, "m3u8")


@pytest.mark.parametrize(("text", "last"), [("docs", "3.000"), ("segment_duration=4", "3.0000")])
def test_the_decimals_of_a_piece_are_up_to_the_dialect(text: str, last: str) -> None:
    pieces = opened(item(ended(SEGMENTS, dialect=parse(text))))["segmentsinfo"]

    assert pieces[-1]["duration"] == last


def test_a_task_that_cuts_pieces_may_describe_the_whole_too() -> None:
    assert "outMediainfo" in item(ended(SEGMENTS, **dialect("segment_media=on")))


@pytest.mark.parametrize(("text", "status"), [("docs", 2), ("running_status=0", 0)])
def test_the_status_of_a_running_task_is_up_to_the_dialect(text: str, status: int) -> None:
    assert progressed("running", 5, TRANSCODE, dialect=parse(text))["Status"] == status


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (work(TRANSCODE, dialect=PROFILES["legacy"]), {"taskid", "status", "type", "itmes", "details"}),
        (work(TRANSCODE, COVER, flow=True, dialect=PROFILES["legacy"]), {"taskid", "status", "details"}),
    ],
)
def test_old_users_get_keys_without_capitals_on_the_first_level(kind: Work, members: set[str]) -> None:
    assert set(ended_task(task(kind))) == members


def test_old_users_get_the_rest_as_everyone() -> None:
    assert ended(TRANSCODE, **dialect("legacy"))["details"] == ended(TRANSCODE)["Details"]


# The block for old KS3 users


def test_the_block_of_old_users_names_the_command_and_the_key() -> None:
    (block,) = ended(TRANSCODE, **dialect("itmes=on"))["itmes"]
    command, _, key = block.pop("cmd").rpartition("=")

    assert command == "tag=avop|tag=saveas&bucket=dst-bucket&object"
    assert urlsafe_b64decode(key + "=" * (-len(key) % 4)) == b"out/a.mp4"
    assert block == {"desc": "success", "keys": ["out/a.mp4"], "code": 3}


@pytest.mark.parametrize("key", ["a", "ab", "abc", "图/片?>.mp4"])
def test_the_key_in_the_block_of_old_users_needs_neither_padding_nor_escape(key: str) -> None:
    (block,) = ended(job("audiowave", key), **dialect("itmes=on"))["itmes"]

    assert set("=+/") & set(block["cmd"].rpartition("&object=")[2]) == set()


def test_an_information_task_has_a_command_without_output_in_the_block_of_old_users() -> None:
    assert ended(INFO, **dialect("itmes=on"))["itmes"] == _seed("avinfo")["itmes"]


def test_the_block_of_old_users_says_what_failed() -> None:
    (block,) = ended(WAVE, fails=2032, **dialect("itmes=on"))["itmes"]

    assert block == {
        "cmd": "tag=audiowave|tag=saveas&bucket=dst-bucket&object=d2F2ZS9hLmpzb24",
        "desc": "HTTP download file fail",
        "keys": [""],
        "code": 4,
    }


@pytest.mark.parametrize(("kind", "has"), [(TRANSCODE, False), (SNAPSHOT, True), (INFO, True)])
def test_the_block_of_old_users_may_be_left_out_of_transcoding_tasks(kind: Job, has: bool) -> None:
    assert ("itmes" in ended(kind, **dialect("itmes=not-avtrans"))) is has


def test_new_users_do_not_get_the_block_of_old_ones() -> None:
    assert "itmes" not in ended(TRANSCODE)


# Flow tasks


def test_a_flow_task_has_one_entry_for_each_step_and_no_type() -> None:
    body = ended(SAMPLE, WAVE, flow=True)
    pictures = output_of(task(work(SAMPLE)), 0, SEED)

    assert body == {
        "TaskID": TASK_ID,
        "Status": 3,
        "Details": [
            {
                "Order": 0,
                "Type": "avsample",
                "Status": 3,
                "Errnum": 0,
                "Errmsg": "",
                "Bucket": "dst-bucket",
                "OutInfo": {"dstpath": pictures.dstpath, "snapshotNum": pictures.snapshots},
            },
            {
                "Order": 1,
                "Type": "audiowave",
                "Status": 3,
                "Errnum": 0,
                "Errmsg": "",
                "Bucket": "dst-bucket",
                "OutInfo": {"dstpath": "wave/a.json"},
            },
        ],
    }


def test_a_flow_task_of_one_step_is_one_all_the_same() -> None:
    assert [entry["Order"] for entry in ended(WAVE, flow=True)["Details"]] == [0]


def _steps(**how: Any) -> list[tuple[int, int, int]]:
    body = ended(TRANSCODE, COVER, WAVE, WAVE, flow=True, **how)
    return [(entry["Order"], entry["Status"], entry["Errnum"]) for entry in body["Details"]]


def test_a_step_that_fails_is_the_last_one() -> None:
    assert _steps(fails=2337, at="30%") == [(0, 3, 0), (1, 4, 2337)]


def test_the_steps_behind_a_failing_one_may_run_on() -> None:
    assert _steps(fails=2337, at="30%", stop=False) == [(0, 3, 0), (1, 4, 2337), (2, 3, 0), (3, 3, 0)]


@pytest.mark.parametrize("stop", [True, False])
def test_a_flow_task_with_a_failing_step_has_failed(stop: bool) -> None:
    assert ended(TRANSCODE, COVER, flow=True, fails=2337, at="10%", stop=stop)["Status"] == 4


@pytest.mark.parametrize(("at", "count"), [("queue", 1), ("0%", 1), ("50%", 3), ("run", 4), ("upload", 4)])
def test_the_step_that_fails_is_the_one_under_way(at: str, count: int) -> None:
    assert len(_steps(fails=2032, at=at)) == count


def test_a_step_that_fails_says_why_and_has_no_output() -> None:
    (entry,) = ended(TRANSCODE, COVER, flow=True, fails=3164, at="0%")["Details"]

    assert entry == {
        "Order": 0,
        "Type": "avtrans",
        "Status": 4,
        "Errnum": 3164,
        "Errmsg": "Trans Internal Error: Http Request 404 Not Found",
        "Bucket": "dst-bucket",
        "OutInfo": {},
    }


@pytest.mark.parametrize(("text", "members"), [("failure_items=null", {"OutInfo": None}), ("failure_items=absent", {})])
def test_the_output_of_a_step_that_fails_is_up_to_the_dialect(text: str, members: dict[str, Any]) -> None:
    (entry,) = ended(TRANSCODE, flow=True, fails=3164, dialect=parse(text))["Details"]

    assert {name: member for name, member in entry.items() if name == "OutInfo"} == members


def test_the_output_of_a_step_may_have_all_that_the_table_requires() -> None:
    (entry,) = ended(WAVE, flow=True, **dialect("out_info=table"))["Details"]

    assert entry["OutInfo"] == {"dstpath": "wave/a.json", "metainfo": "", "snapshotNum": 0, "segmentlisttype": ""}


@pytest.mark.parametrize(
    ("status", "percent", "kind"),
    [
        ("running", 0, "avtrans"),
        ("running", 49, "avtrans"),
        ("running", 50, "avsnapshot"),
        ("running", 99, "avsnapshot"),
        ("uploading", 0, "avsnapshot"),
    ],
)
def test_progress_of_a_flow_task_names_the_type_of_the_step_under_way(status: str, percent: int, kind: str) -> None:
    assert progressed(status, percent, TRANSCODE, COVER, flow=True)["Type"] == kind


# Outputs


def _probed(*jobs: Job) -> Any:
    """What the last of the jobs, an information task, finds."""
    return output_of(task(work(*jobs, flow=True)), len(jobs) - 1, SEED).metainfo


def _info(path: str) -> Job:
    return Job("avinfo", {"Preset": "p", "SrcInfo": [{"path": path}]}, (FILM,), {}, {})


HALF = job("avtrans", f="mp4", VIDEO={"width": 640, "height": 360})


@pytest.mark.parametrize("path", ["/dst-bucket/out/a.mp4", "dst-bucket/out/a.mp4"])
def test_a_step_takes_what_an_earlier_one_has_made(path: str) -> None:
    assert _probed(HALF, _info(path))["streams"][0]["width"] == 640


@pytest.mark.parametrize("path", ["/dst-bucket/out/b.mp4", "/src-bucket/out/a.mp4"])
def test_a_step_takes_other_files_as_they_are_described(path: str) -> None:
    assert _probed(HALF, _info(path))["streams"][0]["width"] == 1280


def test_a_step_takes_what_was_made_last() -> None:
    quarter = job("avtrans", f="mp4", VIDEO={"width": 320, "height": 180})

    assert _probed(HALF, quarter, _info("/dst-bucket/out/a.mp4"))["streams"][0]["width"] == 320


def test_a_step_does_not_take_what_a_later_one_makes() -> None:
    of = task(work(_info("/dst-bucket/out/a.mp4"), HALF, flow=True))

    found = output_of(of, 0, SEED).metainfo

    assert found is not None
    assert found["streams"][0]["width"] == 1280


def test_a_step_that_runs_on_does_not_take_what_a_failed_one_would_have_made() -> None:
    body = ended(HALF, _info("/dst-bucket/out/a.mp4"), flow=True, fails=2032, at="0%", stop=False)

    assert opened(body)["Details"][1]["OutInfo"]["metainfo"]["streams"][0]["width"] == 1280


def test_sources_that_are_joined_are_looked_up_in_the_order_of_their_index() -> None:
    joined = Job(
        "avtrans",
        {
            "Preset": "p",
            "SrcInfo": [{"path": "/src-bucket/b.mp4", "index": 1}, {"path": "/dst-bucket/out/a.mp4", "index": 0}],
            "DstBucket": "dst-bucket",
            "DstObjectKey": "out/c.mp4",
        },
        (FILM, FILM),
        {"f": "mp4"},
        {},
    )

    found = output_of(task(work(HALF, joined, flow=True)), 1, SEED).out_media

    assert found is not None
    assert found["streams"][0]["width"] == 640


def test_one_source_may_stand_without_a_list() -> None:
    lone = Job("avinfo", {"Preset": "p", "SrcInfo": {"path": "/dst-bucket/out/a.mp4"}}, (FILM,), {}, {})

    assert _probed(HALF, lone)["streams"][0]["width"] == 640


@pytest.mark.parametrize("kind", JOBS)
def test_the_output_of_a_job_is_always_the_same(kind: Job) -> None:
    of = task(work(kind))

    assert output_of(of, 0, SEED) == output_of(of, 0, SEED)


def test_there_is_no_output_of_a_job_that_is_not_there() -> None:
    with pytest.raises(IndexError, match=f"task {TASK_ID} has no job 1"):
        output_of(task(work(WAVE)), 1, SEED)
