"""Pictures and PDF files: decoded from base64 and really looked at, as far as tells whether they are whole."""

from __future__ import annotations

import binascii
import hashlib
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Literal

import pybase64

from emulator.core.errors import ApiError
from emulator.core.values import value_type

ENCODED_LIMIT = 4 * 2**20
"""Characters of base64 that a picture may have. [seed]"""
SHORTEST, LONGEST = 15, 4096
"""Bounds of a picture's sides in pixels. [seed]"""
PDF_DPI = 144
"""Pixels an inch at which the page of a PDF file is looked at. [inference]"""

FORMAT, SIZE = 216201, 216202
Repair = Literal["repair", "strict"]
_REPAIRS = {ord(" "): "+", ord("\r"): None, ord("\n"): None, ord("\t"): None}


@value_type
class Picture:
    """A picture that was accepted: its bytes, its format and its sides in pixels.

    One that was not looked at, since the emulator does not fetch it, has its URL for content and no sides.
    """

    content: bytes
    format: str
    width: int
    height: int
    url: str = ""

    def sha256(self) -> str:
        """The SHA-256 of the bytes, by which a fixture names it."""
        return hashlib.sha256(self.content).hexdigest()


def accept(encoded: str, base64: Repair = "repair") -> Picture:
    """The picture in ``encoded``, if the service would take it.

    Line breaks are dropped and spaces taken for the ``+`` that a client forgot to encode, unless ``base64`` is
    ``strict``. [inference]

    Raises:
        ApiError: 216201, it is no base64 of a whole PNG, JPEG or BMP; 216202, it is too large or its sides are out of
            bounds.

    """
    picture = look(_decoded(encoded, base64))
    _bound(encoded)
    return _measured(picture)


def accept_fetched(content: bytes, url: str) -> Picture:
    """The picture ``content`` that was behind ``url``.

    Raises:
        ApiError: 282113, it does not begin like a picture; 216201 and 216202 as for one that was sent.

    """
    if not content.startswith(tuple(mark for mark, _, _, _ in _FORMATS)):
        begins = content[:8].hex(" ") or "nothing"
        raise ApiError(282113, f"what is behind the url is no PNG, JPEG or BMP; it begins with {begins}")
    picture = look(content)
    return _measured(Picture(content, picture.format, picture.width, picture.height, url))


def accept_pdf(encoded: str, base64: Repair = "repair") -> Picture:
    """The first page of the PDF file in ``encoded``, as a picture of its size.

    Raises:
        ApiError: 216201, it is no base64 of a PDF file with a page that can be read; 216202, it is too large.

    """
    content = _decoded(encoded, base64)
    width, height = _page(content)
    _bound(encoded)
    return Picture(content, "pdf", width, height)


def _bound(encoded: str) -> None:
    if len(encoded) > ENCODED_LIMIT:
        raise ApiError(SIZE, f"the base64 text has {len(encoded)} characters; {ENCODED_LIMIT} (4M) are allowed")


def _measured(picture: Picture) -> Picture:
    short, long = sorted((picture.width, picture.height))
    if short < SHORTEST or long > LONGEST:
        sides = f"{picture.width} × {picture.height} pixels"
        raise ApiError(SIZE, f"the picture has {sides}; sides are from {SHORTEST} to {LONGEST}")
    return picture


