"""What the admin API shows of things, as JSON documents."""

from __future__ import annotations

from collections.abc import Collection

from emulator.core.accounts import Account
from emulator.core.callbacks import Delivery
from emulator.core.clock import iso
from emulator.core.driver import Fired
from emulator.core.errors import ErrorRow
from emulator.core.exchange import JsonObject
from emulator.core.journal import HIDDEN, RequestEntry, redact, redact_headers
from emulator.core.operations import Operation
from emulator.core.provider import Provider
from emulator.core.rules import Count, Rule
from emulator.core.tasks import Task
from emulator.core.triggers import MARK, TABLE, Trigger, Triggering


def show_account(account: Account, *, secrets: bool = False) -> JsonObject:
    """An account; its secrets only when it is made."""
    credentials: dict[str, dict[str, str]] = {}
    for credential, secret in account.spec.credentials.items():
        shown = credentials.setdefault(credential.cloud, {})
        shown[credential.kind] = credential.id
        if secret is not None:
            shown["secret_key"] = secret if secrets else HIDDEN
    return {
        "name": account.name,
        "configured": account.spec.configured,
        "seed": account.seed,
        "responses": account.responses,
        "clock": show_clock(account),
        "credentials": credentials,
        "rules": len(account.rules),
        "tasks": len(account.tasks),
        "requests": len(account.journal),
        "deliveries": len(account.ledger),
    }


def show_clock(account: Account) -> JsonObject:
    """The time of an account, and what is pending."""
    clock, agenda = account.clock, account.agenda
    now, first = clock.now(), agenda.first()
    return {
        "mode": clock.mode,
        "speed": clock.speed,
        "now": now,
        "iso": iso(now),
        "pending": len(agenda),
        "next": first,
    }


def show_operation(row: Operation) -> JsonObject:
    """An operation as the admin API and the command line show it."""
    return {
        "name": row.qualified,
        "methods": list(row.methods),
        "wire": row.wire,
        "summary": row.summary,
        "emulated": row.emulated,
        "starts_task": row.starts_task,
        "source": row.source,
    }


def show_triggers(providers: Collection[Provider]) -> list[JsonObject]:
    """Every trigger with the clouds that obey it."""
    own = [row for cloud in providers if isinstance(cloud, Triggering) for row in cloud.own_triggers]
    shown = []
    for row in (*TABLE, *own):
        clouds = [cloud.name for cloud in providers if _obeys(cloud, row)]
        shown.append({"word": MARK + row.word, "summary": row.summary, "example": row.example, "clouds": clouds})
    return shown


def _obeys(cloud: Provider, row: Trigger) -> bool:
    if isinstance(cloud, Triggering) and row in cloud.own_triggers:
        return True
    return any(row.effect(starts_task=operation.starts_task) is not None for operation in cloud.operations)


def show_error(row: ErrorRow) -> JsonObject:
    """A documented code."""
    return {
        "cloud": row.cloud,
        "list": row.listed,
        "code": row.code,
        "text": row.text,
        "gloss": row.gloss,
        "status": row.status,
        "stage": row.stage,
        "source": row.source,
    }


def show_rule(rule: Rule, count: Count) -> JsonObject:
    """A rule and how often it was met."""
    return {
        "id": rule.id,
        "name": rule.name,
        "origin": rule.origin,
        "priority": rule.priority,
        "rule": rule.document,
        "matched": count.matched,
        "taken": count.taken,
        "exhausted": rule.times.exhausted(count.taken),
    }


def task_keys(task: Task, now: float) -> JsonObject:
    """What tasks are filtered by."""
    phase = task.timeline.at(now)
    return {
        "id": task.id,
        "operation": task.operation,
        "kind": task.kind,
        "status": phase.status,
        "percent": phase.percent,
    }


def show_task(task: Task, account: Account, now: float) -> JsonObject:
    """A task as it is at ``now``."""
    timeline = task.timeline
    return {
        **task_keys(task, now),
        "timeline": {
            "start": timeline.start,
            "run": timeline.run,
            "upload": timeline.upload,
            "end": timeline.end,
            "outcome": timeline.ending.kind,
            "code": timeline.ending.code,
        },
        "parameters": task.parameters,
    }


def delivery_keys(delivery: Delivery) -> JsonObject:
    """What deliveries are filtered by."""
    return {
        "task": delivery.task_id,
        "status": delivery.status,
        "operation": delivery.operation,
        "event": delivery.order.event,
        "chaos": list(delivery.chaos),
    }


def show_delivery(delivery: Delivery) -> JsonObject:
    """A delivery with its attempts."""
    order = delivery.order
    return {
        "number": delivery.number,
        **delivery_keys(delivery),
        "copy_of": delivery.copy_of,
        "due": delivery.due,
        "next_attempt": delivery.next_attempt,
        "request": {
            "method": order.method,
            "url": order.url,
            "headers": dict(order.headers),
            "body": order.body.decode("utf-8", "replace"),
        },
        "attempts": [
            {
                "number": attempt.number,
                "at": attempt.at,
                "status": attempt.answer.status,
                "error": attempt.answer.error,
                "elapsed_ms": round(attempt.answer.elapsed * 1000, 3),
                "answer": attempt.answer.body.decode("utf-8", "replace"),
            }
            for attempt in delivery.attempts
        ],
    }


def request_keys(entry: RequestEntry) -> JsonObject:
    """What requests are filtered by."""
    return {"operation": entry.operation, "status": entry.status, "code": entry.code}


def show_request(entry: RequestEntry) -> JsonObject:
    """A request with its trace, without secrets."""
    request = entry.request
    return {
        "number": entry.number,
        "at": entry.at,
        **request_keys(entry),
        "reason": entry.reason,
        "method": request.method,
        "path": request.path,
        "query": redact(request.query),
        "host": request.host,
        "peer": request.peer,
        "headers": redact_headers(request.headers),
        "body": redact(entry.body.decode("utf-8", "replace")),
        "reply": {"headers": dict(entry.reply.headers), "body": redact(entry.reply.body.decode("utf-8", "replace"))},
        "latency": entry.latency,
        "trace": [{"step": step, "found": found} for step, found in entry.trace],
    }


def show_fired(event: Fired) -> JsonObject:
    """One thing that happened while a clock was moved."""
    return {
        "at": event.at,
        "what": event.what,
        "task": event.task_id,
        "delivery": event.delivery,
        "status": event.status,
    }
