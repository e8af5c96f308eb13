"""Snapshots over HTTP and from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from emulator.server import ThreadedServer
from tests.support.client import TRANSCODE, WAVE, Client, Start
from tests.support.inbox import Inbox
from tests.support.process import environment, run

ONE = "/_emulator/api/accounts"
OK, _, BAD_CONFIGURATION, NOT_READY = range(4)


async def _snapshot(client: Client) -> Any:
    answer = await client.admin("GET", "snapshot")
    assert answer.status == 200, answer.body
    return answer.json


async def _sent(client: Client) -> list[Any]:
    """Every callback of the account, once nothing is pending any more."""
    fired = (await client.admin("POST", "clock/advance", {"until": "idle"})).json["fired"]
    rows = (await client.admin("GET", "deliveries")).json["deliveries"]
    return [fired, *((row["number"], row["due"], row["status"], row["request"]) for row in rows)]


async def test_what_was_saved_here_goes_on_elsewhere(start: Start, inbox: Inbox) -> None:
    here, elsewhere = await start(), await start()
    await here.rule(
        {"when": {"operation": "kingsoft.*Task"}, "then": {"plan": {"deliver": {"late": "40s"}}}, "times": {"first": 1}}
    )
    for document in (TRANSCODE, {**TRANSCODE, "DstObjectKey": "out/b.mp4"}):
        await here.kingsoft("CreateTask", {**document, "CbUrl": inbox.url})
    await here.advance(30)
    loaded = await elsewhere.admin("PUT", "snapshot", await _snapshot(here))
    assert (loaded.status, loaded.json["tasks"], loaded.json["deliveries"]) == (200, 2, 2)
    again = [(await client.kingsoft("CreateWaveTask", WAVE)).json["TaskID"] for client in (here, elsewhere)]
    assert again[0] == again[1]
    assert await _sent(here) == await _sent(elsewhere)
    assert _timeless(await _snapshot(here)) == _timeless(await _snapshot(elsewhere))


def _timeless(document: Any) -> Any:
    """``document`` without when and how long receivers were asked, by the machine's clock."""
    for delivery in document["account"]["ledger"]["kept"]:
        for attempt in delivery["attempts"]:
            del attempt["answer"]["elapsed"], attempt["answer"]["began"]
    return document


async def test_an_account_that_is_not_there_is_made(client: Client) -> None:
    document = await _snapshot(client)
    made = await client.named("AKNEW").admin("PUT", "snapshot", document)
    assert (made.status, made.json["name"], made.json["configured"]) == (200, "AKNEW", False)
    await client.named("AKNEW").kingsoft("GetPresetList")
    assert (await client.named("AKNEW").admin("GET", "requests")).json["count"] == 1


async def test_the_account_keeps_its_credentials(client: Client) -> None:
    document = await _snapshot(client)
    assert "secret" not in json.dumps(document)
    before = (await client.admin("GET", "")).json["credentials"]
    assert (await client.admin("PUT", "snapshot", document)).json["credentials"] == before


async def test_of_an_account_that_is_not_there_nothing_is_saved(client: Client) -> None:
    assert (await client.named("nobody").admin("GET", "snapshot")).status == 404


async def test_a_broken_document_is_refused_with_pointers_and_changes_nothing(client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    before = await _snapshot(client)
    document = json.loads(json.dumps(before))
    document["account"]["tasks"]["kept"][0]["result"]["jobs"][0]["type"] = 7
    document["account"]["agenda"][0]["task"] = "nobody's"
    answer = await client.admin("PUT", "snapshot", document)
    assert answer.status == 422
    assert [row["pointer"] for row in answer.json["problems"]] == [
        "/account/tasks/kept/0/result/jobs/0/type",
        "/account/agenda/0/task",
    ]
    assert await _snapshot(client) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 422), ("{", 400), ("[]", 422), ("[" * 500 + "]" * 500, 400), ('{"emulator_snapshot": 99}', 422)],
)
async def test_what_is_no_snapshot_is_refused(client: Client, body: str, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.request("PUT", f"{ONE}/AKTEST/snapshot", data=body, headers=headers)
    assert answer.status == status
    assert answer.json["status"] == status


async def test_a_name_that_is_none_is_refused(client: Client) -> None:
    answer = await client.named("no%20name").admin("PUT", "snapshot", await _snapshot(client))
    assert (answer.status, answer.json["problems"][0]["pointer"]) == (422, "/name")


async def test_a_large_snapshot_is_loaded(client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    document = await _snapshot(client)
    (task,) = document["account"]["tasks"]["kept"]
    document["account"]["tasks"]["kept"] += [{**task, "id": f"{number:060}"} for number in range(1000)]
    body = json.dumps(document).encode()
    assert len(body) > 2**20
    headers = {"Content-Type": "application/json"}
    answer = await client.request("PUT", f"{ONE}/AKTEST/snapshot", data=BytesIO(body), headers=headers)
    assert (answer.status, answer.json["tasks"]) == (200, 1001)
    assert await _snapshot(client) == document


def test_the_command_line_saves_and_loads(tmp_path: Path, live: ThreadedServer) -> None:
    url = ("--url", live.url)
    done = run(tmp_path, "snapshot", "save", "a.json", *url)
    assert (done.returncode, done.stdout, done.stderr) == (OK, "default: saved to a.json\n", "")
    document = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert document["emulator_snapshot"] == 1
    document["account"]["clock"] = {"mode": "frozen", "speed": 1.0, "now": 1767225600.0}
    (tmp_path / "b.json").write_text(json.dumps(document), "utf-8")
    done = run(tmp_path, "snapshot", "load", "b.json", "--account", "AKCLI", *url)
    assert (done.returncode, done.stderr) == (OK, "")
    assert done.stdout == "AKCLI: loaded from b.json, its clock shows 2026-01-01T00:00:00.000Z\n"


def test_the_command_line_says_where_a_file_is_wrong(tmp_path: Path, live: ThreadedServer) -> None:
    (tmp_path / "a.json").write_text('{"emulator_snapshot": 2}', "utf-8")
    (tmp_path / "b.json").write_text("no JSON", "utf-8")
    for file, message in (
        ("a.json", "emulator: a.json#/emulator_snapshot: is 2; this emulator"),
        ("b.json", "emulator: b.json: is not JSON"),
        ("c.json", "emulator: c.json: No such file"),
    ):
        done = run(tmp_path, "snapshot", "load", file, "--url", live.url)
        assert done.returncode == BAD_CONFIGURATION
        assert done.stderr.startswith(message)


def test_the_command_line_says_that_nobody_answers(tmp_path: Path, unused_tcp_port: int) -> None:
    done = run(tmp_path, "snapshot", "save", "a.json", "--url", f"http://127.0.0.1:{unused_tcp_port}")
    assert done.returncode == NOT_READY
    assert not (tmp_path / "a.json").exists()


def test_the_command_line_says_that_there_is_no_such_account(tmp_path: Path, live: ThreadedServer) -> None:
    done = run(tmp_path, "snapshot", "save", "a.json", "--account", "nobody", "--url", live.url)
    assert done.returncode == BAD_CONFIGURATION
    assert "no account 'nobody'" in done.stderr


def test_nothing_of_it_is_imported_before_it_is_asked_for() -> None:
    script = (
        "import sys, emulator.server, emulator.assembly;"
        "print(sorted(name for name in sys.modules if 'snapshot' in name or 'structure' in name))"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "['emulator.web.admin.snapshots']\n"
