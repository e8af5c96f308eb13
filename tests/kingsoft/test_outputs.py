"""What a job yields follows from its sources, its template and its wishes, and agrees with itself."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.ids import Draw
from emulator.kingsoft import media
from emulator.kingsoft.outputs import Output, fault, made
from emulator.kingsoft.work import Job
from tests.support.clouds import data
from tests.support.shapes import misfits

VIDEO = {"codec": "h264", "width": 1280, "height": 720, "frame_rate": "25/1", "bit_rate": 500_000}
AUDIO = {"codec": "aac", "channels": 2, "sample_rate": 44_100, "bit_rate": 64_000}
FILM = {"duration": 198.123, "rotate": "0", "video": VIDEO, "audio": AUDIO}
SOUND = {"duration": 60.0, "rotate": "0", "audio": {**AUDIO, "codec": "mp3", "bit_rate": 128_000}}
PORTRAIT = {**FILM, "rotate": "90"}


def job(
    kind: str = "avtrans",
    *sources: dict[str, Any],
    param: dict[str, Any] | None = None,
    wishes: dict[str, Any] | None = None,
    **parameters: Any,
) -> Job:
    held = sources or (FILM,)
    given = {
        "SrcInfo": [{"path": f"/src/in/{index}.mp4", "index": index} for index in range(len(held))],
        "DstBucket": "dst",
        "DstObjectKey": "out/a.mp4",
        **parameters,
    }
    return Job(kind, given, held, param or {}, wishes or {})


def run(*arguments: Any, **named: Any) -> Output:
    return made(job(*arguments, **named), Draw(7, "task", 0))


def out_media(*sources: dict[str, Any], **named: Any) -> dict[str, Any]:
    found = run("avtrans", *sources, **named).out_media
    assert found is not None
    return found


def streams(*sources: dict[str, Any], **named: Any) -> dict[str, dict[str, Any]]:
    """The streams of a transcoded file by their type."""
    return {stream["codec_type"]: stream for stream in out_media(*sources, **named)["streams"]}


def size(video: dict[str, Any], *sources: dict[str, Any], **param: Any) -> tuple[int, int]:
    picture = streams(*sources, param={"f": "mp4", "VIDEO": video, **param})["video"]
    return picture["width"], picture["height"]


numbers = st.one_of(
    st.integers(-5, 5000), st.integers(0, 5000).map(str), st.sampled_from(["", "abc", None, True, 1e308, "1e999", []])
)
rates = st.one_of(st.sampled_from(["900k", "1m", "1.5MB", "128kb", "64000", 64_000, "", "x", 0, None]), numbers)
times = st.one_of(
    st.sampled_from(["", "12.5", "00:00:10", "01:00", "1:2:3:4", "x", 7, 0, None, -1]), st.floats(0, 2000)
)
videos = st.fixed_dictionaries(
    {},
    optional={
        "vcodec": st.sampled_from(["h264", "h265", "copy", ""]),
        "vb": rates,
        "vr": st.one_of(numbers, st.sampled_from(["29.97", "30000/1001", "1/0", "/"])),
        "width": numbers,
        "height": numbers,
        "shortSide": numbers,
        "as": st.sampled_from([0, 1, "1"]),
        "rotate": st.sampled_from(["auto", "0", "90", "180", "270", "10", 360, ""]),
        "vn": st.sampled_from([0, 1, "1"]),
    },
)
audios = st.fixed_dictionaries(
    {},
    optional={
        "acodec": st.sampled_from(["aac", "mp3", "copy"]),
        "ab": rates,
        "ar": numbers,
        "channels": numbers,
        "an": st.sampled_from([0, 1]),
    },
)
params = st.fixed_dictionaries(
    {},
    optional={
        "f": st.sampled_from(["mp4", "flv", "hls", "mpegts", "mp3", "adts", "dash", "gif"]),
        "VIDEO": videos,
        "video": videos,
        "AUDIO": audios,
        "audio": audios,
        "intelligentSwitch": st.sampled_from([0, 1, 2, "1"]),
        "segment_time": st.one_of(st.integers(1, 600), st.sampled_from(["10", 0, "x"])),
        "start_segment_num": numbers,
        "interval": numbers,
        "spriteflag": st.sampled_from([0, 1, "1"]),
        "spritew": numbers,
        "spriteh": numbers,
    },
)
wishes = st.fixed_dictionaries(
    {},
    optional={
        "ss": times,
        "duration": times,
        "segment_filename": st.sampled_from(["seg-%03d.mp4", "x/%d.ts", "piece.mp4", "piece", "%99d", ""]),
        "masterSrcIndex": st.integers(0, 3),
        "f": st.sampled_from(["mp4", "hls", ""]),
    },
)
descriptions = st.one_of(
    st.integers().map(lambda meaning: media.drawn(Draw(meaning))),
    st.fixed_dictionaries(
        {"duration": st.floats(0.001, 4000), "rotate": st.sampled_from(("0", "90", "180", "10"))},
        optional={
            "video": st.builds(
                lambda rate, width, frames: {**VIDEO, "bit_rate": rate, "width": width, "frame_rate": frames},
                st.integers(1, 10**9),
                st.integers(1, 8000),
                st.sampled_from(["25/1", "30000/1001", "50/2", "1/3"]),
            ),
            "audio": st.builds(lambda rate: {**AUDIO, "bit_rate": rate}, st.integers(1, 10**7)),
            "size": st.integers(0, 10**12),
            "format": st.sampled_from(["mp4", "mp3", "flv"]),
        },
    ),
)
kinds = st.sampled_from(["avtrans", "avop", "avlogo", "avm3u8"])
keys = st.sampled_from(["out/a.mp4", "/a.m3u8", "a", "x/y/a.b.flv", "a.mp3", "名字.mp4"])
jobs = st.builds(
    lambda kind, sources, param, wishes, key: job(kind, *sources, param=param, wishes=wishes, DstObjectKey=key),
    kinds,
    st.lists(descriptions, min_size=1, max_size=4),
    params,
    wishes,
    keys,
)
screenshots = st.builds(
    lambda kind, source, param, wishes: job(kind, source, param=param, wishes=wishes, DstDir="shots"),
    st.sampled_from(["avsample", "avsnapshot"]),
    descriptions,
    params,
    wishes,
)
meanings = st.integers().map(lambda meaning: ("task", meaning))


# --- what always holds -----------------------------------------------------------------------------------------------


@given(st.one_of(jobs, screenshots), meanings)
def test_the_same_job_and_draw_give_the_same_output(work: Job, meaning: tuple[Any, ...]) -> None:
    assert made(work, Draw(*meaning)) == made(work, Draw(*meaning))


@given(jobs, meanings)
def test_the_description_of_an_output_fits_its_schema(work: Job, meaning: tuple[Any, ...]) -> None:
    assert misfits("kingsoft/outMediainfo.json", made(work, Draw(*meaning)).out_media) == []


@given(st.one_of(jobs, screenshots), meanings)
def test_the_file_made_can_be_the_source_of_a_next_step(work: Job, meaning: tuple[Any, ...]) -> None:
    schema = data()[0].get("kingsoft/media.json")
    found = made(work, Draw(*meaning)).media

    assert found is None or schema.is_valid({"$schema": schema.id, "media": found})


@given(jobs, meanings)
def test_the_size_is_rate_times_length(work: Job, meaning: tuple[Any, ...]) -> None:
    found = made(work, Draw(*meaning)).out_media
    assert found is not None
    whole = found["format"]

    assert whole["size"] == int(Decimal(whole["duration"]) * int(whole["bit_rate"]) / 8)


@given(jobs, meanings)
def test_the_rate_of_a_file_is_the_sum_of_its_streams(work: Job, meaning: tuple[Any, ...]) -> None:
    found = made(work, Draw(*meaning)).out_media
    assert found is not None

    assert int(found["format"]["bit_rate"]) == sum(stream["bit_rate"] for stream in found["streams"])


@given(jobs, meanings)
def test_streams_are_numbered_from_zero(work: Job, meaning: tuple[Any, ...]) -> None:
    found = made(work, Draw(*meaning)).out_media
    assert found is not None

    assert [stream["index"] for stream in found["streams"]] == list(range(len(found["streams"])))


@given(jobs, meanings)
def test_the_lengths_of_the_pieces_add_up_exactly(work: Job, meaning: tuple[Any, ...]) -> None:
    found = made(work, Draw(*meaning))
    assert found.out_media is not None

    if found.segments:
        lengths = sum(Decimal(piece["duration"]) for piece in found.segments)
        assert lengths == Decimal(found.out_media["format"]["duration"])


@given(jobs, meanings)
def test_the_sizes_of_the_pieces_add_up_exactly(work: Job, meaning: tuple[Any, ...]) -> None:
    found = made(work, Draw(*meaning))
    assert found.out_media is not None

    if found.segments:
        assert sum(piece["filesize"] for piece in found.segments) == found.out_media["format"]["size"]


@given(jobs, meanings)
def test_pieces_have_different_names(work: Job, meaning: tuple[Any, ...]) -> None:
    names = [piece["filename"] for piece in made(work, Draw(*meaning)).segments]

    assert len(set(names)) == len(names)


@given(jobs, meanings)
def test_pieces_and_sheets_fit_their_schemas(work: Job, meaning: tuple[Any, ...]) -> None:
    found = made(work, Draw(*meaning)).segments

    assert data()[0].matcher({"$ref": "https://emulator.invalid/kingsoft/common.json#/$defs/segmentsinfo"})(list(found))


@given(screenshots, meanings)
def test_sprite_sheets_fit_their_schema(work: Job, meaning: tuple[Any, ...]) -> None:
    found = made(work, Draw(*meaning)).sprites
    fits = data()[0].matcher({"$ref": "https://emulator.invalid/kingsoft/common.json#/$defs/thumnailsinfo"})

    assert fits(list(found))


@given(jobs)
def test_a_template_that_forbids_enlarging_never_enlarges(work: Job) -> None:
    bound = Job(work.type, work.parameters, (FILM,), {**work.param, "intelligentSwitch": 1, "VIDEO": {}}, work.wishes)
    bound.param["video"] = {**work.param.get("video", {}), **work.param.get("VIDEO", {})}
    found = made(bound, Draw(1)).media
    assert found is not None

    if "video" in found:
        picture = found["video"]
        assert max(picture["width"], picture["height"]) <= 1280
        assert picture["bit_rate"] <= VIDEO["bit_rate"]
        assert Fraction(picture["frame_rate"]) <= 25


# --- transcoding -----------------------------------------------------------------------------------------------------


def test_a_film_stays_a_film() -> None:
    assert out_media(param={"f": "mp4"}) == {
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


@pytest.mark.parametrize("key", ["out/a.mp4", "/out/a.mp4"])
def test_the_path_of_the_output_has_no_leading_slash(key: str) -> None:
    assert run(DstObjectKey=key).dstpath == "out/a.mp4"


def test_an_output_says_how_long_it_is() -> None:
    assert run().duration == 198.123


@pytest.mark.parametrize(
    ("container", "name"),
    [("mp4", "mp4"), ("flv", "flv"), ("hls", "hls"), ("mpegts", "mpegts"), ("dash", "dash"), ("webm", "webm")],
)
def test_the_template_says_what_file_it_is(container: str, name: str) -> None:
    assert out_media(param={"f": container})["format"]["format_name"] == name


def test_the_wishes_say_what_file_it_is_before_the_template_does() -> None:
    assert out_media(param={"f": "mp4"}, wishes={"f": "flv"})["format"]["format_name"] == "flv"


def test_the_ending_says_what_file_it_is_if_nothing_else_does() -> None:
    assert out_media(DstObjectKey="a.flv")["format"]["format_name"] == "flv"


def test_a_legacy_template_for_hls_makes_hls() -> None:
    found = run("avm3u8", DstObjectKey="a.m3u8").out_media
    assert found is not None

    assert found["format"]["format_name"] == "hls"


@pytest.mark.parametrize("spelling", ["VIDEO", "video"])
def test_settings_of_the_picture_stand_under_capitals_or_not(spelling: str) -> None:
    assert streams(param={spelling: {"vb": "900k"}})["video"]["bit_rate"] == 900_000


@pytest.mark.parametrize("spelling", ["AUDIO", "audio"])
def test_settings_of_the_sound_stand_under_capitals_or_not(spelling: str) -> None:
    assert streams(param={spelling: {"ab": "96k"}})["audio"]["bit_rate"] == 96_000


def test_the_sound_follows_the_template() -> None:
    wanted = {"acodec": "mp3", "ab": "128kb", "ar": "48000", "channels": "1"}

    assert streams(param={"AUDIO": wanted})["audio"] == {
        "index": 1,
        "channels": 1,
        "sample_rate": 48_000,
        "codec_name": "mp3",
        "codec_type": "audio",
        "bit_rate": 128_000,
    }


@pytest.mark.parametrize(("given", "codec"), [({}, "h264"), ({"vcodec": "h264"}, "h264"), ({"vcodec": "h265"}, "hevc")])
def test_the_codec_follows_the_template(given: dict[str, Any], codec: str) -> None:
    assert streams(param={"VIDEO": given})["video"]["codec_name"] == codec


def test_a_copied_picture_stays_as_it_is() -> None:
    source = {**FILM, "video": {**VIDEO, "codec": "h265", "width": 853}}
    wanted = {"vcodec": "copy", "vb": "1m", "width": 640, "vr": "10"}

    assert run("avtrans", source, param={"VIDEO": wanted}).media["video"] == source["video"]  # type: ignore[index]


def test_copied_sound_stays_as_it_is() -> None:
    assert run("avtrans", SOUND, param={"AUDIO": {"acodec": "copy", "ab": "64k"}}).media["audio"] == SOUND["audio"]  # type: ignore[index]


@pytest.mark.parametrize(("given", "fraction"), [("30", "30/1"), (15, "15/1"), ("29.97", "2997/100"), ("", "25/1")])
def test_the_frame_rate_is_a_fraction(given: Any, fraction: str) -> None:
    assert streams(param={"VIDEO": {"vr": given}})["video"]["r_frame_rate"] == fraction


def test_vn_drops_the_picture() -> None:
    assert list(streams(param={"f": "mp4", "VIDEO": {"vn": 1}})) == ["audio"]


def test_an_drops_the_sound() -> None:
    assert list(streams(param={"f": "mp4", "AUDIO": {"an": "1"}})) == ["video"]


@pytest.mark.parametrize(("container", "codec"), [("mp3", "mp3"), ("adts", "aac")])
def test_a_file_for_sound_has_no_picture_and_its_own_codec(container: str, codec: str) -> None:
    found = streams(param={"f": container, "AUDIO": {"acodec": "copy"}})

    assert [(kind, stream["codec_name"]) for kind, stream in found.items()] == [("audio", codec)]


def test_a_gif_has_no_sound() -> None:
    assert [(kind, stream["codec_name"]) for kind, stream in streams(param={"f": "gif"}).items()] == [("video", "gif")]


def test_a_name_for_sound_drops_the_picture_if_the_template_is_silent() -> None:
    assert list(streams(DstObjectKey="a.m4a")) == ["audio"]


def test_nothing_left_is_an_empty_file() -> None:
    found = out_media(param={"f": "mp4", "VIDEO": {"vn": 1}, "AUDIO": {"an": 1}})

    assert (found["streams"], found["format"]["size"]) == ([], 0)


def test_a_smaller_picture_has_a_smaller_rate() -> None:
    assert streams(param={"VIDEO": {"width": 640}})["video"]["bit_rate"] == 125_000


# --- sides -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "sides"),
    [
        ({}, (1280, 720)),
        ({"width": 640}, (640, 360)),
        ({"width": "640"}, (640, 360)),
        ({"height": 480}, (854, 480)),
        ({"width": 640, "height": 640}, (640, 640)),
        ({"width": 640, "height": 640, "as": 1}, (640, 360)),
        ({"shortSide": 360, "as": 1}, (640, 360)),
        ({"width": 0, "height": ""}, (1280, 720)),
        ({"width": 1920}, (1920, 1080)),
        ({"width": 1}, (2, 2)),
    ],
)
def test_the_picture_is_scaled(wanted: dict[str, Any], sides: tuple[int, int]) -> None:
    assert size(wanted) == sides


@pytest.mark.parametrize("switch", [1, "1", 2])
def test_enlarging_can_be_forbidden(switch: Any) -> None:
    assert size({"width": 1920}, intelligentSwitch=switch) == (1280, 720)


def test_enlarging_in_one_direction_keeps_what_was_asked_for_in_proportion() -> None:
    assert size({"width": 1440, "height": 720}, intelligentSwitch=1) == (1280, 640)


def test_a_picture_held_upright_is_turned() -> None:
    assert size({}, PORTRAIT) == (720, 1280)


def test_a_turned_picture_says_nothing_of_rotation() -> None:
    assert out_media(PORTRAIT, param={"f": "mp4"})["metadata"] == {"rotate": "0"}


def test_a_copied_picture_keeps_its_rotation() -> None:
    found = out_media(PORTRAIT, param={"f": "mp4", "VIDEO": {"vcodec": "copy"}})

    assert (found["metadata"]["rotate"], found["streams"][0]["width"]) == ("90", 1280)


def test_a_picture_that_is_not_to_be_turned_keeps_its_rotation() -> None:
    found = out_media(PORTRAIT, param={"f": "mp4", "autorotate": 0})

    assert (found["metadata"]["rotate"], found["streams"][0]["width"]) == ("90", 1280)


@pytest.mark.parametrize(
    ("angle", "sides", "told"),
    [
        ("90", (720, 1280), "0"),
        (270, (720, 1280), "0"),
        ("180", (1280, 720), "0"),
        ("360", (1280, 720), "0"),
        ("10", (1280, 720), "10"),
        ("auto", (1280, 720), "0"),
    ],
)
def test_a_picture_is_turned_by_the_angle_asked_for(angle: Any, sides: tuple[int, int], told: str) -> None:
    found = out_media(param={"f": "mp4", "VIDEO": {"rotate": angle}})

    assert (found["streams"][0]["width"], found["streams"][0]["height"]) == sides
    assert found["metadata"]["rotate"] == told


# --- cutting and joining ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ({}, "198.123"),
        ({"ss": "10"}, "188.123"),
        ({"ss": "00:01:00.5"}, "137.623"),
        ({"duration": "20"}, "20.000"),
        ({"duration": 2.5}, "2.500"),
        ({"ss": "01:30", "duration": "00:00:15"}, "15.000"),
        ({"ss": "190", "duration": "20"}, "8.123"),
        ({"duration": "0"}, "198.123"),
        ({"duration": "1000"}, "198.123"),
        ({"ss": "198.123"}, "0.040"),
        ({"ss": "99999"}, "0.040"),
        ({"ss": "soon", "duration": "long"}, "198.123"),
    ],
)
def test_the_length_follows_the_wishes(given: dict[str, Any], length: str) -> None:
    assert out_media(wishes=given)["format"]["duration"] == length


def test_joined_sources_are_as_long_as_all_together() -> None:
    assert out_media(FILM, {**FILM, "duration": 10.5})["format"]["duration"] == "208.623"


def test_sound_laid_over_a_picture_adds_no_length() -> None:
    rows = [{"path": "/s/a.mp4", "index": 0, "type": "video"}, {"path": "/s/b.mp3", "index": 1, "type": "audio"}]

    assert out_media(FILM, SOUND, SrcInfo=rows)["format"]["duration"] == "198.123"


def test_a_silent_picture_takes_the_sound_laid_over_it() -> None:
    silent = {name: value for name, value in FILM.items() if name != "audio"}
    rows = [{"path": "/s/a.mp4", "type": "video"}, {"path": "/s/b.mp3", "type": "audio"}]

    assert streams(silent, SOUND, SrcInfo=rows)["audio"]["bit_rate"] == 128_000


def test_sounds_alone_follow_one_another() -> None:
    rows = [{"path": "/s/a.mp3", "type": "audio"}, {"path": "/s/b.mp3", "type": "audio"}]

    assert out_media(SOUND, SOUND, SrcInfo=rows, param={"f": "mp3"})["format"]["duration"] == "120.000"


def test_subtitles_add_no_length() -> None:
    rows = [{"path": "/s/a.mp4"}, {"path": "/s/a.srt", "type": "subtitle"}]

    assert out_media(FILM, FILM, SrcInfo=rows)["format"]["duration"] == "198.123"


@pytest.mark.parametrize(("wanted", "width"), [({}, 1280), ({"masterSrcIndex": 1}, 640), ({"masterSrcIndex": 9}, 1280)])
def test_the_main_source_says_how_the_streams_look(wanted: dict[str, Any], width: int) -> None:
    small = {**FILM, "video": {**VIDEO, "width": 640, "height": 360}}

    assert streams(FILM, small, wishes=wanted)["video"]["width"] == width


def test_types_of_sources_are_taken_in_the_order_of_their_indexes() -> None:
    rows = [{"path": "/s/b.mp3", "index": 1, "type": "audio"}, {"path": "/s/a.mp4", "index": 0}]

    assert out_media(FILM, SOUND, SrcInfo=rows)["format"]["duration"] == "198.123"


def test_a_source_may_be_a_single_object() -> None:
    assert out_media(SrcInfo={"path": "/s/a.mp4"})["format"]["duration"] == "198.123"


def test_a_source_named_as_sound_holds_no_picture() -> None:
    assert list(streams(SrcInfo=[{"path": "/s/a.mp3"}])) == ["audio"]


def test_a_source_described_with_its_container_holds_what_it_says() -> None:
    assert list(streams({**FILM, "format": "mp4"}, SrcInfo=[{"path": "/s/a.mp3"}])) == ["video", "audio"]


# --- pieces ----------------------------------------------------------------------------------------------------------


def pieces(duration: float = 35, **named: Any) -> tuple[dict[str, Any], ...]:
    return run("avtrans", {**FILM, "duration": duration}, **named).segments


def test_pieces_are_as_long_as_the_template_says_and_the_last_one_is_the_rest() -> None:
    lengths = [piece["duration"] for piece in pieces(param={"f": "mp4", "segment_time": 10})]

    assert lengths == ["10.000", "10.000", "10.000", "5.000"]


def test_there_is_no_empty_last_piece() -> None:
    assert len(pieces(30, param={"f": "mp4", "segment_time": "10"})) == 3


def test_names_of_pieces_alone_make_pieces_of_ten_seconds() -> None:
    found = pieces(wishes={"segment_filename": "seg-%03d.mp4"})

    assert [piece["duration"] for piece in found] == ["10.000", "10.000", "10.000", "5.000"]


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("segmentfile-%03d.mp4", "segmentfile-001.mp4"),
        ("dir/part%d.ts", "part1.ts"),
        ("part.mp4", "part-001.mp4"),
        ("part", "part-001"),
        ("", "a-001.mp4"),
    ],
)
def test_pieces_are_named_by_the_pattern(pattern: str, name: str) -> None:
    found = pieces(param={"f": "mp4", "segment_time": 10}, wishes={"segment_filename": pattern})

    assert found[1]["filename"] == name


def test_pieces_are_named_for_their_container() -> None:
    assert pieces(param={"f": "mpegts", "segment_time": 10}, DstObjectKey="x/a.b.m3u8")[0]["filename"] == "a.b-000.ts"


def test_the_first_number_in_a_name_can_be_chosen() -> None:
    found = pieces(param={"f": "mp4", "segment_time": 20, "start_segment_num": 5})

    assert [(piece["fileindex"], piece["filename"]) for piece in found] == [(0, "a-005.mp4"), (1, "a-006.mp4")]


@pytest.mark.parametrize(("key", "path"), [("m3u8/list.m3u8", "m3u8/list.m3u8"), ("m3u8/a.mp4", "m3u8/a.m3u8")])
def test_the_path_of_an_output_in_pieces_is_its_list(key: str, path: str) -> None:
    found = run(param={"f": "mp4", "segment_time": 10}, DstObjectKey=key)

    assert (found.dstpath, found.segment_list) == (path, "m3u8")


@pytest.mark.parametrize("container", ["hls", "dash"])
def test_a_container_with_pieces_of_its_own_is_not_cut(container: str) -> None:
    found = run(param={"f": container, "segment_time": 10}, DstObjectKey="a.m3u8")

    assert (found.dstpath, found.segment_list, found.segments) == ("a.m3u8", "", ())


def test_a_very_long_film_has_no_more_than_ten_thousand_pieces() -> None:
    assert len(pieces(180_000, param={"f": "mp4", "segment_time": 1})) == 10_000


def test_pieces_are_not_all_of_one_rate() -> None:
    found = pieces(30, param={"f": "mp4", "segment_time": 10})

    assert len({piece["filesize"] for piece in found}) == 3


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("param", "given", "count"),
    [
        ({"interval": 10}, {}, 20),
        ({"interval": "10"}, {}, 20),
        ({"interval": 10}, {"duration": "30"}, 3),
        ({"interval": 10}, {"ss": "180"}, 2),
        ({"interval": 1000}, {}, 1),
        ({}, {}, 20),
    ],
)
def test_there_is_a_picture_for_every_interval(param: dict[str, Any], given: dict[str, Any], count: int) -> None:
    assert run("avsample", param=param, wishes=given).snapshots == count


@pytest.mark.parametrize(
    ("folder", "path"), [("shots", "shots/a.jpg"), ("/shots/x/", "shots/x/a.jpg"), ("", "out/a.jpg")]
)
def test_pictures_go_where_they_are_sent(folder: str, path: str) -> None:
    assert run("avsample", DstDir=folder, DstObjectKey="out/a.jpg").dstpath == path


def test_pictures_need_no_name_if_there_is_a_directory() -> None:
    assert run("avsample", DstDir="shots", DstObjectKey="").dstpath == "shots"


def test_sprite_sheets_hold_columns_times_rows_pictures() -> None:
    param = {"interval": 10, "spriteflag": 1, "spritew": 3, "spriteh": 3}
    found = run("avsample", param=param, DstDir="shots", DstObjectKey="a.jpg")

    assert (found.snapshots, [(sheet["fileindex"], sheet["thumbnailpath"]) for sheet in found.sprites]) == (
        20,
        [(0, "shots/a-000.jpg"), (1, "shots/a-001.jpg"), (2, "shots/a-002.jpg")],
    )


def test_the_last_sheet_is_smaller_if_it_is_not_full() -> None:
    param = {"interval": 10, "spriteflag": 1, "spritew": 3, "spriteh": 3}
    sizes = [sheet["filesize"] for sheet in run("avsample", param=param).sprites]

    assert sizes[2] < sizes[0] / 2


def test_single_pictures_are_on_no_sheet() -> None:
    assert run("avsample", param={"interval": 10, "spriteflag": 0}).sprites == ()


@given(screenshots)
def test_every_picture_of_a_sprite_task_is_on_one_sheet(work: Job) -> None:
    param = {**work.param, "spriteflag": 1, "spritew": 4, "spriteh": 5}
    found = made(Job("avsample", work.parameters, work.sources, param, work.wishes), Draw(1))

    if found.snapshots <= 20 * 10_000:  # type: ignore[operator]
        assert len(found.sprites) == -(-found.snapshots // 20)  # type: ignore[operator]


def test_there_are_no_more_than_ten_thousand_sheets() -> None:
    param = {"interval": 1, "spriteflag": 1, "spritew": 1, "spriteh": 1}

    assert len(run("avsample", {**FILM, "duration": 180_000}, param=param).sprites) == 10_000


def test_a_snapshot_is_one_picture() -> None:
    found = run("avsnapshot", DstObjectKey="/out/a.jpg", wishes={"ss": "5"})

    assert (found.dstpath, found.snapshots, found.out_media, found.duration) == ("out/a.jpg", 1, None, 0)


def test_a_snapshot_is_as_large_as_the_template_says() -> None:
    found = run("avsnapshot", PORTRAIT, param={"height": 640, "f": "png"}).media
    assert found is not None

    assert (found["video"]["codec"], found["video"]["width"], found["video"]["height"]) == ("png", 360, 640)


# --- the other types -------------------------------------------------------------------------------------------------


def test_looking_at_a_source_makes_no_file() -> None:
    found = run("avinfo")

    assert (found.dstpath, found.media, found.snapshots) == ("", None, None)


def test_looking_at_a_source_tells_what_it_holds() -> None:
    found = run("avinfo", FILM, SOUND, SrcInfo=[{"path": "/s/a.flv"}, {"path": "/s/b.mp3"}]).metainfo
    assert found is not None

    assert (found["format"]["format_name"], found["format"]["nb_streams"]) == ("flv", 2)


@pytest.mark.parametrize("kind", ["audiowave", "aiproduction"])
def test_other_types_tell_the_path_only(kind: str) -> None:
    assert run(kind, DstObjectKey="wave/a.json") == Output("wave/a.json")


def test_outputs_can_be_written_as_json() -> None:
    found = run(param={"f": "mp4", "VIDEO": {"vr": "29.97"}, "segment_time": 10})

    assert json.loads(json.dumps([found.out_media, found.segments, found.media]))


# --- what fails of itself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("param", "code"),
    [
        ({"intelligentSwitch": 1, "VIDEO": {"width": 1920}}, 2049),
        ({"intelligentSwitch": "1", "video": {"vb": "1m"}}, 2049),
        ({"intelligentSwitch": 1, "VIDEO": {"width": 640, "vb": "400k"}}, None),
        ({"intelligentSwitch": 1, "VIDEO": {"vr": 60}}, None),
        ({"intelligentSwitch": 1, "VIDEO": {"vcodec": "copy", "width": 1920}}, None),
        ({"intelligentSwitch": 0, "VIDEO": {"width": 1920}}, None),
        ({"intelligentSwitch": 2, "VIDEO": {"width": 1920}}, None),
        ({"VIDEO": {"width": 1920}}, None),
        ({"f": "mp3", "intelligentSwitch": 1, "VIDEO": {"width": 1920}}, None),
    ],
)
def test_enlarging_what_must_not_be_enlarged_fails(param: dict[str, Any], code: int | None) -> None:
    assert fault(job("avtrans", param=param)) == code


@pytest.mark.parametrize(("duration", "code"), [(180_000, None), (180_000.001, 2062)])
def test_a_source_of_more_than_fifty_hours_fails(duration: float, code: int | None) -> None:
    assert fault(job("avtrans", FILM, {**FILM, "duration": duration})) == code


@pytest.mark.parametrize("kind", ["avsnapshot", "avsample"])
@pytest.mark.parametrize(("start", "code"), [("198", None), ("198.123", 2337), ("01:00:00", 2337), ("", None)])
def test_a_screenshot_beyond_the_end_fails(kind: str, start: str, code: int | None) -> None:
    assert fault(job(kind, wishes={"ss": start})) == code


def test_a_screenshots_position_may_stand_in_its_template() -> None:
    assert fault(job("avsnapshot", param={"ss": "500"})) == 2337


@pytest.mark.parametrize("kind", ["avinfo", "audiowave", "aiproduction"])
def test_other_types_do_not_fail_of_themselves(kind: str) -> None:
    assert fault(job(kind, {**FILM, "duration": 900_000}, wishes={"ss": "9999999"})) is None
