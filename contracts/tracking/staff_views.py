"""A case, its questions and recommendations as staff and liaisons read them."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.base import LEFT_OUT, Answer, GroundCode, KeyedHash, ListCode, Moment, Sequence, UnitCode, UploadId
from contracts.gateway import AnswerValue, Consent, Group, Place
from contracts.intake import Question
from contracts.tracking.citizen_views import Attachment, Decision, ShownCommand
from contracts.tracking.commands import Recommendation
from contracts.tracking.entry_details import Details
from contracts.visits import StaffVisit
from contracts.vocabulary import Channel, Kind, Language, Outcome, Stage


class StaffEntry(Answer):
    """One line of the timeline as staff read it. `actor_kind` citizen, bearer, staff or system; `details` by entry. Here and
    below `…_text`: in the reader's language, days and moments Jalali in Persian."""

    sequence: Sequence
    at: Moment
    entry: str
    actor_kind: str
    actor_id: str | None
    actor_name: str | None = None
    stage: Stage
    details: Details = {}
    names: dict[str, str] = {}
    hash: KeyedHash
    at_text: str | None = LEFT_OUT
    entry_text: str | None = LEFT_OUT
    actor_text: str | None = LEFT_OUT
    stage_text: str | None = LEFT_OUT


class CaseQuestion(Answer):
    """A question to the citizen (`unit` None) or to a unit, and its answer."""

    question_id: UUID
    unit: UnitCode | None
    text: str
    asked_at: Moment
    due_on: date | None = None
    answer: str | None = None
    answered_at: Moment | None = None
    media: list[UploadId] = []
    unit_name: str | None = LEFT_OUT
    asked_text: str | None = LEFT_OUT
    due_text: str | None = LEFT_OUT
    answered_text: str | None = LEFT_OUT


class Proposal(Answer):
    """A decision that waits for the head. `by`: who proposed it. `articles`: codes of those that it cites. `early`: settled with
    the citizen at first reading."""

    outcome: Outcome
    reasons: str
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []
    articles: list[ListCode] = []
    by: UUID
    by_name: str | None = None
    at: Moment
    early: bool = False
    outcome_text: str | None = LEFT_OUT
    at_text: str | None = LEFT_OUT


RecommendationState = Literal["open", "reported_done", "reported_declined", "done", "declined", "superseded"]


class FollowedRecommendation(Answer):
    """A recommendation and what became of it: reported by the unit, then agreed to by the office. `case_id` and `number`
    are for the office alone, `commands` for the unit's liaison."""

    recommendation_id: UUID
    case_id: UUID | None = None
    number: str | None = None
    unit: UnitCode
    text: str
    due_on: date
    state: RecommendationState
    reason: str | None = None
    reported_at: Moment | None = None
    settled_at: Moment | None = None
    due_text: str | None = LEFT_OUT
    state_text: str | None = LEFT_OUT
    reported_text: str | None = LEFT_OUT
    settled_text: str | None = LEFT_OUT
    commands: list[ShownCommand] = Field(default=[], exclude_if=lambda commands: not commands)


class CheckItem(Answer):
    """`done_by`, `done_at`: when it is done."""

    item_id: UUID
    text: str
    done: bool = False
    done_by: UUID | None = None
    done_by_name: str | None = None
    done_at: Moment | None = None
    done_text: str | None = LEFT_OUT


class Reminder(Answer):
    """`said`: its day has come."""

    staff: UUID
    staff_name: str | None = None
    on: date
    text: str
    said: bool
    on_text: str | None = LEFT_OUT


class Consultation(Answer):
    """A question to another inspector that waits for its answer; who is asked sees the case until then."""

    consultation_id: UUID
    colleague: UUID
    colleague_name: str | None = None
    asked_by: UUID
    asked_by_name: str | None = None
    text: str
    asked_at: Moment
    asked_text: str | None = LEFT_OUT


class LinkedCase(Answer):
    case_id: UUID
    number: str
    stage: Stage
    stage_text: str | None = LEFT_OUT


class MergedCase(Answer):
    """A case that was merged into another, as whoever handles that one reads it: what was filed, the evidence and the wish to
    come. Its attachments are downloaded under its own `case_id`."""

    case_id: UUID
    number: str
    kind: Kind
    unit: UnitCode | None
    unit_name_fa: str | None
    unit_name_en: str | None
    ground: GroundCode
    filed_at: Moment
    text: str
    answers: dict[str, AnswerValue]
    happened_on: str | None
    place: Place | None
    reference: str | None
    people: list[str]
    visit_wanted: bool
    answered_questions: list[Question] = []
    attachments: list[Attachment] = []
    visits: list[StaffVisit] = []
    kind_text: str | None = LEFT_OUT
    filed_text: str | None = LEFT_OUT


class StaffDecision(Decision):
    """The decision as staff read it."""

    outcome_text: str | None = LEFT_OUT
    decided_text: str | None = LEFT_OUT
    objection_until_text: str | None = LEFT_OUT


class CaseDeadline(Answer):
    """When a decision is owed: `days` working days after `started_on`, not counting pauses. `days_left`: working days from today,
    or from the day the clock was stopped; below zero when it is overdue. `warn_on`: the day on which 80 % of the time are over,
    `past_mark` from then on. `paused_on`: since when the clock stands, `paused_why` in words. `rule`: by what it is owed (`days`
    of the kind, `ground`, `urgent`, or an `earlier` rule of the day it was filed), `rule_text` in words. `first_reading_on`: the
    day by which somebody has to have read it, while nobody has."""

    started_on: date
    days: int
    due_on: date
    days_left: int
    warn_on: date
    past_mark: bool
    overdue: bool
    paused_on: date | None = None
    paused_why: str | None = LEFT_OUT
    first_reading_on: date | None = None
    rule: Literal["days", "ground", "urgent", "earlier"]
    rule_text: str
    started_text: str | None = LEFT_OUT
    due_text: str | None = LEFT_OUT
    warn_text: str | None = LEFT_OUT
    paused_text: str | None = LEFT_OUT
    first_reading_text: str | None = LEFT_OUT


