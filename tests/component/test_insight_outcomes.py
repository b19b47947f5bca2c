"""Decisions and ratings as insight counts them: early settlements, and ratings given unasked and by phone, kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from backbone.storage import migrate
from backbone.storage.database import Database
from contracts import tracking
from contracts.base import Event
from contracts.call_backs import CaseRatedByPhone
from contracts.errors import NotAllowed
from contracts.gateway import Actor
from contracts.insight import CountDecisions, CountRatings, DecisionCounts, RatingCounts
from contracts.vocabulary import ActorKind, Outcome, Role, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.insight.composition import compose
from tests.support.insight import case_opened, catalogue_changed, snapshot
from tests.support.processes import ROOT, create_database, prepared

ABAN, AZAR, DEY = (datetime(2026, month, day, 8, 30, tzinfo=UTC) for month, day in ((11, 1), (12, 1), (12, 25)))
PARENTS = {"mq": None, "dep.urb": "mq", "dep.urb.permits": "dep.urb", "mayor": "mq", "mayor.insp": "mayor"}
HEAD = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), unit="mayor.insp")


class Insight:
    """Insight's use cases on a real database."""

    def __init__(self, database: Database) -> None:
        self._database, self._use_cases = database, compose()

    def take(self, *events: Event) -> None:
        """Each by itself, in this order."""
        for event in events:
            with self._database.statements() as connection:
                self._use_cases.ingest.record(connection, [event])

    def decisions(self, by: str, actor: Actor | None = HEAD) -> DecisionCounts:
        with self._database.read() as connection:
            return self._use_cases.figures.count_decisions(connection, CountDecisions(actor=actor, by=[by]))

    def ratings(self, by: str, actor: Actor | None = HEAD) -> RatingCounts:
        with self._database.read() as connection:
            return self._use_cases.figures.count_ratings(connection, CountRatings(actor=actor, by=[by]))


@pytest.fixture(scope="module")
def database(broker: RabbitMQ, postgres: PostgreSQL) -> Iterator[Database]:
    opened = Database(prepared("insight", broker.url, postgres.url, "insight_outcomes")["DATABASE_URL"], pool_size=1)
    yield opened
    opened.close()


@pytest.fixture
def insight(database: Database) -> Insight:
    with database.transaction() as connection:
        connection.execute(text("TRUNCATE facts, transitions, notifications, units, visits, grounds"))
    made = Insight(database)
    made.take(catalogue_changed(ABAN, PARENTS))
    return made


def step(
    cls: type[Any], case_id: UUID, sequence: int, at: datetime, state: dict[str, Any] | None = None, **more: Any
) -> Any:
    taken = snapshot(ABAN, **(state or {}))
    return cls(id=uuid4(), occurred_at=at, case_id=case_id, sequence=sequence, state=taken, **more)


def decided(outcome: Outcome, at: datetime, *, early: bool = False, **state: Any) -> list[Any]:
    """A case that was filed before and decided then."""
    first = case_opened(ABAN, **state)
    state |= {"stage": Stage.DECIDED, "outcome": outcome}
    return [first, step(tracking.CaseDecided, first.case_id, 2, at, state, outcome=outcome, early=early)]


def rated(cls: type[Any], score: int, at: datetime, **state: Any) -> list[Any]:
    """A case that was decided before and rated then."""
    events = decided(Outcome.UPHELD, ABAN, **state)
    state |= {"stage": Stage.DECIDED, "outcome": Outcome.UPHELD, "score": score}
    return [*events, step(cls, events[0].case_id, 3, at, state, score=score)]


def cells(counts: DecisionCounts | RatingCounts, *figures: str) -> dict[str | None, list[Any]]:
    return {cell.key[0]: [getattr(cell, name) for name in figures] for cell in counts.cells}


def test_early_settlements_are_counted_within_settlements_on_the_day_of_the_decision(insight: Insight) -> None:
    insight.take(
        *decided(Outcome.SETTLED, ABAN, early=True),
        *decided(Outcome.SETTLED, AZAR),
        *decided(Outcome.UPHELD, AZAR),
        *decided(Outcome.UPHELD, AZAR, unit="mayor.insp"),  # the head's own unit
        case_opened(ABAN),
    )
    counts = insight.decisions("month")
    assert cells(counts, "decided", "settled", "settled_early") == {"1405-08": [1, 1, 1], "1405-09": [2, 1, 0]}
    assert counts.totals.model_dump() == {"decided": 3, "settled": 2, "settled_early": 1}


def test_a_settlement_that_was_taken_back_is_none(insight: Insight) -> None:
    events = decided(Outcome.SETTLED, ABAN, early=True)
    state = {"stage": Stage.SCREENING}
    back = step(tracking.CaseReopened, events[0].case_id, 3, AZAR, state, mistake="decided")
    insight.take(back, *events)
    assert insight.decisions("unit").cells == []


