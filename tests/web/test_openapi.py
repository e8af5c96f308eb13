"""The OpenAPI document of the admin API: it is one, it has every route, and every answer is as it says."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from emulator.web.admin.api import routes
from emulator.web.admin.site import Route
from tests.support.client import TRANSCODE, WAVE, Client, Start
from tests.support.described import PREFIX, Described
from tests.support.inbox import Inbox

ONE = "/api/accounts/AKTEST"
WAVED = "kingsoft.CreateWaveTask"
ELSEWHERE = {"Doctor", "Events", "Hooks", "Listeners", "Trust", "TryIt"}
"""Sections whose answers are looked at in tests of their own."""
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(name="admin")
async def _admin(client: Client) -> Described:
    return await Described.of(client)


def table(client: Client) -> list[Route]:
    """The routes of a running emulator."""
    server = client.server
    return routes(server.emulation, server._readiness, server.authority)


def operations(document: Any) -> dict[tuple[str, str], Any]:
    """What is described, by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


async def wave(client: Client, **parameters: Any) -> str:
    found: str = (await client.kingsoft("CreateWaveTask", {**WAVE, **parameters})).json["TaskID"]
    return found


# The document


async def test_it_is_a_document_of_openapi_3_1(start: Start) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    for settings in ({}, {"admin_token": "secret"}):
        client = await start(**settings)
        headers = {"Authorization": "Bearer secret"}
        document = (await client.request("GET", f"{PREFIX}/openapi.json", headers=headers)).json

        assert document["openapi"] == "3.1.0"
        assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_each_of_its_schemas_is_one_by_the_book(admin: Described) -> None:
    for schema in admin.document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_each_of_its_references_leads_to_a_part_of_it(admin: Described) -> None:
    def references(part: Any) -> Any:
        if isinstance(part, list):
            for each in part:
                yield from references(each)
        elif isinstance(part, dict):
            for key, value in part.items():
                if key == "$ref" and isinstance(value, str):
                    yield value
                yield from references(value)

    for reference in references(admin.document):
        found = admin.document
        assert reference.startswith("#/")
        for step in reference[2:].split("/"):
            found = found[step]


async def test_every_route_is_in_it_and_nothing_else(client: Client, admin: Described) -> None:
    assert operations(admin.document).keys() == {(route.method, route.path) for route in table(client)}


async def test_every_operation_says_what_it_is_and_what_it_answers(admin: Described) -> None:
    found = operations(admin.document).values()

    assert all(operation["summary"] for operation in found)
    assert all(any(status < "400" for status in operation["responses"]) for operation in found)


async def test_every_operation_has_an_id_of_its_own(admin: Described) -> None:
    ids = [operation["operationId"] for operation in operations(admin.document).values()]

    assert sorted(ids) == sorted(set(ids))


async def test_every_name_in_a_path_is_a_parameter(admin: Described) -> None:
    for (_, path), operation in operations(admin.document).items():
        named = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path)


async def test_every_schema_of_an_answer_is_used(client: Client, admin: Described) -> None:
    answers = client.server.emulation.schemas.get("emulator/answers.json").document["$defs"]

    assert answers.keys() - admin.document["components"]["schemas"].keys() == set()


async def test_a_body_that_may_be_left_out_is_not_required(admin: Described) -> None:
    found = operations(admin.document)

    assert found["POST", "/api/accounts"]["requestBody"]["required"] is False
    assert found["PUT", "/api/accounts/{account}/clock"]["requestBody"]["required"] is True


async def test_it_names_the_server_that_was_asked(client: Client, admin: Described) -> None:
    assert [server["url"] for server in admin.document["servers"]] == [f"{client.server.url}{PREFIX}"]


async def test_no_token_no_security(admin: Described) -> None:
    assert "security" not in admin.document
    assert not any("401" in operation["responses"] for operation in operations(admin.document).values())


async def test_where_a_token_is_demanded_it_says_so_but_for_the_probes(start: Start) -> None:
    client = await start(admin_token="secret")
    headers = {"Authorization": "Bearer secret"}
    document = (await client.request("GET", f"{PREFIX}/openapi.json", headers=headers)).json

    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for (_, path), operation in operations(document).items():
        assert operation.get("security") == ([] if path in ("/livez", "/readyz", "/health") else None)


async def test_nothing_is_worked_out_before_somebody_asks(client: Client) -> None:
    route = next(route for route in table(client) if route.path == "/openapi.json")

    assert "_document" not in vars(route.handler.__self__)  # type: ignore[attr-defined]


# What is answered


