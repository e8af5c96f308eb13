"""What Baidu puts into a snapshot of an account, and takes out of it again.

Tokens are not kept: they sign themselves, so that an emulator with the same seed knows them. What was revoked is kept,
and so are the few tokens that a revocation spared.
"""

from __future__ import annotations

from emulator.baidu.behaviour import Behaviour
from emulator.baidu.tokens import BaiduState
from emulator.core.exchange import JsonObject
from emulator.core.structure import dump, load


def save_state(state: BaiduState) -> JsonObject:
    """``state`` as plain JSON; of the switches, those that are an account's own."""
    return {**dump(BaiduState, state), "behaviour": state.behaviour.options()}


def load_state(document: JsonObject, behaviour: Behaviour) -> BaiduState:
    """The state that ``document`` was made of.

    Args:
        document: what :func:`save_state` made.
        behaviour: the switches of the process.

    Raises:
        ConfigurationError: it is of another form.

    """
    state = load(BaiduState, document, "snapshot")
    state.behaviour = behaviour.revised(state.behaviour.options())
    return state
