"""The picture behind a url: what was fetched becomes the vendor's codes, and where may be fetched from."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web

from emulator.core.fetching import Fetched, Wish, Wishing
from tests.support.baidu_calls import FINANCE, FORM, answer, ask, fixture, stocked, words
from tests.support.client import RECOGNISE, TRAIN_TICKET, Answered, Client, Start
from tests.support.clouds import emulation, raw
from tests.support.pictures import encoded, picture

URL = "http://cup.test/ticket.png"
ASKED = {"templateSign": TRAIN_TICKET, "url": URL}


# Not fetched: the default


def test_a_url_that_is_not_fetched_is_answered_like_any_picture() -> None:
    assert words(answer(emulation(auth="off"), ASKED))["终点站"] == "天津"


def test_a_url_that_is_not_fetched_gives_an_answer_of_its_own_when_answers_are_random() -> None:
    cloud = emulation(auth="off", responses="random")
    first, again, other = (
        answer(cloud, {**ASKED, "url": url})["data"]["ret"] for url in (URL, URL, URL.replace("ticket", "other"))
    )

    assert first == again != other


def test_a_picture_can_be_known_by_its_url(tmp_path: Path) -> None:
    fixture(tmp_path, "pictures/mine.json", url=URL, template="train_ticket", words={"train_num": "G1"})

    assert words(answer(stocked(tmp_path), {**ASKED, "templateSign": "train_ticket"}))["train_num"] == "G1"


@pytest.mark.parametrize(
    ("url", "code", "text"),
    [
        ("", 282114, "url size error"),
        ("http://cup.test/" + "x" * 1009, 282114, "url size error"),
        ("http://cup.test/" + "票" * 337, 282114, "url size error"),
        ("cup.test/a.png", 282111, "url format illegal"),
        ("ftp://cup.test/a.png", 282111, "url format illegal"),
        ("http://", 282111, "url format illegal"),
        ("http:///a.png", 282111, "url format illegal"),
        ("http://cup.test/a b.png", 282111, "url format illegal"),
        ("http://cup.test:x/a.png", 282111, "url format illegal"),
        ("http://[::1/a.png", 282111, "url format illegal"),
    ],
)
def test_what_is_no_url_is_refused_whether_it_would_be_fetched_or_not(url: str, code: int, text: str) -> None:
    found = answer(emulation(auth="off"), {**ASKED, "url": url})

    assert (found["error_code"], found["error_msg"]) == (code, text)
    assert found["data"]["isStructured"] is False


@pytest.mark.parametrize(
    "url", ["http://cup.test/" + "x" * 1008, "HTTPS://CUP.test:443/票.png?a=b#c", "http://[::1]/a"]
)
def test_a_url_up_to_a_kilobyte_is_taken(url: str) -> None:
    assert answer(emulation(auth="off"), {**ASKED, "url": url})["error_code"] == 0


# What was fetched


def _given(fetched: Fetched) -> Any:
    return answer(emulation(auth="off", url_fetch="policy"), ASKED, fetched=fetched)


@pytest.mark.parametrize(
    ("fetched", "code", "text"),
    [
        pytest.param(Fetched(None, b"", "unreachable", "refused"), 282110, "urls not exit", id="nobody"),
        pytest.param(Fetched(404, b"gone"), 282110, "urls not exit", id="gone"),
        pytest.param(Fetched(None, b"", "slow", "slow"), 282112, "url download timeout", id="slow"),
        pytest.param(Fetched(200, b"", "too large", "large"), 282112, "url download timeout", id="large"),
        pytest.param(Fetched(403, b"no"), 282112, "url download timeout", id="protected against hot links"),
        pytest.param(Fetched(302, b""), 282113, "url response invalid", id="elsewhere"),
        pytest.param(Fetched(500, b"oops"), 282113, "url response invalid", id="broken server"),
        pytest.param(Fetched(200, b""), 282113, "url response invalid", id="empty"),
        pytest.param(Fetched(200, b"<html>"), 282113, "url response invalid", id="a page"),
        pytest.param(Fetched(200, picture()[:60]), 216201, "image format error", id="half a picture"),
        pytest.param(Fetched(200, picture(10, 10)), 216202, "image size error", id="a tiny picture"),
    ],
)
def test_what_is_behind_a_url_decides_the_code(fetched: Fetched, code: int, text: str) -> None:
    found = _given(fetched)

    assert (found["error_code"], found["error_msg"]) == (code, text)


def test_the_picture_behind_a_url_is_read_like_one_that_was_sent() -> None:
    cloud = emulation(auth="off", url_fetch="policy", responses="random")
    fetched = answer(cloud, ASKED, fetched=Fetched(200, picture()))
    sent = answer(cloud, {"templateSign": TRAIN_TICKET, "image": encoded()})

    assert fetched["data"]["ret"] == sent["data"]["ret"]


# What is to be fetched


def _wish(form: dict[str, str], path: str = RECOGNISE, query: str = "") -> Wish | None:
    provider = emulation(url_fetch="policy").providers["baidu"]
    assert isinstance(provider, Wishing)
    return provider.wants(raw(path=path, query=query, body=urlencode(form).encode(), kind=FORM))


@pytest.mark.parametrize("path", [RECOGNISE, FINANCE])
def test_the_picture_behind_a_url_is_wanted_up_to_4m_in_base64(path: str) -> None:
    assert _wish(ASKED, path) == Wish(URL, 3 * 2**20)


@pytest.mark.parametrize(
    ("form", "path"),
    [
        pytest.param({**ASKED, "image": "x"}, RECOGNISE, id="there is an image"),
        pytest.param({**ASKED, "image": ""}, RECOGNISE, id="there is an empty image"),
        pytest.param({"templateSign": "x"}, RECOGNISE, id="there is no url"),
        pytest.param({"url": "x" * 2000}, RECOGNISE, id="the url is refused anyway"),
        pytest.param(ASKED, "/oauth/2.0/token", id="another operation"),
        pytest.param(ASKED, "/rest/2.0/nothing", id="no operation"),
    ],
)
def test_nothing_is_fetched_that_is_not_needed(form: dict[str, str], path: str) -> None:
    assert _wish(form, path) is None


# Over a real server of pictures


async def _whole(request: web.Request) -> web.StreamResponse:
    return web.Response(body=picture(), content_type="image/png")


async def _page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>not found</html>", content_type="text/html")


async def _large(request: web.Request) -> web.StreamResponse:
    return web.Response(body=picture() + bytes(3 * 2**20))


async def _hanging(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def _elsewhere(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/whole"})


async def _protected(request: web.Request) -> web.StreamResponse:
    return web.Response(status=403)


@pytest.fixture(name="pictures")
async def _pictures() -> AsyncIterator[str]:
    """A server of pictures; some are not what they should be."""
    application = web.Application()
    for handler in (_whole, _page, _large, _hanging, _elsewhere, _protected):
        application.router.add_get(f"/{handler.__name__.removeprefix('_')}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture(name="link")
async def _link(start: Start) -> Callable[[str], Awaitable[Answered]]:
    """Has the picture behind a url recognised."""
    client: Client = await start(url_fetch="policy", url_timeout=0.2)
    token = await client.token()

    async def link(url: str) -> Answered:
        return await client.recognise(token, templateSign=TRAIN_TICKET, url=url)

    return link


Link = Callable[[str], Awaitable[Answered]]


async def test_a_picture_is_fetched_from_a_server_on_this_machine(link: Link, pictures: str) -> None:
    assert (await link(f"{pictures}/whole")).json["error_code"] == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("gone", 282110),
        ("hanging", 282112),
        ("large", 282112),
        ("protected", 282112),
        ("page", 282113),
        ("elsewhere", 282113),
    ],
)
async def test_a_server_of_pictures_that_does_not_deliver_leads_to_the_vendors_code(
    link: Link, pictures: str, name: str, code: int
) -> None:
    assert (await link(f"{pictures}/{name}")).json["error_code"] == code


async def test_a_server_that_is_not_there_leads_to_282110(link: Link) -> None:
    found = await link("http://127.0.0.1:1/a.png")

    assert (found.json["error_code"], found.reason) == (
        282110,
        "connection refused: no server of pictures listens there",
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://8.8.8.8/a.png", "8.8.8.8 is 8.8.8.8, a public address; allow it with --callback-allow 8.8.8.8"),
        ("http://169.254.169.254/latest/meta-data", "which is never called"),
    ],
)
async def test_nothing_is_fetched_from_where_callbacks_may_not_go(link: Link, url: str, reason: str) -> None:
    found = await link(url)

    assert found.json["error_code"] == 282110
    assert reason in found.reason


async def test_nothing_is_fetched_by_default(start: Start) -> None:
    client = await start()
    found = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, url="http://127.0.0.1:1/a.png")

    assert found.json["error_code"] == 0


async def test_a_fetched_picture_is_known_by_its_hash(start: Start, pictures: str, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(picture()).hexdigest()
    fixture(tmp_path, "pictures/mine.json", sha256=sha256, template="train_ticket", words={"train_num": "G1"})
    client = await start(url_fetch="policy", fixtures=(str(tmp_path),))
    found = await client.recognise(await client.token(), templateSign="train_ticket", url=f"{pictures}/whole")

    assert words(found.json)["train_num"] == "G1"


async def test_revoking_tokens_over_the_admin_api_makes_them_fail_with_110(start: Start) -> None:
    client = await start()
    token = await client.token()
    made = await client.admin("PATCH", "clouds/baidu", {"revoked": True})
    found = await client.recognise(token, templateSign=TRAIN_TICKET, image=encoded())

    assert (made.json["revoked"], found.json["error_code"]) == (True, 110)


def test_a_form_that_is_asked_without_the_edge_says_that_nothing_was_fetched() -> None:
    outcome = ask(emulation(auth="off", url_fetch="policy"), ASKED)

    assert outcome.reason == "nothing was fetched for this request"
