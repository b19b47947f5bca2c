"""The rules of the catalogue: what is wrong with one, how changes apply to it, how two differ (DOMAIN: What is filed, The life of
a case)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts import age_keys, sms
from contracts.base import Contract, now
from contracts.intake import (
    Article,
    Catalogue,
    Change,
    EarlierDecisionRules,
    EarlierRetention,
    ListedCause,
    ListedReason,
    PutAnswerTemplate,
    PutArticle,
    PutGround,
    PutOutsideBody,
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
from contracts.vocabulary import Language
from texts.vocabulary import REFUSAL_NAMES, ROOT_CAUSE_NAMES

# --- checking a catalogue ---

TABLES = ("units", "grounds", "refusal_reasons", "root_causes", "answer_templates", "articles", "outside_bodies")
"""Parts of the catalogue whose items have a code."""

NAME_LENGTH, HINT_LENGTH, TEXT_LENGTH = 200, 1000, 4000
"""Characters at most."""
LEVEL_LENGTH = 40
MAX_DAYS, MAX_MONTHS = 250, 600
MAX_TRANSFERS = 20
MAX_REASONS = 200
"""Refusal reasons, root causes, or outside bodies: closed ones stay, since old cases name them."""
MAX_ARTICLES, MAX_CITED = 500, 20
"""In the library, since every service gets the catalogue whole; in one template."""
NUMBER_LENGTH = 40
MAX_EARLIER = 50
"""Changes of one rule for new cases alone; one for open cases as well begins anew."""
EARLIEST_REGULATION, LATEST_REGULATION = date(1900, 1, 1), date(2122, 3, 20)
"""No article in use came into force before, and none is planned after."""


@dataclass(frozen=True)
class Problem:
    """`field`: what is wrong, such as units.roads.parent; `reason`: a stable code, as in an error's `fields`; `limits`: what the
    reason's text names."""

    field: str
    reason: str
    limits: tuple[tuple[str, Any], ...] = ()

    def as_field(self, catalogue: Catalogue) -> dict[str, Any]:
        """For the `fields` of an error. `item`: the code of what it is about, which may hold dots itself."""
        table, _, path = self.field.partition(".")
        codes = [item.code for item in getattr(catalogue, table)] if table in TABLES else []
        matching = [code for code in codes if path == code or path.startswith(f"{code}.")]
        item = {"item": max(matching, key=len)} if matching else {}
        return {"field": self.field, "reason": self.reason, **item, **dict(self.limits)}


def problems(catalogue: Catalogue) -> list[Problem]:
    """All that is wrong with a catalogue; empty when nothing is."""
    return [
        *_unit_problems(catalogue.units),
        *_ground_problems(catalogue),
        *_calendar_problems(catalogue),
        *_deadline_problems(catalogue),
        *_table_problems(catalogue),
        *_article_problems(catalogue.articles),
        *_retention_problems(catalogue),
    ]


def _unit_problems(units: Sequence[Unit]) -> Iterator[Problem]:
    by_code = {unit.code: unit for unit in units}
    yield from _duplicates("units", [unit.code for unit in units])
    roots = [unit for unit in units if unit.parent is None]
    if not roots:
        yield Problem("units", "no_root")
    for unit in roots[1:]:
        yield Problem(f"units.{unit.code}.parent", "second_root")
    for unit in units:
        at = f"units.{unit.code}"
        yield from _text_problems(f"{at}.name_fa", unit.name_fa, NAME_LENGTH)
        yield from _text_problems(f"{at}.name_en", unit.name_en, NAME_LENGTH)
        yield from _text_problems(f"{at}.level", unit.level, LEVEL_LENGTH)
        if unit.parent is None:
            continue
        parent = by_code.get(unit.parent)
        if parent is None:
            yield Problem(f"{at}.parent", "unknown_unit")
        elif unit.active and not parent.active:
            yield Problem(f"units.{parent.code}.active", "open_children")
        if _is_in_cycle(unit.code, by_code):
            yield Problem(f"{at}.parent", "circle")


