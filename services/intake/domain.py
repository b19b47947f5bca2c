"""The rules of filing and of what the administrator sets (DOMAIN: What is filed, The life of a case). Imports the standard
library and contracts alone."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import sms
from contracts.intake import (
    Catalogue,
    Change,
    ListedCause,
    ListedReason,
    PutAnswerTemplate,
    PutGround,
    PutRefusalReason,
    PutRootCause,
    PutUnit,
    Question,
    QuestionType,
    RemoveAnswerTemplate,
    SetCalendar,
    SetDeadlines,
    SetDecisions,
    SetRetention,
    Unit,
)
from contracts.vocabulary import REFUSAL_NAMES, ROOT_CAUSE_NAMES, Language


@dataclass(frozen=True)
class Target:
    """Whom a submission is about. `unit` None: screening sets it right."""

    unit: str | None
    name_fa: str | None = None
    name_en: str | None = None


def target(asked: str, catalogue: Catalogue) -> Target:
    """The unit complained about, with the names of its day.

    An unknown or closed unit, and the root, which stands for no office in particular, are left to screening.
    """
    unit = next((unit for unit in catalogue.units if unit.code == asked), None)
    if unit is None or not unit.active or unit.parent is None:
        return Target(None)
    return Target(unit.code, unit.name_fa, unit.name_en)


# --- what is wrong with a catalogue ---

LISTS = ("units", "grounds", "refusal_reasons", "root_causes", "answer_templates")
"""What is kept by code."""

NAME, HINT, TEXT = 200, 1000, 4000
"""Letters at most."""
MOST_DAYS, MOST_MONTHS = 250, 600
MOST_LISTED = 200
"""Refusal reasons, or root causes: closed ones stay, since old cases name them."""


@dataclass(frozen=True)
class Problem:
    """`field`: what and where, such as units.roads.parent; `reason`: a stable word, as in the errors' `fields`."""

    field: str
    reason: str
    more: tuple[tuple[str, Any], ...] = ()

    def as_field(self, catalogue: Catalogue) -> dict[str, Any]:
        """For the `fields` of an error. `item`: the code of what it is about, which may hold dots itself."""
        what, _, place = self.field.partition(".")
        codes = [one.code for one in getattr(catalogue, what)] if what in LISTS else []
        of = [code for code in codes if place == code or place.startswith(f"{code}.")]
        about = {"item": max(of, key=len)} if of else {}
        return {"field": self.field, "reason": self.reason, **about, **dict(self.more)}


def problems(catalogue: Catalogue) -> list[Problem]:
    """All that is wrong with a catalogue; empty when nothing is."""
    return [
        *_tree(catalogue.units),
        *_grounds(catalogue),
        *_calendar(catalogue),
        *_deadlines(catalogue),
        *_lists(catalogue),
        *_retention(catalogue),
    ]


def _tree(units: Sequence[Unit]) -> Iterator[Problem]:
    by_code = {unit.code: unit for unit in units}
    yield from _twice("units", [unit.code for unit in units])
    roots = [unit for unit in units if unit.parent is None]
    if not roots:
        yield Problem("units", "no_root")
    for unit in roots[1:]:
        yield Problem(f"units.{unit.code}.parent", "second_root")
    for unit in units:
        at = f"units.{unit.code}"
        yield from _text(f"{at}.name_fa", unit.name_fa, NAME)
        yield from _text(f"{at}.name_en", unit.name_en, NAME)
        yield from _text(f"{at}.level", unit.level, 40)
        if unit.parent is None:
            continue
        above = by_code.get(unit.parent)
        if above is None:
            yield Problem(f"{at}.parent", "unknown_unit")
        elif unit.active and not above.active:
            yield Problem(f"units.{above.code}.active", "open_children")
        if _in_circle(unit.code, by_code):
            yield Problem(f"{at}.parent", "circle")


def _in_circle(code: str, by_code: dict[str, Unit]) -> bool:
    """Whether a unit is above itself; not, whether one above it is."""
    seen: set[str] = set()
    step = by_code[code].parent
    while step is not None and step in by_code and step not in seen and step != code:
        seen.add(step)
        step = by_code[step].parent
    return step == code


def _grounds(catalogue: Catalogue) -> Iterator[Problem]:
    yield from _twice("grounds", [ground.code for ground in catalogue.grounds])
    for ground in catalogue.grounds:
        at = f"grounds.{ground.code}"
        yield from _text(f"{at}.name_fa", ground.name_fa, NAME)
        yield from _text(f"{at}.name_en", ground.name_en, NAME)
        yield from _text(f"{at}.hint_fa", ground.hint_fa, HINT, empty=True)
        yield from _text(f"{at}.hint_en", ground.hint_en, HINT, empty=True)
        if len(set(ground.kinds)) != len(ground.kinds):
            yield Problem(f"{at}.kinds", "twice")
        if len(ground.questions) > 30:  # as many answers as a submission may hold
            yield Problem(f"{at}.questions", "too_long", (("max_length", 30),))
        yield from _twice(f"{at}.questions", [question.code for question in ground.questions])
        earlier: dict[str, Question] = {}
        for question in ground.questions:
            yield from _question(f"{at}.questions.{question.code}", question, earlier)
            earlier[question.code] = question


