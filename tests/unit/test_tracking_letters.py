"""What the letter of a case tells, from the decision or refusal that the rules make."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.errors import NoLetter
from contracts.tracking import Decide, RaiseObjection, Recommendation, Refuse
from contracts.vocabulary import Outcome, RefusalReason, RootCause, Stage
from services.tracking.case.lifecycle import Case
from services.tracking.letters.rules import letter_of
from services.tracking.rules import COMMANDS
from tests.support.cases import INSPECTOR, OTHER, SCREENER, act, case, context, decide

REFUSED_AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def decided(**more: Any) -> Case:
    advice = [Recommendation(text="فقط برای واحد", due_on=date(2026, 12, day)) for day in (20, 20, 1)]
    command = Decide(outcome=Outcome.UPHELD, reasons="دلیل", root_causes=[RootCause.PROCESS], recommendations=advice)
    return act(case(Stage.INVESTIGATING, handler=INSPECTOR, **more), command, INSPECTOR).case


@pytest.mark.parametrize(
    "stage", [Stage.REGISTERED, Stage.SCREENING, Stage.INVESTIGATING, Stage.MERGED, Stage.WITHDRAWN]
)
def test_a_case_that_is_neither_decided_nor_refused_has_no_letter(stage: Stage) -> None:
    with pytest.raises(NoLetter):
        letter_of(case(stage), None)


def test_the_letter_of_a_decision_tells_its_outcome_and_of_recommendations_the_days_alone() -> None:
    one = decided()
    letter = letter_of(one, None)
    assert (letter.number, letter.case_number) == (f"{one.number}-1", one.number)
    assert (letter.outcome, letter.reasons, letter.final) == (Outcome.UPHELD, "دلیل", False)
    assert letter.objection_until == one.objection_until is not None
    assert letter.recommended_until == [date(2026, 12, 1), date(2026, 12, 20)]
    told = letter.model_dump_json()
    for secret in ("فقط برای واحد", one.code_hash, str(one.citizen_id), str(one.case_id)):
        assert secret not in told


def test_the_letter_stands_while_its_objection_is_heard_and_gives_way_to_the_final_one() -> None:
    one = decided()
    review = COMMANDS.act_as_citizen(one, RaiseObjection(text="نه"), context()).case
    assert letter_of(review, None) == letter_of(one, None)
    final = letter_of(act(replace(review, handler=OTHER), decide(), OTHER).case, None)
    assert (final.number, final.final, final.objection_until) == (f"{one.number}-2", True, None)


def test_the_letter_of_a_refusal_tells_reason_and_address() -> None:
    command = Refuse(reason=RefusalReason.OUTSIDE_REMIT, explanation="چرا", address="کجا")
    letter = letter_of(act(case(Stage.SCREENING), command, SCREENER).case, REFUSED_AT)
    assert (letter.outcome, letter.reasons, letter.objection_until) == (None, None, None)
    assert (letter.refusal_reason, letter.refusal_explanation, letter.refusal_address) == (
        "outside_remit",
        "چرا",
        "کجا",
    )
    assert letter.issued_at == REFUSED_AT