class AskedQuestion(Answer):
    """The question that waits for its answer: to whom, since when and until when."""

    question_id: UUID
    to: Literal["citizen", "unit"]
    to_name: str | None = None
    unit: UnitCode | None = None
    asked_at: Moment
    due_on: date
    asked_text: str | None = LEFT_OUT
    due_text: str | None = LEFT_OUT


class Named(Answer):
    """Something of a list of the administrator's, under the name it had that day."""

    code: ListCode
    name_fa: str
    name_en: str


class StaffCase(Answer):
    """The whole case for those who handle it; who complained is not in it (intake's sealed identities hold that).

    `consent`: how the citizen agreed, when an operator filed it for them. `group`: when who filed it
    represents others. `closed_reason`: unanswered when it was closed since the citizen did not answer.
    `answered_questions`: those of `answers`, as they were asked
    that day. `merged_cases`: what was filed with those that go on in this one. `unit_has_liaison`: somebody would
    answer a question to the unit complained about. `transfers`: how often the case has gone from one unit to another.
    `open_question`: whose answer it waits for. `last_activity_at`: of the last line of its timeline.
    `seen_version`: what the reader had seen before; `unread`: lines of the timeline since, of others.
    `filed_corrected_at`: when its citizen last corrected `text` or `place`; what they said before is in the timeline
    (filed_corrected: `former_text`, `former_place`)."""

    case_id: UUID
    number: str
    version: int
    kind: Kind
    stage: Stage
    unit: UnitCode | None
    unit_asked: str
    unit_name_fa: str | None
    unit_name_en: str | None
    ground: GroundCode
    answers: dict[str, AnswerValue]
    text: str
    happened_on: str | None
    place: Place | None
    reference: str | None
    people: list[str]
    visit_wanted: bool
    urgent: bool
    anonymous: bool
    channel: Channel
    language: Language
    filed_at: Moment
    expected_on: date | None
    handler: UUID | None
    handler_name: str | None = None
    decision: StaffDecision | None
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []
    merged_into: UUID | None = None
    score: int | None = None
    questions: list[CaseQuestion] = []
    attachments: list[Attachment] = []
    visits: list[StaffVisit] = []
    timeline: list[StaffEntry] = []
    proposal: Proposal | None = None
    closed_reason: Literal["unanswered"] | None = None
    followed: list[FollowedRecommendation] = []
    checklist: list[CheckItem] = []
    reminders: list[Reminder] = []
    linked: list[LinkedCase] = []
    merged_cases: list[MergedCase] = []
    unit_has_liaison: bool | None = None
    answered_questions: list[Question] = []
    consent: Consent | None = None
    consent_recorded_by_name: str | None = None
    group: Group | None = None
    refusal: Named | None = None
    root_cause_names: list[Named] = []
    co_handlers: list[UUID] = []
    consultations: list[Consultation] = []
    transfers: int = 0
    co_handler_names: dict[str, str] = {}
    kind_text: str | None = LEFT_OUT
    stage_text: str | None = LEFT_OUT
    channel_text: str | None = LEFT_OUT
    filed_text: str | None = LEFT_OUT
    expected_text: str | None = LEFT_OUT
    unit_name: str | None = LEFT_OUT
    ground_name: str | None = LEFT_OUT
    deadline: CaseDeadline | None = None
    open_question: AskedQuestion | None = None
    last_activity_at: Moment | None = None
    last_activity_text: str | None = LEFT_OUT
    attachment_count: int = 0
    seen_version: int | None = None
    unread: int = 0
    filed_corrected_at: Moment | None = None
    commands: list[ShownCommand] = []  # the last field: the gateway completes what follows its name


class CaseAudience(Answer):
    """What decides who of the staff may know of a case, as in CaseSnapshot."""

    unit: UnitCode | None
    handler: UUID | None = None
    co_handlers: list[UUID] = []
    consulted: list[UUID] = []


class UnitQuestion(Answer):
    """All that a liaison sees: the question and what was sent along; never the case, never who complained."""

    question_id: UUID
    unit: UnitCode
    text: str
    asked_at: Moment
    due_on: date | None
    answer: str | None = None
    answered_at: Moment | None = None
    media: list[Attachment] = []
    asked_text: str | None = LEFT_OUT
    due_text: str | None = LEFT_OUT
    answered_text: str | None = LEFT_OUT
    commands: list[ShownCommand] = []


class UnitQuestions(Answer):
    items: list[UnitQuestion]
    next: str | None = None


class NamedUnit(Answer):
    code: UnitCode
    name_fa: str
    name_en: str


class UnansweredUnits(Answer):
    """Units to which no question can be sent: neither they nor a unit above them has a liaison."""

    items: list[NamedUnit]


class Recommendations(Answer):
    items: list[FollowedRecommendation]
    next: str | None = None


class MediaGrant(Answer):
    """`label`: what the media is saved as, before its suffix."""

    media_id: UploadId
    case_id: UUID
    label: str = "evidence-1"


class IdentityGrant(Answer):
    """`consented_by`: the custodian; None where the kind of case needs no consent."""

    case_id: UUID
    consented_by: UUID | None = None
