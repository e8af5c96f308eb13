"""What a finished job yields: worked out of the descriptions of its sources, its template and the client's wishes.

Pure functions: no account, no clock. Documents have the types of the vendor's tables; dialects change them later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from fractions import Fraction

from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from emulator.core.values import value_type
from emulator.kingsoft import figures
from emulator.kingsoft.media import (
    Container,
    container_named,
    container_of,
    ending_of,
    for_sound_only,
    frame_rate_of,
    held,
    milliseconds,
    rate_of,
    reported,
    size_of,
    thousandths,
)
from emulator.kingsoft.probing import probed
from emulator.kingsoft.work import Job, in_order, source_rows

__all__ = ["Output", "fault", "made", "probed"]


@value_type
class Output:
    """What a finished job yields, before any dialect.

    Attributes:
        dstpath: key of the file made, without bucket and leading slash; empty for ``avinfo``. [seed]
        out_media: the document ``outMediainfo``; transcoding only.
        metainfo: the document ``metainfo``; ``avinfo`` only.
        snapshots: number of pictures; screenshots only.
        segment_list: ``m3u8`` if the file was cut into pieces, else empty. [seed]
        segments: the document ``segmentsinfo``.
        sprites: the document ``thumnailsinfo``.
        media: description of the file made, for a step that takes it as its source; ``None`` if it holds no media.
        duration: its length in seconds; 0 if nothing was transcoded.
        patch: what is put over all this when it is told.

    """

    dstpath: str
    out_media: JsonObject | None = None
    metainfo: JsonObject | None = None
    snapshots: int | None = None
    segment_list: str = ""
    segments: tuple[JsonObject, ...] = ()
    sprites: tuple[JsonObject, ...] = ()
    media: JsonObject | None = None
    duration: float = 0.0
    patch: JsonObject = field(default_factory=dict)


def made(job: Job, draw: Draw, result: JsonObject | None = None) -> Output:
    """What ``job`` yields; chance decides only how bytes are spread over the files of one job.

    ``result`` is what a plan puts in the place of it (``schemas/kingsoft/result.json``).
    """
    result = result or {}
    output = _MAKERS[job.type](job, draw, result.get("media", {}))
    if "snapshots" in result and output.snapshots is not None:
        output = replace(output, snapshots=result["snapshots"])
    return replace(output, patch=result["item"]) if "item" in result else output


def _put(facts: JsonObject, media: JsonObject) -> JsonObject:
    """The description ``media`` with ``facts`` of a plan put over it."""
    found = dict(media)
    for name, value in facts.items():
        if value is None:
            found.pop(name, None)
        elif not isinstance(value, dict):
            found[name] = value
        elif name in found:
            found[name] = {**found[name], **value}
    return found


def fault(job: Job) -> int | None:
    """The code with which ``job`` fails of itself, where the vendor documents it; ``None`` if nothing is wrong.

    2062: a source of more than 50 hours. 2049: ``intelligentSwitch`` is 1 and the sides or the rate of the picture
    would grow. 2337: a screenshot beyond the end. [docs 6144; seed]
    """
    if job.type in _TRANSCODING:
        if any(milliseconds(source) > _LONGEST for source in job.sources):
            return 2062
        forbidden = figures.whole(job.param.get("intelligentSwitch")) == 1
        return 2049 if forbidden and _enlarges(job) else None
    if job.type in _SCREENSHOTS:
        start = figures.instant(job.wishes.get("ss"), job.param.get("ss"))
        return 2337 if start and start >= milliseconds(job.sources[0]) else None
    return None


# --- transcoding -----------------------------------------------------------------------------------------------------

_TRANSCODING = ("avtrans", "avop", "avlogo", "avm3u8")
_SCREENSHOTS = ("avsample", "avsnapshot")

_LONGEST = 50 * 3600 * 1000
"""Milliseconds that a source may last. [docs 6144]"""

_CUT = 40
"""What is left of a source if the start position lies behind its end: a picture's time, in milliseconds. [inference]"""

_PIECE = 10
"""Seconds of a piece if only names of pieces were asked for; the length in the vendor's text. [seed]"""

_MOST = 10_000
"""Pieces, or sprite sheets, of one job at most; beyond that they grow larger instead. [inference]"""

