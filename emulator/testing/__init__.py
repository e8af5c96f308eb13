"""For tests: an account of an emulator as an object, with a clock to move and an inbox for callbacks.

pytest's plugin (``docs/pytest.md``) hands it to tests as the fixture ``emulator``. Without pytest::

    with started({"port": 0}) as server:                # or: connected("http://127.0.0.1:8640")
        emulator = server.open("demo", {"clock": {"mode": "frozen"}})
        emulator.kingsoft.expect("CreateWaveTask").fails(3150, at="80%")
"""

from emulator.testing.expectation import Expectation, WrongExpectation
from emulator.testing.facade import Cloud, Emulator, VerificationFailed
from emulator.testing.inbox import Inbox, Received
from emulator.testing.later import Moves, NotAwaited, Rows, Verdict
from emulator.testing.seen import Delivery, Fired, Request, Task
from emulator.testing.server import EmulatorServer, connected, started

__all__ = [
    "Cloud",
    "Delivery",
    "Emulator",
    "EmulatorServer",
    "Expectation",
    "Fired",
    "Inbox",
    "Moves",
    "NotAwaited",
    "Received",
    "Request",
    "Rows",
    "Task",
    "Verdict",
    "VerificationFailed",
    "WrongExpectation",
    "connected",
    "started",
]
