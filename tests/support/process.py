"""The emulator as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(path: Path | str = ROOT, **variables: str) -> dict[str, str]:
    """This process's variables without the emulator's own, with the package found at ``path``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EMULATOR_", "PYTHON"))}
    return {**kept, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1", **variables}


def command(*arguments: str) -> list[str]:
    """The command line that runs one verb."""
    return [sys.executable, "-W", "error", "-m", "emulator", *arguments]


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one verb to its end, in ``folder``, so that no ``emulator.toml`` of this project is found."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class Serving:
    """A running ``emulator serve``: its ready line, its port, and how it ended."""

    def __init__(self, process: subprocess.Popen[str], ready: str) -> None:
        self._process = process
        self.ready = ready

    @property
    def url(self) -> str:
        """The base URL, as the ready line says it."""
        return self.ready.split()[3]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal and wait: the exit code, and what stood on stdout and stderr beside the ready line."""
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=60)
        return self._process.returncode, out, err


@contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[Serving]:
    """Start ``emulator serve`` and wait for its ready line; whatever happens, it is gone afterwards."""
    process = subprocess.Popen(
        command("serve", *arguments),
        cwd=folder,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready, process.stderr.read() if process.stderr is not None else ""
            yield Serving(process, ready)
        finally:
            process.kill()
