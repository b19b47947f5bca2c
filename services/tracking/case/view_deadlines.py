"""When a decision of a case is owed, and why, as staff read it (services/tracking/case/deadlines.py)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import ceil
from typing import Any

from backbone.persian.date_text import digits
from contracts.tracking import AskedQuestion, CaseDeadline
from contracts.vocabulary import OPEN_STAGES, Language
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Question
from services.tracking.reference.catalogue import CityCatalogue
from texts.loading import area
from texts.vocabulary import KIND_NAMES

_TEXTS = area("staff_case")


def deadline_of(
    case: Case, city: CityCatalogue, today: date, language: Language, ground_name: str
) -> CaseDeadline | None:
    """None when nothing is owed any more, and of a case of a time before its clock was kept."""
    if case.stage not in OPEN_STAGES or case.due_on is None or case.due_from is None or case.due_days is None:
        return None
    work, mark = city.workdays, ceil(case.due_days * deadlines.WARNED_AT)
    warn_on = work.after(case.due_from, mark + deadlines.paused_workdays(work, case.pauses))
    now = case.paused_on or today
    left = work.between(now, case.due_on) - work.between(case.due_on, now)
    rule = city.deadlines.rule("decision", case.kind, case.ground, case.urgent)
    values = {"days": case.due_days, "kind": KIND_NAMES[case.kind][language], "ground": ground_name}
    name = "earlier"
    if rule.days == case.due_days:
        name = "urgent" if rule.urgent else "ground" if rule.ground else "days"
    return CaseDeadline(
        started_on=case.due_from,
        days=case.due_days,
        due_on=case.due_on,
        days_left=left,
        warn_on=warn_on,
        past_mark=now >= warn_on,
        overdue=now > case.due_on,
        paused_on=case.paused_on,
        paused_why=_TEXTS.text(language, "paused.citizen") if case.paused_on else None,
        first_reading_on=case.first_due_on if case.stage.value == "registered" else None,
        rule=name,
        rule_text=digits(_TEXTS.text(language, f"deadline.{name}", **values), language),
    )


def asked(case: Case, question: Question | None, city: CityCatalogue, language: Language) -> AskedQuestion | None:
    """Of whom an answer is waited for."""
    if question is None or not case.has_question:
        return None
    unit = city.unit(question.unit)
    named: Mapping[str, Any] = {"name_fa": unit.name_fa, "name_en": unit.name_en} if unit is not None else {}
    name = named.get("name_fa" if language is Language.FA else "name_en")
    return AskedQuestion(
        question_id=question.question_id,
        to="citizen" if question.unit is None else "unit",
        to_name=_TEXTS.text(language, "asked.citizen") if question.unit is None else name,
        unit=question.unit,
        asked_at=question.asked_at,
        due_on=question.due_on,
    )
