"""Dialects: where the vendor's documents contradict each other, each reading is a switch here.

The default of each switch is what the newest document says, or the table where table and sample differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, get_args, get_type_hints

from emulator.core.errors import nearest
from emulator.core.exchange import JsonObject
from emulator.core.values import value_type


@value_type
class Dialect:
    """How answers and callbacks look where the documents leave a choice.

    Attributes:
        envelope: keys of a callback's first level: ``TaskID``, or ``taskid`` as old "offline" users get. [seed]
        running_status: ``Status`` of a progress callback: 2 [seed], or 0 [consumer: ket-java-sdk's readme].
        itmes: the block for old KS3 users: ``off``, ``on`` for every type as in the samples, or ``not-avtrans``
            as the comment beside the sample says. [seed]
        errmsg: ``Details.errmsg`` of a success: absent as in the samples (``failure``), ``empty``, or ``success``;
            the table wants it always. [seed]
        final_progress: whether a final callback has ``"status": ""`` and ``"progress": 0``.
            [consumer: ket-java-sdk's callback]
        failure_items: ``items`` and ``OutInfo`` of a failure: ``empty``, ``null`` or ``absent``. [inference]
        snapshot_num: who has ``snapshotNum``: ``screenshots`` (avsample, avsnapshot), ``avsample`` only, as a comment
            says, or ``always``, 0 where there are no pictures, as in a sample. [seed]
        segment_list_name: ``segmentlisttype`` (tables), ``segmenglisttype`` (sample), or ``both``. [seed]
        segment_duration: decimals of a piece's length: ``3`` as in the text, ``4`` as in the sample. [seed]
        segment_media: whether a task that cuts segments reports ``outMediainfo`` too; the sample has none. [seed]
        out_info: members of a flow step's ``OutInfo``: those that its ``type`` has, as in the sample, or also those
            that the ``table`` calls required, empty. [seed]
        stream_bit_rate: ``bit_rate`` of a stream of ``outMediainfo``: ``int`` (table), ``string`` (sample). [seed]
        format_bit_rate: ``bit_rate`` of the file: ``string`` (table), ``absent`` (samples) [seed], or ``int``
            [consumer: ket-java-sdk's callback].
        r_frame_rate: ``fraction`` (30/1) [consumer: ket-java-sdk's callback], or ``decimal`` (30.1). [seed]
        duration: length of the file in ``outMediainfo``: three ``decimals`` [seed], or ``short``, without the zeros
            at the end [consumer: ket-java-sdk's callback].
        index: number of a stream: ``always`` (table), or ``omit-zero``, as the first stream of the avinfo sample
            [seed] and of a real callback [consumer: ket-java-sdk].
        metainfo_size: ``format.size`` of ``metainfo``: ``string`` (sample), ``int`` (table). [seed]
        is_avc: ``true`` and ``false`` as words (sample), or ``1`` and ``0`` (text). [seed]
        lower_case_params: whether a shown ``Param`` says ``video``, ``audio``, ``logos``. [sdk-java history]
        presettype: whether ``GetPresetDetail`` says ``Presettype`` for ``PresetType``. [sdk-java]
        camel_answers: whether answers say ``errNum`` and ``errMsg`` for ``ErrNum`` and ``ErrMsg``. [book]

    """

    envelope: Literal["current", "legacy"] = "current"
    running_status: Literal[2, 0] = 2
    itmes: Literal["off", "on", "not-avtrans"] = "off"
    errmsg: Literal["failure", "empty", "success"] = "failure"
    final_progress: bool = False
    failure_items: Literal["empty", "null", "absent"] = "empty"
    snapshot_num: Literal["screenshots", "avsample", "always"] = "screenshots"
    segment_list_name: Literal["segmentlisttype", "segmenglisttype", "both"] = "segmentlisttype"
    segment_duration: Literal[3, 4] = 3
    segment_media: bool = False
    out_info: Literal["type", "table"] = "type"
    stream_bit_rate: Literal["int", "string"] = "int"
    format_bit_rate: Literal["string", "int", "absent"] = "string"
    r_frame_rate: Literal["fraction", "decimal"] = "fraction"
    duration: Literal["decimals", "short"] = "decimals"
    index: Literal["always", "omit-zero"] = "always"
    metainfo_size: Literal["string", "int"] = "string"
    is_avc: Literal["words", "digits"] = "words"
    lower_case_params: bool = False
    presettype: bool = False
    camel_answers: bool = False

    def revised(self, document: Any) -> Dialect:
        """This dialect with what ``document`` says in its place.

        ``document`` is the name of a profile, which replaces the whole dialect, or an object of switches; its member
        ``profile`` names the profile to begin with.

        Raises:
            ValueError: there is no such profile, switch or value; the message names the nearest.

        """
        if isinstance(document, str):
            return _profile(document)
        if not isinstance(document, dict):
            raise ValueError(f"{document!r} is no dialect: write the name of a profile, or an object of switches")
        begun = _profile(document["profile"]) if "profile" in document else self
        return replace(begun, **{name: _value(name, value) for name, value in document.items() if name != "profile"})

    def out_media(self, document: JsonObject) -> JsonObject:
        """The document inside ``outMediainfo``, given one with the types of the table."""
        streams = [self._out_stream(stream) for stream in document["streams"]]
        whole = dict(document["format"])
        if self.duration == "short":
            whole["duration"] = _short(whole["duration"])
        if self.format_bit_rate == "absent":
            del whole["bit_rate"]
        elif self.format_bit_rate == "int":
            whole["bit_rate"] = int(whole["bit_rate"])
        return {**document, "streams": streams, "format": whole}

    def metainfo(self, document: JsonObject) -> JsonObject:
        """The document inside ``metainfo``, given one with every member."""
        streams = [self._numbered(stream) for stream in document["streams"]]
        yes, no = ("true", "false") if self.is_avc == "words" else ("1", "0")
        for stream in streams:
            if "is_avc" in stream:
                stream["is_avc"] = yes if stream["is_avc"] in ("true", "1") else no
        number = int if self.metainfo_size == "int" else str
        whole = {**document["format"], "size": number(document["format"]["size"])}
        return {**document, "streams": streams, "format": whole}

    def segments(self, entries: Iterable[JsonObject]) -> list[JsonObject]:
        """The document inside ``segmentsinfo``."""
        places = self.segment_duration
        return [{**entry, "duration": f"{Decimal(entry['duration']):.{places}f}"} for entry in entries]

    def _out_stream(self, stream: JsonObject) -> JsonObject:
        found = self._numbered(stream)
        if self.stream_bit_rate == "string":
            found["bit_rate"] = str(found["bit_rate"])
        if self.r_frame_rate == "decimal" and "r_frame_rate" in found:
            found["r_frame_rate"] = _short(f"{float(Fraction(found['r_frame_rate'])):.3f}")
        return found

    def _numbered(self, stream: JsonObject) -> JsonObject:
        """A copy of ``stream``, with its number if that is told."""
        bare = self.index == "omit-zero" and stream.get("index") == 0
        return {name: value for name, value in stream.items() if not (bare and name == "index")}


PROFILES: dict[str, Dialect] = {
    "docs": Dialect(),
    "real-2020": Dialect(
        final_progress=True,
        format_bit_rate="int",
        duration="short",
        index="omit-zero",
        lower_case_params=True,
    ),
    "legacy": Dialect(envelope="legacy", itmes="on", camel_answers=True),
    "ks3": Dialect(itmes="on"),
}
"""Named sets of switches: today's documents, a callback really received in 2020 from a private deployment and the
answers of that year, what "offline" users got, and what users that came from KS3 get."""

_WORDS = {"on": True, "off": False}


def _values() -> dict[str, tuple[Any, ...]]:
    hints = get_type_hints(Dialect)
    return {name: (True, False) if hint is bool else get_args(hint) for name, hint in hints.items()}


SWITCHES: dict[str, tuple[Any, ...]] = _values()
"""Every switch with the values that it takes."""


def parse(text: str) -> Dialect:
    """The dialect of a flag: ``legacy``, ``docs,itmes=on``, ``r_frame_rate=decimal``.

    Raises:
        ValueError: a part is no profile and no switch with one of its values; a profile does not stand first.

    """
    dialect = PROFILES["docs"]
    for place, part in enumerate(text.split(",")):
        name, equals, value = (word.strip() for word in part.partition("="))
        if equals:
            dialect = dialect.revised({name: value})
        elif place == 0:
            dialect = _profile(name)
        else:
            raise ValueError(f"{name!r} stands at place {place + 1}: only the first part may be a profile{_hint(name)}")
    return dialect


def _hint(name: str) -> str:
    return f"; write {name}=VALUE" if name in SWITCHES else nearest(name, SWITCHES)


def _profile(name: Any) -> Dialect:
    if not isinstance(name, str):
        raise ValueError(f"a profile is a name, not {name!r}")
    if name in PROFILES:
        return PROFILES[name]
    if name in SWITCHES:
        raise ValueError(f"there is no dialect {name!r}; it is a switch: write {name}=VALUE")
    raise ValueError(f"there is no dialect {name!r}{nearest(name, PROFILES) or '; there are ' + ', '.join(PROFILES)}")


def _value(name: str, given: Any) -> Any:
    """The value that ``given`` means for switch ``name``: words of a flag stand for truth values and numbers."""
    allowed = SWITCHES.get(name)
    if allowed is None:
        raise ValueError(f"there is no switch {name!r} in a dialect{nearest(name, SWITCHES)}")
    for value in allowed:
        if (type(given), given) in ((type(value), value), (str, _spelt(value))):
            return value
        if isinstance(given, bool) and given is _WORDS.get(value):
            return value
    choices = [_spelt(value) for value in allowed]
    raise ValueError(f"{name} is one of {', '.join(choices)}, not {given!r}{nearest(str(given), choices)}")


def _short(number: str) -> str:
    """``number`` without zeros at the end: ``11`` for ``11.000``."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def _spelt(value: Any) -> str:
    """``value`` as a flag spells it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