_LARGEST_SIDE = 32_768
_NEVER_ENLARGED = (1, 2)
"""Values of ``intelligentSwitch``: 1 forbids it; 2, "decides by itself", does without it. [book; inference]"""

_ONE_CODEC = {"gif": "gif"}
_NUMBERED = re.compile(r"%(?:0([0-9]{1,2}))?d")


def _transcoded(job: Job, draw: Draw, facts: JsonObject) -> Output:
    """``avtrans`` and its forerunners: a new file of the sources, cut and joined as asked for."""
    key = _key(job)
    container = _target(job, key)
    main, length = _joined(job)
    limited = figures.whole(job.param.get("intelligentSwitch")) in _NEVER_ENLARGED
    video, rotate = _video(job, main, container, limited=limited)
    result: JsonObject = {"duration": _cut(job, length) / 1000, "rotate": rotate, "format": container.name}
    if video is not None:
        result["video"] = video
    audio = _audio(job, main, container)
    if audio is not None:
        result["audio"] = audio
    result = _put(facts, result)
    result["size"] = size_of(result)
    done = Output(dstpath=key, out_media=_out_media(result), media=result, duration=result["duration"])
    pieces = _piece_length(job, container)
    if pieces is None:
        return done
    return Output(
        dstpath=_list_key(key),
        out_media=done.out_media,
        segment_list="m3u8",
        segments=_segments(result, pieces, _piece_names(job, key, container), draw),
        media=result,
        duration=done.duration,
    )


def _target(job: Job, key: str) -> Container:
    """What the file is to be: ``f`` of the wishes or of the template, else what the key's ending says. [docs 2397]

    A forerunner for HLS needs no ``f``. [inference]
    """
    named = _named_format(job)
    if named:
        return container_named(named)
    return container_named("hls") if job.type == "avm3u8" else container_of(key)


def _named_format(job: Job) -> str:
    named = job.wishes.get("f") or job.param.get("f")
    return named if isinstance(named, str) else ""


def _joined(job: Job) -> tuple[JsonObject, int]:
    """The source that says how the streams look, and the length of all in milliseconds.

    Sources of type ``video`` follow one another; sound and subtitles lie over them and add no length, unless there
    is nothing else. The main one is that of ``masterSrcIndex``, else the first. A picture without sound takes the
    sound of the first source of type ``audio``. [docs 2397; inference]
    """
    entries = _entries(job)
    sources = [held(media, str(entry.get("path", ""))) for entry, media in zip(entries, job.sources, strict=True)]
    kinds = [entry.get("type") or "video" for entry in entries]
    first = next((kind for kind in ("video", "audio") if kind in kinds), kinds[0])
    line = [index for index, kind in enumerate(kinds) if kind == first]
    wanted = figures.whole(job.wishes.get("masterSrcIndex"))
    main = next((index for index in line if entries[index].get("index", index) == wanted), line[0])
    result = dict(sources[main])
    sounds = [
        source["audio"] for source, kind in zip(sources, kinds, strict=True) if kind == "audio" and "audio" in source
    ]
    if "audio" not in result and sounds:
        result["audio"] = sounds[0]
    return result, sum(milliseconds(sources[index]) for index in line)


def _cut(job: Job, length: int) -> int:
    """Milliseconds that ``ss`` and ``duration`` leave of ``length``: never more than there are, never none."""
    start = figures.instant(job.wishes.get("ss"))
    rest = max(length - start, min(length, _CUT))
    return min(rest, figures.instant(job.wishes.get("duration")) or rest)


