"""Pictures, made on the spot."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image


def picture(width: int = 200, height: int = 100, kind: str = "PNG") -> bytes:
    """A picture of that size and format."""
    buffer = BytesIO()
    Image.new("L", (width, height), 200).save(buffer, kind)
    return buffer.getvalue()


def encoded(width: int = 200, height: int = 100, kind: str = "PNG") -> str:
    """The same in base64."""
    return base64.b64encode(picture(width, height, kind)).decode()
