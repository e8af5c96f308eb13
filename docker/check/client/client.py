"""Calls the vendors' own hosts with the vendors' own SDKs, and waits for a callback; 0 if all is as it should be."""

from __future__ import annotations

import http.server
import json
import os
import queue
import re
import struct
import threading
import time
import urllib.request
import zlib
from pathlib import Path
from typing import Any

URL = os.environ["EMULATOR_URL"]
TOKEN = {"Authorization": f"Bearer {os.environ['EMULATOR_ADMIN_TOKEN']}"}
TRAIN_TICKET = "1c65a67f151df56ba4e29c4dddace5ee"
received: queue.Queue[Any] = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes callbacks."""

    def do_POST(self) -> None:
        received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()


def admin(path: str, document: Any = None) -> Any:
    """What the admin API answers."""
    body = None if document is None else json.dumps(document).encode()
    asked = urllib.request.Request(f"{URL}/_emulator{path}", body, {**TOKEN, "Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return answer.read()


def picture() -> bytes:
    """A grey PNG of 200 × 100."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 200, 100, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\xc8" * 200) * 100
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def kingsoft() -> None:
    """A signed call of http://kvs.api.ksyun.com, as the SDK makes it by itself, and its callback."""
    from kscore.session import get_session

    keys = {"ks_access_key_id": "AKCHECK", "ks_secret_access_key": "kingsoft-secret"}
    client = get_session().create_client("kvs", "cn-beijing-6", use_ssl=False, **keys)
    task = client.create_task(
        Preset="hd_mp4",
        SrcInfo=[{"path": "/src-bucket/in/emu-slow-1s.mp4", "index": 0}],
        DstBucket="dst-bucket",
        DstObjectKey="out/a.mp4",
        CbUrl="http://127.0.0.1:9000/kvs",
        CbMethod="POST",
    )["TaskID"]
    body = received.get(timeout=60)
    assert task in json.dumps(body), (task, body)
    print(f"kingsoft: task {task} was signed for, and called back")


def baidu() -> None:
    """A token and a recognition by https://aip.baidubce.com, whose certificate the SDK does not look at."""
    from aip import AipOcr

    answer = AipOcr("app", "check-key", "baidu-secret").custom(picture(), {"templateSign": TRAIN_TICKET})
    assert answer["error_code"] == 0, answer
    print(f"baidu: {len(answer['data']['ret'])} fields recognised")


def figures() -> None:
    """How long the emulator took to be ready, and the memory that it has, from what Linux knows of process 1."""
    began = int(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    ago = float(Path("/proc/uptime").read_text().split()[0]) - began
    ready = Path("/state/port").stat().st_mtime - (time.time() - ago)
    memory = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/1/status").read_text())
    assert memory is not None
    print(f"ready after {ready:.2f} s, idle memory {int(memory[1]) / 1024:.0f} MiB")


def hooks_ran() -> None:
    """The init hooks made the account."""
    hooks = json.loads(admin("/api/hooks"))["hooks"]
    assert [hook["status"] for hook in hooks] == ["done"] * len(hooks) != [], hooks
    print("hooks:", *(f"{hook['name']} {hook['status']} in {hook['seconds']} s" for hook in hooks))


def main() -> None:
    """Everything, one after the other."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    figures()
    hooks_ran()
    kingsoft()
    baidu()
    ledger = json.loads(admin("/api/accounts/check/deliveries?status=delivered&wait=5s"))
    assert ledger["count"] >= 1, ledger
    print("all passed")


if __name__ == "__main__":
    main()
