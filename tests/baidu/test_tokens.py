"""Access tokens: issued, several at once, known again without being stored, over after thirty days, revoked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.baidu import tokens
from emulator.baidu.behaviour import Behaviour
from emulator.baidu.tokens import BaiduState, Mint, Token
from emulator.core.errors import ApiError
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from tests.support.clouds import data
from tests.support.machine import START

DAYS = 86_400
KEY = "Va5yQRHlA4Fq5eR3LT0vuXV4"
MINT = Mint(7)


def _issued(state: BaiduState | None = None, now: float = START, meaning: object = 0, key: str = KEY) -> JsonObject:
    return MINT.issue(state or BaiduState(), key, now, Draw(7, "token", meaning))


def _check(state: BaiduState, token: str, now: float) -> None:
    tokens.check(state, token, MINT.read(token), now)


def _refusal(state: BaiduState, token: str, now: float) -> ApiError:
    with pytest.raises(ApiError) as caught:
        _check(state, token, now)
    return caught.value


def test_an_answer_fits_its_schema() -> None:
    schema = data()[0].get("baidu/oauth.token.response.json")

    assert schema.is_valid(_issued())


def test_an_answer_has_its_members_in_the_order_of_a_real_one() -> None:
    assert list(_issued()) == [
        "refresh_token",
        "expires_in",
        "session_key",
        "access_token",
        "scope",
        "session_secret",
    ]


def test_a_token_lives_for_thirty_days() -> None:
    assert _issued()["expires_in"] == 2_592_000


def test_a_token_says_when_it_expires() -> None:
    _, _, lifetime, expiry, _ = _issued()["access_token"].split(".")

    assert (lifetime, expiry) == ("2592000", "1769817600")


def test_a_refresh_token_says_when_it_expires() -> None:
    _, _, lifetime, expiry, _ = _issued()["refresh_token"].split(".")

    assert (lifetime, expiry) == ("315360000", "2082585600")


def test_both_tokens_are_of_the_same_application() -> None:
    answer = _issued()

    assert answer["access_token"].rpartition(".")[2] == answer["refresh_token"].rpartition(".")[2]


def test_a_token_has_the_right_without_which_clients_do_not_use_it() -> None:
    assert "brain_all_scope" in _issued()["scope"].split()


def test_a_token_is_the_same_for_the_same_meaning() -> None:
    assert _issued() == _issued()


def test_two_tokens_differ_in_everything_that_is_secret() -> None:
    first, second = _issued(meaning=1), _issued(meaning=2)

    assert all(
        first[name] != second[name] for name in ("access_token", "refresh_token", "session_key", "session_secret")
    )


def test_a_live_token_passes() -> None:
    state = BaiduState()
    token = _issued(state)["access_token"]

    _check(state, token, START + 30 * DAYS - 0.001)


def test_several_tokens_live_at_once() -> None:
    state = BaiduState()
    issued = [_issued(state, START + number, number)["access_token"] for number in range(5)]

    for token in issued:
        _check(state, token, START + 10)
    assert len(set(issued)) == 5


@pytest.mark.parametrize("later", [0, 1, 365 * DAYS])
def test_a_token_is_over_after_thirty_days(later: float) -> None:
    state = BaiduState()
    token = _issued(state)["access_token"]

    refusal = _refusal(state, token, START + 30 * DAYS + later)

    assert refusal.code == 111
    assert refusal.reason == f"this access_token expired {later:.0f} s ago by the account's clock"


@pytest.mark.parametrize("token", ["", "24.abc", "25.0a.1.2.3-4", "null", "24." + "a" * 32 + ".2592000.1.282335-"])
def test_what_has_not_the_form_of_a_token_is_refused(token: str) -> None:
    refusal = _refusal(BaiduState(), token, START)

    assert (refusal.code, refusal.reason) == (
        110,
        "this access_token was never issued here; ask /oauth/2.0/token for one",
    )


def test_a_refresh_token_is_no_access_token() -> None:
    assert _refusal(BaiduState(), _issued()["refresh_token"], START).code == 110


def test_a_token_has_the_documented_form() -> None:
    assert re.fullmatch(r"24\.[0-9a-f]{32}\.2592000\.\d{10}\.282335-\d+", _issued()["access_token"])


def test_a_token_carries_the_api_key_that_it_was_issued_for() -> None:
    assert MINT.read(_issued()["access_token"]) == Token(KEY, int(START) + 30 * DAYS, True)


@given(st.text(min_size=1, max_size=16))
def test_any_api_key_comes_back_from_its_token(key: str) -> None:
    found = MINT.read(_issued(key=key)["access_token"])

    assert found is not None
    assert found.api_key == key


def test_a_token_is_known_to_another_emulator_with_the_same_seed() -> None:
    token = _issued()["access_token"]

    tokens.check(BaiduState(), token, Mint(7).read(token), START)


def test_a_token_of_another_seed_is_refused() -> None:
    token = _issued()["access_token"]

    with pytest.raises(ApiError) as caught:
        tokens.check(BaiduState(), token, Mint(8).read(token), START)

    assert caught.value.code == 110
    assert caught.value.reason.endswith("it was altered, or comes of another --seed")


@pytest.mark.parametrize("place", [3, 20, 34, 45, 53])
def test_a_token_of_which_one_sign_was_changed_is_refused(place: int) -> None:
    token = _issued()["access_token"]
    other = "1" if token[place] != "1" else "2"

    assert _refusal(BaiduState(), token[:place] + other + token[place + 1 :], START).code == 110


@given(st.from_regex(r"24\.[0-9a-f]{32}\.2592000\.[0-9]{1,11}\.282335-[0-9]{1,60}", fullmatch=True))
def test_whatever_has_the_form_of_a_token_is_read_without_an_accident(text: str) -> None:
    found = MINT.read(text)

    assert found is None or not found.genuine


def test_a_token_that_was_revoked_is_refused() -> None:
    state = BaiduState()
    token = _issued(state)["access_token"]
    tokens.revoke(state, START + 5)

    refusal = _refusal(state, token, START + 6)

    assert (refusal.code, refusal.reason) == (
        110,
        "this access_token was revoked; ask /oauth/2.0/token for another",
    )


def test_a_token_that_was_issued_after_a_revocation_lives_even_if_no_time_has_passed() -> None:
    state = BaiduState()
    _issued(state)
    tokens.revoke(state, START)
    token = _issued(state, START, "after")["access_token"]

    _check(state, token, START)


def test_a_second_revocation_takes_what_the_first_one_spared() -> None:
    state = BaiduState()
    tokens.revoke(state, START)
    token = _issued(state, START)["access_token"]
    tokens.revoke(state, START)

    assert _refusal(state, token, START).code == 110


def test_a_revocation_in_one_account_leaves_the_tokens_of_another_alone() -> None:
    token = _issued()["access_token"]
    tokens.revoke(BaiduState(), START)

    _check(BaiduState(), token, START)


def test_an_expired_token_can_be_refused_with_110_since_clients_refresh_on_nothing_else() -> None:
    token = _issued()["access_token"]
    state = BaiduState(behaviour=Behaviour(expired=110))

    assert _refusal(state, token, START + 31 * DAYS).code == 110


def test_checking_a_token_changes_nothing() -> None:
    state = BaiduState()
    token = _issued(state)["access_token"]
    before = (state.issued, state.answered, state.revoked, dict(state.spared))
    _check(state, token, START)
    _refusal(state, token, START + 31 * DAYS)
    _refusal(state, "other", START)

    assert (state.issued, state.answered, state.revoked, dict(state.spared)) == before


def test_tokens_that_are_issued_without_end_do_not_fill_the_memory() -> None:
    state = BaiduState()
    tokens.revoke(state, START)
    state.spared = {str(number): None for number in range(10_000)}
    newest = _issued(state)["access_token"]

    assert len(state.spared) == 10_000
    assert "0" not in state.spared
    _check(state, newest, START)
