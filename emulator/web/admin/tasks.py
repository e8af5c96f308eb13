"""Tasks, as they are; and ended by hand."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Any

from aiohttp import web

from emulator.core.accounts import Account
from emulator.core.clock import iso
from emulator.core.driver import ClockBusy
from emulator.core.errors import ConfigurationError, EmulatorError, Problem
from emulator.core.tasks import ENDED, Ending, Task
from emulator.web.admin import views
from emulator.web.admin.filters import Filter, listing
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer

KEYS = {
    "id": "The id.",
    "status": "Where it is: queued, running, uploading, succeeded, failed, vanished.",
    "operation": "The operation that created it, with its cloud.",
    "kind": "The kind of work, in the cloud's words.",
}


class Tasks(Section):
    """The tasks of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", ONE + "/tasks", self.list_tasks, {200: "Tasks"}, listing(KEYS)),
            Route("GET", ONE + "/tasks/{task}", self.show_task, {200: "TaskWithDeliveries"}),
            Route(
                "POST",
                ONE + "/tasks/{task}/force",
                self.force,
                {200: "TaskWithDeliveries"},
                body="emulator/force.json",
                refusals=(409,),
            ),
        ]

    async def list_tasks(self, request: web.BaseRequest) -> web.Response:
        """The tasks; ``?id=&status=&operation=&kind=&since=&until=`` filter, ``?wait=&count=`` long-polls."""
        account = self.account(request)
        wanted = Filter(request, KEYS.keys())

        def matching() -> list[tuple[Task, float]]:
            now = account.clock.now()
            tasks = account.tasks
            return [(task, now) for task in tasks if wanted.fits(views.task_keys(task, now), task.timeline.start)]

        found = await wanted.satisfied(
            lambda tell: account.feed.subscribe(tell, ("task", "clock", "reset")), matching, lambda: _soon(account)
        )
        shown = [views.show_task(task, account, now) for task, now in found[-wanted.limit :]]
        evicted = account.tasks.evicted
        return answer({"tasks": shown, **wanted.verdict(found, evicted, complete=not evicted)})

    async def show_task(self, request: web.BaseRequest) -> web.Response:
        """One task with its deliveries."""
        account, task = self._named(request)
        deliveries = [views.show_delivery(delivery) for delivery in account.ledger if delivery.task_id == task.id]
        return answer({**views.show_task(task, account, account.clock.now()), "deliveries": deliveries})

    async def force(self, request: web.BaseRequest) -> web.Response:
        """End a task now, however it would have gone on; its callback is on its way when this answers."""
        document = await self.document(request, "emulator/force.json")
        account, task = self._named(request)
        ending = self._ending(task, document["outcome"])
        now = account.clock.now()
        if task.timeline.at(now).status in ENDED:
            raise EmulatorError(f"task {task.id} ended at {iso(task.timeline.end)}")
        account.retime(task, task.timeline.ended(now, ending))
        if account.clock.mode == "frozen":
            with suppress(ClockBusy):  # whoever moves the clock just now lets it happen
                await self.emulation.driver.advance_to(account, now)
        return await self.show_task(request)

    def _named(self, request: web.BaseRequest) -> tuple[Account, Task]:
        account, wanted = self.account(request), request[NAMED]["task"]
        task = account.tasks.get(wanted)
        if task is None:
            raise Refused(404, f"account {account.name} has no task {wanted!r}")
        return account, task

    def _ending(self, task: Task, outcome: Any) -> Ending:
        """What ``outcome`` (``schemas/emulator/force.json``) means.

        Raises:
            ConfigurationError: it names a code that no task of that cloud fails with.

        """
        ending = replace(Ending.of(outcome), stage="upload")
        if ending.kind != "fail":
            return ending
        provider = self.emulation.providers[task.cloud]
        try:
            return replace(ending, code=provider.errors.row(ending.code, *provider.task_lists).code)
        except LookupError as error:
            raise ConfigurationError([Problem("force", "/outcome/fail", str(error))]) from None


def _soon(account: Account) -> float | None:
    """Machine seconds until a task is in another phase by itself: not every phase begins with an event."""
    now = account.clock.now()
    if account.clock.real_seconds_until(now) is None:
        return None
    timelines = (task.timeline for task in account.tasks if task.timeline.end > now)
    starts = (at for timeline in timelines for at in (timeline.run, timeline.upload, timeline.end) if at > now)
    first = min(starts, default=inf)
    return None if first == inf else account.clock.real_seconds_until(first)
