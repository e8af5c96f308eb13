"""Dialects: profiles, switches, and the documents that they change."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from emulator.kingsoft.dialects import PROFILES, SWITCHES, Dialect, parse
from tests.support.shapes import misfits

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "kingsoft" / "dialect.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "kingsoft-callbacks.md").read_text("utf-8")
DOCS = PROFILES["docs"]
OUT_MEDIA: dict[str, Any] = {
    "metadata": {"rotate": "0"},
    "streams": [
        {
            "index": 0,
            "codec_name": "h264",
            "codec_type": "video",
            "width": 640,
            "height": 360,
            "bit_rate": 500_000,
            "r_frame_rate": "25/1",
        },
        {
            "index": 1,
            "channels": 2,
            "sample_rate": 44_100,
            "codec_name": "aac",
            "codec_type": "audio",
            "bit_rate": 64_000,
        },
    ],
    "format": {"duration": "11.000", "format_name": "mp4", "size": 775_500, "bit_rate": "564000"},
}
METAINFO: dict[str, Any] = {
    "streams": [{"index": 0, "codec_type": "video", "is_avc": "true"}, {"index": 1, "codec_type": "audio"}],
    "format": {"size": 775_500, "duration": "11.000000"},
}


# The flag


@pytest.mark.parametrize("name", PROFILES)
def test_a_flag_may_name_a_profile(name: str) -> None:
    assert parse(name) == PROFILES[name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("itmes=on", replace(DOCS, itmes="on")),
        ("docs,itmes=on,r_frame_rate=decimal", replace(DOCS, itmes="on", r_frame_rate="decimal")),
        (" ks3 , final_progress = on ", replace(PROFILES["ks3"], final_progress=True)),
        ("real-2020,lower_case_params=off", replace(PROFILES["real-2020"], lower_case_params=False)),
        ("segment_duration=4,running_status=0", replace(DOCS, segment_duration=4, running_status=0)),
        ("itmes=on,itmes=off", DOCS),
    ],
)
def test_a_flag_may_set_switches_behind_a_profile(text: str, expected: Dialect) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lagacy", "there is no dialect 'lagacy'; did you mean 'legacy'?"),
        ("", "there is no dialect ''; there are docs, real-2020, legacy, ks3"),
        ("itmes", "there is no dialect 'itmes'; it is a switch: write itmes=VALUE"),
        ("docs,itms=on", "there is no switch 'itms' in a dialect; did you mean 'itmes'?"),
        ("docs,index=omitzero", "index is one of always, omit-zero, not 'omitzero'; did you mean 'omit-zero'?"),
        ("presettype=maybe", "presettype is one of on, off, not 'maybe'"),
        ("segment_duration=5", "segment_duration is one of 3, 4, not '5'"),
        ("docs,ks3", "'ks3' stands at place 2: only the first part may be a profile"),
        (
            "docs,itmes",
            "'itmes' stands at place 2: only the first part may be a profile; write itmes=VALUE",
        ),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused_with_the_nearest(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"dialect|is one of|place") as caught:
        parse(text)

    assert str(caught.value) == message


# Documents of rules and accounts


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("legacy", PROFILES["legacy"]),
        ({}, PROFILES["ks3"]),
        ({"index": "omit-zero"}, replace(PROFILES["ks3"], index="omit-zero")),
        ({"profile": "docs"}, DOCS),
        ({"profile": "legacy", "itmes": "off"}, replace(PROFILES["legacy"], itmes="off")),
        ({"presettype": True}, replace(PROFILES["ks3"], presettype=True)),
        ({"presettype": "on"}, replace(PROFILES["ks3"], presettype=True)),
        ({"itmes": False}, DOCS),
        ({"segment_duration": 4}, replace(PROFILES["ks3"], segment_duration=4)),
    ],
)
def test_a_document_revises_the_dialect_in_force(document: Any, expected: Dialect) -> None:
    assert PROFILES["ks3"].revised(document) == expected


@pytest.mark.parametrize(
    "document",
    [
        3,
        None,
        ["docs"],
        "dox",
        {"profile": 3},
        {"profile": "dox"},
        {"running_status": True},
        {"itmes": []},
        {"x": "on"},
    ],
)
def test_a_document_that_makes_no_sense_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"dialect|is one of|profile"):
        DOCS.revised(document)


def test_a_dialect_is_not_changed_by_its_revision() -> None:
    DOCS.revised({"itmes": "on"})

    assert parse("docs") == Dialect()


# The schema


@pytest.mark.parametrize("name", SWITCHES)
def test_the_schema_takes_the_values_that_a_switch_takes(name: str) -> None:
    allowed = SCHEMA["properties"][name]["enum"]

    assert {DOCS.revised({name: value}) for value in allowed} == {
        DOCS.revised({name: value}) for value in SWITCHES[name]
    }


def test_the_schema_has_every_switch_and_every_profile() -> None:
    assert set(SCHEMA["properties"]) == {"profile", *SWITCHES}
    assert SCHEMA["then"]["enum"] == SCHEMA["properties"]["profile"]["enum"] == list(PROFILES)


def test_every_member_of_a_dialect_is_a_switch() -> None:
    assert [field.name for field in fields(Dialect)] == list(SWITCHES)


def test_the_default_of_a_switch_is_its_first_value_or_off() -> None:
    first = {name: False if values == (True, False) else values[0] for name, values in SWITCHES.items()}

    assert {name: getattr(DOCS, name) for name in SWITCHES} == first


@pytest.mark.parametrize("document", ["docs", {}, {"profile": "ks3", "itmes": False, "segment_duration": "4"}])
def test_a_dialect_fits_the_schema(document: Any) -> None:
    assert misfits("kingsoft/dialect.json", document) == []


@pytest.mark.parametrize("document", ["dox", 3, {"itms": "on"}, {"itmes": "yes"}, {"profile": "dox"}])
def test_what_is_no_dialect_does_not_fit_the_schema(document: Any) -> None:
    assert misfits("kingsoft/dialect.json", document) != []


# The page about them


def _cell(name: str, column: int) -> list[str]:
    """The words in code of a cell of the row that begins with ``name``."""
    row = re.search(rf"^\| `{name}` \|.*$", PAGE, re.MULTILINE)
    assert row is not None, name
    return re.findall(r"`([^`]*)`", row[0].split("|")[column])


@pytest.mark.parametrize("name", SWITCHES)
def test_the_page_tells_the_values_of_a_switch_the_default_first(name: str) -> None:
    found = [getattr(parse(f"{name}={value}"), name) for value in _cell(name, 2)]

    assert found[0] == getattr(DOCS, name)
    assert sorted(map(str, found)) == sorted(map(str, SWITCHES[name]))


@pytest.mark.parametrize("name", PROFILES)
def test_the_page_tells_what_a_profile_changes(name: str) -> None:
    assert parse(",".join(["docs", *_cell(name, 3)])) == PROFILES[name]


# The documents inside strings


def _out(text: str) -> Any:
    return parse(text).out_media(OUT_MEDIA)


def test_by_default_a_document_has_the_types_of_the_table() -> None:
    assert _out("docs") == OUT_MEDIA


def test_a_document_is_not_changed_where_it_is_kept() -> None:
    before = json.dumps([OUT_MEDIA, METAINFO])
    dialect = Dialect(stream_bit_rate="string", format_bit_rate="absent", index="omit-zero", is_avc="digits")

    dialect.out_media(OUT_MEDIA)
    dialect.metainfo(METAINFO)

    assert json.dumps([OUT_MEDIA, METAINFO]) == before


def test_rates_of_streams_may_be_texts() -> None:
    assert [stream["bit_rate"] for stream in _out("stream_bit_rate=string")["streams"]] == ["500000", "64000"]


def test_the_rate_of_the_file_may_be_a_number() -> None:
    assert _out("format_bit_rate=int")["format"]["bit_rate"] == 564_000


def test_the_rate_of_the_file_may_be_left_out() -> None:
    assert "bit_rate" not in _out("format_bit_rate=absent")["format"]


@pytest.mark.parametrize(
    ("fraction", "decimal"), [("25/1", "25"), ("30000/1001", "29.97"), ("301/10", "30.1"), ("100/1", "100")]
)
def test_a_frame_rate_may_be_decimal(fraction: str, decimal: str) -> None:
    document = {**OUT_MEDIA, "streams": [{**OUT_MEDIA["streams"][0], "r_frame_rate": fraction}]}

    found = parse("r_frame_rate=decimal").out_media(document)

    assert found["streams"][0]["r_frame_rate"] == decimal


@pytest.mark.parametrize(
    ("long", "short"), [("11.000", "11"), ("12.480", "12.48"), ("100.000", "100"), ("0.001", "0.001")]
)
def test_a_length_may_be_without_zeros_at_the_end(long: str, short: str) -> None:
    document = {**OUT_MEDIA, "format": {**OUT_MEDIA["format"], "duration": long}}

    assert parse("duration=short").out_media(document)["format"]["duration"] == short


def test_the_first_stream_may_be_without_its_number() -> None:
    dialect = parse("index=omit-zero")

    assert [stream.get("index") for stream in dialect.out_media(OUT_MEDIA)["streams"]] == [None, 1]
    assert [stream.get("index") for stream in dialect.metainfo(METAINFO)["streams"]] == [None, 1]


@pytest.mark.parametrize(("text", "size"), [("docs", "775500"), ("metainfo_size=int", 775_500)])
def test_the_size_of_a_probed_file_is_a_text_or_a_number(text: str, size: Any) -> None:
    assert parse(text).metainfo(METAINFO)["format"]["size"] == size


@pytest.mark.parametrize(
    ("text", "given", "shown"),
    [
        ("docs", "true", "true"),
        ("docs", "false", "false"),
        ("is_avc=digits", "true", "1"),
        ("is_avc=digits", "false", "0"),
    ],
)
def test_the_packaging_is_told_by_words_or_digits(text: str, given: str, shown: str) -> None:
    document = {**METAINFO, "streams": [{"index": 0, "is_avc": given}]}

    assert parse(text).metainfo(document)["streams"][0]["is_avc"] == shown


def test_a_stream_without_a_packaging_gets_none() -> None:
    assert "is_avc" not in parse("is_avc=digits").metainfo(METAINFO)["streams"][1]


@pytest.mark.parametrize(("text", "shown"), [("docs", "10.000"), ("segment_duration=4", "10.0000")])
def test_the_length_of_a_piece_has_three_or_four_decimals(text: str, shown: str) -> None:
    pieces = parse(text).segments([{"fileindex": 0, "filename": "a", "duration": "10.000", "filesize": 1}])

    assert pieces == [{"fileindex": 0, "filename": "a", "duration": shown, "filesize": 1}]
