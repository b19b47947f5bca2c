"""What a filter asks of a row of `cases`: conditions by name, and the values of each.

The SQL of a list is made once for each combination of conditions and kept (`queries`): making it anew for each request takes
longer than all else that tracking does for a page. So a condition holds parameters alone, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from backbone.persian import jalali
from backbone.persian.normalisation import normalise, spellings
from contracts.base import now
from contracts.characters import latin_digits
from contracts.errors import InvalidField
from contracts.searches import FileType, Filter, WaitingFor
from contracts.units import UnitTree
from contracts.vocabulary import Stage
from services.tracking.case.scope import (
    Scope,
    beside_condition,
    handled_condition,
    inspector_condition,
    others_condition,
    scope_condition,
)
from services.tracking.models import attachments, cases, media_states
from services.tracking.reference.workdays import ONE_DAY
from services.tracking.row_conditions import CHANGED, EXPECTED

EXPECTED_ON: ColumnElement[Any] = literal_column(EXPECTED, Date)
CHANGED_AT: ColumnElement[Any] = literal_column(CHANGED, DateTime(timezone=True))
NO_DAY: ColumnElement[Any] = literal_column("DATE '9999-12-31'", Date)
"""`EXPECTED_ON` of a case of which no decision is owed."""

_FIRST_YEAR = 1390
"""No case of an office that uses this is older."""
_WHOLE_NUMBER = re.compile(r"1[34][0-9]{2}-[0-9]{6,9}")
_NUMBER = re.compile(r"(?:([0-9]{4})-)?([0-9]{1,9})")
_OF_PATTERNS = re.compile(r"([\\%_])")
_MEDIA_TYPES = {
    FileType.IMAGE: ("image/%",),
    FileType.AUDIO: ("audio/%",),
    FileType.VIDEO: ("video/%",),
    FileType.DOCUMENT: ("application/%", "text/%"),
}

_ANSWERED_BY = {WaitingFor.CITIZEN: Stage.AWAITING_CITIZEN, WaitingFor.UNIT: Stage.AWAITING_UNIT}

Condition = tuple[str, Sequence[Any]]
"""Its name in `_CONDITIONS`, and its values."""

Shape = tuple[tuple[str, int], ...]
"""The names of conditions, and how many values each has: what their SQL depends on."""


def _attached(patterns: Sequence[Any]) -> ColumnElement[bool]:
    return exists(literal_column("1")).where(
        attachments.c.case_id == cases.c.case_id,
        media_states.c.media_id == attachments.c.media_id,
        or_(*(media_states.c.media_type.like(pattern) for pattern in patterns)),
    )


def _has_attachments() -> ColumnElement[bool]:
    return exists(literal_column("1")).where(attachments.c.case_id == cases.c.case_id)


def _has_word(search: ColumnElement[Any], patterns: Sequence[Any]) -> ColumnElement[bool]:
    return or_(*(search.like(pattern) for pattern in patterns))


WORD = "word"

_CONDITIONS: Mapping[str, Callable[[Sequence[Any]], ColumnElement[bool]]] = {
    "scope": scope_condition,
    "scope of others": lambda given: others_condition(given[0], given[1], given[2], given[3:]),
    "scope of an inspector": lambda given: inspector_condition(given[0], given[1], given[2:]),
    "handled": lambda given: handled_condition(given[0], given[1], given[2:]),
    "beside another": lambda given: beside_condition(given[0], given[1], given[2:]),
    **{name: cases.c[name].in_ for name in ("kind", "ground", "handler", "channel", "outcome", "unit", "number")},
    "ids": lambda given: cases.c.case_id == any_(cast(given[0], ARRAY(PG_UUID))),
    "nobody": lambda _: cases.c.handler.is_(None),
    "handler or nobody": lambda given: or_(cases.c.handler.is_(None), cases.c.handler.in_(given)),
    "urgent": lambda given: cases.c.urgent == given[0],
    "attached": _attached,
    "with attachments": lambda _: _has_attachments(),
    "without attachments": lambda _: not_(_has_attachments()),
    "past_mark": lambda given: and_(cases.c.mark_on <= given[0], EXPECTED_ON < NO_DAY),
    "before_mark": lambda given: func.coalesce(and_(cases.c.mark_on <= given[0], EXPECTED_ON < NO_DAY), false()).is_(
        false()
    ),
    "changed_since": lambda given: given[0] <= CHANGED_AT,
    "changed_before": lambda given: given[0] > CHANGED_AT,
    "filed_since": lambda given: cases.c.filed_at >= given[0],
    "filed_before": lambda given: cases.c.filed_at < given[0],
    "decided_since": lambda given: cases.c.decided_at >= given[0],
    "decided_before": lambda given: cases.c.decided_at < given[0],
    "owed": lambda _: EXPECTED_ON < NO_DAY,
    "due_from": lambda given: given[0] <= EXPECTED_ON,
    "due_until": lambda given: given[0] >= EXPECTED_ON,
    WORD: lambda given: _has_word(cases.c.search, given),
    "nothing": lambda _: false(),
}


def shape_of(asked: Sequence[Condition]) -> Shape:
    """What the SQL of these depends on."""
    return tuple((name, len(values)) for name, values in asked)


def alternatives(shape: Shape) -> list[Shape]:
    """The same, as shapes of which a row fulfils at most one, each answered by its own index in its order; with the same
    parameters."""
    name, count = shape[0]
    if name != "scope of an inspector":
        return [shape]
    return [((part, count), *shape[1:]) for part in ("handled", "beside another")]


def as_conditions(shape: Shape) -> list[ColumnElement[bool]]:
    """Conditions of this shape, whose values are parameters."""
    return [_CONDITIONS[name](given) for name, given in _given(shape)]


def apart_from_words(shape: Shape) -> list[ColumnElement[bool]]:
    """The same, without those of words."""
    return [_CONDITIONS[name](given) for name, given in _given(shape) if name != WORD]


def words_in(shape: Shape, search: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """The rest of them, of a column that has what `cases.search` has."""
    return [_has_word(search, given) for name, given in _given(shape) if name == WORD]


def _given(shape: Shape) -> Iterator[tuple[str, list[Any]]]:
    place = 0
    for name, count in shape:
        yield name, [bindparam(f"given_{place + number}", required=False) for number in range(count)]
        place += count


def parameters_of(asked: Sequence[Condition]) -> dict[str, Any]:
    """The values of the parameters of `as_conditions`."""
    values = [value for _, values in asked for value in values]
    return {f"given_{place}": value for place, value in enumerate(values)}


def resolved(wanted: Filter, today: date, me: UUID) -> Filter:
    """The same with the days that its relative ones are today, and with `me` for who runs it."""
    days = {
        f"{name}_{end}": day_from(day, today)
        for name, *ends in _spans(wanted)
        for end, day in zip(("from", "until"), ends, strict=True)
        if isinstance(day, str)
    }
    handlers = list(dict.fromkeys(me if handler == "me" else handler for handler in wanted.handler))
    return wanted.model_copy(update={**days, "handler": handlers})


def day_from(relative: str, today: date) -> date:
    """The day that a relative one is; `relative`: as `contracts.searches.RelativeDay`."""
    number = int(relative.strip("-PDW")) * (7 if relative.endswith("W") else 1)
    return today + (-number if relative.startswith("-") else number) * ONE_DAY


def _spans(wanted: Filter) -> list[tuple[str, Any, Any]]:
    """Its spans of days, the one of `due`, which is no moment of a case, last."""
    return [
        ("filed", wanted.filed_from, wanted.filed_until),
        ("changed", wanted.changed_from, wanted.changed_until),
        ("decided", wanted.decided_from, wanted.decided_until),
        ("due", wanted.due_from, wanted.due_until),
    ]


def check(wanted: Filter, path: str = "") -> None:
    """InvalidField for what no schema can say: a number that is none, a span that ends before it begins. Of a resolved filter."""
    wrong = []
    if any(_NUMBER.fullmatch(latin_digits(number.strip())) is None for number in wanted.number):
        wrong.append({"field": f"{path}number", "reason": "not_a_case_number"})
    for name, start, end in _spans(wanted):
        if start is not None and end is not None and end < start:
            wrong.append({"field": f"{path}{name}_until", "reason": "before_its_start"})
    if wrong:
        raise InvalidField(fields=wrong)


def looks_behind_the_mask(wanted: Filter) -> bool:
    """Whether it looks for what a masked scope does not show: what is found would reveal it."""
    return bool(normalise(wanted.text or "") or wanted.handler)


def of_scope(scope: Scope) -> Condition:
    """What the scope knows."""
    if scope.handler is None:
        return "scope", sorted(scope.avoided)
    if scope.stands_in or scope.deputy_of:
        given = [scope.handlers, sorted(scope.stands_in), scope.as_colleagues]
        return "scope of others", [*given, *sorted(scope.avoided)]
    return "scope of an inspector", [scope.handler, scope.as_colleague, *sorted(scope.avoided)]


def of_filter(wanted: Filter, tree: UnitTree) -> Iterator[Condition]:
    """What a row of `cases` must fulfil to be one of those that were asked for, but for its stage."""
    if wanted.ids:
        yield "ids", [list(dict.fromkeys(wanted.ids))]
    for name in ("kind", "ground", "channel", "outcome"):
        if values := getattr(wanted, name):
            yield name, list(dict.fromkeys(values))
    yield from _of_handlers(wanted)
    if wanted.unit:
        units = frozenset().union(*(tree.below(unit) for unit in wanted.unit)) if wanted.below else set(wanted.unit)
        yield "unit", sorted(units)
    if wanted.urgent is not None:
        yield "urgent", [wanted.urgent]
    if wanted.number:
        yield "number", whole_numbers(wanted.number)
    if wanted.attached:
        file_types = dict.fromkeys(wanted.attached)
        yield "attached", [pattern for file_type in file_types for pattern in _MEDIA_TYPES[file_type]]
    if wanted.has_attachments is not None:
        yield ("with attachments" if wanted.has_attachments else "without attachments"), []
    yield from _in_time(wanted)
    yield from _by_deadline(wanted, jalali.today(now()))
    yield from _containing(wanted.text)


def stages_of(wanted: Filter) -> list[set[Stage]]:
    """Sets of stages, in each of which a case must be."""
    asked = {_ANSWERED_BY[whom] for whom in wanted.waiting_for}
    return [stages for stages in (set(wanted.stage), asked) if stages]


def _of_handlers(wanted: Filter) -> Iterator[Condition]:
    handlers = [handler for handler in dict.fromkeys(wanted.handler) if handler != "nobody"]
    if len(handlers) == len(wanted.handler):
        if handlers:
            yield "handler", handlers
    else:
        yield ("handler or nobody" if handlers else "nobody"), handlers


def _in_time(wanted: Filter) -> Iterator[Condition]:
    for name, start, end in _spans(wanted)[:-1]:
        if start is not None:
            yield f"{name}_since", [jalali.starts(start)]
        if end is not None:
            yield f"{name}_before", [jalali.starts(end + ONE_DAY)]
    moments = (
        ("filed_since", wanted.filed_since),
        ("filed_before", wanted.filed_before),
        ("changed_since", wanted.changed_since),
    )
    yield from ((name, [moment]) for name, moment in moments if moment is not None)


def _by_deadline(wanted: Filter, today: date) -> Iterator[Condition]:
    """By the day a decision is owed."""
    if wanted.due_from is not None or wanted.due_until is not None or wanted.overdue:
        yield "owed", []
    if wanted.due_from is not None:
        yield "due_from", [wanted.due_from]
    if wanted.due_until is not None:
        yield "due_until", [wanted.due_until]
    if wanted.overdue is not None:
        yield ("due_until", [today - ONE_DAY]) if wanted.overdue else ("due_from", [today])
    if wanted.past_mark is not None:
        yield ("past_mark" if wanted.past_mark else "before_mark"), [today]


def whole_numbers(numbers: Sequence[str]) -> list[str]:
    """Whole numbers; of a last part alone, that of each year: written out, so that the index of numbers is used."""
    whole: list[str] = []
    years = range(_FIRST_YEAR, jalali.year(jalali.today(now())) + 2)
    for number in numbers:
        match = _NUMBER.fullmatch(latin_digits(number.strip()))
        if match is None:
            raise InvalidField(fields=[{"field": "number", "reason": "not_a_case_number"}])
        last = f"{int(match.group(2)):06d}"
        whole += [f"{year}-{last}" for year in ([match.group(1)] if match.group(1) else years)]
    return whole


def _containing(words: str | None) -> Iterator[Condition]:
    """All words, anywhere; one or two letters only where a word begins, since trigrams do not distinguish more. A whole case
    number is that case's: its digits are in so many others that trigrams hardly distinguish it."""
    parts = list(dict.fromkeys(normalise(words or "").split()))[:10]
    for place, part in enumerate(parts):
        if _WHOLE_NUMBER.fullmatch(part):
            yield "number", [part]
        else:
            yield "word", ["%" + _OF_PATTERNS.sub(r"\\\1", spelling) + "%" for spelling in spellings(parts, place)]
