"""Tasks, as they are."""

from __future__ import annotations

from aiohttp import web

from emulator.web.admin import views
from emulator.web.admin.filters import Filter
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer


class Tasks(Section):
    """The tasks of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", ONE + "/tasks", self.list_tasks),
            Route("GET", ONE + "/tasks/{task}", self.show_task),
        ]

    async def list_tasks(self, request: web.BaseRequest) -> web.Response:
        """The account's tasks, oldest first; ``?status=``, ``?operation=``, ``?limit=`` filter."""
        account = self.account(request)
        wanted = Filter(request, {"status", "operation"})
        now = account.clock.now()
        shown = (views.show_task(task, account, now) for task in account.tasks)
        rows = [row for row in shown if wanted.fits(row)]
        return answer({"tasks": rows[-wanted.limit :], "count": len(rows), "evicted": account.tasks.evicted})

    async def show_task(self, request: web.BaseRequest) -> web.Response:
        """One task with its deliveries."""
        account = self.account(request)
        task = account.tasks.get(request[NAMED]["task"])
        if task is None:
            raise Refused(404, f"account {account.name} has no task {request[NAMED]['task']!r}")
        deliveries = [views.show_delivery(delivery) for delivery in account.ledger if delivery.task_id == task.id]
        return answer({**views.show_task(task, account, account.clock.now()), "deliveries": deliveries})
