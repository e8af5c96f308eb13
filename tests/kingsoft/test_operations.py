"""The table of operations and the schemas belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.core.schemas import BASE
from tests.support.clouds import data, emulation

CLOUDS = ("kingsoft", "baidu")
ROWS = [row for provider in emulation().providers.values() for row in provider.operations]
BESIDE_OPERATIONS = {
    "kingsoft": {
        "callback.task",
        "callback.progress",
        "callback.flow",
        "callback.legacy.task",
        "callback.legacy.progress",
        "callback.legacy.flow",
        "error.gateway",
        "media",
        "options",
        "preset",
        "presets",
        "result",
    },
    "baidu": {"classifier", "error.gateway", "oauth.token.error", "options", "picture", "template"},
}
"""Schemas of what no operation is named after: callbacks, refusals, fixtures."""


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref" and isinstance(value, str):
                yield value.partition("#")[0]
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for entry in part:
            yield from _references(entry)


def _names(cloud: str) -> set[str]:
    prefix = f"{BASE}{cloud}/"
    return {
        schema.id.removeprefix(prefix).removesuffix(".json") for schema in data()[0] if schema.id.startswith(prefix)
    }


@pytest.mark.parametrize("qualified", [row.qualified for row in ROWS])
def test_an_operation_has_schemas_of_its_request_and_its_answer(qualified: str) -> None:
    cloud, _, name = qualified.partition(".")

    assert {f"{name}.request", f"{name}.response"} <= _names(cloud)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.qualified)
def test_an_operation_says_what_it_is_for_and_where_that_is_known_from(row: Any) -> None:
    assert row.summary
    assert row.source


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_operations_of_a_cloud_have_different_names(cloud: str) -> None:
    names = [row.name for row in ROWS if row.cloud == cloud]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_schema_belongs_to_something(cloud: str) -> None:
    schemas, _ = data()
    of_operations = {f"{row.name}.{side}" for row in ROWS if row.cloud == cloud for side in ("request", "response")}
    referred = {
        name.removesuffix(".json")
        for schema in schemas
        if schema.id.startswith(f"{BASE}{cloud}/")
        for name in _references(schema.document)
        if name
    }

    assert _names(cloud) == of_operations | BESIDE_OPERATIONS[cloud] | referred


def test_the_operations_that_start_tasks_are_known() -> None:
    assert {row.qualified for row in ROWS if row.starts_task} == {
        "kingsoft.CreateTask",
        "kingsoft.CreateFlowTask",
        "kingsoft.BatchCreateTask",
        "kingsoft.CreateWaveTask",
        "kingsoft.FetchObjectMediaProcess",
    }


def test_every_documented_action_of_kingsoft_is_emulated() -> None:
    actions = """
        Preset UpdatePreset DelPreset GetPresetList GetPresetDetail CreateTask CreateFlowTask BatchCreateTask
        CreateWaveTask DelTaskByTaskID TopTaskByTaskID GetTaskList GetTaskByTaskID GetTaskMetaInfo FetchMetaInfo
        UpdatePipeline QueryPipeline QueryTaskStats GetMediaTransDuration GetScreenshotNumber GetInterfaceNumber
        FetchObjectMediaProcess ListFetchObjectMediaProcess GetFetchObjectMediaProcess
    """

    assert {row.wire for row in ROWS if row.cloud == "kingsoft"} == set(actions.split())
