"""Init hooks: files that run when the emulator has started, and when it stops."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from emulator.core.clock import SystemMachine
from emulator.core.errors import ConfigurationError
from emulator.hooks import HookFailed, Hooks
from emulator.server import Server, init_hooks
from emulator.settings import Settings
from tests.support.client import Start
from tests.support.clouds import data, emulation
from tests.support.described import Described
from tests.support.process import command, environment, run, serving

BAD_CONFIGURATION = 2


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A folder as it is mounted, with nothing in it yet."""
    for stage in ("ready.d", "shutdown.d"):
        (tmp_path / "init" / stage).mkdir(parents=True)
    return tmp_path


def ready(folder: Path, name: str, content: str) -> Path:
    """A hook for the start."""
    path = folder / "init" / "ready.d" / name
    path.write_text(content, "utf-8")
    return path


def leaving(folder: Path, name: str, content: str) -> None:
    """A hook for the end."""
    (folder / "init" / "shutdown.d" / name).write_text(content, "utf-8")


def asked(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}/_emulator/{path}", timeout=30) as answer:
        return json.loads(answer.read())


def hooks(folder: Path, timeout: float = 30.0, *, fatal: bool = True) -> Hooks:
    schemas, _ = data()
    return Hooks(folder / "init", schemas, SystemMachine(), timeout, fatal=fatal)


async def ran(found: Hooks) -> None:
    """The hooks for the start, run where nobody answers."""
    await found.run("ready", "http://127.0.0.1:1", "http://127.0.0.1:1", None, [])


async def test_a_document_makes_accounts_sets_rules_and_asks_what_else_there_is(folder: Path, start: Start) -> None:
    document = {
        "accounts": [{"name": "ci", "kingsoft": {"access_key": "AKCI"}}],
        "rules": [{"then": {"responses": "random"}}],
        "requests": [{"method": "PUT", "path": "/accounts/ci/clock", "body": {"mode": "frozen"}}],
    }
    ready(folder, "10-world.json", json.dumps(document))
    client = await start(folder=str(folder))

    assert (await client.admin("GET", "/accounts/ci")).json["clock"]["mode"] == "frozen"
    assert len((await client.admin("GET", "/rules")).json["rules"]) == 1


async def test_a_list_is_one_of_requests(folder: Path, start: Start) -> None:
    ready(folder, "a.yaml", "- path: /accounts\n  body: {name: ci}\n- {method: GET, path: /accounts/ci}\n")
    client = await start(folder=str(folder))

    assert (await client.admin("GET", "/accounts/ci")).status == 200


async def test_hooks_run_in_the_order_of_their_names_and_tell_how_they_went(folder: Path, start: Start) -> None:
    ready(folder, "20-second.sh", "echo from $EMULATOR_URL; echo $EMULATOR_ADMIN_TOKEN >&2")
    ready(folder, "10-first.py", "import sys; print('one', sys.version_info[0])")
    client = await start(folder=str(folder))
    shown = (await (await Described.of(client))("GET", "/api/hooks")).json["hooks"]

    assert [(hook["name"], hook["status"]) for hook in shown] == [("10-first.py", "done"), ("20-second.sh", "done")]
    assert shown[0]["output"] == "one 3\n"
    assert shown[1]["output"].startswith(f"from {client.server.url}\n")


async def test_programs_know_the_token(folder: Path) -> None:
    ready(folder, "a.sh", "echo $EMULATOR_ADMIN_TOKEN")
    found = hooks(folder)

    await found.run("ready", "http://127.0.0.1:1", "http://127.0.0.1:1", "secret", [])

    assert found.states[0].output == "secret\n"


async def test_hidden_files_are_no_hooks(folder: Path) -> None:
    ready(folder, ".swp", "x")
    ready(folder, "..data", "x")

    assert hooks(folder).states == []


def test_a_folder_without_init_has_no_hooks(tmp_path: Path) -> None:
    assert init_hooks(Settings(folder=str(tmp_path)), emulation()) is None
    assert init_hooks(Settings(), emulation()) is None


def test_whatever_is_wrong_with_documents_is_told_at_once_and_with_lines(folder: Path) -> None:
    ready(folder, "a.yaml", "requests:\n  - path: rules\n")
    ready(folder, "b.json", "[{}]")
    ready(folder, "c.yaml", "a: [")
    ready(folder, "README.md", "what these are for")

    with pytest.raises(ConfigurationError) as refused:
        hooks(folder)

    texts = [str(problem) for problem in refused.value.problems]
    assert len(texts) == 4
    assert "no hook: they end with .yaml, .yml, .json, .sh, .py" in texts[0]
    assert "a.yaml:2#/requests/0/path" in texts[1]
    assert "b.json:1#/0" in texts[2]
    assert "c.yaml" in texts[3]


async def test_a_hook_that_fails_keeps_the_next_from_running(folder: Path) -> None:
    ready(folder, "a.sh", "exit 3")
    ready(folder, "b.sh", "echo never")
    found = hooks(folder)

    with pytest.raises(HookFailed, match=r"a\.sh: ended with 3 \(--hook-failure continue"):
        await ran(found)

    assert [state.status for state in found.states] == ["failed", "pending"]


