"""Rules: set, shown, taken away; of one account, and for every account."""

from __future__ import annotations

from aiohttp import web

from emulator.core.accounts import Account
from emulator.core.errors import ConfigurationError, EmulatorError
from emulator.core.exchange import JsonObject
from emulator.core.rules import Count, Rule
from emulator.web.admin import views
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer, listed


class Rules(Section):
    """The rules of an account, and those for every account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", "/api/plans", self.list_plans, {200: "Plans"}),
            Route("GET", "/api/rules", self.list_shared, {200: "SharedRules"}),
            Route("POST", "/api/rules", self.add_shared, {201: "Rule"}, body="emulator/rule.json"),
            Route("DELETE", "/api/rules", self.clear_shared, {204: ""}),
            Route("POST", "/api/rules/check", self.check, {200: "CheckedRule"}, body="emulator/rule.json"),
            Route("POST", "/api/rules/reload", self.reload, {200: "SharedRules"}, refusals=(422,)),
            Route("GET", "/api/rules/{rule}", self.show_shared, {200: "Rule"}),
            Route("DELETE", "/api/rules/{rule}", self.delete_shared, {204: ""}, refusals=(409,)),
            Route("GET", ONE + "/rules", self.list_rules, {200: "Rules"}),
            Route("POST", ONE + "/rules", self.add_rule, {201: "Rule"}, body="emulator/rule.json"),
            Route("DELETE", ONE + "/rules", self.clear_rules, {204: ""}),
            Route("GET", ONE + "/rules/{rule}", self.show_rule, {200: "Rule"}),
            Route("PUT", ONE + "/rules/{rule}", self.replace_rule, {200: "Rule"}, body="emulator/rule.json"),
            Route("DELETE", ONE + "/rules/{rule}", self.delete_rule, {204: ""}),
        ]

    async def list_plans(self, request: web.BaseRequest) -> web.Response:
        """The plans that have a name."""
        plans = self.emulation.rules.plans
        return answer({"plans": [{"name": name, **_without_schema(plan)} for name, plan in plans.items()]})

    async def list_shared(self, request: web.BaseRequest) -> web.Response:
        """The rules for every account, with the sum of what each counted; what is wrong with the rule files."""
        return answer(self._all_shared())

    async def add_shared(self, request: web.BaseRequest) -> web.Response:
        """Set a rule for every account."""
        rules = self.emulation.accounts.rules
        rule = rules.add(self.emulation.rules.later(await self.document(request, "emulator/rule.json")))
        return answer(self._shared(rule), 201)

    async def clear_shared(self, request: web.BaseRequest) -> web.Response:
        """Take away the rules for every account; those of files stay."""
        self.emulation.accounts.rules.clear()
        return web.Response(status=204)

    async def check(self, request: web.BaseRequest) -> web.Response:
        """Look at a rule without setting it."""
        rule = self.emulation.rules.read("checked", await self.document(request, "emulator/rule.json"))
        return answer({"name": rule.name, "stage": rule.stage, "priority": rule.priority, "rule": rule.document})

    async def reload(self, request: web.BaseRequest) -> web.Response:
        """Read the rule files again, now; if one is not in order, the rules of before stay."""
        try:
            self.emulation.rule_files.load()
        except ConfigurationError as error:
            told = "; ".join(map(str, error.problems))
            raise Refused(422, f"the rules of before stay: {told}", error.problems) from None
        return answer(self._all_shared())

    async def show_shared(self, request: web.BaseRequest) -> web.Response:
        """One rule for every account."""
        return answer(self._shared(self._found(request)))

    async def delete_shared(self, request: web.BaseRequest) -> web.Response:
        """Take away a rule for every account."""
        rule = self._found(request)
        if not self.emulation.accounts.rules.remove(rule.id):
            raise EmulatorError(f"rule {rule.id} is of a file ({rule.origin}); take it out there")
        return web.Response(status=204)

    async def list_rules(self, request: web.BaseRequest) -> web.Response:
        """The rules in force in an account, in the order they are tried: its own, and those for every account."""
        account = self.account(request)
        return answer({"rules": [_shown(rule, account) for rule in account.rules.in_force]})

    async def add_rule(self, request: web.BaseRequest) -> web.Response:
        """Set a rule."""
        account = self.account(request)
        document = await self.document(request, "emulator/rule.json")
        rule = account.rules.add(self.emulation.rules.later(document))
        _tell(account, rule.id, "set")
        return answer(_shown(rule, account), 201)

    async def clear_rules(self, request: web.BaseRequest) -> web.Response:
        """Take all rules of the account away; those for every account stay."""
        account = self.account(request)
        taken_away = [rule.id for rule in account.rules]
        account.rules.clear()
        for rule_id in taken_away:
            _tell(account, rule_id, "removed")
        return web.Response(status=204)

    async def show_rule(self, request: web.BaseRequest) -> web.Response:
        """One rule and how often it was met."""
        account, wanted = self.account(request), request[NAMED]["rule"]
        rule = next((rule for rule in account.rules.in_force if rule.id == wanted), None)
        if rule is None:
            raise Refused(404, f"no rule {wanted!r}")
        return answer(_shown(rule, account))

    async def replace_rule(self, request: web.BaseRequest) -> web.Response:
        """Put another rule in the place of one of the account's; it keeps the id, and its count starts anew."""
        account, rule_id = self.account(request), request[NAMED]["rule"]
        document = await self.document(request, "emulator/rule.json")
        rules = account.rules
        if rules.get(rule_id) is None:
            raise Refused(404, f"the account has no rule {rule_id!r} of its own")
        rule = self.emulation.rules.read(rule_id, document)
        counts = {known: count for known, count in rules.counts.items() if known != rule_id}
        rules.restore([rule if old.id == rule_id else old for old in rules], counts, rules.created)
        _tell(account, rule_id, "set")
        return answer(_shown(rule, account))

    async def delete_rule(self, request: web.BaseRequest) -> web.Response:
        """Take a rule of the account away."""
        account, rule_id = self.account(request), request[NAMED]["rule"]
        if not account.rules.remove(rule_id):
            raise Refused(404, f"the account has no rule {rule_id!r} of its own")
        _tell(account, rule_id, "removed")
        return web.Response(status=204)

    def _found(self, request: web.BaseRequest) -> Rule:
        rule = self.emulation.accounts.rules.get(request[NAMED]["rule"])
        if rule is None:
            raise Refused(404, f"no rule {request[NAMED]['rule']!r} for every account")
        return rule

    def _all_shared(self) -> JsonObject:
        rules = [self._shared(rule) for rule in self.emulation.accounts.rules]
        return {"rules": rules, "problems": listed(self.emulation.rule_files.problems)}

    def _shared(self, rule: Rule) -> JsonObject:
        """A rule with the sum of what every account counted."""
        counts = [account.rules.count(rule.id) for account in self.emulation.accounts]
        return views.show_rule(rule, Count(sum(one.matched for one in counts), sum(one.taken for one in counts)))


def _tell(account: Account, rule_id: str, change: str) -> None:
    account.feed.note("rule", account.clock.now(), rule_id, change)


def _shown(rule: Rule, account: Account) -> JsonObject:
    return views.show_rule(rule, account.rules.count(rule.id))


def _without_schema(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name != "$schema"}
