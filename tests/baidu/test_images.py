"""Pictures are really looked at, as far as their header."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.baidu import images
from emulator.core.errors import ApiError
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


def test_a_picture_that_only_claims_to_be_huge_is_refused_for_its_sides() -> None:
    refusal = _refusal(base64.b64encode(_header_only(100_000, 100_000)).decode())

    assert refusal.code == SIZE


def test_a_header_without_a_picture_behind_it_is_enough() -> None:
    accepted = images.accept(base64.b64encode(_header_only(100, 50)).decode())

    assert (accepted.width, accepted.height) == (100, 50)


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


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b""]), st.binary(max_size=200))
def test_whatever_comes_is_accepted_or_refused_and_never_an_accident(start: bytes, rest: bytes) -> None:
    text = base64.b64encode(start + rest).decode()
    with contextlib.suppress(ApiError):
        accepted = images.accept(text)
        assert 15 <= min(accepted.width, accepted.height) <= max(accepted.width, accepted.height) <= 4096
