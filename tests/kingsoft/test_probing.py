"""What is found in a file agrees with itself and with the description of the file."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.ids import Draw
from emulator.kingsoft import media
from emulator.kingsoft.probing import probed
from tests.support.clouds import data

FILM = {
    "duration": 198.123,
    "rotate": "0",
    "video": {"codec": "h264", "width": 1920, "height": 1080, "frame_rate": "25/1", "bit_rate": 500_000},
    "audio": {"codec": "aac", "channels": 2, "sample_rate": 48_000, "bit_rate": 64_000},
}
REQUIRED_OF_VIDEO = {"width", "height", "pix_fmt"}
REQUIRED_OF_AUDIO = {"sample_fmt", "sample_rate", "channels"}

descriptions = st.one_of(
    st.integers().map(lambda meaning: media.drawn(Draw(meaning))),
    st.fixed_dictionaries(
        {"duration": st.floats(0.001, 180_000), "rotate": st.sampled_from(("0", "90"))},
        optional={
            "video": st.fixed_dictionaries(
                {
                    "codec": st.sampled_from(["h264", "h265", "gif", "mjpeg", "vp9"]),
                    "width": st.integers(1, 8000),
                    "height": st.integers(1, 8000),
                    "frame_rate": st.sampled_from(["25/1", "30000/1001", "50/2", "1/3", "1000000/1"]),
                    "bit_rate": st.integers(1, 10**9),
                }
            ),
            "audio": st.fixed_dictionaries(
                {
                    "codec": st.sampled_from(["aac", "mp3", "pcm_s16le", "opus"]),
                    "channels": st.integers(1, 12),
                    "sample_rate": st.integers(1, 192_000),
                    "bit_rate": st.integers(1, 10**7),
                }
            ),
            "size": st.integers(0, 10**12),
            "format": st.sampled_from(["mp4", "mp3", "flv", "webm"]),
        },
    ),
)
keys = st.sampled_from(["a.mp4", "/b/a.flv", "a.ts", "a.m3u8", "a.mp3", "a", "a.mov", "a.mkv", "x.y/a", "a.jpg"])


def stream(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    return next(row for row in found["streams"] if row["codec_type"] == kind)


@given(descriptions, keys)
def test_what_is_found_fits_its_schema(description: dict[str, Any], key: str) -> None:
    fits = data()[0].matcher({"$ref": "https://emulator.invalid/kingsoft/common.json#/$defs/metainfo"})

    assert fits(probed(description, key))


@given(descriptions, keys)
def test_every_stream_has_what_the_table_requires_of_its_kind(description: dict[str, Any], key: str) -> None:
    for row in probed(description, key)["streams"]:
        assert {"index", "codec_name", "codec_long_name", "time_base", "start_time", "bit_rate"} <= set(row)
        assert (REQUIRED_OF_VIDEO if row["codec_type"] == "video" else REQUIRED_OF_AUDIO) <= set(row)


@given(descriptions, keys)
def test_streams_are_counted_and_numbered(description: dict[str, Any], key: str) -> None:
    found = probed(description, key)

    assert [row["index"] for row in found["streams"]] == list(range(found["format"]["nb_streams"]))


@given(descriptions, keys)
def test_the_length_of_a_stream_is_its_ticks_times_their_length(description: dict[str, Any], key: str) -> None:
    for row in probed(description, key)["streams"]:
        exact = row["duration_ts"] * Fraction(row["time_base"])
        assert abs(Fraction(row["duration"]) - exact) <= Fraction(1, 10**6)


@given(descriptions, keys)
def test_the_length_of_a_stream_is_that_of_the_file_to_a_tick(description: dict[str, Any], key: str) -> None:
    found = probed(description, key)

    for row in found["streams"]:
        assert abs(Fraction(row["duration"]) - Fraction(found["format"]["duration"])) <= Fraction(row["time_base"])


@given(descriptions, keys)
def test_the_number_of_pictures_is_length_times_rate(description: dict[str, Any], key: str) -> None:
    found = probed(description, key)

    for row in found["streams"]:
        if row["codec_type"] == "video":
            expected = Fraction(found["format"]["duration"]) * Fraction(row["avg_frame_rate"])
            assert abs(int(row["nb_frames"]) - expected) <= 1


@given(descriptions, keys)
def test_size_rate_and_length_of_the_file_agree(description: dict[str, Any], key: str) -> None:
    whole = probed(description, key)["format"]
    length, rate = Decimal(whole["duration"]), int(whole["bit_rate"])

    assert abs(whole["size"] * 8 - length * rate) <= length + 8


def test_the_rate_of_a_file_of_known_size_is_that_size_over_its_length() -> None:
    described = {**FILM, "duration": 1284.864, "size": 133_778_683}

    assert probed(described, "a.mp4")["format"] == {
        "nb_streams": 2,
        "format_name": "mov,mp4,m4a,3gp,3g2,mj2",
        "format_long_name": "QuickTime / MOV",
        "duration": "1284.864000",
        "size": 133_778_683,
        "bit_rate": "832951",
        "probe_score": 100,
    }


def test_a_picture_has_all_fields_of_the_table_and_the_sample() -> None:
    assert stream("video", probed(FILM, "a.mp4")) == {
        "index": 0,
        "codec_name": "h264",
        "codec_long_name": "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10",
        "profile": "High",
        "codec_type": "video",
        "codec_time_base": "1/50",
        "codec_tag_string": "avc1",
        "codec_tag": "0x31637661",
        "r_frame_rate": "25/1",
        "avg_frame_rate": "25/1",
        "time_base": "1/12800",
        "start_pts": 0,
        "start_time": "0.000000",
        "duration_ts": 2_535_974,
        "duration": "198.122969",
        "bit_rate": "500000",
        "max_bit_rate": "750000",
        "nb_frames": "4953",
        "width": 1920,
        "height": 1080,
        "coded_width": 1920,
        "coded_height": 1088,
        "has_b_frames": 2,
        "sample_aspect_ratio": "1:1",
        "display_aspect_ratio": "16:9",
        "pix_fmt": "yuv420p",
        "level": 40,
        "chroma_location": "left",
        "refs": 4,
        "bits_per_raw_sample": "8",
        "rotate": "0",
        "is_avc": "true",
    }


def test_sound_has_all_fields_of_the_table_and_the_sample() -> None:
    assert stream("audio", probed(FILM, "a.mp4")) == {
        "index": 1,
        "codec_name": "aac",
        "codec_long_name": "AAC (Advanced Audio Coding)",
        "profile": "LC",
        "codec_type": "audio",
        "codec_time_base": "1/48000",
        "codec_tag_string": "mp4a",
        "codec_tag": "0x6134706d",
        "r_frame_rate": "0/0",
        "avg_frame_rate": "0/0",
        "time_base": "1/48000",
        "start_pts": 0,
        "start_time": "0.000000",
        "duration_ts": 9_509_904,
        "duration": "198.123000",
        "bit_rate": "64000",
        "max_bit_rate": "64000",
        "nb_frames": "9287",
        "sample_fmt": "fltp",
        "sample_rate": "48000",
        "channels": 2,
        "channel_layout": "stereo",
    }


@pytest.mark.parametrize(
    ("key", "name", "tag"),
    [
        ("a.mp4", "mov,mp4,m4a,3gp,3g2,mj2", "0x31637661"),
        ("a.MOV", "mov,mp4,m4a,3gp,3g2,mj2", "0x31637661"),
        ("a.ts", "mpegts", "0x001b"),
        ("a.flv", "flv", "0x0000"),
        ("a.mkv", "matroska,webm", "0x0000"),
        ("a.m3u8", "hls,applehttp", "0x001b"),
        ("a.b/c", "mov,mp4,m4a,3gp,3g2,mj2", "0x31637661"),
    ],
)
def test_the_container_follows_from_the_ending_of_the_key(key: str, name: str, tag: str) -> None:
    found = probed(FILM, key)

    assert (found["format"]["format_name"], stream("video", found)["codec_tag"]) == (name, tag)


def test_the_container_that_is_described_goes_before_the_ending() -> None:
    assert probed({**FILM, "format": "flv"}, "a.mp4")["format"]["format_name"] == "flv"


def test_a_file_named_as_sound_holds_no_picture() -> None:
    found = probed({**FILM, "size": 99_999_999}, "a.mp3")

    assert [row["codec_type"] for row in found["streams"]] == ["audio"]
    assert found["format"]["bit_rate"] == "64000"


def test_h265_goes_by_the_name_that_ffprobe_has_for_it() -> None:
    described = {**FILM, "video": {**FILM["video"], "codec": "h265"}}  # type: ignore[dict-item]
    found = stream("video", probed(described, "a.mp4"))

    assert (found["codec_name"], found["codec_tag_string"], "is_avc" in found) == ("hevc", "hvc1", False)


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (2, "stereo"), (6, "5.1"), (12, "12 channels")])
def test_the_layout_of_channels_has_a_name(channels: int, layout: str) -> None:
    described = {**FILM, "audio": {**FILM["audio"], "channels": channels}}  # type: ignore[dict-item]

    assert stream("audio", probed(described, "a.mp4"))["channel_layout"] == layout
