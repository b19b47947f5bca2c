"""What a case is, what a command is judged by, and what a command changes (DOMAIN: The life of a case). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from contracts.errors import ClosedUnit, UnknownUnit
from contracts.gateway import Actor
from contracts.tracking import TrackedEvent
from contracts.vocabulary import OPEN_STAGES, ActorKind, Channel, Kind, Language, Outcome, Role, Stage
from services.tracking.reference.workdays import Deadlines, Workdays, day_of
from texts.vocabulary import REFUSAL_NAMES, ROOT_CAUSE_NAMES

ASKED = (Stage.AWAITING_CITIZEN, Stage.AWAITING_UNIT)
AT_WORK = (Stage.INVESTIGATING, *ASKED)

CO_HANDLER, CONSULTED = "co_handler", "consulted"
"""What a colleague of a case is there as (services/tracking/colleagues/rules.py)."""

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
        "refusal_taken_back",
        "decision_taken_back",
        "closing_taken_back",
        "merge_undone",
        "returned_to_screening",
        "joined_reopened",
        "assigned",
        "citizen_asked",
        "citizen_answered",
        "unit_asked",
        "unit_answered",
        "question_lapsed",
        "citizen_reminded",
        "closed_unanswered",
        "resumed",
        "evidence_sent",
        "evidence_withdrawn",
        "message_sent",
        "message_corrected",
        "message_withdrawn",
        "filed_corrected",
        "evidence_refused",
        "decided",
        "referred",
        "objected",
        "rated",
        "rated_by_phone",
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
"""Public entries whose `text` was written to or by the citizen; that of a message is shown as it is now
(services/tracking/messages/rules.py)."""


@dataclass(frozen=True)
class Listed:
    """A refusal reason or a root cause as the administrator keeps it. `active`: offered."""

    name_fa: str
    name_en: str
    active: bool = True


@dataclass(frozen=True)
class ListedArticle:
    """An article of the library, without its text. In force on both days and between; `valid_until` None: until further
    notice."""

    title_fa: str
    title_en: str
    number: str
    valid_from: date
    valid_until: date | None = None

    def is_in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


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
    already; `next_check_on`: the day it looks again. `mark_on`: the day on which 80 % of the time is over, None while nothing
    is owed. `calendar`: the version of the catalogue by which all days were reckoned.

    `objection_until`: the last day to object to how it ended; of a case that was closed since its citizen did not answer
    (`unanswered`), the last day on which one message of theirs reopens it: till then question and clock stay as they were.
    `rate_until`: of a closed case, the last day on which its decision may be rated.
    `colleagues`: other inspectors who see it, and as what (colleagues/rules.py).

    `transfers`: how often it has gone from one unit to another. `changed_at`: when the last line of its timeline was written.

    `names`: what its refusal reason, its root causes and the articles that its decision cites were called that day, by code."""

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
    rate_until: date | None = None
    proposal: Mapping[str, Any] | None = None
    checklist: tuple[Mapping[str, Any], ...] = ()
    links: tuple[str, ...] = ()
    colleagues: tuple[Mapping[str, Any], ...] = ()
    due_from: date | None = None
    due_days: int | None = None
    pauses: tuple[Sequence[str], ...] = ()
    pending_question: Mapping[str, Any] | None = None
    first_due_on: date | None = None
    refused_on: date | None = None
    alarms_raised: tuple[str, ...] = ()
    next_check_on: date | None = None
    mark_on: date | None = None
    calendar: int = 0
    transfers: int = 0
    names: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    history_hash: str = "0" * 64
    changed_at: datetime | None = None

    @property
    def co_handlers(self) -> tuple[UUID, ...]:
        """Inspectors who work on it beside its own."""
        return tuple(UUID(line["staff"]) for line in self.colleagues if line["as"] == CO_HANDLER)

    @property
    def consulted(self) -> tuple[UUID, ...]:
        """Inspectors who are asked for advice, and see it meanwhile."""
        return tuple(UUID(line["staff"]) for line in self.colleagues if line["as"] == CONSULTED)

    @property
    def expected_on(self) -> date | None:
        """The day a decision is owed; None while the clock is stopped or when nothing is owed any more."""
        return self.due_on if self.stage in OPEN_STAGES and self.paused_on is None else None

    @property
    def unanswered(self) -> bool:
        """Closed since the citizen did not answer."""
        return self.stage is Stage.CLOSED and self.pending_question is not None

    @property
    def has_question(self) -> bool:
        """Whether a question was asked that has neither its answer nor lapsed."""
        return self.stage in ASKED or self.unanswered


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


def require_open_unit(unit: UnitFacts | None) -> UnitFacts:
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


STOOD_IN_FOR = frozenset({Role.SCREENER, Role.INSPECTOR, Role.HEAD})
"""What a substitute is for the cases that are theirs (DOMAIN: The people)."""


def roles_on(actor: Actor, unit: str | None, about_inspection: frozenset[str]) -> frozenset[Role]:
    """What this member of staff is for a case about this unit; nothing for anybody else. `about_inspection`: the units whose
    cases go to substitutes."""
    if actor.kind is not ActorKind.STAFF:
        return frozenset()
    stands_in = Role.SUBSTITUTE in actor.roles and unit in about_inspection
    return actor.roles | STOOD_IN_FOR if stands_in else actor.roles


Unfit = Literal["left", "role", "conflict"]
"""Why somebody may not handle a case: their account is closed, it is no inspector's, or it belongs to the unit complained about
or below it."""

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class Context:
    """What every command is judged by. `next_stage`: where the command leads. `other_case`: the other case that it names;
    None when there is none, or none that this actor may know of. `facts`: what was loaded for this command alone, each of
    a type that its capability defines. `about_inspection`: the units whose cases go to substitutes. `absent`: who works on
    the case, is away and has the actor as deputy; `on_behalf_of`: the one of them for whom this command is given.
    `earlier_four_eyes`: the kinds for cases filed before a moment, the earliest first; `open_rules`: the version of the catalogue
    whose rules were last applied to open cases as well."""

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
    transfers_without_head: int = 2
    calendar: int = 0
    mayor_unit: str | None = None
    refusal_reasons: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_REASONS)
    root_causes: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_CAUSES)
    about_inspection: frozenset[str] = frozenset()
    absent: frozenset[UUID] = frozenset()
    on_behalf_of: UUID | None = None
    articles: Mapping[str, ListedArticle] = field(default_factory=dict)
    earlier_four_eyes: tuple[tuple[datetime, frozenset[str]], ...] = ()
    open_rules: int = 0

    def needs_approval(self, case: Case) -> bool:
        """Whether a head approves its decision, by the rules of the day on which it was filed."""
        earlier = (kinds for before, kinds in self.earlier_four_eyes if case.filed_at < before)
        return case.kind in next(earlier, self.four_eyes)

    def roles_on(self, case: Case) -> frozenset[Role]:
        """What the actor is for this case."""
        return roles_on(self.actor, case.unit, self.about_inspection)

    @property
    def today(self) -> date:
        return day_of(self.now)

    def loaded(self, kind: type[Facts]) -> Facts:
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