def _question(at: str, question: Question, earlier: dict[str, Question]) -> Iterator[Problem]:
    yield from _text(f"{at}.name_fa", question.name_fa, NAME)
    yield from _text(f"{at}.name_en", question.name_en, NAME)
    chooses = question.type in (QuestionType.CHOICE, QuestionType.CHOICES)
    if chooses and not question.options:
        yield Problem(f"{at}.options", "missing")
    if not chooses and question.options:
        yield Problem(f"{at}.options", "not_for_this_type")
    values = [option.value for option in question.options]
    if len(set(values)) != len(values):
        yield Problem(f"{at}.options", "twice")
    for option in question.options:
        for name in ("value", "name_fa", "name_en"):
            yield from _text(f"{at}.options.{name}", getattr(option, name), NAME)
    if question.when is not None:
        before = earlier.get(question.when.question)
        if before is None:
            yield Problem(f"{at}.when.question", "not_an_earlier_question")
        elif not before.options:
            yield Problem(f"{at}.when.question", "not_a_choice")
        elif not question.when.values:
            yield Problem(f"{at}.when.values", "missing")
        elif not set(question.when.values) <= {option.value for option in before.options}:
            yield Problem(f"{at}.when.values", "not_an_option")


def _calendar(catalogue: Catalogue) -> Iterator[Problem]:
    weekend = catalogue.weekend
    if not set(weekend) <= set(range(7)):
        yield Problem("weekend", "not_a_weekday")
    if len(set(weekend)) != len(weekend):
        yield Problem("weekend", "twice")
    if set(weekend) >= set(range(7)):
        yield Problem("weekend", "no_working_day")
    yield from _twice("holidays", [day.isoformat() for day in catalogue.holidays])


def _deadlines(catalogue: Catalogue) -> Iterator[Problem]:
    grounds = {ground.code for ground in catalogue.grounds}
    seen = set()
    for number, rule in enumerate(catalogue.deadlines):
        at = f"deadlines.{number}"
        yield from _between(f"{at}.days", rule.days, 1, MOST_DAYS)
        if rule.ground is not None and rule.ground not in grounds:
            yield Problem(f"{at}.ground", "unknown_ground")
        if (about := (rule.kind, rule.ground, rule.urgent, rule.step)) in seen:
            yield Problem(at, "twice")
        seen.add(about)
    yield from _between("auto_close_days", catalogue.auto_close_days, 1, MOST_DAYS)
    if len(set(catalogue.four_eyes)) != len(catalogue.four_eyes):
        yield Problem("four_eyes", "twice")


def _lists(catalogue: Catalogue) -> Iterator[Problem]:
    yield from _twice("refusal_reasons", [one.code for one in catalogue.refusal_reasons])
    yield from _twice("root_causes", [one.code for one in catalogue.root_causes])
    yield from _twice("answer_templates", [one.code for one in catalogue.answer_templates])
    for name in ("refusal_reasons", "root_causes"):
        if len(getattr(catalogue, name)) > MOST_LISTED:
            yield Problem(name, "too_long", (("max_length", MOST_LISTED),))
    for reason in catalogue.refusal_reasons:
        at = f"refusal_reasons.{reason.code}"
        for field, name in (("name_fa", reason.name_fa), ("name_en", reason.name_en)):  # they go into an SMS
            yield from _text(f"{at}.{field}", name, NAME)
            yield from _no_link(f"{at}.{field}", name)
        yield from _text(f"{at}.address_fa", reason.address_fa, NAME, empty=True)
        yield from _text(f"{at}.address_en", reason.address_en, NAME, empty=True)
    for cause in catalogue.root_causes:
        at = f"root_causes.{cause.code}"
        yield from _text(f"{at}.name_fa", cause.name_fa, NAME)
        yield from _text(f"{at}.name_en", cause.name_en, NAME)
    grounds = {ground.code for ground in catalogue.grounds}
    for template in catalogue.answer_templates:
        at = f"answer_templates.{template.code}"
        yield from _text(f"{at}.text_fa", template.text_fa, TEXT, lines=True)
        yield from _text(f"{at}.text_en", template.text_en, TEXT, lines=True)
        if template.ground is not None and template.ground not in grounds:
            yield Problem(f"{at}.ground", "unknown_ground")


def _retention(catalogue: Catalogue) -> Iterator[Problem]:
    seen = set()
    for number, rule in enumerate(catalogue.retention):
        at = f"retention.{number}"
        yield from _between(f"{at}.identity_months", rule.identity_months, 1, MOST_MONTHS)
        yield from _between(f"{at}.evidence_months", rule.evidence_months, 1, MOST_MONTHS)
        if rule.text_months is not None:
            yield from _between(f"{at}.text_months", rule.text_months, 1, MOST_MONTHS)
        if (rule.kind, rule.outcome) in seen:
            yield Problem(at, "twice")
        seen.add((rule.kind, rule.outcome))


