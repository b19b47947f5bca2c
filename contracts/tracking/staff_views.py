"""A case, its questions and recommendations as staff and liaisons read them."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from contracts.base import Answer, GroundCode, KeyedHash, ListCode, Moment, Sequence, UnitCode, UploadId
from contracts.gateway import AnswerValue, Consent, Group, Place
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
    stage: Stage
    details: dict[str, object] = {}
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
    """A decision that waits for the head. `by`: who proposed it."""

    outcome: Outcome
    reasons: str
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []
    by: UUID
    at: Moment


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
    done_at: Moment | None = None


class Reminder(Answer):
    """`said`: its day has come."""

    staff: UUID
    on: date
    text: str
    said: bool


class LinkedCase(Answer):
    case_id: UUID
    number: str
    stage: Stage


class Named(Answer):
    """Something of a list of the administrator's, under the name it had that day."""

    code: ListCode
    name_fa: str
    name_en: str


class StaffCase(Answer):
    """The whole case for those who handle it; who complained is not in it (intake's sealed identities hold that).

    `consent`: how the citizen agreed, when an operator filed it for them. `group`: when who filed it
    represents others."""

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
    followed: list[FollowedRecommendation] = []
    checklist: list[CheckItem] = []
    reminders: list[Reminder] = []
    linked: list[LinkedCase] = []
    consent: Consent | None = None
    group: Group | None = None
    refusal: Named | None = None
    root_cause_names: list[Named] = []


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
