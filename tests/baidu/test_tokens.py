"""Access tokens: issued, several at once, over after thirty days."""

from __future__ import annotations

import pytest

from emulator.baidu import tokens
from emulator.baidu.tokens import BaiduState
from emulator.core.errors import ApiError
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from tests.support.clouds import data
from tests.support.machine import START

DAYS = 86_400


def _issued(state: BaiduState | None = None, now: float = START, meaning: object = 0) -> JsonObject:
    return tokens.issue(state or BaiduState(), now, Draw(7, "token", meaning))


def _refusal(state: BaiduState, token: str, now: float) -> ApiError:
    with pytest.raises(ApiError) as caught:
        tokens.check(state, token, now)
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

    tokens.check(state, token, START + 30 * DAYS - 0.001)


def test_several_tokens_live_at_once() -> None:
    state = BaiduState()
    issued = [_issued(state, START + number, number)["access_token"] for number in range(5)]

    for token in issued:
        tokens.check(state, token, START + 10)
    assert len(set(issued)) == 5


@pytest.mark.parametrize("later", [0, 1, 365 * DAYS])
def test_a_token_is_over_after_thirty_days(later: float) -> None:
    state = BaiduState()
    token = _issued(state)["access_token"]

    refusal = _refusal(state, token, START + 30 * DAYS + later)

    assert refusal.code == 111
    assert refusal.reason == f"this access_token expired {later:.0f} s ago by the account's clock"


@pytest.mark.parametrize("token", ["", "24.abc", "25.0a.1.2.3-4"])
def test_a_token_that_was_never_issued_is_refused(token: str) -> None:
    refusal = _refusal(BaiduState(), token, START)

    assert (refusal.code, refusal.reason) == (
        110,
        "this access_token was never issued here; ask /oauth/2.0/token for one",
    )


def test_a_refresh_token_is_no_access_token() -> None:
    state = BaiduState()

    assert _refusal(state, _issued(state)["refresh_token"], START).code == 110


def test_a_token_of_one_account_is_not_known_in_another() -> None:
    token = _issued(BaiduState())["access_token"]

    assert _refusal(BaiduState(), token, START).code == 110


def test_checking_a_token_changes_nothing() -> None:
    state = BaiduState()
    token = _issued(state)["access_token"]
    before = (dict(state.tokens), state.issued, state.answered)
    tokens.check(state, token, START)
    _refusal(state, token, START + 31 * DAYS)
    _refusal(state, "other", START)

    assert (state.tokens, state.issued, state.answered) == before


def test_tokens_that_are_issued_without_end_do_not_fill_the_memory() -> None:
    state = BaiduState()
    state.tokens = {str(number): START for number in range(10_000)}
    newest = _issued(state)["access_token"]

    assert len(state.tokens) == 10_000
    assert "0" not in state.tokens
    tokens.check(state, newest, START)
