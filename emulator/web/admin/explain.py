"""Why a request was answered as it was, or what would become of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import CIMultiDict

from emulator.core.documents import write_json
from emulator.core.exchange import JsonObject, RawRequest
from emulator.core.explain import Explanation, foresee, recall
from emulator.web.admin.site import ONE, Refused, Route, Section, answer


class Explain(Section):
    """Explanations."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [Route("POST", ONE + "/explain", self.explain, {200: "Explanation"}, body="emulator/explain.json")]

    async def explain(self, request: web.BaseRequest) -> web.Response:
        """Explain a request of the journal, by its number, or one that was never made. Changes nothing."""
        account = self.account(request)
        wanted = (await self.document(request, "emulator/explain.json"))["request"]
        if isinstance(wanted, dict):
            raw = _raw(wanted, self.emulation.machine.wall())
            return answer(_shown(foresee(self.emulation.pipeline, self.emulation.accounts, raw, account)))
        entry = next((entry for entry in account.journal.requests if entry.number == wanted), None)
        if entry is None:
            raise Refused(404, f"no request {wanted} in the journal of {account.name}; it may have been forgotten")
        return answer(_shown(recall(entry, account)))


def _raw(document: JsonObject, now: float) -> RawRequest:
    """The request that ``document`` (``schemas/emulator/explain.json``) describes."""
    headers = CIMultiDict(document.get("headers", {}))
    body = str(document.get("body", "")).encode()
    if "json" in document:
        body = write_json(document["json"])
        headers.setdefault("Content-Type", "application/json")
    path, _, query = str(document.get("path", "/")).partition("?")
    if "query" in document:
        query = "&".join(filter(None, (query, _query(document["query"]))))
    method = str(document.get("method", "POST" if body else "GET")).upper()
    host = str(document.get("host", headers.get("Host", "localhost"))).lower()
    name, _, port = host.rpartition(":")
    host = name if port.isdigit() else host
    return RawRequest(method, path, query, headers, body, body, host, "127.0.0.1", now)


def _query(query: Any) -> str:
    return query.removeprefix("?") if isinstance(query, str) else urlencode(query, doseq=True)


def _shown(found: Explanation) -> JsonObject:
    return {
        "request": found.number or None,
        "account": found.account,
        "operation": found.operation,
        "trace": [{"step": step, "found": said} for step, said in found.trace],
        "rules": [{"id": rule.id, "stage": rule.stage, "acts": rule.acts, "found": rule.found} for rule in found.rules],
        "effects": found.effects,
        "outcome": found.outcome,
        "text": str(found),
    }