async def test_every_answer_of_a_working_day_is_as_described(client: Client, admin: Described, inbox: Inbox) -> None:
    for path in ("/livez", "/readyz", "/health", "/metrics", "/openapi.json", "/api/plans", "/api/resources"):
        await admin("GET", path)
    for path in ("/api/operations", "/api/errors", "/api/errors?cloud=kingsoft&list=callback", "/api/accounts"):
        await admin("GET", path)
    made = {"name": "other", "kingsoft": {"keys": [{"access_key": "K2"}]}, "clock": {"mode": "scaled", "speed": 60}}
    await admin("POST", "/api/accounts", made)
    await admin("GET", "/api/accounts/other/clouds/kingsoft")
    await admin("PATCH", "/api/accounts/other/clouds/kingsoft", {"concurrency": 2, "dialect": "real-2020"})
    await admin("PATCH", "/api/accounts/other/clouds/kingsoft", {"world": {"buckets": {}}})
    await admin("GET", "/api/accounts/other/clouds/baidu")
    await admin("PATCH", "/api/accounts/other/clouds/baidu", {"limits": {"qps": 2}, "era": "2018"})
    rule = {"when": {"operation": WAVED}, "times": {"first": 1}, "then": {"error": 1005, "latency": "1ms"}}
    await admin("POST", "/api/rules/check", rule)
    await admin("POST", "/api/rules/reload")
    shared = (await admin("POST", "/api/rules", {"then": {"responses": "random"}})).json["id"]
    await admin("GET", "/api/rules")
    await admin("GET", f"/api/rules/{shared}")
    await admin("POST", f"{ONE}/rules", rule)
    storm = {"name": "storm", "priority": 3, "when": {"operation": "kingsoft.*Task"}, "then": {"plan": "storm"}}
    own = (await admin("POST", f"{ONE}/rules", storm)).json["id"]
    await admin("PUT", f"{ONE}/rules/{own}", storm)
    await admin("GET", f"{ONE}/rules")
    await admin("GET", f"{ONE}/rules/{own}")
    await admin("PUT", f"{ONE}/rules/{own}", storm)
    await client.kingsoft("CreateWaveTask", WAVE)
    task = await wave(client, CbUrl=inbox.url)
    failing = await wave(client, CbUrl="http://127.0.0.1:1/")
    await client.kingsoft("CreateTask", TRANSCODE)
    await client.kingsoft("NoSuchAction")
    await client.recognise(await client.token(), templateSign="x", image="AAAA")
    await admin("GET", f"{ONE}/clock")
    await admin("POST", f"{ONE}/explain", {"request": 1})
    await admin("POST", f"{ONE}/explain", {"request": {"path": "/?Action=CreateTask&Version=2017-01-01", "json": {}}})
    await admin("POST", f"{ONE}/tasks/{failing}/force", {"outcome": {"fail": 2001}})
    for body in ({"seconds": 5}, {"until": "next"}, {"until": "idle"}):
        await admin("POST", f"{ONE}/clock/advance", body)
    await admin("GET", f"{ONE}/tasks")
    await admin("GET", f"{ONE}/tasks/{task}")
    rows = (await admin("GET", f"{ONE}/deliveries")).json["deliveries"]
    assert any(row["chaos"] for row in rows)
    assert {row["status"] for row in rows} == {"delivered", "failed"}
    await admin("GET", f"{ONE}/deliveries/1")
    await admin("POST", f"{ONE}/deliveries/1/resend", {"body": "again"})
    await admin("GET", f"{ONE}/requests")
    await admin("GET", f"{ONE}/requests/1")
    await admin("GET", f"{ONE}/requests?wait=1ms&count=100")
    await admin("GET", f"{ONE}/requests/1/body")
    await admin("GET", f"/api/operations/{WAVED}")
    await admin("POST", f"{ONE}/sign", {"operation": WAVED, "parameters": WAVE})
    for path in ("requests", "deliveries", "tasks", "search?q=wave"):
        await admin("GET", f"{ONE}/flow/{path}")
    await admin("GET", f"{ONE}/journal.har")
    await admin("POST", f"{ONE}/verify", {"unexpected": {"refused": False, "unmatched": False, "undelivered": False}})
    await admin("POST", f"{ONE}/verify", {"requests": [{"operation": WAVED, "times": 50}]})
    saved = (await admin("GET", f"{ONE}/snapshot")).json
    await admin("PUT", "/api/accounts/restored/snapshot", saved)
    await admin("PUT", f"{ONE}/clock", {"mode": "real"})
    await admin("DELETE", f"/api/rules/{shared}")
    await admin("DELETE", "/api/rules")
    await admin("DELETE", f"{ONE}/rules/{own}")
    await admin("DELETE", f"{ONE}/rules")
    await admin("POST", f"{ONE}/reset")
    await admin("GET", ONE)
    await admin("DELETE", ONE)

    missed = {
        (operation["operationId"], int(status))
        for operation in operations(admin.document).values()
        for status in operation["responses"]
        if int(status) < 400 and operation["tags"][0] not in ELSEWHERE
    } - admin.seen
    assert missed == set()