def test_ratings_by_phone_are_kept_apart_from_those_given_unasked(insight: Insight) -> None:
    insight.take(
        *rated(tracking.CaseRated, 2, AZAR),
        *rated(tracking.CaseRated, 5, AZAR),
        *rated(CaseRatedByPhone, 5, AZAR),
        *rated(CaseRatedByPhone, 4, DEY),
        *rated(tracking.CaseRated, 1, AZAR, unit="mayor.insp"),
    )
    counts = insight.ratings("month")
    figures = ("unasked", "unasked_average", "by_phone", "by_phone_average")
    assert cells(counts, *figures) == {"1405-09": [2, 3.5, 1, 5.0], "1405-10": [0, None, 1, 4.0]}
    assert [getattr(counts.totals, name) for name in figures] == [2, 3.5, 2, 4.5]


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_of_a_case_that_was_decided_again_the_last_rating_counts_in_whatever_order_it_is_told(
    insight: Insight, order: tuple[int, ...]
) -> None:
    events = rated(tracking.CaseRated, 1, AZAR)
    case_id, state = events[0].case_id, {"stage": Stage.DECIDED, "outcome": Outcome.UPHELD}
    again = step(tracking.CaseDecided, case_id, 4, DEY, state, outcome=Outcome.UPHELD)
    by_phone = step(CaseRatedByPhone, case_id, 5, DEY, {**state, "score": 4}, score=4)
    events = [*events, again, by_phone]
    insight.take(*(events[place] for place in order))
    assert cells(insight.ratings("month"), "unasked", "by_phone_average") == {"1405-10": [0, 4.0]}
    assert cells(insight.decisions("month"), "decided") == {"1405-10": [1]}


def test_a_rating_that_a_later_decision_outdated_counts_no_more(insight: Insight) -> None:
    events = rated(tracking.CaseRated, 1, AZAR)
    state = {"stage": Stage.DECIDED, "outcome": Outcome.UPHELD}
    insight.take(*events, step(tracking.CaseDecided, events[0].case_id, 4, DEY, state, outcome=Outcome.UPHELD))
    assert insight.ratings("month").cells == []


def test_what_was_decided_and_rated_before_the_upgrade_is_counted(postgres: PostgreSQL) -> None:
    url, case_id, other = create_database(postgres.url, "peygir_insight_before"), uuid4(), uuid4()
    engine = create_engine(url)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "services" / "insight" / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002_early_settlement")
        connection.execute(
            text(
                "INSERT INTO facts (case_id, sequence, number, kind, unit, ground, stage, outcome, channel, anonymous,"
                " urgent, score, filed_at, day, reported_at, decided_at, decided_sequence) VALUES"
                " (:id, 5, '1', 'complaint', 'dep.urb', 'delay', 'closed', 'settled', 'web', false,"
                " false, 4, :at, :at, :at, :at, 2),"
                " (:other, 1, '2', 'complaint', 'dep.urb', 'delay', 'screening', NULL, 'web', false,"
                " false, NULL, :at, :at, :at, NULL, NULL)"
            ),
            {"id": case_id, "other": other, "at": AZAR.replace(hour=21)},  # the next day in Tehran
        )
        for sequence, name, at in ((3, "case.rated.v1", AZAR), (5, "case.rated_by_phone.v1", DEY)):
            connection.execute(
                text(
                    "INSERT INTO transitions (event_id, case_id, sequence, event, stage, at)"
                    " VALUES (gen_random_uuid(), :id, :sequence, :name, 'closed', :at)"
                ),
                {"id": case_id, "sequence": sequence, "name": name, "at": at},
            )
        connection.execute(text("INSERT INTO units VALUES ('mayor.insp', NULL, 1)"))
        connection.commit()
    engine.dispose()
    migrate.upgrade("insight", url)
    upgraded = Database(url, pool_size=1)
    try:
        insight = Insight(upgraded)
        assert cells(insight.decisions("day"), "decided", "settled") == {"2026-12-02": [1, 1]}
        assert cells(insight.ratings("day"), "unasked", "by_phone_average") == {"2026-12-25": [0, 4.0]}
    finally:
        upgraded.close()


@pytest.mark.parametrize("role", [None, Role.LIAISON, Role.OPERATOR, Role.AUDITOR])
def test_neither_is_for_anybody_else(insight: Insight, role: Role | None) -> None:
    actor = None if role is None else HEAD.model_copy(update={"roles": frozenset({role})})
    with pytest.raises(NotAllowed):
        insight.decisions("month", actor)
    with pytest.raises(NotAllowed):
        insight.ratings("month", actor)
