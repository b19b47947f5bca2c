"""What the letter of a case tells, from the decision or refusal that the rules make."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.errors import NoLetter
from contracts.tracking import CitedArticle, Decide, RaiseObjection, Recommendation, Refuse
from contracts.vocabulary import Outcome, RefusalReason, RootCause, Stage
from services.tracking.case.lifecycle import Case, ListedArticle
from services.tracking.letters.rules import letter_of
from services.tracking.rules import COMMANDS
from tests.support.cases import INSPECTOR, OTHER, SCREENER, act, case, context, decide

REFUSED_AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def decided(**more: Any) -> Case:
    recommendations = [Recommendation(text="فقط برای واحد", due_on=date(2026, 12, day)) for day in (20, 20, 1)]
    command = Decide(
        outcome=Outcome.UPHELD, reasons="دلیل", root_causes=[RootCause.PROCESS], recommendations=recommendations
    )
    return act(case(Stage.INVESTIGATING, handler=INSPECTOR, **more), command, INSPECTOR).case


@pytest.mark.parametrize(
    "stage", [Stage.REGISTERED, Stage.SCREENING, Stage.INVESTIGATING, Stage.MERGED, Stage.WITHDRAWN]
)
def test_a_case_that_is_neither_decided_nor_refused_has_no_letter(stage: Stage) -> None:
    with pytest.raises(NoLetter):
        letter_of(case(stage), None)


def test_the_letter_of_a_decision_has_its_outcome_and_only_the_days_of_recommendations() -> None:
    decided_case = decided()
    letter = letter_of(decided_case, None)
    assert (letter.number, letter.case_number) == (f"{decided_case.number}-1", decided_case.number)
    assert (letter.outcome, letter.reasons, letter.final) == (Outcome.UPHELD, "دلیل", False)
    assert letter.objection_until == decided_case.objection_until is not None
    assert letter.recommended_until == [date(2026, 12, 1), date(2026, 12, 20)]
    letter_json = letter.model_dump_json()
    for secret in ("فقط برای واحد", decided_case.code_hash, str(decided_case.citizen_id), str(decided_case.case_id)):
        assert secret not in letter_json


def test_the_letter_names_the_articles_as_they_were_called_on_the_day_of_the_decision() -> None:
    article = ListedArticle("قانون شهرداری", "Municipality Act", "۱۰۰", date(1955, 7, 3))
    command = Decide(outcome=Outcome.NOT_UPHELD, reasons="دلیل", articles=["act_100"])
    change = act(case(Stage.INVESTIGATING, handler=INSPECTOR), command, INSPECTOR, articles={"act_100": article})
    [cited] = letter_of(change.case, None).articles
    assert cited == CitedArticle(code="act_100", title_fa="قانون شهرداری", title_en="Municipality Act", number="۱۰۰")
    final = letter_of(act(replace(change.case, stage=Stage.REVIEW, handler=OTHER), decide(), OTHER).case, None)
    assert final.articles == []


def test_the_letter_is_valid_during_the_review_and_replaced_by_the_final_one() -> None:
    decided_case = decided()
    review = COMMANDS.act_as_citizen(decided_case, RaiseObjection(text="نه"), context()).case
    assert letter_of(review, None) == letter_of(decided_case, None)
    final = letter_of(act(replace(review, handler=OTHER), decide(), OTHER).case, None)
    assert (final.number, final.final, final.objection_until) == (f"{decided_case.number}-2", True, None)


def test_the_letter_of_a_refusal_has_reason_and_address() -> None:
    command = Refuse(reason=RefusalReason.OUTSIDE_REMIT, explanation="چرا", address="کجا")
    letter = letter_of(act(case(Stage.SCREENING), command, SCREENER).case, REFUSED_AT)
    assert (letter.outcome, letter.reasons, letter.objection_until) == (None, None, None)
    assert (letter.refusal_reason, letter.refusal_explanation, letter.refusal_address) == (
        "outside_remit",
        "چرا",
        "کجا",
    )
    assert letter.issued_at == REFUSED_AT
