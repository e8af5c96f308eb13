"""Requests to the admin API that are made up from its description, and their answers held against it."""

from __future__ import annotations

import re
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from tests.support.client import WAVE

NOBODY = "http://127.0.0.1:1/"
"""Where nobody listens."""
HELD = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]


class Used:
    """A running emulator with an account, for each operation, in which something happened.

    Attributes:
        schema: its admin API, as described.
        session: its connections.

    """

    def __init__(self, url: str) -> None:
        self.session = requests.Session()
        self.schema = schemathesis.openapi.from_dict(
            self._ask("GET", f"{url}/_emulator/openapi.json"), config=SchemathesisConfig()
        )
        self._url = url

    def _prepare(self, method: str, path: str) -> dict[str, Any]:
        """Make the account, unless it is there, a rule and tasks; what stands in the place of the names in ``path``."""
        api = f"{self._url}/_emulator/api"
        name = re.sub("[^A-Za-z]+", "-", f"{method}{path}").strip("-")
        clock = {"mode": "frozen", "now": 1_767_225_600}
        self.session.delete(f"{api}/rules")
        self.session.post(f"{api}/accounts", json={"name": name, "kingsoft": {"access_key": name}, "clock": clock})
        shared = path.startswith("/api/rules")
        rule = self._ask("POST", f"{api}/rules" if shared else f"{api}/accounts/{name}/rules", {"then": {"latency": 0}})
        called = (
            f"{self._url}/?Action=CreateWaveTask&Version=2017-01-01"
            f"&X-Amz-Credential={name}/20260101/cn-beijing-6/kvs/aws4_request"
        )
        task = self._ask("POST", called, {**WAVE, "CbUrl": NOBODY})["TaskID"]
        self._ask("POST", f"{api}/accounts/{name}/clock/advance", {"until": "next"})
        self._ask("POST", called, WAVE)
        known = {
            "account": name,
            "cloud": "kingsoft",
            "number": 1,
            "operation": "kingsoft.CreateWaveTask",
            "rule": rule["id"],
            "task": task,
        }
        return {part: known.get(part, "nothing") for part in re.findall(r"{(\w+)}", path)}

    def hold(self, method: str, path: str, examples: int) -> None:
        """Make up ``examples`` requests of each kind: right, right but for nothing that is there, and wrong."""
        operation = self.schema[path][method]
        real = self._prepare(method, path)
        ways = [operation.as_strategy(GenerationMode.POSITIVE, path_parameters=real or None)]
        if real:
            ways.append(operation.as_strategy(GenerationMode.POSITIVE))
        if operation.query or operation.body:
            ways.append(operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=real or None))

        @settings(
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=examples * len(ways),
            suppress_health_check=list(HealthCheck),
        )
        @given(st.one_of(ways))
        def hold(case: schemathesis.Case) -> None:
            if method == "DELETE" and case.path_parameters == real:
                case.path_parameters = self._prepare(method, path)
            self._hold(case)

        hold()

    def _ask(self, method: str, url: str, document: Any = None) -> Any:
        answered = self.session.request(method, url, json=document)
        assert answered.ok, answered.text
        return answered.json()

    def _hold(self, case: schemathesis.Case) -> None:
        """Make the request, and hold its answer against the description."""
        if isinstance(case.body, dict) and str(case.body.get("url")).lower().startswith("http"):
            case.body["url"] = NOBODY  # nothing leaves this machine
        answered = case.call(base_url=f"{self._url}/_emulator", session=self.session, timeout=30)
        case.validate_response(answered, checks=HELD)
