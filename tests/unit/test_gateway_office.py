"""GET /v1/office: what a form needs, the same as what submissions are checked by; and the published figures."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from backbone.persian import jalali
from contracts.base import now
from contracts.errors import Unavailable
from contracts.insight import OutcomeCount, PublishedDuration, PublishedFigures, PublishedMonth, ScoreCount
from contracts.media import SENT_TYPES
from contracts.promises import Promise, Promises
from contracts.vocabulary import Kind, Outcome
from gateway.edge.representation import SMALLEST
from services.media.processing.filetypes import PERMITTED
from tests.support.gateway import CATALOGUE, REPORT, UNLIMITED, Gateway, reasons, refusing

SUMMER = date(2026, 6, 22)
FIGURES = PublishedFigures(
    until=date(2026, 11, 20),
    months=[
        PublishedMonth(
            month="1405-07",
            cases=310,
            outcomes=[OutcomeCount(outcome=Outcome.UPHELD, count=120)],
            ratings=140,
            average_rating=3.8,
            scores=[ScoreCount(score=4, count=55)],
        )
    ],
    durations=[
        PublishedDuration(
            since=SUMMER,
            until=date(2026, 9, 22),
            kind=Kind.COMPLAINT,
            decided=640,
            half_within_days=14,
            most_within_days=30,
        ),
        PublishedDuration(
            since=date(2026, 3, 21),
            until=date(2026, 6, 21),
            kind=Kind.CRITICISM,
            decided=400,
            half_within_days=7,
            most_within_days=21,
        ),
    ],
)


def promises(today: date) -> Promises:
    owed: dict[str, Any] = {"first_reading_days": 2, "decision_days": 15, "citizen_days": 10, "objection_days": 10}
    items = [Promise(kind=kind, decision_on=today + timedelta(days=21), **owed) for kind in Kind]
    tomorrow = today + timedelta(days=1)
    return Promises(as_of=today, works_today=True, next_workday=tomorrow, items=items, rating_days=30)


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path, **UNLIMITED)
    made.container.catalogue_cache.put(CATALOGUE)
    made.rabbit.answers["tracking.list_promises"] = lambda _: promises(jalali.today(now()))
    made.rabbit.answers["insight.get_published_figures"] = lambda _: FIGURES
    return made


def test_one_answer_has_what_a_form_needs(gateway: Gateway) -> None:
    answer = gateway.send("GET", "/v1/office")
    office = answer.json()
    assert office["name"]["fa"]
    assert office["today"]["day"] == jalali.today(now()).isoformat()
    complaint = next(kind for kind in office["kinds"] if kind["kind"] == "complaint")
    assert (complaint["decision_days"], complaint["half_within_days"], complaint["most_within_days"]) == (15, 14, 30)
    assert complaint["decision_on_text"]["fa"] == jalali.long(jalali.today(now()) + timedelta(days=21))
    assert office["figures"]["name"] == {"fa": "تابستان ۱۴۰۵", "en": "Summer 1405"}
    # Of an older season nothing is told beside the newest one's.
    assert next(kind for kind in office["kinds"] if kind["kind"] == "criticism")["half_within_days"] is None
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert len(answer.content) > SMALLEST
    assert answer.headers["content-encoding"] == "br"
    again = gateway.send("GET", "/v1/office", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert [name for name, _ in gateway.rabbit.calls].count("tracking.list_promises") == 1


def test_it_is_answered_without_any_service(tmp_path: Path) -> None:
    office = Gateway(tmp_path).send("GET", "/v1/office").json()
    assert office["rules"]["text"] == {"min_length": 10, "min_seen": 5, "max_length": 10_000}
    assert {kind["decision_days"] for kind in office["kinds"]} == {None}
    assert office["figures"] is None


def test_the_rules_are_those_that_submissions_are_checked_by(gateway: Gateway) -> None:
    rules = gateway.send("GET", "/v1/office").json()["rules"]
    longest = "آ" * rules["text"]["max_length"]
    assert gateway.file(REPORT | {"text": longest}).status_code == 201
    assert gateway.file(REPORT | {"text": "آ" * rules["text"]["min_length"]}).status_code == 201
    too_much: dict[str, Any] = {
        "text": longest + "آ",
        "reference": "1" * (rules["lengths"]["reference"] + 1),
        "people": ["رضا"] * (rules["people"]["max_people"] + 1),
        "place": {"address": "خ" * (rules["lengths"]["address"] + 1)},
    }
    wrong = reasons(gateway.file(REPORT | too_much))
    assert wrong.keys() == {"text", "reference", "people", "place.address"}


def test_the_pages_take_the_same_text(gateway: Gateway) -> None:
    from gateway.pages.gateway_adapter import TEXT_LIMIT

    assert gateway.send("GET", "/v1/office").json()["rules"]["text"]["max_length"] == TEXT_LIMIT


def test_the_types_of_files_are_those_that_media_knows() -> None:
    assert set(SENT_TYPES) == {permitted.content_type for permitted in PERMITTED}


def test_published_figures_are_named_in_both_languages(gateway: Gateway) -> None:
    answer = gateway.send("GET", "/v1/figures/published")
    [month] = answer.json()["months"]
    assert month["month_name"] == {"fa": "مهر ۱۴۰۵", "en": "Mehr 1405"}
    assert month["outcomes"][0]["outcome_name"]["fa"]
    assert answer.json()["durations"][0]["season_name"]["en"] == "Summer 1405"
    assert answer.headers["cache-control"].startswith("public")
    gateway.rabbit.answers["insight.get_published_figures"] = refusing(Unavailable(retry_after=5))
    assert gateway.send("GET", "/v1/figures/published").status_code == 200


def test_the_emblem_is_a_drawing_that_runs_nothing(gateway: Gateway) -> None:
    emblem = gateway.send("GET", "/v1/office").json()["emblem"]
    answer = gateway.send("GET", emblem)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert "<svg" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script" not in answer.headers["content-security-policy"]
