"""Media descriptions: what a source is taken to hold, and what the service reports of an output made of it."""

from __future__ import annotations

from typing import Any

import orjson

from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw

_SIZES = ((426, 240), (640, 360), (854, 480), (1280, 720), (1920, 1080))
_VIDEO_RATES = {240: 250_000, 360: 500_000, 480: 900_000, 720: 1_800_000, 1080: 3_500_000}
_CONTAINERS = {
    "mp4": "mp4",
    "m4a": "mp4",
    "flv": "flv",
    "ts": "mpegts",
    "m3u8": "hls",
    "mp3": "mp3",
    "aac": "adts",
    "gif": "gif",
    "mpd": "dash",
}
_SOUND_ONLY = frozenset({"mp3", "m4a", "aac"})


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


def output(media: JsonObject, object_key: str) -> str:
    """``outMediainfo`` of ``object_key`` made of ``media``: JSON in a string, size and rates in agreement. [seed]"""
    ending = object_key.rpartition(".")[2].lower()
    streams: list[JsonObject] = []
    video, audio = media.get("video"), media.get("audio")
    if video is not None and ending not in _SOUND_ONLY:
        streams.append(
            {
                "index": 0,
                "codec_name": video["codec"],
                "codec_type": "video",
                "width": video["width"],
                "height": video["height"],
                "bit_rate": video["bit_rate"],
                "r_frame_rate": video["frame_rate"],
            }
        )
    if audio is not None:
        streams.append(
            {
                "index": len(streams),
                "channels": audio["channels"],
                "sample_rate": audio["sample_rate"],
                "codec_name": audio["codec"],
                "codec_type": "audio",
                "bit_rate": audio["bit_rate"],
            }
        )
    rate = sum(stream["bit_rate"] for stream in streams)
    document: dict[str, Any] = {
        "metadata": {"rotate": media["rotate"]},
        "streams": streams,
        "format": {
            "duration": f"{media['duration']:.3f}",
            "format_name": _CONTAINERS.get(ending, "mp4"),
            "size": int(media["duration"] * rate / 8),
            "bit_rate": str(rate),
        },
    }
    return orjson.dumps(document).decode()
