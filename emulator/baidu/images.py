"""Pictures: decoded from base64 and really looked at, as far as their header."""

from __future__ import annotations

import binascii
import functools
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import pybase64

from emulator.core.errors import ApiError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

ENCODED_LIMIT = 4 * 2**20
"""Characters of base64 that a picture may have. [seed]"""
SHORTEST, LONGEST = 15, 4096
"""Bounds of a picture's sides in pixels. [seed]"""

FORMAT, SIZE = 216201, 216202
_REPAIRS = {ord(" "): "+", ord("\r"): None, ord("\n"): None, ord("\t"): None}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was accepted: its bytes, its format and its sides in pixels."""

    content: bytes
    format: str
    width: int
    height: int


def accept(encoded: str) -> Picture:
    """The picture in ``encoded``, if the service would take it.

    Line breaks are dropped and spaces taken for the ``+`` that a client forgot to encode. [inference]

    Raises:
        ApiError: 216201, it is no base64 of a PNG, JPEG or BMP; 216202, it is too large or its sides are out of bounds.

    """
    content = _decoded(encoded)
    picture = _look(content)
    if len(encoded) > ENCODED_LIMIT:
        raise ApiError(SIZE, f"the base64 text has {len(encoded)} characters; {ENCODED_LIMIT} (4M) are allowed")
    short, long = sorted((picture.width, picture.height))
    if short < SHORTEST or long > LONGEST:
        sides = f"{picture.width} × {picture.height} pixels"
        raise ApiError(SIZE, f"the picture has {sides}; sides are from {SHORTEST} to {LONGEST}")
    return picture


def _decoded(encoded: str) -> bytes:
    try:
        return pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        pass
    if encoded.lstrip()[:5].lower() == "data:":
        raise ApiError(FORMAT, "the base64 text begins with data:…; send what stands after the comma")
    try:
        return pybase64.b64decode(encoded.translate(_REPAIRS), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(FORMAT, f"the picture is no base64: {error}") from None


@functools.cache
def _readers() -> tuple[tuple[bytes, str, type[ImageFile]], ...]:
    """How each format begins, its name and its reader (imported when first needed)."""
    from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin

    return (
        (b"\x89PNG", "png", PngImagePlugin.PngImageFile),
        (b"\xff\xd8", "jpeg", JpegImagePlugin.JpegImageFile),
        (b"BM", "bmp", BmpImagePlugin.BmpImageFile),
    )


def _look(content: bytes) -> Picture:
    """The picture's format and sides, by the library's own reader of each format.

    The readers are used directly, and not through ``Image.open``, whose guard against huge pictures would speak
    before the vendor's rule does.
    """
    for mark, name, reader in _readers():  # noqa: B007  the one found is used
        if content.startswith(mark):
            break
    else:
        raise ApiError(
            FORMAT, f"the picture is no PNG, JPEG or BMP; it begins with {content[:8].hex(' ') or 'nothing'}"
        )
    try:
        with reader(BytesIO(content)) as picture:
            width, height = picture.size
    except Exception as error:  # the readers raise whatever a broken header leads them to
        raise ApiError(FORMAT, f"the picture begins like a {name} but cannot be read: {error}") from None
    return Picture(content, name, width, height)