def _video(job: Job, main: JsonObject, container: Container, *, limited: bool) -> tuple[JsonObject | None, str]:
    """The picture, and the rotation that the file says it has.

    A picture is turned upright, and the file says nothing of rotation then, so that no player turns it again [seed].
    It keeps saying so where the picture is copied, where ``autorotate`` is 0, and where it is asked for an angle
    that needs more than an exchange of sides. A rate that is not asked for follows the area. [inference]
    """
    wanted = _section(job, "video")
    source = main.get("video")
    sound_only = not _named_format(job) and for_sound_only(_key(job))
    if source is None or sound_only or container.audio_codec or figures.whole(wanted.get("vn")) == 1:
        return None, "0"
    if wanted.get("vcodec") == "copy":
        return dict(source), main["rotate"]
    asked = wanted.get("rotate")
    angle = figures.whole(main["rotate"] if asked in (None, "", "auto") else asked) or 0
    angle %= 360
    width, height = source["width"], source["height"]
    if angle % 90 or figures.whole(job.param.get("autorotate")) == 0:
        rotate = str(angle)
    else:
        rotate = "0"
        width, height = (width, height) if angle % 180 == 0 else (height, width)
    size = _scaled(wanted, width, height, limited=limited)
    frames = frame_rate_of(main)
    asked_frames = figures.frame_rate(wanted.get("vr")) or frames
    new_frames = min(asked_frames, frames) if limited else asked_frames
    rate = figures.bits(wanted.get("vb"))
    if rate is None:
        rate = round(Fraction(source["bit_rate"] * size[0] * size[1], width * height))
    if limited:
        rate = min(rate, source["bit_rate"])
    return {
        "codec": _ONE_CODEC.get(container.name) or figures.text(wanted.get("vcodec")) or "h264",
        "width": size[0],
        "height": size[1],
        "frame_rate": f"{new_frames.numerator}/{new_frames.denominator}",
        "bit_rate": max(1, min(rate, figures.MOST_BITS)),
    }, rotate


def _enlarges(job: Job) -> bool:
    """Whether the template asks for more than the source has: longer sides, or a higher rate. [docs 6144]"""
    main, container = _joined(job)[0], _target(job, _key(job))
    (free, _), (bound, _) = (_video(job, main, container, limited=limited) for limited in (False, True))
    if free is None or bound is None:
        return False
    return any(free[name] > bound[name] for name in ("width", "height", "bit_rate"))


def _audio(job: Job, main: JsonObject, container: Container) -> JsonObject | None:
    """The sound: as asked for, else as it was; in the only codec that the container takes if that is so."""
    wanted = _section(job, "audio")
    source = main.get("audio")
    if source is None or container.name in _ONE_CODEC or figures.whole(wanted.get("an")) == 1:
        return None
    if wanted.get("acodec") == "copy":
        return {**source, "codec": container.audio_codec or source["codec"]}
    return {
        "codec": container.audio_codec or figures.text(wanted.get("acodec")) or "aac",
        "channels": figures.positive(wanted.get("channels"), 64) or source["channels"],
        "sample_rate": figures.positive(wanted.get("ar"), 768_000) or source["sample_rate"],
        "bit_rate": figures.bits(wanted.get("ab")) or source["bit_rate"],
    }


def _scaled(wanted: JsonObject, width: int, height: int, *, limited: bool) -> tuple[int, int]:
    """Sides of a picture of ``width`` times ``height`` after scaling, even numbers as encoders need them.

    One side alone scales the other in proportion; ``as`` = 1 keeps the proportion within the box of two sides, or
    makes the shorter side ``shortSide`` [book]. ``limited`` never makes it larger.
    """
    wide, high = (figures.positive(wanted.get(name), _LARGEST_SIDE) for name in ("width", "height"))
    short = figures.positive(wanted.get("shortSide"), _LARGEST_SIDE)
    keep = figures.whole(wanted.get("as")) == 1
    across, down = Fraction(width), Fraction(height)
    if short is not None and (keep or (wide is None and high is None)):
        factor = Fraction(short, min(width, height))
    elif wide is not None and high is not None and not keep:
        across, down, factor = Fraction(wide), Fraction(high), Fraction(1)
    else:
        factor = min(
            (Fraction(side, old) for side, old in ((wide, width), (high, height)) if side), default=Fraction(1)
        )
    across, down = across * factor, down * factor
    if limited:
        shrink = min(Fraction(1), width / across, height / down)
        across, down = across * shrink, down * shrink
    return _even(across), _even(down)


def _even(side: Fraction) -> int:
    return min(max(2, 2 * round(side / 2)), _LARGEST_SIDE)


def _out_media(media: JsonObject) -> JsonObject:
    """``outMediainfo`` with the types of the table. [seed]"""
    streams: list[JsonObject] = []
    if "video" in media:
        video = media["video"]
        streams.append(
            {
                "index": 0,
                "codec_name": reported(video["codec"]),
                "codec_type": "video",
                "width": video["width"],
                "height": video["height"],
                "bit_rate": video["bit_rate"],
                "r_frame_rate": video["frame_rate"],
            }
        )
    if "audio" in media:
        audio = media["audio"]
        streams.append(
            {
                "index": len(streams),
                "channels": audio["channels"],
                "sample_rate": audio["sample_rate"],
                "codec_name": reported(audio["codec"]),
                "codec_type": "audio",
                "bit_rate": audio["bit_rate"],
            }
        )
    return {
        "metadata": {"rotate": media["rotate"]},
        "streams": streams,
        "format": {
            "duration": thousandths(milliseconds(media)),
            "format_name": media["format"],
            "size": size_of(media),
            "bit_rate": str(rate_of(media)),
        },
    }


