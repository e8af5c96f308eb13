"""One account of an emulator that runs in a thread, for clients that are not asynchronous; and a receiver for it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import requests

from tests.support.inbox import Received


class Remote:
    """An account whose name is its key at both clouds, whose secrets are known and whose clock stands still."""

    secret = "SECRETEXAMPLE+/=="

    def __init__(self, url: str, name: str, now: float) -> None:
        self.url = url
        self.name = name
        self._http = requests.Session()
        self._http.trust_env = False
        keys = {
            "kingsoft": {"access_key": name, "secret_key": self.secret},
            "baidu": {"api_key": name, "secret_key": self.secret},
        }
        self.admin("POST", "/accounts", {"name": name, "clock": {"mode": "frozen", "now": now}, **keys})

    def close(self) -> None:
        """Remove the account."""
        self.admin("DELETE", "")
        self._http.close()

    def admin(self, method: str, path: str, document: Any = None) -> Any:
        """The admin API below this account, or, for a path that starts with a slash, below ``/api``."""
        below = path if path.startswith("/") else f"/accounts/{self.name}/{path}".rstrip("/")
        answer = self._http.request(method, f"{self.url}/_emulator/api{below}", json=document)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def advance(self, seconds: float | str) -> None:
        """Move the account's clock; what fell due has been delivered when this returns."""
        self.admin("POST", "clock/advance", {"seconds": seconds})

    def journal(self) -> list[Any]:
        """The requests of this account, oldest first."""
        found: list[Any] = self.admin("GET", "requests")["requests"]
        return found

    def task(self, task_id: str) -> Any:
        """One task with its parameters."""
        return self.admin("GET", f"tasks/{task_id}")


class Sink:
    """A receiver of callbacks in a thread. Use it as a context manager."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.received.append(Received("POST", self.path, dict(self.headers), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"

    def __enter__(self) -> Sink:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def bodies(self) -> list[Any]:
        """The JSON of everything received."""
        return [json.loads(entry.body) for entry in self.received]
