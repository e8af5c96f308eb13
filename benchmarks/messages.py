"""The requests that are sent, as the bytes that go on the wire, and the pictures in some of them."""

import base64
import json
import random
from io import BytesIO
from urllib.parse import urlencode

from PIL import Image

TEMPLATE = "1c65a67f151df56ba4e29c4dddace5ee"
JPEG_BYTES = 2_340_000
WAVE_PATH = "/?Action=CreateWaveTask&Version=2017-01-01"
TOKEN_PATH = "/oauth/2.0/token?grant_type=client_credentials&client_id=benchmark&client_secret=any"
ACCOUNT = "/_emulator/api/accounts/default"
RULES_PATH = f"{ACCOUNT}/rules"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
_SEED = 20260101


def http(path: str, body: bytes = b"", kind: str = JSON, method: str = "POST") -> bytes:
    """One request for a connection that is kept alive."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def wave(*, points: int = 1000, callback: str = "") -> bytes:
    """CreateWaveTask with about 200 bytes of JSON."""
    document = {
        "Preset": "wave",
        "SrcInfo": {"path": "/source-bucket/benchmark/sound-000001.mp3"},
        "DstBucket": "target-bucket",
        "DstObjectKey": "benchmark/output/wave-000001.json",
        "DstAcl": "public-read",
        "points": points,
    }
    if callback:
        document["CbUrl"] = callback
    return http(WAVE_PATH, json.dumps(document).encode())


def recognise(picture: bytes, token: str) -> bytes:
    """A recognition with ``picture`` in its urlencoded form."""
    form = urlencode({"templateSign": TEMPLATE, "image": base64.b64encode(picture).decode()})
    return http(f"/rest/2.0/solution/v1/iocr/recognise?access_token={token}", form.encode(), FORM)


def small_png() -> bytes:
    """About 1.6 kB of PNG: grey noise of 39 × 39 pixels, which does not compress."""
    return _noise("L", 39, "PNG")


def large_jpeg() -> bytes:
    """About 2.34 MB of JPEG: coloured noise, whose size grows with its area: a sample tells how large to make it."""
    sample = 500
    side = sample * (JPEG_BYTES / len(_noise("RGB", sample, "JPEG", quality=95))) ** 0.5
    return _noise("RGB", round(side), "JPEG", quality=95)


def _noise(mode: str, side: int, kind: str, **options: int) -> bytes:
    buffer = BytesIO()
    pixels = random.Random(_SEED).randbytes(side * side * len(mode))
    Image.frombytes(mode, (side, side), pixels).save(buffer, kind, **options)
    return buffer.getvalue()
