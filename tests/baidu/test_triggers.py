"""Triggers in Baidu's requests: parts of ``templateSign``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulator.baidu.recognise import STAND_IN
from tests.support.baidu_calls import FINANCE, answer, ask, fixture, sha, stocked
from tests.support.client import RECOGNISE
from tests.support.clouds import emulation
from tests.support.pictures import encoded


def _answer(sign: str, path: str = RECOGNISE, **form: str) -> Any:
    return answer(emulation(auth="off"), {"templateSign": sign, "image": encoded(), **form}, path)


@pytest.mark.parametrize(
    "sign", ["vat_invoice_v2/emu-latency-3s", "emu-latency-3s/vat_invoice_v2", "emu-canned/vat_invoice_v2/emu-slow-1s"]
)
def test_what_remains_is_the_template(sign: str) -> None:
    assert _answer(sign) == _answer("vat_invoice_v2")


def test_with_nothing_remaining_a_shipped_template_stands_in() -> None:
    assert _answer("emu-canned") == _answer(STAND_IN)


def test_with_nothing_remaining_the_classifier_of_the_request_counts() -> None:
    cloud = emulation(auth="off")
    found = [
        answer(cloud, {"classifierId": "10001", "image": encoded(), **more})
        for more in ({}, {"templateSign": "emu-canned"})
    ]
    for one in found:
        del one["data"]["logId"]
        one.pop("log_id", None)

    assert found[0] == found[1]


def test_with_nothing_remaining_the_template_that_is_known_to_fit_counts(tmp_path: Path) -> None:
    fixture(tmp_path, "pictures/a.json", sha256=sha(encoded()), template="taxi_receipt", words={})
    found = answer(stocked(tmp_path), {"templateSign": "emu-canned", "image": encoded()})

    assert found["data"]["templateSign"] == "taxi_receipt"


@pytest.mark.parametrize("path", [RECOGNISE, FINANCE])
def test_the_request_can_be_refused(path: str) -> None:
    assert _answer("emu-error-272000", path)["error_code"] == 272000


@pytest.mark.parametrize("sign", ["train_ticket/emu-slow-3s", "emu-latency-3s"])
def test_the_answer_can_be_held_back(sign: str) -> None:
    outcome = ask(emulation(auth="off"), {"templateSign": sign, "image": encoded()})

    assert outcome.latency == 3


def test_the_answer_can_be_lost_on_its_way() -> None:
    outcome = ask(emulation(auth="off"), {"templateSign": "emu-fault-reset", "image": encoded()})

    assert outcome.fault is not None
    assert outcome.fault.kind == "reset"


def test_the_answer_can_be_drawn() -> None:
    assert _answer("train_ticket/emu-random") != _answer("train_ticket")


@pytest.mark.parametrize("path", [RECOGNISE, FINANCE])
@pytest.mark.parametrize("sign", ["emu-unstructured", "mixed_receipt/emu-unstructured"])
def test_a_picture_can_be_left_unstructured(sign: str, path: str) -> None:
    data = _answer(sign, path)["data"]

    assert data["isStructured"] is False
    assert data["ret"]
    assert all("word" in line and "word_name" not in line for line in data["ret"])


def test_an_unstructured_picture_has_the_words_of_its_template_as_lines() -> None:
    structured = _answer("train_ticket")["data"]["ret"]
    lines = _answer("train_ticket/emu-unstructured")["data"]["ret"]

    assert [line["word"] for line in lines] == [element["word"] for element in structured if element["word"]]


def test_an_unstructured_picture_has_its_own_lines_where_they_are_known(tmp_path: Path) -> None:
    fixture(tmp_path, "pictures/a.json", sha256=sha(encoded()), template="train_ticket", lines=["一", "二"])
    found = answer(stocked(tmp_path), {"templateSign": "train_ticket/emu-unstructured", "image": encoded()})

    assert [line["word"] for line in found["data"]["ret"]] == ["一", "二"]


@pytest.mark.parametrize("sign", ["emu-photos", "emu-fail-17", "train_ticket/emu-photos", "train_ticket/emu-hang"])
def test_other_words_belong_to_the_template(sign: str) -> None:
    outcome = ask(emulation(auth="off"), {"templateSign": sign, "image": encoded()})

    assert outcome.reason.startswith(f"there is no template {sign!r}")
    assert "emulator operations --triggers" in outcome.reason


@pytest.mark.parametrize("sign", ["emu-error-99999", "emu-latency-x"])
def test_a_value_that_makes_no_sense_is_refused_plainly(sign: str) -> None:
    outcome = ask(emulation(auth="off"), {"templateSign": sign, "image": encoded()})

    assert outcome.reply.status == 400
    assert outcome.reason.startswith(f"trigger {sign}: ")


@pytest.mark.parametrize("sign", ["train_ticket/emu-slow-3s", "emu-unstructured"])
def test_turned_off_they_belong_to_the_template(sign: str) -> None:
    outcome = ask(emulation(auth="off", triggers="off"), {"templateSign": sign, "image": encoded()})

    assert (outcome.latency, outcome.reason.startswith(f"there is no template {sign!r}")) == (0, True)


def test_a_template_of_another_account_stays_so(tmp_path: Path) -> None:
    page = {"width": 100, "height": 100}
    fields = [{"word_name": "a", "word": "b"}]
    fixture(tmp_path, "templates/mine.json", templateSign="mine", title="x", accounts=["ann"], page=page, fields=fields)
    found = answer(stocked(tmp_path), {"templateSign": "mine/emu-canned", "image": encoded()})

    assert found["error_code"] == 216110


def test_the_journal_has_the_request_as_it_was_sent() -> None:
    cloud = emulation(auth="off")
    ask(cloud, {"templateSign": "train_ticket/emu-slow-3s", "image": encoded()})
    (entry,) = cloud.accounts.default.journal.requests

    assert "templateSign=train_ticket%2Femu-slow-3s" in entry.request.content.decode()
