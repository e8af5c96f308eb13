"""The command line, as a process: what it prints, and with which code it ends."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator import __version__
from tests.support.client import RECOGNISE
from tests.support.clouds import emulation
from tests.support.process import Serving, run, serving

OK, FAILED, BAD_CONFIGURATION, NOT_READY, PORT_IN_USE = range(5)


@pytest.fixture(name="taken")
def _taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture(name="closed")
def _closed() -> Iterator[str]:
    """The URL of a port that nobody else gets and on which nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def _served(server: Serving, path: str) -> bytes:
    with urllib.request.urlopen(server.url + path, timeout=30) as answer:
        content: bytes = answer.read()
    return content


def test_version_prints_the_version(tmp_path: Path) -> None:
    done = run(tmp_path, "version")

    assert (done.returncode, done.stdout, done.stderr) == (OK, f"{__version__}\n", "")


def test_check_says_that_the_shipped_files_are_in_order(tmp_path: Path) -> None:
    done = run(tmp_path, "check")

    assert (done.returncode, done.stderr) == (OK, "")
    assert done.stdout.endswith(" fixtures are in order\n")


def test_check_names_the_files_that_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "kingsoft" / "media.json"
    file.parent.mkdir(parents=True)
    description = {"duration": 1, "rotate": "0"}
    file.write_text(json.dumps({"$schema": "https://emulator.invalid/kingsoft/media.json", "media": description}))

    done = run(tmp_path, "check", "--fixtures", "mine")

    assert done.returncode == OK
    assert done.stdout.splitlines()[1].startswith("replaced: ")
    assert done.stdout.endswith("/kingsoft/media.json\n")


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("kingsoft/media.json", "{", "media.json: not JSON: "),
        ("kingsoft/medai.json", "{}", "nothing reads kingsoft/medai.json; did you mean 'kingsoft/media.json'?"),
        ("kingsoft/media.json", "{}", "media.json#/$schema: must name the schema of this fixture"),
    ],
)
def test_check_ends_with_code_2_and_a_line_for_each_fixture_at_fault(
    tmp_path: Path, path: str, content: str, said: str
) -> None:
    file = tmp_path / "mine" / path
    file.parent.mkdir(parents=True)
    file.write_text(content)

    done = run(tmp_path, "check", "--fixtures", "mine")

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("emulator: mine/")
    assert said in done.stderr


def test_check_ends_with_code_2_for_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path, "check", "--schemas", "none")

    assert (done.returncode, done.stderr) == (BAD_CONFIGURATION, "emulator: none: no such folder\n")


def test_a_schema_that_takes_the_place_of_none_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "kingsoft" / "CreateTsk.request.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")

    done = run(tmp_path, "check", "--schemas", "mine")

    assert done.returncode == BAD_CONFIGURATION
    assert "did you mean 'kingsoft/CreateTask.request.json'?" in done.stderr


def test_a_schema_that_refers_to_itself_without_end_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "kingsoft" / "media.json"
    file.parent.mkdir(parents=True)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://emulator.invalid/kingsoft/media.json",
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        "properties": {"media": {"$ref": "#/$defs/a"}},
    }
    file.write_text(json.dumps(document))

    done = run(tmp_path, "check", "--schemas", "mine")

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert "media.json#" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--port", "abc"), "emulator: --port: 'abc' is no whole number"),
        (("serve", "--port", "70000"), "emulator: --port: 70000 is out of bounds: from 0 to 65535"),
        (("serve", "--callback-rewrite", "a"), "emulator: --callback-rewrite: 'a' is not HOST=OTHER"),
        (("serve", "--config", "none.toml"), "emulator: none.toml: "),
        (("serve", "--host", "256.0.0.1", "--port", "0"), "emulator: "),
    ],
)
def test_a_value_that_makes_no_sense_ends_with_code_2_and_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(said)


@pytest.mark.parametrize("arguments", [(), ("brew",), ("serve", "--prot", "1"), ("serve", "--clock", "slow")])
def test_a_command_line_that_makes_no_sense_ends_with_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert done.stderr.startswith("usage: ")


def test_a_variable_that_makes_no_sense_ends_with_code_2_and_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", EMULATOR_PORT="abc")

    assert (done.returncode, done.stderr) == (
        BAD_CONFIGURATION,
        "emulator: EMULATOR_PORT: 'abc' is no whole number\n",
    )


def test_a_variable_that_is_no_setting_is_a_warning(tmp_path: Path) -> None:
    done = run(tmp_path, "check", EMULATOR_PROT="1")

    assert (done.returncode, done.stderr) == (
        OK,
        "emulator: warning: EMULATOR_PROT is no setting; did you mean 'EMULATOR_PORT'?\n",
    )


def test_wait_ends_with_code_3_if_nothing_is_ready_in_time(tmp_path: Path, closed: str) -> None:
    done = run(tmp_path, "wait", "--url", closed, "--timeout", "0.2")

    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert done.stderr.startswith(f"{closed}: no answer: ")


