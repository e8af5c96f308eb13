"""Access tokens: issued, recognised by their own signature, revoked. [docs Tk6z52d7c]

Nothing is stored: a token carries the API key of its account and a signature that only an emulator with the same seed
makes, so it outlives a restart.
"""

from __future__ import annotations

import functools
import hmac
import math
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from emulator.baidu.behaviour import Behaviour
from emulator.core.errors import ApiError
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw, digest
from emulator.core.values import value_type

LIFETIME = 2_592_000
"""Seconds. Always 30 days: clients misbehave with less, and a shorter life is a rule's business."""
REFRESH_LIFETIME = 315_360_000
LONGEST_KEY = 200
"""Characters of an API key that a token can carry, percent-encoded."""
ALL_SCOPE = "brain_all_scope"
"""Without it the SDKs sign their requests instead of using the token."""
IOCR_SCOPE = "brain_solution_iocr"
"""The right to recognise; without it the answer is 6. [inference]"""

_KEPT = 10_000
_SERVICE = 282335
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%"
_PLACES = {sign: place for place, sign in enumerate(_DIGITS)}
_FORM = re.compile(rf"24\.([0-9a-f]{{8}})([0-9a-f]{{24}})\.{LIFETIME}\.([0-9]{{1,11}})\.{_SERVICE}-([0-9]{{1,400}})")

SCOPE = (
    "public", "vis-ocr_ocr", "brain_ocr_scope", "brain_ocr_general", "brain_ocr_general_basic",
    "brain_ocr_general_enhanced", "vis-ocr_business_license", "brain_ocr_webimage", "brain_all_scope",
    "brain_ocr_idcard", "brain_ocr_driving_license", "brain_ocr_vehicle_license", "vis-ocr_plate_number",
    "brain_solution", "brain_ocr_plate_number", "brain_ocr_accurate", "brain_ocr_accurate_basic",
    "brain_ocr_receipt", "brain_ocr_business_license", "brain_solution_iocr", "brain_ocr_handwriting",
    "brain_ocr_vat_invoice", "brain_numbers", "wise_adapt", "lebo_resource_base", "lightservice_public",
    "hetu_basic", "lightcms_map_poi", "kaidian_kaidian", "ApsMisTest_Test权限", "vis-classify_flower", "lpq_开放",
    "cop_helloScope", "ApsMis_fangdi_permission", "smartapp_snsapi_base", "iop_autocar", "oauth_tp_app",
    "smartapp_smart_game_openapi", "oauth_sessionkey",
)  # fmt: skip
"""What a real token of 2018 carried."""


@dataclass(slots=True)
class BaiduState:
    """What Baidu remembers of an account.

    Attributes:
        behaviour: the switches in force.
        scope: the rights of its application.
        issued: how many tokens it was given.
        answered: how many recognitions were answered.
        revoked: the latest expiry of tokens that were revoked.
        spared: tokens that were issued after the revocation and expire no later.
        recent: the instants of the recognitions of the past second.
        day: the day of Beijing's on which ``today`` recognitions were let through.
        today: see ``day``.
        total: the recognitions that were let through.

    """

    behaviour: Behaviour = field(default_factory=Behaviour)
    scope: tuple[str, ...] = SCOPE
    issued: int = 0
    answered: int = 0
    revoked: float = -math.inf
    spared: dict[str, None] = field(default_factory=dict)
    recent: list[float] = field(default_factory=list)
    day: str = ""
    today: int = 0
    total: int = 0


@value_type
class Token:
    """What a token says.

    Attributes:
        api_key: whose it is.
        expiry: unix seconds.
        genuine: whether its signature is right.

    """

    api_key: str
    expiry: int
    genuine: bool


class Mint:
    """Makes tokens and knows its own again.

    Args:
        seed: emulators with the same seed take each other's tokens.

    """

    def __init__(self, seed: int) -> None:
        self._secret = digest("baidu.access_token", seed, size=32).encode()
        self.read = functools.lru_cache(maxsize=4096)(self._read)

    def issue(self, state: BaiduState, api_key: str, now: float, draw: Draw) -> JsonObject:
        """A new token, beside those that live. Its members come in the order of a real answer."""
        state.issued += 1
        application = _packed(api_key)
        expiry = int(now) + LIFETIME
        nonce = _hex(draw)[:8]
        access = f"24.{nonce}{self._signature(nonce, expiry, application)}.{LIFETIME}.{expiry}.{_SERVICE}-{application}"
        if expiry <= state.revoked:
            state.spared[access] = None
            while len(state.spared) > _KEPT:
                del state.spared[next(iter(state.spared))]
        refresh_expiry = int(now) + REFRESH_LIFETIME
        return {
            "refresh_token": f"25.{_hex(draw)}.{REFRESH_LIFETIME}.{refresh_expiry}.{_SERVICE}-{application}",
            "expires_in": LIFETIME,
            "session_key": "9mzd" + "".join(draw.choice(_BASE64) for _ in range(86)) + "==",
            "access_token": access,
            "scope": " ".join(state.scope),
            "session_secret": _hex(draw),
        }

    def _read(self, text: str) -> Token | None:
        """What the token ``text`` says; ``None`` if it is of another form."""
        found = _FORM.fullmatch(text)
        api_key = _unpacked(found[4]) if found is not None else None
        if found is None or api_key is None:
            return None
        nonce, given, expiry, application = found.groups()
        right = self._signature(nonce, int(expiry), application)
        return Token(api_key, int(expiry), hmac.compare_digest(given, right))

    def _signature(self, nonce: str, expiry: int, application: str) -> str:
        return hmac.digest(self._secret, f"{nonce}.{expiry}.{application}".encode(), "sha256").hex()[:24]


def check(state: BaiduState, text: str, token: Token | None, now: float) -> None:
    """Let a live token pass.

    Args:
        state: of the account that the token carries.
        text: the token.
        token: what it says.
        now: by the account's clock.

    Raises:
        ApiError: 110, it is no token of this emulator's or was revoked; 111, its time is over.

    """
    if token is None:
        raise ApiError(110, "this access_token was never issued here; ask /oauth/2.0/token for one")
    if not token.genuine:
        raise ApiError(110, "this access_token was never issued here: it was altered, or comes of another --seed")
    if token.expiry <= state.revoked and text not in state.spared:
        raise ApiError(110, "this access_token was revoked; ask /oauth/2.0/token for another")
    if now >= token.expiry:
        raise ApiError(
            state.behaviour.expired, f"this access_token expired {now - token.expiry:.0f} s ago by the account's clock"
        )


def revoke(state: BaiduState, now: float) -> None:
    """Let every token that was issued until now be over: 110 from here on."""
    state.revoked = int(now) + LIFETIME
    state.spared.clear()


def carries(api_key: str) -> bool:
    """Whether a token can carry ``api_key``."""
    return len(quote(api_key, safe="")) <= LONGEST_KEY


def _packed(api_key: str) -> str:
    """``api_key`` as the number of an application: the digits of a number written in another base."""
    number = 1
    for sign in quote(api_key, safe=""):
        number = number * len(_DIGITS) + _PLACES[sign]
    return str(number)


def _unpacked(application: str) -> str | None:
    """The API key that became ``application``; ``None`` if there is none."""
    number = int(application)
    signs = []
    while number > 1:
        number, place = divmod(number, len(_DIGITS))
        signs.append(_DIGITS[place])
    return unquote("".join(reversed(signs))) if number == 1 else None


def _hex(draw: Draw) -> str:
    return "".join("0123456789abcdef"[draw.integer(0, 15)] for _ in range(32))