async def test_the_certificate_is_as_described(start: Start, tmp_path: Path) -> None:
    admin = await Described.of(await start(ca_dir=str(tmp_path)))

    assert (await admin("GET", "/ca.pem")).body.startswith(b"-----BEGIN CERTIFICATE-----")


async def test_the_events_are_as_described(client: Client, admin: Described) -> None:
    await wave(client)
    described = admin.document["paths"]["/api/accounts/{account}/events"]["get"]["responses"]["200"]

    url = f"{client.server.url}{PREFIX}{ONE}/events"
    async with client._session.get(url, headers={"Last-Event-ID": "0"}) as answer:
        first = await answer.content.readuntil(b"\n\n")

    assert answer.status == 200
    assert answer.content_type in described["content"]
    assert first.startswith(b"retry: ")


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/api/accounts/nobody", {}, 404),
        ("GET", f"{ONE}/tasks/nothing", {}, 404),
        ("GET", f"{ONE}/deliveries/1", {}, 404),
        ("GET", f"{ONE}/clouds/nowhere", {}, 404),
        ("DELETE", "/api/rules/nothing", {}, 404),
        ("POST", f"{ONE}/explain", {"json": {"request": 99}}, 404),
        ("GET", f"{ONE}/tasks?colour=red", {}, 400),
        ("GET", f"{ONE}/requests?limit=all", {}, 400),
        ("GET", f"{ONE}/events?kind=none", {}, 400),
        ("POST", "/api/accounts", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/api/accounts", {"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("DELETE", "/api/accounts/default", {}, 409),
        ("POST", "/api/accounts/default/clock/advance", {"json": {"seconds": 1}}, 409),
        ("POST", "/api/accounts", {"json": {"nmae": "x"}}, 422),
        ("POST", f"{ONE}/rules", {"json": {"then": {"error": 31337}, "when": {"operation": WAVED}}}, 422),
        ("PUT", f"{ONE}/snapshot", {"json": {"emulator_snapshot": 2}}, 422),
        ("POST", f"{ONE}/verify", {"json": {"requests": 1}}, 422),
        ("GET", "/health", {"headers": {"Host": "evil.example"}}, 403),
        ("GET", "/api/accounts", {"headers": {"Origin": "http://evil.example"}}, 403),
    ],
)
async def test_a_refusal_is_as_described(
    admin: Described, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answered = await admin(method, path, **options)

    assert answered.status == status
    assert answered.headers["Content-Type"] == "application/problem+json"


async def test_a_body_of_more_than_a_mebibyte_is_refused_as_described(admin: Described) -> None:
    body = io.BytesIO(b" " * (2**20 + 1))

    answered = await admin("POST", "/api/accounts", data=body, headers={"Content-Type": "application/json"})

    assert answered.status == 413


async def test_a_whole_number_may_be_written_with_a_point(client: Client, admin: Described) -> None:
    then = {"reply": {"status": 200.0, "body": {}, "unchecked": True}, "fault": 502.0}
    rule = {"when": {"operation": WAVED}, "priority": 1.0, "times": {"first": 1.0}, "then": then}

    assert (await admin("POST", f"{ONE}/rules", rule)).status == 201
    assert (await client.kingsoft("CreateWaveTask", WAVE)).status == 502
    assert (await admin("GET", f"{ONE}/requests")).json["count"] == 1


async def test_a_missing_token_is_refused_as_described(start: Start) -> None:
    client = await start(admin_token="secret")
    headers = {"Authorization": "Bearer secret"}
    admin = Described(client, (await client.request("GET", f"{PREFIX}/openapi.json", headers=headers)).json)

    for given in ({}, {"Authorization": "Bearer wrong"}):
        assert (await admin("GET", "/api/accounts", headers=given)).status == 401


async def test_a_method_that_there_is_not_is_refused_with_those_that_there_are(client: Client) -> None:
    answered = await client.request("PUT", f"{PREFIX}/api/accounts")

    assert answered.status == 405
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert (
        set(answered.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"} or answered.headers["Allow"] == "GET,POST"
    )
