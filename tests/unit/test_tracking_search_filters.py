"""What a filter asks of a row: relative days and "me" as they are for who runs it, and its conditions by name."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from backbone.persian import jalali
from contracts.base import now
from contracts.errors import InvalidField
from contracts.searches import Filter, KeepSearch, Search
from contracts.units import UnitTree
from contracts.vocabulary import Stage
from services.tracking.search import conditions

TODAY, ME = date(2026, 11, 27), uuid4()
OTHER = uuid4()


def named(**given: Any) -> dict[str, list[Any]]:
    """The conditions of a filter, by name."""
    wanted = conditions.resolved(Filter.model_validate(given), jalali.today(now()), ME)
    return {name: list(values) for name, values in conditions.of_filter(wanted, UnitTree({}))}


@pytest.mark.parametrize(
    ("relative", "day"),
    [
        ("P0D", date(2026, 11, 27)),
        ("-P0D", date(2026, 11, 27)),
        ("P2D", date(2026, 11, 29)),
        ("-P7D", date(2026, 11, 20)),
        ("P1W", date(2026, 12, 4)),
        ("-P52W", date(2025, 11, 28)),
    ],
)
def test_a_relative_day_counts_from_the_day_on_which_it_is_read(relative: str, day: date) -> None:
    assert conditions.day_from(relative, TODAY) == day
    for name in ("filed", "changed", "decided", "due"):
        for end in ("from", "until"):
            wanted = conditions.resolved(Filter.model_validate({f"{name}_{end}": relative}), TODAY, ME)
            assert getattr(wanted, f"{name}_{end}") == day


def test_a_search_of_before_means_what_it_meant() -> None:
    kept = {"stage": ["screening"], "handler": [str(OTHER)], "filed_from": "2026-09-23", "below": False}
    wanted = Filter.model_validate(kept)
    assert conditions.resolved(wanted, TODAY, ME) == wanted
    assert (wanted.filed_from, wanted.handler) == (date(2026, 9, 23), [OTHER])


def test_me_is_who_runs_it_and_nobody_is_nobody() -> None:
    assert named(handler=["me"]) == {"handler": [ME]}
    assert named(handler=["me", ME, OTHER]) == {"handler": [ME, OTHER]}
    assert named(handler=["nobody"]) == {"nobody": []}
    assert named(handler=["nobody", "me"]) == {"handler or nobody": [ME]}
    assert named(handler=[]) == {}


def test_deadlines_are_judged_by_today() -> None:
    today = jalali.today(now())
    yesterday = today - timedelta(days=1)
    assert named(overdue=True) == {"owed": [], "due_until": [yesterday]}
    assert named(overdue=False) == {"due_from": [today]}
    assert named(past_mark=True) == {"past_mark": [today]}
    assert named(past_mark=False) == {"before_mark": [today]}


def test_days_are_spans_of_moments_in_tehran() -> None:
    found = named(
        changed_from="2026-11-26", changed_until="2026-11-26", changed_since=datetime(2026, 1, 1, tzinfo=jalali.TEHRAN)
    )
    assert found["changed_before"] == [jalali.starts(date(2026, 11, 27))]
    assert set(found) == {"changed_since", "changed_before"}


def test_waiting_for_somebody_is_a_stage_and_both_have_to_hold() -> None:
    wanted = Filter.model_validate({"stage": ["investigating", "awaiting_unit"], "waiting_for": ["unit", "citizen"]})
    both = set.intersection(*conditions.stages_of(wanted))
    assert both == {Stage.AWAITING_UNIT}
    assert conditions.stages_of(Filter()) == []


def test_a_span_is_checked_as_it_is_when_it_is_asked_for() -> None:
    backwards = conditions.resolved(Filter.model_validate({"due_from": "P2D", "due_until": "P1D"}), TODAY, ME)
    with pytest.raises(InvalidField) as refused:
        conditions.check(backwards, "counts.1.filters.")
    assert refused.value.params["fields"] == [{"field": "counts.1.filters.due_until", "reason": "before_its_start"}]


@pytest.mark.parametrize("wrong", ["P1M", "2D", "P2", "tomorrow", "-P10000D"])
def test_no_other_text_is_a_day(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Filter.model_validate({"due_until": wrong})


def test_columns_stand_once_each_in_their_order() -> None:
    about: dict[str, Any] = {"actor": {"kind": "staff", "id": str(UUID(int=1))}, "name": "x", "filters": {}}
    kept = KeepSearch.model_validate({**about, "columns": ["stage", "number", "stage"], "idempotency_key": "x" * 8})
    assert kept.columns == ["stage", "number"]
    assert Search.model_fields["columns"].default == []