def _is_in_cycle(code: str, by_code: dict[str, Unit]) -> bool:
    """Whether a unit is above itself."""
    visited: set[str] = set()
    current = by_code[code].parent
    while current is not None and current in by_code and current not in visited and current != code:
        visited.add(current)
        current = by_code[current].parent
    return current == code


def _ground_problems(catalogue: Catalogue) -> Iterator[Problem]:
    yield from _duplicates("grounds", [ground.code for ground in catalogue.grounds])
    for ground in catalogue.grounds:
        at = f"grounds.{ground.code}"
        yield from _text_problems(f"{at}.name_fa", ground.name_fa, NAME_LENGTH)
        yield from _text_problems(f"{at}.name_en", ground.name_en, NAME_LENGTH)
        yield from _text_problems(f"{at}.hint_fa", ground.hint_fa, HINT_LENGTH, empty=True)
        yield from _text_problems(f"{at}.hint_en", ground.hint_en, HINT_LENGTH, empty=True)
        if len(set(ground.kinds)) != len(ground.kinds):
            yield Problem(f"{at}.kinds", "twice")
        if len(ground.questions) > 30:  # as many answers as a submission may hold
            yield Problem(f"{at}.questions", "too_long", (("max_length", 30),))
        yield from _duplicates(f"{at}.questions", [question.code for question in ground.questions])
        earlier: dict[str, Question] = {}
        for question in ground.questions:
            yield from _question_problems(f"{at}.questions.{question.code}", question, earlier)
            earlier[question.code] = question


def _question_problems(at: str, question: Question, earlier: dict[str, Question]) -> Iterator[Problem]:
    yield from _text_problems(f"{at}.name_fa", question.name_fa, NAME_LENGTH)
    yield from _text_problems(f"{at}.name_en", question.name_en, NAME_LENGTH)
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
            yield from _text_problems(f"{at}.options.{name}", getattr(option, name), NAME_LENGTH)
    if question.when is not None:
        condition = earlier.get(question.when.question)
        if condition is None:
            yield Problem(f"{at}.when.question", "not_an_earlier_question")
        elif not condition.options:
            yield Problem(f"{at}.when.question", "not_a_choice")
        elif not question.when.values:
            yield Problem(f"{at}.when.values", "missing")
        elif not set(question.when.values) <= {option.value for option in condition.options}:
            yield Problem(f"{at}.when.values", "not_an_option")


def _calendar_problems(catalogue: Catalogue) -> Iterator[Problem]:
    weekend = catalogue.weekend
    if not set(weekend) <= set(range(7)):
        yield Problem("weekend", "not_a_weekday")
    if len(set(weekend)) != len(weekend):
        yield Problem("weekend", "twice")
    if set(weekend) >= set(range(7)):
        yield Problem("weekend", "no_working_day")
    yield from _duplicates("holidays", [day.isoformat() for day in catalogue.holidays])


def _deadline_problems(catalogue: Catalogue) -> Iterator[Problem]:
    grounds = {ground.code for ground in catalogue.grounds}
    seen = set()
    for number, rule in enumerate(catalogue.deadlines):
        at = f"deadlines.{number}"
        yield from _out_of_range(f"{at}.days", rule.days, 1, MAX_DAYS)
        if rule.ground is not None and rule.ground not in grounds:
            yield Problem(f"{at}.ground", "unknown_ground")
        if (scope := (rule.kind, rule.ground, rule.urgent, rule.step)) in seen:
            yield Problem(at, "twice")
        seen.add(scope)
    yield from _out_of_range("auto_close_days", catalogue.auto_close_days, 1, MAX_DAYS)
    yield from _out_of_range("transfers_without_head", catalogue.transfers_without_head, 0, MAX_TRANSFERS)
    if len(set(catalogue.four_eyes)) != len(catalogue.four_eyes):
        yield Problem("four_eyes", "twice")
    for name in ("earlier_decisions", "earlier_retention"):
        if len(getattr(catalogue, name)) > MAX_EARLIER:
            yield Problem(name, "too_long", (("max_length", MAX_EARLIER),))