def _decoded(encoded: str, base64: Repair) -> bytes:
    try:
        return pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        problem = error
    if encoded.lstrip()[:5].lower() == "data:":
        raise ApiError(FORMAT, "the base64 text begins with data:…; send what stands after the comma")
    repaired = encoded.translate(_REPAIRS)
    if base64 == "strict" and repaired != encoded:
        raise ApiError(
            FORMAT, "the base64 text has blanks or line breaks (--base64 strict); percent-encode its + signs"
        )
    try:
        return pybase64.b64decode(repaired, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(FORMAT, f"the picture is no base64: {problem}") from None


def _png(content: bytes) -> tuple[int, int]:
    """Width and height as the header of a PNG says. Read here: the library takes half of a small request for it."""
    if content[:16] != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" or len(content) < 33:
        raise ValueError("it has no header")
    if zlib.crc32(content[12:29]) != int.from_bytes(content[29:33], "big"):
        raise ValueError("the check sum of its header is wrong")
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def _jpeg(content: bytes) -> tuple[int, int]:
    """Width and height as the library reads them."""
    from PIL.JpegImagePlugin import JpegImageFile

    with JpegImageFile(BytesIO(content)) as picture:
        return picture.size


def _bmp(content: bytes) -> tuple[int, int]:
    """Width and height as the library reads them."""
    from PIL.BmpImagePlugin import BmpImageFile

    with BmpImageFile(BytesIO(content)) as picture:
        return picture.size


def look(content: bytes) -> Picture:
    """The picture's format and sides.

    The library's readers are used directly, and not through ``Image.open``, whose guard against huge pictures would
    speak before the vendor's rule does.

    Raises:
        ApiError: 216201, it is none, or it breaks off.

    """
    for mark, name, sides, whole in _FORMATS:  # noqa: B007  the one found is used
        if content.startswith(mark):
            break
    else:
        begins = content[:8].hex(" ") or "nothing"
        advice = "; a PDF file belongs into pdf_file" if content.startswith(b"%PDF") else ""
        raise ApiError(FORMAT, f"the picture is no PNG, JPEG or BMP; it begins with {begins}{advice}")
    try:
        width, height = sides(content)
    except Exception as error:  # the readers raise whatever a broken header leads them to
        raise ApiError(FORMAT, f"the picture begins like a {name} but cannot be read: {error}") from None
    if not whole(content):
        raise ApiError(FORMAT, f"the picture is a {name} of {width} × {height} pixels that breaks off")
    return Picture(content, name, width, height)


def _whole_png(content: bytes) -> bool:
    """Whether the chunk that ends a PNG is there."""
    return content.rfind(b"IEND\xaeB`\x82") >= 0


def _whole_jpeg(content: bytes) -> bool:
    """Whether the marker that ends a JPEG stands behind the one that begins its pixels."""
    place = 2
    while content[place : place + 1] == b"\xff" and place + 4 <= len(content):
        if content[place + 1] == 0xDA:
            return content.rfind(b"\xff\xd9", place) >= 0
        filler = content[place + 1] == 0xFF
        place += 1 if filler else 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return False


def _whole_bmp(content: bytes) -> bool:
    """Whether an uncompressed BMP has all its pixels; a compressed one, as many bytes as it says."""
    start, header = (int.from_bytes(content[place : place + 4], "little") for place in (10, 14))
    if header < 40:  # the form of before Windows 3
        return len(content) > start
    width, height = (int.from_bytes(content[place : place + 4], "little", signed=True) for place in (18, 22))
    bits, compression = int.from_bytes(content[28:30], "little"), int.from_bytes(content[30:34], "little")
    stated = int.from_bytes(content[34:38], "little")
    pixels = (width * bits + 31) // 32 * 4 * abs(height) if compression in (0, 3) else stated
    return len(content) >= start + pixels


_FORMATS: tuple[tuple[bytes, str, Callable[[bytes], tuple[int, int]], Callable[[bytes], bool]], ...] = (
    (b"\x89PNG", "png", _png, _whole_png),
    (b"\xff\xd8", "jpeg", _jpeg, _whole_jpeg),
    (b"BM", "bmp", _bmp, _whole_bmp),
)
"""How each format begins, its name, what reads its sides, and whether a file is whole."""


def _page(content: bytes) -> tuple[int, int]:
    """Width and height of a PDF file's first page, upright, in pixels."""
    if b"%PDF-" not in content[:1024]:
        begins = content[:8].hex(" ") or "nothing"
        raise ApiError(FORMAT, f"pdf_file is no PDF file; it begins with {begins}")
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        page = PdfReader(BytesIO(content)).pages[0]
        box, turned = page.cropbox, page.rotation % 180 != 0
        sides = [max(1, round(abs(float(side)) * PDF_DPI / 72)) for side in (box.width, box.height)]
    except Exception as error:  # the reader raises whatever a broken file leads it to
        raise ApiError(FORMAT, f"pdf_file begins like a PDF file but cannot be read: {error!r}") from None
    width, height = reversed(sides) if turned else sides
    return width, height
