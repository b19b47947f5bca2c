"""Which cases there are: the conditions of a filter, and pages in several orders. Each query carries its scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Row,
    Select,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
)

from backbone.persian import jalali
from backbone.persian.normalisation import normalise
from backbone.storage import cursors
from contracts.base import now
from contracts.characters import latin_digits
from contracts.errors import InvalidField
from contracts.searches import CaseLine, CasePage, FileType, Filter, Sort
from contracts.units import UnitTree
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case.scope import Scope
from services.tracking.models import EXPECTED, attachments, cases, media_states
from services.tracking.reference.workdays import ONE_DAY

EXCERPT = 140
_FIRST_YEAR = 1390
"""No case of an office that uses this is older."""
_WHOLE_NUMBER = re.compile(r"1[34][0-9]{2}-[0-9]{6,9}")
_NUMBER = re.compile(r"(?:([0-9]{4})-)?([0-9]{1,9})")
_MEDIA_TYPES = {
    FileType.IMAGE: ("image/%",),
    FileType.AUDIO: ("audio/%",),
    FileType.VIDEO: ("video/%",),
    FileType.DOCUMENT: ("application/%", "text/%"),
}
_NO_DAY = date(9999, 12, 31)
_EXPECTED: ColumnElement[Any] = literal_column(EXPECTED, Date)
_LINE = (
    *(
        "case_id",
        "number",
        "kind",
        "stage",
        "unit",
        "unit_name_fa",
        "ground",
        "urgent",
        "anonymous",
        "filed_at",
    ),
    *("due_on", "paused_on", "handler", "outcome", "version", "group_members"),
)


# --- conditions ---


def check(wanted: Filter, path: str = "") -> None:
    """InvalidField for what no schema can say: a number that is none, a span that ends before it begins."""
    wrong = []
    if any(_NUMBER.fullmatch(latin_digits(number.strip())) is None for number in wanted.number):
        wrong.append({"field": f"{path}number", "reason": "not_a_case_number"})
    for name in ("filed", "decided", "due"):
        start, end = getattr(wanted, f"{name}_from"), getattr(wanted, f"{name}_until")
        if start is not None and end is not None and end < start:
            wrong.append({"field": f"{path}{name}_until", "reason": "before_its_start"})
    if wrong:
        raise InvalidField(fields=wrong)


def looks_behind_the_mask(wanted: Filter) -> bool:
    """Whether it looks for what a masked scope does not show: what is found would reveal it."""
    return bool(normalise(wanted.text or "") or wanted.handler)


def conditions(wanted: Filter, tree: UnitTree) -> list[ColumnElement[bool]]:
    """What a row of `cases` must fulfil to be one of those that were asked for."""
    listed = {name: list(dict.fromkeys(getattr(wanted, name))) for name in ("kind", "ground", "handler", "outcome")}
    terms: list[ColumnElement[bool]] = [cases.c[name].in_(values) for name, values in listed.items() if values]
    if wanted.unit:
        units = frozenset().union(*(tree.below(unit) for unit in wanted.unit)) if wanted.below else set(wanted.unit)
        terms.append(cases.c.unit.in_(sorted(units)))
    if wanted.urgent is not None:
        terms.append(cases.c.urgent == wanted.urgent)
    if wanted.number:
        terms.append(_numbered(wanted.number))
    if wanted.attached:
        terms.append(_attached(wanted.attached))
    return [*terms, *_in_time(wanted), *_containing(wanted.text)]


def _in_time(wanted: Filter) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    for column, start, end in (
        (cases.c.filed_at, wanted.filed_from, wanted.filed_until),
        (cases.c.decided_at, wanted.decided_from, wanted.decided_until),
    ):
        if start is not None:
            terms.append(column >= jalali.starts(start))
        if end is not None:
            terms.append(column < jalali.starts(end + ONE_DAY))
    if wanted.filed_since is not None:
        terms.append(cases.c.filed_at >= wanted.filed_since)
    if wanted.filed_before is not None:
        terms.append(cases.c.filed_at < wanted.filed_before)
    if wanted.due_from is not None or wanted.due_until is not None:
        terms.append(_EXPECTED < _NO_DAY)
    if wanted.due_from is not None:
        terms.append(wanted.due_from <= _EXPECTED)
    if wanted.due_until is not None:
        terms.append(wanted.due_until >= _EXPECTED)
    return terms


def _numbered(numbers: Sequence[str]) -> ColumnElement[bool]:
    """Whole numbers; of a last part alone, that of each year: written out, so that the index of numbers is used."""
    whole: list[str] = []
    years = range(_FIRST_YEAR, jalali.year(jalali.today(now())) + 2)
    for number in numbers:
        match = _NUMBER.fullmatch(latin_digits(number.strip()))
        if match is None:
            raise InvalidField(fields=[{"field": "number", "reason": "not_a_case_number"}])
        last = f"{int(match.group(2)):06d}"
        whole += [f"{year}-{last}" for year in ([match.group(1)] if match.group(1) else years)]
    return cases.c.number.in_(whole)


def _attached(types: Sequence[FileType]) -> ColumnElement[bool]:
    patterns = [pattern for file_type in dict.fromkeys(types) for pattern in _MEDIA_TYPES[file_type]]
    return exists(literal_column("1")).where(
        attachments.c.case_id == cases.c.case_id,
        media_states.c.media_id == attachments.c.media_id,
        or_(*(media_states.c.media_type.like(pattern) for pattern in patterns)),
    )


def searchable(number: str, typed: str) -> str:
    """What `_containing` looks into: normalised, with a space at either end so that each word has one before it."""
    return f" {normalise(f'{number} {typed}')} "


def _containing(words: str | None) -> list[ColumnElement[bool]]:
    """All words, anywhere; one or two letters only where a word begins, since trigrams do not distinguish more. A whole case
    number is that case's: its digits are in so many others that trigrams hardly distinguish it."""
    parts = list(dict.fromkeys(normalise(words or "").split()))[:10]
    return [
        cases.c.number == part
        if _WHOLE_NUMBER.fullmatch(part)
        else cases.c.search.contains(part if len(part) > 2 else f" {part}", autoescape=True)
        for part in parts
    ]


