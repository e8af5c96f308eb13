"""The schema registry: what is refused at boot, and what a violation means."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.errors import Code, ConfigurationError
from emulator.core.exchange import JsonObject
from emulator.core.resources import Resource
from emulator.core.schemas import BASE, DIALECT, Schema, SchemaRegistry, Violation
from tests.support.toy_cloud import resource


def _registry(**documents: JsonObject) -> SchemaRegistry:
    paths = {f"toy/{name}.json": document for name, document in documents.items()}
    return SchemaRegistry({path: resource(path, document) for path, document in paths.items()})


def _schema(**document: Any) -> Schema:
    return _registry(tea=document).get("toy/tea.json")


def _refused(*resources: Resource) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        SchemaRegistry({entry.path: entry for entry in resources})
    return [str(problem) for problem in caught.value.problems]


def _message(schema: JsonObject, value: Any) -> str:
    """What is said of ``value``, as the member ``x`` of a document."""
    return _schema(properties={"x": schema}).explain({"x": value}).message


def _code(schema: JsonObject, document: Any) -> Code | None:
    return _schema(**schema).explain(document).code


# What is refused at boot.


def test_a_schema_is_found_by_its_path() -> None:
    registry = _registry(tea={"title": "Tea"})

    assert registry.get("toy/tea.json").document["title"] == "Tea"
    assert (registry.has("toy/tea.json"), registry.has("toy/milk.json")) == (True, False)


def test_a_schema_that_is_not_there_is_a_look_up_error_with_the_nearest() -> None:
    with pytest.raises(LookupError, match=r"^no schema toy/tee\.json; did you mean 'toy/tea\.json'\?$"):
        _registry(tea={}).get("toy/tee.json")


def test_every_schema_is_listed() -> None:
    assert [schema.id for schema in _registry(tea={}, milk={})] == [BASE + "toy/tea.json", BASE + "toy/milk.json"]


@pytest.mark.parametrize("document", [{}, {"$schema": "http://json-schema.org/draft-07/schema#"}, [], True, "schema"])
def test_a_file_of_another_dialect_is_refused(document: Any) -> None:
    assert _refused(Resource("toy/tea.json", "/data/tea.json", document)) == [
        "/data/tea.json#/$schema: must be https://json-schema.org/draft/2020-12/schema"
    ]


@pytest.mark.parametrize("identity", [None, "tea.json", BASE + "toy/milk.json", "https://example.com/toy/tea.json"])
def test_a_file_whose_identity_is_not_its_place_is_refused(identity: str | None) -> None:
    document = {"$schema": DIALECT, **({"$id": identity} if identity else {})}

    assert _refused(Resource("toy/tea.json", "/data/tea.json", document)) == [
        "/data/tea.json#/$id: must be https://emulator.invalid/toy/tea.json, as the file's place says"
    ]


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("milk.json", "$ref to milk.json: no such schema"),
        ("tee.json", "$ref to tee.json: no such schema; did you mean 'https://emulator.invalid/toy/tea.json'?"),
        ("#/$defs/cup", "$ref to #/$defs/cup: nothing at #/$defs/cup"),
        ("tea.json#/$defs/cup", "$ref to tea.json#/$defs/cup: nothing at #/$defs/cup"),
    ],
)
def test_a_reference_to_nothing_is_refused_with_file_and_pointer(reference: str, problem: str) -> None:
    found = _refused(resource("toy/tea.json", {"properties": {"x": {"items": {"$ref": reference}}}}))

    assert found[0].startswith("memory/toy/tea.json#/properties/x/items/$ref: $ref to ")
    assert reference != "#/$defs/cup" or found == [f"memory/toy/tea.json#/properties/x/items/$ref: {problem}"]
    assert found[0].endswith(problem) or "no such schema" in problem


def test_a_reference_in_a_list_is_followed_too() -> None:
    found = _refused(resource("toy/tea.json", {"allOf": [{}, {"$ref": "#/$defs/none"}]}))

    assert found == ["memory/toy/tea.json#/allOf/1/$ref: $ref to #/$defs/none: nothing at #/$defs/none"]


@pytest.mark.parametrize(
    "reference",
    ["#", "#/$defs/cup", "tea.json", "tea.json#/$defs/cup", "/toy/tea.json", BASE + "toy/tea.json", "#/allOf/0"],
)
def test_a_reference_to_something_is_accepted(reference: str) -> None:
    _registry(tea={"$defs": {"cup": {}}, "allOf": [{}], "properties": {"x": {"$ref": reference}}})


def test_a_member_that_is_called_like_the_keyword_is_no_reference() -> None:
    _registry(tea={"properties": {"$ref": {"type": "string"}}})


@pytest.mark.parametrize(
    "document", [{"type": "text"}, {"minimum": "1"}, {"properties": []}, {"pattern": "("}, {"required": "x"}]
)
def test_what_is_no_valid_schema_is_refused_with_its_file(document: JsonObject) -> None:
    (problem,) = _refused(resource("toy/tea.json", document))

    assert problem.startswith("memory/toy/tea.json: no valid schema: ")


def test_every_file_at_fault_is_told() -> None:
    found = _refused(
        Resource("toy/a.json", "a", {}), Resource("toy/b.json", "b", []), resource("toy/c.json", {"type": "text"})
    )

    assert [problem.partition("#")[0] for problem in found] == ["a", "b"]


def test_a_document_that_fits_passes_the_check() -> None:
    _registry(tea={"required": ["x"]}).check("toy/tea.json", {"x": 1}, "somewhere")


def test_a_document_that_does_not_fit_fails_the_check_with_place_and_pointer() -> None:
    with pytest.raises(ConfigurationError, match=r"^somewhere#/x: x is required but missing$"):
        _registry(tea={"required": ["x"]}).check("toy/tea.json", {}, "somewhere")


# Which violation is told.


def test_a_valid_document_has_nothing_to_explain() -> None:
    with pytest.raises(ValueError, match=r"has nothing against the document$"):
        _schema(type="object").explain({})


def test_a_violation_says_where_what_and_whence() -> None:
    schema = _schema(
        properties={"cups": {"type": "array", "items": {"type": "integer", "x-error": 7, "x-source": "the tea book"}}}
    )

    violation = schema.explain({"cups": [1, "two"]})

    assert violation == Violation("/cups/1", "type", "'two' is no integer", 7, "the tea book")
    assert str(violation) == "/cups/1: 'two' is no integer [the tea book]"


def test_a_violation_of_the_whole_document_has_an_empty_pointer() -> None:
    assert str(_schema(type="object").explain([])) == "the document: [] is no object"


def test_signs_that_mean_something_in_a_pointer_are_escaped() -> None:
    assert _schema(properties={"a/b~c": {"type": "integer"}}).explain({"a/b~c": ""}).pointer == "/a~1b~0c"


def test_members_are_looked_at_in_the_order_of_the_schema() -> None:
    schema = _schema(properties={"b": {"type": "integer"}, "a": {"type": "integer"}})

    assert schema.explain({"a": "", "b": ""}).pointer == "/b"


def test_missing_members_come_before_wrong_ones() -> None:
    schema = _schema(properties={"a": {"type": "integer"}, "b": {}}, required=["b"])

    assert schema.explain({"a": ""}).pointer == "/b"


def test_of_several_missing_members_the_first_required_is_told() -> None:
    schema = _schema(properties={"a": {}, "b": {}}, required=["b", "a"])

    assert schema.explain({}).pointer == "/b"


def test_a_condition_on_the_whole_comes_before_wrong_members() -> None:
    schema = _schema(properties={"a": {"type": "integer"}}, anyOf=[{"required": ["b"]}, {"required": ["c"]}])

    assert schema.explain({"a": ""}).keyword == "anyOf"


def test_a_missing_member_comes_before_a_condition_on_the_whole() -> None:
    schema = _schema(required=["a"], anyOf=[{"required": ["b"]}, {"required": ["c"]}])

    assert schema.explain({}).keyword == "required"


def test_a_member_that_misses_something_is_told_as_that_member() -> None:
    schema = _schema(properties={"cup": {"type": "object", "required": ["size"]}})

    assert schema.explain({"cup": {}}) == Violation("/cup/size", "required", "size is required but missing", None, "")


def test_the_first_elements_come_first() -> None:
    schema = _schema(properties={"cups": {"items": {"type": "integer"}}})

    assert schema.explain({"cups": [1, "a", "b"]}).pointer == "/cups/1"


def test_the_tenth_element_comes_after_the_second() -> None:
    schema = _schema(properties={"cups": {"items": {"type": "integer"}}})
    cups: list[object] = list(range(12))
    cups[2], cups[10] = "a", "b"

    assert schema.explain({"cups": cups}).pointer == "/cups/2"


def test_what_a_reference_leads_to_is_explained() -> None:
    registry = _registry(
        tea={"properties": {"x": {"$ref": "cup.json#/$defs/size", "x-source": "the tea book"}}},
        cup={"$defs": {"size": {"type": "integer", "x-error": 7}}},
    )

    violation = registry.get("toy/tea.json").explain({"x": "big"})

    assert (violation.pointer, violation.code) == ("/x", 7)


# Which code.


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (7, 7),
        ("BadLeaf", "BadLeaf"),
        ({"type": 8, "default": 7}, 8),
        ({"minimum": 8, "default": 7}, 7),
        ({"minimum": 8}, None),
        (None, None),
    ],
)
def test_the_code_of_a_violation_is_named_by_number_or_by_keyword(named: object, code: Code | None) -> None:
    member = {"type": "integer", **({"x-error": named} if named is not None else {})}

    assert _code({"properties": {"x": member}}, {"x": "a"}) == code


def test_the_code_of_a_missing_member_is_the_one_for_required() -> None:
    member = {"type": "integer", "x-error": {"required": 8, "default": 7}}

    assert _code({"properties": {"x": member}, "required": ["x"]}, {}) == 8


@pytest.mark.parametrize("named", [7, {"default": 7}, {"type": 7}])
def test_the_code_of_a_wrong_member_does_not_count_if_it_is_missing(named: object) -> None:
    assert _code({"properties": {"x": {"x-error": named}}, "required": ["x"]}, {}) is None


def test_the_source_of_a_missing_member_is_the_members() -> None:
    schema = _schema(properties={"x": {"x-source": "the tea book"}}, required=["x"])

    assert schema.explain({}).source == "the tea book"


def test_the_code_of_a_missing_member_may_stand_behind_a_reference() -> None:
    found = _registry(
        tea={"properties": {"x": {"$ref": "cup.json"}}, "required": ["x"]}, cup={"x-error": {"required": 8}}
    ).get("toy/tea.json")

    assert found.explain({}).code == 8


def test_where_a_part_names_no_code_the_part_around_it_does() -> None:
    member = {"x-error": 7, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}

    assert _code({"properties": {"x": member}}, {"x": {}}) == 7


def test_the_code_of_a_list_counts_for_the_list_and_not_for_its_elements() -> None:
    schema = {"properties": {"x": {"type": "array", "maxItems": 1, "items": {"type": "integer"}, "x-error": 7}}}

    assert _code(schema, {"x": [1, 2]}) == 7


# Empty texts.


def test_an_empty_text_that_means_absent_is_left_out() -> None:
    schema = _schema(properties={"x": {"x-empty": "absent"}, "y": {}})

    assert schema.without_empty({"x": "", "y": ""}) == {"y": ""}


def test_a_text_that_is_not_empty_stays() -> None:
    assert _schema(properties={"x": {"x-empty": "absent"}}).without_empty({"x": " "}) == {"x": " "}


@pytest.mark.parametrize("value", [0, False, None, [], {}])
def test_only_an_empty_text_means_absent(value: object) -> None:
    assert _schema(properties={"x": {"x-empty": "absent"}}).without_empty({"x": value}) == {"x": value}


def test_where_nothing_is_empty_the_parameters_are_handed_on_as_they_are() -> None:
    parameters = {"x": "a"}

    assert _schema(properties={"x": {"x-empty": "absent"}}).without_empty(parameters) is parameters


def test_a_whole_schema_may_take_empty_texts_for_absent() -> None:
    schema = _schema(**{"x-empty": "absent", "properties": {"x": {}, "y": {}}})

    assert schema.without_empty({"x": "", "y": "a", "unknown": ""}) == {"y": "a", "unknown": ""}


def test_the_word_on_empty_texts_may_stand_behind_a_reference() -> None:
    found = _registry(tea={"properties": {"x": {"$ref": "cup.json"}}}, cup={"x-empty": "absent"}).get("toy/tea.json")

    assert found.without_empty({"x": ""}) == {}


# Texts that are numbers.


@pytest.mark.parametrize(
    ("types", "text", "value"),
    [
        ("integer", "12", 12),
        ("integer", "-3", -3),
        ("integer", "1.5", "1.5"),
        ("number", "1.5", 1.5),
        ("number", "2", 2),
        ("number", "1e3", 1000.0),
        ("string", "12", "12"),
        (["string", "number"], "12", "12"),
        (["integer", "null"], "12", 12),
        ("integer", "", ""),
        ("integer", "twelve", "twelve"),
        ("boolean", "true", "true"),
        (None, "12", "12"),
    ],
)
def test_a_text_becomes_a_number_where_the_schema_wants_one(types: object, text: str, value: object) -> None:
    member = {} if types is None else {"type": types}

    found = _schema(properties={"x": member}).coerced({"x": text})

    assert found == {"x": value}
    assert type(found["x"]) is type(value)


@pytest.mark.parametrize("text", ["1_000", "١٢", "nan", "inf", "-inf", "Infinity", "1e999", "0x10", "9" * 33])
@pytest.mark.parametrize("wanted", ["integer", "number"])
def test_a_text_that_is_no_number_that_json_could_say_stays_a_text(wanted: str, text: str) -> None:
    assert _schema(properties={"x": {"type": wanted}}).coerced({"x": text}) == {"x": text}


def test_numbers_are_found_in_nested_members_and_elements() -> None:
    schema = _schema(
        properties={"cups": {"items": {"properties": {"size": {"type": "integer"}, "leaf": {"type": "string"}}}}}
    )

    assert schema.coerced({"cups": [{"size": "3", "leaf": "7", "more": "1"}]}) == {
        "cups": [{"size": 3, "leaf": "7", "more": "1"}]
    }


def test_the_type_of_a_number_may_stand_behind_a_reference() -> None:
    registry = _registry(
        tea={"properties": {"x": {"$ref": "cup.json#/$defs/size"}, "y": {"items": {"$ref": "cup.json"}}}},
        cup={"$defs": {"size": {"type": "integer"}}, "properties": {"z": {"$ref": "#/$defs/size"}}},
    )

    assert registry.get("toy/tea.json").coerced({"x": "1", "y": [{"z": "2"}]}) == {"x": 1, "y": [{"z": 2}]}


def test_what_is_no_text_stays_as_it_is() -> None:
    value = {"x": None, "y": 1.5, "z": True}

    assert _schema(properties={name: {"type": "integer"} for name in value}).coerced(value) == value


def test_numbers_are_found_without_changing_what_came_in() -> None:
    came = {"x": "1"}
    _schema(properties={"x": {"type": "integer"}}).coerced(came)

    assert came == {"x": "1"}


# The words.


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, "a", "'a' is no integer"),
        ({"type": ["integer", "string"]}, None, "None is no integer or string"),
        ({"minimum": 1, "maximum": 9}, 10, "10 is not from 1 to 9"),
        ({"minimum": 1, "maximum": 9}, 0, "0 is not from 1 to 9"),
        ({"const": "wave"}, "Wave", "'Wave' is not 'wave'"),
        ({"enum": ["green", "black"]}, "white", "'white' is none of 'green', 'black'"),
        ({"pattern": "^[a-z]+$"}, "A1", "'A1' does not match ^[a-z]+$"),
        ({"pattern": "^[a-z]+$"}, "a\n", "'a\\n' does not match ^[a-z]+$"),
        ({"minLength": 2}, "a", "1 characters; minLength is 2"),
        ({"maxLength": 2}, "abc", "3 characters; maxLength is 2"),
        ({"minItems": 1}, [], "0 elements; minItems is 1"),
        ({"maxItems": 1}, [1, 2, 3], "3 elements; maxItems is 1"),
        ({"minimum": 1}, 0, "0 is less than the minimum of 1"),
        (
            {"additionalProperties": False, "properties": {"leaf": {}}},
            {"laef": 1},
            "'laef' is not known here; did you mean 'leaf'?",
        ),
        ({"additionalProperties": False}, {"x": 1}, "'x' is not known here"),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}, {}, "one of a, b and c is required"),
        ({"required": ["a"]}, {}, "a is required but missing"),
    ],
)
def test_a_violation_is_told_in_plain_words(schema: JsonObject, value: Any, message: str) -> None:
    assert _message(schema, value) == message


def test_a_long_value_is_cut() -> None:
    message = _message({"type": "integer"}, "x" * 5000)

    assert message == f"'{'x' * 76}… is no integer"


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [False, {"type": "integer"}]},
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        {"not": {"type": "string"}},
        False,
        {"uniqueItems": True, "type": "integer"},
        {"properties": {"y": False}, "type": "integer"},
        {"multipleOf": 2, "type": "integer"},
        {"if": {"type": "string"}, "then": {"type": "integer"}},
        {"propertyNames": {"pattern": "^a"}, "type": "integer"},
        {"format": "uri", "type": "integer"},
    ],
)
def test_every_violation_has_words_of_some_kind(schema: Any) -> None:
    assert _message(schema, "text")


@pytest.mark.parametrize(
    ("pattern", "valid", "invalid"),
    [
        (r"^\d+$", "12", "١٢"),
        (r"^\s$", "\ufeff", "\x1c"),
        (r"^\w$", "a", "é"),
        (r"^a|b$", "xb", "x\n"),
        (r"^(a|b$)", "b", "b\n"),
        (r"\$$", "a$", "$a"),
        (r"^[$]$", "$", "$\n"),
    ],
)
def test_what_one_validator_refuses_the_other_explains(pattern: str, valid: str, invalid: str) -> None:
    schema = _schema(properties={"x": {"pattern": pattern}})

    assert (schema.is_valid({"x": valid}), schema.is_valid({"x": invalid})) == (True, False)
    assert schema.explain({"x": invalid}).pointer == "/x"