# --- pieces ----------------------------------------------------------------------------------------------------------


def _piece_length(job: Job, container: Container) -> int | None:
    """Seconds of a piece; ``None`` if the file stays whole. HLS and DASH have pieces of their own. [docs 2387]"""
    asked = figures.positive(job.param.get("segment_time"), 10**6)
    if container.name in ("hls", "dash") or not (asked or job.wishes.get("segment_filename")):
        return None
    return asked or _PIECE


def _piece_names(job: Job, key: str, container: Container) -> Callable[[int], str]:
    """Names of the pieces by their number: a pattern with ``%d`` or ``%03d``; ``name-000.mp4`` if none is given.

    The first number is ``start_segment_num``. [sdk-java; meaning: inference]
    """
    pattern = figures.text(job.wishes.get("segment_filename")).rpartition("/")[2]
    if not pattern:
        pattern = f"{_stem(key)}-%03d.{container.ending}"
    elif not _NUMBERED.search(pattern):
        stem, dot, ending = pattern.rpartition(".")
        pattern = f"{stem}-%03d.{ending}" if dot else f"{pattern}-%03d"
    first = figures.positive(job.param.get("start_segment_num"), 10**9) or 0

    def name(number: int) -> str:
        return _NUMBERED.sub(lambda found: f"{number + first:0{int(found[1] or 1)}d}", pattern)

    return name