def test_healthcheck_ends_with_code_1_if_nothing_answers(tmp_path: Path, closed: str) -> None:
    done = run(tmp_path, "healthcheck", "--url", closed)

    assert (done.returncode, done.stdout) == (FAILED, "")
    assert done.stderr.startswith(f"{closed}: no answer: ")


def test_wait_looks_where_the_variable_says(tmp_path: Path, closed: str) -> None:
    done = run(tmp_path, "wait", "--timeout", "0.1", EMULATOR_URL=closed)

    assert done.stderr.startswith(f"{closed}: ")


def test_a_port_that_is_in_use_ends_with_code_4_and_one_line(tmp_path: Path, taken: int) -> None:
    done = run(tmp_path, "serve", "-p", str(taken))

    assert (done.returncode, done.stdout, done.stderr) == (
        PORT_IN_USE,
        "",
        f"emulator: port {taken} of 127.0.0.1 is in use; choose another with --port\n",
    )


def test_operations_lists_what_is_emulated(tmp_path: Path) -> None:
    done = run(tmp_path, "operations")

    assert done.returncode == OK
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert listed == [row.qualified for provider in emulation().providers.values() for row in provider.operations]
    assert {"kingsoft.CreateWaveTask", "baidu.iocr.recognise"} <= set(listed)


def test_operations_are_listed_as_json_for_programs(tmp_path: Path) -> None:
    done = run(tmp_path, "operations", "--json")

    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["baidu.iocr.recognise"]["wire"] == "/rest/2.0/solution/v1/iocr/recognise"
    assert rows["kingsoft.CreateTask"]["starts_task"] is True


def test_serve_prints_one_ready_line(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0", "--seed", "7") as server:
        url = server.url
        code, out, err = server.stop()

    assert server.ready == (
        f"emulator ready on {url} (Kingsoft KVS and Baidu iOCR), admin {url}/_emulator/api, seed 7\n"
    )
    assert (code, out, err) == (OK, "", "")


def test_serve_prints_a_seed_that_nobody_chose(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0") as server:
        seed = json.loads(_served(server, "/_emulator/health"))["seed"]

    assert server.ready.endswith(f", seed {seed}\n")


def test_serve_writes_its_port_to_a_file(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0", "--port-file", "port") as server:
        port = (tmp_path / "port").read_text()

        assert server.url == f"http://127.0.0.1:{port.strip()}"
    assert port.endswith("\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "port"]


def test_serve_answers_when_it_says_that_it_is_ready(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0") as server:
        answer = json.loads(_served(server, "/_emulator/readyz"))

    assert answer == {"status": "ready", "pending": []}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_with_code_0_when_it_is_told_to_stop(tmp_path: Path, number: int) -> None:
    with serving(tmp_path, "-p", "0") as server:
        assert server.stop(number) == (OK, "", "")


def test_serve_takes_its_settings_from_the_file_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "emulator.toml").write_text('port = 0\nseed = 11\nresponses = "random"\n')

    with serving(tmp_path) as server:
        account = json.loads(_served(server, "/_emulator/api/accounts/default"))

    assert (account["seed"], account["responses"]) == (11, "random")


@pytest.mark.parametrize("verb", ["wait", "healthcheck"])
def test_wait_and_healthcheck_find_an_emulator_that_is_ready(tmp_path: Path, verb: str) -> None:
    with serving(tmp_path, "-p", "0") as server:
        done = run(tmp_path, verb, "--url", server.url)

    assert (done.returncode, done.stdout, done.stderr) == (OK, f"{server.url}: ready\n", "")


def test_wait_and_healthcheck_find_this_machine_by_its_port(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0") as server:
        done = run(tmp_path, "healthcheck", EMULATOR_PORT=server.url.rpartition(":")[2])

    assert (done.returncode, done.stdout) == (OK, f"{server.url}: ready\n")


def test_beyond_loopback_a_token_is_made_and_printed_beside_the_ready_line(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0", "-H", "0.0.0.0") as server:
        _, out, err = server.stop()

    assert out == ""
    assert err.startswith("emulator: the admin API wants this token: ")


def test_help_names_every_verb(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")

    assert done.returncode == OK
    assert all(verb in done.stdout for verb in ("serve", "check", "operations", "wait", "healthcheck", "version"))


def test_the_help_of_serve_can_be_printed(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--help")

    assert done.returncode == OK
    assert "--callback-senders" in done.stdout


def test_a_token_outlives_the_process_that_issued_it(tmp_path: Path) -> None:
    query = "grant_type=client_credentials&client_id=ak&client_secret=sk"
    with serving(tmp_path, "-p", "0", "--seed", "7") as first:
        issued = fetched(f"{first.url}/oauth/2.0/token?{query}")["access_token"]

    with serving(tmp_path, "-p", "0", "--seed", "7") as second:
        answer = fetched(f"{second.url}{RECOGNISE}?access_token={issued}")

    assert answer["error_code"] not in (100, 110, 111), answer


def fetched(url: str) -> Any:
    with urllib.request.urlopen(url, data=b"") as found:
        return json.loads(found.read())
