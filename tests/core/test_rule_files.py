"""Rules that stand in files: read together, taken over together, followed as they change."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from emulator.core.exchange import JsonObject
from emulator.core.rule_files import RuleFiles
from emulator.core.rules import Count
from tests.support.toy_cloud import ToyWorld, toy_world

SLOW: JsonObject = {"name": "slow", "then": {"latency": "1s"}}
GREEN = {"leaf": "green"}


@dataclass
class Folder:
    """A world whose rules are the files of a folder."""

    path: Path
    world: ToyWorld
    files: RuleFiles

    def write(self, name: str, content: Any) -> None:
        """Write a file: a text as it is, anything else as JSON. It is newer than all before."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        stamp = path.stat().st_mtime_ns + 1_000_000 if path.exists() else None
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        if stamp is not None:
            os.utime(path, ns=(stamp, stamp))

    def look(self) -> list[str]:
        """Look twice, so that a change counts, and say the names of the rules in force."""
        self.files.look()
        self.files.look()
        return self.names

    @property
    def names(self) -> list[str]:
        """The names of the rules in force."""
        return [rule.name for rule in self.world.account.rules.in_force]

    def refused(self) -> list[str]:
        """All that is wrong with the files, without the folder's name."""
        with pytest.raises(ConfigurationError) as caught:
            self.files.load()
        return [str(problem).removeprefix(f"{self.path}/") for problem in caught.value.problems]


def files_of(world: ToyWorld, *paths: Path) -> RuleFiles:
    return RuleFiles(paths, world.reader, world.accounts.rules)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Folder:
    world = toy_world()
    return Folder(tmp_path, world, files_of(world, tmp_path))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("one.yaml", "name: slow\nthen: {latency: 1s}\n"),
        ("list.yml", "- name: slow\n  then: {latency: 1s}\n"),
        ("rules.yaml", "version: 1\nrules:\n  - name: slow\n    then: {latency: 1s}\n"),
        ("one.json", '{"name": "slow", "then": {"latency": "1s"}}'),
        ("list.json", '[\n\t{"name": "slow", "then": {"latency": "1s"}}\n]'),
        ("rules.json", '{"$schema": "rule.json", "rules": [{"name": "slow", "then": {"latency": "1s"}}]}'),
        ("bom.yaml", "\ufeffname: slow\nthen: {latency: 1s}\n"),
    ],
)
def test_a_file_is_a_rule_or_a_list_or_an_object_with_rules(folder: Folder, name: str, text: str) -> None:
    folder.write(name, text)

    assert folder.files.load() == 1
    assert folder.names == ["slow"]


@pytest.mark.parametrize("text", ["[]", "rules: []"])
def test_a_file_may_have_no_rules(folder: Folder, text: str) -> None:
    folder.write("none.yaml", text)

    assert folder.files.load() == 0


def test_rules_of_files_act_in_every_account(folder: Folder) -> None:
    folder.write("slow.json", SLOW)
    folder.files.load()

    assert [folder.world.ask("/toy/Brew", GREEN, **key).latency for key in ({}, {"x_toy_key": "K1"})] == [1.0, 1.0]


def test_files_of_a_folder_are_read_in_the_order_of_their_names_with_those_of_folders_in_it(folder: Folder) -> None:
    for name in ("b.json", "a.yaml", "deep/c.yml", "B.json"):
        folder.write(name, {"name": name, "then": {"latency": 1}})
    folder.files.load()

    assert folder.names == ["B.json", "a.yaml", "b.json", "deep/c.yml"]


@pytest.mark.parametrize("name", [".a.yaml", "a.yaml~", "a.txt", ".git/a.yaml", ".#a.json"])
def test_what_editors_and_others_leave_in_a_folder_is_no_rule_file(folder: Folder, name: str) -> None:
    folder.write(name, "no rule at all")

    assert folder.files.load() == 0


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(SLOW))
    world = toy_world()

    assert files_of(world, tmp_path, tmp_path / "a.json", tmp_path / "." / "a.json").load() == 1


