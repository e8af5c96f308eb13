"""``emulator exec`` and ``emulator verify``, as processes: exit codes, the verdict, the report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulator.core.expectations import Expectations
from emulator.core.written import read
from tests.support.clouds import emulation
from tests.support.process import Serving, command, environment, run, serving

OK, FAILED, BAD_CONFIGURATION, NOT_READY = range(4)
CALL = """
import os, sys, urllib.request
kingsoft = os.environ["EMULATOR_KINGSOFT_ENDPOINT"]
for action in sys.argv[1:]:
    urllib.request.urlopen(f"{kingsoft}/?Action={action}&Version=2017-01-01")
"""
"""A program that calls Kingsoft's actions, named on its command line, without any parameters."""
LISTED = "GetPresetList"
"""An action that is granted without parameters."""


def execute(folder: Path, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run Python with ``arguments`` by ``emulator exec`` with ``flags``."""
    return run(folder, "exec", *flags, "--", sys.executable, "-c", *arguments)


@pytest.fixture(name="expected")
def _expected(tmp_path: Path) -> Path:
    """Expectations in a file: presets are listed twice."""
    file = tmp_path / "expected.yaml"
    file.write_text(f"requests:\n  - {{operation: kingsoft.{LISTED}, times: 2}}\n")
    return file


def test_exec_ends_with_0_and_says_that_all_went_as_expected(tmp_path: Path, expected: Path) -> None:
    done = execute(tmp_path, CALL, LISTED, LISTED, flags=("--verify", str(expected)))

    assert (done.returncode, done.stdout) == (OK, ""), done.stderr
    assert "verdict on account default: ok, 4 checks; 2 requests" in done.stderr


def test_exec_ends_with_1_and_the_reason_if_the_verdict_failed(tmp_path: Path, expected: Path) -> None:
    done = execute(tmp_path, CALL, LISTED, flags=("--verify", str(expected)))

    assert done.returncode == FAILED
    assert f"  FAIL /requests/0: kingsoft.{LISTED}, exactly 2 times\n         found 1: #1\n" in done.stderr


def test_exec_without_expectations_fails_on_what_is_unexpected(tmp_path: Path) -> None:
    done = execute(tmp_path, CALL, LISTED, "GetTaskByTaskID")

    assert done.returncode == FAILED
    assert "  FAIL /unexpected/refused: no refused request\n" in done.stderr


def test_exec_ends_with_the_code_of_the_command_and_tells_the_verdict_all_the_same(tmp_path: Path) -> None:
    done = execute(tmp_path, "import sys; print('hello'); sys.exit(7)")

    assert (done.returncode, done.stdout) == (7, "hello\n")
    assert "verdict on account default: ok, 3 checks" in done.stderr


def test_exec_gives_the_command_a_port_of_its_own_and_the_variables(tmp_path: Path) -> None:
    names = ["EMULATOR_URL", "EMULATOR_PORT", "EMULATOR_KINGSOFT_ENDPOINT", "EMULATOR_BAIDU_ENDPOINT"]
    show = "import json, os; print(json.dumps(dict(os.environ)))"

    done = run(tmp_path, "exec", "--admin-token", "sesame", "--", sys.executable, "-c", show, EMULATOR_PORT="1")

    found = json.loads(done.stdout)
    port = found["EMULATOR_PORT"]
    assert port not in ("0", "1", "8640")
    assert [found[name] for name in names] == [f"http://127.0.0.1:{port}", port] + [f"http://127.0.0.1:{port}"] * 2
    assert found["EMULATOR_ADMIN_TOKEN"] == "sesame"


def test_exec_passes_everything_behind_the_dashes_on(tmp_path: Path) -> None:
    done = execute(tmp_path, "import sys; print(sys.argv[1:])", "--port", "x", "--", "-h")

    assert done.stdout == "['--port', 'x', '--', '-h']\n"


@pytest.mark.parametrize("arguments", [[], ["--"], ["--seed", "1"], ["true"]])
def test_exec_without_a_command_is_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    done = run(tmp_path, "exec", *arguments)

    assert done.returncode == BAD_CONFIGURATION
    assert done.stderr.startswith("usage: ")


def test_a_command_that_does_not_exist_ends_with_127_and_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "exec", "--", "no-such-command-anywhere")

    assert done.returncode == 127
    assert done.stderr.splitlines()[1:] == ["emulator: no-such-command-anywhere: no such command"]


def test_a_command_that_is_no_program_ends_with_126_and_one_line(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("not a program")

    done = run(tmp_path, "exec", "--", str(file))

    assert done.returncode == 126
    assert done.stderr.splitlines()[1:] == [f"emulator: {file} cannot be run: Permission denied"]


def test_expectations_that_make_no_sense_stop_exec_before_the_command_runs(tmp_path: Path) -> None:
    file = tmp_path / "expected.json"
    file.write_text('{"requests": [{"operation": "kingsoft.GetPresetLst"}]}')

    done = execute(tmp_path, "print('it ran')", flags=("--verify", str(file)))

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert done.stderr.startswith(
        f"emulator: {file}:1#/requests/0/operation: no operation is called kingsoft.GetPresetLst"
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", "requests: [", ":1: not YAML: "),
        ("a.json", "{", ": not JSON: "),
        ("a.yml", "- requests", ":1: ['requests'] is no object"),
        ("a.yaml", "requests:\n- status: 20", ":2#/requests/0/status: 20 "),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, content: str, said: str) -> None:
    file = tmp_path / name
    file.write_text(content)

    done = execute(tmp_path, "", flags=("--verify", str(file)))

    (line,) = done.stderr.splitlines()
    assert done.returncode == BAD_CONFIGURATION
    assert line.startswith(f"emulator: {file}")
    assert said in line


def test_a_file_that_is_missing_is_one_line(tmp_path: Path) -> None:
    done = execute(tmp_path, "", flags=("--verify", "gone.yaml"))

    assert (done.returncode, done.stderr) == (BAD_CONFIGURATION, "emulator: gone.yaml: No such file or directory\n")


def test_an_empty_file_means_nothing_unexpected(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")

    assert execute(tmp_path, CALL, LISTED, flags=("--verify", "empty.yaml")).returncode == OK


def test_exec_looks_at_the_account_that_is_named(tmp_path: Path) -> None:
    done = execute(tmp_path, CALL, LISTED, flags=("--account", "AKNOBODY"))

    assert done.returncode == FAILED
    assert "verdict on account AKNOBODY: FAILED; no account 'AKNOBODY'" in done.stderr


def test_the_report_has_a_test_case_for_each_check(tmp_path: Path, expected: Path) -> None:
    report = tmp_path / "reports" / "emulator.xml"

    execute(tmp_path, CALL, LISTED, flags=("--verify", str(expected), "--junit", str(report)))

    suite = ET.parse(report).getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("emulator", "4", "1")
    assert next((case.get("classname"), case.get("name")) for case in suite) == (
        "emulator.default",
        f"/requests/0: kingsoft.{LISTED}, exactly 2 times",
    )
    failures = [failure for case in suite for failure in case]
    assert [failure.get("message") for failure in failures] == ["found 1: #1"]
    assert "what happened" in (failures[0].text or "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_verdict_is_told(tmp_path: Path, number: signal.Signals) -> None:
    waits = (
        "import signal, sys\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        command("exec", "--", sys.executable, "-c", waits),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=30)

    assert process.returncode == 9
    assert "verdict on account default: ok" in err


def test_a_command_that_a_signal_ended_ends_with_128_and_its_number(tmp_path: Path) -> None:
    done = execute(tmp_path, "import os; os.kill(os.getpid(), 9)")

    assert done.returncode == 128 + 9


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A running emulator with a token, which was asked for its presets twice."""
    folder = tmp_path_factory.mktemp("serving")
    with serving(folder, "--port", "0", EMULATOR_ADMIN_TOKEN="sesame") as server:
        call = [sys.executable, "-c", CALL, LISTED, LISTED]
        subprocess.run(call, env={**os.environ, "EMULATOR_KINGSOFT_ENDPOINT": server.url}, check=True, timeout=30)
        yield server


def test_verify_prints_the_verdict_of_a_running_emulator(tmp_path: Path, served: Serving, expected: Path) -> None:
    url = served.url.rstrip(",")

    done = run(tmp_path, "verify", "--url", url, "--file", str(expected), "--junit", "r.xml", "--token", "sesame")

    assert (done.returncode, done.stderr) == (OK, "")
    assert done.stdout.startswith("verdict on account default: ok, 4 checks; 2 requests, 0 callbacks, 0 tasks\n")
    assert ET.parse(tmp_path / "r.xml").getroot().find("testsuite") is not None


def test_verify_ends_with_1_if_the_verdict_failed(tmp_path: Path, served: Serving) -> None:
    (tmp_path / "more.json").write_text('{"callbacks": [{}]}')
    where = {"EMULATOR_URL": served.url, "EMULATOR_ADMIN_TOKEN": "sesame"}

    done = run(tmp_path, "verify", "--file", "more.json", "--wait", "0.1", **where)

    assert done.returncode == FAILED
    assert "  FAIL /callbacks/0: any callback, at least once\n" in done.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"requests": [{"operation": "x"}]}',
            "emulator: wrong.json:1#/requests/0/operation: no operation is called x",
        ),
        ("{", "emulator: wrong.json:1: not JSON: "),
    ],
)
def test_verify_ends_with_2_if_the_file_is_wrong(tmp_path: Path, served: Serving, content: str, said: str) -> None:
    (tmp_path / "wrong.json").write_text(content)

    done = run(tmp_path, "verify", "--url", served.url, "--token", "sesame", "--file", "wrong.json")

    assert done.returncode == BAD_CONFIGURATION
    assert done.stderr.startswith(said)


