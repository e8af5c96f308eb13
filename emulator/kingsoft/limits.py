"""How many requests an account may make: per minute in all, per second of either kind. [docs 6138]"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from emulator.core.errors import ApiError

MINUTE, SECOND = 60.0, 1.0


@dataclass(slots=True)
class RateLimits:
    """One account's, on its clock. A request that is refused does not count. [inference] A limit of 0 is none.

    Attributes:
        per_minute: all requests.
        submissions: requests that start a task, per second.
        queries: all other requests, per second.

    """

    per_minute: int = 500
    submissions: int = 100
    queries: int = 100
    _windows: dict[str, deque[float]] = field(default_factory=dict, repr=False)

    def check(self, now: float, submits: bool) -> None:
        """Count a request, which starts a task if ``submits``.

        Raises:
            ApiError: it is one too many.

        """
        limit = self.submissions if submits else self.queries
        in_all = self._window("requests per minute", self.per_minute, now, MINUTE)
        of_kind = self._window("submissions per second" if submits else "queries per second", limit, now, SECOND)
        if self.per_minute:
            in_all.append(now)
        if limit:
            of_kind.append(now)

    def _window(self, what: str, limit: int, now: float, span: float) -> deque[float]:
        """The requests that count at ``now``, with room for one more."""
        window = self._windows.get(what)
        if window is None:
            window = self._windows[what] = deque()
        if window and now < window[-1]:
            window.clear()  # the clock was set back: it starts anew
        while window and now - window[0] >= span:
            window.popleft()
        if limit and len(window) >= limit:
            wait = span - (now - window[0])
            reason = f"{limit} {what} are allowed and were made; there is room again in {wait:.3f} s (account's clock)"
            raise ApiError("LimitExceeded", reason)
        return window
