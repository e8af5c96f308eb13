"""Presets (模板): named sets of transcoding parameters. Each account has its own, and starts with the ready ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from emulator.core.clock import BEIJING
from emulator.core.exchange import JsonObject
from emulator.core.values import value_type

TYPES = ("avtrans", "avsample", "avsnapshot", "avinfo", "audiowave", "aiproduction")
"""What a preset can be for. [docs 2387]"""
LEGACY_TYPES = ("avop", "avlogo", "avm3u8")
"""Types of the older API, which ``avtrans`` has absorbed. [book preset]"""
MOST = 200
"""Presets that an account may have. The vendor's number is not known: [inference]."""
READY_SINCE = datetime(2022, 2, 15, tzinfo=BEIJING).timestamp()
"""When the ready presets say that they were made: the date of the vendor's document. [seed]"""


@value_type
class Preset:
    """One preset. Its name and its type together are unique in an account. [docs 2387]

    Attributes:
        type: one of ``TYPES`` or ``LEGACY_TYPES``.
        param: the parameters, as they were sent.
        kshd: 1 asks for the better encoder (集智高清), 0 does not.
        created, updated: when.

    """

    name: str
    type: str
    description: str
    param: JsonObject
    kshd: int
    created: float
    updated: float


class PresetBook:
    """An account's presets, in the order in which they were made.

    A book made of another shares what that one holds until either changes: most accounts never change theirs.
    """

    def __init__(self, ready: Iterable[Preset] = ()) -> None:
        self._shared = isinstance(ready, PresetBook)
        self._presets: dict[tuple[str, str], Preset]
        if isinstance(ready, PresetBook):
            ready._shared = True
            self._presets = ready._presets
        else:
            self._presets = {(preset.name, preset.type): preset for preset in ready}

    def __iter__(self) -> Iterator[Preset]:
        return iter(self._presets.values())

    def __len__(self) -> int:
        return len(self._presets)

    def find(self, name: str, type: str | None = None) -> Preset | None:
        """The preset of that name and type; where no type is said, the oldest of that name. [inference]"""
        if type is not None:
            return self._presets.get((name, type))
        return next((preset for preset in self._presets.values() if preset.name == name), None)

    def add(self, preset: Preset) -> None:
        """Keep ``preset``, whose name and type are free.

        Raises:
            ValueError: they are taken.

        """
        key = (preset.name, preset.type)
        if key in self._presets:
            raise ValueError(f"there is a preset {preset.name} of type {preset.type}")
        self._own()[key] = preset

    def replace(self, preset: Preset) -> None:
        """Put ``preset`` in the place of the one of its name and type.

        Raises:
            LookupError: there is none.

        """
        key = (preset.name, preset.type)
        if key not in self._presets:
            raise LookupError(f"there is no preset {preset.name} of type {preset.type}")
        self._own()[key] = preset

    def remove(self, name: str) -> int:
        """Forget every preset of that name, and say how many there were."""
        keys = [key for key in self._presets if key[0] == name]
        for key in keys:
            del self._own()[key]
        return len(keys)

    def names(self) -> list[str]:
        """Every name once."""
        return list(dict.fromkeys(name for name, _ in self._presets))

    def _own(self) -> dict[tuple[str, str], Preset]:
        """What it holds, to be changed."""
        if self._shared:
            self._presets, self._shared = dict(self._presets), False
        return self._presets


def ready(document: JsonObject) -> tuple[Preset, ...]:
    """The presets that every account starts with, of the fixture ``kingsoft/presets.json``."""
    return tuple(
        Preset(
            name=entry["Preset"],
            type=entry["PresetType"],
            description=entry.get("Description", ""),
            param=entry.get("Param", {}),
            kshd=entry.get("Kshd", 0),
            created=READY_SINCE,
            updated=READY_SINCE,
        )
        for entry in document["presets"]
    )
