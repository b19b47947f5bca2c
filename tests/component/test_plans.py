"""No hot query reads a table that grows with the cases from end to end: asked of a city large enough for the planner to know."""

from __future__ import annotations

import psycopg
import pytest

from benchmarks.city.bulk_writing import SERVICES
from benchmarks.city.fill import fill
from benchmarks.plans import Planned, page, plans
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.component.test_city import founded

CASES = 40_000
BIG = {"cases", "timeline", "facts"}


@pytest.fixture(scope="module")
def urls(broker: RabbitMQ, postgres: PostgreSQL) -> dict[str, str]:
    environment = founded(broker, postgres, "plans")
    fill(environment, CASES, say=lambda text: None)
    return {service: environment[f"DATABASE_URL_{service.upper()}"] for service in SERVICES}


@pytest.mark.long
def test_no_hot_query_reads_all_cases_or_timelines(urls: dict[str, str]) -> None:
    all_plans = list(plans(urls))
    assert len(all_plans) > 90
    # Of a city so small some smaller tables are rightly read whole; `./peygir bench plans` shows those of a million cases.
    assert [(plan.name, plan.read_whole) for plan in all_plans if not plan.sound and BIG & set(plan.read_whole)] == []


@pytest.mark.long
def test_a_query_without_its_index_is_named(urls: dict[str, str]) -> None:
    # Given that somebody has taken an index away, as a migration might
    with psycopg.connect(urls["tracking"].replace("+psycopg", ""), autocommit=True) as connection:
        [definition] = connection.execute(
            "SELECT pg_get_indexdef(oid) FROM pg_class WHERE relname = 'cases_citizen'"
        ).fetchone() or [None]
        connection.execute("DROP INDEX cases_citizen")
        try:
            wrong = [plan for plan in plans({"tracking": urls["tracking"]}) if not plan.sound]
        finally:
            connection.execute(str(definition))
    assert [plan.read_whole for plan in wrong if plan.name == "own_cases"] == [["cases"]]


def test_the_page_shows_each_plan() -> None:
    plan = "Seq Scan on cases  (cost=0.00..1.00)\nExecution Time: 12.5 ms"
    page_text = page([Planned("tracking", "own_cases", "SELECT 1", plan)], "a machine")
    assert "| tracking | own_cases | 12.50 | cases |" in page_text
    assert plan in page_text
