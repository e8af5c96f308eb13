"""What a cloud must offer to be emulated. Core calls these methods and knows nothing else of a cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from emulator.core.errors import ApiError, Code, ErrorTable
from emulator.core.exchange import Call, Credential, JsonObject, RawRequest, Reply
from emulator.core.ids import Draw
from emulator.core.operations import OperationTable
from emulator.core.values import value_type

if TYPE_CHECKING:
    from emulator.core.accounts import Account
    from emulator.core.callbacks import CallbackOrder
    from emulator.core.tasks import Step, Task

Responses = Literal["canned", "random"]
Auth = Literal["off", "lenient", "strict"]
"""Whether credentials are checked: never; whenever the secret is known; always, so that an unknown one is refused."""


@value_type
class Context:
    """What a handler is given beside the call.

    Attributes:
        account: who calls; all state hangs off it.
        now: the account's instant at which the call is decided.
        plan: what a rule says of the plan of the task to be created, if any.
        responses: whether answers are the fixture as it is, or drawn.

    """

    account: Account
    now: float
    plan: JsonObject | None
    responses: Responses

    def draw(self, *meaning: object) -> Draw:
        """Values for ``meaning``: the same seed, account and meaning draw the same."""
        return Draw(self.account.seed, self.account.name, *meaning)


class Provider(Protocol):
    """One cloud.

    Attributes:
        name: its name, one lower-case word.
        hosts: its host names; ``*`` stands for any run of characters.
        operations: its table.
        errors: its codes.
        reply_lists: the lists of ``errors`` whose codes may answer a request, in order of look-up.
        task_lists: the lists of ``errors`` whose codes may end a task.
        violations: the code for each JSON Schema keyword that a request may violate; ``default`` for the rest.

    """

    name: str
    hosts: tuple[str, ...]
    operations: OperationTable
    errors: ErrorTable
    reply_lists: tuple[str, ...]
    task_lists: tuple[str, ...]
    violations: dict[str, Code]

    def claims(self, path: str) -> bool:
        """Whether a request for ``path``, on a host that no cloud owns, is this cloud's."""

    def identify(self, request: RawRequest) -> Call:
        """Read the request: operation, credential, parameters. Never raises; what is wrong is in ``refusal``."""

    def stranger(self, call: Call) -> ApiError:
        """The refusal of a credential that belongs to no account, where accounts do not open by themselves."""

    def authenticate(self, call: Call, account: Account) -> str:
        """Check who calls and say in a few words what was found.

        Raises:
            ApiError: the caller is refused.

        """

    def succeed(self, call: Call, payload: JsonObject, account: Account) -> Reply:
        """The reply that carries a handler's payload."""

    def refuse(self, call: Call, error: ApiError, account: Account) -> Reply:
        """The reply that says ``error`` in the cloud's words."""

    def credentials(self, given: JsonObject, draw: Draw) -> Mapping[Credential, str | None]:
        """The credentials of an account to be made, each with its secret: as ``given``, the rest drawn."""

    def callbacks(self, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """What the client is owed when ``task`` reaches ``step``."""

    def new_state(self) -> object:
        """The cloud's own part of a fresh account's state."""
