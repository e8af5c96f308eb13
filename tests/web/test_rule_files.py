"""Rule files of a running emulator: at boot, changed under it, read again on demand; ``check``."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import server as server_module
from emulator.assembly import assemble
from emulator.cli import main
from emulator.core.errors import ConfigurationError
from emulator.settings import Settings
from tests.support.client import WAVE, Start

REFUSED = "name: closed\nwhen: {operation: kingsoft.*}\nthen: {error: 1011}\n"
BAD = "when: {operation: kingsoft.CreateWaveTsk}\nthen: {error: 1011}\n"
WRONG = "no operation is called kingsoft.CreateWaveTsk; did you mean 'kingsoft.CreateWaveTask'?"


def write(path: Path, text: str) -> None:
    """Change a file."""
    path.write_text(text, "utf-8")


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(REFUSED)
    return path


async def test_rules_of_files_are_in_force_from_the_start(start: Start, path: Path) -> None:
    client = await start(rules=(str(path),))

    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 1011
    (rule,) = (await client.admin("GET", "/rules")).json["rules"]
    assert (rule["name"], rule["origin"], rule["taken"]) == ("closed", f"{path}:1", 1)


async def test_a_rule_of_a_file_is_taken_away_only_there(start: Start, path: Path) -> None:
    client = await start(rules=(str(path),))
    (rule,) = (await client.admin("GET", "/rules")).json["rules"]

    answer = await client.admin("DELETE", f"/rules/{rule['id']}")

    assert (answer.status, answer.json["detail"]) == (
        409,
        f"rule {rule['id']} is of a file ({path}:1); take it out there",
    )
    assert (await client.admin("DELETE", "/rules")).status == 204
    assert len((await client.admin("GET", "/rules")).json["rules"]) == 1


async def test_files_are_read_again_on_demand(start: Start, path: Path) -> None:
    client = await start(rules=(str(path),))
    write(path, "[]")

    answer = await client.admin("POST", "/rules/reload")

    assert (answer.status, answer.json) == (200, {"rules": [], "problems": []})
    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0


async def test_a_file_that_makes_no_sense_is_told_everywhere_and_changes_nothing(start: Start, path: Path) -> None:
    client = await start(rules=(str(path),))
    write(path, BAD)

    answer = await client.admin("POST", "/rules/reload")

    problem = {"in": f"{path}:1", "pointer": "/when/operation", "message": WRONG}
    listed = (await client.admin("GET", "/rules")).json
    health = (await client.request("GET", "/_emulator/health")).json
    assert (answer.status, answer.json["problems"]) == (422, [problem])
    assert answer.json["detail"] == f"the rules of before stay: {path}:1#/when/operation: {WRONG}"
    assert ([rule["name"] for rule in listed["rules"]], listed["problems"]) == (["closed"], [problem])
    assert health["problems"] == [f"{path}:1#/when/operation: {WRONG}"]
    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 1011


async def test_a_running_emulator_follows_its_files(start: Start, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LOOK_EVERY", 0.001)
    client = await start(rules=(str(path),))
    replaced = asyncio.Event()
    shared = client.server.emulation.accounts.rules
    replace = shared.replace
    monkeypatch.setattr(shared, "replace", lambda rules: (replace(rules), replaced.set()))
    write(path, "[]")

    async with asyncio.timeout(60):
        await replaced.wait()

    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0


def test_an_emulator_with_a_bad_file_does_not_start(path: Path) -> None:
    write(path, BAD)
    with pytest.raises(ConfigurationError) as caught:
        assemble(Settings(rules=(str(path),)))

    assert str(caught.value) == f"{path}:1#/when/operation: {WRONG}"


def test_check_counts_the_rules(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--rules", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{_schemas()} and 1 rules are in order")


def test_check_tells_all_that_is_wrong_with_all_files(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = path.with_name("other.json")
    other.write_text(json.dumps({"then": {"fault": "rest"}}))
    write(path, BAD)

    assert main(["check", "--rules", str(path), "--rules", str(other)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"emulator: {path}:1#/when/operation: {WRONG}",
        f"emulator: {other}:1#/then/fault: no fault is called 'rest'; did you mean 'reset'?",
    ]


def test_serve_with_a_bad_file_ends_with_a_line_for_each_mistake(path: Path) -> None:
    write(path, BAD)
    done = subprocess.run(
        [sys.executable, "-m", "emulator", "serve", "--port", "0", "--rules", str(path)], capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (2, f"emulator: {path}:1#/when/operation: {WRONG}\n")


def test_yaml_is_not_imported_by_an_emulator_without_rule_files() -> None:
    code = "import sys; from emulator.assembly import assemble; from emulator.settings import Settings\n"
    code += "import emulator.server; assemble(Settings()); print('yaml' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def _schemas() -> str:
    emulation, _ = assemble(Settings(seed=1))
    return f"{sum(1 for _ in emulation.schemas)} schemas, {len(emulation.fixtures.resources)} fixtures"
