"""The limits on how often an account may ask: codes 18, 17 and 19, on the account's clock."""

from __future__ import annotations

from emulator.baidu.tokens import BaiduState
from emulator.core.clock import beijing_day
from emulator.core.errors import ApiError


def count(state: BaiduState, now: float) -> None:
    """Let one more recognition through and count it; one that is refused does not count.

    Raises:
        ApiError: 18, too many within a second; 17, within a day; 19, in all.

    """
    limits = state.behaviour.limits
    if limits.qps:
        state.recent = [instant for instant in state.recent if now - 1 < instant <= now]
        if len(state.recent) >= limits.qps:
            reason = f"{len(state.recent)} recognitions within a second; {limits.qps} are allowed (limits.qps)"
            raise ApiError(18, reason)
    if limits.daily:
        day = beijing_day(now)
        today = state.today if day == state.day else 0
        if today >= limits.daily:
            raise ApiError(17, f"{today} recognitions on {day}; {limits.daily} are allowed (limits.daily)")
        state.day, state.today = day, today
    if limits.total and state.total >= limits.total:
        raise ApiError(19, f"{state.total} recognitions in all; {limits.total} are allowed (limits.total)")
    if limits.qps:
        state.recent.append(now)
    state.today += 1
    state.total += 1
