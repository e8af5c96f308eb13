"""A Flask view that takes a picture of a ticket and answers with what iOCR reads on it, tested without a network."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
import requests
from flask import Flask, request
from flask.testing import FlaskClient

from emulator.testing import Emulator
from tests.support.pictures import picture

TRAIN_TICKET = "1c65a67f151df56ba4e29c4dddace5ee"
EXPIRED = (110, 111)
BUSY = (4, 17, 18)


# The application


def create_app(endpoint: str, api_key: str, secret_key: str) -> Flask:
    """The application; in production its endpoint is https://aip.baidubce.com."""
    app = Flask(__name__)
    tokens: list[str] = []

    def token() -> str:
        if not tokens:
            query = {"grant_type": "client_credentials", "client_id": api_key, "client_secret": secret_key}
            tokens.append(requests.get(f"{endpoint}/oauth/2.0/token", params=query, timeout=10).json()["access_token"])
        return tokens[0]

    def read(image: bytes) -> Any:
        form = {"image": base64.b64encode(image).decode(), "templateSign": TRAIN_TICKET}
        url = f"{endpoint}/rest/2.0/solution/v1/iocr/recognise"
        return requests.post(url, params={"access_token": token()}, data=form, timeout=10).json()

    @app.post("/tickets")
    def upload() -> Any:
        image = request.files["picture"].read()
        found = read(image)
        if found["error_code"] in EXPIRED:
            tokens.clear()
            found = read(image)
        if found["error_code"] in BUSY:
            return {"problem": "too many tickets at the moment"}, 503
        if found["error_code"]:
            return {"problem": found["error_msg"]}, 422
        return {word["word_name"]: word["word"] for word in found["data"]["ret"]}

    return app


# Its tests


@pytest.fixture(name="browser")
def _browser(emulator: Emulator) -> FlaskClient:
    return create_app(emulator.baidu.url, **emulator.baidu.credentials).test_client()


def upload(browser: FlaskClient, content: bytes | None = None) -> Any:
    return browser.post("/tickets", data={"picture": (BytesIO(content or picture()), "ticket.png")})


def test_a_ticket_is_read(browser: FlaskClient) -> None:
    answer = upload(browser)

    assert (answer.status_code, answer.json["终点站"]) == (200, "天津")


def test_a_token_that_is_no_good_any_more_is_fetched_anew(browser: FlaskClient, emulator: Emulator) -> None:
    emulator.baidu.expect("oauth.token").times(2)
    emulator.baidu.expect("iocr.recognise").fails(111).once()

    assert upload(browser).status_code == 200


def test_a_token_lives_for_thirty_days(browser: FlaskClient, emulator: Emulator) -> None:
    emulator.baidu.expect("iocr.recognise").refused(111).once()
    upload(browser)
    emulator.advance(days=31)

    assert upload(browser).status_code == 200


def test_whoever_is_too_fast_is_told_so(browser: FlaskClient, emulator: Emulator) -> None:
    emulator.baidu.expect("iocr.recognise").fails("Open api qps request limit reached")

    assert upload(browser).status_code == 503


def test_what_is_no_picture_is_refused(browser: FlaskClient, emulator: Emulator) -> None:
    emulator.baidu.expect("iocr.recognise").refused(216201)
    answer = upload(browser, b"not a picture")

    assert (answer.status_code, answer.json) == (422, {"problem": "image format error"})
