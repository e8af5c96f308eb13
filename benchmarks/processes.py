"""Servers as processes of their own: started, pinned, asked, measured, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import messages

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SERVERS = ("bare", "emulator")
START_LIMIT = 30.0
ANSWER_LIMIT = 120.0
PINNING = hasattr(os, "sched_setaffinity")
CORES = sorted(os.sched_getaffinity(0)) if PINNING else []
SERVER_CORE = CORES[0] if len(CORES) > 1 else None
LOAD_CORE = CORES[1] if len(CORES) > 1 else None


class Broken(Exception):
    """A server or a load generator did not do what it was started for; there is nothing to measure."""


@dataclass
class Running:
    """A server that has written its port down."""

    process: subprocess.Popen[bytes]
    port: int

    def cpu(self) -> float:
        """Seconds of CPU (user and system, all threads) that the process has used."""
        return cpu_seconds(self.process.pid)

    def rss(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii", "replace").splitlines()
        except OSError:
            return float("nan")
        return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS:")), float("nan"))


def cpu_seconds(pid: int) -> float:
    """The CPU clock of another process (what ``clock_getcpuclockid`` names): as /proc/PID/stat, but not in ticks."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except (OSError, AttributeError):
        return float("nan")


def environment() -> dict[str, str]:
    """Of a child: this checkout first, and no setting of the emulator from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMULATOR_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE)))}


def pin(pid: int, core: int | None) -> None:
    """Keep a process on one core, where that can be said."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


@contextmanager
def launched(name: str, core: int | None = None, *options: str) -> Iterator[Running]:
    """A fresh server of that name, stopped afterwards whatever happens; ``options`` are the emulator's."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        port_file, errors = Path(folder, "port"), Path(folder, "stderr")
        if name != "emulator":
            command = [sys.executable, str(HERE / f"{name}.py"), str(port_file)]
        else:
            command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--port-file", str(port_file)]
            command += ["--concurrency", "0"]  # every task runs at once, as no client would wait for its turn
            command += options
        with errors.open("wb") as sink:
            process = subprocess.Popen(
                command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sink
            )
        try:
            pin(process.pid, core)
            yield Running(process, _port(process, port_file, errors))
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then make it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _port(process: subprocess.Popen[bytes], port_file: Path, errors: Path) -> int:
    """The port, looked for every fifth of a millisecond."""
    limit = time.perf_counter() + START_LIMIT
    while time.perf_counter() < limit:
        if port_file.exists():
            return int(port_file.read_text("ascii"))
        if process.poll() is not None:
            raise Broken(f"the server ended with {process.returncode}: {errors.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(0.0002)
    raise Broken(f"no port within {START_LIMIT:g} s: {errors.read_text('utf-8', 'replace')[-2000:]}")


def ask(port: int, request: bytes) -> tuple[int, Any]:
    """Send one request on a connection of its own; the status and the JSON of the answer."""
    with Line(port) as line:
        return line.ask(request)


class Line:
    """A connection that is kept alive, with one request on its way at a time. Use it as a context manager."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), ANSWER_LIMIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> tuple[int, Any]:
        """Send a request; the status and the JSON of the answer."""
        self._socket.sendall(request)
        received = bytearray()
        while (start := received.find(b"\r\n\r\n") + 4) == 3:
            received += self._part(received)
        head = bytes(received[:start])
        end = start + _length(head)
        while len(received) < end:
            received += self._part(received)
        body = bytes(received[start:end])
        return int(head.split(b" ", 2)[1]), json.loads(body) if body else None

    def good(self, request: bytes) -> Any:
        """The JSON of an answer that must be a 2xx."""
        status, document = self.ask(request)
        if not 200 <= status < 300:
            raise Broken(f"{status} {document} to {request[:300]!r}")
        return document

    def _part(self, received: bytes | bytearray) -> bytes:
        part = self._socket.recv(1 << 20)
        if not part:
            raise Broken(f"the server closed the connection after {bytes(received[:200])!r}")
        return part


class Desk:
    """A client of a running emulator's default account."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def admin(self, method: str, path: str, document: Any = None) -> Any:
        """Ask the admin API, below the account."""
        body = b"" if document is None else json.dumps(document).encode()
        return self._line.good(messages.http(messages.ACCOUNT + path, body, method=method))

    def create(self, path: str, body: bytes) -> str:
        """The id of a new task."""
        document = self._line.good(messages.http(path, body))
        if document["ErrNum"] != 0:
            raise Broken(f"a task was refused: {document}")
        return str(document["TaskID"])


def _length(head: bytes) -> int:
    if head.split(b" ", 2)[1] == b"204":
        return 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    raise Broken(f"no Content-Length in {head!r}")


def program(script: str, *arguments: object, core: int | None, limit: float) -> Any:
    """Run a program of this folder to its end; the JSON that it prints."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    process = subprocess.Popen(
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        pin(process.pid, core)
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        raise Broken(f"{script} did not end within {limit:g} s") from None
    finally:
        stop(process)
    if process.returncode:
        raise Broken(f"{script} failed: {errors.decode('utf-8', 'replace')[-2000:]}")
    return json.loads(output)
