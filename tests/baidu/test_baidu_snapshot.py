"""Snapshots of what Baidu remembers."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from emulator.core.emulation import Emulation
from emulator.core.errors import ConfigurationError
from emulator.core.exchange import JsonObject
from emulator.core.snapshot import Snapshots
from tests.support.baidu_calls import RECOGNISE, ask, token
from tests.support.client import TRAIN_TICKET
from tests.support.clouds import emulation
from tests.support.pictures import encoded

KEY = "KEY"


def _keeper(cloud: Emulation) -> Snapshots:
    return Snapshots(cloud.accounts, cloud.providers, cloud.schemas, cloud.rules, cloud.driver)


def saved(cloud: Emulation) -> JsonObject:
    """The account of ``KEY`` as a file would hold it."""
    account = cloud.accounts.get(KEY)
    assert account is not None
    document: JsonObject = orjson.loads(orjson.dumps(_keeper(cloud).save(account)))
    return document


async def twin(cloud: Emulation, **settings: Any) -> Emulation:
    """A fresh emulator with a snapshot of the account."""
    other = emulation(**settings)
    keeper = _keeper(other)
    await keeper.load(keeper.read(saved(cloud)))
    return other


def recognise(cloud: Emulation, access_token: str) -> Any:
    form = {"image": encoded(), "templateSign": TRAIN_TICKET}
    return json.loads(ask(cloud, form, RECOGNISE, f"access_token={access_token}").reply.body)


def options(cloud: Emulation, **document: Any) -> None:
    account = cloud.accounts.get(KEY)
    assert account is not None
    cloud.providers["baidu"].set_options(account, document)


async def test_a_token_lives_on_where_the_seed_is_the_same() -> None:
    cloud = emulation()
    given = token(cloud)
    other = await twin(cloud)
    assert recognise(other, given) == recognise(cloud, given)
    assert recognise(other, given)["error_code"] == 0


async def test_a_token_of_another_seed_is_refused() -> None:
    cloud = emulation()
    given = token(cloud)
    assert recognise(await twin(cloud, seed=8), given)["error_code"] == 110


async def test_the_next_token_is_the_same() -> None:
    cloud = emulation()
    token(cloud)
    other = await twin(cloud)
    assert token(cloud) == token(other)


async def test_what_was_revoked_stays_revoked_and_what_was_spared_lives() -> None:
    cloud = emulation()
    old = token(cloud)
    options(cloud, revoked=True)
    spared = token(cloud)
    other = await twin(cloud)
    assert [recognise(other, text)["error_code"] for text in (old, spared)] == [110, 0]


@pytest.mark.parametrize(("limit", "code"), [("qps", 18), ("daily", 17), ("total", 19)])
async def test_limits_count_on(limit: str, code: int) -> None:
    cloud = emulation()
    given = token(cloud)
    options(cloud, limits={limit: 2})
    recognise(cloud, given)
    other = await twin(cloud)
    assert [recognise(other, given)["error_code"] for _ in range(2)] == [0, code]


async def test_switches_and_rights_are_kept() -> None:
    cloud = emulation()
    token(cloud)
    options(cloud, era="finance", errors="newer", scope=["brain_all_scope"])
    other = await twin(cloud)
    account = other.accounts.get(KEY)
    assert account is not None
    found = other.providers["baidu"].options(account)
    assert (found["era"], found["errors"], found["scope"]) == ("finance", "newer", ["brain_all_scope"])


async def test_whether_tokens_are_checked_is_left_to_the_process() -> None:
    cloud = emulation(auth="off")
    token(cloud)
    assert "auth" not in saved(cloud)["account"]["clouds"]["baidu"]["behaviour"]
    assert recognise(await twin(cloud), "24.no-token")["error_code"] == 110


async def test_a_broken_part_is_refused_where_it_is_broken() -> None:
    cloud = emulation()
    token(cloud)
    document = saved(cloud)
    document["account"]["clouds"]["baidu"] |= {"issued": "many", "behaviour": {"era": "1918"}}
    with pytest.raises(ConfigurationError) as refusal:
        _keeper(cloud).read(document)
    assert [problem.pointer for problem in refusal.value.problems] == [
        "/account/clouds/baidu/behaviour/era",
        "/account/clouds/baidu/issued",
    ]