def _table_problems(catalogue: Catalogue) -> Iterator[Problem]:
    yield from _duplicates("refusal_reasons", [reason.code for reason in catalogue.refusal_reasons])
    yield from _duplicates("root_causes", [cause.code for cause in catalogue.root_causes])
    yield from _duplicates("answer_templates", [template.code for template in catalogue.answer_templates])
    yield from _duplicates("outside_bodies", [body.code for body in catalogue.outside_bodies])
    for name in ("refusal_reasons", "root_causes", "outside_bodies"):
        if len(getattr(catalogue, name)) > MAX_REASONS:
            yield Problem(name, "too_long", (("max_length", MAX_REASONS),))
    for reason in catalogue.refusal_reasons:
        at = f"refusal_reasons.{reason.code}"
        for field, name in (("name_fa", reason.name_fa), ("name_en", reason.name_en)):  # they go into an SMS
            yield from _text_problems(f"{at}.{field}", name, NAME_LENGTH)
            yield from _sms_problems(f"{at}.{field}", name)
        yield from _text_problems(f"{at}.address_fa", reason.address_fa, NAME_LENGTH, empty=True)
        yield from _text_problems(f"{at}.address_en", reason.address_en, NAME_LENGTH, empty=True)
    for cause in catalogue.root_causes:
        at = f"root_causes.{cause.code}"
        yield from _text_problems(f"{at}.name_fa", cause.name_fa, NAME_LENGTH)
        yield from _text_problems(f"{at}.name_en", cause.name_en, NAME_LENGTH)
    for body in catalogue.outside_bodies:
        at = f"outside_bodies.{body.code}"
        yield from _text_problems(f"{at}.name_fa", body.name_fa, NAME_LENGTH)
        yield from _text_problems(f"{at}.name_en", body.name_en, NAME_LENGTH)
        if body.age_key and not age_keys.is_age_key(body.age_key):
            yield Problem(f"{at}.age_key", "not_an_age_key")
    grounds = {ground.code for ground in catalogue.grounds}
    for template in catalogue.answer_templates:
        at = f"answer_templates.{template.code}"
        yield from _text_problems(f"{at}.text_fa", template.text_fa, TEXT_LENGTH, lines=True)
        yield from _text_problems(f"{at}.text_en", template.text_en, TEXT_LENGTH, lines=True)
        if template.ground is not None and template.ground not in grounds:
            yield Problem(f"{at}.ground", "unknown_ground")
        if not set(template.articles) <= {article.code for article in catalogue.articles}:
            yield Problem(f"{at}.articles", "unknown_article")
        if len(set(template.articles)) != len(template.articles):
            yield Problem(f"{at}.articles", "twice")
        if len(template.articles) > MAX_CITED:
            yield Problem(f"{at}.articles", "too_long", (("max_length", MAX_CITED),))


def _article_problems(articles: Sequence[Article]) -> Iterator[Problem]:
    yield from _duplicates("articles", [article.code for article in articles])
    if len(articles) > MAX_ARTICLES:
        yield Problem("articles", "too_long", (("max_length", MAX_ARTICLES),))
    for article in articles:
        at = f"articles.{article.code}"
        yield from _text_problems(f"{at}.title_fa", article.title_fa, NAME_LENGTH)
        yield from _text_problems(f"{at}.title_en", article.title_en, NAME_LENGTH)
        yield from _text_problems(f"{at}.number", article.number, NUMBER_LENGTH)
        yield from _text_problems(f"{at}.text_fa", article.text_fa, TEXT_LENGTH, lines=True)
        yield from _text_problems(f"{at}.text_en", article.text_en, TEXT_LENGTH, empty=True, lines=True)
        for field, day in (("valid_from", article.valid_from), ("valid_until", article.valid_until)):
            if day is not None and not EARLIEST_REGULATION <= day <= LATEST_REGULATION:
                limits = (("earliest", EARLIEST_REGULATION.isoformat()), ("latest", LATEST_REGULATION.isoformat()))
                yield Problem(f"{at}.{field}", "too_long_ago", limits)
        if article.valid_until is not None and article.valid_until < article.valid_from:
            yield Problem(f"{at}.valid_until", "before_valid_from")


