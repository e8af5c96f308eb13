"""The shapes of answers: eras, editions, tables, fields that were not read; and what is drawn makes sense."""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.baidu.catalogue import Library
from emulator.baidu.images import Picture
from emulator.core.emulation import Emulation
from emulator.core.errors import ErrorTable
from emulator.core.ids import Draw
from tests.support.baidu_calls import FINANCE, answer, ask, words
from tests.support.baidu_files import pdf
from tests.support.client import TRAIN_TICKET
from tests.support.clouds import data, emulation
from tests.support.machine import START
from tests.support.pictures import encoded

IMAGE = encoded()
SCHEMAS, FIXTURES = data()
LIBRARY = Library(FIXTURES, SCHEMAS, ErrorTable("baidu", FIXTURES.get("baidu/errors.json")))
SINGLE = sorted(sign for sign, template in LIBRARY.templates.items() if not template.receipts)
PRESETS = [
    "bus_ticket",
    "toll_invoice",
    "vat_invoice",
    "vat_invoice_v2",
    "taxi_receipt",
    "train_ticket",
    "quota_invoice",
    "air_ticket",
    "travel_itinerary",
    "vehicle_invoice",
    "printed_invoice",
    "bank_receipt",
    "bank_check",
    "bank_draft",
    "vat_roll_ticket",
    "roll_ticket",
    "mixed_receipt",
]
REPORT = "9004fcadf9e11eaf96ff35c80c8f4aca"
CERTIFICATE = next(sign for sign in SINGLE if "registration certificate" in LIBRARY.templates[sign].document["title"])


def _cloud(**more: Any) -> Emulation:
    return emulation(**{"auth": "off", **more})


def _read(cloud: Emulation, sign: str, path: str = "/rest/2.0/solution/v1/iocr/recognise") -> Any:
    return answer(cloud, {"templateSign": sign, "image": IMAGE}, path)


@pytest.mark.parametrize("sign", PRESETS)
@pytest.mark.parametrize("responses", ["canned", "random"])
def test_every_preset_is_read_by_the_finance_edition(sign: str, responses: str) -> None:
    found = _read(_cloud(responses=responses), sign, FINANCE)

    assert found["error_code"] == 0
    assert found["data"]["ret"]
    assert SCHEMAS.get("baidu/iocr.finance.response.json").is_valid(found)


@pytest.mark.parametrize("era", ["template", "2018", "2020", "finance"])
@pytest.mark.parametrize("sign", SINGLE)
def test_every_template_is_read_in_every_era(sign: str, era: str) -> None:
    found = _read(_cloud(iocr_era=era), sign)

    assert found["error_code"] == 0
    assert SCHEMAS.get("baidu/iocr.recognise.response.json").is_valid(found)


# Eras


def test_an_answer_of_2020_has_the_members_of_dumps_in_their_order() -> None:
    found = _read(_cloud(iocr_era="2020"), TRAIN_TICKET)

    assert list(found) == ["data", "error_code", "error_msg", "log_id"]
    assert list(found["data"]) == [
        "ret",
        "templateSign",
        "templateName",
        "scores",
        "isStructured",
        "logId",
        "templateMatchDegree",
        "clockwiseAngle",
    ]
    assert list(found["data"]["ret"][0]) == ["probability", "location", "word_name", "word"]


def test_an_answer_of_2018_has_the_members_of_the_vendors_example() -> None:
    found = _read(_cloud(iocr_era="2018"), "train_ticket")

    assert list(found) == ["data", "error_code", "error_msg"]
    assert list(found["data"]) == ["ret", "templateSign", "scores", "isStructured", "logId"]


def test_an_answer_of_the_finance_edition_has_short_elements_and_a_version() -> None:
    found = _read(_cloud(), "vat_invoice_v2", FINANCE)

    assert list(found) == ["data", "error_code", "error_msg", "log_id"]
    assert list(found["data"]) == ["ret", "templateSign", "templateName", "scores", "isStructured", "logId", "version"]
    assert (found["data"]["templateName"], found["data"]["version"]) == ("增值税发票(iOCR格式)", 1)
    assert {tuple(element) for element in found["data"]["ret"]} == {("word_name", "word")}


def test_both_ids_of_an_answer_are_the_same_fifteen_digits() -> None:
    found = _read(_cloud(), "train_ticket")

    assert found["log_id"] == found["data"]["logId"] == f"{START:.0f}00001"