# --- orders and pages ---


@dataclass(frozen=True)
class Order:
    """One way to sort: by `key`, then by the case's id. `mark`: what its cursors begin with; `of_number`: what a cursor's
    number means."""

    key: ColumnElement[Any]
    descending: bool
    mark: bytes
    decode: Callable[[str, bytes], tuple[date, UUID]]

    def by(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """For ORDER BY."""
        if self.descending:
            return self.key.desc(), cases.c.case_id.desc()
        return self.key.asc(), cases.c.case_id.asc()

    def beyond(self, after: str) -> ColumnElement[bool]:
        """What follows the row where a page ended. InvalidField for a cursor that is none, or of another order."""
        position, case_id = self.decode(after, self.mark)
        here = tuple_(self.key, cases.c.case_id)
        there = tuple_(literal(position, self.key.type), literal(case_id, cases.c.case_id.type))
        return here < there if self.descending else here > there

    def cursor(self, position: date, case_id: UUID) -> str:
        """The cursor behind a row, for the page after it."""
        return cursors.encode(position, case_id, self.mark)


ORDERS: dict[Sort, Order] = {
    "-filed_at": Order(cases.c.filed_at, True, b"", cursors.decode),
    "filed_at": Order(cases.c.filed_at, False, b"f", cursors.decode),
    "due_on": Order(_EXPECTED, False, b"d", cursors.decode_day),
    "-due_on": Order(_EXPECTED, True, b"D", cursors.decode_day),
}


def case_page(
    connection: Connection,
    filters: Sequence[Filter],
    scope: Scope,
    tree: UnitTree,
    sort: Sort = "-filed_at",
    after: str | None = None,
    limit: int = 25,
) -> CasePage:
    """One page of what the scope knows and all of `asked` find."""
    order = ORDERS[sort]
    where, stages = found_by(filters, scope, tree)
    if after is not None:
        where.append(order.beyond(after))
    shown = _shown(scope)
    excerpt = func.left(shown["text"], EXCERPT).label("excerpt")
    columns = (*(shown[name] for name in _LINE), excerpt, order.key.label("place"))
    rows = connection.execute(_page(select(*columns), where, stages, order, limit + 1)).all()
    items = [CaseLine.model_validate({**row._mapping, "expected_on": _expected(row)}) for row in rows[:limit]]
    more = len(rows) > limit
    after = order.cursor(rows[limit - 1].place, rows[limit - 1].case_id) if more else None
    return CasePage(items=items, next=after, masked=scope.masked)


_WHOLE = (
    *("number", "kind", "stage", "unit", "unit_name_fa", "unit_name_en", "ground", "urgent", "anonymous", "channel"),
    *("filed_at", "decided_at", "outcome", "handler", "score", "text", "due_on", "paused_on"),
)


def whole_page(
    connection: Connection, filters: Sequence[Filter], scope: Scope, tree: UnitTree, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Rows for an export, newest filed first, and the cursor behind them: None with the last ones. Filing is never changed:
    no case comes twice, or is passed over, however long the pages are read."""
    order = ORDERS["-filed_at"]
    where, stages = found_by(filters, scope, tree)
    if after is not None:
        where.append(order.beyond(after))
    shown = _shown(scope)
    columns = (cases.c.case_id, *(shown[name] for name in _WHOLE), order.key.label("place"))
    rows = connection.execute(_page(select(*columns), where, stages, order, limit + 1)).all()
    lines = [
        {
            **{name: getattr(row, name) for name in _WHOLE if name not in ("due_on", "paused_on")},
            "expected_on": _iso(_expected(row)),
            "filed_at": _iso(row.filed_at),
            "decided_at": _iso(row.decided_at),
            "handler": str(row.handler) if row.handler else None,
        }
        for row in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return lines, order.cursor(last.place, last.case_id) if last is not None else None


def _shown(scope: Scope) -> Mapping[str, ColumnElement[Any]]:
    """A case's columns by name; masked ones are empty before they leave the database."""
    columns: dict[str, ColumnElement[Any]] = dict(cases.c.items())
    if scope.masked:
        columns["text"] = literal("", cases.c.text.type).label("text")
        columns["handler"] = cast(null(), cases.c.handler.type).label("handler")
    return columns


def _iso(at: date | None) -> str | None:
    return at.isoformat() if at is not None else None


def count(connection: Connection, filters: Sequence[Filter], scope: Scope, tree: UnitTree) -> int:
    """How many cases the scope knows and all of `asked` find."""
    where, stages = found_by(filters, scope, tree)
    chosen = select(func.count()).select_from(cases).where(*where)
    return int(connection.execute(chosen.where(cases.c.stage.in_(stages)) if stages else chosen).scalar_one())


def found_by(
    filters: Sequence[Filter], scope: Scope, tree: UnitTree
) -> tuple[list[ColumnElement[bool]], list[Stage] | None]:
    """The conditions, and apart from them the stages: None for all."""
    where = [scope.condition(), *(condition for wanted in filters for condition in conditions(wanted, tree))]
    wanted = [set(one.stage) for one in filters if one.stage]
    if not wanted:
        return where, None
    stages = sorted(set.intersection(*wanted))
    return ([*where, false()], None) if not stages else (where, stages)


def _page(
    query: Select[Any], where: list[ColumnElement[bool]], stages: Sequence[Stage] | None, order: Order, limit: int
) -> Select[Any]:
    """The first rows in order. By stage and day of filing each stage gives its first by its own index and the first of these
    are taken: else a stage that few cases are at would be looked for through all of them."""
    if stages and order.key is not cases.c.filed_at:
        where = [*where, cases.c.stage.in_(stages)]
        stages = None
    if not stages:
        return query.where(*where).order_by(*order.by()).limit(limit)
    parts = [
        query.where(cases.c.stage == stage, *where).order_by(*order.by()).limit(limit).subquery() for stage in stages
    ]
    together = parts[0]
    if len(parts) > 1:
        together = select(parts[0]).union_all(*(select(part) for part in parts[1:])).subquery()
    keys = (together.c.place, together.c.case_id)
    return select(together).order_by(*(key.desc() if order.descending else key.asc() for key in keys)).limit(limit)


def _expected(row: Row[Any]) -> date | None:
    due: date | None = row.due_on
    return due if row.stage in OPEN_STAGES and row.paused_on is None else None
