"""Figures that are for the staff whose work they are: decisions, and ratings by how they were given."""

from __future__ import annotations

import pytest

from contracts.insight import (
    CountDecisions,
    CountRatings,
    DecisionCounts,
    DecisionFigures,
    RatingCell,
    RatingCounts,
    RatingFigures,
)
from tests.support.gateway import Gateway, bearer

RATINGS = RatingFigures(unasked=2, unasked_average=3.5, by_phone=0)


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    unlimited_gateway.rabbit.reset()
    unlimited_gateway.rabbit.answers |= {
        "insight.count_decisions": lambda _: DecisionCounts(
            by=["month"], cells=[], totals=DecisionFigures(decided=0, settled=0, settled_early=0)
        ),
        "insight.count_ratings": lambda _: RatingCounts(
            by=["month"], cells=[RatingCell(key=["1405-09"], **RATINGS.model_dump())], totals=RATINGS
        ),
    }
    return unlimited_gateway


def test_ratings_by_phone_stand_apart_and_an_average_of_none_is_null(gateway: Gateway) -> None:
    headers = bearer(gateway.keys.staff("analyst"))
    answer = gateway.send("GET", "/v1/figures/ratings?by=month&unit=roads&since=2026-11-22", headers=headers)
    assert answer.status_code == 200, answer.text
    [cell] = answer.json()["cells"]
    assert (cell["unasked"], cell["unasked_average"], cell["by_phone"], cell["by_phone_average"]) == (2, 3.5, 0, None)
    [(_, request)] = gateway.rabbit.calls
    assert isinstance(request, CountRatings)
    assert (request.by, request.unit, str(request.since)) == (["month"], "roads", "2026-11-22")


@pytest.mark.parametrize("role", ["head", "analyst", "administrator", "screener", "inspector"])
def test_decisions_are_counted_for_the_staff_whose_work_it_is(gateway: Gateway, role: str) -> None:
    answer = gateway.send("GET", "/v1/figures/decisions?by=month", headers=bearer(gateway.keys.staff(role)))
    assert answer.json()["totals"] == {"decided": 0, "settled": 0, "settled_early": 0}
    assert isinstance(gateway.rabbit.calls[0][1], CountDecisions)


@pytest.mark.parametrize("path", ["/v1/figures/decisions", "/v1/figures/ratings"])
def test_neither_is_published(gateway: Gateway, path: str) -> None:
    assert gateway.send("GET", path).status_code == 401
    for role in ("operator", "liaison", "custodian", "auditor"):
        assert gateway.send("GET", path, headers=bearer(gateway.keys.staff(role))).status_code == 403
    assert gateway.rabbit.calls == []
