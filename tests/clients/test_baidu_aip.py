"""The package baidu-aip, unmodified: only the addresses that it has built in are pointed at the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aip import AipOcr
from aip.base import AipBase

from tests.support.client import RECOGNISE, TRAIN_TICKET
from tests.support.pictures import picture
from tests.support.remote import Remote

TICKET = json.loads((Path(__file__).parents[1] / "data" / "baidu-train-ticket.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def _pointed_here(monkeypatch: pytest.MonkeyPatch, remote: Remote) -> None:
    monkeypatch.setattr(AipBase, "_AipBase__accessTokenUrl", f"{remote.url}/oauth/2.0/token")
    monkeypatch.setattr(AipOcr, "_AipOcr__customUrl", remote.url + RECOGNISE)


@contextmanager
def vendors_client(remote: Remote, secret: str) -> Iterator[Any]:
    """The vendor's client. Its connections, which it has no way to close, are closed."""
    client = AipOcr("app", remote.name, secret)
    yield client
    client.s.close()


@pytest.fixture(name="ocr")
def _ocr(remote: Remote) -> Iterator[Any]:
    with vendors_client(remote, remote.secret) as client:
        yield client


def test_custom_reads_a_picture_by_a_template(ocr: Any) -> None:
    assert ocr.custom(picture(), {"templateSign": TRAIN_TICKET}) == TICKET


def test_custom_names_an_unknown_template_with_error_code_282004(ocr: Any) -> None:
    answer = ocr.custom(picture(), {"templateSign": "nobodys"})

    assert answer["error_code"] == 282004
    assert answer["error_msg"] == "invalid parameter, appId doesn't own this template nor not launch"


def test_custom_names_what_is_no_picture_with_error_code_216201(ocr: Any) -> None:
    answer = ocr.custom(b"not really a picture", {"templateSign": TRAIN_TICKET})

    assert answer == {"error_code": 216201, "error_msg": "image format error"}


def test_one_token_serves_many_calls(ocr: Any, remote: Remote) -> None:
    for _ in range(3):
        ocr.custom(picture(), {"templateSign": TRAIN_TICKET})

    assert [entry["operation"] for entry in remote.journal()] == [
        "baidu.oauth.token",
        "baidu.iocr.recognise",
        "baidu.iocr.recognise",
        "baidu.iocr.recognise",
    ]


def test_a_token_that_is_not_known_any_more_is_fetched_again_and_the_call_succeeds(ocr: Any, remote: Remote) -> None:
    ocr.custom(picture(), {"templateSign": TRAIN_TICKET})
    remote.admin("POST", "reset")

    answer = ocr.custom(picture(), {"templateSign": TRAIN_TICKET})

    assert answer == TICKET
    assert [(entry["operation"], entry["code"]) for entry in remote.journal()] == [
        ("baidu.oauth.token", None),
        ("baidu.iocr.recognise", None),
    ]


def test_a_refusal_with_code_110_makes_it_fetch_a_token_and_call_once_more(ocr: Any, remote: Remote) -> None:
    once = {"when": {"operation": "baidu.iocr.recognise"}, "times": {"first": 1}, "then": {"error": 110}}
    remote.admin("POST", "rules", once)

    assert ocr.custom(picture(), {"templateSign": TRAIN_TICKET}) == TICKET
    assert [(entry["operation"], entry["code"]) for entry in remote.journal()] == [
        ("baidu.oauth.token", None),
        ("baidu.iocr.recognise", 110),
        ("baidu.oauth.token", None),
        ("baidu.iocr.recognise", None),
    ]


def test_a_refusal_with_code_111_is_handed_to_the_caller(ocr: Any, remote: Remote) -> None:
    ocr.custom(picture(), {"templateSign": TRAIN_TICKET})
    remote.advance("31d")

    answer = ocr.custom(picture(), {"templateSign": TRAIN_TICKET})

    assert answer == {"error_code": 111, "error_msg": "Access token expired"}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_with_a_wrong_secret_it_signs_instead_and_is_refused_with_code_14(remote: Remote) -> None:
    with vendors_client(remote, "wrong") as ocr:
        answer = ocr.custom(picture(), {"templateSign": TRAIN_TICKET})

    assert answer["error_code"] == 14
    assert answer["error_msg"] == "IAM Certification failed"
