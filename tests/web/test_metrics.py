"""Counters and gauges for Prometheus."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from emulator import __version__
from tests.support import receivers
from tests.support.client import WAVE, Client, Start
from tests.support.inbox import Inbox

Sample = tuple[str, frozenset[tuple[str, str]]]


async def scraped(client: Client) -> dict[Sample, float]:
    """Every sample by its name and labels, as a library reads them."""
    answer = await client.request("GET", "/_emulator/metrics")
    assert answer.status == 200, answer.body
    families = list(text_string_to_metric_families(answer.body.decode()))
    assert all(family.documentation and family.type in ("counter", "gauge") for family in families)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> Sample:
    return f"emulator_{name}", frozenset(labels.items())


async def test_it_is_the_text_format(client: Client) -> None:
    headers = (await client.request("GET", "/_emulator/metrics")).headers

    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_the_version_is_a_label(client: Client) -> None:
    found = [labels for (name, labels) in await scraped(client) if name == "emulator_build_info"]

    assert [dict(labels)["version"] for labels in found] == [__version__]


async def test_requests_are_counted_by_cloud_operation_and_outcome(client: Client) -> None:
    await client.kingsoft("GetPresetList")
    await client.kingsoft("GetPresetList")
    code = (await client.kingsoft("CreateWaveTask", {**WAVE, "DstBucket": 5})).json["ErrNum"]
    await client.token()
    found = await scraped(client)

    requests = {labels: count for labels, count in found.items() if labels[0] == "emulator_requests_total"}
    assert requests == {
        sample("requests_total", cloud="kingsoft", operation="GetPresetList", outcome="ok"): 2,
        sample("requests_total", cloud="kingsoft", operation="CreateWaveTask", outcome="refused"): 1,
        sample("requests_total", cloud="baidu", operation="oauth.token", outcome="ok"): 1,
    }
    assert found[sample("refusals_total", cloud="kingsoft", code=str(code))] == 1


async def test_no_client_can_make_labels_of_its_own(client: Client) -> None:
    for number in range(20):
        await client.kingsoft(f"No{number}")
        await client.request("GET", f"/no/{number}", headers={"Host": "nobody.test"})
        await client.named(f"AK{number}").kingsoft("GetPresetList")

    found = {key: count for key, count in (await scraped(client)).items() if key[0] == "emulator_requests_total"}

    assert found == {
        sample("requests_total", cloud="kingsoft", operation="unknown", outcome="refused"): 20,
        sample("requests_total", cloud="unknown", operation="unknown", outcome="unclaimed"): 20,
        sample("requests_total", cloud="kingsoft", operation="GetPresetList", outcome="ok"): 20,
    }


async def test_tasks_and_deliveries_are_counted(client: Client, inbox: Inbox) -> None:
    inbox.answers = [receivers.status(500)]
    for _ in range(2):
        await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    running = await scraped(client)
    await client.advance("1h")
    ended = await scraped(client)

    wave = {"cloud": "kingsoft", "operation": "CreateWaveTask"}
    assert running[sample("tasks_begun_total", **wave)] == 2
    assert (running[sample("pending_events")], ended[sample("pending_events")]) == (2, 0)
    assert ended[sample("tasks_ended_total", **wave, status="succeeded")] == 2
    assert ended[sample("tasks")] == 2
    assert ended[sample("deliveries_opened_total")] == ended[sample("callback_attempts_total")] == 2
    assert ended[sample("deliveries_total", status="delivered")] == 1
    assert ended[sample("deliveries_total", status="failed")] == 1


async def test_requests_at_which_the_emulator_itself_failed_are_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(client.server.emulation.pipeline, "decide", fail)
    await client.kingsoft("GetPresetList")

    found = await scraped(client)
    assert found[sample("requests_total", cloud="unknown", operation="unknown", outcome="emulator")] == 1


async def test_accounts_are_a_number(client: Client) -> None:
    before = (await scraped(client))[sample("accounts")]
    await client.named("AKNEW").kingsoft("GetPresetList")

    assert (await scraped(client))[sample("accounts")] == before + 1


async def test_what_journals_forgot_is_counted(start: Start) -> None:
    client = await start(journal_entries=1)
    for _ in range(3):
        await client.kingsoft("GetPresetList")

    assert (await scraped(client))[sample("journal_evicted_total")] == 2


@pytest.mark.parametrize(("method", "path"), [("POST", "reset"), ("DELETE", "")])
async def test_no_counter_goes_back(client: Client, inbox: Inbox, method: str, path: str) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await client.advance("1h")
    before = await scraped(client)
    await client.admin(method, path)
    after = await scraped(client)

    counters = [key for key in before if key[0].endswith("_total")]
    assert counters
    assert {key: after[key] for key in counters} == {key: before[key] for key in counters}


async def test_metrics_want_the_token_where_one_is_set(start: Start) -> None:
    client = await start(admin_token="secret")

    assert (await client.request("GET", "/_emulator/metrics")).status == 401
