"""The queries of the staff's lists: filters, orders and counts, of a head and of an inspector."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection

from contracts.searches import MOST_COUNTED, Filter
from contracts.vocabulary import Channel, Outcome, Stage
from services.tracking.case.scope import Scope
from services.tracking.reference.workdays import Workdays
from services.tracking.search import queries
from services.tracking.search.row_signs import RowReader

if TYPE_CHECKING:
    from benchmarks.plans import Sample


def list_queries(sample: Sample, tree: Any, head: Scope, mine: Scope) -> dict[str, Callable[[Connection], object]]:
    """By name. `sample`: what there is to ask for; `head`, `mine`: the scopes of a head and of an inspector."""
    today, parent = date.today(), sample.unit.split(".")[0]
    reader = RowReader(UUID(str(sample.handler)), today, Workdays(frozenset()))
    filters: dict[str, dict[str, Any]] = {
        "all": {},
        "investigating": {"stage": [Stage.INVESTIGATING]},
        "the screening queue": {"stage": [Stage.REGISTERED, Stage.SCREENING]},
        "a unit and all below": {"unit": [parent]},
        "an inspector's": {"handler": [sample.handler]},
        "upheld": {"outcome": [Outcome.UPHELD]},
        "urgent": {"urgent": True},
        "a word": {"text": "آسفالت"},
        "three words": {"text": "پروانه بازدید نوروزیان"},
        "a word in two": {"text": "نوروز یان"},
        "a word in a note": {"text": "تماس گرفتم"},
        "a word that nobody wrote": {"text": "قسطنطنیه"},
        "a month": {"filed_from": today - timedelta(days=400), "filed_until": today - timedelta(days=370)},
        "decided this week": {"decided_from": today - timedelta(days=7)},
        "owed this week": {"due_from": today, "due_until": today + timedelta(days=7)},
        "a number": {"number": [sample.number]},
        "the end of a number": {"number": [sample.number[-6:]]},
        "a number as text": {"text": sample.number},
        "nobody's": {"handler": ["nobody"]},
        "nobody's, in screening": {"handler": ["nobody"], "stage": [Stage.REGISTERED, Stage.SCREENING]},
        "by SMS": {"channel": [Channel.SMS]},
        "overdue": {"overdue": True},
        "past the mark": {"past_mark": True},
        "changed today": {"changed_from": today},
        "waiting for a citizen": {"waiting_for": ["citizen"]},
        "without attachments": {"has_attachments": False},
        "by ids": {"ids": [sample.case_id, sample.open_id, sample.handled_id]},
        "a ground in a unit with photos": {"ground": ["duty"], "unit": [parent], "attached": ["image"]},
    }

    def page(of: Scope, sort: str = "-filed_at", **given: Any) -> Callable[[Connection], object]:
        return lambda c: queries.case_page(c, [Filter(**given)], of, tree, reader, sort)  # type: ignore[arg-type]  # a Sort

    def counted(**given: Any) -> Callable[[Connection], object]:
        return lambda c: queries.count(c, [Filter(**given)], head, tree)

    return {
        **{f"case_page: {name}": page(head, **given) for name, given in filters.items()},
        **{f"count: {name}": counted(**given) for name, given in filters.items()},
        "case_page of an inspector": page(mine),
        "case_page of an inspector, a word": page(mine, text="آسفالت"),
        "case_page by the day owed": page(head, "due_on"),
        "case_page by the day owed, last first": page(head, "-due_on", stage=[Stage.INVESTIGATING]),
        **{
            f"case_page by {sort}{beside}": page(of, sort, **given)
            for sort in ("number", "-number", "changed_at", "-changed_at")
            for beside, of, given in (
                ("", head, {}),
                (", of an inspector", mine, {}),
                (", investigating", head, {"stage": [Stage.INVESTIGATING]}),
                (", a unit and all below", head, {"unit": [parent]}),
                (", words", head, {"text": "پروانه بازدید"}),
            )
        },
        "count_many": lambda c: queries.count_many(
            c, [[Filter(**given)] for given in list(filters.values())[:20]], head, tree, MOST_COUNTED
        ),
    }