def test_verify_ends_with_2_without_the_token(tmp_path: Path, served: Serving) -> None:
    done = run(tmp_path, "verify", "--url", served.url)

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert done.stderr.startswith("emulator: the admin API wants its token")


def test_verify_ends_with_3_if_nobody_answers(tmp_path: Path) -> None:
    done = run(tmp_path, "verify", "--url", "http://127.0.0.1:9")

    assert done.returncode == NOT_READY
    assert done.stderr.startswith("emulator: no answer from http://127.0.0.1:9: ")


def test_exec_says_in_one_line_that_it_cannot_listen_there(tmp_path: Path) -> None:
    done = execute(tmp_path, "print('it ran')", flags=("--host", "no-such-host.invalid"))

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert "emulator: cannot listen on no-such-host.invalid" in done.stderr
    assert "Traceback" not in done.stderr


def test_exec_asks_for_its_verdict_where_the_admin_api_is(tmp_path: Path) -> None:
    done = execute(tmp_path, CALL, LISTED, flags=("--admin-port", "0"))

    assert done.returncode == OK, done.stderr


def test_the_expectations_of_the_documentation_make_sense() -> None:
    page = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text("utf-8")
    documents = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
    parts = emulation()

    assert documents
    for document in documents:
        Expectations.of(read("verdict.md", document.encode()).document, parts.schemas, parts.providers)