def _retention_problems(catalogue: Catalogue) -> Iterator[Problem]:
    seen = set()
    for number, rule in enumerate(catalogue.retention):
        at = f"retention.{number}"
        yield from _out_of_range(f"{at}.identity_months", rule.identity_months, 1, MAX_MONTHS)
        yield from _out_of_range(f"{at}.evidence_months", rule.evidence_months, 1, MAX_MONTHS)
        if rule.text_months is not None:
            yield from _out_of_range(f"{at}.text_months", rule.text_months, 1, MAX_MONTHS)
        if (rule.kind, rule.outcome) in seen:
            yield Problem(at, "twice")
        seen.add((rule.kind, rule.outcome))


def _duplicates(at: str, codes: Iterable[str]) -> Iterator[Problem]:
    yield from (Problem(f"{at}.{code}", "twice") for code, count in Counter(codes).items() if count > 1)


def _out_of_range(at: str, value: int, minimum: int, maximum: int) -> Iterator[Problem]:
    if value < minimum:
        yield Problem(at, "greater_than_equal", (("ge", minimum),))
    if value > maximum:
        yield Problem(at, "less_than_equal", (("le", maximum),))


def _text_problems(
    at: str, text: str, max_length: int, *, empty: bool = False, lines: bool = False
) -> Iterator[Problem]:
    if not empty and not any(map(_is_visible, text)):
        yield Problem(at, "missing")
    if len(text) > max_length:
        yield Problem(at, "string_too_long", (("max_length", max_length),))
    if any(_is_forbidden(letter, lines) for letter in text):
        yield Problem(at, "forbidden_characters")


def _is_visible(letter: str) -> bool:
    """No space, accent, direction mark or filler."""
    return unicodedata.category(letter)[0] in "LNPS" and letter not in "\u115f\u1160\u2800\u3164\uffa0"


def _sms_problems(at: str, text: str) -> Iterator[Problem]:
    """Of a text that an SMS quotes. Control characters are reported by `_text_problems`."""
    for reason, limits in sms.wrong_in_sms(text):
        if reason != "forbidden_characters" or not any(_is_forbidden(letter, lines=False) for letter in text):
            yield Problem(at, reason, tuple(limits.items()))


def _is_forbidden(letter: str, lines: bool) -> bool:
    """Control characters, halves of a surrogate pair, and direction overrides."""
    if letter == "\n":
        return not lines
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202a\u202b\u202c\u202d\u202e\u2028\u2029"


# --- changing a catalogue ---


@dataclass(frozen=True)
class Difference:
    """What one change did. `what`: the part of the catalogue, such as units; `code`: of its item, where it has items; before and
    after as JSON."""

    what: str
    code: str | None
    before: Any
    after: Any


def apply(
    catalogue: Catalogue, changes: Sequence[Change], kept: Sequence[str] = (), at: datetime | None = None
) -> Catalogue:
    """The catalogue after `changes`, in their order; `problems` says whether it is a good one. `kept`: fields that an item which
    is put keeps as they are, where it is there. `at`: when, for what shall hold for later cases alone; None: now."""
    for change in changes:
        update = _update(catalogue, change, kept)
        catalogue = catalogue.model_copy(update=update | _older_cases(catalogue, change, at or now()))
    return catalogue


def _older_cases(catalogue: Catalogue, change: Change, at: datetime) -> dict[str, Any]:
    """By what rules the cases of before a change of rules go on."""
    if not isinstance(change, SetDeadlines | SetDecisions | SetRetention):
        return {}
    is_for_open = change.applies_to == "open"
    match change:
        case SetDeadlines():
            return {"open_case_rules": catalogue.open_case_rules + 1} if is_for_open else {}
        case SetDecisions():
            return _older_decisions(catalogue, change, at)
        case SetRetention() if is_for_open:
            return {"earlier_retention": []}
        case SetRetention() if change.retention != catalogue.retention:
            retention = EarlierRetention(before=at, retention=catalogue.retention)
            return {"earlier_retention": [*catalogue.earlier_retention, retention]}
    return {}


