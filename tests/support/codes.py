"""The vendors' codes, as the data files have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FIXTURES = Path(__file__).parents[2] / "fixtures"


def rows(cloud: str, listed: str) -> list[dict[str, Any]]:
    """The codes of one list that say that something went wrong: all but 0."""
    document = json.loads((_FIXTURES / cloud / "errors.json").read_text("utf-8"))
    return [row for row in document["lists"][listed] if row["code"] != 0]
