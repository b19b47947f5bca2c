"""What a case is, and the drawing of its life as data (DOMAIN: The life of a case).

`TRANSITIONS` says where each command may be given and where it leads; `PERMISSIONS` who may give it. domain.py moves along it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.gateway import Actor
from contracts.tracking import TrackedEvent
from contracts.vocabulary import (
    OPEN_STAGES,
    REFUSAL_NAMES,
    ROOT_CAUSE_NAMES,
    Channel,
    Kind,
    Language,
    Outcome,
    RefusalReason,
    Role,
    Stage,
)
from services.tracking.reference.workdays import Deadlines, Workdays, day_of

S = Stage
ASKED = (S.AWAITING_CITIZEN, S.AWAITING_UNIT)
AT_WORK = (S.INVESTIGATING, *ASKED)

TRANSITIONS: Mapping[str, Mapping[Stage, Stage]] = {
    "start_screening": {S.REGISTERED: S.SCREENING},
    "correct": {S.SCREENING: S.SCREENING},
    "refuse": {S.SCREENING: S.REFUSED},
    "merge": {S.SCREENING: S.MERGED},
    "assign": {S.SCREENING: S.INVESTIGATING} | {stage: stage for stage in (*AT_WORK, S.REVIEW)},
    "ask_citizen": {S.INVESTIGATING: S.AWAITING_CITIZEN},
    "ask_unit": {S.INVESTIGATING: S.AWAITING_UNIT},
    "add_note": {stage: stage for stage in (S.SCREENING, *AT_WORK, S.REVIEW, S.DECIDED)},
    "add_evidence": {stage: stage for stage in (*AT_WORK, S.REVIEW)},
    "decide": {S.INVESTIGATING: S.DECIDED, S.REVIEW: S.DECIDED},
    "propose": {S.INVESTIGATING: S.INVESTIGATING, S.REVIEW: S.REVIEW},
    "approve": {S.INVESTIGATING: S.DECIDED, S.REVIEW: S.DECIDED},
    "return_proposal": {S.INVESTIGATING: S.INVESTIGATING, S.REVIEW: S.REVIEW},
    "settle_recommendation": {stage: stage for stage in (S.DECIDED, S.REVIEW, S.CLOSED)},
    "remind": {stage: stage for stage in (*AT_WORK, S.REVIEW, S.DECIDED)},
    "add_check": {stage: stage for stage in (*AT_WORK, S.REVIEW)},
    "tick_check": {stage: stage for stage in (*AT_WORK, S.REVIEW)},
    "link_case": {stage: stage for stage in (*AT_WORK, S.REVIEW, S.DECIDED)},
    "close": {S.DECIDED: S.CLOSED, S.REFUSED: S.CLOSED},
    "answer_question": {S.AWAITING_CITIZEN: S.INVESTIGATING},
    "answer_unit_question": {S.AWAITING_UNIT: S.INVESTIGATING},
    "send_evidence": {stage: stage for stage in OPEN_STAGES},
    "withdraw": dict.fromkeys(OPEN_STAGES, S.WITHDRAWN),
    "object": {S.DECIDED: S.REVIEW},
    "rate": {S.DECIDED: S.DECIDED},
    # Not a command: a question whose time has passed gives way to the next step of the inquiry.
    "lapse": dict.fromkeys(ASKED, S.INVESTIGATING),
    # Nor this: the case that a merged one went on in ended and decided nothing.
    "part": {S.MERGED: S.SCREENING},
}
"""Command → stage it may be given in → stage it leads to."""

EVIDENCE_MOST = 50
"""How many files of its citizen one case takes."""

GIVES_WAY = frozenset({"ask_citizen", "ask_unit", "decide", "propose"})
"""Commands of the inquiry that need not wait longer for an answer than its time."""

STANDS_STILL = frozenset({"ask_citizen", "ask_unit", "decide"})
"""Commands that a proposed decision keeps waiting, until the head has spoken or another is proposed."""

_SCREENING = frozenset({"start_screening", "correct", "refuse", "merge", "assign"})
_INQUIRY = frozenset({"ask_citizen", "ask_unit", "add_note", "add_evidence", "decide"}) | {
    *("propose", "settle_recommendation"),
    *("remind", "add_check", "tick_check", "link_case"),
}
PERMISSIONS: Mapping[Role, frozenset[str]] = {
    Role.SCREENER: _SCREENING,
    Role.INSPECTOR: _INQUIRY,  # on a case assigned to them
    Role.HEAD: _SCREENING | _INQUIRY | {"approve", "return_proposal", "close"},
}
REASONED = frozenset({Outcome.UPHELD, Outcome.PARTLY_UPHELD})
REASONS_OF_THE_MATTER = frozenset({RefusalReason.OUTSIDE_REMIT, RefusalReason.PENDING_ELSEWHERE})
"""Refusal reasons that lie in the matter, and so hold for all who complained of it; any other, one that the administrator
added included, may lie in what one of them did or left out."""

PUBLIC_ENTRIES = frozenset(
    {
        "opened",
        "screening_started",
        "corrected",
        "refused",
        "merged",
        "joined_decided",
        "joined_refused",
        "reopened",
        "assigned",
        "citizen_asked",
        "citizen_answered",
        "unit_asked",
        "unit_answered",
        "question_lapsed",
        "evidence_sent",
        "evidence_refused",
        "decided",
        "objected",
        "rated",
        "withdrawn",
        "closed",
        "visit_asked",
        "visit_offered",
        "visit_booked",
        "visit_moved",
        "visit_cancelled",
        "visit_held",
        "visit_missed",
    }
)
"""Entries of the timeline that the citizen sees; the others are the office's own."""

