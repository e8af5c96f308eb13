"""Files that Baidu's tests send, made on the spot."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from pypdf import PdfWriter


def noise(kind: str, width: int = 120, height: int = 80) -> bytes:
    """A picture whose pixels do not compress."""
    buffer = BytesIO()
    Image.effect_noise((width, height), 90).save(buffer, kind)
    return buffer.getvalue()


def pdf(*pages: tuple[int, int], turned: int = 0, password: str = "") -> bytes:
    """A PDF file with empty pages of these sizes in points."""
    writer = PdfWriter()
    for width, height in pages:
        page = writer.add_blank_page(width, height)
        if turned:
            page.rotate(turned)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
