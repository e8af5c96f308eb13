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

from tests.support.baidu_calls import FINANCE
from tests.support.baidu_files import pdf
from tests.support.client import RECOGNISE, TRAIN_TICKET
from tests.support.pictures import picture
from tests.support.remote import Remote

TICKET = json.loads((Path(__file__).parents[1] / "data" / "baidu-train-ticket.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def _pointed_here(monkeypatch: pytest.MonkeyPatch, remote: Remote) -> None:
    monkeypatch.setattr(AipBase, "_AipBase__accessTokenUrl", f"{remote.url}/oauth/2.0/token")
    monkeypatch.setattr(AipOcr, "_AipOcr__customUrl", remote.url + RECOGNISE)
    monkeypatch.setattr(AipOcr, "_AipOcr__custom_financeUrl", remote.url + FINANCE)


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


def test_a_token_that_was_revoked_is_fetched_again_and_the_call_succeeds(ocr: Any, remote: Remote) -> None:
    ocr.custom(picture(), {"templateSign": TRAIN_TICKET})
    remote.admin("PATCH", "clouds/baidu", {"revoked": True})

    answer = ocr.custom(picture(), {"templateSign": TRAIN_TICKET})

    assert answer == TICKET
    assert [(entry["operation"], entry["code"]) for entry in remote.journal()][2:] == [
        ("baidu.iocr.recognise", 110),
        ("baidu.oauth.token", None),
        ("baidu.iocr.recognise", None),
    ]


def test_a_token_outlives_a_reset_of_its_account(ocr: Any, remote: Remote) -> None:
    ocr.custom(picture(), {"templateSign": TRAIN_TICKET})
    remote.admin("POST", "reset")

    assert ocr.custom(picture(), {"templateSign": TRAIN_TICKET}) == TICKET
    assert [entry["operation"] for entry in remote.journal()] == ["baidu.iocr.recognise"]


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


def test_custom_url_has_a_picture_recognised_by_its_address(ocr: Any) -> None:
    assert ocr.customUrl("http://127.0.0.1/ticket.png", {"templateSign": TRAIN_TICKET}) == TICKET


def test_custom_pdf_has_a_pdf_file_recognised(ocr: Any) -> None:
    assert ocr.customPdf(pdf((595, 842)), {"templateSign": TRAIN_TICKET, "pdf_file_num": "1"}) == TICKET


def test_custom_names_what_is_no_pdf_file_with_error_code_216201(ocr: Any) -> None:
    assert ocr.customPdf(picture(), {"templateSign": TRAIN_TICKET})["error_code"] == 216201


def test_custom_has_a_picture_classified(ocr: Any) -> None:
    answer = ocr.custom(picture(), {"classifierId": "10001"})

    assert (answer["error_code"], answer["data"]["scores"]) == (0, 0.95463621616364)


def test_custom_finance_reads_a_receipt(ocr: Any) -> None:
    answer = ocr.custom_finance(picture(), {"templateSign": "taxi_receipt"})

    assert (answer["error_code"], answer["data"]["templateSign"], answer["data"]["version"]) == (0, "taxi_receipt", 1)


def test_custom_finance_takes_a_sheet_apart(ocr: Any) -> None:
    answer = ocr.custom_finance(picture(), {"templateSign": "mixed_receipt"})

    assert [receipt["templateSign"] for receipt in answer["data"]["ret"]][:2] == ["quota_invoice", "taxi_receipt"]


def test_custom_finance_url_reads_a_receipt_by_its_address(ocr: Any) -> None:
    assert ocr.custom_financeUrl("http://127.0.0.1/a.png", {"templateSign": "taxi_receipt"})["error_code"] == 0


def test_custom_finance_pdf_reads_a_pdf_file(ocr: Any) -> None:
    assert ocr.custom_financePdf(pdf((595, 842)), {"templateSign": "vat_invoice_v2"})["error_code"] == 0


def test_custom_finance_hands_a_detector_on_which_is_refused_as_in_2019(ocr: Any) -> None:
    assert ocr.custom_finance(picture(), {"detectorId": "0"})["error_code"] == 282004


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("call", ["custom", "custom_finance"])
def test_without_the_scope_that_it_looks_for_it_signs_rightly_and_succeeds(remote: Remote, call: str) -> None:
    remote.admin("PATCH", "clouds/baidu", {"scope": ["public", "brain_solution_iocr"]})
    with vendors_client(remote, remote.secret) as ocr:
        answer = getattr(ocr, call)(picture(), {"templateSign": "taxi_receipt"})

    assert answer["error_code"] == 0
    (entry,) = [found for found in remote.journal() if found["operation"] != "baidu.oauth.token"]
    assert ["authenticate", "the signature bce-auth-v1 is right"] in [list(line) for line in trace(remote, entry)]


def trace(remote: Remote, entry: Any) -> Any:
    """The steps of one request, as the journal shows them."""
    shown = remote.admin("GET", f"requests/{entry['number']}")
    return [(step["step"], step["found"]) if isinstance(step, dict) else step for step in shown["trace"]]