def _segments(media: JsonObject, length: int, name: Callable[[int], str], draw: Draw) -> tuple[JsonObject, ...]:
    """``segmentsinfo``: pieces of ``length`` seconds and a rest; lengths and sizes add up to those of the whole."""
    whole = milliseconds(media)
    step = max(length * 1000, -(-whole // _MOST))
    lengths = [min(step, whole - begin) for begin in range(0, whole, step)]
    return tuple(
        {"fileindex": number, "filename": name(number), "duration": thousandths(piece), "filesize": size}
        for number, (piece, size) in enumerate(zip(lengths, _shares(size_of(media), lengths, draw), strict=True))
    )


def _shares(total: int, weights: Sequence[int], draw: Draw) -> list[int]:
    """``total`` in whole parts of about the given proportions: scenes are not all alike."""
    parts = [int(weight * draw.between(850, 1150)) for weight in weights]
    whole, so_far, before = sum(parts), 0, 0
    shares = []
    for part in parts:
        so_far += part
        until = total * so_far // whole
        shares.append(until - before)
        before = until
    return shares


def _list_key(key: str) -> str:
    """Key of the list of pieces, which is what ``dstpath`` names. [seed; another ending is replaced: inference]"""
    if ending_of(key) == "m3u8":
        return key
    folder, slash, _ = key.rpartition("/")
    return f"{folder}{slash}{_stem(key)}.m3u8"


# --- pictures --------------------------------------------------------------------------------------------------------

_INTERVAL = 10_000
"""Milliseconds between two pictures if the template does not say. [inference]"""

_GRID = 10
"""Columns, or rows, of a sprite sheet if the template does not say. [inference]"""


def _sampled(job: Job, draw: Draw, facts: JsonObject) -> Output:
    """``avsample``: a picture at the start and after every interval, single or on sprite sheets.

    ``dstpath`` is the name of ``DstObjectKey`` within ``DstDir`` [docs 2397; inference]. ``spritew`` and ``spriteh``
    are taken as columns and rows [inference].
    """
    source = _source(job)
    length = _cut(job, milliseconds(source))
    count = -(-length // max(1, figures.instant(job.param.get("interval")) or _INTERVAL))
    folder, _, name = _key(job).rpartition("/")
    folder = figures.text(job.parameters.get("DstDir")).strip("/") or folder
    place = f"{folder}/{name}".strip("/")
    sprites: tuple[JsonObject, ...] = ()
    if figures.whole(job.param.get("spriteflag")) == 1:
        sprites = _sprites(job, source, count, place, draw)
    return Output(dstpath=place, snapshots=count, sprites=sprites)


def _sprites(job: Job, source: JsonObject, count: int, place: str, draw: Draw) -> tuple[JsonObject, ...]:
    """``thumnailsinfo``: sheets full of pictures, and a last one with those that are left."""
    columns, rows = (figures.positive(job.param.get(name), 10**6) or _GRID for name in ("spritew", "spriteh"))
    cells = max(columns * rows, -(-count // _MOST))
    width, height = _picture(job, source)
    each = width * height * draw.between(0.05, 0.15)
    ending = "png" if figures.text(job.param.get("f")) == "png" else "jpg"
    folder, slash, _ = place.rpartition("/")
    return tuple(
        {
            "fileindex": number,
            "thumbnailpath": f"{folder}{slash}{_stem(place) or 'sprite'}-{number:03d}.{ending}",
            "filesize": max(1, round(min(cells, count - number * cells) * each * draw.between(0.9, 1.1))),
        }
        for number in range(-(-count // cells))
    )


def _snapshot(job: Job, draw: Draw, facts: JsonObject) -> Output:
    """``avsnapshot``: one picture."""
    width, height = _picture(job, _source(job))
    media = {
        "duration": _CUT / 1000,
        "rotate": "0",
        "video": {
            "codec": "png" if figures.text(job.param.get("f")) == "png" else "mjpeg",
            "width": width,
            "height": height,
            "frame_rate": "25/1",
            "bit_rate": min(max(1, round(width * height * draw.between(10, 30))), figures.MOST_BITS),
        },
        "format": "image2",
    }
    media = _put(facts, media)
    return Output(dstpath=_key(job), snapshots=1, media={**media, "size": size_of(media)})


def _picture(job: Job, source: JsonObject) -> tuple[int, int]:
    """Sides of the pictures taken of ``source``; those of an unknown source are 1280 by 720. [inference]"""
    video = source.get("video") or {"width": 1280, "height": 720}
    width, height = video["width"], video["height"]
    if (figures.whole(source["rotate"]) or 0) % 180 == 90:
        width, height = height, width
    return _scaled(job.param, width, height, limited=False)


# --- the other types -------------------------------------------------------------------------------------------------


def _informed(job: Job, draw: Draw, facts: JsonObject) -> Output:
    """``avinfo``: makes no file. [seed]"""
    return Output(dstpath="", metainfo=probed(_put(facts, job.sources[0]), str(_entries(job)[0].get("path", ""))))


def _named(job: Job, draw: Draw, facts: JsonObject) -> Output:
    """``audiowave`` and ``aiproduction``: only the path of what they make is told. [inference]"""
    return Output(dstpath=_key(job))


_MAKERS: dict[str, Callable[[Job, Draw, JsonObject], Output]] = {
    "avtrans": _transcoded,
    "avop": _transcoded,
    "avlogo": _transcoded,
    "avm3u8": _transcoded,
    "avsample": _sampled,
    "avsnapshot": _snapshot,
    "avinfo": _informed,
    "audiowave": _named,
    "aiproduction": _named,
}


# --- reading what clients write --------------------------------------------------------------------------------------


def _key(job: Job) -> str:
    return figures.text(job.parameters.get("DstObjectKey")).lstrip("/")


def _stem(key: str) -> str:
    """The name of ``key`` without directory and ending."""
    name = key.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _entries(job: Job) -> list[JsonObject]:
    """``SrcInfo`` in the order of its indexes, one entry for each source of the job."""
    entries = in_order([entry if isinstance(entry, dict) else {} for entry in source_rows(job.parameters)])
    count = len(job.sources)
    return (entries + [{}] * count)[:count]


def _source(job: Job) -> JsonObject:
    """The first source, which is all that most types of task look at."""
    return held(job.sources[0], str(_entries(job)[0].get("path", "")))


def _section(job: Job, name: str) -> JsonObject:
    """``VIDEO`` or ``AUDIO`` of the template, in capitals or not, with the wishes of this task over it."""
    merged: JsonObject = {}
    for document in (job.param, job.wishes):
        for spelling in (name, name.upper()):
            part = document.get(spelling)
            if isinstance(part, dict):
                merged.update(part)
    return merged