TEXTS_SHOWN = frozenset({"refused", "citizen_asked", "citizen_answered", "decided", "objected", "withdrawn"})
"""Public entries whose `text` was written to or by the citizen."""


@dataclass(frozen=True)
class Listed:
    """A refusal reason or a root cause as the administrator keeps it. `active`: offered."""

    name_fa: str
    name_en: str
    active: bool = True


def _shipped(names: Mapping[Any, Mapping[Language, str]]) -> dict[str, Listed]:
    return {str(code): Listed(told[Language.FA], told[Language.EN]) for code, told in names.items()}


SHIPPED_REASONS, SHIPPED_CAUSES = _shipped(REFUSAL_NAMES), _shipped(ROOT_CAUSE_NAMES)
"""As long as the catalogue says nothing of them."""


@dataclass(frozen=True)
class Case:
    """A case as far as its life goes. `due_on`: the day a decision is owed, if the clock never stops again;
    `paused_on`: since when it is stopped. `barred`: who decided it, and so may not hear the objection;
    `approver`, one of them, only agreed to what another proposed, and may do so again.

    The clock: a decision is owed `due_days` working days after `due_from`, not counting `pauses` (from and to, ISO days).
    `asking`: unit, on, days and due_on of the open question. `told`: what the scheduler has said already; `look_on`: the day
    it looks again. `calendar`: the version of the catalogue by which all days were reckoned.

    `names`: what its refusal reason and root causes were called that day, as `named` gives them, by code."""

    case_id: UUID
    number: str
    code_hash: str
    kind: Kind
    unit: str | None
    unit_name_fa: str | None
    unit_name_en: str | None
    ground: str
    stage: Stage
    channel: Channel
    anonymous: bool
    filed_at: datetime
    citizen_id: UUID | None = None
    urgent: bool = False
    due_on: date | None = None
    paused_on: date | None = None
    handler: UUID | None = None
    previous_handlers: tuple[UUID, ...] = ()
    barred: tuple[UUID, ...] = ()
    approver: UUID | None = None
    outcome: Outcome | None = None
    reasons: str | None = None
    decided_at: datetime | None = None
    final: bool = False
    objection_until: date | None = None
    root_causes: tuple[str, ...] = ()
    recommendations: tuple[Mapping[str, Any], ...] = ()
    refusal_reason: str | None = None
    refusal_explanation: str | None = None
    refusal_address: str | None = None
    merged_into: UUID | None = None
    score: int | None = None
    proposal: Mapping[str, Any] | None = None
    checklist: tuple[Mapping[str, Any], ...] = ()
    links: tuple[str, ...] = ()
    due_from: date | None = None
    due_days: int | None = None
    pauses: tuple[Sequence[str], ...] = ()
    asking: Mapping[str, Any] | None = None
    first_due_on: date | None = None
    refused_on: date | None = None
    told: tuple[str, ...] = ()
    look_on: date | None = None
    calendar: int = 0
    names: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    history_hash: str = "0" * 64

    @property
    def expected_on(self) -> date | None:
        """The day a decision is owed; None while the clock is stopped or when nothing is owed any more."""
        return self.due_on if self.stage in OPEN_STAGES and self.paused_on is None else None


