"""A headless Chromium that looks at the console, and notes down what it complains about."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.client import Client

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--force-prefers-reduced-motion",
)
AXE = Path(__file__).parents[1] / "console" / "node_modules" / "axe-core" / "axe.min.js"
NOTED = """
addEventListener('securitypolicyviolation', (event) =>
  console.error('content security policy: ' + event.violatedDirective + ' ' + event.blockedURI));
"""
SERIOUS = frozenset({"serious", "critical"})
PATIENCE = 20_000
"""Milliseconds that a condition may take on a busy machine."""


def chromium() -> str:
    """Where Chromium is; the test is skipped if it is nowhere."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium, or say with CHROMIUM where it is")
    return found


@asynccontextmanager
async def browsing() -> AsyncIterator[Any]:
    """A Chromium. Starting one takes longer than most tests."""
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    place = chromium()
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=place, args=FLAGS)
        yield browser
        await browser.close()


class Visitor:
    """Somebody who looks at the console, as an account.

    Attributes:
        page: the page in the browser.
        faults: what the browser complained about: errors, broken rules of the content security policy.

    """

    def __init__(self, page: Any, client: Client) -> None:
        self.page = page
        self.client = client
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type in ("error", "warning") else None)

    def address(self, view: str, *rest: object) -> str:
        """The address of a view of the account."""
        parts = "/".join(quote(str(part), safe="") for part in (self.client.name, view, *rest))
        return f"{self.client.server.url}/_emulator/#/{parts}"

    async def open(self, view: str, *rest: object) -> None:
        """Go to a view, and wait until it is live."""
        await self.page.goto(self.address(view, *rest))
        await self.page.wait_for_selector(".live[data-state=live]")

    def row(self, text: str) -> Any:
        """The rows of a list that have ``text``."""
        return self.page.locator(".virtual .row", has_text=text)

    def button(self, name: str) -> Any:
        """The button of that name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def found_by_axe(self, *rules: str) -> list[str]:
        """The serious faults of accessibility, by all rules or by those that are named."""
        if not AXE.is_file():
            pytest.skip("no axe-core: npm install --prefix tests/console")
        await self.page.evaluate(AXE.read_text("utf-8"))
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        report = await self.page.evaluate("(options) => axe.run(document, options)", options)
        return [
            f"{each['id']}: {json.dumps(each['nodes'][0]['target'])} and {len(each['nodes']) - 1} more, {each['help']}"
            for each in report["violations"]
            if each["impact"] in SERIOUS
        ]


@asynccontextmanager
async def looking(browser: Any, client: Client, **context: Any) -> AsyncIterator[Visitor]:
    """A visitor with a context of his own; ``context`` is what Playwright calls so: viewport, locale, color_scheme."""
    settings = {"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **context}
    opened = await browser.new_context(**settings)
    try:
        await opened.add_init_script(NOTED)
        yield Visitor(await opened.new_page(), client)
    finally:
        await opened.close()
