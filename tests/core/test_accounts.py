"""Accounts: found by what every client sends anyway, and each a world of its own."""

from __future__ import annotations

import re

import pytest

from emulator.core.accounts import Account, AccountBook, AccountLimits
from emulator.core.clock import ClockSpec
from emulator.core.errors import ConfigurationError, EmulatorError
from emulator.core.exchange import Credential
from tests.support.machine import START
from tests.support.toy_cloud import ToyWorld, start_task, toy_world

KEY = Credential("toy", "key", "K1")
PASS = Credential("toy", "pass", "P1", opens=False)


def _of(accounts: AccountBook, credential: Credential | None) -> Account:
    found = accounts.of(credential)
    assert found is not None
    return found


def _create(
    accounts: AccountBook,
    document: dict[str, object] | None = None,
    *credentials: Credential,
    secret: str | None = None,
) -> Account:
    return accounts.create(document or {}, None, lambda name, seed: dict.fromkeys(credentials, secret))


def _refused(world: ToyWorld, document: dict[str, object], *credentials: Credential) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        _create(world.accounts, document, *credentials)
    return [(problem.pointer, problem.message) for problem in caught.value.problems]


def test_no_credential_belongs_to_the_default_account() -> None:
    accounts = toy_world().accounts

    assert accounts.of(None) is accounts.default
    assert accounts.default.name == "default"


def test_an_unknown_key_opens_an_account_named_after_it() -> None:
    account = _of(toy_world().accounts, KEY)

    assert (account.name, account.spec.configured) == ("K1", False)


def test_a_key_finds_the_account_that_it_opened() -> None:
    accounts = toy_world().accounts

    assert accounts.of(KEY) is accounts.of(KEY)
    assert len(accounts) == 2


def test_where_accounts_are_closed_an_unknown_key_is_nobodys() -> None:
    accounts = toy_world(openness="closed").accounts

    assert accounts.of(KEY) is None
    assert len(accounts) == 1


def test_where_accounts_are_closed_a_configured_key_is_found() -> None:
    accounts = toy_world(openness="closed").accounts
    made = _create(accounts, {"name": "mine"}, KEY)

    assert accounts.of(KEY) is made


def test_a_credential_that_must_have_been_issued_opens_nothing() -> None:
    accounts = toy_world().accounts

    assert accounts.of(PASS) is None
    assert len(accounts) == 1


def test_a_credential_that_was_issued_finds_its_account() -> None:
    accounts = toy_world().accounts
    account = _of(accounts, KEY)
    account.bind(PASS)

    assert accounts.of(PASS) is account


def test_an_account_that_opened_by_itself_has_no_secret() -> None:
    assert _of(toy_world().accounts, KEY).secret(KEY) is None


def test_an_account_that_opened_by_itself_starts_as_the_default_one_does() -> None:
    accounts = toy_world(seed=11, clock=ClockSpec("frozen", now=5.0)).accounts
    account = _of(accounts, KEY)

    assert (account.seed, account.clock.now(), account.responses) == (11, 5.0, "canned")


@pytest.mark.parametrize("name", ["K1", "AKLT-x_y.z", "a@b", "A=b+c"])
def test_a_key_that_is_a_good_name_is_the_name(name: str) -> None:
    assert _of(toy_world().accounts, Credential("toy", "key", name)).name == name


@pytest.mark.parametrize(
    "odd", ["a/b", "密钥", "a b", "<script>", "../..", ".hidden", "-flag", "x" * 81, "a\nb", "%2F"]
)
def test_a_key_that_is_no_good_name_gives_a_safe_one(odd: str) -> None:
    name = _of(toy_world().accounts, Credential("toy", "key", odd)).name

    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@=+-]{0,99}", name)


def test_two_odd_keys_never_share_a_name() -> None:
    accounts = toy_world().accounts
    names = {_of(accounts, Credential("toy", "key", key)).name for key in ("a/b", "a?b", "a_b", "密钥", "钥密")}

    assert len(names) == 5


