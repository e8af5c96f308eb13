"""Pictures are really looked at, as far as their header."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emulator.baidu import images
from emulator.core.errors import ApiError
from tests.support.baidu_files import noise, pdf
from tests.support.pictures import encoded, picture

FORMAT, SIZE = 216201, 216202


def _refusal(text: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        images.accept(text)
    return caught.value


def _header_only(width: int, height: int) -> bytes:
    """A BMP that claims to have these sides and has no pixels."""
    sizes = width.to_bytes(4, "little", signed=True) + height.to_bytes(4, "little", signed=True)
    return (
        b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little") + sizes + b"\x01\0\x18\0" + bytes(24)
    )


@pytest.mark.parametrize(("kind", "name"), [("PNG", "png"), ("JPEG", "jpeg"), ("BMP", "bmp")])
def test_a_picture_of_each_format_is_accepted_with_its_sides(kind: str, name: str) -> None:
    accepted = images.accept(encoded(320, 200, kind))

    assert (accepted.format, accepted.width, accepted.height) == (name, 320, 200)
    assert accepted.content == picture(320, 200, kind)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "ICO", "PPM"])
def test_a_picture_of_another_format_is_refused(kind: str) -> None:
    refusal = _refusal(encoded(64, 64, kind))

    assert refusal.code == FORMAT
    assert refusal.reason.startswith("the picture is no PNG, JPEG or BMP; it begins with ")


@pytest.mark.parametrize(("width", "height"), [(15, 15), (15, 4096), (4096, 15), (16, 16), (4096, 4096)])
def test_sides_within_the_bounds_are_accepted(width: int, height: int) -> None:
    accepted = images.accept(encoded(width, height))

    assert (accepted.width, accepted.height) == (width, height)


@pytest.mark.parametrize(("width", "height"), [(14, 15), (15, 14), (14, 4096), (4097, 15), (15, 4097), (1, 1)])
def test_sides_out_of_bounds_are_refused(width: int, height: int) -> None:
    refusal = _refusal(encoded(width, height))

    assert (refusal.code, refusal.variant) == (SIZE, None)
    assert refusal.reason == f"the picture has {width} × {height} pixels; sides are from 15 to 4096"


def test_a_header_without_a_picture_behind_it_is_refused() -> None:
    refusal = _refusal(base64.b64encode(_header_only(100, 50)).decode())

    assert (refusal.code, refusal.reason) == (FORMAT, "the picture is a bmp of 100 × 50 pixels that breaks off")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
@pytest.mark.parametrize("part", [0.5, 0.9, 0.99])
def test_a_picture_that_breaks_off_in_its_pixels_is_refused(kind: str, part: float) -> None:
    content = noise(kind)

    refusal = _refusal(base64.b64encode(content[: int(len(content) * part)]).decode())

    assert refusal.code == FORMAT
    assert "breaks off" in refusal.reason


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_a_picture_with_something_behind_it_is_accepted(kind: str) -> None:
    accepted = images.accept(base64.b64encode(noise(kind) + bytes(99)).decode())

    assert (accepted.width, accepted.height) == (120, 80)


def test_a_jpeg_whose_preview_is_whole_and_whose_pixels_break_off_is_refused() -> None:
    whole, preview = noise("JPEG"), picture(32, 32, "JPEG")
    extra = b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    content = whole[:2] + extra + whole[2:]

    assert images.accept(base64.b64encode(content).decode()).width == 120
    assert _refusal(base64.b64encode(content[:-200]).decode()).code == FORMAT


def test_a_progressive_jpeg_is_accepted() -> None:
    buffer = BytesIO()
    Image.effect_noise((120, 80), 90).save(buffer, "JPEG", progressive=True)

    assert images.accept(base64.b64encode(buffer.getvalue()).decode()).width == 120


@pytest.mark.parametrize("mode", ["1", "P", "L", "RGB", "RGBA"])
def test_a_bmp_of_any_depth_is_accepted(mode: str) -> None:
    buffer = BytesIO()
    Image.new(mode, (33, 21)).save(buffer, "BMP")

    assert images.accept(base64.b64encode(buffer.getvalue()).decode()).width == 33


def test_base64_up_to_four_megabytes_is_accepted() -> None:
    content = _header_only(100, 100).ljust(3 * 2**20, b"\0")
    text = base64.b64encode(content).decode()

    assert len(text) == 4_194_304
    assert images.accept(text).width == 100


def test_base64_beyond_four_megabytes_is_refused() -> None:
    text = base64.b64encode(_header_only(100, 100).ljust(3 * 2**20 + 3, b"\0")).decode()

    refusal = _refusal(text)

    assert refusal.code == SIZE
    assert refusal.reason == "the base64 text has 4194308 characters; 4194304 (4M) are allowed"


def test_base64_whose_plus_became_a_space_is_repaired() -> None:
    text = encoded(200, 100, "JPEG")

    assert images.accept(text.replace("+", " ")).content == picture(200, 100, "JPEG")


def test_base64_with_line_breaks_is_accepted() -> None:
    broken = base64.encodebytes(picture()).decode()

    assert images.accept(broken).content == picture()


@pytest.mark.parametrize("text", ["not base64!", "AAA", "====", "你好", "A" * 5, "AA=A"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    assert _refusal(text).code == FORMAT


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", " DATA:image/png;base64,"])
def test_a_data_address_is_refused_with_advice(prefix: str) -> None:
    assert _refusal(prefix + encoded()).reason == (
        "the base64 text begins with data:…; send what stands after the comma"
    )


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.4", b"\x00" * 100])
def test_bytes_that_are_no_picture_are_refused(content: bytes) -> None:
    assert _refusal(base64.b64encode(content).decode()).code == FORMAT


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
@pytest.mark.parametrize("length", [2, 4, 10, 20])
def test_a_picture_that_breaks_off_in_its_header_is_refused(kind: str, length: int) -> None:
    assert _refusal(base64.b64encode(picture(200, 100, kind)[:length]).decode()).code == FORMAT


def test_blanks_and_line_breaks_can_be_refused() -> None:
    with pytest.raises(ApiError) as caught:
        images.accept(base64.encodebytes(picture()).decode(), "strict")

    assert (caught.value.code, "--base64 strict" in caught.value.reason) == (FORMAT, True)


def test_right_base64_is_accepted_by_the_strict_switch_too() -> None:
    assert images.accept(encoded(), "strict").width == 200


def test_a_pdf_file_is_looked_at_as_a_picture_of_its_first_page() -> None:
    accepted = images.accept_pdf(base64.b64encode(pdf((595, 842), (100, 100))).decode())

    assert (accepted.format, accepted.width, accepted.height) == ("pdf", 1190, 1684)


def test_a_page_that_is_turned_is_as_wide_as_it_looks() -> None:
    accepted = images.accept_pdf(base64.b64encode(pdf((595, 842), turned=90)).decode())

    assert (accepted.width, accepted.height) == (1684, 1190)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(picture(), "is no PDF file", id="a picture"),
        pytest.param(b"", "is no PDF file", id="nothing"),
        pytest.param(b"%PDF-1.4\n%%EOF\n", "cannot be read", id="no page"),
        pytest.param(pdf((595, 842))[:120], "cannot be read", id="broken off"),
        pytest.param(pdf((595, 842), password="secret"), "cannot be read", id="encrypted"),
        pytest.param(pdf(), "cannot be read", id="without a page"),
    ],
)
def test_what_is_no_readable_pdf_file_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        images.accept_pdf(base64.b64encode(content).decode())

    assert caught.value.code == FORMAT
    assert reason in caught.value.reason


def test_a_pdf_file_of_more_than_4m_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        images.accept_pdf(base64.b64encode(pdf((595, 842)).ljust(3 * 2**20 + 3, b"\n")).decode())

    assert caught.value.code == SIZE


def test_a_pdf_file_as_a_data_address_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        images.accept_pdf("data:application/pdf;base64," + base64.b64encode(pdf((595, 842))).decode())

    assert caught.value.code == FORMAT


def test_a_pdf_file_in_the_place_of_a_picture_is_refused_with_advice() -> None:
    assert _refusal(base64.b64encode(pdf((595, 842))).decode()).reason.endswith("a PDF file belongs into pdf_file")


def test_a_picture_knows_its_sha_256() -> None:
    assert images.accept(encoded()).sha256() == hashlib.sha256(picture()).hexdigest()


@given(st.binary(max_size=300))
def test_whatever_begins_like_a_pdf_file_is_accepted_or_refused_and_never_an_accident(rest: bytes) -> None:
    with contextlib.suppress(ApiError):
        images.accept_pdf(base64.b64encode(b"%PDF-1.7\n" + rest).decode())


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b""]), st.binary(max_size=200))
def test_whatever_comes_is_accepted_or_refused_and_never_an_accident(start: bytes, rest: bytes) -> None:
    text = base64.b64encode(start + rest).decode()
    with contextlib.suppress(ApiError):
        accepted = images.accept(text)
        assert 15 <= min(accepted.width, accepted.height) <= max(accepted.width, accepted.height) <= 4096
