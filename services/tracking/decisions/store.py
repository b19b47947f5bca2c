"""Queries on recommendations to units, a line of comment each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, select, tuple_
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from backbone.storage import cursors, writes
from backbone.storage.writes import Write
from contracts.tracking import FollowedRecommendation, SettleRecommendation
from services.tracking.case.facts import FactsLoaders, FactsPart, FactsQuery, loaded_as
from services.tracking.case.json_queries import json_object
from services.tracking.case.lifecycle import Case
from services.tracking.case.record import EffectWriter, EffectWriters, Recorded, ViewParts
from services.tracking.case.scope import Scope
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.decisions.rules import (
    REPORTED,
    IssuedRecommendation,
    RecommendationFacts,
    RecommendationsChanged,
    RecommendationsIssued,
    shown_to_unit,
)
from services.tracking.models import cases, recommendations

OPEN = ("open", "reported_done", "reported_declined")
MOST = 500
Page = tuple[str | None, int]
"""Of a list: the cursor behind which it begins, and how many rows it has at most."""


def keep(case_id: UUID, those: Sequence[IssuedRecommendation], at: datetime) -> list[Write]:
    """Recommendations as they are now."""
    return writes.insert(recommendations, [_row(case_id, recommendation, at) for recommendation in those], _KEPT)


def _row(case_id: UUID, recommendation: IssuedRecommendation, at: datetime) -> dict[str, Any]:
    state = recommendation.state
    reported, settled = state.startswith("reported"), state in ("done", "declined")
    moments = {"reported_at": at if reported else None, "settled_at": at if settled else None}
    return {**vars(recommendation), "case_id": case_id, **moments}


_KEPT = """
ON CONFLICT (recommendation_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, escalated = excluded.escalated,
    reported_at = coalesce(excluded.reported_at, recommendations.reported_at),
    settled_at = coalesce(excluded.settled_at, recommendations.settled_at)
"""
_SUPERSEDE = f"""
UPDATE recommendations SET state = 'superseded', settled_at = given.settled_at FROM {writes.given(recommendations)}
WHERE recommendations.case_id = given.case_id AND recommendations.state IN {OPEN}
"""


def of_case(connection: Connection, case_id: UUID, only: UUID | None = None) -> list[IssuedRecommendation]:
    """The recommendations of a locked case."""
    chosen = select(recommendations).where(recommendations.c.case_id == case_id)
    if only is not None:
        chosen = chosen.where(recommendations.c.recommendation_id == only)
    return [_recommended(row) for row in connection.execute(chosen.order_by(recommendations.c.due_on))]


def case_of_unit(connection: Connection, recommendation_id: UUID, units: Iterable[str]) -> UUID | None:
    """The case in which this was recommended to one of these units."""
    chosen = select(recommendations.c.case_id).where(
        recommendations.c.recommendation_id == recommendation_id, recommendations.c.unit.in_(sorted(units))
    )
    return connection.execute(chosen).scalar()


def lock_overdue(connection: Connection, today: date, limit: int) -> list[Case]:
    """Cases with a recommendation that is overdue and was not escalated, locked; what another process holds is left to it."""
    late = select(recommendations.c.case_id).where(
        recommendations.c.due_on < today, recommendations.c.state == "open", ~recommendations.c.escalated
    )
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id.in_(late.limit(limit)))
    return [case_of(row) for row in connection.execute(chosen.with_for_update(skip_locked=True))]


def of_scope(
    connection: Connection,
    scope: Scope,
    units: Iterable[str] | None,
    open_only: bool,
    case_id: UUID | None = None,
    page: Page = (None, MOST),
) -> list[FollowedRecommendation]:
    """Those of the cases that the scope knows."""
    chosen = _listed(open_only, page, scope.condition(), *([cases.c.case_id == case_id] if case_id else []))
    if units is not None:
        chosen = chosen.where(recommendations.c.unit.in_(sorted(units)))
    return [_followed(row) for row in connection.execute(chosen)]


def of_units(
    connection: Connection, units: Iterable[str], open_only: bool, only: UUID | None = None, page: Page = (None, MOST)
) -> list[FollowedRecommendation]:
    """Those to these units, with nothing of their cases."""
    chosen = _listed(open_only, page, recommendations.c.unit.in_(sorted(units)))
    if only is not None:
        chosen = chosen.where(recommendations.c.recommendation_id == only)
    hidden = {"case_id": None, "number": None}
    return [
        _followed(row).model_copy(update={**hidden, "commands": [shown_to_unit(row.state)]})
        for row in connection.execute(chosen)
    ]


def _listed(open_only: bool, page: Page, *conditions: ColumnElement[bool]) -> Select[Any]:
    after, limit = page
    chosen = select(recommendations, cases.c.number).join(cases, cases.c.case_id == recommendations.c.case_id)
    if open_only:
        chosen = chosen.where(recommendations.c.state.in_(OPEN))
    place = (recommendations.c.due_on, recommendations.c.recommendation_id)
    if after is not None:
        chosen = chosen.where(tuple_(*place) > cursors.decode_day(after))
    return chosen.where(*conditions).order_by(*place).limit(limit)


def _recommended(row: Row[Any]) -> IssuedRecommendation:
    return IssuedRecommendation(
        row.recommendation_id, row.unit, row.text, row.due_on, row.state, row.reason, row.escalated
    )


def _followed(row: Row[Any]) -> FollowedRecommendation:
    return FollowedRecommendation.model_validate(dict(row._mapping))


# --- what changes of a case need and do ---


def _write_issued(effect: RecommendationsIssued, recorded: Recorded) -> list[Write]:
    case_id, at = recorded.case.case_id, recorded.at
    superseding = [Write(_SUPERSEDE, [{"case_id": case_id, "settled_at": at}])] if effect.supersedes else []
    return [*superseding, *keep(case_id, effect.recommendations, at)]


def _show_issued(parts: ViewParts, effect: RecommendationsIssued, recorded: Recorded) -> None:
    lines = parts["followed"] or []
    if effect.supersedes:
        over = {"state": "superseded", "settled_at": recorded.at}
        lines = [line | over if line["state"] in OPEN else line for line in lines]
    parts["followed"] = _with(lines, effect.recommendations, recorded)


def _write_changed(effect: RecommendationsChanged, recorded: Recorded) -> list[Write]:
    return keep(recorded.case.case_id, effect.recommendations, recorded.at)


def _show_changed(parts: ViewParts, effect: RecommendationsChanged, recorded: Recorded) -> None:
    parts["followed"] = _with(parts["followed"] or [], effect.recommendations, recorded)


def _with(
    lines: Sequence[Mapping[str, Any]], those: Iterable[IssuedRecommendation], recorded: Recorded
) -> list[dict[str, Any]]:
    """The view's lines with recommendations as they are now, in its order."""
    by_id = {line["recommendation_id"]: dict(line) for line in lines}
    for recommendation in those:
        now = _row(recorded.case.case_id, recommendation, recorded.at)
        name, due = str(recommendation.recommendation_id), recommendation.due_on.isoformat()
        line = by_id.setdefault(name, {})
        shown = {column: now[column] for column in ("unit", "text", "state", "reason")}
        moments = {column: now[column] or line.get(column) for column in ("reported_at", "settled_at")}
        line |= {"recommendation_id": name, "due_on": due, **shown, **moments}
    return sorted(by_id.values(), key=lambda line: (line["due_on"], line["recommendation_id"]))


EFFECT_WRITERS: EffectWriters = {
    RecommendationsIssued: EffectWriter(_write_issued, _show_issued),
    RecommendationsChanged: EffectWriter(_write_changed, _show_changed),
}


_NAMED = (
    select(json_object(**{name: recommendations.c[name] for name in IssuedRecommendation.__dataclass_fields__}))
    .where(
        recommendations.c.case_id == cases.c.case_id,
        recommendations.c.recommendation_id == bindparam("recommendation", type_=PG_UUID, required=False),
    )
    .scalar_subquery()
)


def _settled(line: Mapping[str, Any] | None, command: SettleRecommendation, about: FactsQuery) -> RecommendationFacts:
    if line is None:
        return RecommendationFacts()
    typed = {"recommendation_id": command.recommendation_id, "due_on": date.fromisoformat(line["due_on"])}
    return RecommendationFacts(IssuedRecommendation(**{**line, **typed}))


def viewed_facts(case: Case, parts: Mapping[str, Any]) -> RecommendationFacts:
    """Of a view of the case: what waits for the office's agreement."""
    lines = parts["followed"] or []
    waiting = {str(line["recommendation_id"]): line["text"] for line in lines if line["state"] in REPORTED}
    return RecommendationFacts(reported=waiting)


FACTS_LOADERS: FactsLoaders = {
    SettleRecommendation: loaded_as(
        FactsPart(_NAMED, lambda command: {"recommendation": command.recommendation_id}, _settled)
    )
}
