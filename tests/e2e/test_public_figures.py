"""What is published of months, outcomes, ratings and durations: for anybody, and nothing of few."""

from __future__ import annotations

import pytest

from tests.e2e.people import Town, good

pytestmark = pytest.mark.timeout(300)


def test_anybody_reads_what_is_published_and_nothing_of_few_cases(town: Town) -> None:
    town.report()
    answer = town.caller().get("/v1/figures/published")
    figures = good(answer)
    assert figures.keys() == {"until", "months", "durations"}
    # This town has had too few cases for any figure, whether a release was made meanwhile or not.
    for month in figures["months"]:
        assert month["outcomes"] == []
        assert (month["average_rating"], month["scores"]) == (None, [])
    assert figures["durations"] == []
    assert answer.headers["cache-control"].startswith("public")


def test_exact_figures_of_decisions_and_ratings_stay_with_the_staff(town: Town) -> None:
    for path in ("/v1/figures/decisions", "/v1/figures/ratings"):
        assert town.caller().get(path).status_code in (401, 403)
        assert town.officer("head").caller.get(path).status_code == 200
