"""What people type, as the API takes it: days in every writing, names and texts that can be seen."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from backbone.persian import jalali, normalisation
from contracts.base import now
from gateway.api import fields
from gateway.api.decisions.bodies import RecommendationBody
from gateway.api.inquiry.bodies import ReminderBody
from gateway.api.searches import bodies as searches
from gateway.api.staff import bodies as staff
from gateway.api.visits import bodies as visits
from tests.support.gateway import Gateway, reasons

UNSEEN = [
    "   ",
    "\u200c\u200c\u200c",
    "\u200b\u2060\ufeff",
    "\u2800" * 12,
    "\u3164\u115f\u1160\uffa0",
    "\u00ad" * 5,
    "\u200e\u200f\u061c",
    "\ufe0f\ufe0e",
    "\u0301\u064b\u064e\u0651",
    "\u00a0\u2003\u3000",
    "\u034f\u180e\u17b5",
]
TEXT = "پرونده من سه ماه است که بی‌پاسخ مانده."
CRITICISM: dict[str, Any] = {
    "kind": "criticism",
    "unit": "parks",
    "ground": "delay",
    "text": TEXT,
    "consent": True,
    "anonymous": True,
}


@pytest.fixture(scope="module")
def gateway(unlimited_gateway: Gateway) -> Gateway:
    return unlimited_gateway


# --- days ---


@pytest.mark.parametrize("typed", ["2026-11-20", "۲۹ آبان ۱۴۰۵", "۲۹ / ۸ / ۱۴۰۵", "1405/08/29", "20 November 2026"])
def test_a_typed_day_is_accepted_and_stored_as_a_date(gateway: Gateway, typed: str) -> None:
    assert gateway.file(CRITICISM | {"happened_on": typed}).status_code == 201
    assert gateway.last().happened_on == "2026-11-20"
    of_a_ground = CRITICISM | {"ground": "conduct", "answers": {"day": typed}}
    assert gateway.file(of_a_ground).status_code == 201
    assert gateway.last().answers == {"day": "2026-11-20"}


def test_today_in_tehran_is_the_last_day_and_1380_the_first(gateway: Gateway) -> None:
    today = jalali.today(now())
    for day, status in ((today, 201), (today + timedelta(days=1), 422)):
        assert gateway.file(CRITICISM | {"happened_on": day.isoformat()}).status_code == status
    for typed, status in (("1380/01/01", 201), ("1379/12/29", 422)):
        assert gateway.file(CRITICISM | {"happened_on": typed}).status_code == status


@pytest.mark.parametrize(("language", "bounds"), [("fa", "از ۱ فروردین ۱۳۸۰ تا "), ("en", "from 21 March 2001 to ")])
def test_a_day_out_of_bounds_is_refused_with_its_bounds(gateway: Gateway, language: str, bounds: str) -> None:
    answer = gateway.file(CRITICISM | {"happened_on": "0001-01-01"}, **{"accept-language": language})
    assert (answer.status_code, reasons(answer)) == (422, {"happened_on": "too_long_ago"})
    assert bounds in answer.json()["errors"][0]["message"]


def test_an_ambiguous_day_is_refused_with_its_possible_meanings(gateway: Gateway) -> None:
    answer = gateway.file(CRITICISM | {"happened_on": "3/4/2026"}, **{"accept-language": "en"})
    assert reasons(answer) == {"happened_on": "ambiguous_date"}
    assert "4 March 2026 or 3 April 2026" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("given_day", ["0001-01-01", "9999-12-31", "1379-12-29"])
def test_implausible_days_given_by_staff_are_refused(given_day: str) -> None:
    for body in (
        {"text": "زمان هر مرحله اعلام شود.", "due_on": given_day},
        {"text": "زمان هر مرحله اعلام شود.", "on": given_day},
    ):
        model: type[BaseModel] = RecommendationBody if "due_on" in body else ReminderBody
        with pytest.raises(ValidationError) as refused:
            model.model_validate(body)
        assert [error["type"] for error in refused.value.errors()] == ["date_out_of_range"]


# --- what cannot be seen ---

TYPES = {
    "long text": fields.LongText,
    "claim": fields.ClaimText,
    "short text": fields.ShortText,
    "reason": fields.ReasonText,
    "name": fields.PersonName,
    "name of a search": searches.Name,
    "name of a room": visits.Name,
    "name of staff": staff.AccountName,
}


@pytest.mark.parametrize(
    "typed", UNSEEN, ids=lambda typed: " ".join(f"{ord(character):04x}" for character in typed[:3])
)
@pytest.mark.parametrize("name", TYPES)
def test_invisible_text_counts_as_missing(name: str, typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(TYPES[name]).validate_python(typed)
    assert [error["type"] for error in refused.value.errors()] == ["missing"]


@pytest.mark.parametrize(
    "typed", UNSEEN, ids=lambda typed: " ".join(f"{ord(character):04x}" for character in typed[:3])
)
def test_an_invisible_name_text_or_answer_is_refused(gateway: Gateway, typed: str) -> None:
    before = len(gateway.rabbit.published)
    wrong: list[dict[str, Any]] = [
        {"text": typed},
        {"people": [typed]},
        {"reference": typed},
        {"place": {"address": typed}},
        {"anonymous": False, "identity": {"name": typed}},
        {"ground": "conduct", "answers": {"day": typed}},
    ]
    for change in wrong:
        answer = gateway.file(CRITICISM | change)
        assert (answer.status_code, set(reasons(answer).values())) == (422, {"missing"}), change
    assert len(gateway.rabbit.published) == before


@pytest.mark.parametrize("typed", ["علی رضایی", "می‌نا", "مُهر", "Zoë Q", "李 明", "O'Brien", "محمّد"])
def test_a_name_in_any_script_is_stored_as_typed(typed: str) -> None:
    assert TypeAdapter(fields.PersonName).validate_python(typed) == typed


# Of invisible characters beyond U+FFFF the document's pattern knows nothing: not every engine's patterns take them.
@given(st.text(alphabet=st.characters(max_codepoint=0xFFFF, codec="utf-8"), max_size=60))
def test_the_pattern_in_the_document_matches_what_is_accepted(typed: str) -> None:
    for kind in (fields.LongText, fields.PersonName, fields.ClaimText):
        schema = TypeAdapter(kind).json_schema()
        # In JSON Schema, as in ECMA 262, "$" is the end alone; in Python it is before a last line break, too.
        pattern = re.sub(r"(?<!\\)\$", r"\\Z", schema["pattern"])
        fits = schema["minLength"] <= len(typed) <= schema["maxLength"] and bool(re.search(pattern, typed))
        try:
            TypeAdapter(kind).validate_python(typed)
        except ValidationError:
            assert not fits, typed
        else:
            assert fits, typed


@given(
    st.text(
        alphabet=st.sampled_from(" \t\n\u00a0\u200c\u200f\u2800\u3164\u00ad\u064e\u0301\ufe0f\u2066\U000e0041"),
        max_size=40,
    )
)
def test_a_text_of_invisible_characters_is_blank_unless_it_has_a_letter(typed: str) -> None:
    assert normalisation.is_blank(typed)
    assert not normalisation.is_blank(typed + "ا" + typed)


def test_a_moment_at_midnight_ends_a_span_and_is_not_its_last_day() -> None:
    midnight = searches.CountQuery.model_validate({"filed_until": "2026-11-23T00:00:00+03:30"}).request_fields()
    assert midnight["filed_before"] == datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
    assert searches.CountQuery.model_validate({"filed_until": "1405/09/02"}).request_fields()["filed_until"] == date(
        2026, 11, 23
    )
    assert searches.CountQuery.model_validate({"filed_until": "-P1W"}).request_fields()["filed_until"] == "-P1W"


@pytest.mark.parametrize("duration", ["P", "P2", "2D", "P2M", "P2DT1H", "-P", "P-2D", "PT2H", "P12345D", "p2d", "P۲D"])
def test_no_other_duration_is_a_relative_day(duration: str) -> None:
    with pytest.raises(ValidationError):
        searches.CountQuery.model_validate({"due_until": duration})


def test_days_of_visit_slots_begin_and_end_in_tehran() -> None:
    span = visits.SlotFilters.model_validate({"since": "1405/09/02", "until": "2026-11-23"}).request_fields()
    assert (span["since"], span["until"]) == (
        datetime(2026, 11, 22, 20, 30, tzinfo=UTC),
        datetime(2026, 11, 23, 20, 30, tzinfo=UTC),
    )
    moments = visits.SlotFilters.model_validate({"until": "2026-11-23T00:00:00Z"}).request_fields()
    assert (moments["since"], moments["until"]) == (None, datetime(2026, 11, 23, tzinfo=UTC))
