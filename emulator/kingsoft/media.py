"""Media descriptions: what a source is taken to hold, and what follows from that.

A description is the inner object of ``schemas/kingsoft/media.json``. Rates, length and size of one agree: the size is
the sum of the rates times the length, unless the description says its own.
"""

from __future__ import annotations

from fractions import Fraction

from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from emulator.core.values import value_type

_SIZES = ((426, 240), (640, 360), (854, 480), (1280, 720), (1920, 1080))
_VIDEO_RATES = {240: 250_000, 360: 500_000, 480: 900_000, 720: 1_800_000, 1080: 3_500_000}


@value_type
class Container:
    """A kind of file.

    Attributes:
        name: as a template's ``f`` and ``outMediainfo`` have it.
        probed: its name in ``metainfo``, where all names that one reader goes by are listed. [seed]
        title: its full name there.
        ending: what the names of such files end in.
        certainty: ``probe_score``: how sure a reader is of it, of 100. [seed]
        audio_codec: the one codec of sound that fits in; empty if there are more.

    """

    name: str
    probed: str
    title: str
    ending: str
    certainty: int = 100
    audio_codec: str = ""


_CONTAINERS = {
    row.name: row
    for row in (
        Container("mp4", "mov,mp4,m4a,3gp,3g2,mj2", "QuickTime / MOV", "mp4"),
        Container("flv", "flv", "FLV (Flash Video)", "flv"),
        Container("mpegts", "mpegts", "MPEG-TS (MPEG-2 Transport Stream)", "ts", 50),
        Container("hls", "hls,applehttp", "Apple HTTP Live Streaming", "m3u8"),
        Container("dash", "dash", "Dynamic Adaptive Streaming over HTTP", "mpd"),
        Container("gif", "gif", "CompuServe Graphics Interchange Format (GIF)", "gif"),
        Container("mp3", "mp3", "MP2/3 (MPEG audio layer 2/3)", "mp3", 51, "mp3"),
        Container("adts", "aac", "raw ADTS AAC (Advanced Audio Coding)", "aac", 51, "aac"),
        Container("wav", "wav", "WAV / WAVE (Waveform Audio)", "wav", 99, "pcm_s16le"),
        Container("matroska", "matroska,webm", "Matroska / WebM", "mkv"),
        Container("avi", "avi", "AVI (Audio Video Interleaved)", "avi"),
        Container("asf", "asf", "ASF (Advanced / Active Streaming Format)", "wmv"),
        Container("image2", "image2", "image2 sequence", "jpg", 50),
    )
}
_ENDINGS = {row.ending: row.name for row in _CONTAINERS.values()} | {
    "m4a": "mp4",
    "m4v": "mp4",
    "mov": "mp4",
    "3gp": "mp4",
    "webm": "matroska",
    "jpeg": "image2",
    "png": "image2",
}
_SOUND_ONLY = frozenset({"mp3", "m4a", "aac", "wav"})


def ending_of(key: str) -> str:
    """What ``key``'s name ends in, lower case and without the dot; empty if it has no ending."""
    return key.rpartition("/")[2].rpartition(".")[2].lower() if "." in key.rpartition("/")[2] else ""


def container_named(name: str) -> Container:
    """The container that a template calls ``name``; an unknown one goes by that name only."""
    return _CONTAINERS.get(name.lower()) or Container(name, name, name, name)


def container_of(key: str) -> Container:
    """The container that the ending of ``key`` stands for; an MP4 file if it stands for none. [inference]"""
    return _CONTAINERS[_ENDINGS.get(ending_of(key), "mp4")]


def for_sound_only(key: str) -> bool:
    """Whether a file of that name holds no picture. [inference]"""
    return ending_of(key) in _SOUND_ONLY


def held(media: JsonObject, key: str) -> JsonObject:
    """``media`` as a file named ``key`` holds it: no picture in an MP3 file, unless ``media`` names a container."""
    if "format" in media or "video" not in media or not for_sound_only(key):
        return media
    return {name: value for name, value in media.items() if name not in ("video", "size")}


def container_holding(media: JsonObject, key: str) -> Container:
    """What kind of file ``key`` is if it holds ``media``."""
    return container_named(media["format"]) if "format" in media else container_of(key)


def milliseconds(media: JsonObject) -> int:
    """The length of ``media`` in thousandths of a second, the unit that documents count in; at least one."""
    seconds: float = media["duration"]
    return max(1, round(seconds * 1000))


def rate_of(media: JsonObject) -> int:
    """Bits per second of all streams of ``media`` together."""
    return sum(media[kind]["bit_rate"] for kind in ("video", "audio") if kind in media)


def size_of(media: JsonObject) -> int:
    """Bytes of the file that holds ``media``: what it says, else rate times length."""
    size: int = media.get("size", milliseconds(media) * rate_of(media) // 8000)
    return size


def frame_rate_of(media: JsonObject) -> Fraction:
    """Frames per second of the picture of ``media``."""
    return Fraction(media["video"]["frame_rate"])


def reported(codec: str) -> str:
    """A codec's name as ffprobe has it: templates say ``h265`` for what it calls ``hevc``. [inference]"""
    return "hevc" if codec == "h265" else codec


def thousandths(value: int) -> str:
    """Milliseconds as seconds with three decimals. [seed]"""
    return f"{value // 1000}.{value % 1000:03d}"


def drawn(draw: Draw) -> JsonObject:
    """A plausible description, for ``draw``'s purpose."""
    width, height = draw.choice(_SIZES)
    return {
        "duration": round(draw.between(5, 900), 3),
        "rotate": draw.choice(("0", "0", "0", "90")),
        "video": {
            "codec": "h264",
            "width": width,
            "height": height,
            "frame_rate": draw.choice(("24/1", "25/1", "30/1", "30000/1001")),
            "bit_rate": int(_VIDEO_RATES[height] * draw.between(0.7, 1.3)),
        },
        "audio": {
            "codec": "aac",
            "channels": draw.choice((1, 2, 2)),
            "sample_rate": draw.choice((44100, 48000)),
            "bit_rate": draw.choice((64_000, 96_000, 128_000)),
        },
    }
