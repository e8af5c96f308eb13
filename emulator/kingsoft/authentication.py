"""Verifies signatures, and when one is wrong says why: what was computed here, and which mistake would explain it."""

from __future__ import annotations

import hmac
from dataclasses import replace

from emulator.core.errors import ApiError
from emulator.core.exchange import RawRequest
from emulator.kingsoft.signing import (
    SERVICES,
    CredentialScope,
    Memory,
    Signable,
    Unsignable,
    difference,
    guesses,
    signable,
    signed_at,
)

NEARLY = 8
"""A signature that differs from the right one in no more digits than this was altered, not wrongly made."""


def verify(
    request: RawRequest,
    scope: CredentialScope,
    secret: str,
    memory: Memory,
    *,
    skew: float,
    services: tuple[str, ...] = SERVICES[:1],
) -> str:
    """Let a rightly signed request pass, and say in a few words what was found.

    Args:
        request: as it came in.
        scope: who signed it.
        secret: the access key's.
        memory: requests that were signed rightly of late.
        skew: seconds by which the signing time may differ from the machine's; 0 does not look at it.
        services: what the credential's service may be.

    Raises:
        ApiError: the signature is incomplete, wrong, or too old. [inference: the vendor's names are not documented]

    """
    try:
        seen = signable(request, scope)
    except Unsignable as error:
        raise ApiError("IncompleteSignature", str(error)) from None
    if scope.service not in services:
        wanted = " or ".join(services)
        raise ApiError("SignatureDoesNotMatch", f"the service of the credential is {scope.service!r}, not {wanted}")
    right = seen.signature(secret)
    if not hmac.compare_digest(right, scope.signature):
        cause = _cause(request, scope, seen, right, secret, memory)
        raise ApiError("SignatureDoesNotMatch", f"{cause}\n{_shown(seen)}")
    stated = request.headers.get("X-Amz-Content-Sha256")
    if stated is not None and stated != seen.payload_hash:
        raise ApiError("SignatureDoesNotMatch", "X-Amz-Content-Sha256 is not the hash of the body that came")
    if seen.stamp[:8] != seen.date:
        raise ApiError("SignatureDoesNotMatch", f"the credential's date {seen.date} is not that of {seen.stamp}")
    late = request.arrived - signed_at(seen.stamp)
    if skew and abs(late) > skew:
        when = f"{late:.0f} s ago" if late > 0 else f"{-late:.0f} s ahead"
        raise ApiError("RequestExpired", f"the request was signed {when} ({seen.stamp}); {skew:.0f} s are allowed")
    memory.keep(scope.signature, seen)
    return "the signature is right"


def _cause(request: RawRequest, scope: CredentialScope, seen: Signable, right: str, secret: str, memory: Memory) -> str:
    """The likeliest reason why the signature is wrong, in one sentence."""
    known = memory.known.get(scope.signature)
    if known is not None and (found := difference(seen, known)):
        return f"the request was changed after it was signed: {found}"
    if sum(a != b for a, b in zip(right, scope.signature, strict=True)) <= NEARLY:
        return "the signature itself was altered: all but a few of its digits are right"
    for guess in guesses(request, seen, secret):
        if hmac.compare_digest(guess.signed.signature(guess.secret or secret), scope.signature):
            return guess.mistake
    if any(seen == good for good in memory.known.values()):
        return "the signature was altered, or the secret is another: this very request was signed rightly before"
    return "the secret is another, or a part of the request was changed after it was signed"


def _shown(seen: Signable) -> str:
    """What was computed here, for comparison; a session token is blotted out."""
    headers = tuple((name, "***" if name == "x-amz-security-token" else value) for name, value in seen.headers)
    query = tuple((name, "***" if name == "X-Amz-Security-Token" else value) for name, value in seen.query)
    shown = replace(seen, headers=headers, query=query)
    return (
        f"canonical request as computed here:\n{shown.canonical_request()}\n"
        f"string to sign as computed here:\n{seen.string_to_sign()}"
    )
