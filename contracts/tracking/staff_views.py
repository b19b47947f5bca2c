"""A case, its questions and recommendations as staff and liaisons read them."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from contracts.base import Answer, GroundCode, KeyedHash, ListCode, Moment, Sequence, UnitCode, UploadId
from contracts.gateway import AnswerValue, Consent, Group, Place
from contracts.intake import Question
from contracts.tracking.citizen_views import Attachment, Decision
from contracts.tracking.commands import Recommendation
from contracts.visits import StaffVisit
from contracts.vocabulary import Channel, Kind, Language, Outcome, Stage


class StaffEntry(Answer):
    """One line of the timeline as staff read it. `actor_kind` citizen, bearer, staff or system; `details` by entry."""

    sequence: Sequence
    at: Moment
    entry: str
    actor_kind: str
    actor_id: str | None
    actor_name: str | None = None
    stage: Stage
    details: dict[str, object] = {}
    names: dict[str, str] = {}
    hash: KeyedHash


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


RecommendationState = Literal["open", "reported_done", "reported_declined", "done", "declined", "superseded"]


class FollowedRecommendation(Answer):
    """A recommendation and what became of it: reported by the unit, then agreed to by the office. `case_id` and `number`
    are for the office alone."""

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


class CheckItem(Answer):
    """`done_by`, `done_at`: when it is done."""

    item_id: UUID
    text: str
    done: bool = False
    done_by: UUID | None = None
    done_by_name: str | None = None
    done_at: Moment | None = None


class Reminder(Answer):
    """`said`: its day has come."""

    staff: UUID
    staff_name: str | None = None
    on: date
    text: str
    said: bool


class Consultation(Answer):
    """A question to another inspector that waits for its answer; who is asked sees the case until then."""

    consultation_id: UUID
    colleague: UUID
    colleague_name: str | None = None
    asked_by: UUID
    asked_by_name: str | None = None
    text: str
    asked_at: Moment


class LinkedCase(Answer):
    case_id: UUID
    number: str
    stage: Stage


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
    answer a question to the unit complained about. `transfers`: how often the case has gone from one unit to another."""

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
    decision: Decision | None
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


class UnitQuestions(Answer):
    items: list[UnitQuestion]


class NamedUnit(Answer):
    code: UnitCode
    name_fa: str
    name_en: str


class UnansweredUnits(Answer):
    """Units to which no question can be sent: neither they nor a unit above them has a liaison."""

    items: list[NamedUnit]


class Recommendations(Answer):
    items: list[FollowedRecommendation]


class MediaGrant(Answer):
    """`label`: what the media is saved as, before its suffix."""

    media_id: UploadId
    case_id: UUID
    label: str = "evidence-1"


class IdentityGrant(Answer):
    """`consented_by`: the custodian; None where the kind of case needs no consent."""

    case_id: UUID
    consented_by: UUID | None = None
