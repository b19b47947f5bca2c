"""What a case is, what a command is judged by, and what a command changes (DOMAIN: The life of a case). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from contracts.errors import ClosedUnit, UnknownUnit
from contracts.gateway import Actor
from contracts.tracking import TrackedEvent
from contracts.vocabulary import OPEN_STAGES, Channel, Kind, Language, Outcome, Stage
from services.tracking.reference.workdays import Deadlines, Workdays, day_of
from texts.vocabulary import REFUSAL_NAMES, ROOT_CAUSE_NAMES

S = Stage
ASKED = (S.AWAITING_CITIZEN, S.AWAITING_UNIT)
AT_WORK = (S.INVESTIGATING, *ASKED)

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
    return {str(code): Listed(texts[Language.FA], texts[Language.EN]) for code, texts in names.items()}


SHIPPED_REASONS, SHIPPED_CAUSES = _shipped(REFUSAL_NAMES), _shipped(ROOT_CAUSE_NAMES)
"""Used while the catalogue has none."""


@dataclass(frozen=True)
class Case:
    """A case as far as its life goes. `due_on`: the day a decision is owed, if the clock never stops again;
    `paused_on`: since when it is stopped. `excluded_staff`: who decided it, and so may not review the objection;
    `approver`, one of them, only agreed to what another proposed, and may do so again.

    The clock: a decision is owed `due_days` working days after `due_from`, not counting `pauses` (from and to, ISO days).
    `pending_question`: unit, on, days and due_on of the open question. `alarms_raised`: what the scheduler has raised
    already; `next_check_on`: the day it looks again. `calendar`: the version of the catalogue by which all days were reckoned.

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
    excluded_staff: tuple[UUID, ...] = ()
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
    pending_question: Mapping[str, Any] | None = None
    first_due_on: date | None = None
    refused_on: date | None = None
    alarms_raised: tuple[str, ...] = ()
    next_check_on: date | None = None
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
class UnitFacts:
    code: str
    name_fa: str
    name_en: str
    active: bool
    root: bool


def known_unit(unit: UnitFacts | None) -> UnitFacts:
    """The unit, if it may be named. UnknownUnit for an unknown one and for the root, ClosedUnit for a closed one."""
    if unit is None or unit.root:
        raise UnknownUnit
    if not unit.active:
        raise ClosedUnit
    return unit


@dataclass(frozen=True)
class StaffFacts:
    """A member of staff to be made handler. `conflicted`: belongs to the unit complained about or below it."""

    staff_id: UUID
    active: bool
    inspector: bool
    conflicted: bool


F = TypeVar("F")


@dataclass(frozen=True)
class Context:
    """What every command is judged by. `next_stage`: where the command leads. `other_case`: the other case that it names;
    None when there is none, or none that this actor may know of. `facts`: what was loaded for this command alone, each of
    a type that its capability defines."""

    actor: Actor
    now: datetime
    workdays: Workdays
    deadlines: Deadlines
    new_id: UUID
    question: Question | None = None
    next_stage: Stage | None = None
    other_case: Case | None = None
    facts: tuple[Any, ...] = ()
    four_eyes: frozenset[str] = frozenset()
    calendar: int = 0
    mayor_unit: str | None = None
    refusal_reasons: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_REASONS)
    root_causes: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_CAUSES)

    @property
    def today(self) -> date:
        return day_of(self.now)

    def loaded(self, kind: type[F]) -> F:
        """The facts of this type; as they are by default, unknown, when none were loaded."""
        return next((facts for facts in self.facts if isinstance(facts, kind)), None) or kind()


class Effect:
    """What a change does beside the case and its timeline. A capability defines its effects, frozen, in its rules and a writer
    for each in its store."""


@dataclass(frozen=True)
class TimelineEntry:
    """One entry of the timeline and the event that carries it: `event(state=…, **fields)`. `case`: as it is after it."""

    entry: str
    case: Case
    event: type[TrackedEvent]
    details: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    previous_stage: Stage | None = None


@dataclass(frozen=True)
class StoredEntry:
    """A timeline entry as it is stored. `stage`: the case's stage after it."""

    case_id: UUID
    sequence: int
    entry: str
    actor_kind: str
    actor_id: str | None
    at: datetime
    stage: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What a command, an event or the calendar does to a case: the case after it, its new timeline entries, and effects."""

    case: Case
    entries: Sequence[TimelineEntry] = field(default_factory=list)
    effects: tuple[Effect, ...] = ()
