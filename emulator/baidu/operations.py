"""THE table of Baidu's operations: one row each. A row's schemas are found by its name."""

from __future__ import annotations

from emulator.baidu.recognise import Recognition
from emulator.core.operations import Handler, Operation, OperationTable

NAME = "baidu"
TOKEN, RECOGNISE, FINANCE = "oauth.token", "iocr.recognise", "iocr.finance"
RECOGNITIONS = frozenset({RECOGNISE, FINANCE})


def table(token: Handler, recognition: Recognition) -> OperationTable:
    """Every operation that is emulated."""
    return OperationTable(
        [
            Operation(NAME, TOKEN, "/oauth/2.0/token", ("GET", "POST"), token,
                      "issue an access token", "docs Tk6z52d7c"),
            Operation(NAME, RECOGNISE, "/rest/2.0/solution/v1/iocr/recognise", ("POST",), recognition.recognise,
                      "read a picture by a template", "seed"),
            Operation(NAME, FINANCE, "/rest/2.0/solution/v1/iocr/recognise/finance", ("POST",), recognition.finance,
                      "read receipts and other papers of finance", "docs yk3h7y9u3"),
        ]
    )  # fmt: skip
