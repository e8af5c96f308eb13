"""Recognition: the canned answer to the letter, the random one plausible."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.emulation import Emulation
from emulator.core.exchange import Outcome
from tests.support.client import RECOGNISE, TRAIN_TICKET
from tests.support.clouds import data, emulation, raw
from tests.support.machine import START
from tests.support.pictures import encoded

SAMPLE = Path(__file__).parents[1] / "data" / "baidu-train-ticket.json"
FORM = "application/x-www-form-urlencoded"
FIELDS = ["终点站", "发车时间", "始发站", "车次", "乘车人", "座位号", "价格"]
sizes = st.integers(15, 400)


def _ask(cloud: Emulation, **form: str) -> Outcome:
    body = urlencode(form).encode()
    return cloud.pipeline.decide(raw(path=RECOGNISE, body=body, kind=FORM))


def _answer(cloud: Emulation, **form: str) -> Any:
    return json.loads(_ask(cloud, **form).reply.body)


def _canned() -> Emulation:
    return emulation(auth="off")


def _random(seed: int = 7) -> Emulation:
    return emulation(auth="off", responses="random", seed=seed)


def _fields(cloud: Emulation, image: str) -> list[Any]:
    found: list[Any] = _answer(cloud, image=image, templateSign=TRAIN_TICKET)["data"]["ret"]
    return found


def _words(seed: int = 7, **size: int) -> dict[str, str]:
    return {field["word_name"]: field["word"] for field in _fields(_random(seed), encoded(**size))}


def test_a_canned_answer_is_the_vendors_example_to_the_letter() -> None:
    assert _answer(_canned(), image=encoded(), templateSign=TRAIN_TICKET) == json.loads(SAMPLE.read_bytes())


def test_a_canned_answer_has_its_members_in_the_order_of_the_vendors_example() -> None:
    reply = _ask(_canned(), image=encoded(), templateSign=TRAIN_TICKET).reply.body

    assert json.dumps(json.loads(reply)) == json.dumps(json.loads(SAMPLE.read_bytes()))


def test_chinese_is_sent_as_it_is() -> None:
    reply = _ask(_canned(), image=encoded(), templateSign=TRAIN_TICKET).reply

    assert "终点站".encode() in reply.body
    assert reply.headers["Content-Type"] == "application/json"


def test_a_canned_answer_does_not_depend_on_the_picture() -> None:
    cloud = _canned()

    assert _fields(cloud, encoded(15, 15)) == _fields(cloud, encoded(600, 400, "JPEG"))


@pytest.mark.parametrize("cloud", [_canned(), _random()], ids=["canned", "random"])
def test_an_answer_fits_its_schema(cloud: Emulation) -> None:
    schema = data()[0].get("baidu/iocr.recognise.response.json")

    assert schema.is_valid(_answer(cloud, image=encoded(), templateSign=TRAIN_TICKET))


def test_a_random_answer_has_the_fields_of_the_template_in_their_order() -> None:
    assert [field["word_name"] for field in _fields(_random(), encoded())] == FIELDS


def test_the_same_picture_is_read_alike_by_two_emulators_with_one_seed() -> None:
    assert _fields(_random(), encoded()) == _fields(_random(), encoded())


def test_the_same_picture_is_read_alike_whatever_was_read_before() -> None:
    alone = _fields(_random(), encoded())
    cloud = _random()
    for side in range(20, 25):
        _fields(cloud, encoded(side, side))

    assert _fields(cloud, encoded()) == alone


def test_the_same_picture_is_read_otherwise_with_another_seed() -> None:
    assert _fields(_random(7), encoded()) != _fields(_random(8), encoded())


def test_another_picture_is_read_otherwise() -> None:
    cloud = _random()

    assert _fields(cloud, encoded(200, 100)) != _fields(cloud, encoded(200, 101))


def test_a_random_answer_has_a_log_id_of_its_own() -> None:
    cloud = _random()
    ids = [_answer(cloud, image=encoded(), templateSign=TRAIN_TICKET)["data"]["logId"] for _ in range(3)]

    assert ids == ["176722560000001", "176722560000002", "176722560000003"]


@settings(max_examples=60)
@given(sizes, sizes, st.integers(0, 1000))
def test_every_box_lies_inside_the_picture(width: int, height: int, seed: int) -> None:
    for field in _fields(_random(seed), encoded(width, height)):
        box = field["location"]
        assert 0 <= box["left"] < box["left"] + box["width"] <= width
        assert 0 <= box["top"] < box["top"] + box["height"] <= height


def test_a_box_is_as_large_for_its_picture_as_the_examples_is_for_its_page() -> None:
    box = _fields(_random(), encoded(800, 500))[0]["location"]

    assert (box["width"], box["height"]) == (134, 44)


@pytest.mark.parametrize("seed", range(20))
def test_the_words_are_of_their_kinds(seed: int) -> None:
    words = _words(seed)

    assert re.fullmatch(r"[GDCKTZ]\d{4}", words["车次"])
    assert re.fullmatch(r"\d{12}", words["发车时间"])
    assert re.fullmatch(r"\d{1,4}\.\d{2}", words["价格"])
    assert re.fullmatch(r"\d{2}车\d{2}[ABCDF]号", words["座位号"])
    assert re.fullmatch(r"[\u4e00-\u9fff]{2,4}", words["乘车人"])
    assert re.fullmatch(r"[\u4e00-\u9fff]{2,8}", words["始发站"])
    assert re.fullmatch(r"[\u4e00-\u9fff]{2,8}", words["终点站"])


@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_time_is_a_moment_of_the_past(seed: int) -> None:
    moment = datetime.strptime(_words(seed)["发车时间"], "%Y%m%d%H%M")  # noqa: DTZ007  the vendor prints no zone

    assert 2020 <= moment.year <= 2023


@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_price_lies_within_its_bounds(seed: int) -> None:
    assert 5 <= float(_words(seed)["价格"]) <= 1500


@pytest.mark.parametrize("seed", range(5))
def test_drawn_probabilities_agree_with_each_other(seed: int) -> None:
    for field in _fields(_random(seed), encoded()):
        found = field["probability"]
        assert 0 < found["min"] <= found["average"] < 1
        assert found["variance"] >= 0


def test_a_template_that_does_not_exist_is_refused_with_the_nearest() -> None:
    outcome = _ask(_canned(), image=encoded(), templateSign=TRAIN_TICKET[:-1] + "0")

    assert json.loads(outcome.reply.body)["error_code"] == 282004
    assert f"did you mean {TRAIN_TICKET!r}?" in outcome.reason


def test_a_refusal_of_the_engine_says_that_nothing_was_structured() -> None:
    answer = _answer(_canned(), image=encoded(), templateSign="none")

    assert answer["data"] == {"isStructured": False, "logId": f"{START:.0f}00000"}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 282004),
        ({"templateSign": ""}, 282004),
        ({"templateSign": TRAIN_TICKET}, 216101),
        ({"image": "AA=="}, 282004),
        ({"templateSign": TRAIN_TICKET, "image": ""}, 216200),
        ({"templateSign": TRAIN_TICKET, "image": "AA=="}, 216201),
        ({"templateSign": TRAIN_TICKET, "image": "!"}, 216201),
        ({"templateSign": "x" * 129, "image": "AA=="}, 282004),
        ({"classifierId": "1", "image": "!"}, 216201),
        ({"templateSign": TRAIN_TICKET, "url": "http://cup.test/" + "x" * 1024}, 282114),
    ],
)
def test_a_request_that_lacks_something_is_refused_with_the_vendors_code(form: dict[str, str], code: int) -> None:
    assert _answer(_canned(), **form)["error_code"] == code


def test_a_picture_that_is_not_base64_is_refused_before_the_template_is_looked_for() -> None:
    assert _answer(_canned(), templateSign="none", image="!")["error_code"] == 216201


def test_a_body_that_is_too_large_is_refused() -> None:
    answer = _answer(_canned(), templateSign=TRAIN_TICKET, image="A" * (10 * 2**20))

    assert (answer["error_code"], answer["error_msg"]) == (216202, "input oversize")
