"""The package baidu-aip-sdk for Node, unmodified: an interceptor of its own points its addresses at the emulator."""

from __future__ import annotations

import base64
import functools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.baidu_files import pdf
from tests.support.client import TRAIN_TICKET
from tests.support.pictures import encoded
from tests.support.remote import Remote

FOLDER = Path(__file__).parent / "node"
TICKET = json.loads((Path(__file__).parents[1] / "data" / "baidu-train-ticket.json").read_text("utf-8"))


@functools.cache
def _missing() -> str:
    """What is missing to run the SDK; empty if nothing is."""
    node = shutil.which("node")
    if node is None:
        return "there is no Node here"
    found = subprocess.run(
        [node, "-e", "require.resolve('baidu-aip-sdk')"], cwd=FOLDER, capture_output=True, check=False
    )
    return "" if found.returncode == 0 else "run: npm install --prefix tests/clients/node"


@pytest.fixture(autouse=True)
def _with_the_sdk() -> None:
    if _missing():
        pytest.skip(_missing())


def call(remote: Remote, method: str, *arguments: Any, secret: str = "") -> Any:
    """What the SDK hands to its caller."""
    command = ["node", "call.js", remote.url, remote.name, secret or remote.secret, method, json.dumps(arguments)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_custom_reads_a_picture_by_a_template(remote: Remote) -> None:
    assert call(remote, "custom", encoded(), TRAIN_TICKET) == TICKET


def test_its_second_question_mark_does_not_spoil_the_token(remote: Remote) -> None:
    call(remote, "custom", encoded(), TRAIN_TICKET)

    assert [(entry["operation"], entry["code"]) for entry in remote.journal()] == [
        ("baidu.oauth.token", None),
        ("baidu.iocr.recognise", None),
    ]


def test_custom_with_an_object_in_the_place_of_a_template_is_told_that_there_is_none(remote: Remote) -> None:
    answer = call(remote, "custom", encoded(), {"templateSign": TRAIN_TICKET})

    assert (answer["error_code"], answer["error_msg"]) == (
        282004,
        "invalid param, modelId is not number,please check your param",
    )


def test_custom_url_has_a_picture_recognised_by_its_address(remote: Remote) -> None:
    assert call(remote, "customUrl", "http://127.0.0.1/a.png", TRAIN_TICKET) == TICKET


def test_custom_finance_reads_a_receipt(remote: Remote) -> None:
    answer = call(remote, "customFinance", encoded(), {"templateSign": "taxi_receipt"})

    assert (answer["error_code"], answer["data"]["templateSign"]) == (0, "taxi_receipt")


def test_custom_finance_pdf_reads_a_pdf_file(remote: Remote) -> None:
    file = base64.b64encode(pdf((595, 842))).decode()

    assert call(remote, "customFinancePdf", file, {"templateSign": "vat_invoice_v2"})["error_code"] == 0


def test_an_expired_token_is_handed_to_the_caller(remote: Remote) -> None:
    rule = {"when": {"operation": "baidu.iocr.recognise"}, "then": {"error": 111}}
    remote.admin("POST", "rules", rule)

    assert call(remote, "custom", encoded(), TRAIN_TICKET)["error_code"] == 111


def test_without_the_scope_that_it_looks_for_it_signs_rightly_and_succeeds(remote: Remote) -> None:
    remote.admin("PATCH", "clouds/baidu", {"scope": ["public", "brain_solution_iocr"]})

    assert call(remote, "custom", encoded(), TRAIN_TICKET) == TICKET


def test_with_a_wrong_secret_it_signs_wrongly_and_is_refused_with_14(remote: Remote) -> None:
    assert call(remote, "custom", encoded(), TRAIN_TICKET, secret="wrong")["error_code"] == 14
