"""Which template is used: the named one, one that a classifier finds, one that a fixture knows for the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulator.core.emulation import Emulation
from tests.support.baidu_calls import answer, ask, fixture, sha, stocked, words
from tests.support.client import TRAIN_TICKET, Client
from tests.support.clouds import emulation
from tests.support.pictures import encoded, picture

IMAGE = encoded()
CLASSIFIED = {"classifierId": "7", "image": IMAGE}
NAMED = {"templateSign": "train_ticket", "image": IMAGE}


def _classifier(folder: Path, **more: Any) -> None:
    document = {"classifierId": "7", "title": "mine", "templates": ["train_ticket", "taxi_receipt"], **more}
    fixture(folder, "classifiers/7.json", **document)


def _classified(folder: Path, image: str = IMAGE, **settings: Any) -> Any:
    return answer(stocked(folder, **settings), {"classifierId": "7", "image": image})


def _sign(found: Any) -> str:
    sign: str = found["data"]["templateSign"]
    return sign


def test_a_named_template_goes_before_a_classifier_which_is_not_even_looked_at() -> None:
    form = {"templateSign": TRAIN_TICKET, "classifierId": "no number", "image": IMAGE}

    assert _sign(answer(emulation(auth="off"), form)) == TRAIN_TICKET


def test_an_empty_template_leaves_the_choice_to_the_classifier() -> None:
    found = answer(emulation(auth="off"), {"templateSign": "", "classifierId": "10001", "image": IMAGE})

    assert found["error_code"] == 0


@pytest.mark.parametrize("number", ["10001", " 10001 "])
def test_the_preset_classifier_finds_one_of_its_templates_and_is_not_quite_sure(number: str) -> None:
    found = answer(emulation(auth="off"), {"classifierId": number, "image": IMAGE})

    assert found["error_code"] == 0
    assert found["data"]["scores"] == 0.95463621616364


@pytest.mark.parametrize("number", ["0", "99", "10002"])
def test_an_unknown_classifier_is_refused_with_272004(number: str) -> None:
    outcome = ask(emulation(auth="off"), {"classifierId": number, "image": IMAGE})

    assert b'"error_code":272004' in outcome.reply.body
    assert f"baidu/classifiers/{number}.json adds it" in outcome.reason


def test_a_classifier_finds_the_same_class_for_the_same_picture_everywhere(tmp_path: Path) -> None:
    _classifier(tmp_path)

    assert _classified(tmp_path) == _classified(tmp_path)


def test_a_classifier_finds_different_classes_for_different_pictures(tmp_path: Path) -> None:
    _classifier(tmp_path)
    cloud = stocked(tmp_path)
    found = {_sign(answer(cloud, {"classifierId": "7", "image": encoded(20 + side, 20)})) for side in range(12)}

    assert found == {"train_ticket", "taxi_receipt"}


def test_a_classifier_is_less_than_sure(tmp_path: Path) -> None:
    _classifier(tmp_path)

    assert 0.85 <= _classified(tmp_path)["data"]["scores"] < 1


@pytest.mark.parametrize(("image", "sign"), [(encoded(300, 100), "taxi_receipt"), (encoded(100, 300), "train_ticket")])
def test_a_rule_of_a_classifier_can_go_by_the_shape_of_the_picture(tmp_path: Path, image: str, sign: str) -> None:
    wide = {"properties": {"width": {"minimum": 200}}}
    _classifier(tmp_path, choose=[{"when": wide, "template": "taxi_receipt"}], otherwise="train_ticket")

    assert _sign(_classified(tmp_path, image)) == sign


def test_a_rule_of_a_classifier_can_go_by_the_hash_of_the_picture(tmp_path: Path) -> None:
    mine = {"properties": {"sha256": {"const": sha(IMAGE)}}}
    _classifier(tmp_path, choose=[{"when": mine, "template": "taxi_receipt", "scores": 0.91}], otherwise="none")

    assert _classified(tmp_path)["data"]["scores"] == 0.91
    assert _classified(tmp_path, encoded(30, 30))["error_code"] == 272001


def test_a_picture_of_no_class_is_refused_with_272001(tmp_path: Path) -> None:
    _classifier(tmp_path, choose=[{"when": {}, "template": None}])

    assert (_classified(tmp_path)["error_code"], _classified(tmp_path)["error_msg"]) == (272001, "classify failed")


@pytest.mark.parametrize(
    ("errors", "code", "text"),
    [("classic", 272002, "structure failed"), ("newer", 282103, "failed to match the template")],
)
def test_a_class_whose_template_does_not_fit_is_refused_in_either_generations_words(
    tmp_path: Path, errors: str, code: int, text: str
) -> None:
    _classifier(tmp_path, choose=[{"when": {}, "template": "train_ticket", "matches": False}])
    found = _classified(tmp_path, iocr_errors=errors)

    assert (found["error_code"], found["error_msg"]) == (code, text)


@pytest.mark.parametrize("number", ["a", "1a", "-1", "1.0", "١"])
@pytest.mark.parametrize(
    ("errors", "code", "text"),
    [
        ("classic", 282004, "invalid param, modelId is not number,please check your param"),
        ("newer", 216100, "invalid param, classifierId is not number"),
    ],
)
def test_a_classifier_that_is_no_number_is_refused_in_either_generations_words(
    number: str, errors: str, code: int, text: str
) -> None:
    found = answer(emulation(auth="off", iocr_errors=errors), {"classifierId": number, "image": "!"})

    assert (found["error_code"], found["error_msg"]) == (code, text)


def test_a_template_that_is_not_launched_is_refused_with_282004(tmp_path: Path) -> None:
    fields = [{"word_name": "a", "word": "x"}]
    page = {"width": 50, "height": 50}
    fixture(tmp_path, "templates/draft.json", templateSign="draft", title="d", page=page, fields=fields, launched=False)
    outcome = ask(stocked(tmp_path), {"templateSign": "draft", "image": IMAGE})

    assert b"282004" in outcome.reply.body
    assert "is not launched" in outcome.reason


@pytest.mark.parametrize(("owner", "code"), [("default", 0), ("somebody", 216110)])
def test_a_template_of_another_account_is_refused_with_216110(tmp_path: Path, owner: str, code: int) -> None:
    fields = [{"word_name": "a", "word": "x"}]
    page = {"width": 50, "height": 50}
    fixture(tmp_path, "templates/hers.json", templateSign="hers", title="d", page=page, fields=fields, accounts=[owner])

    assert answer(stocked(tmp_path), {"templateSign": "hers", "image": IMAGE})["error_code"] == code


# Pictures that a fixture knows


def _known(folder: Path, **said: Any) -> Emulation:
    fixture(folder, "pictures/mine.json", sha256=sha(IMAGE), **said)
    return stocked(folder)


def test_a_known_picture_gives_the_words_that_its_fixture_says(tmp_path: Path) -> None:
    cloud = _known(tmp_path, template="train_ticket", words={"train_num": "G1", "name": "张三"})
    found = words(answer(cloud, NAMED))

    assert (found["train_num"], found["name"]) == ("G1", "张三")
    assert found["date"] == words(answer(cloud, {**NAMED, "image": encoded(50, 50)}))["date"]


def test_a_known_picture_gives_its_words_when_answers_are_random_too(tmp_path: Path) -> None:
    fixture(tmp_path, "pictures/mine.json", sha256=sha(IMAGE), template="train_ticket", words={"train_num": "G1"})

    assert words(answer(stocked(tmp_path, responses="random"), NAMED))["train_num"] == "G1"


def test_a_picture_is_known_by_lying_beside_its_fixture(tmp_path: Path) -> None:
    fixture(tmp_path, "pictures/scan.png.json", template="train_ticket", words={"train_num": "G1"})
    (tmp_path / "baidu" / "pictures" / "scan.png").write_bytes(picture())

    assert words(answer(stocked(tmp_path), NAMED))["train_num"] == "G1"


def test_a_word_that_a_fixture_leaves_empty_was_not_read(tmp_path: Path) -> None:
    cloud = _known(tmp_path, template=TRAIN_TICKET, words={"车次": ""})
    (found,) = [
        element
        for element in answer(cloud, {"templateSign": TRAIN_TICKET, "image": IMAGE})["data"]["ret"]
        if element["word_name"] == "车次"
    ]

    assert (found["word"], "location" in found, "probability" in found) == ("", True, False)


def test_a_known_picture_is_classified_as_what_it_is(tmp_path: Path) -> None:
    _classifier(tmp_path, choose=[{"when": {}, "template": None}])
    cloud = _known(tmp_path, template="taxi_receipt", scores=0.77)
    found = answer(cloud, CLASSIFIED)

    assert (_sign(found), found["data"]["scores"]) == ("taxi_receipt", 0.77)


def test_a_known_picture_of_a_template_that_the_classifier_has_not_is_of_no_class(tmp_path: Path) -> None:
    _classifier(tmp_path)

    assert answer(_known(tmp_path, template="air_ticket"), CLASSIFIED)["error_code"] == 272001


def test_a_known_picture_does_not_fit_another_template(tmp_path: Path) -> None:
    found = answer(_known(tmp_path, template="taxi_receipt"), NAMED)

    assert (found["error_code"], found["error_msg"], found["data"]["isStructured"]) == (
        272000,
        "structure failed",
        False,
    )


def test_a_known_picture_with_lines_is_answered_with_them_and_without_structure(tmp_path: Path) -> None:
    box = {"left": 1, "top": 2, "width": 3, "height": 4}
    sure = {"average": 0.9, "min": 0.8, "variance": 0.0000010}
    lines = ["第一行", {"word": "第二行", "location": box, "probability": sure}]
    found = answer(_known(tmp_path, lines=lines), NAMED)

    assert found["error_code"] == 0
    assert found["data"].keys() == {"ret", "isStructured", "logId"}
    assert found["data"]["isStructured"] is False
    assert found["data"]["ret"] == [{"word": "第一行"}, {"probability": sure, "location": box, "word": "第二行"}]


def test_a_known_picture_in_which_nothing_can_be_read_is_answered_with_nothing(tmp_path: Path) -> None:
    found = answer(_known(tmp_path, lines=[]), NAMED)

    assert (found["error_code"], found["data"]["ret"]) == (0, [])


def test_a_known_picture_with_lines_has_no_structure_for_a_classifier_either(tmp_path: Path) -> None:
    _classifier(tmp_path)

    assert answer(_known(tmp_path, lines=["x"]), CLASSIFIED)["data"]["ret"] == [{"word": "x"}]


def test_a_known_picture_with_lines_and_a_template_is_structured_by_that_template_alone(tmp_path: Path) -> None:
    cloud = _known(tmp_path, template="train_ticket", lines=["x"])

    assert answer(cloud, NAMED)["data"]["isStructured"] is True
    assert answer(cloud, {**NAMED, "templateSign": "taxi_receipt"})["data"]["ret"] == [{"word": "x"}]


@pytest.mark.parametrize("code", [216630, 272000, 282000])
def test_a_known_picture_can_always_be_refused(tmp_path: Path, code: int) -> None:
    assert answer(_known(tmp_path, error=code), NAMED)["error_code"] == code


def test_the_rows_of_a_known_pictures_table_are_its_own(tmp_path: Path) -> None:
    row = ["餐费", "", "次", "1", "100.00", "100.00", "6%", "6.00"]
    cloud = _known(tmp_path, template="vat_invoice_v2", tables={"DetailsOfTax": [row, row, row]})
    found = words(answer(cloud, {"templateSign": "vat_invoice_v2", "image": IMAGE}))

    assert [found[f"DetailsOfTax#{number}#CommodityAmount"] for number in (1, 2, 3)] == ["100.00"] * 3


async def test_a_rule_makes_one_answer_a_drawn_one(client: Client) -> None:
    token = await client.token()
    picture = {"image": encoded(), "templateSign": TRAIN_TICKET}
    canned = (await client.recognise(token, **picture)).json["data"]["ret"]
    await client.rule({"times": {"first": 1}, "then": {"responses": "random"}})

    drawn = (await client.recognise(token, **picture)).json["data"]["ret"]

    assert drawn != canned
    assert [field["word_name"] for field in drawn] == [field["word_name"] for field in canned]
    assert (await client.recognise(token, **picture)).json["data"]["ret"] == canned
