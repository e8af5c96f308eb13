"""Making, changing, deleting and showing presets."""

from __future__ import annotations

from dataclasses import replace

from emulator.core.errors import ApiError, nearest
from emulator.core.exchange import Call, JsonObject
from emulator.core.provider import Context
from emulator.core.schemas import SchemaRegistry
from emulator.kingsoft.dialects import Dialect
from emulator.kingsoft.handlers.periods import moment
from emulator.kingsoft.presets import LEGACY_TYPES, MOST, TYPES, Preset, PresetBook
from emulator.kingsoft.state import KingsoftState

_LOWER = {"VIDEO": "video", "AUDIO": "audio", "LOGOS": "logos"}


class PresetHandlers:
    """The handlers of ``Preset``, ``UpdatePreset``, ``DelPreset``, ``GetPresetList`` and ``GetPresetDetail``.

    Args:
        schemas: has the one that ``Param`` is held against.
        legacy_types: whether presets of the types of 2016 may be made.

    """

    def __init__(self, schemas: SchemaRegistry, *, legacy_types: bool) -> None:
        self._preset = schemas.get("kingsoft/preset.json")
        self._legacy_types = legacy_types

    def create(self, call: Call, context: Context) -> JsonObject:
        """``Preset``: make one. [docs 2387, sdk-python]"""
        preset = self._read(call, context)
        book = _book(call, context)
        if book.find(preset.name, preset.type) is not None:
            raise ApiError(1201, f"there is a preset {preset.name!r} of type {preset.type}; UpdatePreset changes it")
        if len(book) >= MOST:
            raise ApiError(1202, f"account {context.account.name} has {MOST} presets, which is the limit")
        book.add(preset)
        return {}

    def update(self, call: Call, context: Context) -> JsonObject:
        """``UpdatePreset``: put other parameters in the place of those of one.

        Its name and type say which one is meant. What is left out is not kept. [inference of consumer: ket-java-sdk]
        """
        preset = self._read(call, context)
        book = _book(call, context)
        old = book.find(preset.name, preset.type)
        if old is None:
            raise _unknown(preset.name, book, preset.type)
        book.replace(replace(preset, created=old.created))
        return {}

    def delete(self, call: Call, context: Context) -> JsonObject:
        """``DelPreset``: forget one. Where several types share the name, all of them go. [inference]"""
        name = _parameters(call)["Preset"]
        book = _book(call, context)
        if not book.remove(name):
            raise _unknown(name, book)
        return {}

    def list(self, call: Call, context: Context) -> JsonObject:
        """``GetPresetList``: those of some types and names, or all; with ``Param`` if asked for. [sdk-java]"""
        parameters = _parameters(call)
        types, names = _listed(parameters, "PresetType"), _listed(parameters, "Presets")
        detailed, dialect = int(parameters.get("WithDetail") or 0) == 1, _dialect(call, context)
        return {
            "PresetList": [
                {
                    "Preset": preset.name,
                    "PresetType": preset.type,
                    "Description": preset.description,
                    "CreateTime": moment(preset.created),
                    "UpdateTime": moment(preset.updated),
                    **({"Param": _shown(preset.param, dialect)} if detailed else {}),
                }
                for preset in _book(call, context)
                if (not types or preset.type in types) and (not names or preset.name in names)
            ]
        }

    def detail(self, call: Call, context: Context) -> JsonObject:
        """``GetPresetDetail``: one; where several types share the name, the oldest. [sdk-java; which: inference]"""
        name = _parameters(call)["Preset"]
        book, dialect = _book(call, context), _dialect(call, context)
        preset = book.find(name)
        if preset is None:
            raise _unknown(name, book)
        return {
            "PresetDetail": {
                "Presettype" if dialect.presettype else "PresetType": preset.type,
                "Description": preset.description,
                "Param": _shown(preset.param, dialect),
                "CreateTime": moment(preset.created),
                "UpdateTime": moment(preset.updated),
            }
        }

    def _read(self, call: Call, context: Context) -> Preset:
        """The preset that the parameters describe.

        Raises:
            ApiError: 1015, its type is not served; 1010, its ``Param`` does not fit its type.

        """
        given = _parameters(call)
        kind, param = given["PresetType"], given["Param"]
        if kind in LEGACY_TYPES and not self._legacy_types:
            served = ", ".join(TYPES)
            raise ApiError(1015, f"{kind} is a type of the older API; served are {served} (--legacy-presets adds it)")
        document = {"PresetType": kind, "Param": param}
        if not self._preset.is_valid(document):
            found = self._preset.explain(document)
            raise ApiError(1010 if found.code is None else found.code, str(found))
        return Preset(
            name=given["Preset"],
            type=kind,
            description=given.get("Description", ""),
            param=param,
            kshd=int(given.get("Kshd") or 0),
            created=context.now,
            updated=context.now,
        )


def _parameters(call: Call) -> JsonObject:
    return call.parameters or {}


def _book(call: Call, context: Context) -> PresetBook:
    state: KingsoftState = context.account.state(call.cloud)
    return state.presets


def _dialect(call: Call, context: Context) -> Dialect:
    state: KingsoftState = context.account.state(call.cloud)
    return state.dialect


def _unknown(name: str, book: PresetBook, kind: str | None = None) -> ApiError:
    of_type = f" of type {kind}" if kind is not None else ""
    return ApiError(1200, f"there is no preset {name!r}{of_type}{nearest(name, book.names())}")


def _listed(parameters: JsonObject, name: str) -> frozenset[str]:
    """What a text names, separated by commas."""
    return frozenset(entry.strip() for entry in parameters.get(name, "").split(",") if entry.strip())


def _shown(param: JsonObject, dialect: Dialect) -> JsonObject:
    """``Param`` as it was sent, or with its blocks in lower case. [sdk-java history]"""
    if not dialect.lower_case_params:
        return param
    return {_LOWER.get(name, name): value for name, value in param.items()}
