"""What the texts of a macro may hold for each case, and how its steps become commands. Pure.

A placeholder is a name in braces. None of them says anything of who complained: tracking does not know it, and a text may go to a
unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from contracts.base import Contract
from contracts.errors import InvalidField, NoValue
from contracts.macros import RemindInDays, Step
from contracts.tracking import AskCitizen, AskUnit, Remind
from contracts.vocabulary import Language
from services.tracking.case.lifecycle import Case, Context
from services.tracking.case.transitions import days_of
from texts.loading import area

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TEXTS = area("macros")


@dataclass(frozen=True)
class Filling:
    """What the placeholders of one step are filled by. `ground_name`: as the administrator calls it now; `day_text`: a day as one
    reads it in this language."""

    case: Case
    step: Step
    context: Context
    language: Language
    ground_name: str | None
    day_text: Callable[[date], str]


def _unit(filling: Filling) -> str | None:
    return filling.case.unit_name_en if filling.language is Language.EN else filling.case.unit_name_fa


def _deadline(filling: Filling) -> str | None:
    day = filling.case.expected_on
    return None if day is None else filling.day_text(day)


def _answer_day(filling: Filling) -> str | None:
    asked = "unit" if isinstance(filling.step, AskUnit) else "citizen"
    days = days_of(filling.case, asked, filling.context)
    return filling.day_text(filling.context.workdays.after(filling.context.today, days))


PLACEHOLDERS: Mapping[str, Callable[[Filling], str | None]] = {
    "number": lambda filling: filling.case.number,
    "greeting": lambda filling: _TEXTS.text(filling.language, "greeting"),
    "unit": _unit,
    "ground": lambda filling: filling.ground_name,
    "today": lambda filling: filling.day_text(filling.context.today),
    "deadline": _deadline,
    "answer_day": _answer_day,
}
"""By name: the case's number; a greeting that suits everybody; what the unit complained about and the ground are called; today;
the day on which a decision is owed; the last day for the answer to the question that this step asks. None: there is none."""

ONLY_IN: Mapping[str, tuple[type[Contract], ...]] = {"answer_day": (AskCitizen, AskUnit)}
"""Placeholders that have a value in some steps alone."""


def check(steps: Sequence[Step]) -> None:
    """InvalidField for each text with a placeholder that is unknown, or has no value in its step."""
    wrong = []
    for place, step in enumerate(steps):
        for path, text in _texts(step.model_dump(mode="json")):
            for name in _PLACEHOLDER.findall(text):
                reason = _why_not(name, step)
                if reason is not None:
                    known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
                    field = {"field": f"steps.{place}.{path}", "reason": reason}
                    wrong.append({**field, "placeholder": f"{{{name[:50]}}}", "known": known})
    if wrong:
        raise InvalidField(fields=wrong)


def _why_not(name: str, step: Contract) -> str | None:
    if name not in PLACEHOLDERS:
        return "unknown_placeholder"
    return "placeholder_not_here" if not isinstance(step, ONLY_IN.get(name, Contract)) else None


def has_placeholders(step: Contract) -> bool:
    """Whether any text of the step has one."""
    return any(_PLACEHOLDER.search(text) for _, text in _texts(step.model_dump(mode="json")))


def command_of(step: Step, filling: Filling) -> Contract:
    """The command that this step of a macro gives. NoValue for a placeholder that the case has no value for; InvalidField when a
    text becomes too long by what is put in."""
    given = step.model_dump(mode="json")
    if isinstance(step, RemindInDays):
        on = filling.context.workdays.after(filling.context.today, step.working_days)
        given = {"type": "remind", "on": on.isoformat(), "text": step.text}
    try:
        return contract_of(step).model_validate(_filled(given, filling))
    except ValidationError as error:
        fields = [
            {"field": ".".join(map(str, mistake["loc"])), "reason": mistake["type"], **_limits(mistake)}
            for mistake in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidField(fields=fields) from None


def _limits(mistake: Any) -> dict[str, Any]:
    context = mistake.get("ctx") or {}
    return {name: context[name] for name in ("min_length", "max_length") if name in context}


def _filled(value: Any, filling: Filling) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: _value(match.group(1), filling), value)
    if isinstance(value, dict):
        return {name: _filled(part, filling) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, filling) for part in value]
    return value


def _value(name: str, filling: Filling) -> str:
    value = PLACEHOLDERS[name](filling)
    if value is None:
        raise NoValue(placeholder=name)
    return value


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _texts(part, f"{path}.{place}")


def contract_of(step: Step) -> type[Contract]:
    """The command that comes of this step."""
    return Remind if isinstance(step, RemindInDays) else type(step)
