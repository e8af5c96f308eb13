"""Queries and urlencoded forms, read quickly: a picture of three megabytes travels as one value of a form."""

from __future__ import annotations

import binascii
import functools

from yarl import query_to_pairs

LARGE = 64 * 2**10
_QUOTED_PRINTABLE = bytes.maketrans(b"%+", b"= ")


@functools.lru_cache(maxsize=256)
def read_query(query: str) -> tuple[tuple[str, str], ...]:
    """The decoded pairs of a query, in order; ``+`` is a space, a name without ``=`` has an empty value."""
    return tuple(query_to_pairs(query)) if query else ()


def read_form(content: bytes) -> list[tuple[str, str]]:
    """The decoded pairs of a form's body, in order. Bytes that are no UTF-8 become U+FFFD."""
    if len(content) < LARGE:
        return query_to_pairs(content.decode("utf-8", "replace"))
    pairs: list[tuple[str, str]] = []
    for part in content.split(b"&"):
        name, _, value = part.partition(b"=")
        plain = _plain(value) if len(value) >= LARGE else None
        if plain is None:
            pairs += query_to_pairs(part.decode("utf-8", "replace"))
        else:
            pairs += [(key, plain) for key, _ in read_form(name + b"=")]
    return pairs


def _plain(value: bytes) -> str | None:
    """A large value without its percent-encoding, if it is plain ASCII rightly encoded; ``None`` otherwise.

    With ``%`` written as ``=``, percent-encoding is quoted-printable, for which there is a decoder in C. What that
    would read otherwise (a wrong escape, a soft line break) shows in the length, or is looked for.
    """
    if b"=" in value or b"\n" in value or not value.isascii():
        return None
    plain = binascii.a2b_qp(value.translate(_QUOTED_PRINTABLE))
    if len(plain) != len(value) - 2 * value.count(b"%") or not plain.isascii():
        return None
    return plain.decode("ascii")