def test_a_rule_knows_its_file_and_line(folder: Folder) -> None:
    folder.write("a.yaml", "# mine\nrules:\n  - then: {latency: 1}\n\n  - then: {latency: 2}\n")
    folder.files.load()

    assert [rule.origin for rule in folder.world.accounts.rules] == [f"{folder.path}/a.yaml:{line}" for line in (3, 5)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "then:\n  eror: 7\n", "a.yaml:1#/then: 'eror' is not known here; did you mean 'error'?"),
        (
            "a.yaml",
            "- then: {latency: 1}\n- when:\n    operation: toy.Brwe\n  then: {latency: 1}\n",
            "a.yaml:3#/1/when/operation: no operation is called toy.Brwe; did you mean 'toy.Brew'?",
        ),
        (
            "a.json",
            '{"rules": [\n\t{"then": {\n\t\t"error": 75\n\t}}\n]}',
            "a.json:3#/rules/0/then/error: toy has no code 75 in its api list; nearest: 7 (no such leaf)",
        ),
        ("a.yaml", "\n\nname: x\n", "a.yaml:3#/then: then is required but missing"),
        ("a.yaml", "then: {fault: rest}", "a.yaml:1#/then/fault: no fault is called 'rest'; did you mean 'reset'?"),
        ("a.yaml", "ruls: []\nrules: []", "a.yaml:1#/ruls: 'ruls' is not known here; did you mean 'rules'?"),
        ("a.yaml", "version: 2\nrules: []", "a.yaml:1#/version: 2 is not known; rule files are of version 1"),
        ("a.yaml", "rules:\n  then: {latency: 1}", "a.yaml:1#/rules: must be a list of rules"),
        ("a.yaml", "", "a.yaml:1: nothing is in it; write a rule, a list of rules, or [] for none"),
        ("a.yaml", "later", "a.yaml:1: this is no rule; write a rule, a list of rules, or [] for none"),
        ("a.yaml", "then: {latency: 1", "a.yaml:1: not YAML: expected ',' or '}', but got '<stream end>'"),
        ("a.yaml", "then:\n\tlatency: 1", "a.yaml:2: not YAML: found character '\\t' that cannot start any token"),
        (
            "a.json",
            '{\n"then": }',
            "a.json:2: not JSON: unexpected character, expected a JSON value: line 2 column 9 (char 10)",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_line_and_pointer(
    folder: Folder, name: str, text: str, said: str
) -> None:
    folder.write(name, text)

    assert folder.refused() == [said]


def test_what_is_wrong_with_all_files_is_told_at_once(folder: Folder) -> None:
    folder.write("a.yaml", "- then: {error: 75}\n- then: {latency: soon}\n")
    folder.write("b.json", "{")
    folder.write("c.yaml", "then:\n  fault: rest\n  error: 76\n")

    assert [line.partition(": ")[0] for line in folder.refused()] == [
        "a.yaml:1#/0/then/error",
        "a.yaml:2#/1/then/latency",
        "b.json:1",
        "c.yaml:3#/then/error",
        "c.yaml:2#/then/fault",
    ]


def test_a_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no\.yaml: No such file or directory"):
        files_of(toy_world(), tmp_path / "no.yaml").load()


def test_a_file_that_is_named_must_be_of_a_known_kind(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("[]")

    with pytest.raises(ConfigurationError, match=r"a\.txt: no rule file: they end with \.yaml, \.yml, \.json"):
        files_of(toy_world(), tmp_path / "a.txt").load()


@pytest.mark.parametrize("word", ["yes", "no", "on", "Off", "y"])
def test_who_writes_a_truth_in_the_yaml_of_old_is_told_how_to(folder: Folder, word: str) -> None:
    folder.write("a.yaml", f"then: {{reply: {{body: {{}}, unchecked: {word}}}}}")

    assert folder.refused() == [f"a.yaml:1#/then/reply/unchecked: {word!r} is no boolean; write true or false"]


def test_one_file_that_is_wrong_leaves_all_rules_as_they_were(folder: Folder) -> None:
    folder.write("a.json", SLOW)
    folder.files.load()
    folder.write("a.json", {"name": "slower", "then": {"latency": "2s"}})
    folder.write("b.json", {"then": {"error": 75}})

    folder.refused()

    assert folder.names == ["slow"]
    assert [problem.pointer for problem in folder.files.problems] == ["/then/error"]


def test_nothing_is_wrong_any_more_once_the_file_is_in_order(folder: Folder) -> None:
    folder.write("a.json", "{")
    folder.refused()
    folder.write("a.json", SLOW)
    folder.files.load()

    assert (folder.files.problems, folder.names) == ((), ["slow"])


# Looking


def test_a_changed_file_counts_from_the_look_on_that_finds_it_unchanged(folder: Folder) -> None:
    folder.write("a.json", SLOW)
    folder.files.load()
    folder.write("a.json", {"name": "slower", "then": {"latency": "2s"}})

    seen = []
    for _ in range(2):
        folder.files.look()
        seen.append(folder.names)

    assert seen == [["slow"], ["slower"]]


def test_a_file_that_is_being_written_is_left_alone(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.write("a.json", SLOW)
    folder.files.load()
    for half in ("", "{", '{"name": '):
        folder.write("a.json", half)
        folder.files.look()
    folder.write("a.json", {"name": "slower", "then": {"latency": "2s"}})

    assert folder.look() == ["slower"]
    assert caplog.records == []


def test_files_that_come_and_go_in_a_folder_are_noticed(folder: Folder) -> None:
    folder.write("a.json", SLOW)
    folder.files.load()
    folder.write("b.yaml", "name: bad\nthen: {error: 7}\n")
    both = folder.look()
    (folder.path / "a.json").unlink()

    assert (both, folder.look()) == (["slow", "bad"], ["bad"])


def test_a_file_that_was_named_and_is_gone_leaves_its_rules_in_force(tmp_path: Path) -> None:
    path, world = tmp_path / "a.json", toy_world()
    path.write_text(json.dumps(SLOW))
    files = files_of(world, path)
    files.load()
    path.unlink()
    for _ in range(2):
        files.look()

    assert [rule.name for rule in world.accounts.rules] == ["slow"]
    assert [problem.message for problem in files.problems] == ["No such file or directory"]


def test_a_file_that_another_took_the_place_of_is_noticed(folder: Folder) -> None:
    folder.write("a.json", SLOW)
    folder.files.load()
    before = (folder.path / "a.json").stat()
    folder.write(".new", {"name": "fast", "then": {"latency": "1s"}})
    os.utime(folder.path / ".new", ns=(before.st_mtime_ns, before.st_mtime_ns))
    (folder.path / ".new").replace(folder.path / "a.json")

    assert folder.look() == ["fast"]


def test_a_change_that_makes_no_sense_is_told_once_and_in_plain_words(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    folder.write("a.json", SLOW)
    folder.files.load()
    folder.write("a.json", {"then": {"eror": 7}})
    folder.look()
    folder.look()

    (record,) = caplog.records
    assert record.getMessage() == (
        "the rule files have changed, but are not in order; the rules of before stay:\n"
        f"{folder.path}/a.json:1#/then: 'eror' is not known here; did you mean 'error'?"
    )
    assert record.exc_info is None
    assert folder.names == ["slow"]


def test_without_files_there_is_nothing_to_look_at() -> None:
    files = files_of(toy_world())
    files.look()

    assert (bool(files), files.load(), files.problems) == (False, 0, ())


# Ids and counters


def test_a_rule_that_stays_goes_on_counting(folder: Folder) -> None:
    folder.write("a.json", [{"times": {"first": 2}, "then": {"latency": 1}}])
    folder.files.load()
    before = folder.world.ask("/toy/Brew", GREEN).latency
    folder.write("a.json", [{"then": {"error": 9}, "when": {"operation": "toy.Ask"}}, *json.loads(_text(folder))])
    folder.look()

    assert [before, *(folder.world.ask("/toy/Brew", GREEN).latency for _ in range(2))] == [1.0, 1.0, 0.0]


def test_a_rule_that_was_changed_begins_to_count_anew(folder: Folder) -> None:
    folder.write("a.json", {"times": {"first": 1}, "then": {"latency": 1}})
    folder.files.load()
    folder.world.ask("/toy/Brew", GREEN)
    folder.write("a.json", {"times": {"first": 1}, "then": {"latency": 2}})
    folder.look()

    assert [folder.world.ask("/toy/Brew", GREEN).latency for _ in range(2)] == [2.0, 0.0]


def test_two_rules_that_are_the_same_count_each_for_itself(folder: Folder) -> None:
    folder.write("a.json", [{"times": {"first": 1}, "then": {"latency": 1}}] * 2)
    folder.files.load()

    assert [folder.world.ask("/toy/Brew", GREEN).latency for _ in range(3)] == [1.0, 1.0, 0.0]


def test_ids_do_not_depend_on_where_the_files_lie(tmp_path: Path) -> None:
    found = []
    for name in ("here", "there"):
        world, folder = toy_world(), tmp_path / name
        folder.mkdir()
        (folder / "a.json").write_text(json.dumps([SLOW, SLOW]))
        files_of(world, folder).load()
        found.append([rule.id for rule in world.accounts.rules])

    assert found[0] == found[1]
    assert len(set(found[0])) == 2


def test_rules_of_files_stay_when_an_account_is_reset_and_count_anew(folder: Folder) -> None:
    folder.write("a.json", {"times": {"first": 1}, "then": {"latency": 1}})
    folder.files.load()
    account = folder.world.account
    folder.world.ask("/toy/Brew", GREEN)
    account.reset()

    (rule,) = account.rules.in_force
    assert account.rules.count(rule.id) == Count(0, 0)
    assert folder.world.ask("/toy/Brew", GREEN).latency == 1.0


def _text(folder: Folder) -> str:
    return (folder.path / "a.json").read_text("utf-8")
