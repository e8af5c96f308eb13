"""``emulator listen``, as a process; and the token that a sidecar's admin API may or may not demand."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from emulator.server import Server
from emulator.settings import Settings
from tests.support.process import command, environment, run, serving
from tests.support.receivers import closed_port

OK, FAILED, BAD_CONFIGURATION, NOT_READY = range(4)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_what_it_does_and_ends_with_0_when_told(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, "-p", "0") as server:
        process = subprocess.Popen(
            command("listen", "--forward-to", "http://127.0.0.1:9", "--url", server.url, "--account", "ci"),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                with urllib.request.urlopen(f"{server.url}/_emulator/api/listeners", timeout=30) as answer:
                    (listener,) = json.loads(answer.read())["listeners"]
                process.send_signal(number)
                _, err = process.communicate(timeout=60)
            finally:
                process.kill()

    assert line == f"listening on {server.url}: callbacks of ci go to http://127.0.0.1:9\n"
    assert listener["account"] == "ci"
    assert (process.returncode, err) == (OK, "")


def test_it_ends_with_3_if_no_emulator_answers(tmp_path: Path) -> None:
    with closed_port() as port:
        done = run(tmp_path, "listen", "--forward-to", "http://x", "--url", f"http://127.0.0.1:{port}")

    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert "no answer from" in done.stderr


def test_it_ends_with_2_if_the_token_is_wrong(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0", "--admin-token", "secret") as server:
        done = run(tmp_path, "listen", "--forward-to", "http://x", "--url", server.url, "--token", "wrong")

    assert done.returncode == BAD_CONFIGURATION
    assert "wants its token" in done.stderr


def test_where_to_forward_to_must_be_a_url(tmp_path: Path) -> None:
    done = run(tmp_path, "listen", "--forward-to", "localhost:9000")

    assert done.returncode == BAD_CONFIGURATION
    assert "'localhost:9000' is no URL: http://HOST:PORT/PATH" in done.stderr


def test_a_token_for_the_verbs_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    with serving(tmp_path, "-p", "0", "--admin-token", "secret") as server:
        done = run(tmp_path, "verify", "--url", server.url, EMULATOR_ADMIN_TOKEN_FILE="token")

    assert done.returncode == OK


def test_a_port_that_is_a_link_to_a_container_is_where_the_emulator_is(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0") as server:
        done = run(tmp_path, "healthcheck", EMULATOR_PORT=server.url.replace("http", "tcp"))

    assert (done.returncode, done.stdout) == (OK, f"{server.url}: ready\n")


@pytest.mark.parametrize(
    ("host", "token", "demanded"),
    [
        ("127.0.0.1", "", False),
        ("127.0.0.1", "x", True),
        ("127.0.0.1", "none", False),
        ("0.0.0.0", "", True),
        ("0.0.0.0", "x", True),
        ("0.0.0.0", "none", False),
    ],
)
def test_when_the_admin_api_demands_a_token(host: str, token: str, demanded: bool) -> None:
    server = Server(Settings(host=host, port=0, seed=7, admin_token=token))

    assert (server.admin_token is not None) is demanded


def test_that_no_token_is_demanded_is_said(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0", "--admin-token", "none") as server:
        _, _, err = server.stop()

    assert err == "emulator: the admin API demands no token; whoever reaches it may use it\n"
