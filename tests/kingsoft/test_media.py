"""What is reported of an output agrees with itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.ids import Draw
from emulator.kingsoft import media
from tests.support.clouds import data

VIDEO = {"codec": "h264", "width": 1280, "height": 720, "frame_rate": "25/1", "bit_rate": 500_000}
AUDIO = {"codec": "aac", "channels": 2, "sample_rate": 44_100, "bit_rate": 64_000}
FILM = {"duration": 198.123, "rotate": "0", "video": VIDEO, "audio": AUDIO}

descriptions = st.one_of(
    st.integers().map(lambda meaning: media.drawn(Draw(meaning))),
    st.fixed_dictionaries(
        {"duration": st.floats(0.001, 180_000), "rotate": st.sampled_from(("0", "90"))},
        optional={
            "video": st.builds(lambda rate: {**VIDEO, "bit_rate": rate}, st.integers(1, 10**9)),
            "audio": st.builds(lambda rate: {**AUDIO, "bit_rate": rate}, st.integers(1, 10**7)),
        },
    ),
)
keys = st.sampled_from(["out/a.mp4", "a.MP3", "a.m4a", "a.aac", "a.flv", "a.m3u8", "a", "a.b.gif", ".mp3", "a.xyz"])


def _output(description: dict[str, Any], key: str = "out/a.mp4") -> Any:
    return json.loads(media.output(description, key))


def test_a_film_has_a_picture_and_a_sound() -> None:
    assert _output(FILM) == {
        "metadata": {"rotate": "0"},
        "streams": [
            {
                "index": 0,
                "codec_name": "h264",
                "codec_type": "video",
                "width": 1280,
                "height": 720,
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
        "format": {"duration": "198.123", "format_name": "mp4", "size": 13_967_671, "bit_rate": "564000"},
    }


@given(descriptions, keys)
def test_what_is_reported_fits_its_schema(description: dict[str, Any], key: str) -> None:
    schema = data()[0].get("kingsoft/outMediainfo.json")

    assert schema.is_valid(_output(description, key))


@given(descriptions, keys)
def test_the_rate_of_the_whole_is_the_sum_of_the_streams(description: dict[str, Any], key: str) -> None:
    output = _output(description, key)

    assert int(output["format"]["bit_rate"]) == sum(stream["bit_rate"] for stream in output["streams"])


@given(descriptions, keys)
def test_the_size_is_duration_times_rate(description: dict[str, Any], key: str) -> None:
    whole = _output(description, key)["format"]
    rate = int(whole["bit_rate"])

    assert abs(whole["size"] - float(whole["duration"]) * rate / 8) <= 1 + 0.0005 * rate / 8


@given(descriptions, keys)
def test_streams_are_numbered_from_zero(description: dict[str, Any], key: str) -> None:
    streams = _output(description, key)["streams"]

    assert [stream["index"] for stream in streams] == list(range(len(streams)))


@pytest.mark.parametrize("key", ["a.mp3", "dir/a.m4a", "a.aac", "A.MP3"])
def test_an_output_for_sound_only_has_no_picture(key: str) -> None:
    assert [stream["codec_type"] for stream in _output(FILM, key)["streams"]] == ["audio"]


def test_the_sound_alone_is_the_first_stream() -> None:
    assert _output(FILM, "a.mp3")["streams"][0]["index"] == 0


def test_an_output_for_sound_only_is_as_small_as_its_sound() -> None:
    assert _output(FILM, "a.mp3")["format"]["bit_rate"] == "64000"


def test_a_source_without_sound_gives_an_output_without_sound() -> None:
    silent = {name: value for name, value in FILM.items() if name != "audio"}

    assert [stream["codec_type"] for stream in _output(silent)["streams"]] == ["video"]


@pytest.mark.parametrize(
    ("key", "container"),
    [
        ("a.mp4", "mp4"),
        ("a.flv", "flv"),
        ("a.ts", "mpegts"),
        ("a.m3u8", "hls"),
        ("a.mp3", "mp3"),
        ("a.m4a", "mp4"),
        ("a.aac", "adts"),
        ("a.gif", "gif"),
        ("a.mpd", "dash"),
        ("a.FLV", "flv"),
        ("a", "mp4"),
        ("a.xyz", "mp4"),
    ],
)
def test_the_container_follows_from_the_ending_of_the_key(key: str, container: str) -> None:
    assert _output(FILM, key)["format"]["format_name"] == container


def test_the_duration_has_three_decimals() -> None:
    assert _output({**FILM, "duration": 5})["format"]["duration"] == "5.000"


def test_a_drawn_description_is_the_same_for_the_same_meaning() -> None:
    assert media.drawn(Draw(7, "a")) == media.drawn(Draw(7, "a")) != media.drawn(Draw(7, "b"))


@given(st.integers())
def test_a_drawn_description_fits_the_schema_of_described_sources(meaning: int) -> None:
    schema = data()[0].get("kingsoft/media.json")

    assert schema.is_valid({"$schema": schema.id, "media": media.drawn(Draw(meaning))})
