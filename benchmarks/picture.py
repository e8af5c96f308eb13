"""What a large picture costs before it is recognised: its form parsed, its base64 decoded, its header read.

python benchmarks/picture.py
"""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

import pybase64
from PIL import Image
from yarl import query_to_pairs

from emulator.baidu import images
from emulator.core.forms import read_form

ROUNDS = 20


def noise(kind: str, width: int, height: int) -> bytes:
    """A picture whose pixels do not compress."""
    buffer = BytesIO()
    Image.effect_noise((width, height), 90).save(buffer, kind)
    return buffer.getvalue()


def best(work: Callable[[], Any]) -> float:
    """Milliseconds of the quickest of some rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found) * 1000


def main() -> None:
    """Measure and print."""
    for kind, width, height in (("JPEG", 2600, 2000), ("PNG", 1700, 1700), ("BMP", 1700, 1700)):
        content = noise(kind, width, height)
        text = base64.b64encode(content).decode()
        form = urlencode({"templateSign": "x", "image": text}).encode()
        rows: list[tuple[str, Callable[[], Any]]] = [
            ("form: core/forms.py", lambda form=form: read_form(form)),
            ("form: yarl", lambda form=form: query_to_pairs(form.decode())),
            ("form: urllib.parse", lambda form=form: parse_qsl(form.decode())),
            ("base64: pybase64, checked", lambda text=text: pybase64.b64decode(text, validate=True)),
            ("base64: standard library, checked", lambda text=text: base64.b64decode(text, validate=True)),
            ("header, and whether it is whole", lambda content=content: images.look(content)),
            ("all of it", lambda form=form: images.accept(dict(read_form(form))["image"])),
        ]
        print(f"{kind}: {len(content):,} bytes, a form of {len(form):,}")
        for name, work in rows:
            print(f"  {best(work):8.3f} ms  {name}")


if __name__ == "__main__":
    main()