def test_the_name_of_an_odd_key_is_the_same_every_time() -> None:
    names = {_of(toy_world().accounts, Credential("toy", "key", "a/b")).name for _ in range(2)}

    assert names == {"xa_b-82badf67"}


def test_the_same_key_in_two_clouds_is_one_account() -> None:
    accounts = toy_world(clouds=("toy", "tin")).accounts

    assert accounts.of(Credential("toy", "key", "K1")) is accounts.of(Credential("tin", "key", "K1"))


def test_a_key_that_is_called_like_a_configured_account_does_not_get_into_it() -> None:
    accounts = toy_world().accounts
    mine = _create(accounts, {"name": "K1"})

    account = _of(accounts, KEY)

    assert account is not mine
    assert account.name == "K1@toy"


def test_a_key_called_default_does_not_get_into_the_default_account() -> None:
    accounts = toy_world().accounts

    assert _of(accounts, Credential("toy", "key", "default")).name == "default@toy"


def test_beyond_so_many_accounts_none_is_opened() -> None:
    accounts = toy_world(limits=AccountLimits(accounts=2)).accounts
    _of(accounts, KEY)

    assert accounts.of(Credential("toy", "key", "K2")) is None
    assert accounts.of(KEY) is not None


def test_an_account_is_made_as_asked_for() -> None:
    accounts = toy_world().accounts
    account = accounts.create(
        {"name": "mine", "seed": 3, "responses": "random"},
        ClockSpec("frozen", now=9.0),
        lambda name, seed: {KEY: "word"},
    )

    assert (account.name, account.seed, account.responses, account.clock.now()) == ("mine", 3, "random", 9.0)
    assert (account.secret(KEY), account.spec.configured) == ("word", True)
    assert accounts.of(KEY) is accounts.get("mine") is account


def test_an_account_is_made_as_the_default_one_where_nothing_is_said() -> None:
    account = _create(toy_world(seed=11).accounts, {"name": "mine"})

    assert (account.seed, account.responses, account.clock.now()) == (11, "canned", START)


def test_the_credentials_of_an_account_depend_on_its_name_and_seed() -> None:
    asked: list[tuple[str, int]] = []
    toy_world(seed=11).accounts.create({"name": "mine"}, None, lambda name, seed: asked.append((name, seed)) or {})

    assert asked == [("mine", 11)]


def test_accounts_that_nobody_named_get_names_of_their_own() -> None:
    accounts = toy_world().accounts

    assert [_create(accounts).name for _ in range(3)] == ["account-1", "account-2", "account-3"]


def test_an_account_that_nobody_named_gets_a_name_that_is_free() -> None:
    accounts = toy_world().accounts
    _create(accounts, {"name": "account-2"})

    assert _create(accounts).name not in ("account-2", "default")


def test_a_name_that_is_taken_is_refused() -> None:
    world = toy_world()
    _create(world.accounts, {"name": "mine"})

    assert _refused(world, {"name": "mine"}) == [("/name", "there is an account 'mine'")]


def test_a_credential_that_is_taken_is_refused() -> None:
    world = toy_world()
    _create(world.accounts, {"name": "mine"}, KEY)

    assert _refused(world, {"name": "yours"}, KEY) == [("/toy/key", "'K1' belongs to account 'mine'")]


def test_everything_that_is_taken_is_told() -> None:
    world = toy_world()
    _create(world.accounts, {"name": "mine"}, KEY)

    assert [pointer for pointer, _ in _refused(world, {"name": "mine"}, KEY)] == ["/name", "/toy/key"]


def test_an_account_that_is_refused_leaves_nothing_behind() -> None:
    world = toy_world()
    _create(world.accounts, {"name": "mine"})
    _refused(world, {"name": "mine"}, KEY)

    assert len(world.accounts) == 2
    assert _of(world.accounts, KEY).name == "K1"


def test_beyond_so_many_accounts_none_is_made() -> None:
    world = toy_world(limits=AccountLimits(accounts=1))

    assert _refused(world, {}) == [("", "there are 1 accounts, which is the limit")]


