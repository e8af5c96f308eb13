"""The verdict on an account: whether what happened is what was expected."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from emulator.core.accounts import Account
from emulator.core.exchange import JsonObject
from emulator.core.tasks import seconds
from emulator.web.admin.filters import LONGEST_WAIT, WAIT
from emulator.web.admin.site import ONE, Refused, Route, Section, answer

if TYPE_CHECKING:
    from emulator.core.expectations import Expectations
    from emulator.core.verdict import Finding, Verdict

SETTLING = 1.0
"""Machine seconds that callbacks on their way have to arrive before a verdict says that they did not."""


class Verdicts(Section):
    """Expectations, held against an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route(
                "POST",
                ONE + "/verify",
                self.verify,
                {200: "Verdict", 406: "Disagreement"},
                (WAIT,),
                body="emulator/verify.json",
            )
        ]

    async def verify(self, request: web.BaseRequest) -> web.Response:
        """Whether all is as the body expects: 200, or 406 with what is not; ``?wait=`` gives it time to become so."""
        from emulator.core.expectations import Expectations

        account = self.account(request)
        document = await self.document(request, "emulator/verify.json")
        expected = Expectations.of(document, self.emulation.schemas, self.emulation.providers)
        verdict = await _verdict(account, expected, _patience(request))
        shown = {"ok": verdict.ok, "account": verdict.account, "findings": list(map(_show, verdict.findings))}
        if verdict.ok:
            return answer({**shown, "text": verdict.text})
        return _refusal(verdict, shown)


def _patience(request: web.BaseRequest) -> float:
    """Machine seconds that the request gives it.

    Raises:
        Refused: it says something else.

    """
    if unknown := next((name for name in request.query if name != "wait"), None):
        raise Refused(400, f"verify takes no {unknown!r}, only wait")
    text = request.query.get("wait", "0")
    try:
        wait = seconds(text if text[-1:].isalpha() else float(text))
    except ValueError:
        wait = -1.0
    if wait < 0:
        raise Refused(400, f"wait is {text!r}; write a duration: 500ms, 5s, 2m or a number of seconds")
    return min(LONGEST_WAIT, wait)


async def _verdict(account: Account, expected: Expectations, wait: float) -> Verdict:
    """The verdict, asked for again at every change as long as it is not ok and there is time."""
    from emulator.core.verdict import verify

    loop = asyncio.get_running_loop()
    began = loop.time()
    changed = asyncio.Event()
    sources = (account.journal.changes, account.ledger.changes)
    unsubscribe = [source.subscribe(changed.set) for source in sources]
    try:
        while True:
            asked = loop.time()
            verdict = verify(account, expected)
            took = loop.time() - asked
            left = max(wait, SETTLING if _is_sending(account) else 0.0) - (loop.time() - began)
            if verdict.ok or left <= 0:
                return verdict
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await changed.wait()
                    # A long journal that changes often is not looked through all the time.
                    await asyncio.sleep(min(0.25, 4 * took))
            changed.clear()
    finally:
        for end in unsubscribe:
            end()


def _is_sending(account: Account) -> bool:
    """Whether a callback is on its way, or waits for nothing but its turn to be sent."""
    return any(
        row.status == "sending" or (row.status == "pending" and row.next_attempt is None) for row in account.ledger
    )


def _show(finding: Finding) -> JsonObject:
    return {
        "check": finding.check,
        "ok": finding.ok,
        "expected": finding.expected,
        "found": finding.found,
        "nearest": list(finding.nearest),
        "requests": list(finding.requests),
        "callbacks": list(finding.callbacks),
    }


def _refusal(verdict: Verdict, shown: JsonObject) -> web.Response:
    """What is not as expected, as a problem document."""
    status = HTTPStatus.NOT_ACCEPTABLE
    said = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": verdict.text}
    body = orjson.dumps({**said, **shown}, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=status.value, body=body, content_type="application/problem+json")
