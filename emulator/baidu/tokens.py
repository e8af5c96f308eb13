"""Access tokens: issued, kept per account, checked. [docs Tk6z52d7c]"""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.core.errors import ApiError
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw

LIFETIME = 2_592_000
"""Seconds. Always 30 days: clients misbehave with less, and a shorter life is a rule's business."""
REFRESH_LIFETIME = 315_360_000
_KEPT = 10_000
_SERVICE = 282335
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

SCOPE = (
    "public vis-ocr_ocr brain_ocr_scope brain_ocr_general brain_ocr_general_basic vis-ocr_business_license "
    "brain_ocr_webimage brain_all_scope brain_ocr_idcard brain_ocr_driving_license brain_ocr_vehicle_license "
    "vis-ocr_plate_number brain_solution brain_ocr_plate_number brain_ocr_accurate brain_ocr_accurate_basic "
    "brain_ocr_receipt brain_ocr_business_license brain_solution_iocr brain_ocr_handwriting brain_ocr_vat_invoice "
    "brain_numbers wise_adapt lebo_resource_base lightservice_public hetu_basic lightcms_map_poi kaidian_kaidian"
)
"""What real tokens carry, ``brain_all_scope`` among it: without that the SDKs sign instead of using the token."""


@dataclass(slots=True)
class BaiduState:
    """What Baidu remembers of an account: its live tokens, each with its expiry, and how many calls it answered."""

    tokens: dict[str, float] = field(default_factory=dict)
    issued: int = 0
    answered: int = 0


def issue(state: BaiduState, now: float, draw: Draw) -> JsonObject:
    """A new token, beside those that live. Its members come in the order of a real answer."""
    state.issued += 1
    application = draw.integer(10_000_000, 99_999_999)
    suffix = f"{_SERVICE}-{application}"
    access = f"24.{_hex(draw)}.{LIFETIME}.{int(now) + LIFETIME}.{suffix}"
    state.tokens[access] = now + LIFETIME
    while len(state.tokens) > _KEPT:
        del state.tokens[next(iter(state.tokens))]
    return {
        "refresh_token": f"25.{_hex(draw)}.{REFRESH_LIFETIME}.{int(now) + REFRESH_LIFETIME}.{suffix}",
        "expires_in": LIFETIME,
        "session_key": "9mzd" + "".join(draw.choice(_BASE64) for _ in range(86)) + "==",
        "access_token": access,
        "scope": SCOPE,
        "session_secret": _hex(draw),
    }


def check(state: BaiduState, token: str, now: float) -> None:
    """Let a live token pass.

    Raises:
        ApiError: 110, it is not known; 111, its time is over.

    """
    expiry = state.tokens.get(token)
    if expiry is None:
        raise ApiError(110, "this access_token was never issued here; ask /oauth/2.0/token for one")
    if now >= expiry:
        raise ApiError(111, f"this access_token expired {now - expiry:.0f} s ago by the account's clock")


def _hex(draw: Draw) -> str:
    return "".join("0123456789abcdef"[draw.integer(0, 15)] for _ in range(32))