def test_the_numeric_id_of_the_vendors_table_is_behind_a_switch() -> None:
    found = _read(_cloud(iocr_logid=True), TRAIN_TICKET)

    assert found["logid"] == int(found["data"]["logId"])
    assert "logid" not in _read(_cloud(), TRAIN_TICKET)


@pytest.mark.parametrize(("era", "scores"), [("2018", b'"scores":1,'), ("2020", b'"scores":1.0,')])
def test_a_named_template_is_sure_in_the_form_of_its_era(era: str, scores: bytes) -> None:
    outcome = ask(_cloud(iocr_era=era), {"templateSign": TRAIN_TICKET, "image": IMAGE})

    assert scores in outcome.reply.body


@pytest.mark.parametrize("responses", ["canned", "random"])
@pytest.mark.parametrize("sign", [TRAIN_TICKET, REPORT])
def test_numbers_are_written_without_exponents(responses: str, sign: str) -> None:
    body = ask(_cloud(responses=responses), {"templateSign": sign, "image": IMAGE}).reply.body

    assert not re.search(rb"[0-9]e-[0-9]", body)
    assert b'"variance":0.0' in body


# Tables and fields that were not read


def test_a_table_of_the_general_edition_is_row_by_row_and_has_its_empty_cells() -> None:
    cells = [element for element in _read(_cloud(), REPORT)["data"]["ret"] if "#" in element["word_name"]]

    assert [cell["word_name"] for cell in cells[:8]] == [
        "检测结果#1#基因",
        "检测结果#1#转录本编号",
        "检测结果#1#外显子位置",
        "检测结果#1#核苷酸变化",
        "检测结果#1#氨基酸变化",
        "检测结果#1#dbSNP",
        "检测结果#1#突变比例",
        "检测结果#2#基因",
    ]
    assert next(cell for cell in cells if cell["word"] == "") == {
        "probability": {"average": 0.0, "min": 0.0, "variance": 0.0},
        "word_name": "检测结果#2#dbSNP",
        "word": "",
    }


def test_a_table_of_the_finance_edition_is_column_by_column_without_its_empty_cells() -> None:
    names = [element["word_name"] for element in _read(_cloud(), REPORT, FINANCE)["data"]["ret"]]

    assert names[3:6] == ["检测结果#1#基因", "检测结果#2#基因", "检测结果#3#基因"]
    assert "检测结果#1#dbSNP" in names
    assert "检测结果#2#dbSNP" not in names


def test_the_fields_of_a_vat_invoice_come_in_the_order_of_a_real_answer() -> None:
    names = [element["word_name"] for element in _read(_cloud(), "vat_invoice_v2", FINANCE)["data"]["ret"]]

    assert names[:5] == ["AmountInWords", "InvoiceNumConfirm", "SellerAddress", "NoteDrawer", "InvoiceTag"]
    assert names[33:37] == [
        "DetailsOfTax#1#CommodityName",
        "DetailsOfTax#2#CommodityName",
        "DetailsOfTax#1#CommodityType",
        "DetailsOfTax#2#CommodityType",
    ]


def test_a_field_that_was_not_read_has_a_box_outside_of_the_picture_and_no_probability() -> None:
    unread = [element for element in _read(_cloud(), CERTIFICATE)["data"]["ret"] if not element["word"]]

    assert unread
    assert all(list(element) == ["location", "word_name", "word"] for element in unread)
    assert min(element["location"]["left"] for element in unread) < 0


# Sources


def test_a_picture_goes_before_a_url_and_a_url_before_a_pdf_file() -> None:
    form = {"templateSign": TRAIN_TICKET, "image": IMAGE, "url": "no url", "pdf_file": "!"}
    cloud = _cloud()

    assert answer(cloud, form)["error_code"] == 0
    assert answer(cloud, {**form, "image": ""})["error_code"] == 216200
    del form["image"]
    assert answer(cloud, form)["error_code"] == 282111
    del form["url"]
    assert answer(cloud, form)["error_code"] == 216201


@pytest.mark.parametrize("responses", ["canned", "random"])
def test_a_pdf_file_is_read(responses: str) -> None:
    form = {"templateSign": TRAIN_TICKET, "pdf_file": base64.b64encode(pdf((595, 842), (9, 9))).decode()}

    assert answer(_cloud(responses=responses), form)["error_code"] == 0


