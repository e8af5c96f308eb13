"""What ``import emulator`` offers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import emulator

ROOT = Path(__file__).parents[2]


def test_every_name_that_is_offered_is_there() -> None:
    assert [name for name in emulator.__all__ if not hasattr(emulator, name)] == []


def test_the_offered_names_are_in_order_and_stand_there_once() -> None:
    assert sorted(set(emulator.__all__)) == list(emulator.__all__)


def test_the_version_is_offered() -> None:
    assert "__version__" in emulator.__all__
    assert [part.isdecimal() for part in emulator.__version__.split(".")] == [True, True, True]


def test_importing_the_package_loads_nothing_of_others() -> None:
    code = "import sys; before = set(sys.modules); import emulator; print(*sorted(set(sys.modules) - before))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert found.stdout.split() == ["emulator"]
