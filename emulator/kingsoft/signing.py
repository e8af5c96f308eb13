"""The signature of Kingsoft's requests (AWS Signature Version 4), as far as finding out who calls.

It travels in the query (``X-Amz-Credential=…``) or in the ``Authorization`` header. [docs 2386, docs 37587]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ALGORITHM = "AWS4-HMAC-SHA256"
_FIELD = re.compile(r"\b(Credential|SignedHeaders|Signature)\s*=\s*([^,\s]*)")


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """``<access key>/<yyyymmdd>/<region>/<service>/aws4_request`` and the carrier that brought it.

    Parts that the client left out are empty; ``signature`` and ``signed_headers`` are as sent.
    """

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: str
    signature: str
    carrier: Literal["query", "header"]


def read_scope(query: Mapping[str, str], authorization: str | None) -> CredentialScope | None:
    """Who signed a request, by its query or its ``Authorization`` header; ``None`` if nobody did."""
    if credential := query.get("X-Amz-Credential"):
        signed, signature = query.get("X-Amz-SignedHeaders", ""), query.get("X-Amz-Signature", "")
        return _scope(credential, signed, signature, "query")
    if authorization is not None and authorization.startswith(ALGORITHM):
        fields = dict(_FIELD.findall(authorization))
        if credential := fields.get("Credential"):
            return _scope(credential, fields.get("SignedHeaders", ""), fields.get("Signature", ""), "header")
    return None


def _scope(
    credential: str, signed_headers: str, signature: str, carrier: Literal["query", "header"]
) -> CredentialScope:
    key, *rest = credential.rsplit("/", 4) if credential.count("/") >= 4 else credential.split("/")
    date, region, service = (*rest[:3], "", "", "")[:3]
    return CredentialScope(key, date, region, service, signed_headers, signature, carrier)
