"""What whoever handles a case reads of those that were merged into it: what was filed, the evidence and the visits
(DOMAIN: The life of a case). Who filed them stays sealed, and a case about the reader's own unit stays hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    String,
    all_,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from contracts.vocabulary import Stage
from services.tracking.case.json_queries import json_object
from services.tracking.case.scope import Scope, contains_any_colleague
from services.tracking.case.view_parts import media_part
from services.tracking.evidence import store as evidence
from services.tracking.models import cases
from services.tracking.visits.views import staff_visit, visits_part

_FILED = (
    *("case_id", "number", "kind", "unit", "unit_name_fa", "unit_name_en", "ground", "filed_at", "text", "answers"),
    *("happened_on", "place", "reference", "people", "visit_wanted", "answered_questions"),
)


def merged_part() -> Any:
    """The cases that were merged into the one of the query's row, or into such a one, as JSON; the first filed first. The query
    has the parameters of a scope (`Scope.given`)."""
    merged, chain = cases.alias("merged"), _merged_into_it()
    line = json_object(
        **{name: merged.c[name] for name in _FILED},
        media=media_part(of=merged.c.case_id).element,
        visits=visits_part(of=merged.c.case_id).element,
    )
    avoided = bindparam("avoided", type_=ARRAY(String), required=False)
    return (
        select(func.json_agg(aggregate_order_by(line, merged.c.filed_at, merged.c.case_id)))
        .select_from(chain.join(merged, merged.c.case_id == chain.c.case_id))
        .where(or_(merged.c.unit.is_(None), merged.c.unit != all_(avoided)))
        .scalar_subquery()
    )


def _merged_into_it() -> CTE:
    first, further = cases.alias("first"), cases.alias("further")
    base = select(first.c.case_id).where(first.c.merged_into == cases.c.case_id).correlate(cases)
    chain = base.cte("merged_chain", recursive=True, nesting=True)
    return chain.union_all(select(further.c.case_id).join(chain, further.c.merged_into == chain.c.case_id))


def shown(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The merged cases of a view."""
    return [
        {name: line[name] for name in _FILED}
        | {
            "answered_questions": line["answered_questions"] or [],
            "attachments": [evidence.view(attachment) for attachment in line["media"] or []],
            "visits": [staff_visit(visit) for visit in line["visits"] or []],
        }
        for line in lines
    ]


def goes_on_with(scope: Scope) -> ColumnElement[bool]:
    """That the case of a row goes on in one that is this person's (`Scope.condition`), and is about no unit that they avoid."""
    if scope.handler is None:
        return false()  # who sees all cases needs no such way
    first, further = cases.alias("first"), cases.alias("further")
    names = ("merged_into", "handler", "unit", "colleagues")
    base = select(*(first.c[name] for name in names)).where(first.c.case_id == cases.c.merged_into).correlate(cases)
    chain = base.cte("goes_on_in", recursive=True, nesting=True)
    chain = chain.union_all(
        select(*(further.c[name] for name in names)).join(chain, further.c.case_id == chain.c.merged_into)
    )
    avoided = sorted(scope.avoided)
    handled = (
        exists(literal_column("1"))
        .select_from(chain)
        .where(_has(chain, scope), or_(chain.c.unit.is_(None), chain.c.unit.not_in(avoided)))
    )
    free = or_(cases.c.unit.is_(None), cases.c.unit.not_in(avoided))
    return and_(cases.c.stage == Stage.MERGED, free, handled)


def _has(chain: CTE, scope: Scope) -> ColumnElement[bool]:
    return or_(
        chain.c.handler.in_(scope.handlers),
        chain.c.unit.in_(sorted(scope.stands_in)),
        contains_any_colleague(chain.c.colleagues, scope.as_colleagues),
    )