def test_a_removed_account_is_found_no_more() -> None:
    accounts = toy_world(openness="closed").accounts
    account = _create(accounts, {"name": "mine"}, KEY)
    account.bind(PASS)

    accounts.remove(account)

    assert (accounts.get("mine"), accounts.of(KEY), accounts.of(PASS), len(accounts)) == (None, None, None, 1)


def test_the_name_of_a_removed_account_may_be_used_again() -> None:
    accounts = toy_world().accounts
    accounts.remove(_create(accounts, {"name": "mine"}, KEY))

    assert _create(accounts, {"name": "mine"}, KEY).name == "mine"


def test_the_default_account_cannot_be_removed() -> None:
    accounts = toy_world().accounts

    with pytest.raises(EmulatorError, match=r"^the default account cannot be removed; reset it instead$"):
        accounts.remove(accounts.default)


def test_a_reset_forgets_everything_that_happened() -> None:
    world = toy_world()
    world.rule({"then": {"latency": 1}})
    start_task(world.account)
    world.ask("/toy/Ask")
    world.account.state("toy").append("something")

    world.account.reset()

    account = world.account
    lengths = [len(part) for part in (account.rules, account.tasks, account.journal, account.ledger, account.agenda)]
    assert (lengths, account.state("toy")) == ([0, 0, 0, 0, 0], [])


def test_those_who_wait_for_a_change_go_on_waiting_over_a_reset() -> None:
    world, told = toy_world(), list[str]()
    world.account.journal.changes.subscribe(lambda: told.append("journal"))
    world.account.ledger.changes.subscribe(lambda: told.append("ledger"))

    world.account.reset()
    told.clear()
    world.account.journal.note_clock(0, 1, 0)
    world.account.ledger.changes.tell()

    assert told == ["journal", "ledger"]


def test_a_reset_puts_the_clock_back_to_how_it_started() -> None:
    account = toy_world().account
    account.clock.move_to(START + 60)

    account.reset()

    assert account.clock.now() == START


def test_a_reset_keeps_the_name_the_seed_and_the_credentials() -> None:
    accounts = toy_world().accounts
    account = _create(accounts, {"name": "mine", "seed": 3}, KEY, secret="word")

    account.reset()

    assert (account.name, account.seed, account.secret(KEY)) == ("mine", 3, "word")
    assert accounts.of(KEY) is account


def test_a_release_takes_back_what_was_issued_and_leaves_the_accounts_own() -> None:
    accounts = toy_world(openness="closed").accounts
    account = _create(accounts, {"name": "mine"}, KEY)
    account.bind(PASS)

    accounts.release(account)

    assert (accounts.of(KEY), accounts.of(PASS)) == (account, None)


def test_a_release_leaves_what_was_issued_to_others() -> None:
    accounts = toy_world().accounts
    first, second = _create(accounts, {"name": "first"}), _create(accounts, {"name": "second"})
    second.bind(PASS)

    accounts.release(first)

    assert accounts.of(PASS) is second


def test_two_accounts_share_nothing() -> None:
    accounts = toy_world().accounts
    first, second = _create(accounts), _create(accounts)
    names = ("clock", "rules", "journal", "ledger", "tasks", "agenda")

    assert all(getattr(first, name) is not getattr(second, name) for name in names)
    assert first.state("toy") is not second.state("toy")


def test_those_who_follow_are_told_of_every_new_account() -> None:
    accounts, told = toy_world().accounts, list[str]()
    accounts.listener = lambda account: told.append(account.name)
    _of(accounts, KEY)
    _create(accounts, {"name": "mine"})

    assert told == ["K1", "mine"]


def test_accounts_are_listed_in_the_order_they_were_made() -> None:
    accounts = toy_world().accounts
    _create(accounts, {"name": "b"})
    _create(accounts, {"name": "a"})

    assert [account.name for account in accounts] == ["default", "b", "a"]
