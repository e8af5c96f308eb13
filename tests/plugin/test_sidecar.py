"""The same tests on an emulator that runs elsewhere, by one process and by several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.client import AdminClient
from tests.plugin.conftest import User
from tests.support.process import Serving, serving

SUITE = """
@pytest.mark.parametrize("number", range(8))
def test_wave(emulator, number):
    emulator.kingsoft.expect("CreateWaveTask").fails(3150, at="80%").once()
    make_wave(emulator)
    emulator.advance(minutes=10)
    assert emulator.inbox.only.json["Details"]["errnum"] == 3150
    assert (emulator.seed, len(emulator.requests)) == (1, 1)

def test_refused(emulator):
    emulator.kingsoft.expect("CreateWaveTask").refused(1001)
    assert make_wave(emulator, points=1)["ErrNum"] == 1001

def test_retries(emulator):
    emulator.kingsoft.expect("CreateWaveTask").delivers(attempts=2)
    emulator.inbox.fail_times(1)
    make_wave(emulator)
    emulator.run_until_idle()
    assert len(emulator.inbox.received) == 2
"""
PASSED = 10


@pytest.fixture(name="sidecar")
def _sidecar(tmp_path: Path) -> Iterator[Serving]:
    """An emulator in a process of its own."""
    with serving(tmp_path, "--port", "0", "--ca-dir", str(tmp_path / "ca")) as running:
        yield running


@pytest.mark.parametrize("way", ["option", "ini", "environment"])
def test_a_suite_passes_in_process_and_on_a_sidecar(
    user: User, sidecar: Serving, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write(SUITE)
    user.run().assert_outcomes(passed=PASSED)
    if way == "environment":
        monkeypatch.setenv("EMULATOR_URL", sidecar.url)
    given = {"option": [f"--emulator-url={sidecar.url}"], "ini": ["-o", f"emulator_url={sidecar.url}"]}
    result = user.run(*given.get(way, []))

    result.assert_outcomes(passed=PASSED)
    result.stdout.fnmatch_lines([f"emulator: {sidecar.url}"])
    accounts = AdminClient(sidecar.url).get("/accounts")[1]["accounts"]
    assert [account["name"] for account in accounts] == ["default"]


def test_four_workers_share_a_sidecar(user: User, sidecar: Serving) -> None:
    user.write(SUITE)
    result = user.run_apart("-p", "xdist.plugin", "-n", "4", f"--emulator-url={sidecar.url}")

    result.assert_outcomes(passed=PASSED)
    metrics = AdminClient(sidecar.url).raw("/metrics").decode()
    assert 'emulator_tasks_begun_total{cloud="kingsoft",operation="CreateWaveTask"} 9' in metrics


def test_four_workers_have_an_emulator_each(user: User) -> None:
    user.write(SUITE)

    user.run_apart("-p", "xdist.plugin", "-n", "4").assert_outcomes(passed=PASSED)


def test_accounts_of_the_same_test_do_not_get_in_each_others_way(user: User, sidecar: Serving) -> None:
    user.write("""
def test_it(emulator, emulator_server):
    again = emulator_server.open(emulator.account)
    assert (again.account, again.requests) == (emulator.account + ".2", [])
    again.close()
""")

    user.run(f"--emulator-url={sidecar.url}").assert_outcomes(passed=1)


def test_a_failure_says_where_the_emulator_is(user: User, sidecar: Serving) -> None:
    user.write("""
def test_it(emulator):
    assert False
""")

    user.run(f"--emulator-url={sidecar.url}").stdout.fnmatch_lines([f"again: *--emulator-url={sidecar.url}"])


def test_an_emulator_that_is_not_there_is_said_in_a_line_for_each_test(user: User) -> None:
    user.write("""
def test_it(emulator):
    pass

def test_other():
    pass
""")
    result = user.run("--emulator-url=http://127.0.0.1:9")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["no emulator for these tests: no answer from http://127.0.0.1:9: *emulator serve*"])


def test_an_emulator_that_wants_a_token_gets_it_from_the_environment(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write(SUITE)
    with serving(tmp_path, "--port", "0", "--admin-token", "sesame") as running:
        user.run(f"--emulator-url={running.url}").stdout.fnmatch_lines(["*the admin API wants its token*"])
        monkeypatch.setenv("EMULATOR_ADMIN_TOKEN", "sesame")
        user.run(f"--emulator-url={running.url}").assert_outcomes(passed=PASSED)
