"""The image's definition and the files to copy, as far as they can be looked at without a container engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.assembly import assemble
from emulator.core.written import read
from emulator.server import init_hooks
from emulator.settings import PREFIX, Settings, resolve
from tests.support.process import ROOT

EXAMPLES = ROOT / "examples" / "sidecar"
CHECK = ROOT / "docker" / "check"
TEXT = (ROOT / "Dockerfile").read_text("utf-8")
YAML = [*EXAMPLES.rglob("*.y*ml"), *CHECK.rglob("*.yaml")]
FILES = sorted(path for path in [*EXAMPLES.rglob("*"), *CHECK.rglob("*")] if path.is_file())


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of that name in the last stage."""
    last = TEXT.replace("\\\n", " ").rpartition("\nFROM ")[2]
    return [line.partition(" ")[2].strip() for line in last.splitlines() if line.startswith(f"{name} ")]


def variables(document: Any) -> Iterator[tuple[str, str]]:
    """Each emulator's variable that is set anywhere in ``document``, with its value."""
    if isinstance(document, list):
        for each in document:
            yield from variables(each)
    elif isinstance(document, dict):
        if str(document.get("name", "")).startswith(PREFIX) and "value" in document:
            yield document["name"], str(document["value"])
        for name, value in document.items():
            if str(name).startswith(PREFIX) and isinstance(value, (str, int)):
                yield name, str(value)
            yield from variables(value)


def loaded(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


# The image


def test_the_image_runs_as_a_numbered_user_and_group() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instructions("USER")[-1])


@pytest.mark.parametrize("name", ["ENTRYPOINT", "CMD"])
def test_the_emulator_is_process_1_without_a_shell(name: str) -> None:
    (argument,) = instructions(name)

    assert json.loads(argument) == {"ENTRYPOINT": ["emulator"], "CMD": ["serve"]}[name]


def test_the_health_check_is_the_emulators_own_verb() -> None:
    (check,) = instructions("HEALTHCHECK")

    assert json.loads(check.partition("CMD ")[2]) == ["emulator", "healthcheck"]


def test_the_image_exposes_the_default_port_and_listens_beyond_loopback() -> None:
    assert instructions("EXPOSE") == [str(Settings().port)]
    assert "EMULATOR_HOST=0.0.0.0" in instructions("ENV")[0]


def test_the_base_is_a_pinned_argument() -> None:
    assert re.search(r"^ARG PYTHON=3\.\d+$", TEXT, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)) == {"python:${PYTHON}-slim"}


def test_the_image_has_labels() -> None:
    (labels,) = instructions("LABEL")

    for name in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels


def test_the_variables_of_the_image_are_settings(tmp_path: Path) -> None:
    found = dict(re.findall(r"(EMULATOR_\w+)=(\S+)", instructions("ENV")[0]))
    assert found.pop("EMULATOR_FOLDER") == "/etc/emulator"

    assert resolve({}, found, None)[1] == []


def test_only_what_a_build_needs_is_sent_to_the_engine() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").split()

    assert lines[0] == "*"
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", TEXT, re.MULTILINE):
        for name in source.split():
            assert f"!{name.split('/')[0]}" in lines


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="there is no shellcheck here")
def test_the_script_of_the_build_has_no_faults() -> None:
    subprocess.run(["shellcheck", ROOT / "docker" / "trim.sh"], check=True)


# The files to copy


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_variable_in_a_file_to_copy_is_a_setting(path: Path) -> None:
    found = dict(variables(loaded(path)))
    found.pop("EMULATOR_ADMIN_TOKEN_FILE", None)

    assert resolve({}, found, None)[1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_of_the_admin_api_in_a_file_to_copy_is_one_that_is_served(path: Path) -> None:
    found = set(re.findall(r"/_emulator/(\w+)", path.read_text("utf-8")))

    assert found <= {"livez", "readyz", "health"}


def test_the_compose_file_waits_until_the_emulator_is_healthy() -> None:
    (document,) = loaded(EXAMPLES / "compose.yaml")
    services = document["services"]

    for name in ("app", "tests"):
        assert services[name]["depends_on"]["emulator"] == {"condition": "service_healthy"}


def test_the_aliases_of_the_compose_file_are_hosts_of_the_vendors() -> None:
    (document,) = loaded(EXAMPLES / "compose.yaml")
    aliases = document["services"]["emulator"]["networks"]["default"]["aliases"]
    emulation, _ = assemble(Settings(seed=1))
    hosts = [host for provider in emulation.providers.values() for host in provider.hosts]
    patterns = [re.escape(host).replace(r"\*", r"[^.]+") for host in hosts]

    assert {"kvs.api.ksyun.com", "kvs.cn-beijing-6.api.ksyun.com", "aip.baidubce.com"} == set(aliases)
    assert all(any(re.fullmatch(pattern, alias) for pattern in patterns) for alias in aliases)


def test_the_folder_of_the_compose_file_is_in_order() -> None:
    settings, _ = resolve({"folder": str(EXAMPLES / "emulator")}, {}, None)
    emulation, _ = assemble(settings)
    hooks = init_hooks(settings, emulation)

    assert len(emulation.accounts.rules) == 1
    assert hooks is not None
    assert [state.name for state in hooks.states] == ["10-accounts.yaml"]


def test_the_rules_of_the_kubernetes_manifest_are_in_order(tmp_path: Path) -> None:
    config, _ = loaded(EXAMPLES / "kubernetes.yaml")
    for name, text in config["data"].items():
        (tmp_path / name).write_text(text)

    assemble(Settings(seed=1, rules=(str(tmp_path),)))


def test_the_kubernetes_manifest_probes_and_locks_the_emulator() -> None:
    _, job = loaded(EXAMPLES / "kubernetes.yaml")
    (emulator,) = job["spec"]["template"]["spec"]["initContainers"]

    assert {emulator[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "readiness", "liveness")} == {"http"}
    assert emulator["ports"] == [{"name": "http", "containerPort": Settings().port}]
    assert emulator["securityContext"]["readOnlyRootFilesystem"] is True
    assert emulator["restartPolicy"] == "Always"


def test_the_github_service_maps_the_default_port() -> None:
    (document,) = loaded(EXAMPLES / "github-actions.yml")

    assert document["jobs"]["tests"]["services"]["emulator"]["ports"] == [f"{Settings().port}:{Settings().port}"]


def test_the_hooks_of_the_documents_example_are_in_order(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "docker.md").read_text("utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    emulation, _ = assemble(Settings(seed=1))

    emulation.schemas.check("emulator/hook.json", read("x.yaml", text.encode()).document, "x.yaml")


def test_the_python_snippet_compiles() -> None:
    path = EXAMPLES / "testcontainers" / "test_emulator.py"

    compile(path.read_text("utf-8"), str(path), "exec")


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
def test_the_node_snippet_is_well_formed() -> None:
    subprocess.run(["node", "--check", EXAMPLES / "testcontainers" / "emulator.test.mjs"], check=True, timeout=60)