def test_boxes_lie_inside_the_page_of_a_pdf_file() -> None:
    form = {"templateSign": TRAIN_TICKET, "pdf_file": base64.b64encode(pdf((100, 50))).decode()}

    for element in answer(_cloud(responses="random"), form)["data"]["ret"]:
        box = element["location"]
        assert box["left"] + box["width"] <= 200
        assert box["top"] + box["height"] <= 100


def test_base64_with_line_breaks_can_be_refused() -> None:
    form = {"templateSign": TRAIN_TICKET, "image": base64.encodebytes(base64.b64decode(IMAGE)).decode()}

    assert answer(_cloud(base64="strict"), form)["error_code"] == 216201
    assert answer(_cloud(), form)["error_code"] == 0


# Drawn answers

PICTURES = st.builds(
    lambda width, height: Picture(b"x", "png", width, height), st.integers(15, 4096), st.integers(15, 900)
)


def _drawn(sign: str, picture: Picture, seed: int, shape: Any = "full") -> Any:
    fragment = LIBRARY.templates[sign].drawn(shape, picture, Draw(seed))
    return orjson.loads(orjson.dumps(fragment))


@settings(max_examples=200)
@given(st.sampled_from(SINGLE), PICTURES, st.integers(0, 10**6))
def test_every_drawn_box_lies_inside_the_picture(sign: str, picture: Picture, seed: int) -> None:
    for element in _drawn(sign, picture, seed):
        if (box := element.get("location")) is not None:
            assert 0 <= box["left"] < box["left"] + box["width"] <= picture.width
            assert 0 <= box["top"] < box["top"] + box["height"] <= picture.height


def test_answers_of_ten_thousand_seeds_fit_the_schema_of_answers() -> None:
    whole = SCHEMAS.get("baidu/iocr.recognise.response.json")
    picture = Picture(b"x", "png", 640, 480)
    frame = {"isStructured": True, "logId": "1" * 15}
    misfits = [
        seed
        for seed in range(10_000)
        if not whole.is_valid(
            {
                "data": {"ret": _drawn(SINGLE[seed % len(SINGLE)], picture, seed), **frame},
                "error_code": 0,
                "error_msg": "",
            }
        )
    ]

    assert misfits == []


@settings(max_examples=200)
@given(st.integers(0, 10**6))
def test_the_amounts_of_a_drawn_vat_invoice_agree(seed: int) -> None:
    found = {
        element["word_name"]: element["word"]
        for element in _drawn("vat_invoice_v2", Picture(b"x", "png", 99, 99), seed)
    }
    rows = sorted({name.split("#")[1] for name in found if "#" in name})

    def column(name: str) -> list[Decimal]:
        return [Decimal(found[f"DetailsOfTax#{row}#{name}"].rstrip("%")) for row in rows]

    assert column("CommodityAmount") == [
        number * price for number, price in zip(column("CommodityNum"), column("CommodityPrice"), strict=True)
    ]
    assert sum(column("CommodityAmount")) == Decimal(found["TotalAmount"])
    assert sum(column("CommodityTax")) == Decimal(found["TotalTax"])
    assert Decimal(found["TotalAmount"]) + Decimal(found["TotalTax"]) == Decimal(found["AmountInFiguers"])
    assert found["InvoiceNum"] == found["InvoiceNumConfirm"]


def test_the_canned_vat_invoice_agrees_with_itself_too() -> None:
    found = words(_read(_cloud(), "vat_invoice_v2"))

    assert Decimal(found["TotalAmount"]) + Decimal(found["TotalTax"]) == Decimal(found["AmountInFiguers"])
    assert Decimal(found["DetailsOfTax#1#CommodityAmount"]) + Decimal(
        found["DetailsOfTax#2#CommodityAmount"]
    ) == Decimal(found["TotalAmount"])


@pytest.mark.parametrize("seed", range(20))
def test_a_drawn_journey_leads_somewhere_else(seed: int) -> None:
    found = {
        element["word_name"]: element["word"] for element in _drawn("train_ticket", Picture(b"", "png", 99, 99), seed)
    }

    assert found["starting_station"] != found["destination_station"]


def test_a_drawn_match_is_nearly_perfect() -> None:
    found = _read(_cloud(responses="random"), "train_ticket")["data"]

    assert 0.86 <= found["templateMatchDegree"] <= 0.999
    assert 0 <= found["clockwiseAngle"] <= 4
