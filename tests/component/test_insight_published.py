"""Months, outcomes, durations and ratings as they are published: blurred, frozen, and only where there are enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backbone.persian import jalali
from backbone.storage.database import Database
from contracts.insight import PublishedFigures
from contracts.tracking import CaseDecided, CaseOpened, CaseRated
from contracts.vocabulary import Kind, Outcome, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.insight.composition import InsightUseCases, compose
from tests.support.insight import case_opened, catalogue_changed
from tests.support.processes import prepared

FILED = datetime(2026, 10, 1, 8, 30, tzinfo=UTC)  # 1405-07-09
WINTER = datetime(2026, 12, 26, 8, 30, tzinfo=UTC)  # a Saturday, 1405-10-05: autumn is over
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def database(broker: RabbitMQ, postgres: PostgreSQL) -> Iterator[Database]:
    environment = prepared("insight", broker.url, postgres.url, "insight_published")
    made = Database(environment["DATABASE_URL"], pool_size=4)
    yield made
    made.close()


class Office:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.use_cases: InsightUseCases = compose()
        with database.transaction() as connection:
            connection.execute(text("TRUNCATE facts, transitions, visits, units, grounds, releases, public_figures"))
            connection.execute(text("UPDATE figures_key SET key = :key"), {"key": KEY})
        self.record([catalogue_changed(FILED, {"mq": None}, grounds=("delay",))])

    def record(self, events: list[Any]) -> None:
        with self.database.transaction() as connection:
            self.use_cases.ingest.record(connection, events)

    def release(self, moment: datetime = WINTER) -> None:
        with self.database.transaction() as connection:
            self.use_cases.publication.release(connection, moment)

    def published(self) -> PublishedFigures:
        with self.database.read() as connection:
            return self.use_cases.published.published(connection)


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


def decided(days: int, outcome: Outcome = Outcome.UPHELD, score: int | None = None, **about: Any) -> list[Any]:
    """A case decided so many days after its filing, and rated then."""
    opened: CaseOpened = case_opened(FILED, unit="mq", **about)
    at = FILED + timedelta(days=days)
    state = opened.state.model_copy(update={"stage": Stage.DECIDED, "outcome": outcome})
    events: list[Any] = [opened]
    common: dict[str, Any] = {"occurred_at": at, "case_id": opened.case_id}
    events.append(CaseDecided.model_construct(id=uuid4(), sequence=2, state=state, early=False, **common))
    if score is not None:
        rated = state.model_copy(update={"score": score})
        events.append(CaseRated.model_construct(id=uuid4(), sequence=3, state=rated, **common))
    return events


def many(number: int, *arguments: Any, **more: Any) -> list[Any]:
    return [event for _ in range(number) for event in decided(*arguments, **more)]


def test_before_the_first_release_nothing_is_told(office: Office) -> None:
    office.record(many(200, 10))
    assert office.published() == PublishedFigures(until=None, months=[], durations=[])


def test_months_tell_outcomes_and_ratings_once_they_are_over(office: Office) -> None:
    office.record(many(300, 10, Outcome.UPHELD, 5) + many(200, 12, Outcome.NOT_UPHELD, 2) + many(3, 9, Outcome.SETTLED))
    office.release()
    figures = office.published()
    [month] = [month for month in figures.months if month.month == "1405-07"]
    outcomes = {row.outcome: row.count for row in month.outcomes}
    assert outcomes.keys() == {Outcome.UPHELD, Outcome.NOT_UPHELD}
    assert abs(outcomes[Outcome.UPHELD] - 300) < 60
    assert abs(outcomes[Outcome.NOT_UPHELD] - 200) < 60
    assert month.cases is not None
    assert abs(month.cases - 503) < 60
    assert month.average_rating is not None
    assert abs(month.average_rating - 3.8) <= 0.3
    assert {row.score for row in month.scores} == {2, 5}
    everything = [month.cases, month.ratings, *outcomes.values(), *(row.count for row in month.scores)]
    assert all(count is not None and count % 5 == 0 for count in everything)


def test_seasons_tell_how_long_decisions_take_by_kind(office: Office) -> None:
    office.record(many(150, 6) + many(150, 20) + many(100, 80) + many(4, 3, kind=Kind.INFORMATION))
    office.release(WINTER - timedelta(days=14))
    assert office.published().durations == []  # autumn is not over
    office.release()
    [duration] = office.published().durations
    assert (duration.kind, duration.half_within_days, duration.most_within_days) == (Kind.COMPLAINT, 21, 90)
    assert jalali.plain(duration.since) == "1405/07/01"
    assert jalali.plain(duration.until) == "1405/09/30"
    assert abs(duration.decided - 400) < 90


def test_what_was_published_stays_whatever_comes_later(office: Office) -> None:
    office.record(many(300, 10, Outcome.UPHELD, 4))
    office.release()
    before = office.published()
    office.record(many(100, 10, Outcome.UPHELD, 1))
    office.release()
    assert office.published() == before


def test_few_cases_are_not_told(office: Office) -> None:
    office.record(many(4, 10, Outcome.REFERRED, 1))
    office.release()
    figures = office.published()
    assert figures.durations == []
    for month in figures.months:
        assert (month.cases, month.outcomes, month.ratings, month.average_rating, month.scores) == (
            None,
            [],
            None,
            None,
            [],
        )


def test_no_table_is_finer_than_said(office: Office) -> None:
    """Outcomes and scores by month, durations by season: and none of them by unit or ground."""
    office.record(many(50, 10, Outcome.UPHELD, 4))
    office.release()
    with office.database.read() as connection:
        rows = connection.execute(text("SELECT DISTINCT measure, dimension FROM public_figures")).all()
    new = {(measure, table) for measure, table in rows if measure in ("outcomes", "durations", "satisfaction")}
    assert new == {("outcomes", "outcome"), ("durations", "kind_duration"), ("satisfaction", "score")}
