"""The files of the console: who gets them, and what they may do."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.client import Client, Start
from tests.support.process import ROOT, environment

STATIC = ROOT / "emulator" / "web" / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
LANGUAGES = ("en", "zh")
MADE = re.compile(r"\b(?:t|context\.t)\('([\w.]+)'")
LINE = re.compile(r"^  '([\w.]+)': '(.*)',$", re.M)


def texts(language: str) -> dict[str, str]:
    files = (STATIC / "i18n" / f"{part}{language}.js" for part in ("", "views-"))
    return {key: text for file in files for key, text in LINE.findall(file.read_text("utf-8"))}


async def test_the_console_is_at_the_root_of_the_admin_api(client: Client) -> None:
    page = await client.request("GET", "/_emulator/")

    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'<script type="module" src="static/app.js">' in page.body


async def test_without_its_slash_it_leads_there(client: Client) -> None:
    answer = await client.request("GET", "/_emulator", allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (308, "/_emulator/")


async def test_every_script_is_served_as_one(client: Client) -> None:
    for file in SCRIPTS:
        answer = await client.request("GET", f"/_emulator/static/{file.relative_to(STATIC).as_posix()}")

        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.body == file.read_bytes()


async def test_a_page_may_load_and_call_nothing_but_the_emulator(client: Client) -> None:
    policy = (await client.request("GET", "/_emulator/")).headers["Content-Security-Policy"]

    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


async def test_what_a_browser_has_already_is_not_sent_again(client: Client) -> None:
    first = await client.request("GET", "/_emulator/static/app.css")
    again = await client.request("GET", "/_emulator/static/app.css", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status, again.body) == (304, b"")


async def test_nothing_else_is_served(client: Client) -> None:
    paths = ("none.js", "views", "..%2Fconsole.py", "%2E%2E/console.py", "app.py", "/etc/passwd", "views/%00.js", "")
    found = {path: (await client.request("GET", f"/_emulator/static/{path}")).status for path in paths}

    assert found == dict.fromkeys(paths, 404)


async def test_it_is_shown_without_the_token_that_the_api_demands(start: Start) -> None:
    client = await start(admin_token="secret", accounts="closed")

    assert (await client.request("GET", "/_emulator/")).status == 200
    assert (await client.request("GET", "/_emulator/static/app.js")).status == 200
    assert (await client.request("GET", "/_emulator/api/accounts")).status == 401


async def test_it_does_not_answer_to_the_name_of_a_stranger(client: Client) -> None:
    assert (await client.request("GET", "/_emulator/", headers={"Host": "evil.example"})).status == 403


async def test_it_cannot_be_changed(client: Client) -> None:
    assert (await client.request("POST", "/_emulator/", json={})).status == 405


def test_it_is_served_from_a_zip_too(tmp_path: Path) -> None:
    place = tmp_path / "emulator.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for file in (ROOT / "emulator").rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(ROOT))
    program = (
        "from types import SimpleNamespace as Request\n"
        "from emulator.web import console\n"
        "print(console.__file__, console._sent(Request(headers={}), 'views/flow.js').status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(place),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == [str(place / "emulator" / "web" / "console.py"), "200"], done.stderr


# What it is made of


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.relative_to(STATIC).as_posix())
def test_no_script_makes_markup_of_text(file: Path) -> None:
    words = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setHTML")

    assert [word for word in words if word in file.read_text("utf-8")] == []


def test_nothing_is_asked_of_another_place() -> None:
    names = [*SCRIPTS, *STATIC.rglob("*.css"), *STATIC.rglob("*.html")]
    found = {url for file in names for url in re.findall(r"https?://[\w.-]+", file.read_text("utf-8"))}

    assert {url for url in found if "w3.org" not in url and "emulator" not in url and "127.0.0.1" not in url} == set()


def test_whatever_is_said_is_said_in_both_languages() -> None:
    english, chinese = map(texts, LANGUAGES)

    assert english.keys() == chinese.keys()
    assert all(english.values())
    assert all(chinese.values())


def test_both_languages_say_the_same_values() -> None:
    english, chinese = map(texts, LANGUAGES)

    def values(text: str) -> list[str]:
        return sorted(re.findall(r"{\w+}", text))

    assert [key for key in english if values(english[key]) != values(chinese[key])] == []


def test_whatever_a_view_says_is_in_the_tables() -> None:
    said = {key for file in SCRIPTS for key in MADE.findall(file.read_text("utf-8"))}

    assert said - texts("en").keys() == set()
