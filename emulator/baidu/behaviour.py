"""What may be chosen about Baidu when the emulator starts: the switches for what the vendor leaves open."""

from __future__ import annotations

from dataclasses import asdict, field, replace
from typing import Literal

from emulator.core.exchange import JsonObject
from emulator.core.provider import Auth
from emulator.core.values import value_type

Era = Literal["template", "2018", "2020", "finance"]
"""The shape of answers: as each template says, else 2020; the vendor's example; dumps since 2020; short elements."""
Errors = Literal["classic", "newer"]
"""The codes where two generations of the service differ."""


@value_type
class Limits:
    """How many recognitions an account may ask for; 0 is no limit.

    Attributes:
        qps: within any second. Free accounts have 2. [docs Ak3h7y8q6]
        daily: within a day of Beijing's. [inference: today's quota is not known]
        total: ever.

    """

    qps: int = 0
    daily: int = 0
    total: int = 0


@value_type
class Behaviour:
    """The switches.

    Attributes:
        auth: whether secrets, tokens and signatures are checked.
        skew: whether the age of a bce-auth-v1 signature is looked at: not if it is 0.
        era: the shape of answers.
        errors: which generation's codes and shapes of errors.
        logid: whether answers have a numeric ``logid``, as the vendor's table has it and no real answer.
        base64: whether base64 with blanks and line breaks is repaired.
        expired: the code of an expired token.
        limits: how many recognitions an account may ask for.
        fetches: whether the picture behind a ``url`` is fetched.
        triggers: whether magic values in ``templateSign`` are obeyed.

    """

    auth: Auth = "lenient"
    skew: float = 900.0
    era: Era = "template"
    errors: Errors = "classic"
    logid: bool = False
    base64: Literal["repair", "strict"] = "repair"
    expired: int = 111
    limits: Limits = field(default_factory=Limits)
    fetches: bool = False
    triggers: bool = True

    def revised(self, options: JsonObject) -> Behaviour:
        """These switches with what ``options`` of an account say (``schemas/baidu/options.json``)."""
        said = {name: options[name] for name in _OF_AN_ACCOUNT if name in options}
        limits = replace(self.limits, **options.get("limits", {}))
        return replace(self, **said, limits=limits)

    def options(self) -> JsonObject:
        """What of it is an account's own."""
        return {**{name: getattr(self, name) for name in _OF_AN_ACCOUNT}, "limits": asdict(self.limits)}


_OF_AN_ACCOUNT = ("era", "errors", "logid", "base64", "expired")
