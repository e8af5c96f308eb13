"""The plugin as pytest finds it, and the first example of its page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import PLUGINS, ROOT, User

PAGE = (ROOT / "docs" / "pytest.md").read_text("utf-8")


def test_the_first_example_passes_in_an_empty_folder(user: User) -> None:
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    (user.folder / "client.py").unlink()
    (user.folder / "test_wave.py").write_text(example[1], "utf-8")

    user.run_apart().assert_outcomes(passed=1)


def test_loading_it_imports_nothing_but_pytest(tmp_path: Path) -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import emulator.pytest_plugin; "
        "print(*sorted(name for name in set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.split() == ["emulator", "emulator.pytest_plugin"]


def test_tests_that_do_not_ask_for_it_do_not_start_it(user: User) -> None:
    user.write("""
import sys

def test_it():
    assert "emulator.testing" not in sys.modules
""")

    user.run_apart().assert_outcomes(passed=1)


@pytest.mark.parametrize("option", ["--markers", "--fixtures", "--help"])
def test_it_is_listed(user: User, pytester: pytest.Pytester, option: str) -> None:
    said = {
        "--markers": "@pytest.mark.emulator(seed=, auth=, clock=, *",
        "--fixtures": "emulator -- *An account of the emulator for this test alone*",
        "--help": "*--emulator-url=VALUE*",
    }
    result = pytester.runpytest_inprocess(*PLUGINS, option)

    shown = result.stdout.str().replace("\n", " ")
    assert re.search(".*".join(map(re.escape, said[option].strip("*").split("*"))), shown)


def test_the_page_names_every_fixture_option_and_member_of_the_marker() -> None:
    from emulator import pytest_plugin

    fixtures = re.findall(r'fixture\(name="(\w+)"', Path(pytest_plugin.__file__).read_text("utf-8"))
    options = [f"--emulator-{name.replace('_', '-')}" for name in pytest_plugin.OPTIONS]
    members = [f"`{name}=" for name in pytest_plugin.MARK]

    assert [name for name in (*(f"`{name}`" for name in fixtures), *options, *members) if name not in PAGE] == []


def test_the_page_names_every_link_of_a_chain() -> None:
    from emulator.testing import Expectation

    links = [name for name in vars(Expectation) if not name.startswith("_") and name not in ("entry", "shortfall")]

    assert [name for name in links if f".{name}(" not in PAGE] == []
