"""What staff read of a case beside its values: words and days in their language, what is owed by which rule, names."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from backbone.persian.date_text import day_text, moment_text
from contracts.gateway import Actor
from contracts.tracking import AddNote, AskCitizen, AskUnit, GetCase, Propose, Remind, StaffCase
from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL
from services.tracking.reference.workdays import ONE_DAY, day_of
from tests.support.tracking import UNIT
from tests.support.tracking_in_process import TrackingInProcess
from texts.loading import area


@pytest.fixture(scope="module")
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, "view_texts")


def read(office: TrackingInProcess, reader: Actor, case_id: object, language: Language) -> StaffCase:
    actor = reader.model_copy(update={"language": language})
    case: StaffCase = office.ask("get_case", GetCase(actor=actor, case_id=case_id))
    return case


def without_text(view: BaseModel, path: str = "") -> list[str]:
    """Moments and days of a view that have no text beside them."""
    missing: list[str] = []
    for name, value in view:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                missing += without_text(one, f"{path}{name}.")
        base = name.removesuffix("_at").removesuffix("_on")
        is_moment = value is not None and (name.endswith(("_at", "_on")) or name in ("at", "on"))
        if is_moment and not getattr(view, f"{base}_text", None):
            missing.append(path + name)
    return missing


@pytest.mark.parametrize("language", list(Language))
def test_every_day_word_and_name_is_there_in_the_readers_language(
    office: TrackingInProcess, language: Language
) -> None:
    filed = office.investigated()
    day = day_of(filed.filed_at) + ONE_DAY * 3
    for command in (AddNote(text="x"), Remind(on=day, text="y"), Propose(outcome="not_upheld", reasons="z")):
        office.do(office.inspector, filed.case_id, command)
    case = read(office, office.head, filed.case_id, language)
    assert case.stage_text == ("در دست بازرس" if language is Language.FA else "Being investigated")
    assert (case.kind_text, case.filed_text) == (
        "شکایت" if language is Language.FA else "Complaint",
        moment_text(case.filed_at, language),
    )
    assert case.proposal is not None
    assert case.proposal.outcome_text == ("غیروارد" if language is Language.FA else "Not upheld")
    assert case.timeline[-1].entry_text == area("staff_case").text(language, "entry.decision_proposed")
    assert (case.last_activity_at, case.attachment_count) == (case.timeline[-1].at, 0)
    assert case.ground_name
    assert case.unit_name == (case.unit_name_fa if language is Language.FA else case.unit_name_en)
    assert without_text(case) == []
    assert case.deadline is not None
    assert case.deadline.due_text == day_text(case.deadline.due_on, language)


def test_a_deadline_says_how_long_by_which_rule_and_why_it_stands(office: TrackingInProcess) -> None:
    filed = office.investigated()
    case = read(office, office.inspector, filed.case_id, Language.EN)
    deadline = case.deadline
    assert deadline is not None
    assert (deadline.started_on, deadline.days, deadline.rule) == (day_of(filed.filed_at), 15, "days")
    assert deadline.rule_text == "15 working days for: Complaint"
    assert (deadline.due_on, deadline.paused_on, deadline.overdue) == (case.expected_on, None, False)
    assert 0 < deadline.days_left <= 15
    assert deadline.started_on < deadline.warn_on < deadline.due_on
    assert not deadline.past_mark
    office.do(office.inspector, filed.case_id, AskCitizen(text="?"))
    waiting = read(office, office.inspector, filed.case_id, Language.EN)
    assert waiting.deadline is not None
    assert waiting.deadline.paused_why == "The clock stands until the citizen answers."
    assert waiting.deadline.days_left == deadline.days_left
    assert waiting.open_question is not None
    assert (waiting.open_question.to, waiting.open_question.to_name) == ("citizen", "The citizen")
    assert waiting.open_question.question_id == waiting.questions[0].question_id


def test_the_unit_that_is_asked_stands_by_name(office: TrackingInProcess) -> None:
    filed = office.investigated()
    after = office.do(office.inspector, filed.case_id, AskUnit(text="?"))
    for case in (after, read(office, office.head, filed.case_id, Language.FA)):
        assert case.open_question is not None
        assert (case.open_question.to, case.open_question.to_name) == ("unit", f"واحد {UNIT}")
        assert case.questions[0].unit_name == f"واحد {UNIT}"
        assert case.questions[0].due_text == case.open_question.due_text
    assert after.handler_name == after.timeline[-1].actor_name
