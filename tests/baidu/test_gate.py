"""Before a picture is looked at: who calls, with which right, how often, and in which order that is checked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from multidict import CIMultiDict

from emulator.baidu import bce_auth
from emulator.core.accounts import Account
from emulator.core.clock import iso
from emulator.core.emulation import Emulation
from emulator.core.exchange import Credential, Outcome
from tests.support.baidu_calls import FORM, TOKEN, ask, token
from tests.support.client import RECOGNISE, TRAIN_TICKET
from tests.support.clouds import emulation, raw
from tests.support.machine import START
from tests.support.pictures import encoded

GOOD = {"templateSign": TRAIN_TICKET, "image": encoded()}
BODY = urlencode(GOOD).encode()
SECRET = "SECRET+/=="


def _account(cloud: Emulation, name: str = "app", **options: Any) -> Account:
    """An account whose secret is known."""
    document = {"name": name, "baidu": {"api_key": name, "secret_key": SECRET, **options}}
    provider = cloud.providers["baidu"]

    def credentials(name: str, seed: int) -> dict[Credential, str | None]:
        return {Credential("baidu", "api_key", name): SECRET}

    made = cloud.accounts.create(document, None, credentials)
    assert provider.options(made)
    return made


def _code(outcome: Outcome) -> Any:
    found = json.loads(outcome.reply.body)
    return found.get("error_code", found.get("error"))


def _with_token(cloud: Emulation, text: str, form: dict[str, str] | None = None) -> Outcome:
    return ask(cloud, GOOD if form is None else form, query=urlencode({"access_token": text}))


# Tokens


def test_a_token_finds_its_account_again_after_a_restart() -> None:
    text = token(emulation(), "KEY-1")
    again = emulation()

    assert _code(_with_token(again, text)) == 0
    assert again.accounts.get("KEY-1") is not None


def test_an_account_that_was_made_on_purpose_is_found_again_by_a_token_of_before() -> None:
    before = emulation()
    _account(before)
    text = token(before, "app", SECRET)
    after = emulation()
    made = _account(after)

    assert _code(_with_token(after, text)) == 0
    assert made.journal.created == 1


def test_a_token_of_an_emulator_with_another_seed_is_refused() -> None:
    assert _code(_with_token(emulation(seed=8), token(emulation()))) == 110


def test_a_token_of_nobody_is_refused_with_110_where_accounts_are_closed() -> None:
    assert _code(_with_token(emulation(accounts="closed"), token(emulation()))) == 110


def test_a_token_works_in_the_form_as_in_the_query() -> None:
    cloud = emulation()

    assert _code(ask(cloud, {"access_token": token(cloud), **GOOD})) == 0


def test_the_token_in_the_query_goes_before_that_in_the_form() -> None:
    cloud = emulation()
    outcome = ask(cloud, {"access_token": "wrong", **GOOD}, query=urlencode({"access_token": token(cloud)}))

    assert _code(outcome) == 0


def test_a_token_with_the_node_sdks_second_question_mark_works() -> None:
    cloud = emulation()

    assert _code(ask(cloud, GOOD, query=f"aipSdk=node&access_token={token(cloud)}?aipSdk=node")) == 0


def test_the_node_sdks_object_in_the_place_of_a_template_is_no_template() -> None:
    cloud = emulation()
    form = {"templateSign[templateSign]": TRAIN_TICKET, "image": GOOD["image"]}

    assert _code(_with_token(cloud, token(cloud), form)) == 282004


def test_several_tokens_of_one_key_live_at_once() -> None:
    cloud = emulation()
    texts = {token(cloud) for _ in range(3)}

    assert len(texts) == 3
    assert [_code(_with_token(cloud, text)) for text in texts] == [0, 0, 0]


def test_revoking_tokens_is_an_option_of_the_account() -> None:
    cloud = emulation()
    text, account = token(cloud), cloud.accounts.get("KEY")
    assert account is not None
    cloud.providers["baidu"].set_options(account, {"revoked": True})

    assert _code(_with_token(cloud, text)) == 110
    assert _code(_with_token(cloud, token(cloud))) == 0


@pytest.mark.parametrize(("setting", "code"), [("111", 111), ("110", 110)])
def test_an_expired_token_is_refused_with_the_code_that_was_set(setting: str, code: int) -> None:
    cloud = emulation(expired_token=setting)
    text, account = token(cloud), cloud.accounts.get("KEY")
    assert account is not None
    account.clock.move_to(START + 31 * 86_400)

    assert _code(_with_token(cloud, text)) == code


def test_nothing_is_checked_where_that_is_switched_off() -> None:
    assert _code(ask(emulation(auth="off"), GOOD)) == 0


# The token endpoint

GRANT = {"grant_type": "client_credentials", "client_id": "KEY", "client_secret": "any"}


@pytest.mark.parametrize(
    ("method", "query", "body", "kind"),
    [
        pytest.param("GET", urlencode(GRANT), b"", "", id="Python, PHP, .NET, Go"),
        pytest.param("POST", urlencode(GRANT) + "&", b"", "", id="documentation"),
        pytest.param("POST", urlencode(GRANT), b'""', "application/json", id="generated samples"),
        pytest.param("POST", "", urlencode(GRANT).encode(), FORM, id="Java, Node"),
        pytest.param("POST", "", urlencode(GRANT).encode(), "application/json", id="a wrong type"),
        pytest.param("POST", "grant_type=client_credentials", b"client_id=K&client_secret=s", FORM, id="both"),
    ],
)
def test_a_token_is_issued_however_it_is_asked_for(method: str, query: str, body: bytes, kind: str) -> None:
    outcome = emulation().pipeline.decide(raw(method, TOKEN, query, body, kind))

    assert outcome.reply.status == 200
    assert json.loads(outcome.reply.body)["expires_in"] == 2_592_000


def test_a_token_answer_is_ascii_with_escaped_slashes_and_has_the_rights_that_clients_look_for() -> None:
    body = emulation().pipeline.decide(raw("GET", TOKEN, urlencode(GRANT))).reply.body

    assert body.isascii()
    assert b"\\u6743\\u9650" in body
    assert b"/" not in body.replace(b"\\/", b"")
    assert {"brain_all_scope", "brain_solution_iocr"} <= set(json.loads(body)["scope"].split())


@pytest.mark.parametrize(
    ("change", "status", "body"),
    [
        (
            {"client_secret": "wrong"},
            401,
            b'{"error":"invalid_client","error_description":"Client authentication failed"}\n',
        ),
        (
            {"client_secret": ""},
            400,
            b'{"error_description":"The request is missing a required parameter","error":"invalid_request"}\n',
        ),
        (
            {"grant_type": "password"},
            400,
            b'{"error":"unsupported_grant_type","error_description":"The authorization grant type is not supported"}\n',
        ),
        ({"client_id": "k" * 201}, 401, b'{"error_description":"unknown client id","error":"invalid_client"}\n'),
    ],
)
def test_a_refused_token_call_is_answered_to_the_letter(change: dict[str, str], status: int, body: bytes) -> None:
    cloud = emulation()
    _account(cloud)
    query = urlencode({**GRANT, "client_id": "app", "client_secret": SECRET, **change})
    reply = cloud.pipeline.decide(raw("GET", TOKEN, query)).reply

    assert (reply.status, reply.body) == (status, body)


def test_an_unknown_secret_is_refused_where_checks_are_strict() -> None:
    reply = emulation(auth="strict").pipeline.decide(raw("GET", TOKEN, urlencode(GRANT))).reply

    assert (reply.status, json.loads(reply.body)["error"]) == (401, "invalid_client")


# Signatures and API keys


def _signed(cloud: Emulation, key: str = "app", secret: str = SECRET, query: str = "aipSdk=python") -> Outcome:
    stamp = iso(START)[:19] + "Z"
    headers = {"Host": "aip.baidubce.com", "x-bce-date": stamp, "Content-Type": FORM}
    request = replace(raw(path=RECOGNISE, query=query, body=BODY), headers=CIMultiDict(headers))
    said = bce_auth.read(f"bce-auth-v1/{key}/{stamp}/1800/host;x-bce-date/x")
    assert said is not None
    signature = bce_auth.signature(secret, said, bce_auth.canonical(request, said).text())
    headers["authorization"] = f"bce-auth-v1/{key}/{stamp}/1800/host;x-bce-date/{signature}"
    return cloud.pipeline.decide(replace(request, headers=CIMultiDict(headers)))


def test_a_rightly_signed_call_succeeds_and_belongs_to_its_account() -> None:
    cloud = emulation()
    account = _account(cloud)

    assert _code(_signed(cloud)) == 0
    assert account.journal.created == 1


def test_a_wrongly_signed_call_is_refused_with_14() -> None:
    cloud = emulation()
    _account(cloud)
    outcome = _signed(cloud, secret="wrong")

    assert json.loads(outcome.reply.body) == {"error_code": 14, "error_msg": "IAM Certification failed"}


@pytest.mark.parametrize(("auth", "code"), [("lenient", 0), ("strict", 14), ("off", 0)])
def test_a_signature_with_an_unknown_secret_is_judged_as_was_set(auth: str, code: int) -> None:
    assert _code(_signed(emulation(auth=auth), key="unknown")) == code


def test_a_wrong_signature_is_refused_even_beside_a_live_token() -> None:
    cloud = emulation()
    _account(cloud)

    assert _code(_signed(cloud, secret="wrong", query=f"access_token={token(cloud, 'app', SECRET)}")) == 14


def test_a_signature_of_nobody_is_refused_with_14_where_accounts_are_closed() -> None:
    assert _code(_signed(emulation(accounts="closed"), key="unknown")) == 14


def test_a_signature_that_is_not_whole_is_refused_with_14() -> None:
    request = raw(path=RECOGNISE, body=BODY, kind=FORM, Authorization="bce-auth-v1/app")
    outcome = emulation().pipeline.decide(request)

    assert _code(outcome) == 14
    assert "six parts" in outcome.reason


@pytest.mark.parametrize(("secret", "code"), [(SECRET, 0), ("wrong", 14)])
def test_an_api_key_is_accepted_in_the_place_of_a_token(secret: str, code: int) -> None:
    cloud = emulation()
    _account(cloud, "ALTAK-app")
    request = raw(path=RECOGNISE, body=BODY, kind=FORM, Authorization=f"Bearer bce-v3/ALTAK-app/{secret}")

    assert _code(cloud.pipeline.decide(request)) == code


def test_an_api_key_whose_secret_is_not_known_opens_an_account() -> None:
    cloud = emulation()
    request = raw(path=RECOGNISE, body=BODY, kind=FORM, Authorization="Bearer bce-v3/ALTAK-new/abc")

    assert _code(cloud.pipeline.decide(request)) == 0
    assert cloud.accounts.get("ALTAK-new") is not None


# Rights and limits


def test_an_application_without_the_right_to_iocr_is_refused_with_6() -> None:
    cloud = emulation()
    _account(cloud, scope=["public", "brain_all_scope"])

    found = json.loads(_with_token(cloud, token(cloud, "app", SECRET)).reply.body)

    assert found == {"error_code": 6, "error_msg": "No permission to access data"}


def _limited(**limits: int) -> tuple[Emulation, Account, str]:
    cloud = emulation()
    account = _account(cloud, limits=limits)
    return cloud, account, token(cloud, "app", SECRET)


def test_more_calls_within_a_second_than_are_allowed_are_refused_with_18() -> None:
    cloud, account, text = _limited(qps=2)
    codes = [_code(_with_token(cloud, text)) for _ in range(3)]
    account.clock.move_to(START + 0.999)
    codes.append(_code(_with_token(cloud, text)))
    account.clock.move_to(START + 1)
    codes.append(_code(_with_token(cloud, text)))

    assert codes == [0, 0, 18, 18, 0]


def test_more_calls_within_a_day_of_beijings_than_are_allowed_are_refused_with_17() -> None:
    cloud, account, text = _limited(daily=2)
    codes = [_code(_with_token(cloud, text)) for _ in range(3)]
    account.clock.move_to(START + 16 * 3600 - 1)
    codes.append(_code(_with_token(cloud, text)))
    account.clock.move_to(START + 16 * 3600)
    codes.append(_code(_with_token(cloud, text)))

    assert codes == [0, 0, 17, 17, 0]


def test_more_calls_in_all_than_are_allowed_are_refused_with_19() -> None:
    cloud, account, text = _limited(total=1)
    first = _code(_with_token(cloud, text))
    account.clock.move_to(START + 20 * 86_400)

    assert [first, _code(_with_token(cloud, text))] == [0, 19]


def test_a_call_that_is_refused_for_its_token_does_not_count() -> None:
    cloud, _, text = _limited(total=1)
    _with_token(cloud, text + "0")

    assert _code(_with_token(cloud, text)) == 0


def test_a_call_that_is_refused_for_its_picture_counts() -> None:
    cloud, _, text = _limited(total=1)
    _with_token(cloud, text, {**GOOD, "image": "!"})

    assert _code(_with_token(cloud, text)) == 19


def test_the_limit_of_one_account_is_not_that_of_another() -> None:
    cloud, _, text = _limited(qps=1)
    _with_token(cloud, text)

    assert [_code(_with_token(cloud, text)), _code(_with_token(cloud, token(cloud)))] == [18, 0]


def test_there_are_no_limits_unless_they_are_switched_on() -> None:
    cloud = emulation()
    text = token(cloud)

    assert {_code(_with_token(cloud, text)) for _ in range(20)} == {0}


def test_the_documented_limit_of_free_accounts_is_in_force_when_limits_are_switched_on() -> None:
    cloud = emulation(limits="on")
    text = token(cloud)

    assert [_code(_with_token(cloud, text)) for _ in range(3)] == [0, 0, 18]


def test_options_of_an_account_survive_a_reset_as_it_was_made_with_them() -> None:
    cloud = emulation()
    account = _account(cloud, era="2020", limits={"qps": 3})
    cloud.providers["baidu"].set_options(account, {"era": "2018", "revoked": True})
    account.reset()
    options = cloud.providers["baidu"].options(account)

    assert (options["era"], options["limits"]["qps"], options["revoked"]) == ("2020", 3, False)


# The order of checks


@pytest.mark.parametrize(
    ("query", "form", "code"),
    [
        pytest.param("", {}, 100, id="no token before no template"),
        pytest.param("access_token=x", {}, 110, id="a wrong token before no template"),
        pytest.param("TOKEN", {}, 282004, id="no template before no picture"),
        pytest.param("TOKEN", {"image": ""}, 282004, id="no template before an empty picture"),
        pytest.param("TOKEN", {"classifierId": "x"}, 282004, id="no number before no picture"),
        pytest.param("TOKEN", {"templateSign": "none"}, 216101, id="no picture before an unknown template"),
        pytest.param("TOKEN", {"templateSign": "none", "image": ""}, 216200, id="an empty picture"),
        pytest.param("TOKEN", {"templateSign": "none", "url": "u" * 1025}, 282114, id="a long url"),
        pytest.param("TOKEN", {"templateSign": "none", "url": "x"}, 282111, id="a malformed url"),
        pytest.param("TOKEN", {"templateSign": "none", "image": "AA=="}, 216201, id="the format before the template"),
        pytest.param("TOKEN", {"templateSign": "none", "image": encoded(9, 9)}, 216202, id="the size before it"),
        pytest.param("TOKEN", {"templateSign": "none", "image": encoded()}, 282004, id="the template"),
        pytest.param("TOKEN", {"classifierId": "5", "image": "AA=="}, 216201, id="the format before the classifier"),
        pytest.param("TOKEN", {"classifierId": "5", "image": encoded()}, 272004, id="the classifier"),
    ],
)
def test_checks_come_in_the_order_of_the_fact_sheet(query: str, form: dict[str, str], code: int) -> None:
    cloud = emulation()

    assert _code(ask(cloud, form, query=query.replace("TOKEN", f"access_token={token(cloud)}"))) == code


@pytest.mark.parametrize("form", [{}, {"templateSign": TRAIN_TICKET}])
def test_a_body_that_is_too_large_is_refused_before_its_parameters_are_looked_at(form: dict[str, str]) -> None:
    cloud = emulation()
    outcome = _with_token(cloud, token(cloud), {**form, "padding": "A" * 10 * 2**20})

    assert json.loads(outcome.reply.body) == {"error_code": 216202, "error_msg": "input oversize"}


def test_a_newer_error_of_the_gateway_has_a_long_id_in_front() -> None:
    found = json.loads(_with_token(emulation(iocr_errors="newer"), "x").reply.body)

    assert list(found) == ["log_id", "error_code", "error_msg"]
    assert len(found["log_id"]) == 19


def test_an_error_of_the_gateway_has_no_id_by_default() -> None:
    assert list(json.loads(_with_token(emulation(), "x").reply.body)) == ["error_code", "error_msg"]