def _twice(at: str, codes: Iterable[str]) -> Iterator[Problem]:
    yield from (Problem(f"{at}.{code}", "twice") for code, times in Counter(codes).items() if times > 1)


def _between(at: str, value: int, least: int, most: int) -> Iterator[Problem]:
    if value < least:
        yield Problem(at, "greater_than_equal", (("ge", least),))
    if value > most:
        yield Problem(at, "less_than_equal", (("le", most),))


def _text(at: str, text: str, most: int, *, empty: bool = False, lines: bool = False) -> Iterator[Problem]:
    if not empty and not any(map(_is_seen, text)):
        yield Problem(at, "missing")
    if len(text) > most:
        yield Problem(at, "string_too_long", (("max_length", most),))
    if any(_is_forbidden(letter, lines) for letter in text):
        yield Problem(at, "forbidden_characters")


def _is_seen(letter: str) -> bool:
    """It leaves a mark where it is printed: no space, accent, mark of direction or filler."""
    return unicodedata.category(letter)[0] in "LNPS" and letter not in "\u115f\u1160\u2800\u3164\uffa0"


def _no_link(at: str, text: str) -> Iterator[Problem]:
    """Of what goes into an SMS. Control characters are told by `_text`."""
    for reason, named in sms.wrong_in_sms(text):
        if reason != "forbidden_characters" or not any(_is_forbidden(letter, lines=False) for letter in text):
            yield Problem(at, reason, tuple(named.items()))


def _is_forbidden(letter: str, lines: bool) -> bool:
    """Control characters, halves of a pair, and what turns the direction of the text after it."""
    if letter == "\n":
        return not lines
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202a\u202b\u202c\u202d\u202e\u2028\u2029"


# --- changing a catalogue ---


@dataclass(frozen=True)
class Difference:
    """What one change did: `what`, such as units; `code`, where there are many of it; before and after as JSON."""

    what: str
    code: str | None
    before: Any
    after: Any


def changed(catalogue: Catalogue, changes: Sequence[Change]) -> Catalogue:
    """The catalogue after `changes`, in their order; whether it is a good one is told by `problems`."""
    for change in changes:
        catalogue = catalogue.model_copy(update=_update(catalogue, change))
    return catalogue


def _update(catalogue: Catalogue, change: Change) -> dict[str, Any]:
    match change:
        case PutUnit():
            return {"units": _put(catalogue.units, change.unit)}
        case PutGround():
            return {"grounds": _put(catalogue.grounds, change.ground)}
        case PutRefusalReason():
            return {"refusal_reasons": _put(catalogue.refusal_reasons, change.refusal_reason)}
        case PutRootCause():
            return {"root_causes": _put(catalogue.root_causes, change.root_cause)}
        case PutAnswerTemplate():
            return {"answer_templates": _put(catalogue.answer_templates, change.answer_template)}
        case RemoveAnswerTemplate():
            return {"answer_templates": [one for one in catalogue.answer_templates if one.code != change.code]}
        case SetCalendar():
            weekend = None if change.weekend is None else sorted(change.weekend)
            holidays = None if change.holidays is None else sorted(change.holidays)
            return _given(weekend=weekend, holidays=holidays)
        case SetDeadlines():
            return {"deadlines": change.deadlines}
        case SetDecisions():
            return _given(four_eyes=change.four_eyes, auto_close_days=change.auto_close_days)
        case SetRetention():
            return {"retention": change.retention}


def _put(items: Sequence[Any], new: Any) -> list[Any]:
    """`new` in the place of the one with its code, or at the end."""
    if any(one.code == new.code for one in items):
        return [new if one.code == new.code else one for one in items]
    return [*items, new]


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def differences(before: Catalogue, after: Catalogue) -> list[Difference]:
    """What has changed between two catalogues, a line for each thing; empty when they say the same."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    found = []
    for what in LISTS:
        was, now = ({one["code"]: one for one in whole[what]} for whole in (old, new))
        found += [
            Difference(what, code, was.get(code), now.get(code))
            for code in {**was, **now}
            if was.get(code) != now.get(code)
        ]
    found += [
        Difference(what, None, old[what], new[what])
        for what in new
        if what != "version" and what not in LISTS and old[what] != new[what]
    ]
    return found


# --- what stands before anybody has set it ---

REFUSAL_REASONS = [
    ListedReason(code=reason.value, name_fa=names[Language.FA], name_en=names[Language.EN])
    for reason, names in REFUSAL_NAMES.items()
]
ROOT_CAUSES = [
    ListedCause(code=cause.value, name_fa=names[Language.FA], name_en=names[Language.EN])
    for cause, names in ROOT_CAUSE_NAMES.items()
]
