"""Settings: flag before environment before file before default; a bad value is one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from emulator.settings import FIELDS, Settings, choices, flag, is_list, is_switch, resolve, rewrites, variable


def _resolved(
    flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None, file: Path | None = None
) -> Settings:
    settings, warnings = resolve(flags or {}, environment or {}, file)
    assert warnings == []
    return settings


def _problems(
    flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None, file: Path | None = None
) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        resolve(flags or {}, environment or {}, file)
    return [str(problem) for problem in caught.value.problems]


def _toml(folder: Path, text: str | bytes, name: str = "settings.toml") -> Path:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_without_a_word_everything_is_as_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert _resolved() == Settings()


def test_a_flag_counts_more_than_the_environment() -> None:
    assert _resolved({"port": "1"}, {"EMULATOR_PORT": "2"}).port == 1


def test_the_environment_counts_more_than_the_file(tmp_path: Path) -> None:
    assert _resolved({}, {"EMULATOR_PORT": "2"}, _toml(tmp_path, "port = 3")).port == 2


def test_the_file_counts_more_than_the_default(tmp_path: Path) -> None:
    assert _resolved(file=_toml(tmp_path, "port = 3")).port == 3


def test_what_one_place_leaves_out_another_may_say(tmp_path: Path) -> None:
    settings = _resolved({"seed": "1"}, {"EMULATOR_PORT": "2"}, _toml(tmp_path, 'host = "::1"'))

    assert (settings.seed, settings.port, settings.host) == (1, 2, "::1")


def test_the_file_in_the_current_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _toml(tmp_path, "port = 3", "emulator.toml")
    monkeypatch.chdir(tmp_path)

    assert _resolved().port == 3


def test_a_file_that_is_named_is_read_instead_of_the_one_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _toml(tmp_path, "port = 3", "emulator.toml")
    monkeypatch.chdir(tmp_path)

    assert _resolved(file=_toml(tmp_path, "port = 4")).port == 4


def test_names_in_a_file_may_have_hyphens(tmp_path: Path) -> None:
    assert _resolved(file=_toml(tmp_path, "clock-speed = 2.5")).clock_speed == 2.5


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "0", 0),
        ("seed", "9007199254740991", 2**53 - 1),
        ("clock_speed", "60", 60.0),
        ("clock_speed", "0.5", 0.5),
        ("host", "0.0.0.0", "0.0.0.0"),
        ("lenient_json", "true", True),
        ("lenient_json", "No", False),
        ("lenient_json", "1", True),
        ("lenient_json", " off ", False),
        ("responses", "random", "random"),
        ("auth", "strict", "strict"),
        ("schemas", "a,b", ("a", "b")),
        ("schemas", " a , ,b ", ("a", "b")),
        ("schemas", "", ()),
        ("admin_token", "", ""),
    ],
)
def test_a_variable_is_read_as_its_settings_type(name: str, text: str, value: object) -> None:
    found = getattr(_resolved({}, {variable(name): text}), name)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("port = 0", "port", 0),
        ("clock_speed = 60", "clock_speed", 60.0),
        ("lenient_json = true", "lenient_json", True),
        ('schemas = ["a", "b"]', "schemas", ("a", "b")),
        ('schemas = "a"', "schemas", ("a",)),
        ('host = "::"', "host", "::"),
    ],
)
def test_a_line_of_the_file_is_read_as_its_settings_type(tmp_path: Path, line: str, name: str, value: object) -> None:
    found = getattr(_resolved(file=_toml(tmp_path, line)), name)

    assert (found, type(found)) == (value, type(value))


def test_a_flag_that_was_given_several_times_is_a_list() -> None:
    assert _resolved({"schemas": ["a", "b"]}).schemas == ("a", "b")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("port", "abc", "'abc' is no whole number"),
        ("port", "", "'' is no whole number"),
        ("port", "1.5", "'1.5' is no whole number"),
        ("port", "-1", "-1 is out of bounds: from 0 to 65535"),
        ("port", "65536", "65536 is out of bounds: from 0 to 65535"),
        ("seed", "9007199254740992", "9007199254740992 is out of bounds: from 0 to 9.0072e+15"),
        ("clock_speed", "fast", "'fast' is no number"),
        ("clock_speed", "0", "0 is out of bounds: from 0.001 to 1e+06"),
        ("journal_entries", "0", "0 is out of bounds: 1 at least"),
        ("lenient_json", "perhaps", "'perhaps' is neither true nor false"),
        ("responses", "cannd", "'cannd' is none of canned, random; did you mean 'canned'?"),
        ("clock", "stopped", "'stopped' is none of real, scaled, frozen"),
    ],
)
def test_a_bad_value_is_named_with_its_place_and_what_would_be_right(name: str, text: str, said: str) -> None:
    assert _problems({}, {variable(name): text}) == [f"{variable(name)}: {said}"]
    assert _problems({name: text}) == [f"{flag(name)}: {said}"]


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan"])
def test_what_is_not_a_number_is_no_number(text: str) -> None:
    assert len(_problems({}, {"EMULATOR_CALLBACK_TIMEOUT": text})) == 1


@pytest.mark.parametrize(
    "line",
    [
        "port = true",
        "port = [1]",
        'port = "x"',
        "clock_speed = nan",
        "clock_speed = true",
        "clock_speed = [1]",
        "lenient_json = 2",
        "responses = 1",
        'responses = ["canned"]',
        "schemas = 1",
        "schemas = true",
        "schemas = {a = 1}",
        'host = ["a"]',
        "port = 2026-01-01",
    ],
)
def test_a_line_of_the_file_whose_value_is_of_another_kind_is_one_problem(tmp_path: Path, line: str) -> None:
    file = _toml(tmp_path, line)

    (problem,) = _problems(file=file)

    assert problem.startswith(f"{file}: {line.partition(' ')[0]}: ")


def test_a_setting_that_does_not_exist_is_a_problem_of_the_file_with_the_nearest(tmp_path: Path) -> None:
    file = _toml(tmp_path, "prot = 1")

    assert _problems(file=file) == [f"{file}#/prot: no such setting; did you mean 'port'?"]


def test_a_setting_that_does_not_exist_is_a_problem_of_the_file_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _toml(tmp_path, "prot = 1", "emulator.toml")
    monkeypatch.chdir(tmp_path)

    assert _problems() == ["emulator.toml#/prot: no such setting; did you mean 'port'?"]


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_one_problem_with_its_name(tmp_path: Path, content: bytes) -> None:
    file = _toml(tmp_path, content)

    (problem,) = _problems(file=file)

    assert problem.startswith(f"{file}: ")


def test_a_file_that_is_named_and_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (problem,) = _problems(file=tmp_path / "none.toml")

    assert problem.startswith(f"{tmp_path / 'none.toml'}: ")
    assert "No such file" in problem


def test_every_bad_value_is_told(tmp_path: Path) -> None:
    problems = _problems({"port": "x"}, {"EMULATOR_SEED": "y"}, _toml(tmp_path, "prot = 1"))

    assert [problem.rpartition(": ")[0] for problem in problems][1:] == ["EMULATOR_SEED", "--port"]
    assert len(problems) == 3


def test_every_problem_is_one_line(tmp_path: Path) -> None:
    problems = _problems({"port": "a\nb"}, {"EMULATOR_CLOCK": "x\ny"}, _toml(tmp_path, "port = ["))

    assert all("\n" not in problem for problem in problems)


def test_a_variable_that_is_no_setting_is_a_warning_with_the_nearest() -> None:
    _, warnings = resolve({}, {"EMULATOR_PROT": "1"}, None)

    assert warnings == ["EMULATOR_PROT is no setting; did you mean 'EMULATOR_PORT'?"]


@pytest.mark.parametrize("name", ["EMULATOR_URL", "EMULATOR_CONFIG", "HOME", "MY_EMULATOR_PORT", "EMULATORS"])
def test_variables_that_others_read_are_no_warning(name: str) -> None:
    assert resolve({}, {name: "x"}, None)[1] == []


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_help_text(name: str) -> None:
    text = FIELDS[name].metadata["help"]

    assert text
    assert "\n" not in text


@pytest.mark.parametrize("name", FIELDS)
def test_every_default_is_a_value_that_could_be_given(name: str) -> None:
    default = FIELDS[name].default
    if default is None:
        return
    given = list(default) if is_list(name) else str(default)

    assert getattr(_resolved({name: given}), name) == default


def test_settings_that_may_be_given_several_times_or_are_switches_or_choices_are_known() -> None:
    assert {name for name in FIELDS if is_list(name)} == {
        "schemas",
        "fixtures",
        "callback_allow",
        "callback_rewrite",
        "admin_host",
        "cors",
        "tls_name",
        "signing_service",
        "rules",
    }
    assert {name for name in FIELDS if is_switch(name)} >= {"lenient_json", "legacy_presets"}
    assert {name for name in FIELDS if choices(name)} >= {"responses", "accounts", "auth", "clock", "limits"}


def test_rewrites_are_read_as_a_map() -> None:
    settings = _resolved({"callback_rewrite": ["localhost=host.docker.internal", "a=b=c"]})

    assert rewrites(settings) == {"localhost": "host.docker.internal", "a": "b=c"}


@pytest.mark.parametrize("entry", ["localhost", "=x", "x=", "="])
def test_a_rewrite_that_is_none_is_a_problem(entry: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^--callback-rewrite: '{entry}' is not HOST=OTHER$"):
        rewrites(_resolved({"callback_rewrite": [entry]}))


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")

    settings, warnings = resolve({}, {"EMULATOR_ADMIN_TOKEN_FILE": str(tmp_path / "token")}, None)

    assert (settings.admin_token, warnings) == ("secret", [])


def test_a_file_for_a_secret_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"EMULATOR_ADMIN_TOKEN_FILE: .*No such file"):
        resolve({}, {"EMULATOR_ADMIN_TOKEN_FILE": str(tmp_path / "none")}, None)


def test_a_secret_that_stands_in_two_places_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="EMULATOR_ADMIN_TOKEN is set, too"):
        resolve({}, {"EMULATOR_ADMIN_TOKEN": "x", "EMULATOR_ADMIN_TOKEN_FILE": "y"}, None)


def test_what_is_in_a_folder_is_used_behind_what_was_named(tmp_path: Path) -> None:
    for name in ("rules", "fixtures", "own"):
        (tmp_path / name).mkdir()

    settings, _ = resolve({"folder": str(tmp_path), "rules": [str(tmp_path / "own")]}, {}, None)

    assert settings.rules == (str(tmp_path / "own"), str(tmp_path / "rules"))
    assert settings.fixtures == (str(tmp_path / "fixtures"),)
    assert settings.schemas == ()


def test_a_folder_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--folder: no such folder"):
        resolve({"folder": str(tmp_path / "none")}, {}, None)


def test_variables_of_a_service_that_is_called_emulator_are_no_settings() -> None:
    linked = {
        "EMULATOR_PORT": "tcp://10.0.0.1:8640",
        "EMULATOR_PORT_8640_TCP": "tcp://10.0.0.1:8640",
        "EMULATOR_PORT_8640_TCP_ADDR": "10.0.0.1",
        "EMULATOR_SERVICE_HOST": "10.0.0.1",
        "EMULATOR_SERVICE_PORT_HTTP": "8640",
    }

    settings, warnings = resolve({}, linked, None)

    assert (settings.port, warnings) == (8640, [])
