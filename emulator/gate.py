"""The verdict as the gate of a build: a command run with an emulator at hand, and a report that CI systems read."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from emulator.client import AdminClient, AdminError, account_path
from emulator.core.accounts import DEFAULT
from emulator.core.errors import ConfigurationError, EmulatorError, Problem
from emulator.core.exchange import JsonObject
from emulator.core.values import value_type
from emulator.core.written import Written, read

PATIENCE = 180.0
"""Seconds that a verdict may take: longer than anybody can have it wait."""
NOT_EXECUTABLE, NOT_FOUND, BY_SIGNAL = 126, 127, 128
"""What a shell ends with; the last is added to the number of the signal."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CannotRun(EmulatorError):
    """A command that cannot be run, and the code that a shell would end with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = code


@value_type
class Judgement:
    """The verdict on an account as the admin API said it: ``findings`` as there, ``text`` for people."""

    account: str
    ok: bool
    text: str
    findings: Sequence[JsonObject]


@value_type
class Expected:
    """A file of expectations; without one, nothing unexpected is expected."""

    name: str = ""
    written: Written = Written({}, {})

    @classmethod
    def read(cls, path: Path | None) -> Expected:
        """What is in the file at ``path``, JSON or YAML.

        Raises:
            ConfigurationError: there is no such file, or something else is in it.

        """
        if path is None:
            return cls()
        try:
            written = read(str(path), path.read_bytes())
        except OSError as error:
            raise ConfigurationError([Problem(str(path), "", error.strerror or str(error))]) from None
        return cls(str(path), written if written.document is not None else Written({}, {}))

    def blamed(self, problems: Iterable[Problem]) -> ConfigurationError:
        """``problems`` of its document, with the lines that they are in."""
        line = self.written.line
        return ConfigurationError(
            Problem(f"{self.name}:{line(problem.pointer)}", problem.pointer, problem.message) for problem in problems
        )


def judge(client: AdminClient, account: str, expected: Expected, wait: str | None = None) -> Judgement:
    """The verdict on ``account``.

    Raises:
        ConfigurationError: the expectations make no sense.
        AdminError: the admin API said no.
        Unreachable: nobody answers.

    """
    try:
        _, said = client.post(account_path(account, "verify"), expected.written.document, wait=wait)
        return Judgement(account, True, said["text"], said["findings"])
    except AdminError as error:
        if error.status == 406:
            return Judgement(account, False, error.detail, error.document["findings"])
        if error.status == 404:
            return _missing(account, error)
        if problems := error.document.get("problems"):
            found = [Problem("", problem["pointer"], problem["message"]) for problem in problems]
            raise expected.blamed(found) from None
        raise


def _missing(account: str, error: AdminError) -> Judgement:
    """The verdict on an account that nobody made or called."""
    finding = {"check": "", "ok": False, "expected": "that the account exists", "found": error.detail, "nearest": []}
    return Judgement(account, False, f"verdict on account {account}: FAILED; {error.detail}", [finding])


def called_accounts(client: AdminClient) -> list[str]:
    """The accounts in which something happened; the default one if nothing did."""
    _, said = client.get("/accounts")
    return [row["name"] for row in said["accounts"] if row["requests"]] or [DEFAULT]


def write_junit(path: Path, judgements: Sequence[Judgement]) -> None:
    """Write a report: a test suite ``emulator`` with a test case for each check.

    Raises:
        ConfigurationError: the file cannot be written.

    """
    from xml.etree import ElementTree as ET

    rows = [(judgement, finding) for judgement in judgements for finding in judgement.findings]
    failures = sum(not finding["ok"] for _, finding in rows)
    suite = ET.Element("testsuite", name="emulator", tests=str(len(rows)), failures=str(failures), errors="0")
    for judgement, finding in rows:
        name = _xml(f"{finding['check']}: {finding['expected']}")
        case = ET.SubElement(suite, "testcase", classname=_xml(f"emulator.{judgement.account}"), name=name)
        if not finding["ok"]:
            told = _xml(f"found {finding['found']}")
            failure = ET.SubElement(case, "failure", message=told)
            failure.text = _xml("\n".join([told, *finding["nearest"], "", judgement.text]))
    suites = ET.Element("testsuites")
    suites.append(suite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ET.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise ConfigurationError([Problem(str(path), "", f"cannot be written: {error.strerror}")]) from None


def _xml(text: str) -> str:
    """``text`` without the characters that no XML may have."""
    return _NOT_IN_XML.sub("?", text)


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code, a shell's 128 and more if a signal ended it.

    SIGINT and SIGTERM are passed on to it, except for a Ctrl-C, which the terminal gave to both.

    Raises:
        CannotRun: it does not exist, or is no program.

    """
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        if child is None:
            early.append(number)
        elif not (number == signal.SIGINT and _has_terminal()):
            child.send_signal(number)

    heeded = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, forward) for number in heeded}
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603  what the user asked for
        for number in early:
            child.send_signal(number)
        code = child.wait()
    except FileNotFoundError:
        raise CannotRun(NOT_FOUND, f"{command[0]}: no such command") from None
    except OSError as error:
        raise CannotRun(NOT_EXECUTABLE, f"{command[0]} cannot be run: {error.strerror}") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else BY_SIGNAL - code


def _has_terminal() -> bool:
    """Whether this process and those it started are what a terminal's Ctrl-C goes to."""
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # there is no terminal; there is no such thing on this system
        return False
