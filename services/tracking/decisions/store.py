"""Queries on recommendations to units, a line of comment each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.tracking import FollowedRecommendation, SettleRecommendation
from services.tracking.case.facts import FactsLoaders, FactsQuery
from services.tracking.case.lifecycle import Case
from services.tracking.case.record import EffectWriters, Recorded
from services.tracking.case.scope import Scope
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.decisions.rules import (
    IssuedRecommendation,
    RecommendationFacts,
    RecommendationsChanged,
    RecommendationsIssued,
)
from services.tracking.models import cases, recommendations

OPEN = ("open", "reported_done", "reported_declined")
MOST = 500


def keep(connection: Connection, case_id: UUID, those: Sequence[IssuedRecommendation], at: datetime) -> None:
    """Recommendations as they are now."""
    for recommendation in those:
        state = recommendation.state
        row = {**vars(recommendation), "case_id": case_id}
        values = {"state": state, "reason": recommendation.reason, "escalated": recommendation.escalated}
        reported, settled = state.startswith("reported"), state in ("done", "declined")
        moments = {"reported_at": at} if reported else {"settled_at": at} if settled else {}
        statement = upsert(recommendations).values(row)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["recommendation_id"], set_={**values, **moments})
        )


def supersede(connection: Connection, case_id: UUID, at: datetime) -> None:
    """What an earlier decision recommended and is not done yet is over."""
    chosen = update(recommendations).where(recommendations.c.case_id == case_id, recommendations.c.state.in_(OPEN))
    connection.execute(chosen.values(state="superseded", settled_at=at))


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
    connection: Connection, scope: Scope, units: Iterable[str] | None, open_only: bool, case_id: UUID | None = None
) -> list[FollowedRecommendation]:
    """Those of the cases that the scope knows."""
    chosen = _listed(open_only, scope.condition(), *([cases.c.case_id == case_id] if case_id else []))
    if units is not None:
        chosen = chosen.where(recommendations.c.unit.in_(sorted(units)))
    return [_followed(row) for row in connection.execute(chosen)]


def of_units(
    connection: Connection, units: Iterable[str], open_only: bool, only: UUID | None = None
) -> list[FollowedRecommendation]:
    """Those to these units, with nothing of their cases."""
    chosen = _listed(open_only, recommendations.c.unit.in_(sorted(units)))
    if only is not None:
        chosen = chosen.where(recommendations.c.recommendation_id == only)
    hidden = {"case_id": None, "number": None}
    return [_followed(row).model_copy(update=hidden) for row in connection.execute(chosen)]


def _listed(open_only: bool, *conditions: ColumnElement[bool]) -> Select[Any]:
    chosen = select(recommendations, cases.c.number).join(cases, cases.c.case_id == recommendations.c.case_id)
    if open_only:
        chosen = chosen.where(recommendations.c.state.in_(OPEN))
    return chosen.where(*conditions).order_by(recommendations.c.due_on, recommendations.c.recommendation_id).limit(MOST)


def _recommended(row: Row[Any]) -> IssuedRecommendation:
    return IssuedRecommendation(
        row.recommendation_id, row.unit, row.text, row.due_on, row.state, row.reason, row.escalated
    )


def _followed(row: Row[Any]) -> FollowedRecommendation:
    return FollowedRecommendation.model_validate(dict(row._mapping))


# --- what changes of a case need and do ---


def _write_issued(connection: Connection, effect: RecommendationsIssued, recorded: Recorded) -> None:
    if effect.supersedes:
        supersede(connection, recorded.case.case_id, recorded.at)
    keep(connection, recorded.case.case_id, effect.recommendations, recorded.at)


def _write_changed(connection: Connection, effect: RecommendationsChanged, recorded: Recorded) -> None:
    keep(connection, recorded.case.case_id, effect.recommendations, recorded.at)


EFFECT_WRITERS: EffectWriters = {RecommendationsIssued: _write_issued, RecommendationsChanged: _write_changed}


def _load(connection: Connection, command: SettleRecommendation, about: FactsQuery) -> RecommendationFacts:
    rows = of_case(connection, about.case.case_id, command.recommendation_id)
    return RecommendationFacts(rows[0] if rows else None)


FACTS_LOADERS: FactsLoaders = {SettleRecommendation: _load}
