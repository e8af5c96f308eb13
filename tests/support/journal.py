"""What the journal says of an answer."""

from __future__ import annotations

from typing import Any

from tests.support.client import Answered, Client


async def noted(client: Client, answer: Answered, account: str = "") -> Any:
    """The journal's entry of ``answer``, in the client's account unless another is named.

    Its reason must be the one that the client was told in a header.
    """
    number = answer.headers["X-Emulator-Request"]
    found = await client.admin("GET", f"/accounts/{account or client.name}/requests/{number}")
    assert found.status == 200, found.body
    entry = found.json
    assert entry["reason"].encode("ascii", "backslashreplace").decode() == answer.reason
    assert entry["reason"]
    return entry
