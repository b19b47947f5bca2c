"""A case, its people and what commands are judged by, for tests of tracking's rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.gateway import Actor
from contracts.tracking import (
    Decide,
)
from contracts.vocabulary import ActorKind, Channel, Kind, Outcome, RefusalReason, Role, Stage
from services.tracking.case import rules
from services.tracking.case.context import citizens_view
from services.tracking.case.lifecycle import Case, Change, Context, Question, StaffFacts, UnitFacts
from services.tracking.colleagues.rules import ColleagueFacts
from services.tracking.decisions.rules import RecommendationFacts
from services.tracking.evidence.rules import EvidenceFacts
from services.tracking.inquiry.rules import (
    NoteFacts,
    UnitQuestionFacts,
)
from services.tracking.reference.workdays import Deadlines, Workdays
from services.tracking.rules import COMMANDS
from services.tracking.screening.rules import AssignmentFacts, CorrectionFacts

WEEK = Workdays(frozenset({3, 4}))
NOON = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)  # a Saturday, noon in Tehran
INSPECTOR, OTHER, HEAD, SCREENER, OTHER_HEAD = (UUID(int=number) for number in range(1, 6))
PEOPLE = {
    INSPECTOR: Role.INSPECTOR,
    OTHER: Role.INSPECTOR,
    SCREENER: Role.SCREENER,
    HEAD: Role.HEAD,
    OTHER_HEAD: Role.HEAD,
}
UNIT = UnitFacts("dep", "معاونت", "Deputyship", active=True, root=False)


def person(staff_id: UUID) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(staff_id), roles=frozenset({PEOPLE[staff_id]}), unit="insp")


def case(stage: Stage = Stage.REGISTERED, **changes: Any) -> Case:
    opened = rules.opened(
        Case(
            case_id=uuid4(),
            number="1405-000001",
            code_hash="0" * 64,
            kind=Kind.COMPLAINT,
            unit="dep",
            unit_name_fa="معاونت",
            unit_name_en="Deputyship",
            ground="delay",
            stage=Stage.REGISTERED,
            channel=Channel.WEB,
            anonymous=False,
            filed_at=NOON,
            version=1,
        ),
        WEEK,
        Deadlines(),
    )
    return replace(opened, stage=stage, **changes)


def context(who: UUID = HEAD, at: datetime = NOON, **facts: Any) -> Context:
    values: dict[str, Any] = {"unit": UNIT, "ground_kinds": frozenset({"complaint"}), **facts}
    loaded = (
        CorrectionFacts(values.pop("unit"), values.pop("ground_kinds")),
        AssignmentFacts(values.pop("staff", None)),
        UnitQuestionFacts(facts.get("unit", UNIT), values.get("media", frozenset()), values.pop("liaison", True)),
        EvidenceFacts(values.pop("media", frozenset())),
        NoteFacts(values.pop("may_see", frozenset())),
        RecommendationFacts(values.pop("recommended", None)),
        ColleagueFacts(values.pop("colleague", None)),
    )
    return Context(person(who), at, WEEK, Deadlines(), uuid4(), facts=loaded, **values)


def inspector(staff_id: UUID = INSPECTOR, **changes: bool) -> StaffFacts:
    return StaffFacts(staff_id, **{"active": True, "inspector": True, "conflicted": False} | changes)


def question(unit: str | None = None, due: date = date(2026, 12, 1)) -> Question:
    return Question(uuid4(), unit, "چرا؟", NOON, due)


def decide(outcome: Outcome = Outcome.NOT_UPHELD) -> Decide:
    return Decide(outcome=outcome, reasons="دلیل", root_causes=[])


def act(of_case: Case, command: Any, who: UUID = HEAD, **facts: Any) -> Change:
    return COMMANDS.act(of_case, command, context(who, **facts))


def offered(of_case: Case, day: date) -> list[str]:
    """What the citizen's view of the case says in `can` on this day."""
    noon = datetime(day.year, day.month, day.day, 8, 30, tzinfo=UTC)
    shown = COMMANDS.shown_to_citizen(of_case, citizens_view(noon))
    return [command.type for command in shown if command.possible and COMMANDS.in_summary(command.type)]


def later(days: int) -> datetime:
    return NOON + timedelta(days=days)


def end_of_the_other(entry: str, reason: str = RefusalReason.NO_REASONS) -> dict[str, Any]:
    """What the timeline of the case that a merged one goes on in says."""
    details = {
        "refused": {"reason": reason, "reason_fa": "نام", "reason_en": "Name", "text": "به دیگری", "address": "نشانی"},
        "decided": {"outcome": "upheld", "final": False, "text": "به دیگری"},
        "withdrawn": {"text": "به دیگری"},
    }
    return {"entry": entry, "number": "1405-000002", "details": details[entry]}
