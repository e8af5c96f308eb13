"""What is shown of an emulator beside a test that failed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.core.exchange import JsonObject

if TYPE_CHECKING:
    from emulator.testing.facade import Emulator

HINT = "emulator.kingsoft.credentials and emulator.baidu.credentials"
SHOWN = 40
"""Lines of a timeline: the last ones."""
EXPLAINED = 3
"""Refused requests that are explained: the last ones."""


def section(emulator: Emulator, *, again: Sequence[str], bundle: Path | None, judged: bool) -> str:
    """The account's history, why requests were refused, and how to see it again.

    Args:
        emulator: the account.
        again: the command that runs the test again.
        bundle: the folder in which everything was saved.
        judged: whether the failure says already what was not as expected.

    """
    requests = emulator.ask("GET", "requests")["requests"]
    deliveries = emulator.ask("GET", "deliveries")["deliveries"]
    clock = emulator.ask("GET", "clock")
    lines = [f"account {emulator.account} at {emulator.url}", *_timeline(requests, deliveries, clock)]
    if not requests and (elsewhere := emulator.server.without_credentials()):
        lines.append(f"  account default, which is for requests without credentials, has {elsewhere}: are {HINT} used?")
    lines += [f"  {_task(task.document)}" for task in emulator.tasks[-SHOWN:]]
    refused = [row["number"] for row in requests if row["code"] is not None and not _by_rule(row)]
    for number in refused[-EXPLAINED:]:
        lines += ["", *emulator.explain(number).splitlines()]
    if not judged and (complaints := emulator.complaints()):
        wrong = [line for line in complaints.splitlines() if line.startswith(("  FAIL", "         "))]
        lines += ["", "not as expected so far:", *wrong]
    lines += ["", f"seed {emulator.seed}; the clock began at {emulator.began}", f"again:   {' '.join(again)}"]
    if bundle is not None:
        lines += [f"saved:   {bundle}", f"look:    emulator snapshot load {bundle / 'snapshot.json'}"]
    return "\n".join(lines)


def save(emulator: Emulator, folder: Path) -> None:
    """Put the account into ``folder``: a snapshot, and its journal as an HTTP Archive."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in (("snapshot.json", "snapshot"), ("journal.har", "journal.har")):
        document = emulator.ask("GET", path)
        (folder / name).write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")


def _by_rule(row: JsonObject) -> bool:
    """Whether a rule refused the request: nothing is to be explained then."""
    return str(row["reason"]).endswith(" says so")


def _timeline(requests: Sequence[JsonObject], deliveries: Sequence[JsonObject], clock: JsonObject) -> Iterator[str]:
    happened = [(row["at"], 0, row["number"], _request(row)) for row in requests]
    for row in deliveries:
        began = row["attempts"][0]["at"] if row["attempts"] else row["due"]
        happened.append((began, 1, row["number"], _delivery(row)))
    happened.sort()
    start = happened[0][0] if happened else clock["now"]
    if not happened:
        yield "  nothing happened"
    if len(happened) > SHOWN:
        yield f"  … {len(happened) - SHOWN} more before"
    for at, _, _, line in happened[-SHOWN:]:
        yield f"  {at - start:+9.1f}s  {line}"
    due = (
        f", {clock['pending']} events to come, the next in {clock['next'] - clock['now']:g} s"
        if clock["pending"]
        else ""
    )
    yield f"  {clock['now'] - start:+9.1f}s  now; the clock is {clock['mode']}{due}"


def _request(row: JsonObject) -> str:
    what = row["operation"] or f"{row['method']} {row['path']}"
    said = "" if row["code"] is None else f", refused with {row['code']}: {row['reason']}"
    return f"request #{row['number']}  {what} -> {row['status']}{said}"


def _delivery(row: JsonObject) -> str:
    tries = [str(attempt["error"] or attempt["status"]) for attempt in row["attempts"]]
    came = f" ({', '.join(tries)})" if tries else ""
    chaos = f" [{', '.join(row['chaos'])}]" if row["chaos"] else ""
    return f"callback #{row['number']} {row['event']} of {row['task']} -> {row['status']}{came}{chaos}"


def _task(row: JsonObject) -> str:
    code = row["timeline"]["code"]
    ending = f", ends as {row['timeline']['outcome']}{f' {code}' if code else ''}"
    return f"task {row['id']} of {row['operation']}: {row['status']} {row['percent']:g} %{ending}"
