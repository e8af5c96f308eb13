"""What ``avinfo`` finds out about a file: ffprobe's answer, with the vendor's few changes. [seed; values: inference]"""

from __future__ import annotations

from fractions import Fraction

from emulator.core.exchange import JsonObject
from emulator.core.values import value_type
from emulator.kingsoft.media import (
    Container,
    container_holding,
    frame_rate_of,
    held,
    milliseconds,
    rate_of,
    reported,
    size_of,
    thousandths,
)


@value_type
class _Codec:
    """What ffprobe says of a codec beside its numbers."""

    title: str
    profile: str = ""
    tag: str = ""


_CODECS = {
    "h264": _Codec("H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10", "High", "avc1"),
    "hevc": _Codec("H.265 / HEVC (High Efficiency Video Coding)", "Main", "hvc1"),
    "gif": _Codec("CompuServe GIF (Graphics Interchange Format)"),
    "mjpeg": _Codec("Motion JPEG", "Baseline"),
    "png": _Codec("PNG (Portable Network Graphics) image"),
    "aac": _Codec("AAC (Advanced Audio Coding)", "LC", "mp4a"),
    "mp3": _Codec("MP3 (MPEG audio layer 3)", "", "mp4a"),
    "pcm_s16le": _Codec("PCM signed 16-bit little-endian"),
}
_TRANSPORT_TAGS = {"h264": 0x1B, "hevc": 0x24, "aac": 0x0F, "mp3": 0x03}
_PIXELS = {"gif": "bgra", "png": "rgb24", "mjpeg": "yuvj420p"}
_SAMPLES = {"mp3": (1152, "fltp"), "pcm_s16le": (1024, "s16")}
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_LEVELS = ((102_000, 13), (420_000, 30), (922_000, 31), (2_090_000, 40), (8_900_000, 51))
_H265_LEVELS = ((102_000, 60), (420_000, 90), (922_000, 93), (2_090_000, 120), (8_900_000, 150))
_TICKS = {"mpegts": 90_000, "hls": 90_000, "flv": 1000, "matroska": 1000}


def probed(media: JsonObject, key: str) -> JsonObject:
    """``metainfo`` of a file ``key`` that holds ``media``: what ffprobe would say of it. [seed; values: inference]

    The rate of the file is its size over its length, as in the vendor's sample, where the streams are a little less.
    """
    media, container = held(media, key), container_holding(media, key)
    size, length = size_of(media), milliseconds(media)
    streams: list[JsonObject] = []
    if "video" in media:
        streams.append(_probed_video(media, container, len(streams)))
    if "audio" in media:
        streams.append(_probed_audio(media, container, len(streams)))
    return {
        "streams": streams,
        "format": {
            "nb_streams": len(streams),
            "format_name": container.probed,
            "format_long_name": container.title,
            "duration": f"{thousandths(length)}000",
            "size": size,
            "bit_rate": str(size * 8000 // length if "size" in media else rate_of(media)),
            "probe_score": container.certainty,
        },
    }


def _probed_video(media: JsonObject, container: Container, index: int) -> JsonObject:
    """A stream of pictures: the fields of the table and those of the sample. [seed]"""
    video = media["video"]
    name = reported(video["codec"])
    frames = frame_rate_of(media)
    ticks = _TICKS.get(container.name) or _timescale(frames)
    width, height, rate = video["width"], video["height"], video["bit_rate"]
    sides = Fraction(width, height)
    grid = 16 if name == "h264" else 8 if name == "hevc" else 1
    coded = name in ("h264", "hevc")
    stream = {
        **_identity(name, container, index),
        "codec_type": "video",
        "codec_time_base": f"{frames.denominator}/{2 * frames.numerator}",
        "r_frame_rate": video["frame_rate"],
        "avg_frame_rate": video["frame_rate"],
        **_times(media, ticks),
        "bit_rate": str(rate),
        "max_bit_rate": str(rate * 3 // 2),
        "nb_frames": str(max(1, round(milliseconds(media) * frames / 1000))),
        "width": width,
        "height": height,
        "coded_width": -(-width // grid) * grid,
        "coded_height": -(-height // grid) * grid,
        "has_b_frames": 2 if coded else 0,
        "sample_aspect_ratio": "1:1",
        "display_aspect_ratio": f"{sides.numerator}:{sides.denominator}",
        "pix_fmt": _PIXELS.get(name, "yuv420p"),
        "level": _level(name, width * height),
        "chroma_location": "left" if coded else "center",
        "refs": 4 if name == "h264" else 1,
        "bits_per_raw_sample": "8",
        "rotate": media["rotate"],
    }
    if name == "h264":
        stream["is_avc"] = "true" if container.name in ("mp4", "flv", "matroska", "dash") else "false"
    return stream


def _probed_audio(media: JsonObject, container: Container, index: int) -> JsonObject:
    """A stream of sound: the fields of the table and those of the sample. [seed]"""
    audio = media["audio"]
    name = reported(audio["codec"])
    rate, hertz = audio["bit_rate"], audio["sample_rate"]
    samples, form = _SAMPLES.get(name, (1024, "fltp"))
    return {
        **_identity(name, container, index),
        "codec_type": "audio",
        "codec_time_base": f"1/{hertz}",
        "r_frame_rate": "0/0",
        "avg_frame_rate": "0/0",
        **_times(media, _TICKS.get(container.name) or hertz),
        "bit_rate": str(rate),
        "max_bit_rate": str(rate),
        "nb_frames": str(max(1, round(Fraction(milliseconds(media) * hertz, 1000 * samples)))),
        "sample_fmt": form,
        "sample_rate": str(hertz),
        "channels": audio["channels"],
        "channel_layout": _LAYOUTS.get(audio["channels"], f"{audio['channels']} channels"),
    }


def _identity(name: str, container: Container, index: int) -> JsonObject:
    """What a stream is: codec, and the mark that the container puts on it."""
    codec = _CODECS.get(name, _Codec(name))
    tag, number = "[0][0][0][0]", "0x0000"
    if container.name in ("mp4", "dash") and codec.tag:
        tag, number = codec.tag, "0x" + codec.tag.encode()[::-1].hex()
    elif container.name in ("mpegts", "hls") and name in _TRANSPORT_TAGS:
        mark = _TRANSPORT_TAGS[name]
        tag, number = f"[{mark}][0][0][0]", f"0x{mark:04x}"
    return {
        "index": index,
        "codec_name": name,
        "codec_long_name": codec.title,
        **({"profile": codec.profile} if codec.profile else {}),
        "codec_tag_string": tag,
        "codec_tag": number,
    }


def _times(media: JsonObject, ticks: int) -> JsonObject:
    """Where a stream begins and how long it is, in ticks and in seconds that agree."""
    span = max(1, round(Fraction(milliseconds(media) * ticks, 1000)))
    seconds = round(Fraction(span * 1_000_000, ticks))
    return {
        "time_base": f"1/{ticks}",
        "start_pts": 0,
        "start_time": "0.000000",
        "duration_ts": span,
        "duration": f"{seconds // 1_000_000}.{seconds % 1_000_000:06d}",
    }


def _timescale(frames: Fraction) -> int:
    """Ticks a second of a picture stream in an MP4 file: the frame rate's numerator, doubled up to 10,000 or more."""
    ticks = frames.numerator
    while ticks < 10_000:
        ticks *= 2
    return ticks


def _level(name: str, pixels: int) -> int:
    table = _H265_LEVELS if name == "hevc" else _LEVELS
    if name not in ("h264", "hevc"):
        return -99
    return next((level for most, level in table if pixels <= most), 186 if name == "hevc" else 62)
