"""The finance edition: several receipts on one sheet, the detector of 2019, its own refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.baidu_calls import FINANCE, answer, ask, fixture, sha, stocked
from tests.support.clouds import data, emulation
from tests.support.pictures import encoded

IMAGE = encoded()
MIXED = {"templateSign": "mixed_receipt", "image": IMAGE}


def _found(form: dict[str, str], **settings: Any) -> Any:
    return answer(emulation(**{"auth": "off", **settings}), form, FINANCE)


def test_a_sheet_is_taken_apart_into_receipts() -> None:
    found = _found(MIXED)["data"]

    assert found["templateSign"] == "mixed_receipt"
    assert [receipt["templateSign"] for receipt in found["ret"]] == [
        "quota_invoice",
        "taxi_receipt",
        "train_ticket",
        "toll_invoice",
    ]
    assert list(found["ret"][0]) == ["ret", "templateSign", "scores", "isStructured"]
    assert list(found["ret"][0]["ret"][0]) == ["word_name", "word"]


def test_each_receipt_of_a_sheet_is_less_than_sure() -> None:
    assert all(0.9 <= receipt["scores"] < 1 for receipt in _found(MIXED)["data"]["ret"])


def test_a_drawn_sheet_is_the_same_for_the_same_picture() -> None:
    assert _found(MIXED, responses="random") == _found(MIXED, responses="random")


def test_a_drawn_sheet_has_one_to_four_receipts() -> None:
    counts = {
        len(_found({**MIXED, "image": encoded(30 + side, 30)}, responses="random")["data"]["ret"]) for side in range(30)
    }

    assert counts == {1, 2, 3, 4}


def test_an_answer_with_several_receipts_fits_its_schema() -> None:
    assert data()[0].get("baidu/iocr.finance.response.json").is_valid(_found(MIXED))


def test_the_receipts_on_a_known_sheet_are_those_of_its_fixture(tmp_path: Path) -> None:
    receipts = [
        {"template": "taxi_receipt", "words": {"Fare": "12.00"}, "scores": 0.9},
        {"template": "taxi_receipt", "words": {"Fare": "13.00"}},
    ]
    fixture(tmp_path, "pictures/sheet.json", sha256=sha(IMAGE), receipts=receipts)
    found = answer(stocked(tmp_path), MIXED, FINANCE)["data"]["ret"]

    fares = [element["word"] for receipt in found for element in receipt["ret"] if element["word_name"] == "Fare"]
    assert (fares, found[0]["scores"]) == (["12.00", "13.00"], 0.9)


def test_a_known_picture_of_one_receipt_is_a_sheet_of_one(tmp_path: Path) -> None:
    fixture(tmp_path, "pictures/one.json", sha256=sha(IMAGE), template="taxi_receipt", words={"Fare": "12.00"})
    (receipt,) = answer(stocked(tmp_path), MIXED, FINANCE)["data"]["ret"]

    assert receipt["templateSign"] == "taxi_receipt"


@pytest.mark.parametrize("said", [{"receipts": []}, {"lines": ["x"]}])
def test_a_sheet_without_a_receipt_is_refused_with_272003(tmp_path: Path, said: Any) -> None:
    fixture(tmp_path, "pictures/empty.json", sha256=sha(IMAGE), **said)
    found = answer(stocked(tmp_path), MIXED, FINANCE)

    assert (found["error_code"], found["error_msg"]) == (272003, "unsuccessfully detected receipt")


def test_a_detector_alone_is_refused_as_in_2019() -> None:
    outcome = ask(emulation(auth="off"), {"detectorId": "0", "image": IMAGE}, FINANCE)
    found = json.loads(outcome.reply.body)

    assert list(found) == ["error_msg", "data", "error_code"]
    assert (found["error_code"], found["error_msg"]) == (
        282004,
        "invalid param, modelId is not number,please check your param",
    )
    assert found["data"]["isStructured"] is False


def test_the_detector_takes_a_sheet_apart_in_the_era_in_which_it_was_documented() -> None:
    found = _found({"detectorId": "0", "image": IMAGE}, iocr_era="2018")

    assert len(found["data"]["ret"]) == 4
    assert "templateSign" not in found["data"]


def test_the_detector_goes_before_a_classifier_and_behind_a_template() -> None:
    form = {"detectorId": "0", "classifierId": "10001", "image": IMAGE}

    assert len(_found(form, iocr_era="2018")["data"]["ret"]) == 4
    single = _found({**form, "templateSign": "taxi_receipt"}, iocr_era="2018")
    assert single["data"]["templateSign"] == "taxi_receipt"


@pytest.mark.parametrize("form", [{}, {"classifierId": "x"}, {"classifierId": ""}, {"image": IMAGE}])
def test_without_a_template_and_a_usable_classifier_it_is_refused_with_216100(form: dict[str, str]) -> None:
    found = _found(form)

    assert found == {"error_code": 216100, "error_msg": "invalid param, classifierId is not number"}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 216101),
        ({"image": ""}, 216200),
        ({"image": "!"}, 216201),
        ({"image": encoded(14, 14)}, 216202),
        ({"pdf_file": ""}, 216200),
        ({"pdf_file": IMAGE}, 216201),
        ({"url": "x" * 1025}, 282114),
        ({"url": ""}, 282114),
        ({"url": "ftp://cup.test/a.png"}, 282111),
    ],
)
def test_pictures_are_checked_as_by_the_general_edition(form: dict[str, str], code: int) -> None:
    assert _found({"templateSign": "taxi_receipt", **form})["error_code"] == code


def test_a_custom_template_is_answered_with_short_elements_too() -> None:
    found = _found({"templateSign": "1c65a67f151df56ba4e29c4dddace5ee", "image": IMAGE})

    assert found["data"]["ret"][0] == {"word_name": "终点站", "word": "天津"}