@dataclass(frozen=True)
class Question:
    """A question that waits for its answer. `unit` None: to the citizen. `due_on`: its last day."""

    question_id: UUID
    unit: str | None
    text: str
    asked_at: datetime
    due_on: date
    media: tuple[str, ...] = ()


@dataclass(frozen=True)
class IssuedRecommendation:
    """A recommendation to a unit. `state`: open, reported_done, reported_declined (the unit's word), done, declined (the
    office agreed), or superseded by the final decision. `escalated`: that it is overdue has been said."""

    recommendation_id: UUID
    unit: str | None
    text: str
    due_on: date
    state: str = "open"
    reason: str | None = None
    escalated: bool = False


@dataclass(frozen=True)
class Reminder:
    """Who is to be reminded of what, on which day."""

    reminder_id: UUID
    staff_id: UUID
    on: date
    text: str


@dataclass(frozen=True)
class UnitFacts:
    code: str
    name_fa: str
    name_en: str
    active: bool
    root: bool


@dataclass(frozen=True)
class StaffFacts:
    """A member of staff to be made handler. `conflicted`: belongs to the unit complained about or below it."""

    staff_id: UUID
    active: bool
    inspector: bool
    conflicted: bool


@dataclass(frozen=True)
class Context:
    """What a command is judged by. Facts about what it names are None when there is no such thing, or not for this
    actor. `media`: all of the case; `sent`: those of its citizen."""

    actor: Actor
    now: datetime
    workdays: Workdays
    deadlines: Deadlines
    new_id: UUID
    question: Question | None = None
    staff: StaffFacts | None = None
    unit: UnitFacts | None = None
    ground_kinds: frozenset[str] | None = None
    target: Case | None = None
    media: frozenset[str] = frozenset()
    sent: frozenset[str] = frozenset()
    four_eyes: frozenset[str] = frozenset()
    recommended: IssuedRecommendation | None = None
    may_see: frozenset[UUID] = frozenset()
    calendar: int = 0
    mayor_unit: str | None = None
    refusal_reasons: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_REASONS)
    root_causes: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_CAUSES)

    @property
    def today(self) -> date:
        return day_of(self.now)


@dataclass(frozen=True)
class TimelineEntry:
    """One line of the timeline and the event that tells it: `event(state=…, **fields)`."""

    entry: str
    case: Case
    event: type[TrackedEvent]
    details: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    previous_stage: Stage | None = None


@dataclass(frozen=True)
class Change:
    """What a command did. `lapsed`: the open question is over without an answer; `answered`: with this one.
    `recommended`: recommendations as they are now; with a decision, all that it makes."""

    case: Case
    entries: Sequence[TimelineEntry]
    asked: Question | None = None
    answered: str | None = None
    lapsed: bool = False
    uploads: tuple[str, ...] = ()
    recommended: tuple[IssuedRecommendation, ...] = ()
    reminder: Reminder | None = None
