"""Which cases there are: pages in several orders, and how many. Each query carries its scope, and is made once for each shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
)

from backbone.messaging.json_answer import JsonAnswer
from backbone.storage import cursors
from backbone.storage.libpq_cursor import UNPREPARED
from contracts.searches import CasePage, Filter, Sort
from contracts.units import UnitTree
from contracts.vocabulary import Stage
from services.tracking.case.json_queries import as_sql
from services.tracking.case.scope import Scope
from services.tracking.models import cases
from services.tracking.reference.names import ground_name, name_of
from services.tracking.row_conditions import NUMBER_ORDER
from services.tracking.search import row_signs
from services.tracking.search.conditions import (
    CHANGED_AT,
    EXPECTED_ON,
    NO_DAY,
    WORD,
    Condition,
    Shape,
    alternatives,
    apart_from_words,
    as_conditions,
    of_filter,
    of_scope,
    parameters_of,
    shape_of,
    stages_of,
    words_in,
)
from services.tracking.search.row_signs import RowReader

EXCERPT = 32
"""Characters of the text in a row of the list, so that a row is below 600 bytes."""
WALKED = 5_000
"""Of a search for words so many rows that fulfil all else are read in their order, before the index of words is asked."""
_SHAPES = 500
"""Of each kind of query the texts that are kept, some kilobytes each; the least recently used goes."""
_LINE = (
    *("case_id", "number", "kind", "stage", "unit", "unit_name_fa", "ground", "urgent", "anonymous", "handler"),
    *("outcome", "version", "group_members"),
)
_WHOLE = (
    *("number", "kind", "stage", "unit", "unit_name_fa", "unit_name_en", "ground", "urgent", "anonymous", "channel"),
    *("filed_at", "decided_at", "outcome", "handler", "score", "text"),
)
_NAMES = ("handler_name", "ground_name_fa", "ground_name_en")
_PLACE = "place"
_EXPECTED_OR_NULL = func.nullif(EXPECTED_ON, NO_DAY)


@dataclass(frozen=True)
class Order:
    """One way to sort: by `key`, then by the case's id. `mark`: what its cursors begin with; `decode`: what a cursor's number
    means; `encode`: what the number of a key is."""

    key: ColumnElement[Any]
    descending: bool
    mark: bytes
    decode: Callable[[str, bytes], tuple[Any, UUID]]
    encode: Callable[[Any, UUID, bytes], str] = cursors.encode

    def by(self, key: ColumnElement[Any], case_id: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """For ORDER BY."""
        return (key.desc(), case_id.desc()) if self.descending else (key.asc(), case_id.asc())

    def beyond(self) -> ColumnElement[bool]:
        """What follows the row where a page ended, which `position` names."""
        here = tuple_(self.key, cases.c.case_id)
        there = tuple_(
            bindparam("after", type_=self.key.type, required=False),
            bindparam("after_id", type_=cases.c.case_id.type, required=False),
        )
        return here < there if self.descending else here > there

    def position(self, after: str | None) -> dict[str, Any]:
        """The parameters of `beyond`, none on the first page. InvalidField for a cursor that is none, or of another order."""
        if after is None:
            return {}
        position, case_id = self.decode(after, self.mark)
        return {"after": position, "after_id": case_id}

    def cursor(self, position: Any, case_id: UUID) -> str:
        """The cursor behind a row, for the page after it."""
        return self.encode(position, case_id, self.mark)


_NUMBER = literal_column(NUMBER_ORDER, Text)
_LAST_PART = 10**9


def _number_cursor(position: str, case_id: UUID, mark: bytes) -> str:
    """`position`: a case number as it sorts, its last part with nine digits."""
    return cursors.encode_number(int(position.replace("-", "")), case_id, mark)


def _number_of_cursor(cursor: str, mark: bytes) -> tuple[str, UUID]:
    number, case_id = cursors.decode_number(cursor, mark)
    return "{:04d}-{:09d}".format(*divmod(number, _LAST_PART)), case_id


ORDERS: dict[Sort, Order] = {
    "-filed_at": Order(cases.c.filed_at, True, b"", cursors.decode),
    "filed_at": Order(cases.c.filed_at, False, b"f", cursors.decode),
    "due_on": Order(EXPECTED_ON, False, b"d", cursors.decode_day),
    "-due_on": Order(EXPECTED_ON, True, b"D", cursors.decode_day),
    "number": Order(_NUMBER, False, b"n", _number_of_cursor, _number_cursor),
    "-number": Order(_NUMBER, True, b"N", _number_of_cursor, _number_cursor),
    "changed_at": Order(CHANGED_AT, False, b"c", cursors.decode),
    "-changed_at": Order(CHANGED_AT, True, b"C", cursors.decode),
}


@dataclass(frozen=True)
class _Page:
    """What the SQL of a page depends on. `stages`: how many are asked for, 0: all; `beyond`: it is not the first; `by_index`:
    words are looked for by their index."""

    shape: Shape
    stages: int
    sort: Sort
    beyond: bool
    masked: bool
    by_index: bool = False

    @property
    def is_in_two_steps(self) -> bool:
        """Whether words are looked for beside another condition, be it another word: of one word alone among all cases the
        planner does know whether it is rare."""
        names = [name for name, _ in self.shape]
        return WORD in names and (bool(self.stages) or sorted(names) != ["scope", WORD])


def case_page(
    connection: Connection,
    filters: Sequence[Filter],
    scope: Scope,
    tree: UnitTree,
    reader: RowReader,
    sort: Sort = "-filed_at",
    after: str | None = None,
    limit: int = 25,
) -> JsonAnswer[CasePage]:
    """One page of what the scope knows and all of `filters` find, in the JSON that the database writes. `reader`: for what its
    rows say to them."""
    order = ORDERS[sort]
    page, parameters = _asked(filters, scope, tree, sort, after, limit)
    rows = _rows(connection, _lines_sql, page, {**parameters, **reader.parameters})
    following = "null"
    if len(rows) > limit:
        last = rows[limit - 1]
        following = json.dumps(order.cursor(last.place, last.case_id))
    items = ",".join([line for line, _, _ in rows[:limit]])
    masked = "true" if scope.masked else "false"
    return JsonAnswer(CasePage, f'{{"items":[{items}],"next":{following},"masked":{masked}}}')


def whole_page(
    connection: Connection, filters: Sequence[Filter], scope: Scope, tree: UnitTree, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Rows for an export, newest filed first, and the cursor behind them: None with the last ones. Filing is never changed:
    no case comes twice, or is passed over, however long the pages are read."""
    page, parameters = _asked(filters, scope, tree, "-filed_at", after, limit)
    rows = _rows(connection, _whole_sql, page, parameters)
    lines = [
        {
            **{name: getattr(row, name) for name in (*_WHOLE, *_NAMES)},
            "expected_on": _iso(row.expected_on),
            "filed_at": _iso(row.filed_at),
            "decided_at": _iso(row.decided_at),
            "handler": str(row.handler) if row.handler else None,
        }
        for row in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return lines, ORDERS["-filed_at"].cursor(last.place, last.case_id) if last is not None else None


def count(connection: Connection, filters: Sequence[Filter], scope: Scope, tree: UnitTree) -> int:
    """How many cases the scope knows and all of `filters` find."""
    conditions, stages = conditions_and_stages(filters, scope, tree)
    parameters = {**parameters_of(conditions), **_stage_parameters(stages)}
    query = _count_sql(shape_of(conditions), len(stages))
    return int(connection.exec_driver_sql(query, parameters).scalar_one())


def count_many(
    connection: Connection, asked: Sequence[Sequence[Filter]], scope: Scope, tree: UnitTree, most: int
) -> list[int]:
    """How many cases the scope knows and each of these find, in one statement; counted as far as one beyond `most`."""
    queries, parameters = [], {"counted": most + 1}
    for place, filters in enumerate(asked):
        conditions, stages = conditions_and_stages(filters, scope, tree)
        own = {**parameters_of(conditions), **_stage_parameters(stages)}
        parameters |= {f"of{place}_{name}": value for name, value in own.items()}
        query = _bounded_count_sql(shape_of(conditions), len(stages))
        queries.append(
            f"({query.replace('%(given_', f'%(of{place}_given_').replace('%(stage_', f'%(of{place}_stage_')})"
        )
    # Which counts stand beside each other is hardly ever the same twice.
    row = connection.exec_driver_sql(f"{UNPREPARED}SELECT {', '.join(queries)}", parameters).one()
    return list(map(int, row))


def case_ids(connection: Connection, filters: Sequence[Filter], scope: Scope, tree: UnitTree, limit: int) -> list[UUID]:
    """The ids of the first cases that the scope knows and all of `filters` find, the newest filed first."""
    ids: list[UUID] = []
    after = None
    while len(ids) < limit:
        page, parameters = _asked(filters, scope, tree, "-filed_at", after, min(limit - len(ids), WALKED))
        rows = _rows(connection, _ids_sql, page, parameters)
        ids += [row.case_id for row in rows[: parameters["size"] - 1]]
        if len(rows) < parameters["size"]:
            break
        last = rows[parameters["size"] - 2]
        after = ORDERS["-filed_at"].cursor(last.place, last.case_id)
    return ids


def conditions_and_stages(
    filters: Sequence[Filter], scope: Scope, tree: UnitTree
) -> tuple[list[Condition], list[Stage]]:
    """The conditions, and apart from them the stages: none for all."""
    conditions = [of_scope(scope), *(condition for wanted in filters for condition in of_filter(wanted, tree))]
    wanted = [stages for each_filter in filters for stages in stages_of(each_filter)]
    if not wanted:
        return conditions, []
    stages = sorted(set.intersection(*wanted))
    return (conditions, stages) if stages else ([*conditions, ("nothing", [])], [])


def _asked(
    filters: Sequence[Filter], scope: Scope, tree: UnitTree, sort: Sort, after: str | None, limit: int
) -> tuple[_Page, dict[str, Any]]:
    """The shape of a page, and its parameters: one row more than the page has, to see whether there is another."""
    conditions, stages = conditions_and_stages(filters, scope, tree)
    page = _Page(shape_of(conditions), len(stages), sort, after is not None, scope.masked)
    position = ORDERS[sort].position(after)
    sizes = {"size": limit + 1, "walked": WALKED}
    return page, {**parameters_of(conditions), **_stage_parameters(stages), **position, **sizes}


def _rows(
    connection: Connection, sql_of: Callable[[_Page], str], page: _Page, parameters: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """The rows of a page.

    Whether a word is frequent among the cases of a unit, or beside another word, the planner cannot know: it takes both for
    independent, and reads a million rows in order for 26 that are not there. So the first are read in order, which suffices
    where the words are frequent; the index, with all that it finds sorted, is for the rest.
    """
    rows = connection.exec_driver_sql(sql_of(page), parameters).all()
    if not page.is_in_two_steps or len(rows) >= parameters["size"]:
        return rows
    return connection.exec_driver_sql(sql_of(replace(page, by_index=True)), parameters).all()


def _stage_parameters(stages: Sequence[Stage]) -> dict[str, str]:
    return {f"stage_{place}": stage for place, stage in enumerate(stages)}


def _stages(number: int) -> list[Any]:
    return [bindparam(f"stage_{place}", required=False) for place in range(number)]


_DEPENDS_ON_VALUES = frozenset(
    {
        *("word", "filed_since", "filed_before", "changed_since", "changed_before", "decided_since", "decided_before"),
        *("due_from", "due_until", "past_mark", "before_mark"),
    }
)
"""Conditions of which it depends on the value whether few rows fulfil them or nearly all."""


def _planned(sql: str, shape: Shape) -> str:
    """The statement, planned for its values where one plan does not suit all."""
    return UNPREPARED + sql if any(name in _DEPENDS_ON_VALUES for name, _ in shape) else sql


@lru_cache(_SHAPES)
def _lines_sql(page: _Page) -> str:
    """Of a row its line as JSON, and its place in the order."""
    shown = _shown(page.masked)
    columns = {name: shown[name] for name in _LINE}
    columns |= {"filed_at": shown["filed_at"], "expected_on": _EXPECTED_OR_NULL.label("expected_on")}
    columns |= row_signs.COLUMNS
    columns["excerpt"] = func.left(shown["text"], literal_column(str(EXCERPT))).label("excerpt")
    rows = _first_rows(page, columns).subquery("page")
    fields: dict[str, Any] = {name: rows.c[name] for name in row_signs.shown(columns)} | {
        "handler_name": name_of(rows.c.handler).correlate(rows),
        **row_signs.signs(rows, page.masked),
    }
    fields["filed_at"] = func.to_char(func.timezone(literal_column("'UTC'"), rows.c.filed_at), row_signs.MOMENT)
    line = select(*(field.label(name) for name, field in fields.items())).correlate(rows).lateral("line")
    # Without the spaces of json_build_object, and without what there is not: a hundred rows are read on a bad line.
    written = cast(func.json_strip_nulls(func.row_to_json(literal_column("line"))), Text)
    ordered = ORDERS[page.sort].by(rows.c[_PLACE], rows.c.case_id)
    lines = select(written, rows.c[_PLACE], rows.c.case_id).select_from(rows.join(line, true())).order_by(*ordered)
    return _planned(as_sql(lines), page.shape)


@lru_cache(_SHAPES)
def _whole_sql(page: _Page) -> str:
    shown = _shown(page.masked)
    columns = {name: shown[name] for name in ("case_id", *_WHOLE)}
    names = (name_of(shown["handler"]), *(ground_name(cases.c.ground, language) for language in ("fa", "en")))
    columns |= {name: column.label(name) for name, column in zip(_NAMES, names, strict=True)}
    rows = _first_rows(page, {**columns, "expected_on": _EXPECTED_OR_NULL.label("expected_on")})
    return _planned(as_sql(rows), page.shape)


@lru_cache(_SHAPES)
def _ids_sql(page: _Page) -> str:
    return _planned(as_sql(_first_rows(page, {"case_id": cases.c.case_id})), page.shape)


@lru_cache(_SHAPES)
def _count_sql(shape: Shape, stages: int) -> str:
    chosen = select(func.count()).select_from(cases).where(*as_conditions(shape))
    return _planned(as_sql(chosen.where(cases.c.stage.in_(_stages(stages))) if stages else chosen), shape)


@lru_cache(_SHAPES)
def _bounded_count_sql(shape: Shape, stages: int) -> str:
    """As far as `counted`, whose rows are read in no order."""
    chosen: Select[Any] = select(literal_column("1")).select_from(cases).where(*as_conditions(shape))
    chosen = chosen.where(cases.c.stage.in_(_stages(stages))) if stages else chosen
    counted = chosen.limit(bindparam("counted", type_=Integer, required=False)).subquery()
    return as_sql(select(func.count()).select_from(counted))


def _first_rows(page: _Page, columns: Mapping[str, ColumnElement[Any]]) -> Select[Any]:
    """The first rows in order, with their place in it. By stage and day of filing each stage gives its first by its own index
    and the first of these are taken: else a stage that few cases are at would be looked for through all of them. So it is with
    what an inspector handles, and what they see beside that."""
    order, size = ORDERS[page.sort], bindparam("size", type_=Integer, required=False)
    if page.is_in_two_steps:
        return _first_with_words(page, columns, order, size)
    query = (
        select(*columns.values(), order.key.label(_PLACE)).order_by(*order.by(order.key, cases.c.case_id)).limit(size)
    )
    further, stages = [order.beyond()] if page.beyond else [], _stages(page.stages)
    if stages and order.key is not cases.c.filed_at:
        further, stages = [*further, cases.c.stage.in_(stages)], []
    choices = [
        [*as_conditions(shape), *further, *at_stage]
        for shape in alternatives(page.shape)
        for at_stage in ([[cases.c.stage == stage] for stage in stages] if stages else [[]])
    ]
    if len(choices) == 1:
        return query.where(*choices[0])
    parts = [query.where(*choice).subquery() for choice in choices]
    together = select(parts[0]).union_all(*(select(part) for part in parts[1:])).subquery()
    return select(together).order_by(*order.by(together.c[_PLACE], together.c.case_id)).limit(size)


def _first_with_words(
    page: _Page, columns: Mapping[str, ColumnElement[Any]], order: Order, size: ColumnElement[int]
) -> Select[Any]:
    """Of those that have the words. Without `by_index` only the first rows that fulfil all else are read."""
    row = select(cases.c.case_id, order.key.label(_PLACE))
    further = [order.beyond()] if page.beyond else []
    if page.stages:
        further.append(cases.c.stage.in_(_stages(page.stages)))
    if page.by_index:
        # OFFSET 0: that the first few are wanted is no reason to read `cases` in order.
        matching = row.where(*as_conditions(page.shape), *further).offset(literal_column("0")).subquery()
    else:
        walked = bindparam("walked", type_=Integer, required=False)
        read = row.add_columns(cases.c.search).where(*apart_from_words(page.shape), *further)
        part = read.order_by(*order.by(order.key, cases.c.case_id)).limit(walked).subquery()
        matching = select(part.c.case_id, part.c[_PLACE]).where(*words_in(page.shape, part.c.search)).subquery()
    first = select(matching).order_by(*order.by(matching.c[_PLACE], matching.c.case_id)).limit(size).subquery()
    whole = select(*columns.values(), first.c[_PLACE]).select_from(
        cases.join(first, first.c.case_id == cases.c.case_id)
    )
    return whole.order_by(*order.by(first.c[_PLACE], cases.c.case_id))


def _shown(masked: bool) -> Mapping[str, ColumnElement[Any]]:
    """A case's columns by name; masked ones are empty before they leave the database."""
    columns: dict[str, ColumnElement[Any]] = dict(cases.c.items())
    if masked:
        columns["text"] = literal_column("''", cases.c.text.type).label("text")
        columns["handler"] = cast(null(), cases.c.handler.type).label("handler")
    return columns


def _iso(at: date | None) -> str | None:
    return at.isoformat() if at is not None else None
