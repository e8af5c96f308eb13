"""What a cloud must offer to be emulated. Core calls these methods and knows nothing else of a cloud."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from emulator.core.errors import ApiError, Code, ErrorTable
from emulator.core.exchange import Call, Credential, Draft, JsonObject, RawRequest, Reply
from emulator.core.ids import Draw
from emulator.core.operations import Operation, OperationTable
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

    def triggers(self, call: Call) -> Sequence[str]:
        """The magic values in what ``call`` asks for, each without its ``emu-``; asked for every request."""

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

    def signed(self, operation: Operation, parameters: JsonObject, account: Account, host: str, at: float) -> Draft:
        """A call of ``operation`` as a client of ``account`` would send it to ``host`` at the machine's instant ``at``.

        Its parameters are not looked at: a wrong request can be tried too.
        """

    def check_plan(self, plan: JsonObject) -> None:
        """Look at what a rule's plan says for this cloud alone.

        Raises:
            ValueError: it makes no sense.

        """

    def reached(self, account: Account, task: Task, step: Step) -> None:
        """``task`` reaches ``step``: move what depends on it."""

    def owed(self, account: Account, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """What the client is owed when ``task`` reaches ``step``, or would. Changes nothing."""

    def woken(self, account: Account, now: float) -> None:
        """The instant has come for which the cloud asked (:meth:`Account.wake`)."""

    def check_options(self, options: JsonObject) -> None:
        """Look at what is asked of an account for this cloud beside credentials.

        Raises:
            ConfigurationError: it makes no sense.

        """

    def options(self, account: Account) -> JsonObject:
        """What of this is in force in ``account``."""

    def set_options(self, account: Account, options: JsonObject) -> None:
        """Change what ``options`` names (checked before) in ``account``, for what comes from now on."""

    def new_state(self, options: JsonObject) -> object:
        """The cloud's own part of a fresh account's state."""

    def save_state(self, account: Account) -> JsonObject:
        """The cloud's own part of the state of ``account`` as plain JSON, for a snapshot."""

    def load_state(self, document: JsonObject, tasks: Collection[str]) -> object:
        """The part that :meth:`save_state` made ``document`` of, for an account with ``tasks`` (their ids).

        Raises:
            ConfigurationError: it is of another form, or contradicts itself.

        """

    def save_result(self, result: Any) -> Any:
        """The ``result`` of a task as plain JSON, for a snapshot."""

    def load_result(self, document: Any) -> Any:
        """The result that :meth:`save_result` made ``document`` of.

        Raises:
            ConfigurationError: it is of another form.

        """