def _older_decisions(catalogue: Catalogue, change: SetDecisions, at: datetime) -> dict[str, Any]:
    """Of two rules of decisions each is changed by itself: what the change does not name stays for older cases, too."""
    given = _given(four_eyes=change.four_eyes, auto_close_days=change.auto_close_days)
    until_now = EarlierDecisionRules(
        before=at, four_eyes=catalogue.four_eyes, auto_close_days=catalogue.auto_close_days
    )
    periods = [*catalogue.earlier_decisions, until_now]
    from_now = until_now.model_copy(update=given)
    if change.applies_to == "open":
        closing = {rules.auto_close_days for rules in periods}
        periods = [rules.model_copy(update=given) for rules in periods]
        days_change = change.auto_close_days is not None and closing != {change.auto_close_days}
        newly = {"open_case_rules": catalogue.open_case_rules + 1} if days_change else {}
    else:
        newly = {}
    # A period is kept where the next one has other rules.
    pairs = zip(periods, [*periods[1:], from_now], strict=True)
    kept = [rules for rules, later in pairs if rules.model_copy(update={"before": later.before}) != later]
    return {"earlier_decisions": kept, **newly}


_PUT: dict[type[Contract], tuple[str, Callable[[Any], Any]]] = {
    PutUnit: ("units", lambda change: change.unit),
    PutGround: ("grounds", lambda change: change.ground),
    PutRefusalReason: ("refusal_reasons", lambda change: change.refusal_reason),
    PutRootCause: ("root_causes", lambda change: change.root_cause),
    PutAnswerTemplate: ("answer_templates", lambda change: change.answer_template),
    PutArticle: ("articles", lambda change: change.article),
    PutOutsideBody: ("outside_bodies", lambda change: change.outside_body),
}
"""Changes that put one item: the table, and the item of the change."""


def _update(catalogue: Catalogue, change: Change, kept: Sequence[str]) -> dict[str, Any]:
    if type(change) in _PUT:
        table, item_of = _PUT[type(change)]
        return {table: _put(getattr(catalogue, table), item_of(change), kept)}
    match change:
        case RemoveAnswerTemplate():
            remaining = [template for template in catalogue.answer_templates if template.code != change.code]
            return {"answer_templates": remaining}
        case SetCalendar():
            weekend = None if change.weekend is None else sorted(change.weekend)
            holidays = None if change.holidays is None else sorted(change.holidays)
            return _given(weekend=weekend, holidays=holidays)
        case SetDeadlines():
            return {"deadlines": change.deadlines}
        case SetDecisions():
            return _given(**change.model_dump(exclude={"change"}))
        case SetRetention():
            return {"retention": change.retention}
    raise TypeError(f"no rule applies {type(change).__name__}")


def _put(items: Sequence[Any], new: Any, kept: Sequence[str]) -> list[Any]:
    """`new`, with the fields that are kept, in place of the item with its code; or at the end."""
    if (old := next((item for item in items if item.code == new.code), None)) is None:
        return [*items, new]
    new = new.model_copy(update={name: getattr(old, name) for name in kept if name in type(old).model_fields})
    return [new if item.code == new.code else item for item in items]


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def differences(before: Catalogue, after: Catalogue) -> list[Difference]:
    """Every item and setting in which two catalogues differ; empty when they are the same."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    result = []
    for table in TABLES:
        old_items, new_items = ({item["code"]: item for item in catalogue[table]} for catalogue in (old, new))
        result += [
            Difference(table, code, old_items.get(code), new_items.get(code))
            for code in {**old_items, **new_items}
            if old_items.get(code) != new_items.get(code)
        ]
    result += [
        Difference(name, None, old[name], new[name])
        for name in new
        if name != "version" and name not in TABLES and old[name] != new[name]
    ]
    return result


# --- defaults until the administrator sets them ---

REFUSAL_REASONS = [
    ListedReason(code=reason.value, name_fa=names[Language.FA], name_en=names[Language.EN])
    for reason, names in REFUSAL_NAMES.items()
]
ROOT_CAUSES = [
    ListedCause(code=cause.value, name_fa=names[Language.FA], name_en=names[Language.EN])
    for cause, names in ROOT_CAUSE_NAMES.items()
]
