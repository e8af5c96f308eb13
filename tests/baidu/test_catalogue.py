"""Fixtures are held against each other before anything is served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from tests.support.baidu_calls import fixture, sha, stocked
from tests.support.pictures import encoded, picture

PAGE = {"width": 100, "height": 100}
PICTURE = {"sha256": sha(encoded())}


def _template(**more: Any) -> dict[str, Any]:
    return {"templateSign": "mine", "title": "mine", "page": PAGE, **more}


def _field(**draw: Any) -> dict[str, Any]:
    return {"word_name": "a", "word": "x", "draw": draw}


def _complaint(folder: Path, path: str, **document: Any) -> str:
    fixture(folder, path, **document)
    with pytest.raises(ConfigurationError) as caught:
        stocked(folder)
    (problem,) = caught.value.problems
    assert problem.where == str(folder / "baidu" / path)
    return f"{problem.pointer}: {problem.message}"


def test_a_template_is_added_by_one_small_file(tmp_path: Path) -> None:
    fixture(tmp_path, "templates/mine.json", **_template(fields=[{"word_name": "a", "word": "x"}]))

    assert stocked(tmp_path)


TABLE = {"name": "T", "columns": [{"name": "c", "draw": {"number": [1, 2, 2]}}], "rows": [["1.00"]]}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(
            {"fields": [_field(same="b")]}, "/fields/0/draw: there is no field 'b'", id="a field that there is not"
        ),
        pytest.param(
            {"fields": [_field(sum=["Tx#c"])], "tables": [TABLE]},
            "/fields/0/draw: there is no field 'Tx#c'; did you mean 'T#c'?",
            id="a column that there is not",
        ),
        pytest.param(
            {"fields": [_field(same="a")]}, "/fields/0/draw: 'a' and 'a' are drawn from each other", id="itself"
        ),
        pytest.param(
            {"fields": [_field(same="T#c")], "tables": [TABLE]},
            "/fields/0/draw: 'T#c' is a column of another table; only sum adds one up",
            id="one cell of a table",
        ),
        pytest.param(
            {"tables": [{**TABLE, "rows": [["1", "2"]]}]},
            "/tables/0/rows/0: it has 2 words; the table has 1 columns",
            id="a row that is too long",
        ),
        pytest.param(
            {"receipts": ["taxi_recipt"]},
            "/receipts/0: there is no template 'taxi_recipt' of one receipt; did you mean 'taxi_receipt'?",
            id="a receipt that there is not",
        ),
        pytest.param({"fields": [_field(checked="isbn")]}, "/fields/0/draw/checked: ", id="an unknown number"),
        pytest.param({}, ": ", id="nothing to read"),
        pytest.param({"fields": [{"word_name": "a#1", "word": ""}]}, "/fields/0/word_name: ", id="a name with #"),
    ],
)
def test_a_template_that_does_not_fit_together_is_refused_with_its_place(
    tmp_path: Path, document: dict[str, Any], complaint: str
) -> None:
    assert _complaint(tmp_path, "templates/mine.json", **_template(**document)).startswith(complaint)


def test_fields_that_are_drawn_from_each_other_are_refused(tmp_path: Path) -> None:
    fields = [
        {"word_name": "a", "word": "", "draw": {"same": "b"}},
        {"word_name": "b", "word": "", "draw": {"sum": ["c", "a"]}},
        {"word_name": "c", "word": "1"},
    ]
    fixture(tmp_path, "templates/mine.json", **_template(fields=fields))

    with pytest.raises(ConfigurationError) as caught:
        stocked(tmp_path)

    assert "'a' and 'b' are drawn from each other" in str(caught.value)


def test_a_template_in_a_file_of_another_name_is_refused(tmp_path: Path) -> None:
    document = _template(fields=[{"word_name": "a", "word": ""}])

    assert _complaint(tmp_path, "templates/other.json", **document) == (
        "/templateSign: the file of template mine is called baidu/templates/mine.json"
    )


CLASSIFIER = {"classifierId": "7", "title": "mine", "templates": ["train_ticket"]}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(
            {"templates": ["train_tickt"]},
            "/templates/0: there is no template 'train_tickt'; did you mean 'train_ticket'?",
            id="unknown template",
        ),
        pytest.param(
            {"choose": [{"when": {}, "template": "taxi_receipt"}]},
            "/choose/0/template: 'taxi_receipt' is none of the classifier's templates",
            id="a template of another",
        ),
        pytest.param(
            {"otherwise": "sead"}, "/otherwise: 'sead' is none of the classifier's templates", id="otherwise what"
        ),
        pytest.param(
            {"choose": [{"when": {"type": "horse"}, "template": None}]},
            "/choose/0/when: no valid JSON Schema",
            id="no schema",
        ),
        pytest.param(
            {"classifierId": "8"},
            "/classifierId: the file of classifier 8 is called baidu/classifiers/8.json",
            id="another file",
        ),
    ],
)
def test_a_classifier_that_does_not_fit_together_is_refused_with_its_place(
    tmp_path: Path, document: dict[str, Any], complaint: str
) -> None:
    assert _complaint(tmp_path, "classifiers/7.json", **{**CLASSIFIER, **document}).startswith(complaint)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(
            {"words": {}, "template": "train_ticket"},
            ": it says neither sha256 nor url, and no picture is beside it",
            id="of no picture",
        ),
        pytest.param(
            {**PICTURE, "template": "train_tickt"},
            "/template: there is no template 'train_tickt'; did you mean 'train_ticket'?",
            id="unknown template",
        ),
        pytest.param(
            {**PICTURE, "words": {"name": "x"}}, "/words: say which template they are of", id="words of nothing"
        ),
        pytest.param(
            {**PICTURE, "template": "train_ticket", "words": {"nmae": "x"}},
            "/words/nmae: train_ticket has no such field; did you mean 'name'?",
            id="unknown field",
        ),
        pytest.param(
            {**PICTURE, "template": "vat_invoice_v2", "tables": {"DetailsOfTax": [["x"]]}},
            "/tables/DetailsOfTax: each row has 8 words",
            id="a short row",
        ),
        pytest.param(
            {**PICTURE, "template": "vat_invoice_v2", "tables": {"Details": []}},
            "/tables/Details: vat_invoice_v2 has no such table",
            id="unknown table",
        ),
        pytest.param({**PICTURE, "error": 272}, "/error: baidu has no code 272", id="unknown code"),
        pytest.param(
            {**PICTURE, "receipts": [{"template": "taxi"}]},
            "/receipts/0/template: there is no template 'taxi'",
            id="unknown receipt",
        ),
        pytest.param({"sha256": "abc"}, "/sha256: ", id="no hash"),
    ],
)
def test_a_known_picture_that_does_not_fit_together_is_refused_with_its_place(
    tmp_path: Path, document: dict[str, Any], complaint: str
) -> None:
    assert _complaint(tmp_path, "pictures/mine.json", **document).startswith(complaint)


def test_a_picture_that_two_files_describe_is_refused(tmp_path: Path) -> None:
    fixture(tmp_path, "pictures/a.json", **PICTURE)
    fixture(tmp_path, "pictures/b.json", **PICTURE)

    with pytest.raises(ConfigurationError, match="another file describes the same picture"):
        stocked(tmp_path)


def test_a_cell_of_a_table_can_be_named_in_the_words_of_a_picture(tmp_path: Path) -> None:
    said = {"template": "vat_invoice_v2", "words": {"DetailsOfTax#1#CommodityName": "x"}}
    fixture(tmp_path, "pictures/a.json", **PICTURE, **said)

    assert stocked(tmp_path)


@pytest.mark.parametrize("name", ["scan.png.json", "scan.json"])
def test_a_file_beside_a_picture_is_about_that_picture(tmp_path: Path, name: str) -> None:
    fixture(tmp_path, f"pictures/{name}", template="train_ticket")
    (tmp_path / "baidu" / "pictures" / "scan.png").write_bytes(picture())

    assert stocked(tmp_path)


def test_a_misspelt_folder_of_fixtures_is_refused(tmp_path: Path) -> None:
    fixture(tmp_path, "template/mine.json", **_template(fields=[{"word_name": "a", "word": ""}]))

    with pytest.raises(ConfigurationError, match=r"nothing reads baidu/template/mine\.json"):
        stocked(tmp_path)