async def test_a_hook_may_fail_where_that_is_wanted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ready(folder, "a.sh", "exit 3")
    ready(folder, "b.sh", "echo after all")
    found = hooks(folder, fatal=False)

    await ran(found)

    assert [state.status for state in found.states] == ["failed", "done"]
    assert "a.sh: ended with 3" in capsys.readouterr().err


async def test_a_request_that_is_refused_fails_its_hook_and_is_named(folder: Path) -> None:
    ready(folder, "a.json", json.dumps({"accounts": [{"nmae": "x"}]}))
    async_server = Server(Settings(port=0, seed=7, folder=str(folder)))

    with pytest.raises(HookFailed, match=r"a\.json: POST /accounts: .*nmae"):
        await async_server.start()


async def test_a_hook_that_takes_too_long_is_ended_with_all_that_it_began(folder: Path) -> None:
    mark = folder / "mark"
    ready(folder, "a.sh", f"(sleep 30; echo late > {mark}) & sleep 30")
    found = hooks(folder, timeout=0.2)

    with pytest.raises(HookFailed, match=r"not done within 0\.2 s \(--hook-timeout\)"):
        await ran(found)

    assert found.states[0].status == "failed"
    assert not mark.exists()


async def test_only_the_last_of_what_a_hook_wrote_is_kept(folder: Path) -> None:
    ready(folder, "a.py", "print('x' * 10000); print('end')")
    found = hooks(folder)

    await ran(found)

    assert len(found.states[0].output) == 4000
    assert found.states[0].output.endswith("end\n")


async def test_pending_names_what_is_not_over(folder: Path) -> None:
    ready(folder, "a.sh", "true")
    ready(folder, "b.sh", "false")
    pending = ["starting"]

    with pytest.raises(HookFailed):
        await hooks(folder).run("ready", "http://127.0.0.1:1", "http://127.0.0.1:1", None, pending)

    assert pending == ["starting", "hook b.sh"]


def test_while_hooks_run_it_answers_but_is_not_ready(folder: Path, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    ready(
        folder,
        "a.py",
        "import json, os, urllib.request, urllib.error\n"
        "try: urllib.request.urlopen(os.environ['EMULATOR_URL'] + '/_emulator/readyz')\n"
        f"except urllib.error.HTTPError as error: open({str(found)!r}, 'w').write(error.read().decode())\n",
    )
    with serving(tmp_path, "-p", "0", "--folder", str(folder)) as server:
        assert asked(server.url, "readyz")["status"] == "ready"

    assert json.loads(found.read_text())["pending"] == ["starting", "hook a.py"]


def test_a_failed_hook_ends_the_emulator_with_code_2_and_one_line(folder: Path, tmp_path: Path) -> None:
    path = ready(folder, "a.sh", "exit 1")

    done = run(tmp_path, "serve", "-p", "0", "--folder", str(folder))

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert done.stderr == f"emulator: {path}: ended with 1 (--hook-failure continue goes on nevertheless)\n"


def test_hooks_for_the_end_run_while_it_still_answers(folder: Path, tmp_path: Path) -> None:
    leaving(
        folder,
        "a.py",
        "import os, urllib.request as r; print(r.urlopen(os.environ['EMULATOR_URL'] + '/_emulator/livez').status)",
    )

    with serving(tmp_path, "-p", "0", "--folder", str(folder)) as server:
        code, _, err = server.stop()

    assert (code, err) == (0, "200\n")


def test_a_failed_hook_for_the_end_is_the_exit_code(folder: Path, tmp_path: Path) -> None:
    leaving(folder, "a.sh", "exit 1")

    with serving(tmp_path, "-p", "0", "--folder", str(folder)) as server:
        code, _, err = server.stop()

    assert code == BAD_CONFIGURATION
    assert "a.sh: ended with 1" in err


def test_a_signal_ends_it_while_hooks_run(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "running"
    ready(folder, "a.sh", f"mkfifo {mark}; cat {mark}; sleep 60")
    (tmp_path / "pipe").mkdir()
    process = subprocess.Popen(
        command("serve", "-p", "0", "--folder", str(folder)),
        cwd=tmp_path / "pipe",
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            _until_there(mark)
            with mark.open("w") as held:  # opens when the hook reads, so it runs
                process.send_signal(signal.SIGTERM)
                out, _ = process.communicate(timeout=60)
                held.close()
        finally:
            process.kill()

    assert (process.returncode, out) == (0, "")


def _until_there(path: Path) -> None:
    import threading

    pause = threading.Event()
    while not path.exists():
        pause.wait(0.02)


def test_check_looks_at_hooks_too(folder: Path, tmp_path: Path) -> None:
    ready(folder, "a.yaml", "nothing: 1")

    done = run(tmp_path, "check", "--folder", str(folder))

    assert done.returncode == BAD_CONFIGURATION
    assert "a.yaml:1" in done.stderr


def test_check_counts_hooks(folder: Path, tmp_path: Path) -> None:
    ready(folder, "a.sh", "true")

    assert "1 init hooks" in run(tmp_path, "check", "--folder", str(folder)).stdout
