"""Init hooks: files that are run when the emulator has started, and when it is told to stop.

``DIR/ready.d`` and ``DIR/shutdown.d`` hold them, in the order of their names: ``.yaml`` and ``.json`` ask the admin
API, ``.sh`` and ``.py`` are run. Documents are read at boot, so that what is wrong with them is known before anything
runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from emulator.client import AdminClient
from emulator.core.clock import Machine
from emulator.core.errors import ConfigurationError, EmulatorError, Problem
from emulator.core.schemas import SchemaRegistry
from emulator.core.values import value_type
from emulator.core.written import SUFFIXES, read
from emulator.environment import endpoints
from emulator.web.admin.hooks import HookState, Stage

SCHEMA = "emulator/hook.json"
OUTPUT_KEPT = 4000
"""How many characters of what a hook wrote are kept."""
_PROGRAMS = {".sh": "sh", ".py": sys.executable}


class HookFailed(EmulatorError):
    """A hook failed, and that is not to be borne."""


@value_type
class Hook:
    """One file: what it asks, if it is a document, and how it went."""

    file: Path
    document: Any
    state: HookState


class Hooks:
    """Every hook of a folder.

    Args:
        folder: has ``ready.d`` and ``shutdown.d``, or one of them.
        schemas: has the one of documents.
        machine: measures how long a hook takes.
        timeout: machine seconds that each may take.
        fatal: whether one that fails keeps the next from running.

    Raises:
        ConfigurationError: a file is no hook, or its document makes no sense; every one is listed.

    """

    def __init__(self, folder: Path, schemas: SchemaRegistry, machine: Machine, timeout: float, *, fatal: bool) -> None:
        self._machine = machine
        self._timeout = timeout
        self._fatal = fatal
        self._hooks: list[Hook] = []
        problems: list[Problem] = []
        for stage, file in _files(folder):
            try:
                self._hooks.append(Hook(file, _document(file, schemas), HookState(file.name, stage)))
            except ConfigurationError as error:
                problems += error.problems
        if problems:
            raise ConfigurationError(problems)

    @property
    def states(self) -> list[HookState]:
        """How each goes, in the order in which they run."""
        return [hook.state for hook in self._hooks]

    async def run(self, stage: Stage, url: str, admin_url: str, token: str | None, pending: list[str]) -> None:
        """Run those of ``stage`` one by one, as long as they succeed; ``pending`` names those that are not over.

        Raises:
            HookFailed: one failed, and that is fatal.

        """
        hooks = [hook for hook in self._hooks if hook.state.stage == stage]
        pending += (f"hook {hook.file.name}" for hook in hooks)
        for hook in hooks:
            await self._run(hook, url, admin_url, token)
            if hook.state.status == "failed":
                said = f"{hook.file}: {hook.state.error}"
                if self._fatal:
                    raise HookFailed(f"{said} (--hook-failure continue goes on nevertheless)")
                _tell(f"emulator: warning: {said}\n")
            pending.remove(f"hook {hook.file.name}")

    async def _run(self, hook: Hook, url: str, admin_url: str, token: str | None) -> None:
        state, began = hook.state, self._machine.monotonic()
        state.status = "running"
        try:
            async with asyncio.timeout(self._timeout):
                if hook.document is None:
                    await _execute(hook, {**os.environ, **endpoints(url, token)})
                else:
                    client = AdminClient(admin_url, token, self._timeout)
                    await asyncio.to_thread(_ask, client, hook.document)
        except TimeoutError:
            state.error = f"not done within {self._timeout:g} s (--hook-timeout)"
        except (EmulatorError, OSError) as error:
            state.error = str(error)
        finally:
            state.seconds = round(self._machine.monotonic() - began, 3)
            state.status = "failed" if state.error else "done"


def _files(folder: Path) -> Iterator[tuple[Stage, Path]]:
    """The files of each stage in the order of their names; hidden ones, which editors and mounts leave, are none."""
    stage: Stage
    for stage in get_args(Stage):
        inside = folder / f"{stage}.d"
        if inside.is_dir():
            yield from ((stage, file) for file in sorted(inside.iterdir()) if not file.name.startswith("."))


def _document(file: Path, schemas: SchemaRegistry) -> Any:
    """What ``file`` asks of the admin API; nothing if it is a program.

    Raises:
        ConfigurationError: it is neither, or makes no sense.

    """
    if file.suffix in _PROGRAMS:
        return None
    if file.suffix not in SUFFIXES:
        known = ", ".join((*SUFFIXES, *_PROGRAMS))
        raise ConfigurationError([Problem(str(file), "", f"no hook: they end with {known}")])
    try:
        written = read(str(file), file.read_bytes())
    except OSError as error:
        raise ConfigurationError([Problem(str(file), "", error.strerror or str(error))]) from None
    listed = isinstance(written.document, list)
    document = {"requests": written.document} if listed else written.document
    try:
        schemas.check(SCHEMA, document, str(file))
    except ConfigurationError as error:
        pointers = [(p, p.pointer.removeprefix("/requests") if listed else p.pointer) for p in error.problems]
        placed = [Problem(f"{file}:{written.line(pointer)}", pointer, p.message) for p, pointer in pointers]
        raise ConfigurationError(placed) from None
    return document


def _ask(client: AdminClient, document: Mapping[str, Any]) -> None:
    """Make every request of ``document``.

    Raises:
        EmulatorError: one was refused; it names it.

    """
    made = [("POST", f"/{name}", body) for name in ("accounts", "rules") for body in document.get(name, ())]
    others = [(each.get("method", "POST"), each["path"], each.get("body")) for each in document.get("requests", ())]
    for method, path, body in made + others:
        try:
            client.request(method, path, body)
        except EmulatorError as error:
            raise EmulatorError(f"{method} {path}: {error}") from None


async def _execute(hook: Hook, environment: Mapping[str, str]) -> None:
    """Run a program to its end; it and all that it began are ended if it takes too long, or the emulator stops.

    Raises:
        EmulatorError: it failed.

    """
    process = await asyncio.create_subprocess_exec(
        _PROGRAMS[hook.file.suffix],
        str(hook.file.absolute()),
        cwd=hook.file.parent,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101  it is a pipe
    try:
        while written := await process.stdout.read(OUTPUT_KEPT):
            text = written.decode("utf-8", "replace")
            hook.state.output = (hook.state.output + text)[-OUTPUT_KEPT:]
            _tell(text)
        code = await process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()  # what is left of it in the loop ends with it
        raise
    if code:
        raise EmulatorError(f"ended with {code}" if code > 0 else f"ended by signal {-code}")


def _tell(text: str) -> None:
    """Write ``text`` to stderr: what goes to stdout is the ready line's."""
    sys.stderr.write(text)
    sys.stderr.flush()
